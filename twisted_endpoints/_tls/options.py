"""The settings of TLS for one end: `CertificateOptions`."""

from __future__ import annotations

import inspect
import secrets
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from OpenSSL import SSL, crypto
from zope.interface import implementer

from .._log import Logger
from ..interfaces import (
    IAcceptableCiphers,
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
)
from .alpn import protosFromProtocol, setupForALPN
from .ciphers import _expandCipherString, defaultCiphers
from .deprecation import deprecated
from .keyexchange import OpenSSLDiffieHellmanParameters, pathOf
from .keys import modernKey
from .trust import IOpenSSLTrustRoot, OpenSSLCertificateAuthorities
from .versions import TLSVersion, _getExcludedTLSProtocols, _tlsDisableFlags, versionRange

_log = Logger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _exclusive(**others: tuple[str, ...]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let a function raise `TypeError` if, with an argument, one of others is given, even as None."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @wraps(function)
        def check(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            given = signature.bind(*args, **kwargs).arguments
            for one in given.keys() & others.keys():
                for other in given.keys() & set(others[one]):
                    raise TypeError(f"{function.__qualname__}: {one!r} and {other!r} are mutually exclusive")
            return function(*args, **kwargs)

        return check

    return decorate


@implementer(
    IOpenSSLServerConnectionCreator,
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
)
class OpenSSLCertificateOptions:
    """
    How one end does TLS: what it shows, whom it trusts, what it speaks.

    For a server, `PrivateCertificate.options` makes one.  For a client, `optionsForClientTLS` is right: with
    this alone nobody checks that the server is the one that was meant.

    Args:
        privateKey: pyOpenSSL's object; comes with `certificate`.
        certificate: what to show; pyOpenSSL's object.
        method: deprecated: OpenSSL's method, which fixes the versions of TLS.
        verify: whether the peer must show a certificate of one of `caCerts`.  `trustRoot` is better.
        caCerts: the authorities, if `verify` is true; pyOpenSSL's objects.
        verifyDepth: how many certificates may stand between the peer's and an authority's.
        requireCertificate: whether a client without a certificate is refused, if `verify` is true.
        verifyOnce: whether a client is not asked again when it renegotiates.
        enableSingleUseKeys: whether each key exchange has a key of its own, for forward secrecy.
        enableSessions: whether a server remembers sessions, so that clients may take them up again.
        fixBrokenPeers: whether OpenSSL works around errors that others are known for.
        enableSessionTickets: whether a server gives tickets for sessions, which its clients keep.
        extraCertChain: the certificates between `certificate` and an authority that clients know.
        acceptableCiphers: the cipher suites up to TLS 1.2; by default those that are good.
        dhParameters: for Diffie-Hellman over finite fields; without them, only curves are used.
        trustRoot: the authorities, one of which must have signed what the peer shows: what `platformTrust` or
            `trustRootFromCertificates` returns, or one `Certificate`.  By default nobody is checked.
        acceptableProtocols: the names of what may be spoken inside, for ALPN, the most wanted first.
        raiseMinimumTo: the oldest `TLSVersion`, if it is later than the default, TLS 1.2.
        insecurelyLowerMinimumTo: the oldest one, even if it is earlier than the default.
        lowerMaximumSecurityTo: the newest one; by default the newest that OpenSSL knows.
        contextForServerName: for servers: called with the name that the client asks for, or None; returns
            the context to go on with, or None for this one.  If it raises, the connection is cut.

    Raises:
        ValueError: a key without certificate or the other way round; `verify` without `caCerts`;
            `extraCertChain` without `certificate`; no version or no cipher suite is left.
        TypeError: two arguments that exclude each other.
    """

    # Replaced in tests.
    _contextFactory: Callable[[int], Any] = SSL.Context
    _context: Any = None

    _OP_NO_TLSv1_3 = _tlsDisableFlags[TLSVersion.TLSv1_3]
    _defaultMinimumTLSVersion = TLSVersion.TLSv1_2

    @_exclusive(
        trustRoot=("verify", "caCerts", "requireCertificate"),
        method=("raiseMinimumTo", "insecurelyLowerMinimumTo", "lowerMaximumSecurityTo"),
        raiseMinimumTo=("insecurelyLowerMinimumTo",),
    )
    def __init__(
        self,
        privateKey: crypto.PKey | None = None,
        certificate: crypto.X509 | None = None,
        method: int | None = None,
        verify: bool = False,
        caCerts: Iterable[crypto.X509] | None = None,
        verifyDepth: int = 9,
        requireCertificate: bool = True,
        verifyOnce: bool = True,
        enableSingleUseKeys: bool = True,
        enableSessions: bool = False,
        fixBrokenPeers: bool = False,
        enableSessionTickets: bool = False,
        extraCertChain: Sequence[crypto.X509] | None = None,
        acceptableCiphers: IAcceptableCiphers | None = None,
        dhParameters: OpenSSLDiffieHellmanParameters | None = None,
        trustRoot: Any = None,
        acceptableProtocols: Sequence[bytes] | None = None,
        raiseMinimumTo: Any = None,
        insecurelyLowerMinimumTo: Any = None,
        lowerMaximumSecurityTo: Any = None,
        contextForServerName: Callable[[bytes | None], SSL.Context | None] | None = None,
    ) -> None:
        if (privateKey is None) != (certificate is None):
            raise ValueError("Specify neither or both of privateKey and certificate")
        if extraCertChain is not None and certificate is None:
            raise ValueError("extraCertChain goes with a certificate: specify privateKey and certificate too")
        if verify and not caCerts:
            raise ValueError(
                "verify needs caCerts, the authorities to verify with; or specify trustRoot instead"
            )
        self.privateKey = privateKey
        self.certificate = certificate
        self.extraCertChain = [] if extraCertChain is None else extraCertChain
        self.verify = verify or trustRoot is not None
        self.caCerts = caCerts
        self.trustRoot = _trustRoot(trustRoot, caCerts if verify else None)
        self.verifyDepth = verifyDepth
        self.requireCertificate = requireCertificate
        self.verifyOnce = verifyOnce
        self.enableSingleUseKeys = enableSingleUseKeys
        self.enableSessions = enableSessions
        self.fixBrokenPeers = fixBrokenPeers
        self.enableSessionTickets = enableSessionTickets
        self.dhParameters = dhParameters
        self._acceptableProtocols = acceptableProtocols
        self._contextForServerName = contextForServerName
        # Connections that nothing is sent on keep no buffers: there may be many.
        self._mode = SSL.MODE_RELEASE_BUFFERS
        # Compression tells what is encrypted (CRIME); the server knows better than its clients which cipher
        # suite is cheap for it.
        self._options = SSL.OP_NO_SSLv2 | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE
        for wanted, flags in (
            (enableSingleUseKeys, SSL.OP_SINGLE_DH_USE | SSL.OP_SINGLE_ECDH_USE),
            (fixBrokenPeers, SSL.OP_ALL),
            (not enableSessionTickets, SSL.OP_NO_TICKET),
        ):
            self._options |= flags if wanted else 0
        if method is None:
            self.method = SSL.TLS_METHOD
            oldest, newest = versionRange(
                self._defaultMinimumTLSVersion,
                raiseMinimumTo,
                insecurelyLowerMinimumTo,
                lowerMaximumSecurityTo,
            )
            for version in _getExcludedTLSProtocols(oldest, newest):
                self._options |= _tlsDisableFlags[version]
        else:
            warnings.warn(
                "Passing method to twisted_endpoints.ssl.CertificateOptions was deprecated in Twisted "
                "17.1.0. Please use insecurelyLowerMinimumTo, raiseMinimumTo and lowerMaximumSecurityTo.",
                DeprecationWarning,
                stacklevel=3,
            )
            self.method = method
        available = _expandCipherString("ALL", self.method, self._options)
        chosen = (defaultCiphers if acceptableCiphers is None else acceptableCiphers).selectCiphers(available)
        self._cipherString = ":".join(cipher.fullName for cipher in chosen)
        if not self._cipherString:
            raise ValueError("acceptableCiphers leaves no cipher suite that this OpenSSL has")

    @deprecated("Twisted 15.0.0", "a real persistence system")
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_context"}

    @deprecated("Twisted 15.0.0", "a real persistence system")
    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state

    def getContext(self) -> SSL.Context:
        """Return the context, always the same one."""
        if self._context is None:
            self._context = self._makeContext()
        context: SSL.Context = self._context
        return context

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return self._makeTLSConnection(protocol)

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return self._makeTLSConnection(protocol)

    def _makeTLSConnection(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self.getContext())
        offered = protosFromProtocol(protocol, self._acceptableProtocols or ())
        if offered:
            connection.set_alpn_protos(list(offered))
        return connection

    def _makeContext(self) -> Any:
        context = self._contextFactory(self.method)
        context.set_options(self._options)
        context.set_mode(self._mode)
        context.set_cipher_list(self._cipherString.encode("ascii"))
        self._show(context)
        self._check(context)
        # A server that checks clients must set one (SSL_CTX_set_session_id_context(3)): a session that
        # another context has checked is not to be taken up in this one.
        context.set_session_id(secrets.token_hex(7).encode("ascii"))
        context.set_session_cache_mode(SSL.SESS_CACHE_SERVER if self.enableSessions else SSL.SESS_CACHE_OFF)
        if self.dhParameters is not None:
            context.load_tmp_dh(pathOf(self.dhParameters))
        if self._contextForServerName is not None:
            context.set_tlsext_servername_callback(_switchContext(self._contextForServerName))
        setupForALPN(context, self._acceptableProtocols or ())
        return context

    def _show(self, context: Any) -> None:
        """Give a context the certificate and the key."""
        if self.certificate is None or self.privateKey is None:
            return
        context.use_certificate(_modern(self.certificate))
        context.use_privatekey(_modern(self.privateKey))
        for certificate in self.extraCertChain:
            context.add_extra_chain_cert(_modern(certificate))
        context.check_privatekey()

    def _check(self, context: Any) -> None:
        """Tell a context whether and how to check the peer."""
        flags = SSL.VERIFY_NONE
        if self.verify:
            flags = SSL.VERIFY_PEER
            if self.requireCertificate:
                flags |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
            if self.verifyOnce:
                flags |= SSL.VERIFY_CLIENT_ONCE
            self.trustRoot._addCACertsToContext(context)
        context.set_verify(flags)
        context.set_verify_depth(self.verifyDepth)


def _modern(original: Any) -> Any:
    """Get cryptography's object for pyOpenSSL's own, which contexts take with a warning of deprecation."""
    if isinstance(original, crypto.X509):
        return original.to_cryptography()
    return modernKey(original) if isinstance(original, crypto.PKey) else original


def _trustRoot(trustRoot: Any, caCerts: Iterable[crypto.X509] | None) -> Any:
    if trustRoot is not None:
        return IOpenSSLTrustRoot(trustRoot)
    return None if caCerts is None else OpenSSLCertificateAuthorities(caCerts)


def _switchContext(
    contextForServerName: Callable[[bytes | None], SSL.Context | None],
) -> Callable[[SSL.Connection], None]:
    """Make a callback for OpenSSL, that goes on with the context for the name that the client asks for."""

    def switch(connection: SSL.Connection) -> None:
        try:
            context = contextForServerName(connection.get_servername())
        except BaseException:
            _log.failure("while looking up SNI context")
            # Where the connection has no TLS protocol, this raises, and OpenSSL sends an alert.
            connection.get_app_data().abortConnection()
            return
        if context is not None:
            connection.set_context(context)

    return switch
