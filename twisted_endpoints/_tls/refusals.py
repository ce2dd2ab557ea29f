"""
Why a certificate is refused: the errors, and their text, which names the host, the reason and what to do.

What a peer wrote into its certificate is shown as `repr` shows it: it may hold line breaks and worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL.SSL import Error, X509VerificationCodes
from service_identity import VerificationError
from service_identity.exceptions import Mismatch

from .hosts import Host

#: How many of a certificate's names a text shows.
_SHOWN = 5


class CertificateRefused(Error):
    """
    The peer's certificate doesn't prove who the peer is.

    It is one of OpenSSL's errors, so what handles those handles it.

    Args:
        text: whose certificate, why, and what to do.
    """

    def __init__(self, text: str) -> None:
        # The form that pyOpenSSL gives its errors: a list of library, function and reason.
        super().__init__([("certificate", "", text)])
        self.text = text

    def __str__(self) -> str:
        return self.text


class WrongHost(CertificateRefused, VerificationError):
    """
    The server's certificate is good, but for other hosts.

    Args:
        text: which host, for which it is, and what to do.
        errors: what service-identity would say.
    """

    def __init__(self, text: str, errors: Sequence[Mismatch] = ()) -> None:
        super().__init__(text)
        self.errors = errors


def wrongHost(host: Host, certificate: x509.Certificate) -> WrongHost:
    """Make the error for a certificate of another host."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = _commonName(certificate.subject)
        reason = f"names no host but in its common name, {common}, which doesn't count (RFC 9525, section 2)"
        advice = "Whoever runs the server must have it issued anew, with a subjectAltName."
    else:
        listed = [*names.get_values_for_type(x509.DNSName)]
        listed += [str(address) for address in names.get_values_for_type(x509.IPAddress)]
        shown = ", ".join(repr(name) for name in listed[:_SHOWN]) or "no host at all"
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        reason = f"is for {shown}{more}, and not for {'' if host.isName else 'the address '}{host.ascii}"
        advice = "Connect to it by a name that its certificate has, or have one issued that has this name."
    wanted = host.serviceID
    mismatch = wanted.error_on_mismatch(mismatched_id=wanted)
    return WrongHost(f"{_whose(host)} {reason}. {advice}", [mismatch])


def untrusted(host: Host | None, certificate: x509.Certificate, code: int, depth: int) -> CertificateRefused:
    """
    Make the error for a certificate that OpenSSL refuses.

    Args:
        host: the server that it should prove; None if the peer is a client.
        certificate: the one at fault.
        code: OpenSSL's reason, as in `OpenSSL.SSL.X509VerificationCodes`.
        depth: how far it stands above the peer's own certificate, which has depth 0.
    """
    reason, advice = _REASONS.get(code) or (f"is refused by OpenSSL: {_words(code)}", _ISSUE_ANEW)
    facts = {
        "begin": _moment(certificate.not_valid_before_utc),
        "end": _moment(certificate.not_valid_after_utc),
        "now": _moment(datetime.now(timezone.utc)),
        "issuer": _commonName(certificate.issuer),
        "peer": "client" if host is None else "server",
        "trust": "clientCAs" if host is None else "trustRoots",
    }
    whose = _whose(host, certificate if depth else None)
    return CertificateRefused(f"{whose} {reason.format(**facts)}. {advice.format(**facts)}")


def unreadable(host: Host | None, error: BaseException) -> CertificateRefused:
    """Make the error for a certificate that can't be understood."""
    reason = f"can't be understood ({type(error).__name__}: {str(error)!r})"
    return CertificateRefused(f"{_whose(host)} {reason}. It must be issued anew, as RFC 5280 says.")


_ISSUE_ANEW = "Whoever runs the {peer} must have it issued anew."
_CLOCK = "or this machine's clock is wrong: it says {now}."
_TRUST = "If you trust who issued it, name that certificate: {trust}= in a string, trustRoot= in code."
_CHAIN = "Or the {peer} must send the certificates in between too."
_TOO_WEAK = "has a key that is too short to be safe", _ISSUE_ANEW
_UNKNOWN_ISSUER = "was issued by {issuer}, who is not known here", f"{_TRUST} {_CHAIN}"
_NO_AUTHORITY = "may not issue certificates, but has issued one", _ISSUE_ANEW

_Codes = X509VerificationCodes
_REASONS: dict[int, tuple[str, str]] = {
    _Codes.ERR_CERT_HAS_EXPIRED: (
        "expired on {end}",
        f"Whoever runs the {{peer}} must renew it; {_CLOCK}",
    ),
    _Codes.ERR_CERT_NOT_YET_VALID: (
        "is not valid before {begin}",
        f"Whoever runs the {{peer}} must use one that is valid; {_CLOCK}",
    ),
    _Codes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: ("is signed by nobody but itself", _TRUST),
    _Codes.ERR_SELF_SIGNED_CERT_IN_CHAIN: ("is of an authority that is not trusted here", _TRUST),
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT: _UNKNOWN_ISSUER,
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: _UNKNOWN_ISSUER,
    _Codes.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: _UNKNOWN_ISSUER,
    _Codes.ERR_CERT_SIGNATURE_FAILURE: (
        "names {issuer} as who issued it, but isn't signed with the key known as theirs",
        "If they have a new key, name their new certificate: {trust}= in a string, trustRoot= in code.",
    ),
    _Codes.ERR_INVALID_PURPOSE: ("is not for TLS {peer}s, by its extended key usage", _ISSUE_ANEW),
    _Codes.ERR_INVALID_CA: _NO_AUTHORITY,
    _Codes.ERR_INVALID_NON_CA: _NO_AUTHORITY,
    _Codes.ERR_KEYUSAGE_NO_CERTSIGN: _NO_AUTHORITY,
    _Codes.ERR_PATH_LENGTH_EXCEEDED: ("stands above more certificates than it allows", _ISSUE_ANEW),
    _Codes.ERR_CERT_REVOKED: ("was revoked by who issued it", _ISSUE_ANEW),
    # X509_V_ERR_EE_KEY_TOO_SMALL, _CA_KEY_TOO_SMALL, _CA_MD_TOO_WEAK: pyOpenSSL has no names for these
    66: _TOO_WEAK,
    67: _TOO_WEAK,
    68: ("is signed with a hash that is too weak to be safe", _ISSUE_ANEW),
}


def _words(code: int) -> str:
    for name, value in vars(X509VerificationCodes).items():
        if value == code and name.startswith("ERR_"):
            return name.removeprefix("ERR_").replace("_", " ").lower()
    return f"error {code}"


def _whose(host: Host | None, above: x509.Certificate | None = None) -> str:
    peer = "the client's certificate" if host is None else f"{host.text}: the server's certificate"
    return peer if above is None else f"{peer} depends on that of {_commonName(above.subject)}, which"


def _commonName(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return repr(found[0].value if found else name.rfc4514_string())


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
