"""
Sends back what it gets, on whatever its argument says.

    python echo_server.py tcp:8007
    python echo_server.py unix:/tmp/echo.sock
"""

import sys

from twisted_endpoints import serverFromString
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.task import react


class Echo(Protocol):
    """Answers with what it is told."""

    def dataReceived(self, data):
        self.transport.write(data)


async def main(reactor, description="tcp:8007:interface=127.0.0.1"):
    """Listen until the program is stopped, by Ctrl-C or SIGTERM."""
    port = await serverFromString(reactor, description).listen(Factory.forProtocol(Echo))
    print(f"listening on {port.getHost()}", flush=True)
    await Deferred()


react(main, sys.argv[1:])
