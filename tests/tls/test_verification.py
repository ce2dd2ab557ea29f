"""Who gets in: certificates right and wrong, and the text of each refusal, in both vocabularies."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from service_identity import VerificationError
from zope.interface import implementer

from twisted_endpoints._tls.hosts import Host
from twisted_endpoints._tls.refusals import CertificateRefused, WrongHost, untrusted
from twisted_endpoints._tls.verification import ServerCheck, VerifyingClientOptions, checkClients, judge
from twisted_endpoints.error import ConnectionDone
from twisted_endpoints.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLContextFactory
from twisted_endpoints.ssl import CertificateOptions, TLSVersion

from .authority import DAY, NOW, Issued, intermediate, make, root
from .connecting import End, certificate, connect, private_, serving


def client(host: str, sendServerName: bool | None = None, **options: Any) -> VerifyingClientOptions:
    check = ServerCheck(certificate(root()), **options)
    return VerifyingClientOptions(host, check, sendServerName)


def dnsNames(*names: str) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)]


def usage(purpose: x509.ObjectIdentifier) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.ExtendedKeyUsage([purpose]), False)]


#: What the server shows, and the host that the client means.
LET_IN: dict[str, tuple[Callable[[], Issued], str]] = {
    "its name": (lambda: root().issue("example.com"), "example.com"),
    "one of its names": (lambda: root().issue("example.org", "example.com"), "example.com"),
    "another case": (lambda: root().issue("Example.com"), "eXample.COM"),
    "a dot at the end": (lambda: root().issue("example.com"), "example.com."),
    "a wildcard": (lambda: root().issue("*.example.com"), "www.example.com"),
    "an internationalised name": (lambda: root().issue("xn--bcher-kva.example"), "Bücher.example"),
    "an underscore": (lambda: root().issue("a_b.example.com"), "a_b.example.com"),
    "an IPv4 address": (lambda: root().issue("192.0.2.1"), "192.0.2.1"),
    "an IPv6 address": (lambda: root().issue("2001:db8::1"), "2001:DB8:0:0::1"),
    "an address with a zone": (lambda: root().issue("fe80::1"), "fe80::1%lo"),
    "a name beside one that is none": (
        lambda: root().issue(extensions=dnsNames("192.0.2.1", "*.com", "example.com")),
        "example.com",
    ),
    "a name in a certificate for servers": (
        lambda: root().issue("example.com", extensions=usage(ExtendedKeyUsageOID.SERVER_AUTH)),
        "example.com",
    ),
    "a name and an unknown extension": (
        lambda: root().issue(
            "example.com",
            extensions=[
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"x"), False)
            ],
        ),
        "example.com",
    ),
}

ANEW = "Whoever runs the server must have it issued anew."
RENAME = "Connect to it by a name that its certificate has, or have one issued that has this name."
TRUST = "If you trust who issued it, name that certificate: trustRoots= in a string, trustRoot= in code."
CHAIN = "Or the server must send the certificates in between too."
CLOCK = r"or this machine's clock is wrong: it says 20..-..-.. ..:..:.. UTC\."


def misnamed(shown: str, host: str, called: str = "") -> tuple[Callable[[], Issued], str, str]:
    """Make a row for a server with a certificate for another host."""
    text = re.escape(f" is for {shown!r}, and not for {called or host}. {RENAME}")
    return lambda: root().issue(shown), host, text


#: What the server shows, the host that the client means, and what the user reads after the host.
REFUSED: dict[str, tuple[Callable[[], Issued], str, str]] = {
    "another name": misnamed("example.org", "example.com"),
    "many other names": (
        lambda: root().issue(*(f"{letter}.example.org" for letter in "abcdefg")),
        "example.com",
        re.escape(
            " is for 'a.example.org', 'b.example.org', 'c.example.org', 'd.example.org', 'e.example.org' and "
            f"2 more, and not for example.com. {RENAME}"
        ),
    ),
    "a name below": misnamed("www.example.com", "example.com"),
    "a wildcard, and two labels": misnamed("*.example.com", "a.b.example.com"),
    "a wildcard, and no label": misnamed("*.example.com", "example.com"),
    "a wildcard for half the world": misnamed("*.com", "example.com"),
    "a wildcard inside": misnamed("www.*.com", "www.example.com"),
    "a wildcard in a part": misnamed("w*.example.com", "www.example.com"),
    "everything": misnamed("*", "localhost"),
    "a wildcard and IDNA": misnamed("*.example", "Bücher.example", "xn--bcher-kva.example"),
    "another address": misnamed("192.0.2.2", "192.0.2.1", "the address 192.0.2.1"),
    "an address as a name": (
        lambda: root().issue(extensions=dnsNames("192.0.2.1")),
        "192.0.2.1",
        re.escape(f" is for '192.0.2.1', and not for the address 192.0.2.1. {RENAME}"),
    ),
    "a name with line breaks": (
        lambda: root().issue("a\n[-] all is well"),
        "example.com",
        re.escape(f" is for 'a\\n[-] all is well', and not for example.com. {RENAME}"),
    ),
    "only a common name": (
        lambda: root().issue(commonName="example.com"),
        "example.com",
        re.escape(
            " names no host but in its common name, 'example.com', which doesn't count "
            "(RFC 9525, section 2). Whoever runs the server must have it issued anew, with a subjectAltName."
        ),
    ),
    "no name in the subjectAltName": (
        lambda: root().issue(extensions=[(x509.SubjectAlternativeName([x509.RFC822Name("a@b.c")]), False)]),
        "example.com",
        re.escape(f" is for no host at all, and not for example.com. {RENAME}"),
    ),
    "an expired certificate": (
        lambda: root().issue("example.com", begins=NOW - 9 * DAY, ends=NOW - DAY),
        "example.com",
        rf" expired on {NOW - DAY:%Y-%m-%d %H:%M:%S} UTC\. Whoever runs the server must renew it; {CLOCK}",
    ),
    "a certificate that is not yet valid": (
        lambda: root().issue("example.com", begins=NOW + DAY),
        "example.com",
        (
            rf" is not valid before {NOW + DAY:%Y-%m-%d %H:%M:%S} UTC\. "
            rf"Whoever runs the server must use one that is valid; {CLOCK}"
        ),
    ),
    "a certificate of another authority": (
        lambda: make(commonName="them", authority=True).issue("example.com"),
        "example.com",
        re.escape(f" was issued by 'them', who is not known here. {TRUST} {CHAIN}"),
    ),
    "a certificate of another authority by the same name": (
        lambda: make(commonName="the root", authority=True).issue("example.com", namesKeys=False),
        "example.com",
        re.escape(
            " names 'the root' as who issued it, but isn't signed with the key known as theirs. "
            "If they have a new key, name their new certificate: trustRoots= in a string, trustRoot= in code."
        ),
    ),
    "a certificate without the one in between": (
        lambda: intermediate().issue("example.com"),
        "example.com",
        re.escape(f" was issued by 'the intermediate', who is not known here. {TRUST} {CHAIN}"),
    ),
    "a certificate that signs itself": (
        lambda: make(["example.com"]),
        "example.com",
        re.escape(f" is signed by nobody but itself. {TRUST}"),
    ),
    "a certificate for clients": (
        lambda: root().issue("example.com", extensions=usage(ExtendedKeyUsageOID.CLIENT_AUTH)),
        "example.com",
        re.escape(f" is not for TLS servers, by its extended key usage. {ANEW}"),
    ),
    "an unknown extension that is critical": (
        lambda: root().issue(
            "example.com",
            extensions=[
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"x"), True)
            ],
        ),
        "example.com",
        re.escape(f" is refused by OpenSSL: unhandled critical extension. {ANEW}"),
    ),
}


@pytest.mark.parametrize("case", LET_IN)
@pytest.mark.parametrize("newest", [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_whoProvesTheHostIsLetIn(case: str, newest: Any) -> None:
    issue, host = LET_IN[case]

    server, user = connect(serving(issue()), client(host, lowerMaximumSecurityTo=newest))

    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("newest", [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_whoDoesNotIsRefusedAndTheTextSaysWhy(case: str, newest: Any) -> None:
    issue, host, text = REFUSED[case]

    ends = connect(serving(issue()), client(host, lowerMaximumSecurityTo=newest))

    assertRefused(*ends)
    assert re.fullmatch(f"{re.escape(host)}: the server's certificate{text}", str(ends[1].said.lost))


def assertRefused(server: End, user: End) -> None:
    """The server got an alert and nothing else; the client knows why."""
    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert isinstance(user.said.lost, CertificateRefused)
    assert isinstance(server.said.lost, SSL.Error)
    assert "alert" in str(server.said.lost)


def test_theErrorIsOneThatProgramsCatch() -> None:
    _, user = connect(serving(root().issue("example.org")), client("example.com"))

    assert isinstance(user.said.lost, WrongHost)
    assert isinstance(user.said.lost, VerificationError)
    assert [error.mismatched_id.hostname for error in user.said.lost.errors] == [b"example.com"]


def test_aShortKeyIsRefused() -> None:
    issued = root().issue("example.com", key=rsa.generate_private_key(65537, 1024))

    @implementer(IOpenSSLContextFactory)
    class Careless:
        """Sends what an OpenSSL of today doesn't, unless it is told to."""

        def getContext(self) -> SSL.Context:
            context = SSL.Context(SSL.TLS_METHOD)
            context.set_cipher_list(b"ALL:@SECLEVEL=0")
            context.use_certificate(issued.certificate)
            context.use_privatekey(issued.key)
            return context

    server = Careless()
    ends = connect(server, client("example.com"))

    assertRefused(*ends)
    assert str(ends[1].said.lost) == (
        f"example.com: the server's certificate has a key that is too short to be safe. {ANEW}"
    )


