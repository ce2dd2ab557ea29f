"""
A program that listens until a signal comes, in a process of its own.

    python -m tests.asyncioreactor.signalled run|embedded|cancelled|plain|stuck asyncio|uvloop

prints its port, and what it does when it ends.  ``run`` runs the reactor.  The others run it in a program of
asyncio's: that stops the reactor at a signal, or is cancelled at SIGTERM, or doesn't look after signals, or
doesn't and never comes to its end.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from typing import Any

from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol


def listen(reactor: Any) -> None:
    # In development mode a loop says on standard error that something was slow: on a busy machine, it is.
    reactor._loop.slow_callback_duration = 60

    def before() -> Deferred[None]:
        print("before", flush=True)
        waited: Deferred[None] = Deferred()
        reactor.callLater(0.01, waited.callback, None)
        return waited

    reactor.addSystemEventTrigger("before", "shutdown", before)
    reactor.addSystemEventTrigger("after", "shutdown", print, "after", flush=True)
    reactor.callInThread(int)
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    print(port.getHost().port, flush=True)


async def embedded() -> None:
    loop = asyncio.get_running_loop()
    reactor: Any = AsyncioReactor()
    down = loop.create_future()
    reactor.addSystemEventTrigger("after", "shutdown", down.set_result, None)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, reactor.sigTerm, number)
    listen(reactor)
    await down


async def plain() -> None:
    reactor = AsyncioReactor()
    try:
        # In here: as soon as it listens, the signal may come.
        listen(reactor)
        await asyncio.sleep(60)
    finally:
        print("finally", flush=True)


async def stuck() -> None:
    reactor: Any = AsyncioReactor()
    reactor.addSystemEventTrigger("before", "shutdown", Deferred)
    listen(reactor)
    await asyncio.sleep(60)


async def cancelled() -> None:
    loop = asyncio.get_running_loop()
    task: Any = asyncio.current_task()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    listen(AsyncioReactor())
    await asyncio.sleep(60)


PROGRAMS = {each.__name__: each for each in (embedded, cancelled, plain, stuck)}


def main(mode: str, loop: str) -> None:
    if mode == "run":
        eventloop = importlib.import_module(loop).new_event_loop()
        reactor = AsyncioReactor(eventloop)
        reactor.callWhenRunning(listen, reactor)
        reactor.run()
        eventloop.close()
    else:
        try:
            importlib.import_module(loop).run(PROGRAMS[mode]())
        except (KeyboardInterrupt, asyncio.CancelledError) as ended:
            print(type(ended).__name__)
    print("end")


if __name__ == "__main__":
    main(*sys.argv[1:])
