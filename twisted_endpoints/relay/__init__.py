"""
Copies streams: what comes in on one connection goes out on another, both ways.

    factory = RelayFactory(clientFromString(reactor, "unix:/run/app.sock"))
    factory.listen(serverFromString(reactor, "tcp:8080"))

- `_factory`  who may come in, and when
- `_waiting`  the queue of those who may come in later
- `_streams`  the two ends of a stream, and what is true of them at any time
"""

from __future__ import annotations

from ._factory import Observer, RelayFactory, RelayFull
from ._streams import End, Stream

__all__ = ["End", "Observer", "RelayFactory", "RelayFull", "Stream"]
