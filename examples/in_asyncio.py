"""
An asyncio program that uses an endpoint: the reactor lives in the loop that runs already.

    python in_asyncio.py tcp:localhost:8007

Deferreds are awaited as they are; `asFuture` makes of one what `asyncio.wait_for` and its kin want.
"""

import asyncio
import sys

from twisted_endpoints import clientFromString, connectProtocol
from twisted_endpoints.asyncioreactor import AsyncioReactor
from twisted_endpoints.protocol import Protocol


class ToQueue(Protocol):
    """Puts what it gets into a queue of asyncio's."""

    def __init__(self):
        self.queue = asyncio.Queue()

    def dataReceived(self, data):
        self.queue.put_nowait(data)


async def main(description):
    """Send three words, and print what comes back."""
    loop = asyncio.get_running_loop()
    reactor = AsyncioReactor(loop)
    connecting = connectProtocol(clientFromString(reactor, description), ToQueue())
    protocol = await asyncio.wait_for(connecting.asFuture(loop), timeout=10)
    for word in ("one", "two", "three"):
        protocol.transport.write(word.encode())
        print(word, "->", (await protocol.queue.get()).decode())
    protocol.transport.loseConnection()


asyncio.run(main(sys.argv[1]))
