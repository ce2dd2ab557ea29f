"""
Sends a line to where its first argument says, and prints what comes back.

    python echo_client.py tcp:localhost:8007 "Is anybody there?"
"""

import sys

from twisted_endpoints import clientFromString, connectProtocol
from twisted_endpoints.defer import Deferred
from twisted_endpoints.protocol import Protocol
from twisted_endpoints.task import react


class Question(Protocol):
    """Collects the answer until the other side has said as much as we did."""

    def __init__(self, text):
        self.text = text.encode()
        self.came = b""
        self.answer = Deferred()

    def connectionMade(self):
        self.transport.write(self.text)

    def dataReceived(self, data):
        self.came += data
        if len(self.came) == len(self.text):
            self.answer.callback(self.came.decode())
            self.transport.loseConnection()


async def main(reactor, description="tcp:127.0.0.1:8007", text="hello"):
    """Ask, and print the answer; a connection that can't be made ends the program with its reason."""
    question = await connectProtocol(clientFromString(reactor, description), Question(text))
    print(await question.answer)


react(main, sys.argv[1:])
