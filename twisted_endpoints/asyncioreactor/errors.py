"""What the operating system and the event loop report, as the errors that programs know, in one table."""

from __future__ import annotations

import errno
import os
import socket

from .. import error
from .._reasons import lostReason as lostReason

#: What a person can do about an address that can't be listened on.
_ADVICE = {
    errno.EADDRINUSE: "something else listens there: stop it, or choose another",
    errno.EADDRNOTAVAIL: "this machine has no such address: see 'ip address'",
    errno.EACCES: "permission denied: ports below 1024 and other users' folders need privileges",
    errno.EAFNOSUPPORT: "this machine doesn't speak this address family",
    errno.ENOENT: "the folder doesn't exist",
}


def cannotListen(
    interface: str | None, port: int | bytes, reason: OSError | str, advice: str | None = None
) -> error.CannotListenError:
    """
    Make the error for an address that can't be listened on.

    Args:
        interface: the host part as it was asked for; None for a UNIX socket.
        port: the port number, or the path of a UNIX socket.
        reason: what the operating system said, or what else is in the way.
        advice: what a person can do about it; by default what is known of the operating system's error.
    """
    if isinstance(reason, OSError):
        advice = advice or _ADVICE.get(reason.errno or 0)
        if advice is not None:
            # In the text of the system's error: that is what programs show, by whichever way they get there.
            reason = OSError(reason.errno, f"{reason.strerror} ({advice})")
    return error.CannotListenError(interface, port, reason)


def connectError(reason: BaseException) -> BaseException:
    """Translate what ended an attempt to connect; what isn't an `OSError` stays as it is."""
    if not isinstance(reason, OSError) or isinstance(reason, error.DNSLookupError):
        return reason
    if isinstance(reason, socket.gaierror) or reason.errno is None:
        return error.getConnectError(reason)
    # The loops word one error in several ways ("Connect call failed ..."): the number says it all.
    return error.getConnectError((reason.errno, os.strerror(reason.errno)))
