"""Prints the first line that a host sends, for example to: python first_line.py mail.example.com 25."""

import sys

from twisted_endpoints import HostnameEndpoint, connectProtocol
from twisted_endpoints.defer import Deferred
from twisted_endpoints.error import ConnectError
from twisted_endpoints.protocol import Protocol
from twisted_endpoints.task import react


class FirstLine(Protocol):
    """Waits for a line end, or for the end."""

    def connectionMade(self):
        self.text, self.line = b"", Deferred()

    def dataReceived(self, data):
        self.text += data
        if b"\n" in self.text:
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.line.callback(self.text.partition(b"\n")[0].decode(errors="replace").rstrip())


async def main(reactor, host, port):
    """Connect to whichever of the host's addresses answers first (RFC 8305), and print the line."""
    try:
        protocol = await connectProtocol(HostnameEndpoint(reactor, host, int(port)), FirstLine())
    except ConnectError as error:
        sys.exit(f"{host} can't be reached: {error}")
    print(f"{host} says {await protocol.line}")


react(main, sys.argv[1:])