def test_theIntermediateIsSentAlong() -> None:
    server, user = connect(
        serving(intermediate().issue("example.com"), intermediate()), client("example.com")
    )

    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")


def test_whatIsWrongAboveTheServersCertificate() -> None:
    expired = make(commonName="old", issuer=root(), authority=True, begins=NOW - 9 * DAY, ends=NOW - DAY)
    nobody = root().issue("nobody")

    ended = connect(serving(expired.issue("example.com"), expired), client("example.com"))
    forged = connect(serving(nobody.issue("example.com"), nobody), client("example.com"))

    assertRefused(*ended)
    assert str(ended[1].said.lost).startswith(
        "example.com: the server's certificate depends on that of 'old', which expired on "
    )
    assertRefused(*forged)
    assert str(forged[1].said.lost) == (
        "example.com: the server's certificate depends on that of 'nobody', "
        f"which may not issue certificates, but has issued one. {ANEW}"
    )


def test_anUntrustedRootThatIsSentAlong() -> None:
    them = make(commonName="them", authority=True)

    ends = connect(serving(them.issue("example.com"), them), client("example.com"))

    assertRefused(*ends)
    assert str(ends[1].said.lost) == (
        "example.com: the server's certificate depends on that of 'them', "
        f"which is of an authority that is not trusted here. {TRUST}"
    )


