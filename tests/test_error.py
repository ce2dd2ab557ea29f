from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from twisted_endpoints import error
from twisted_endpoints._vocabulary import vocabulary


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (error.BindError(), "An error occurred binding to an interface."),
        (error.BindError("eth0"), "An error occurred binding to an interface: eth0."),
        (error.CannotListenError("::1", 80, OSError("in use")), "Couldn't listen on ::1:80: in use."),
        (error.CannotListenError("", 80, OSError("in use")), "Couldn't listen on any:80: in use."),
        (error.ConnectError(), "An error occurred while connecting."),
        (error.ConnectError(111, "refused"), "An error occurred while connecting: 111: refused."),
        (error.ConnectionRefusedError(string="so"), "Connection was refused by other side: so."),
        (error.TimeoutError(), "User timeout caused connection failure."),
        (error.ConnectionDone("a", "b"), "Connection was closed cleanly: a b."),
        (error.ConnectionLost(), "Connection to the other side was lost in a non-clean fashion."),
        (
            error.ProcessTerminated(2),
            "A process has ended with a probable error condition: process ended with exit code 2.",
        ),
        (
            error.ProcessTerminated(signal=9),
            "A process has ended with a probable error condition: process ended by signal 9.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_text(raised: Exception, text: str) -> None:
    assert str(raised) == text


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's texts fail on arguments that are no text")
def test_textTakesArgumentsOfAnyType() -> None:
    assert str(error.DNSLookupError(-2, "no such name")) == "DNS lookup failed: -2 no such name."
    assert str(error.ConnectionLost(OSError(5, "broken"))).endswith(": [Errno 5] broken.")


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted shows the bare arguments")
def test_textOfAnInvalidAddress() -> None:
    assert str(error.InvalidAddressError("::1", "not IPv4")) == "'::1': not IPv4"


@pytest.mark.parametrize(
    ("raised", "attributes"),
    [
        (error.CannotListenError("::1", 80, "why"), {"interface": "::1", "port": 80, "socketError": "why"}),
        (error.ConnectError(111, "refused"), {"osError": 111, "args": ("refused",)}),
        (error.ProcessDone(0), {"exitCode": 0, "signal": None, "status": 0}),
        (error.ProcessTerminated(2, None, 512), {"exitCode": 2, "signal": None, "status": 512}),
        (error.ConnectingCancelledError("there"), {"address": "there"}),
        (error.InvalidAddressError("a", "b"), {"address": "a", "message": "b"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_attributes(raised: Exception, attributes: dict[str, Any]) -> None:
    assert {name: getattr(raised, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (error.ConnectionDone, error.ConnectionClosed),
        (error.ConnectionAborted, error.ConnectionLost),
        (error.ConnectionLost, error.ConnectionClosed),
        (error.TimeoutError, error.ConnectError),
        (error.CannotListenError, error.BindError),
        (error.DNSLookupError, OSError),
        (error.InvalidAddressError, ValueError),
        (error.AlreadyCalled, ValueError),
        (error.NotConnectingError, RuntimeError),
        (error.ReactorAlreadyInstalledError, AssertionError),
    ],
)
def test_bases(kind: type[Exception], base: type[Exception]) -> None:
    assert issubclass(kind, base)


@pytest.mark.parametrize(
    ("given", "kind", "number", "arguments"),
    [
        (OSError(errno.ECONNREFUSED, "no"), error.ConnectionRefusedError, errno.ECONNREFUSED, ("no",)),
        (OSError(errno.ENETUNREACH, "no"), error.NoRouteError, errno.ENETUNREACH, ("no",)),
        ((errno.ETIMEDOUT, "no"), error.TCPTimedOutError, errno.ETIMEDOUT, ("no",)),
        (OSError(errno.EACCES, "no"), error.ConnectError, errno.EACCES, ("no",)),
        (socket.gaierror(-2, "no"), error.UnknownHostError, -2, ("no",)),
    ],
    ids=str,
)
def test_connectErrors(given: Any, kind: type, number: int, arguments: tuple[str]) -> None:
    made = error.getConnectError(given)

    assert (type(made), made.osError, made.args) == (kind, number, arguments)


def test_anyExceptionMakesAConnectError() -> None:
    given = ValueError("odd")
    made = error.getConnectError(given)

    assert (type(made), made.osError, made.args) == (error.ConnectError, None, (given,))
