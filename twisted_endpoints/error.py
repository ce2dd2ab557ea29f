"""
What can go wrong with connections, processes and reactors; the twin of `twisted.internet.error`.

The text of most of these is ``MESSAGE``, then the arguments.  Programs compare such texts, and so the ones
that Twisted's tests pin down are kept, even those that could say more.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

__all__ = [
    "AlreadyCalled",
    "AlreadyCancelled",
    "AlreadyListened",
    "BadFileError",
    "BindError",
    "CannotListenError",
    "CertificateError",
    "ConnectBindError",
    "ConnectError",
    "ConnectInProgressError",
    "ConnectingCancelledError",
    "ConnectionAborted",
    "ConnectionClosed",
    "ConnectionDone",
    "ConnectionFdescWentAway",
    "ConnectionLost",
    "ConnectionRefusedError",
    "DNSLookupError",
    "FileDescriptorOverrun",
    "InvalidAddressError",
    "MessageLengthError",
    "MulticastJoinError",
    "NoProtocol",
    "NoRouteError",
    "NotConnectingError",
    "NotListeningError",
    "PeerVerifyError",
    "ProcessDone",
    "ProcessExitedAlready",
    "ProcessTerminated",
    "ReactorAlreadyInstalledError",
    "ReactorAlreadyRunning",
    "ReactorNotRestartable",
    "ReactorNotRunning",
    "SSLError",
    "ServiceNameUnknownError",
    "TCPTimedOutError",
    "TimeoutError",
    "UnknownHostError",
    "UnsupportedAddressFamily",
    "UnsupportedSocketType",
    "UserError",
    "VerifyError",
    "errnoMapping",
    "getConnectError",
]


def _sentence(error: Any) -> str:
    """Put an error's ``MESSAGE`` and its arguments into a sentence; the ``__str__`` of most classes here."""
    words = " ".join(str(argument) for argument in error.args)
    return f"{error.MESSAGE}: {words}." if error.args else f"{error.MESSAGE}."


# Listening and sending.


class BindError(Exception):
    """A local address can't be bound."""

    MESSAGE = "An error occurred binding to an interface"
    __str__ = _sentence


class CannotListenError(BindError):
    """
    A port can't be listened on.

    Args:
        interface: the local address; ``""`` or None for any.
        port: the port's number, or a socket's path.
        socketError: what the system said.
    """

    def __init__(self, interface: Any, port: Any, socketError: Any) -> None:
        super().__init__(interface, port, socketError)
        self.interface = interface
        self.port = port
        self.socketError = socketError

    def __str__(self) -> str:
        return f"Couldn't listen on {self.interface or 'any'}:{self.port}: {self.socketError}."


class AlreadyListened(Exception):
    """A descriptor that can be listened on once was listened on before."""


class NotListeningError(RuntimeError):
    """A port was told to stop, and didn't listen."""

    MESSAGE = "The Port was not listening when it was asked to stop listening"
    __str__ = _sentence


class MessageLengthError(Exception):
    """A datagram is longer than datagrams can be."""

    MESSAGE = "Message is too long to send"
    __str__ = _sentence


class MulticastJoinError(Exception):
    """A multicast group can't be joined."""


class UnsupportedAddressFamily(Exception):
    """A socket is of a family that this reactor can't handle."""


class UnsupportedSocketType(Exception):
    """A socket is of a type that this reactor can't handle."""


class InvalidAddressError(ValueError):
    """
    An address is not an IP literal, or one of the wrong family.

    Args:
        address: what was given.
        message: why it won't do.
    """

    def __init__(self, address: Any, message: str) -> None:
        super().__init__(address, message)
        self.address = address
        self.message = message

    def __str__(self) -> str:
        return f"{self.address!r}: {self.message}"


# Connecting.


class ConnectError(Exception):
    """
    A connection can't be opened; the subclasses say why.

    Args:
        osError: what the system said, most often an error number.
        string: the same, for people.
    """

    MESSAGE = "An error occurred while connecting"

    def __init__(self, osError: Any = None, string: Any = "") -> None:
        self.osError = osError
        super().__init__(string)

    def __str__(self) -> str:
        details = [str(detail) for detail in (self.osError, self.args[0]) if detail]
        return ": ".join([self.MESSAGE, *details]) + "."


class ConnectBindError(ConnectError):
    """The local address that was asked for can't be bound."""

    MESSAGE = "Couldn't bind"


class UnknownHostError(ConnectError):
    """The host's name has no address."""

    MESSAGE = "Hostname couldn't be looked up"


class NoRouteError(ConnectError):
    """No network leads to the host."""

    MESSAGE = "No route to host"


class ConnectionRefusedError(ConnectError):  # noqa: A001 - a name of Twisted's
    """The host is there, and nobody listens on that port."""

    MESSAGE = "Connection was refused by other side"


class TCPTimedOutError(ConnectError):
    """The system gave up waiting for an answer."""

    MESSAGE = "TCP connection timed out"


class BadFileError(ConnectError):
    """The file at a UNIX socket's path is no socket, or can't be used."""

    MESSAGE = "File used for UNIX socket is no good"


class ServiceNameUnknownError(ConnectError):
    """A port was given by name, and no service has that name."""

    MESSAGE = "Service name given as port is unknown"


class UserError(ConnectError):
    """The attempt was ended by this program."""

    MESSAGE = "User aborted connection"


class TimeoutError(UserError):  # noqa: A001 - a name of Twisted's
    """The attempt took longer than this program's limit."""

    MESSAGE = "User timeout caused connection failure"


