"""
A relay in a program of one's own, which counts what each client was sent.

    python relay.py tcp:8080:interface=127.0.0.1 unix:/run/app.sock

For the command line there is `twisted-endpoints relay`.
"""

import sys

from twisted_endpoints import clientFromString, serverFromString
from twisted_endpoints.defer import Deferred
from twisted_endpoints.relay import Observer, RelayFactory
from twisted_endpoints.task import react


class Bill(Observer):
    """Writes a line for each stream that has ended."""

    def closed(self, stream):
        print(f"{stream.peer}: {stream.returned} bytes", flush=True)


async def main(reactor, listen, connect):
    """Relay until the program is stopped, at most 100 streams at once."""
    relay = RelayFactory(clientFromString(reactor, connect), maxConnections=100, observer=Bill())
    port = await relay.listen(serverFromString(reactor, listen))
    print(f"listening on {port.getHost()}", flush=True)
    await Deferred()


react(main, sys.argv[1:])
