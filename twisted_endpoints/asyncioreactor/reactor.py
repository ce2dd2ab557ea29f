"""The reactor, composed of its parts: one file each."""

from __future__ import annotations

import asyncio

from zope.interface import implementer

from ..interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorMulticast,
    IReactorPluggableNameResolver,
    IReactorPluggableResolver,
    IReactorProcess,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUDP,
    IReactorUNIX,
    _ISupportsExitSignalCapturing,
)
from .adopted import Adopted
from .multicast import Multicast
from .names import Names
from .process import Processes
from .tcp import TCP
from .tls import TLS
from .unix import UNIX


@implementer(
    IReactorCore,
    IReactorFDSet,
    IReactorMulticast,
    IReactorPluggableNameResolver,
    IReactorPluggableResolver,
    IReactorProcess,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUDP,
    IReactorUNIX,
    _ISupportsExitSignalCapturing,
)
class AsyncioReactor(Multicast, Names, TCP, TLS, UNIX, Adopted, Processes):
    """
    A reactor on an asyncio event loop.

    Args:
        eventloop: the loop; by default the one that runs in this thread, else a new one: uvloop's where
            that is installed.  A reactor that is made while its loop runs is running at once.
    """

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(eventloop)
        if self._loop.is_running():
            self._startInRunningLoop()