class SSLError(ConnectError):
    """TLS can't be set up."""

    MESSAGE = "An SSL error occurred"


class DNSLookupError(OSError):
    """A name can't be resolved."""

    MESSAGE = "DNS lookup failed"
    __str__ = _sentence


class ConnectInProgressError(Exception):
    """A connection is being opened and was told to open again."""


class NotConnectingError(RuntimeError):
    """A connector was told to give up its attempt, and made none."""

    MESSAGE = "The Connector was not connecting when it was asked to stop connecting"
    __str__ = _sentence


class ConnectingCancelledError(Exception):
    """
    An endpoint's attempt was cancelled.

    Args:
        address: where it connected to.
    """

    def __init__(self, address: Any) -> None:
        super().__init__(address)
        self.address = address


class NoProtocol(Exception):
    """A factory returned None from ``buildProtocol``, so that the connection was closed."""


#: The error number of a failed connect, and the class that tells it.
errnoMapping: dict[int, type[ConnectError]] = {
    errno.ENETUNREACH: NoRouteError,
    errno.ECONNREFUSED: ConnectionRefusedError,
    errno.ETIMEDOUT: TCPTimedOutError,
}
# Windows' sockets have numbers of their own, which other systems don't know.
errnoMapping.update(
    {
        getattr(errno, name): kind
        for name, kind in {"WSAECONNREFUSED": ConnectionRefusedError, "WSAENETUNREACH": NoRouteError}.items()
        if hasattr(errno, name)
    }
)


def getConnectError(e: Any) -> ConnectError:
    """
    Turn what a socket raised into the `ConnectError` that tells it.

    Args:
        e: the exception, or a tuple of an error number and a text.

    Returns:
        An error of the class that fits best, with that number and text; a plain `ConnectError` around `e`
        where it has no such two parts.
    """
    parts = e.args if isinstance(e, Exception) else e
    if len(parts) != 2:
        return ConnectError(string=e)
    number, text = parts
    kind = UnknownHostError if isinstance(e, socket.gaierror) else errnoMapping.get(number, ConnectError)
    return kind(number, text)


# The end of a connection.


class ConnectionClosed(Exception):
    """A connection is over; the subclasses say how."""


class ConnectionDone(ConnectionClosed):
    """A connection was closed in order."""

    MESSAGE = "Connection was closed cleanly"
    __str__ = _sentence


class ConnectionLost(ConnectionClosed):
    """A connection broke; what was on its way may be lost."""

    MESSAGE = "Connection to the other side was lost in a non-clean fashion"
    __str__ = _sentence


class ConnectionAborted(ConnectionLost):
    """The connection was broken by this program, with ``abortConnection``."""

    MESSAGE = "Connection was aborted locally using ITCPTransport.abortConnection"


class FileDescriptorOverrun(ConnectionLost):
    """More descriptors were sent over a UNIX socket than bytes, so that it had to be closed."""

    MESSAGE = "More file descriptors than bytes were given to an IUNIXTransport, which was therefore closed"


class ConnectionFdescWentAway(ConnectionLost):
    """The descriptor of a connection was closed behind the reactor's back."""

    MESSAGE = "Uh"


class VerifyError(Exception):
    """Something that should be signed can't be verified."""

    MESSAGE = "Could not verify a signature"


class PeerVerifyError(VerifyError):
    """The peer can't verify what we sent."""

    MESSAGE = "The peer could not verify our signature"


class CertificateError(Exception):
    """There is no certificate where there should be one."""

    MESSAGE = "There is no certificate where one is needed"


# Delayed calls.


class AlreadyCalled(ValueError):
    """A delayed call can't be cancelled or moved: it was made."""

    MESSAGE = "Tried to cancel an already-called event"
    __str__ = _sentence


class AlreadyCancelled(ValueError):
    """A delayed call can't be cancelled or moved: it was cancelled before."""

    MESSAGE = "Tried to cancel an already-cancelled event"
    __str__ = _sentence


# Processes.


class ProcessDone(ConnectionDone):
    """
    A process ended with exit code 0.

    Args:
        status: the system's status word.
    """

    MESSAGE = "A process has ended without apparent errors"

    def __init__(self, status: Any) -> None:
        super().__init__("process finished with exit code 0")
        self.exitCode = 0
        self.signal = None
        self.status = status


class ProcessTerminated(ConnectionLost):
    """
    A process ended by a signal, or with another exit code than 0.

    Args:
        exitCode: the code; None if a signal ended the process.
        signal: the signal's number; None if none ended the process.
        status: the system's status word.
    """

    MESSAGE = "A process has ended with a probable error condition"

    def __init__(self, exitCode: int | None = None, signal: Any = None, status: Any = None) -> None:
        self.exitCode = exitCode
        self.signal = signal
        self.status = status
        code = "" if exitCode is None else f" with exit code {exitCode}"
        by = "" if signal is None else f" by signal {signal}"
        super().__init__(f"process ended{code}{by}")


class ProcessExitedAlready(Exception):
    """A process has ended, so that this can't be done to it any more."""


# Reactors.


class ReactorNotRunning(RuntimeError):
    """The reactor was told to stop, and doesn't run."""


class ReactorNotRestartable(RuntimeError):
    """The reactor was told to run again after it had stopped."""


class ReactorAlreadyRunning(RuntimeError):
    """The reactor was told to run, and does."""


class ReactorAlreadyInstalledError(AssertionError):
    """A reactor was to be installed, and there is one."""
