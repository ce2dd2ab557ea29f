"""
A relay of 1 GiB to a slow reader: ``python -m benchmarks.slow_reader [--loop asyncio|uvloop] [--mib 1024]``.

The sender writes as fast as it can, the reader reads 1 MiB and rests, and the relay's resident memory is read
all the while.  Exit status: 0 it stays flat and every byte arrives, 1 it doesn't.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
import threading
import time

from .arguments import atLeastOne, notNegative
from .soak import Relay
from .soak_ends import stretch

#: What a relay may need for a stream: the buffers of both loops' reads and writes, and some to spare.
FLAT = 8 << 20

_PIECE = 1 << 20


def send(sock: socket.socket, pieces: int) -> None:
    """Send as fast as the relay takes it, and then the end."""
    # If the relay has gone, the reader misses what doesn't come.
    with contextlib.suppress(OSError):
        for number in range(pieces):
            sock.sendall(stretch(number, 0, _PIECE))
        sock.shutdown(socket.SHUT_WR)


def receive(sock: socket.socket, rest: float) -> int:
    """Read slowly to the end; return how many bytes came, all of them right."""
    count = 0
    while piece := sock.recv(_PIECE - count % _PIECE, socket.MSG_WAITALL):
        # Each MiB is another stretch, so that it is seen if one comes in the place of another.
        if piece != stretch(count // _PIECE, count % _PIECE, len(piece)):
            raise SystemExit(f"other bytes than were sent, within the MiB that holds byte {count}")
        count += len(piece)
        time.sleep(rest)
    return count


def faults(size: int, count: int, growth: int, status: int, said: list[str]) -> list[str]:
    """Tell what isn't as it should be: the bytes that came, the relay's memory, and its end."""
    wrong = [] if count == size else [f"{count} of {size} bytes came"]
    if growth >= FLAT:
        wrong.append(f"{growth / (1 << 20):.2f} MiB more memory meanwhile, where {FLAT >> 20} may be needed")
    wrong += [f"exit status {status}"] if status else []
    wrong += [f"the relay said {said}"] if said else []
    return wrong


def main() -> int:
    """Run what the command line says."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.slow_reader", description=__doc__)
    arguments.add_argument("--loop", choices=("auto", "asyncio", "uvloop"), default="auto")
    arguments.add_argument("--mib", type=atLeastOne, default=1024, help="MiB to relay (default: 1024)")
    arguments.add_argument(
        "--rest", type=notNegative, default=0.02, help="seconds between reads (default: 0.02)"
    )
    options = arguments.parse_args()
    # An exception, so that the relay ends too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        Relay(options.loop, "tcp:0:interface=127.0.0.1", f"tcp:127.0.0.1:{target.getsockname()[1]}") as relay,
    ):
        port = int(relay.string.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as source, target.accept()[0] as sink:
            first = relay.read().memory
            sender = threading.Thread(target=send, args=(source, options.mib))
            most = first
            done = threading.Event()

            def watch() -> None:
                nonlocal most
                while not done.wait(0.2):
                    most = max(most, relay.read().memory)

            watcher = threading.Thread(target=watch)
            begun = time.monotonic()
            sender.start()
            watcher.start()
            try:
                count = receive(sink, options.rest)
            finally:
                done.set()
                watcher.join()
            seconds = time.monotonic() - begun
            sender.join()
        time.sleep(0.5)
        last = relay.read().memory
        status = relay.stop()
    print(
        f"{options.loop}: {count >> 20} MiB in {seconds:.1f} s; memory {first / (1 << 20):.2f} MiB at first, "
        f"{(most - first) / (1 << 20):+.2f} at most, {(last - first) / (1 << 20):+.2f} at the end"
    )
    wrong = faults(options.mib << 20, count, most - first, status, list(relay.said))
    print("WRONG: " + "; ".join(wrong) if wrong else "it stays flat")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