def test_theMachinesTrustIsTheDefault() -> None:
    ends = connect(serving(root().issue("example.com")), VerifyingClientOptions("example.com"))

    assertRefused(*ends)
    assert "who is not known here" in str(ends[1].said.lost)


class Broken(Exception):
    """What nobody foresaw."""


@pytest.mark.parametrize("error", [Broken, ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_anyErrorInTheCheckIsANo(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise error("what\nnobody foresaw")

    options = client("example.com")
    monkeypatch.setattr(Host, "isNamedBy", fail)
    logged: list[str] = []
    monkeypatch.setattr("twisted_endpoints._tls.verification._log.failure", logged.append)

    ends = connect(serving(root().issue("example.com")), options)

    assertRefused(*ends)
    assert str(ends[1].said.lost) == (
        "example.com: the server's certificate can't be understood "
        f"({error.__name__}: 'what\\nnobody foresaw'). It must be issued anew, as RFC 5280 says."
    )
    assert logged == ["while checking a certificate"]


def test_aCheckThatIsSwitchedOffInTheOptionsIsStillDone() -> None:
    with pytest.raises(TypeError):
        client("example.com", verify=False)
    with pytest.raises(TypeError):
        client("example.com", requireCertificate=False)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", "a b", "*.example.com", "x" * 64, "☃.example", "12345", "a\0b"]
)
def test_hostsThatNoCertificateCanBeFor(host: str) -> None:
    with pytest.raises(ValueError, match=r"host name|domain|Codepoint|Domain"):
        VerifyingClientOptions(host)


@pytest.mark.parametrize(
    ("host", "sendServerName", "name"),
    [
        ("example.com", None, b"example.com"),
        ("Bücher.example.", None, b"xn--bcher-kva.example"),
        ("192.0.2.1", None, None),
        ("2001:db8::1", None, None),
        ("example.com", False, None),
        ("192.0.2.1", True, b"192.0.2.1"),
    ],
)
def test_theServerIsToldTheName(host: str, sendServerName: bool | None, name: bytes | None) -> None:
    asked: list[bytes | None] = []
    server = serving(root().issue("example.com"), contextForServerName=asked.append)

    connect(server, client(host, sendServerName=sendServerName))

    assert asked == [name]


def test_theOptionsAreWhatTheTLSProtocolTakes() -> None:
    options = client("example.com")

    assert IOpenSSLClientConnectionCreator.providedBy(options)
    assert repr(options) == "<VerifyingClientOptions for example.com>"


def test_protocolsAreOffered() -> None:
    server = serving(root().issue("example.com"), acceptableProtocols=[b"h3", b"h2"])

    ends = connect(server, client("example.com", acceptableProtocols=[b"http/1.1", b"h2"]))

    assert [end.tls.negotiatedProtocol for end in ends] == [b"h2", b"h2"]


def checking() -> CertificateOptions:
    """A server whose clients must show a certificate of the root."""
    made = serving(root().issue("example.com"), trustRoot=certificate(root()))
    checkClients(made.getContext())
    return made


def test_aServerTellsWhyItRefusesAClient() -> None:
    expired = root().issue("someone", ends=NOW - DAY, begins=NOW - 9 * DAY)
    them = make(commonName="them", authority=True).issue("someone")
    servers = root().issue("someone", extensions=usage(ExtendedKeyUsageOID.SERVER_AUTH))
    texts = []
    for shown in (expired, them, servers):
        private = private_(shown)
        user = client("example.com", privateKey=private.privateKey.original, certificate=private.original)
        server, user = connect(checking(), user)
        assert (user.said.heard, server.said.heard) == (b"", b"")
        assert "alert" in str(user.said.lost)
        texts.append(str(server.said.lost))

    assert texts[0].startswith("the client's certificate expired on ")
    assert texts[1] == (
        "the client's certificate was issued by 'them', who is not known here. "
        "If you trust who issued it, name that certificate: clientCAs= in a string, trustRoot= in code. "
        "Or the client must send the certificates in between too."
    )
    assert texts[2] == (
        "the client's certificate is not for TLS clients, by its extended key usage. "
        "Whoever runs the client must have it issued anew."
    )


def test_aServerLetsAClientInAndRefusesOneWithoutCertificate() -> None:
    private = private_(root().issue("someone"))
    shown = {"privateKey": private.privateKey.original, "certificate": private.original}

    server, user = connect(checking(), client("example.com", **shown))
    assert (user.said.heard, server.said.heard) == (b"from the server", b"from the client")

    server, user = connect(checking(), client("example.com"))
    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert "peer did not return a certificate" in str(server.said.lost)


def test_reasonsThatHaveNoTextOfTheirOwn() -> None:
    shown = root().certificate

    assert "is refused by OpenSSL: permitted violation." in str(untrusted(None, shown, 47, 0))
    assert "is refused by OpenSSL: error 9999." in str(untrusted(None, shown, 9999, 0))


@pytest.mark.parametrize("name", ["example.com", "example.org"])
def test_theOptionsKeepNoConnection(name: str) -> None:
    options = client("example.com")
    server, user = connect(serving(root().issue(name)), options)
    user.close(ConnectionDone())
    gone = weakref.ref(user.tls)

    del user, server
    gc.collect()

    assert gone() is None


def test_clientsOfManyHostsShareACheck() -> None:
    check = ServerCheck(certificate(root()))
    shown = serving(root().issue("example.com"))
    for host, isRight in [("example.com", True), ("example.org", False)] * 2:
        _, user = connect(shown, VerifyingClientOptions(host, check))
        assert user.said.heard == (b"from the server" if isRight else b"")
        assert isRight or "and not for example.org" in str(user.said.lost)


def test_aConnectionWithoutAHostIsRefused() -> None:
    check = ServerCheck(certificate(root()))

    server, user = connect(serving(root().issue("example.com")), check._options)

    assert (user.said.heard, server.said.heard) == (b"", b"")
    assert "alert" in str(server.said.lost)


def test_theJudgement() -> None:
    host = Host.parse("example.com")
    good = certificate(root().issue("example.com")).original

    judge(host, good, 0, 0, 1)
    judge(host, good, 0, 1, 1)
    with pytest.raises(CertificateRefused):
        judge(host, good, 20, 1, 0)
    with pytest.raises(CertificateRefused):
        judge(Host.parse("example.org"), good, 0, 0, 1)
