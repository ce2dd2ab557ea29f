"""Stays connected to an echo server, and beats: python heartbeat.py tcp:localhost:8080 5."""

import sys

from twisted_endpoints import clientFromString
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Factory, Protocol
from twisted_endpoints.services import ClientService, TimerService
from twisted_endpoints.task import react


class Heart(Protocol):
    """Beats while it is connected, and prints what the server answers."""

    def connectionMade(self):
        self.beats = TimerService(self.factory.seconds, self.transport.write, b"beat\n")
        self.beats.startService()

    def dataReceived(self, data):
        print(data.decode(), end="", flush=True)

    def connectionLost(self, reason):
        self.beats.stopService()


async def main(reactor, server, seconds):
    """Beat until the program is stopped."""
    factory = Factory.forProtocol(Heart)
    factory.seconds = float(seconds)
    client = ClientService(clientFromString(reactor, server), factory)
    client.startService()
    reactor.addSystemEventTrigger("before", "shutdown", client.stopService)
    await Deferred()


react(main, sys.argv[1:])
