"""``twisted-endpoints relay LISTEN CONNECT``: copies each stream that comes in on one string to the other."""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._memory import useSystemsAllocator
from ._reactor import NoSuchLoop, chooseReactor

if TYPE_CHECKING:
    from ..strings.arguments import Declaration
    from ..strings.description import Description

#: What a LISTEN gets, by its prefix, that doesn't say so itself.  backlog: of a thousand connections that
#: come at one time, hundreds are reset by the kernel with the 50 of Twisted's endpoints.  mode: a relay's
#: socket is its owner's, where Twisted's endpoints let everybody connect.
DEFAULTS = {
    "tcp": {"backlog": "1024"},
    "tcp6": {"backlog": "1024"},
    "unix": {"backlog": "1024", "mode": "600"},
}

TWICE = "--proxy-protocol and CONNECT both ask for the PROXY protocol: leave one of them out"

NAME = "relay"
SUMMARY = "accepts connections on LISTEN, connects each one to CONNECT, and copies both ways"
EXAMPLES = """\
examples:
  # whoever connects to port 8080 of this machine talks to the application behind the UNIX socket
  twisted-endpoints relay tcp:8080 unix:/run/app.sock

  # reach a TCP service by a UNIX socket that only its owner may use; one line for each connection
  twisted-endpoints relay -v unix:/tmp/db.sock:mode=600 tcp:db.example.com:5432

  # a port that the system chooses; the first line of output says which: "listening on tcp:127.0.0.1:43121"
  twisted-endpoints relay tcp:0:interface=127.0.0.1 'tcp:[::1]:80'

  # one connection, which is this command's standard input and output; it ends when that does
  echo PING | twisted-endpoints relay stdio: tcp:localhost:6379

  # no more streams than the service can take; a load balancer sends the others elsewhere
  twisted-endpoints relay --max-connections 200 --when-full drop tcp:8080 unix:/run/app.sock

  # behind a load balancer that speaks the PROXY protocol; the application is told who the client is
  twisted-endpoints relay --proxy-protocol v2 haproxy:tcp:8080:trusted=10.0.0.0/8 unix:/run/app.sock

LISTEN is a server string and CONNECT a client string: `twisted-endpoints list` shows all that there are,
`twisted-endpoints check STRING` takes one apart.  A LISTEN that doesn't say otherwise gets backlog=1024,
and a UNIX socket mode=600: only its owner can connect.  With haproxy: in CONNECT, or --proxy-protocol,
it is the client of each connection that is told, or whom haproxy: in LISTEN says that he is.

Connections that wait do so in the kernel's queue, which is as long as backlog= says, and no longer than
net.core.somaxconn; the few that were accepted already are served first.

SIGINT (Ctrl-C) and SIGTERM end it: it stops listening, gives open streams up to --grace seconds to finish,
and cuts the rest.  A second signal cuts them at once.

With stdio: it ends with its only stream, at once if a signal comes; on a terminal, that is when the far end
has closed.

exit status: 0 stopped as it was told to, or with stdio: the stream has ended; 1 it can't listen, or with
stdio: the stream could not be connected or was cut off; 2 a wrong argument or string
"""


