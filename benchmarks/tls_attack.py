"""
Attacks on a TLS server, and what becomes of good clients meanwhile: ``python -m benchmarks.tls_attack``.

    stalled     400 peers that say nothing, half of a hello, all of it, or a byte now and then: what each of
                them costs, and when they are gone
    flood       four peers that ask for unknown names as fast as they can: how long good handshakes take; and,
                as the attackers and the good client share a core, how long while they attack another server
    renewal     10,000 handshakes while files in the server's folder are rewritten 1,000 times, in place and
                by renaming, and often with something broken: how many fail

The server has a core of its own, if there are two.  What is printed is for people; the status is 1 if one of
the limits is missed that stand beside the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .streams import LOAD, MEASURED, line, peer, resident, started
from .tls import fill, issue, load

#: Seconds for a handshake, by default.
DEADLINE = 10

missed: list[str] = []


def report(what: str, value: float, limit: float, unit: str) -> None:
    """Print a figure and its limit."""
    kept = value <= limit
    if not kept:
        missed.append(what)
    print(f"{what}: {value:.2f} {unit} (limit {limit:g}){'' if kept else '  MISSED'}", flush=True)


def descriptors(process: subprocess.Popen[str]) -> int:
    """Count what a process has open."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))


@contextlib.contextmanager
def serving(contender: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """Run a server of a folder with many certificates; give it, its port, and the folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        with peer(contender, "tlsFolder", folder) as measured:
            yield measured, int(line(measured)), folder


def client() -> ssl.SSLContext:
    """Make what good clients use; who the server is, is another matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def visit(context: ssl.SSLContext, port: int, name: str = "host-7.example") -> float:
    """Do a handshake, and hear an echo; give the seconds it took."""
    began = time.perf_counter()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as sock,
    ):
        took = time.perf_counter() - began
        sock.sendall(b"hello")
        if sock.recv(5) != b"hello":
            raise ConnectionError("no echo")
        # No port stays taken.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return took


def stalled(contender: str) -> None:
    hello = ssl.MemoryBIO()
    talking = client().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="host-7.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        talking.do_handshake()
    whole = hello.read()
    with serving(contender) as (measured, port, _):
        visit(client(), port)
        # What the first ones need once.
        for said in (b"", whole[:100], whole):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    sock.sendall(said)
        time.sleep(1)
        before, memory, began = descriptors(measured), resident(measured.pid), time.monotonic()
        peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        for number, sock in enumerate(peers):
            sock.sendall((b"", whole[:100], whole, whole[:1])[number % 4])
            sock.setblocking(False)
        time.sleep(1)
        report("a stalled peer", (resident(measured.pid) - memory) / len(peers), 30, "KiB")
        position, last = 1, 0.0
        waiting = set(peers)
        while waiting and time.monotonic() < began + DEADLINE + 10:
            for number, sock in enumerate(peers):
                if sock not in waiting:
                    continue
                try:
                    if number % 4 == 3:
                        sock.send(whole[position : position + 1])
                    while sock.recv(1 << 16):
                        pass
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                waiting.discard(sock)
                last = time.monotonic() - began
            position += 1
            time.sleep(0.1)
        report("stalled peers that stay", len(waiting), 0, "of 400")
        report("the last one is gone after", last, DEADLINE + 1, "s")
        time.sleep(0.5)
        report("descriptors that stay", descriptors(measured) - before, 0, "")
        for sock in peers:
            sock.close()


def flood(contender: str) -> None:
    context = client()

    def handshake() -> float:
        return statistics.median(visit(context, port) for _ in range(300))

    refuser = started(sys.executable, "-m", "benchmarks.tls_load", str(MEASURED), "refuser")
    with serving(contender) as (_, port, _), refuser as other:
        for _ in range(50):
            visit(context, port)
        quiet = handshake()
        with load("attack", port, 4):
            time.sleep(1)
            flooded = handshake()
        # Attacks that cost the server nothing: what is left is the attackers' own time on the client's core.
        with load("attack", int(line(other)), 4):
            time.sleep(1)
            shared = handshake()
    print(f"a good handshake: {quiet * 1e3:.2f} ms, and {flooded * 1e3:.2f} ms under four attackers")
    report("that is", flooded / quiet, 2, "times as long")
    print(f"while they attack another server: {shared * 1e3:.2f} ms, {shared / quiet:.2f} times as long")


def renewal(contender: str, handshakes: int, rewrites: int) -> None:
    context = client()
    failures: list[str] = []
    with serving(contender) as (_, port, folder):
        names = [f"host-{number}.example" for number in range(8)]
        done = [0]
        stop = threading.Event()

        def visiting() -> None:
            turn = 0
            while done[0] < handshakes:
                try:
                    visit(context, port, names[turn % len(names)])
                except OSError as e:
                    failures.append(f"{names[turn % len(names)]}: {e!r}")
                turn += 1
                done[0] += 1

        def rewriting() -> None:
            for _ in range(rewrites):
                if stop.is_set():
                    return
                number = random.randrange(len(names))
                rewrite(folder, number)
                time.sleep(random.random() * 0.06)

        writer = threading.Thread(target=rewriting)
        visitors = [threading.Thread(target=visiting) for _ in range(4)]
        for thread in (writer, *visitors):
            thread.start()
        for thread in visitors:
            thread.join()
        stop.set()
        writer.join()
        # At the end, all files hold something good again: it is served within two seconds.
        issued = {number: issue(f"host-{number}.example") for number in range(len(names))}
        for number, (_, _, certificate, key) in issued.items():
            (folder / f"{number}.pem").write_bytes(certificate + key)
        began = time.monotonic()
        left = set(issued)
        while left and time.monotonic() < began + 10:
            left = {number for number in left if shown(context, port, names[number]) != issued[number][2]}
        report("the last renewal is served after", time.monotonic() - began, 2, "s")
    for failure in failures[:5]:
        print(failure)
    report(f"handshakes that failed, of {done[0]}", len(failures), 0, "")


def shown(context: ssl.SSLContext, port: int, name: str) -> bytes:
    """Get the certificate that is shown for a name."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as sock,
    ):
        return ssl.DER_cert_to_PEM_cert(sock.getpeercert(True) or b"").encode()


def rewrite(folder: Path, number: int) -> None:
    """Write a file anew, rightly or wrongly, in place or by renaming."""
    path = folder / f"{number}.pem"
    _, _, certificate, key = issue(f"host-{number}.example")
    _, _, _, another = issue("another.example")
    content = random.choice(
        [
            certificate + key,
            certificate + key,
            certificate + key,
            certificate + another,
            (certificate + key)[: random.randrange(len(certificate))],
            b"garbage",
            b"",
        ]
    )
    if random.random() < 0.5:
        path.write_bytes(content)
    else:
        fresh = folder / f"{number}.new"
        fresh.write_bytes(content)
        fresh.rename(path)


ATTACKS: dict[str, Callable[[str], None]] = {
    "stalled": stalled,
    "flood": flood,
    "renewal": lambda contender: renewal(contender, 10_000, 1_000),
}


def main() -> int:
    """Do what the command line says."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.tls_attack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_argument("attacks", nargs="*", choices=[*ATTACKS, []], help="default: all")
    arguments.add_argument("--loop", default="uvloop", choices=["uvloop", "asyncio"])
    options = arguments.parse_args()
    os.environ["TWISTED_ENDPOINTS_VOCABULARY"] = "builtin"
    if LOAD >= 0:
        os.sched_setaffinity(0, {LOAD})
    for name in options.attacks or ATTACKS:
        print(f"{name}:", flush=True)
        ATTACKS[name](f"ours-{options.loop}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
