"""The server's name in a ClientHello: found where it is plainly there, and nowhere else."""

from __future__ import annotations

import pytest
from OpenSSL import SSL

from twisted_endpoints._tls.hello import UNRECOGNIZED_NAME, serverName


def hello(name: bytes | None, method: int = SSL.TLS_METHOD) -> bytes:
    """Let OpenSSL say hello."""
    connection = SSL.Connection(SSL.Context(method), None)
    connection.set_connect_state()
    if name is not None:
        connection.set_tlsext_host_name(name)
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(1 << 14)


def answer(data: bytes) -> bytes:
    """Let OpenSSL answer as a server that knows no name."""
    context = SSL.Context(SSL.TLS_METHOD)

    def refuse(connection: SSL.Connection) -> None:
        raise ValueError

    context.set_tlsext_servername_callback(refuse)
    connection = SSL.Connection(context, None)
    connection.set_accept_state()
    connection.bio_write(data)
    with pytest.raises(SSL.Error):
        connection.do_handshake()
    return connection.bio_read(1 << 14)


def made(*extensions: bytes, version: bytes = b"\x03\x03", behind: bytes = b"") -> bytes:
    """Make a ClientHello with these extensions."""
    joined = b"".join(extensions)
    body = (
        version
        + bytes(32)
        + vector(1, bytes(32))
        + vector(2, b"\x13\x01")
        + vector(1, b"\0")
        + vector(2, joined)
        + behind
    )
    return b"\x16\x03\x01" + vector(2, b"\x01" + vector(3, body))


def vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, data)


def names(*entries: bytes) -> bytes:
    return extension(0, vector(2, b"".join(entries)))


HOST = b"\0" + vector(2, b"example.com")
NAME = names(HOST)


@pytest.mark.parametrize("method", [SSL.TLS_METHOD, SSL.TLSv1_2_METHOD], ids=["TLS 1.3", "TLS 1.2"])
def test_findsWhatAClientAsksFor(method: int) -> None:
    assert serverName(hello(b"Example.COM", method)) == b"Example.COM"
    assert serverName(hello(None, method)) is None


def test_aHelloThatIsNotWholeHasNoName() -> None:
    data = hello(b"example.com")
    assert [serverName(data[:length]) for length in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize(
    "data",
    [
        made(NAME),
        made(extension(10, b"\0\x02\0\x1d"), extension(43, b""), NAME, extension(21, bytes(200))),
        made(NAME) + b"what comes behind it",
    ],
    ids=["alone", "among others", "and more"],
)
def test_findsTheNameWhereverItIs(data: bytes) -> None:
    assert serverName(data) == b"example.com"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x16",
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"\x17" + made(NAME)[1:],
        made(NAME)[:5] + b"\x02" + made(NAME)[6:],
        made(NAME)[:9] + b"\x03\x01" + made(NAME)[11:],
        made(NAME, behind=b"\0"),
        made(),
        made(NAME[:-1]),
        made(b"\0\0"),
        made(extension(0, b"")),
        made(names()),
        made(names(b"\x01" + HOST[1:])),
        made(names(HOST, HOST)),
        made(names(b"\0\0\0")),
        made(extension(0, vector(2, HOST) + b"\0")),
        made(extension(0, vector(2, HOST[:-1]))),
        made(*[extension(number, b"") for number in range(100, 164)], NAME),
    ],
    ids=[
        "nothing",
        "a byte",
        "HTTP",
        "another record",
        "another message",
        "TLS 1.0",
        "more than a hello",
        "no extensions",
        "an extension that ends too late",
        "half an extension",
        "no list",
        "no names",
        "another kind of name",
        "two names",
        "an empty name",
        "bytes behind the list",
        "a name that ends too late",
        "too many extensions",
    ],
)
def test_whatIsOddIsLeftToOpenSSL(data: bytes) -> None:
    assert serverName(data) is None


def test_theAlertIsOpenSSLs() -> None:
    assert answer(hello(b"example.com")) == UNRECOGNIZED_NAME
    assert answer(hello(b"example.com", SSL.TLSv1_2_METHOD)) == UNRECOGNIZED_NAME
