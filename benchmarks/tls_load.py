"""
The other end of the rows of TLS: ``python -m benchmarks.tls_load CORE MODE ...``, by Python's own `ssl`.

    visit PORT CONNECTIONS      connect, send 64 bytes, wait for them to come back, close; again and again
    unknown PORT CONNECTIONS    ask for a name that the server has no certificate for; again and again
    attack PORT CONNECTIONS     the same, with one hello that was made beforehand: an attacker's time is cheap
    echo PORT CONNECTIONS       send 64 bytes, wait for them to come back, again and again
    sink PORT                   read what comes
    source PORT                 write as fast as it goes
    hold PORT CONNECTIONS       the same as echo, once on each connection, which then stays as it is
    server FOLDER               answer with what comes, close what the client has closed
    refuser                     send everybody away, without OpenSSL

It talks with who started it as `load.c` does.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

QUESTION = bytes(64)

BLOCK = bytes(1 << 16)

#: The alert ``unrecognized_name``.
REFUSAL = b"\x15\x03\x03\0\x02\x02\x70"


class Load:
    """Counts what is done, by thread: so nothing has to be locked."""

    def __init__(self) -> None:
        self._counters: list[list[int]] = []
        self._hosts = itertools.count(1)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Who the server is, isn't asked: it is not this end that is measured.
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    @property
    def done(self) -> int:
        return sum(counter[0] for counter in self._counters)

    def start(self, play: Callable[..., None], *arguments: Any) -> None:
        counter = [0]
        self._counters.append(counter)
        threading.Thread(target=play, args=(counter, *arguments), daemon=True).start()

    def _plain(self, port: int) -> socket.socket:
        # Another of the many addresses of this machine each time: else its ports run out.
        host = next(self._hosts)
        sock = socket.create_connection((f"127.1.{host // 250 % 250}.{host % 250 + 1}", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _connected(self, port: int, name: str = "localhost") -> ssl.SSLSocket:
        return self._context.wrap_socket(self._plain(port), server_hostname=name)

    def visit(self, port: str, connections: str) -> None:
        def play(counter: list[int]) -> None:
            while True:
                with self._connected(int(port)) as sock:
                    _ask(sock)
                    sock.unwrap()
                counter[0] += 1

        for _ in range(int(connections)):
            self.start(play)

    def unknown(self, port: str, connections: str) -> None:
        def play(counter: list[int]) -> None:
            while True:
                try:
                    self._connected(int(port), "unknown.example").close()
                except OSError:
                    pass  # that is the right answer
                counter[0] += 1

        for _ in range(int(connections)):
            self.start(play)

    def attack(self, port: str, connections: str) -> None:
        hello = _hello(self._context, "unknown.example")

        def play(counter: list[int]) -> None:
            while True:
                with self._plain(int(port)) as sock:
                    sock.sendall(hello)
                    while sock.recv(1 << 12):
                        pass
                counter[0] += 1

        for _ in range(int(connections)):
            self.start(play)

    def echo(self, port: str, connections: str) -> None:
        def play(counter: list[int]) -> None:
            socks = [self._connected(int(port)) for _ in range(int(connections))]
            while True:
                for sock in socks:
                    sock.sendall(QUESTION)
                for sock in socks:
                    _receive(sock)
                counter[0] += len(socks)

        self.start(play)

    def hold(self, port: str, connections: str) -> None:
        held: list[ssl.SSLSocket] = []

        def play(counter: list[int]) -> None:
            for _ in range(int(connections)):
                sock = self._connected(int(port))
                _ask(sock)
                held.append(sock)
                counter[0] += 1

        self.start(play)

    def sink(self, port: str) -> None:
        def play(counter: list[int]) -> None:
            sock, room = self._connected(int(port)), bytearray(1 << 18)
            while True:
                counter[0] += sock.recv_into(room)

        self.start(play)

    def source(self, port: str) -> None:
        def play(counter: list[int]) -> None:
            sock = self._connected(int(port))
            while True:
                sock.sendall(BLOCK)
                counter[0] += len(BLOCK)

        self.start(play)

    def server(self, folder: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        listening = socket.create_server(("0.0.0.0", 0), backlog=1024)
        print(listening.getsockname()[1], flush=True)

        def play(counter: list[int]) -> None:
            while True:
                plain, _ = listening.accept()
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    with context.wrap_socket(plain, server_side=True) as sock:
                        while data := sock.recv(1 << 16):
                            sock.sendall(data)
                        sock.unwrap()
                        # A reset: the port isn't taken for a minute.
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                except OSError:
                    pass
                counter[0] += 1

        for _ in range(16):
            self.start(play)

    def refuser(self) -> None:
        listening = socket.create_server(("0.0.0.0", 0), backlog=1024)
        print(listening.getsockname()[1], flush=True)

        def play(counter: list[int]) -> None:
            while True:
                plain, _ = listening.accept()
                with plain:
                    # All of a hello, or enough of it.
                    if plain.recv(1 << 16):
                        plain.sendall(REFUSAL)
                counter[0] += 1

        self.start(play)


def _hello(context: ssl.SSLContext, name: str) -> bytes:
    """Make what a client says first."""
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=name).do_handshake()
    return said.read()


def _ask(sock: ssl.SSLSocket) -> None:
    sock.sendall(QUESTION)
    _receive(sock)


def _receive(sock: ssl.SSLSocket) -> None:
    left = len(QUESTION)
    while left:
        piece = len(sock.recv(left))
        if not piece:
            raise ConnectionError("the server has closed the connection")
        left -= piece


def main(core: str, mode: str, *arguments: str) -> None:
    """Put the load on a server, or be one, until standard input ends."""
    if int(core) >= 0:
        os.sched_setaffinity(0, {int(core)})
    load = Load()
    getattr(load, mode)(*arguments)
    for _ in sys.stdin:
        print(load.done, time.monotonic_ns(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
