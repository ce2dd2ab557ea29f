"""
One string says where a stream comes from or goes to, and this package turns it into a running protocol.

The map of the house:

- `strings`         the mini-language: text ⇄ Description → endpoint (`clientFromString`, `serverFromString`)
- `endpoints`       the twin of `twisted.internet.endpoints`, one file a kind (tcp, hostname, unix, …)
- `plugins`         what each prefix accepts, one file a prefix; yours are found the same way, by entry point
- `asyncioreactor`  the reactor, on asyncio's event loop or uvloop's; `reactor` is the installed one
- `interfaces`, `address`, `error`, `failure`, `defer`, `task`, `protocol`, `threads`, `plugin`, `testing`
                    the vocabulary: Twisted's own modules where Twisted is installed, else these
- `service`, `services`, `strports`
                    what is started and stopped: listens, connects again, repeats
- `stdio`           standard input and output as a connection
- `relay`           copies streams between any two endpoints
- `cli`             the command line: relay, list, check, doctor

The import rule: ``twisted.internet.X`` becomes ``twisted_endpoints.X``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# First of all: it decides what the other modules of this package are.
from . import _vocabulary as _vocabulary

if TYPE_CHECKING:
    from ._version import __version__
    from .endpoints import HostnameEndpoint, connectProtocol
    from .strings import DescriptionError, clientFromString, quoteStringArgument, serverFromString

__all__ = [
    "DescriptionError",
    "HostnameEndpoint",
    "__version__",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
]

_HOMES = {
    "DescriptionError": ".strings",
    "HostnameEndpoint": ".endpoints",
    "__version__": "._version",
    "clientFromString": ".strings",
    "connectProtocol": ".endpoints",
    "quoteStringArgument": ".strings",
    "serverFromString": ".strings",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562), so that the package alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
