"""`testing`'s transports and its producer."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.address import IPv4Address, UNIXAddress
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.interfaces import IConsumer, IPullProducer, IPushProducer, ITransport, IUDPTransport
from twisted_endpoints.testing import (
    AccumulatingProtocol,
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)


@pytest.mark.parametrize("kind", [StringTransport, StringTransportWithDisconnection])
@pytest.mark.parametrize("interface", [ITransport, IConsumer, IPushProducer])
def test_aStringTransportProvidesWhatItClaims(kind: Any, interface: Any) -> None:
    verifyObject(interface, kind())


def test_itKeepsWhatIsWritten() -> None:
    transport = StringTransport()
    transport.write(b"one ")
    transport.writeSequence([b"two", b" three"])
    assert transport.value() == b"one two three"
    transport.clear()
    assert transport.value() == b""


@pytest.mark.parametrize("data", ["text", bytearray(b"x"), None])
def test_onlyBytesCanBeWritten(data: Any) -> None:
    with pytest.raises(TypeError, match="Data must be bytes"):
        StringTransport().write(data)


def test_closingIsNoted() -> None:
    transport = StringTransport()
    assert (transport.connected, transport.disconnecting, transport.disconnected) == (True, False, False)
    transport.loseConnection()
    assert (transport.disconnecting, transport.disconnected) == (True, False)

    transport = StringTransport()
    transport.abortConnection()
    assert (transport.disconnecting, transport.disconnected) == (True, True)


def test_addresses() -> None:
    host, peer = UNIXAddress("/host"), UNIXAddress("/peer")
    transport = StringTransport(host, peer)
    assert transport.getHost() is host
    assert transport.getPeer() is peer
    assert isinstance(StringTransport().getHost(), IPv4Address)
    assert isinstance(StringTransport().getPeer(), IPv4Address)


def test_addressesOfAClass() -> None:
    class Known(StringTransport):
        hostAddr = peerAddr = UNIXAddress("/known")

    assert Known().getHost() == Known().getPeer() == UNIXAddress("/known")


def test_itHasOneProducerAtATime() -> None:
    transport = StringTransport()
    transport.registerProducer("producer", True)
    assert (transport.producer, transport.streaming) == ("producer", True)
    with pytest.raises(RuntimeError):
        transport.registerProducer("another", False)
    assert (transport.producer, transport.streaming) == ("producer", True)

    transport.unregisterProducer()
    assert (transport.producer, transport.streaming) == (None, None)
    with pytest.raises(RuntimeError):
        transport.unregisterProducer()


def test_asAProducer() -> None:
    transport = StringTransport()
    assert transport.producerState == "producing"
    transport.pauseProducing()
    assert transport.producerState == "paused"
    transport.resumeProducing()
    assert transport.producerState == "producing"
    transport.stopProducing()
    assert transport.producerState == "stopped"


@pytest.mark.parametrize("end", ["loseConnection", "stopProducing"])
@pytest.mark.parametrize("method", ["pauseProducing", "resumeProducing"])
def test_whatHasEndedCanNotBePausedOrResumed(end: str, method: str) -> None:
    transport = StringTransport()
    getattr(transport, end)()
    with pytest.raises(RuntimeError):
        getattr(transport, method)()


def test_aLenientTransportMayBePausedWhileItCloses() -> None:
    transport = StringTransport(lenient=True)
    transport.loseConnection()
    transport.pauseProducing()
    assert transport.producerState == "paused"


def test_disconnectionIsToldOnce() -> None:
    transport = StringTransportWithDisconnection()
    protocol = AccumulatingProtocol()
    transport.protocol = protocol
    protocol.makeConnection(transport)

    transport.loseConnection()
    assert not transport.connected
    reason = protocol.closedReason
    assert reason is not None
    assert reason.check(ConnectionDone)

    protocol.closedReason = None
    transport.loseConnection()
    assert protocol.closedReason is None


def test_ioThatIsNotClosed() -> None:
    file = StringIOWithoutClosing()
    file.write(b"kept")
    file.close()
    assert file.getvalue() == b"kept"


def test_aDatagramTransportKeepsPackets() -> None:
    transport = FakeDatagramTransport()
    transport.write(b"to one", ("10.0.0.1", 53))
    transport.write(b"to all")
    assert transport.written == [
        (b"to one", ("10.0.0.1", 53)),
        (b"to all", FakeDatagramTransport.noAddr),
    ]


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's has write() alone")
def test_aDatagramTransportProvidesWhatItClaims() -> None:
    transport = FakeDatagramTransport()
    verifyObject(IUDPTransport, transport)
    transport.connect("10.0.0.1", 53)
    assert transport.getHost() == IPv4Address("UDP", "127.0.0.1", 0)
    assert transport.getBroadcastAllowed() is False
    transport.setBroadcastAllowed(True)
    assert transport.getBroadcastAllowed() is True
    assert transport.stopListening() is None


def produced(consumer: StringTransport) -> tuple[NonStreamingProducer, list[Any]]:
    producer = NonStreamingProducer(consumer)
    consumer.registerProducer(producer, False)
    ended: list[Any] = []
    producer.result.addCallback(ended.append)
    return producer, ended


def test_theProducerWritesTenTimes() -> None:
    consumer = StringTransport()
    producer, ended = produced(consumer)
    verifyObject(IPullProducer, producer, tentative=True)

    for _ in range(9):
        producer.resumeProducing()
    assert (consumer.producer, ended) == (producer, [])
    producer.resumeProducing()

    assert consumer.value() == b"0123456789"
    assert (consumer.producer, producer.consumer, ended) == (None, None, [None])
    with pytest.raises(RuntimeError):
        producer.resumeProducing()


def test_theProducerCanBeStopped() -> None:
    producer, ended = produced(StringTransport())
    producer.stopProducing()
    assert (producer.stopped, ended) == (True, [None])
    with pytest.raises(RuntimeError):
        producer.resumeProducing()


def test_theProducerCanNotBePaused() -> None:
    producer, _ = produced(StringTransport())
    with pytest.raises(RuntimeError):
        producer.pauseProducing()