def _seconds(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


# What argparse calls them in its errors: "invalid number of seconds value: 'x'".
_seconds.__name__ = "number of seconds"
_count.__name__ = "count (1 or more)"


def addArguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `relay`."""
    parser.add_argument("listen", metavar="LISTEN", help="the server string to listen on")
    parser.add_argument("connect", metavar="CONNECT", help="the client string to connect each connection to")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="log each connection: its peer, and at its end bytes each way, duration, and what went wrong",
    )
    parser.add_argument(
        "--max-connections",
        metavar="N",
        type=_count,
        help="copy at most N streams at once; what becomes of further connections, --when-full says",
    )
    parser.add_argument(
        "--when-full",
        choices=["wait", "drop"],
        default="wait",
        help="connections above --max-connections, or when descriptors run out, wait for their turn, or are "
        "reset at once, for a load balancer to try elsewhere (default: wait)",
    )
    parser.add_argument(
        "--proxy-protocol",
        choices=["v1", "v2"],
        help="tell CONNECT who the client is, by the PROXY protocol ahead of each stream, and ahead of TLS",
    )
    parser.add_argument(
        "--grace",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="how long open streams may go on after a signal to stop (default: 10)",
    )


def run(options: argparse.Namespace) -> int:
    """Relay until a signal says stop."""
    if options.isProcess:
        useSystemsAllocator()
    try:
        reactor = chooseReactor(options.loop)
    except NoSuchLoop as error:
        print(f"twisted-endpoints relay: {error}", file=sys.stderr)
        return 2
    from ..endpoints.wrapping import announces
    from ..strings import DescriptionError, clientFromString, serverFromString
    from ._service import Service

    try:
        server = _server(reactor, options.listen)
    except DescriptionError as error:
        return _wrong(f"LISTEN: {error}", options.listen, reactor, clientFromString)
    try:
        client = clientFromString(reactor, options.connect)
    except DescriptionError as error:
        return _wrong(f"CONNECT: {error}", options.connect, reactor, serverFromString)
    if options.proxy_protocol is not None:
        if announces(client):
            print(f"twisted-endpoints relay: {TWICE}", file=sys.stderr)
            return 2
        from ..haproxy.sending import announcing

        client = announcing(client, int(options.proxy_protocol[1:]))
    return Service(reactor, server, client, options).run()


def _server(reactor: Any, string: str) -> Any:
    """
    Make the endpoint to listen on, with what `DEFAULTS` says.

    Raises:
        DescriptionError: no endpoint can be made of the string.
    """
    from ..strings.description import Description
    from ..strings.errors import DescriptionError
    from ..strings.registry import servers

    description = Description.parse(string)
    try:
        return servers.endpoint(reactor, _prepared(description))
    except DescriptionError as error:
        if error.description != string:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # If this fails as well, its error shows the place in the string as it was written.
                servers.endpoint(reactor, description)
        raise


def _prepared(description: Description) -> Description:
    """
    Add to a server's description, and to those in it, what a relay wants to have.

    Raises:
        DescriptionError: arguments are wrong, or what has to be said isn't.
    """
    from ..strings.description import Description
    from ..strings.errors import ArgumentsError
    from ..strings.kinds import INNER
    from ..strings.registry import servers

    prefix = description.prefix.lower()
    declaration: Declaration | None = getattr(servers.find(description).parser, "declaration", None)
    if declaration is None:
        return description
    given = declaration.bind(description)
    texts = {name: text for name, text in DEFAULTS.get(prefix, {}).items() if name not in given}
    for parameter in declaration.parameters:
        if parameter.kind is INNER and parameter.name in given:
            inner = Description.parse(given[parameter.name])
            texts[parameter.name] = str(_prepared(inner))
            if prefix == "haproxy" and "trusted" not in given and inner.prefix.lower() != "unix":
                raise ArgumentsError.at(
                    "in a relay, 'haproxy' needs trusted: else anybody may claim any address",
                    description.end(),
                    "Add trusted=10.0.0.0/8, the networks of your proxies; or trusted=any.",
                )
    if not texts:
        return description
    gathered = declaration.gathered(description)
    return replace(gathered, kwargs={**gathered.kwargs, **texts})


def _wrong(text: str, string: str, reactor: Any, otherRole: Callable[[Any, str], object]) -> int:
    """Explain a wrong string; one that would be right in the other's place may stand in the wrong one."""
    print(f"twisted-endpoints relay: {text}", file=sys.stderr)
    try:
        otherRole(reactor, string)
    except ValueError:
        pass
    else:
        print("In the other place it would be right: LISTEN comes first, then CONNECT.", file=sys.stderr)
    print("(for all strings: twisted-endpoints list)", file=sys.stderr)
    return 2
