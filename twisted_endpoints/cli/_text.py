"""How the command line writes addresses, sizes and reasons.  Pure text."""

from __future__ import annotations

import os
from typing import Any

from ..strings.description import quote


def escape(text: str) -> str:
    """
    Make a text safe for a terminal and a log: one line, and nothing that moves a cursor.

    A peer can have a say in it (the name of its UNIX socket, a field of its certificate), so that control
    characters, line ends and lone surrogates are written as Python escapes, and a backslash as two.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        character
        if character.isprintable() and character != "\\"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def addressText(address: Any) -> str:
    """Write an address as the client string that leads there, as far as there is one."""
    name = getattr(address, "name", None)
    if hasattr(address, "host") and hasattr(address, "port"):
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"tcp:{escape(host)}:{address.port}"
    if type(address).__name__ == "UNIXAddress":
        return f"unix:{visible(quote(os.fsdecode(name)))}" if name else "unix:(unnamed)"
    return escape(str(address))


def visible(text: str) -> str:
    """Write control characters as escapes, and leave backslashes, which quote in endpoint strings, alone."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def reasonText(reason: Any) -> str:
    """Write why something failed (a Failure, an exception); with its kind where its text says little."""
    error = getattr(reason, "value", reason)
    if type(error).__module__ == "OpenSSL.SSL":
        # Said after a handshake, as by servers of TLS 1.3 that demand a certificate: a list in brackets.
        from .._tls.explaining import meaningOf

        return escape(meaningOf(error, "TLS has failed"))
    text = str(error).strip().rstrip(".")
    kind = type(error).__name__
    return escape(f"{kind}: {text}" if text and " " not in text else text or kind)


def sizeText(count: float) -> str:
    """Write a number of bytes with three figures: ``0 B``, ``1.50 KiB``, ``64.0 MiB``."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        count /= 1024
        if count < 999.5 or unit == "TiB":
            break
    return f"{count:.{2 if count < 9.995 else 1 if count < 99.95 else 0}f} {unit}"
