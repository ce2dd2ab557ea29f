"""
The kinds of values that an argument can have, each with its name for users and how to read it from
text.  Pure.

As annotations of a parser's `build` they are the types of what it gets: ``port: Port`` is an `int` there.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Annotated, Any

__all__ = [
    "Backlog",
    "Flag",
    "Host",
    "Inner",
    "Interface",
    "Kind",
    "Mode",
    "Path",
    "Port",
    "Protocols",
    "Seconds",
    "SocketPath",
    "TLSVersion",
    "Text",
]


@dataclass(frozen=True)
class Kind:
    """
    A kind of value.

    Args:
        name: one or two words, for tables.
        expected: what a value must be, to stand after "must be".
        read: turns text into the value; raises `ValueError`, with what more there is to say, or with nothing.
        write: turns a value into the text that it is read from.
        meaning: what an argument of this kind says, where it says the same in every parser.
    """

    name: str
    expected: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    meaning: str = ""


#: Two thousand million: what a C int holds, and more than any listening queue or number here needs.
_LARGEST = 2**31 - 1

#: How many bytes a UNIX socket's path can have, by the size of `sun_path` in the kernel's structure.
PATH_LIMIT = 107 if sys.platform.startswith("linux") else 103

# Bound once: an address is read for most endpoints, and finding these takes as long as calling them.
_inet_pton, _AF_INET, _DIGITS = socket.inet_pton, socket.AF_INET, frozenset("0123456789")

# Programs connect to the same few places again and again.
_kept = lru_cache(256)

_NAME = re.compile(r"[0-9A-Za-z_.\-]+")
_LABEL = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_\-]{0,62}")

# Most names, in one go: labels, of which the last ends with a letter.
_PLAIN_NAME = re.compile(r"(?:[0-9A-Za-z_][0-9A-Za-z_\-]{0,62}\.)*(?!-)[0-9A-Za-z_\-]{0,62}[A-Za-z]")
_DECIMAL = re.compile(r"[0-9]{1,12}|[0-9]{1,12}\.[0-9]{0,12}|\.[0-9]{1,12}")
_OCTAL = re.compile(r"(?:0[oO])?[0-7]+")


def _number(largest: int, text: str) -> int:
    # isdigit() takes ٨, and int() takes that, blanks, signs and underscores.
    if not (text.isascii() and text.isdigit()):
        raise ValueError("")
    if len(text) > 10:
        text = text.lstrip("0")[:11] or "0"
    value = int(text)
    if value > largest:
        raise ValueError("")
    return value


def _seconds(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("")
    return int(text) if "." not in text else float(text)


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("")
    return text == "1"


def _mode(text: str) -> int:
    if not _OCTAL.fullmatch(text):
        raise ValueError("")
    digits = text.lstrip("0").lstrip("oO").lstrip("0")
    if len(digits) > 4:
        raise ValueError("")
    return int(digits or "0", 8)


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("")
    return text


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("")
    return text


def _socketPath(text: str) -> str:
    if text[:1] == "\0":
        # An abstract name of Linux may hold anything, and needs no NUL at its end.
        rest, limit = text[1:], PATH_LIMIT + 1
    else:
        rest, limit = text, PATH_LIMIT
    if not rest:
        raise ValueError("")
    if text[:1] != "\0" and "\0" in text:
        raise ValueError("There is a NUL character in it, which no file name can have.")
    size = len(text.encode())
    if size > limit:
        raise ValueError(f"It has {size} bytes, and the kernel takes {limit}.")
    return text


def _inner(text: str) -> str:
    if not text:
        raise ValueError("")
    return text


def _tlsVersion(text: str) -> str:
    if text in ("1.0", "1.1"):
        raise ValueError("TLS 1.0 and 1.1 are not safe, and no longer used (RFC 8996).")
    if text not in ("1.2", "1.3"):
        raise ValueError("")
    return text


def _protocols(text: str) -> tuple[bytes, ...]:
    names = tuple(name.encode() for name in text.split(","))
    for name in names:
        if not name:
            raise ValueError("A name in it is empty." if text else "")
        if len(name) > 255:
            raise ValueError(f"A name in it has {len(name)} bytes, and 255 is the most (RFC 7301).")
    return names


def isIPv4(text: str) -> bool:
    """Tell whether a text is an IPv4 address: four numbers."""
    if text[-1:] not in _DIGITS:
        return False  # without an exception: most hosts are names
    try:
        _inet_pton(_AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def isIPv6(text: str) -> bool:
    """Tell whether a text is an IPv6 address, perhaps with a zone (``fe80::1%eth0``)."""
    try:
        socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _hostName(text: str) -> str:
    """Check a name or an IPv4 address of ASCII letters."""
    if text[-1].isdigit():
        # A name's last label is never all digits (RFC 3696 2), so this can only be meant as an address.
        last = text.rpartition(".")[2]
        if last.isdigit():
            try:
                socket.inet_aton(text)
            except (OSError, ValueError):
                raise ValueError("Each of an IPv4 address's four numbers is 0 to 255.") from None
            return text
    if len(text) > 253:
        raise ValueError(f"It has {len(text)} characters, and a host name at most 253.")
    for label in text.removesuffix(".").split("."):
        if not _LABEL.fullmatch(label):
            raise ValueError("")
    return text


def _interface(text: str) -> str:
    if not text or isIPv4(text):
        return text
    if _NAME.fullmatch(text):
        return _hostName(text)
    if ":" in text and isIPv6(text):
        return text
    raise ValueError(_bracketHint(text))


def _host(text: str) -> str:
    if (len(text) <= 253 and _PLAIN_NAME.fullmatch(text)) or isIPv4(text):
        return text
    if _NAME.fullmatch(text):
        return _hostName(text)
    if ":" in text and isIPv6(text):
        return text
    if not text or text.isascii():
        raise ValueError(_bracketHint(text))
    if len(text) > 253:
        raise ValueError(f"It has {len(text)} characters, and a host name at most 253.")
    try:
        name = _encoded(text)
    except ValueError:
        raise ValueError("It can't be encoded as a host name (IDNA).") from None
    if not _NAME.fullmatch(name):
        raise ValueError("")
    _hostName(name)
    return text


def _bracketHint(text: str) -> str:
    plain = text.replace("\\", "").strip("[]")
    if plain != text and isIPv6(plain):
        return f"Write [{plain}]: in brackets no backslash is needed."
    return ""


def _encoded(text: str) -> str:
    """
    Turn a name beyond ASCII into what is looked up: by IDNA 2008, or else by the standard library's 2003.

    Raises:
        ValueError: neither knows how.
    """
    try:
        import idna

        return idna.encode(text, uts46=True).decode("ascii")
    except (ImportError, UnicodeError):  # idna's own errors are UnicodeErrors
        return text.encode("idna").decode("ascii")


def isHost(text: str) -> bool:
    """Tell whether a text looks like a host, and not like a word: it has a dot, or is ``localhost``."""
    try:
        return _host(text) == "localhost" or "." in text
    except ValueError:
        return False


def bareIPv6Hint(text: str) -> str:
    """Say how to write a description that is nothing but an IPv6 address, and perhaps a port; or nothing."""
    if text.count(":") < 2 or len(text) > 60 or not text.strip(":"):
        return ""
    address, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and isIPv6(address)):
        address, port = text, "80"
    if not isIPv6(address):
        return ""
    return (
        "An IPv6 address needs brackets and a prefix:"
        f" 'tcp:[{address}]:{port}' to connect, 'tcp:{port}:interface=[{address}]' to listen."
    )


PORT = Kind("port", "a number from 0 to 65535", _kept(partial(_number, 65535)))
TEXT = Kind("text", "text without NUL characters", _text)
INTEGER = Kind("number", f"a whole number from 0 to {_LARGEST}", partial(_number, _LARGEST))
SECONDS = Kind("seconds", "a number of seconds, like 30 or 1.5", _seconds)
FLAG = Kind("0 or 1", "0 or 1", _flag, lambda value: "1" if value else "0")

Text = Annotated[str, TEXT]

#: A TCP port.
Port = Annotated[int, PORT]

#: How many connections may wait until they are accepted.
Backlog = Annotated[int, replace(INTEGER, meaning="how many connections may wait to be accepted")]

#: A time; fractions are welcome.
Seconds = Annotated[float, SECONDS]

#: ``0`` or ``1``.
Flag = Annotated[bool, FLAG]

#: The permissions of a file.
Mode = Annotated[int, Kind("octal mode", "an octal number from 0 to 7777", _mode, "{:o}".format)]

#: The path of a file.
Path = Annotated[str, Kind("path", "a path", _path)]

#: The path of a UNIX socket, or, if it begins with a NUL character, an abstract name.
SocketPath = Annotated[str, Kind("path", "the path of a socket", _socketPath)]

#: A host to connect to, by name or address.
Host = Annotated[str, Kind("host", "a host name or an IP address", _kept(_host))]

#: An address of this machine; empty for all of them.  Names are for ``localhost``, which works in Twisted.
Interface = Annotated[str, Kind("address", "an IP address of this machine", _kept(_interface))]

INNER = Kind("endpoint string", "the string of an endpoint, in brackets", _inner)

#: The description of another endpoint.
Inner = Annotated[str, INNER]

#: The oldest version of TLS that may be spoken.
TLSVersion = Annotated[
    str, Kind("TLS version", "1.2 or 1.3", _tlsVersion, meaning="the oldest version of TLS to speak")
]

#: What may be spoken inside of TLS, the most wanted first (ALPN, RFC 7301).
Protocols = Annotated[
    tuple[bytes, ...],
    Kind(
        "protocols",
        "names of protocols with commas between, like h2,http/1.1",
        _protocols,
        lambda value: b",".join(value).decode(),
        "what may be spoken inside of TLS, the most wanted first (ALPN)",
    ),
]
