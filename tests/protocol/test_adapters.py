from __future__ import annotations

import io
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_endpoints.interfaces import IConsumer, IProtocol, ITransport
from twisted_endpoints.protocol import FileWrapper, Protocol, connectionDone


def test_aProtocolCanBeAConsumer() -> None:
    class Recording(Protocol):
        def __init__(self) -> None:
            self.got: list[bytes] = []

        def dataReceived(self, data: bytes) -> None:
            self.got.append(data)

    made = Recording()
    consumer = IConsumer(made)
    consumer.registerProducer(None, True)
    consumer.write(b"x")
    consumer.unregisterProducer()

    assert made.got == [b"x"]
    assert verifyObject(IConsumer, consumer)


def test_aConsumerCanBeAProtocol() -> None:
    @implementer(IConsumer)
    class Consumer:
        def __init__(self) -> None:
            self.got: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.got.append(data)

        def registerProducer(self, producer: Any, streaming: bool) -> None: ...

        def unregisterProducer(self) -> None: ...

    made = Consumer()
    adapted = IProtocol(made)
    adapted.makeConnection(None)
    adapted.connectionMade()
    adapted.dataReceived(b"x")
    adapted.connectionLost(connectionDone)

    assert made.got == [b"x"]
    assert verifyObject(IProtocol, adapted)


def test_otherThingsAreNotAdapted() -> None:
    with pytest.raises(TypeError):
        IConsumer(object())
    with pytest.raises(TypeError):
        IProtocol(object())


def test_writesToTheFile() -> None:
    wrapper = FileWrapper(io.BytesIO())
    assert verifyObject(ITransport, wrapper)
    wrapper.write(b"a")
    wrapper.writeSequence([b"b", b"c"])

    assert wrapper.file.getvalue() == b"abc"
    wrapper.loseConnection()
    assert (wrapper.closed, wrapper.file.closed) == (1, True)


def test_whatGoesWrongIsHandled() -> None:
    class Telling(FileWrapper):
        handled = 0

        def handleException(self) -> None:
            self.handled += 1

    wrapper = Telling(io.BytesIO())
    wrapper.write("text")  # type: ignore[arg-type]
    assert wrapper.handled == 1


def test_aPullProducerIsAskedAtOnce() -> None:
    class Producer:
        asked = 0

        def resumeProducing(self) -> None:
            self.asked += 1

    wrapper, pull, push = FileWrapper(io.BytesIO()), Producer(), Producer()
    wrapper.registerProducer(pull, False)
    wrapper._checkProducer()
    wrapper.registerProducer(push, True)
    wrapper.stopConsuming()

    assert (pull.asked, push.asked) == (2, 0)
    assert (wrapper.producer, wrapper.closed) == (None, 1)
