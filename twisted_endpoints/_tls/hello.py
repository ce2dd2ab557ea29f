"""
The name in a ClientHello, read without OpenSSL.  Pure: bytes in, a value out.

Theory.  OpenSSL tells the name when a handshake is under way, and a handshake that is begun and refused costs
several times what reading the name costs.  Whoever asks for names that nobody has, again and again, is
therefore sent away before.  Only that is decided here: a name that isn't plainly there is OpenSSL's to find,
and so is what is wrong with the rest.
"""

from __future__ import annotations

#: The fatal alert ``unrecognized_name`` in a record of its own: RFC 8446, section 6; RFC 6066, section 3.
UNRECOGNIZED_NAME = b"\x15\x03\x03\x00\x02\x02\x70"

_HANDSHAKE = b"\x16"
_CLIENT_HELLO = b"\x01"
_TLS12 = b"\x03\x03"
_SERVER_NAME = b"\0\0"
_HOST_NAME = b"\0"

#: The headers of the record and of the message, the version and the random number: all of fixed length.
_FIXED = 5 + 4 + 2 + 32

#: No client has as many extensions; one that says it has isn't worth the time.
_EXTENSIONS = 64


def serverName(data: bytes) -> bytes | None:
    """
    Find the name that a client asks for: RFC 8446, section 4.1.2, and RFC 6066, section 3.

    Args:
        data: what the client sent first.

    Returns:
        The name as it was sent; None if it asks for nobody, if this isn't a whole ClientHello in one record
        of a client that speaks TLS 1.2 or later, or if anything about the way to the name is odd.
    """
    end = 5 + int.from_bytes(data[3:5], "big")
    if (
        data[:1] != _HANDSHAKE
        or data[5:6] != _CLIENT_HELLO
        or int.from_bytes(data[6:9], "big") != end - 9
        or data[9:11] != _TLS12
        or end > len(data)
    ):
        return None
    place = _FIXED
    for width in (1, 2, 1):
        # The session's identifier, the cipher suites, the compression methods.
        place += width + int.from_bytes(data[place : place + width], "big")
    if place + 2 + int.from_bytes(data[place : place + 2], "big") != end:
        return None
    place += 2
    for _ in range(_EXTENSIONS):
        begin = place + 4
        after = begin + int.from_bytes(data[place + 2 : begin], "big")
        if after > end:
            break
        if data[place : place + 2] == _SERVER_NAME:
            return _onlyName(data[begin:after])
        place = after
    return None


def _onlyName(names: bytes) -> bytes | None:
    """Read a list of names that has one; OpenSSL refuses any other."""
    length = len(names)
    plain = (
        length > 5
        and int.from_bytes(names[:2], "big") == length - 2
        and names[2:3] == _HOST_NAME
        and int.from_bytes(names[3:5], "big") == length - 5
    )
    return names[5:] if plain else None
