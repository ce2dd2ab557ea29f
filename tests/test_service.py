"""The tree of services."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints.defer import Deferred
from twisted_endpoints.service import IService, IServiceCollection, MultiService, Service

from .services.test_client import results


class Noting(Service):
    """Notes what it is told, and stops when the test says so."""

    def __init__(self, notes: list[str], name: str | None = None) -> None:
        self.notes = notes
        if name is not None:
            self.setName(name)
        self.stopped: Deferred[None] = Deferred()

    def privilegedStartService(self) -> None:
        self.notes.append(f"{self.name} privileged")

    def startService(self) -> None:
        super().startService()
        self.notes.append(f"{self.name} start")

    def stopService(self) -> Any:
        super().stopService()
        self.notes.append(f"{self.name} stop")
        return self.stopped


def test_theyProvideTheirInterfaces() -> None:
    assert verifyObject(IService, Service())
    assert verifyObject(IService, MultiService())
    assert verifyObject(IServiceCollection, MultiService())


def test_childrenAreStartedInOrderAndStoppedInReverse() -> None:
    notes: list[str] = []
    parent = MultiService()
    children = [Noting(notes, name) for name in "ab"]
    for child in children:
        child.setServiceParent(parent)
    assert list(parent) == children
    parent.privilegedStartService()
    parent.startService()
    stopped = results(parent.stopService())
    assert notes == ["a privileged", "b privileged", "a start", "b start", "b stop", "a stop"]
    children[0].stopped.callback(None)
    assert stopped == []
    children[1].stopped.callback(None)
    assert stopped == [[(True, None), (True, None)]]
    assert not parent.running


def test_whoComesLateIsStartedAndWhoLeavesIsStopped() -> None:
    notes: list[str] = []
    parent = MultiService()
    parent.startService()
    child = Noting(notes, "a")
    child.setServiceParent(parent)
    assert child.parent is parent
    assert parent.getServiceNamed("a") is child
    assert child.disownServiceParent() is child.stopped
    assert notes == ["a privileged", "a start", "a stop"]
    assert (child.parent, list(parent)) == (None, [])
    with pytest.raises(KeyError):
        parent.getServiceNamed("a")


def test_aChildCanChangeItsParent() -> None:
    first, second, child = MultiService(), MultiService(), Service()
    child.setServiceParent(first)
    child.setServiceParent(second)
    assert (list(first), list(second), child.parent) == ([], [child], second)


def test_namesAreGivenOnce() -> None:
    parent = MultiService()
    child = Service()
    child.setName("a")
    child.setServiceParent(parent)
    with pytest.raises(RuntimeError):
        child.setName("b")
    other = Service()
    other.setName("a")
    with pytest.raises(RuntimeError, match="name"):
        other.setServiceParent(parent)


def test_whoIsNoChildCantBeRemoved() -> None:
    parent = MultiService()
    with pytest.raises(ValueError, match=r"child|not in list"):
        parent.removeService(Service())


def test_aCopyDoesNotRun() -> None:
    service = Service()
    service.startService()
    assert not copy.copy(service).running
    assert service.running
