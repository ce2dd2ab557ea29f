"""A name server that says what a table says, or nothing."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

A, AAAA = 1, 28
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3


@dataclass(frozen=True)
class Answer:
    """
    What the server says of a name.

    Args:
        addresses: of both families, in order.
        code: the response code.
        after: seconds until it says so; None for never.
    """

    addresses: Sequence[str] = ()
    code: int = NO_ERROR
    after: float | None = 0.0


SILENCE = Answer(after=None)


class NameServer:
    """
    Serves on UDP, in a thread, for as long as the process lives.

    Args:
        names: the table; what isn't in it doesn't exist.
        host: the address to serve on.
        port: the port.
    """

    def __init__(self, names: Mapping[str, Answer], host: str, port: int = 53) -> None:
        self._names = names
        #: The names that were asked for.
        self.asked: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        threading.Thread(target=self._serve, name="name server", daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            name, kind, question = _read(query)
            answer = self._names.get(name, Answer(code=NO_SUCH_NAME))
            self.asked.add(name)
            reply = _write(query[:2], question, answer, kind)
            if answer.after == 0:
                self._socket.sendto(reply, client)
            elif answer.after is not None:
                threading.Timer(answer.after, self._socket.sendto, (reply, client)).start()


def _read(query: bytes) -> tuple[str, int, bytes]:
    """Take the name and the type out of a query, and the whole question (RFC 1035, 4.1.2)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii"))
        at += 1 + query[at]
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12 : at + 5]


def _write(number: bytes, question: bytes, answer: Answer, kind: int) -> bytes:
    """Make a response (RFC 1035, 4.1): the records of this type, each of the name in the question."""
    packed = [ip_address(address).packed for address in answer.addresses]
    data = [one for one in packed if len(one) == {A: 4, AAAA: 16}.get(kind)]
    flags = 0x8180 | answer.code  # a response, recursion desired and available
    header = number + struct.pack("!HHHHH", flags, 1, len(data), 0, 0)
    records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(one)) + one for one in data)
    return header + question + records
