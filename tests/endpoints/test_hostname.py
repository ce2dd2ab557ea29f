"""HostnameEndpoint: each test is a table of hosts, and compares the whole history of the attempts."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_endpoints import error
from twisted_endpoints.address import HostnameAddress, IPv6Address
from twisted_endpoints.defer import Deferred, fail, succeed
from twisted_endpoints.endpoints import HostnameEndpoint, _SimpleHostnameResolver
from twisted_endpoints.interfaces import IHostnameResolver, IReactorTCP, IStreamClientEndpoint
from twisted_endpoints.protocol import Factory
from twisted_endpoints.task import Clock

from .scenario import CONNECTS, REFUSES, SILENT, Attempt, Greeter, GreeterFactory, Network, connect

V6 = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"]
V4 = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]

#: hosts -> history, and when the connection stood (None: it failed).
SCENARIOS: dict[str, tuple[dict[str, tuple[float, Any]], list[tuple[Any, ...]], float | None]] = {
    "one address that connects": (
        {V4[0]: (0.125, CONNECTS)},
        [(V4[0], 0, 0.125, "connected")],
        0.125,
    ),
    "one address that refuses": (
        {V4[0]: (0.125, REFUSES)},
        [(V4[0], 0, 0.125, "failed")],
        None,
    ),
    "the first answers within the delay: nobody else is asked": (
        {V6[0]: (0.125, CONNECTS), V4[0]: (0, CONNECTS)},
        [(V6[0], 0, 0.125, "connected")],
        0.125,
    ),
    "the second overtakes the first": (
        {V6[0]: (9, CONNECTS), V4[0]: (0.5, CONNECTS)},
        [(V6[0], 0, 0.75, "cancelled"), (V4[0], 0.25, 0.75, "connected")],
        0.75,
    ),
    "the first is slow, the second slower": (
        {V6[0]: (0.375, CONNECTS), V4[0]: (0.5, CONNECTS)},
        [(V6[0], 0, 0.375, "connected"), (V4[0], 0.25, 0.375, "cancelled")],
        0.375,
    ),
    "a refusal starts the next at once": (
        {V6[0]: (0.125, REFUSES), V4[0]: (0.125, CONNECTS)},
        [(V6[0], 0, 0.125, "failed"), (V4[0], 0.125, 0.25, "connected")],
        0.25,
    ),
    "after a refusal the delay is counted anew": (
        {V6[0]: (0.125, REFUSES), V4[0]: (9, CONNECTS), V6[1]: (0.125, CONNECTS)},
        [(V6[0], 0, 0.125, "failed"), (V4[0], 0.125, 0.5, "cancelled"), (V6[1], 0.375, 0.5, "connected")],
        0.5,
    ),
    "ten refusals cost no time": (
        {**{f"2001:db8::{i}": (0, REFUSES) for i in range(10)}, "2001:db8::a": (0.125, CONNECTS)},
        [
            *[(f"2001:db8::{i}", 0, 0, "failed") for i in range(10)],
            ("2001:db8::a", 0, 0.125, "connected"),
        ],
        0.125,
    ),
    "four IPv6 addresses are dead: IPv4 has its turn second": (
        {**dict.fromkeys(V6, (0, SILENT)), V4[0]: (0, CONNECTS)},
        [(V6[0], 0, 0.25, "cancelled"), (V4[0], 0.25, 0.25, "connected")],
        0.25,
    ),
    "a late refusal starts nobody who has started": (
        {V6[0]: (0.375, REFUSES), V4[0]: (0.5, CONNECTS)},
        [(V6[0], 0, 0.375, "failed"), (V4[0], 0.25, 0.75, "connected")],
        0.75,
    ),
    "all refuse": (
        {V6[0]: (0.125, REFUSES), V4[0]: (0.375, REFUSES), V6[1]: (0.125, REFUSES)},
        [
            (V6[0], 0, 0.125, "failed"),
            (V4[0], 0.125, 0.5, "failed"),
            (V6[1], 0.375, 0.5, "failed"),
        ],
        None,
    ),
    "each attempt has its own time limit": (
        {V6[0]: (0, SILENT), V4[0]: (0, SILENT)},
        [(V6[0], 0, 30, "timeout"), (V4[0], 0.25, 30.25, "timeout")],
        None,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_race(name: str) -> None:
    hosts, history, at = SCENARIOS[name]
    network = Network(hosts)

    outcome = connect(network)
    network.runUntilIdle()

    assert network.history() == history
    if at is None:
        assert isinstance(outcome.error, error.ConnectError)
        assert outcome.factory.made == []
    else:
        assert outcome.at == at
        assert outcome.protocol.made == 1
        assert outcome.factory.made == [outcome.protocol]
    assert len(outcome.results) == 1


def test_theDelayBetweenAttemptsIsTheUsers() -> None:
    network = Network(dict.fromkeys(V4, (0, SILENT)))

    connect(network, attemptDelay=2)
    network.runUntil(5)

    assert [row[:2] for row in network.history()] == [(V4[0], 0), (V4[1], 2), (V4[2], 4)]


def test_theTimeOfTheLookupIsAddedToEveryAttempt() -> None:
    network = Network({V6[0]: (9, CONNECTS), V4[0]: (0.125, CONNECTS)}, lookup=3)

    outcome = connect(network)
    network.runUntilIdle()

    assert network.history() == [(V6[0], 3, 3.375, "cancelled"), (V4[0], 3.25, 3.375, "connected")]
    assert outcome.at == 3.375


def test_noMoreThanSixAttemptsAtATime() -> None:
    network = Network({f"192.0.2.{i}": (0, SILENT) for i in range(20)})

    connect(network, timeout=10)
    network.runUntil(9)
    assert len(network.attempts) == 6

    network.runUntil(10)
    assert [row[1] for row in network.history()] == [0, 0.25, 0.5, 0.75, 1, 1.25, 10]
    network.runUntilIdle()
    assert network.busiest() == 6
    assert len(network.attempts) == 20


def test_aThousandDeadAddressesEndAtTheDeadline() -> None:
    network = Network({f"10.0.{i // 250}.{i % 250}": (0, SILENT) for i in range(1000)})

    outcome = connect(network, timeout=2, deadline=5)
    network.runUntilIdle()

    assert outcome.at == 5
    assert isinstance(outcome.error, error.TimeoutError)
    assert network.busiest() == 6
    assert all(attempt.outcome in ("timeout", "cancelled") for attempt in network.attempts)


def test_aThousandRefusalsTakeNoTimeAndNoStack() -> None:
    hosts = {f"10.0.{i // 250}.{i % 250}": (0.0, REFUSES) for i in range(1000)}
    network = Network({**hosts, "10.1.0.0": (0.0, CONNECTS)})

    outcome = connect(network)

    assert outcome.protocol.made == 1
    assert network.seconds() == 0
    assert len(network.attempts) == 1001


def test_aTotalFailureNamesEveryAddressAndWhy() -> None:
    network = Network(
        {
            V6[0]: (0.0, error.NoRouteError(OSError(113, "No route to host"))),
            V4[0]: (0.125, error.ConnectionRefusedError(OSError(111, "Connection refused"))),
            V6[1]: (0, SILENT),
        }
    )

    outcome = connect(network)
    network.runUntilIdle()

    assert type(outcome.error) is error.TimeoutError
    assert str(outcome.error) == (
        "User timeout caused connection failure: all 3 addresses of example.com:80 failed: "
        "[2001:db8::1]:80: No route to host: [Errno 113] No route to host; "
        "192.0.2.1:80: Connection was refused by other side: [Errno 111] Connection refused; "
        "[2001:db8::2]:80: User timeout caused connection failure."
    )


def test_theLastErrorsOSErrorIsKept() -> None:
    cause = OSError(111, "Connection refused")
    last = error.ConnectionRefusedError(cause)
    network = Network({V6[0]: (0.0, error.NoRouteError()), V4[0]: (0.0, last)})

    raised = connect(network).error

    assert type(raised) is error.ConnectionRefusedError
    assert raised.osError is cause
    assert raised.__cause__ is last


def test_theOnlyAddressesErrorIsHandedOnAsItIs() -> None:
    refused = error.ConnectionRefusedError()

    assert connect(Network({V4[0]: (0.0, refused)})).error is refused


def test_anErrorWithItsOwnConstructorBecomesAConnectError() -> None:
    class Odd(error.ConnectError):
        def __init__(self) -> None:
            super().__init__(string="odd")

    outcome = connect(Network({V6[0]: (0.0, Odd()), V4[0]: (0.0, Odd())}))

    assert type(outcome.error) is error.ConnectError
    assert str(outcome.error).count("odd") == 2


def test_anErrorOfTheProgramIsNoConnectError() -> None:
    class Broken(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            raise RuntimeError("a bug")

    network = Network({V6[0]: (0.0, CONNECTS), V4[0]: (0.0, CONNECTS)})

    outcome = connect(network, Broken())

    assert isinstance(outcome.error, RuntimeError)
    assert [attempt.transport and attempt.transport.aborted for attempt in network.attempts] == [True, True]


# What the name may be


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("example.com", "example.com"),
        (b"example.com", "example.com"),
        ("EXAMPLE.com.", "EXAMPLE.com."),
        ("a_b.example", "a_b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_theResolverIsAskedForTheASCIIForm(host: str | bytes, asked: str) -> None:
    network = Network({})

    connect(network, host=host)

    assert [lookup.name for lookup in network.lookups] == [asked]


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "ex ample",
        "a" * 64,
        ".".join(["a" * 49] * 6),
        "nul\0",
        "a/b",
        "[::1]",
        "\u2ff0",
        "1:2",
        "ä..b",
    ],
)
def test_whatCantBeAHostNameIsAnErrorOfConnect(host: str) -> None:
    network = Network({})

    outcome = connect(network, host=host)

    assert isinstance(outcome.error, ValueError)
    assert str(outcome.error).startswith("invalid hostname: ")
    assert network.lookups == []


def test_bytesThatAreNotASCIIAreNoHostName() -> None:
    assert str(connect(Network({}), host=b"\xff").error) == "invalid hostname: \\xff"


@pytest.mark.parametrize("host", ["192.0.2.1", b"192.0.2.1", "2001:db8::1", "fe80::1%eth0"])
def test_anAddressIsNotLookedUp(host: str | bytes) -> None:
    text = host if isinstance(host, str) else host.decode()
    network = Network({text: (0, CONNECTS)})

    outcome = connect(network, host=host)

    assert outcome.protocol.made == 1
    assert network.history() == [(text, 0, 0, "connected")]
    assert network.lookups == []


def test_aLinkLocalAddressKeepsItsScope() -> None:
    network = Network({"fe80::1%2": (0, CONNECTS)}, lookup=None)
    outcome = connect(network)

    receiver = network.lookups[0].receiver
    receiver.addressResolved(IPv6Address("TCP", "fe80::1", 80, 0, 2))
    receiver.resolutionComplete()

    assert outcome.protocol.made == 1


def test_anAddressThatIsGivenTwiceIsTriedOnce() -> None:
    network = Network({V4[0]: (0, REFUSES)}, lookup=None)
    connect(network)

    receiver = network.lookups[0].receiver
    for _ in range(2):
        receiver.addressResolved(IPv6Address("TCP", "::1", 80))
    receiver.addressResolved(object())
    network.hosts["::1"] = (0, SILENT)
    receiver.resolutionComplete()
    network.runUntil(5)

    assert [row[0] for row in network.history()] == ["::1"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", "<HostnameEndpoint example.com:80>"),
        ("bücher.example", "<HostnameEndpoint xn--bcher-kva.example:80>"),
        ("::1", "<HostnameEndpoint [::1]:80>"),
        (b"\xff", "<HostnameEndpoint \\xff:80>"),
    ],
)
def test_repr(host: str | bytes, expected: str) -> None:
    assert repr(HostnameEndpoint(Network({}), host, 80)) == expected


# Look-ups that fail


def test_aNameWithoutAddressesIsADNSLookupError() -> None:
    outcome = connect(Network({}))

    assert isinstance(outcome.error, error.DNSLookupError)
    assert "example.com" in str(outcome.error)


@pytest.mark.parametrize("kind", [RuntimeError, asyncio.CancelledError])
def test_aResolverThatRaisesIsADNSLookupError(kind: type[BaseException]) -> None:
    @implementer(IHostnameResolver)
    class Broken:
        def resolveHostName(self, *args: Any, **kwargs: Any) -> Any:
            raise kind("no servers")

    network = Network({})
    raised = connect(network, resolver=Broken(), deadline=60).error

    assert isinstance(raised, error.DNSLookupError)
    assert "no servers" in str(raised)
    assert isinstance(raised.__cause__, kind)
    assert network.getDelayedCalls() == []


def test_aConnectThatCantBeginLeavesNoDeadline() -> None:
    network = Network({})
    results: list[Any] = []
    wrong: Any = []
    endpoint = HostnameEndpoint(network, "127.0.0.1", wrong, deadline=60)
    endpoint.connect(Factory()).addBoth(results.append)

    assert [result.type for result in results] == [TypeError]
    assert network.getDelayedCalls() == []


def test_theResolverMayBeGiven() -> None:
    asked = Network({V4[0]: (0, CONNECTS)})
    network = Network({V4[0]: (0, CONNECTS)})

    assert connect(network, resolver=asked).protocol.made == 1
    assert len(asked.lookups) == 1
    assert network.lookups == []


def test_theReactorsResolverIsTheOneItHasWhenItConnects() -> None:
    network = Network({V4[0]: (0, CONNECTS)})
    later = Network({V4[0]: (0, CONNECTS)})
    endpoint = HostnameEndpoint(network, "example.com", 80)
    network.nameResolver = later

    endpoint.connect(GreeterFactory())

    assert len(later.lookups) == 1


@implementer(IReactorTCP)
class Nameless(Clock):
    """A reactor that can't look names up."""

    def listenTCP(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def connectTCP(self, *args: Any, **kwargs: Any) -> Any:
        self.connected = args[0]


def test_aReactorWithoutAResolverGetsAThreadsAnswerAndAWarning() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"does not provide IReactorPluggableNameResolver \(.*Nameless\)"
    ) as seen:
        endpoint = HostnameEndpoint(Nameless(), "example.com", 80)
    assert [warning.filename for warning in seen] == [__file__]
    asked: list[Any] = []

    def inThread(function: Any, *args: Any) -> Any:
        asked.append(args)
        return succeed([(2, 1, 6, "", ("192.0.2.1", 80))])

    endpoint._deferToThread = inThread
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        endpoint.connect(GreeterFactory())

    assert asked == [("example.com", 80, 0, 1)]
    assert endpoint._reactor.connected == "192.0.2.1"


# Deadlines


def test_theDeadlineHoldsForTheLookup() -> None:
    network = Network({}, lookup=None)

    outcome = connect(network, deadline=2.5)
    network.runUntilIdle()

    assert outcome.at == 2.5
    assert type(outcome.error) is error.TimeoutError
    assert str(outcome.error) == (
        "User timeout caused connection failure: no connection to example.com:80 within 2.5 seconds: "
        "the name look-up gave no answer."
    )
    assert network.lookups[0].cancelled


def test_theDeadlineHoldsForAllAttemptsTogether() -> None:
    network = Network({V6[0]: (0.125, REFUSES), V4[0]: (0, SILENT), V6[1]: (0, SILENT)})

    outcome = connect(network, deadline=0.5)
    network.runUntilIdle()

    assert network.history() == [
        (V6[0], 0, 0.125, "failed"),
        (V4[0], 0.125, 0.5, "cancelled"),
        (V6[1], 0.375, 0.5, "cancelled"),
    ]
    assert outcome.at == 0.5
    assert "[2001:db8::1]:80: Connection was refused by other side" in str(outcome.error)
    assert "192.0.2.1:80: no answer yet; [2001:db8::2]:80: no answer yet" in str(outcome.error)


@pytest.mark.parametrize("hosts", [{V4[0]: (1.0, CONNECTS)}, {V4[0]: (1.0, REFUSES)}, {}])
def test_aDeadlineThatIsNotReachedLeavesNoCall(hosts: Any) -> None:
    network = Network(hosts, lookup=1.0)

    outcome = connect(network, deadline=50)
    network.runUntil(3)

    assert len(outcome.results) == 1
    assert network.getDelayedCalls() == []


# Cancels


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0, 1.125, 1.25, 1.5])
def test_aCancelAtAnyTimeHasOneTypeAndLeavesNothing(at: float) -> None:
    network = Network({V6[0]: (0.25, REFUSES), V4[0]: (0, SILENT), V6[1]: (0, SILENT)}, lookup=1.0)
    outcome = connect(network, deadline=60)
    network.runUntil(at)

    outcome.deferred.cancel()

    assert isinstance(outcome.error, error.ConnectingCancelledError)
    assert outcome.error.address == HostnameAddress(b"example.com", 80)
    assert all(attempt.ended is not None for attempt in network.attempts)
    assert network.lookups[0].cancelled == (at < 1.0)
    # The fake resolver answers late, as one does that can't be stopped.
    network.runUntilIdle()
    assert len(network.attempts) == (0 if at < 1 else len(network.attempts))
    assert network.seconds() <= max(at, 1.0)


@pytest.mark.parametrize("deadline", [None, 60])
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_aCancelOfAnAddressNamesIt(host: str, deadline: float | None) -> None:
    network = Network({host: (0, SILENT)})
    outcome = connect(network, host=host, deadline=deadline)

    outcome.deferred.cancel()

    assert isinstance(outcome.error, error.ConnectingCancelledError)
    assert outcome.error.address == HostnameAddress(host.encode(), 80)
    assert network.history() == [(host, 0, 0, "cancelled")]
    assert network.lookups == []
    assert network.getDelayedCalls() == []


@pytest.mark.parametrize("raised", [NotImplementedError, ZeroDivisionError])
def test_aResolutionThatCantBeCancelledDoesntStopTheCancel(
    raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        "twisted_endpoints._log.Logger.failure", lambda self, text, failure=None: logged.append(text)
    )
    network = Network({}, lookup=None)
    outcome = connect(network)

    def cancel() -> None:
        raise raised

    network.lookups[0].cancel = cancel
    outcome.deferred.cancel()

    assert isinstance(outcome.error, error.ConnectingCancelledError)
    assert bool(logged) == (raised is not NotImplementedError)


def test_aCancelFromTheFactoryStopsTheAttemptItIsIn() -> None:
    network = Network({V6[0]: (1.0, CONNECTS), V4[0]: (1.0, CONNECTS)}, lookup=1.0)

    class Impatient(GreeterFactory):
        def doStart(self) -> None:
            outcome.deferred.cancel()

    outcome = connect(network, Impatient())
    network.runUntilIdle()

    assert isinstance(outcome.error, error.ConnectingCancelledError)
    assert network.history() == [(V6[0], 1, 1, "cancelled")]


@pytest.mark.parametrize("where", ["buildProtocol", "connectionMade"])
def test_aCancelFromTheUsersOwnCodeClosesTheConnection(where: str) -> None:
    network = Network({V6[0]: (1.0, CONNECTS), V4[0]: (0, SILENT)})

    class Impatient(GreeterFactory):
        def buildProtocol(self, addr: Any) -> Any:
            if where == "buildProtocol":
                outcome.deferred.cancel()
            return super().buildProtocol(addr)

    class ImpatientProtocol(Greeter):
        def connectionMade(self) -> None:
            super().connectionMade()
            outcome.deferred.cancel()

    factory = Impatient()
    if where == "connectionMade":
        factory.protocol = ImpatientProtocol
    outcome = connect(network, factory)
    network.runUntilIdle()

    assert isinstance(outcome.error, error.ConnectingCancelledError)
    assert network.attempts[0].transport is not None
    assert network.attempts[0].transport.aborted
    assert network.history()[1] == (V4[0], 0.25, 1, "cancelled")


# Two winners


def test_twoWhoAnswerAtTheSameTimeMakeOneConnection() -> None:
    network = Network({V6[0]: (0.5, CONNECTS), V4[0]: (0.25, CONNECTS)})

    outcome = connect(network)
    network.runUntilIdle()

    assert sorted(row[3] for row in network.history()) == ["cancelled", "connected"]
    assert [protocol.made for protocol in outcome.factory.made] == [1]
    assert outcome.factory.made == [outcome.protocol]


def test_aLoserWhoseReactorConnectsItAllTheSameIsClosed() -> None:
    """Its socket was connected already, and nothing could be stopped."""

    class Stubborn(Attempt):
        def stopConnecting(self) -> None:
            pass

    network = Network({V6[0]: (9, CONNECTS), V4[0]: (0, CONNECTS)})
    outcome = connect(network)
    loser = network.attempts[0]
    loser.__class__ = Stubborn
    network.runUntil(0.25)
    assert outcome.protocol.made == 1

    loser.succeed()

    assert loser.transport is not None
    assert loser.transport.aborted
    assert outcome.factory.made[1:] == [] or outcome.factory.made[1].made == 0


# What is handed to the reactor


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        (None, None),
        ("192.0.2.9", ("192.0.2.9", 0)),
        (b"192.0.2.9", ("192.0.2.9", 0)),
        (("192.0.2.9", 1234), ("192.0.2.9", 1234)),
        ((b"192.0.2.9", 1234), ("192.0.2.9", 1234)),
    ],
)
def test_bindAddressIsHandedToEveryAttempt(given: Any, handed: Any) -> None:
    network = Network({V6[0]: (0, SILENT), V4[0]: (0, SILENT)})

    connect(network, bindAddress=given, timeout=1.5)
    network.runUntil(0.5)

    assert [(a.bindAddress, a.timeout, a.address.port) for a in network.attempts] == [(handed, 1.5, 80)] * 2


def test_whatMakeBindingMadeIsHandedOnAsItIs() -> None:
    binding = object()

    assert HostnameEndpoint(Network({}), "example.com", 80, bindAddress=binding)._bindAddress is binding


def test_itIsAClientEndpoint() -> None:
    verifyObject(IStreamClientEndpoint, HostnameEndpoint(Network({}), "example.com", 80))


# Garbage


@pytest.mark.parametrize("name", [*SCENARIOS, "cancelled", "no addresses", "deadline"])
def test_nothingIsLeftForTheGarbageCollector(name: str) -> None:
    hosts = SCENARIOS[name][0] if name in SCENARIOS else {V6[0]: (0, SILENT), V4[0]: (0, SILENT)}

    def run() -> None:
        network = Network({} if name == "no addresses" else hosts)
        outcome = connect(network, Factory.forProtocol(Greeter), deadline=0.5 if name == "deadline" else None)
        network.runUntil(0.375)
        if name == "cancelled":
            outcome.deferred.cancel()
        network.runUntilIdle()
        assert len(outcome.results) == 1
        network.forget()

    run()
    gc.collect()
    gc.disable()
    try:
        run()
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0


# The resolver that is made of a function


class Receiver:
    """Writes down what a resolver tells it."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:
        self.told.append(resolution)

    def addressResolved(self, address: Any) -> None:
        self.told.append(address.host)

    def resolutionComplete(self) -> None:
        self.told.append("complete")


def test_aFunctionsAnswerIsDelivered() -> None:
    rows = [(10, 1, 6, "", ("::1", 80, 0, 0)), (1, 1, 6, "", ("ignored",)), (2, 1, 6, "", ("127.0.0.1", 80))]
    receiver = Receiver()
    resolver = _SimpleHostnameResolver(lambda host, port: succeed(rows))
    verifyObject(IHostnameResolver, resolver)

    resolution = resolver.resolveHostName(receiver, "example.com", 80)

    assert receiver.told == [resolution, "::1", "127.0.0.1", "complete"]
    assert resolution.name == "example.com"


def test_aFunctionsFailureIsLoggedAndIsNoAddress(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        "twisted_endpoints._log.Logger.failure", lambda self, text, failure=None: logged.append(text)
    )
    receiver = Receiver()

    _SimpleHostnameResolver(lambda host, port: fail(OSError("down"))).resolveHostName(receiver, "example.com")

    assert receiver.told[1:] == ["complete"]
    assert "example.com" in logged[0]


def test_aFunctionsLookupCanBeCancelled() -> None:
    cancelled: list[Any] = []
    looking: Deferred[Any] = Deferred(cancelled.append)
    receiver = Receiver()

    _SimpleHostnameResolver(lambda host, port: looking).resolveHostName(receiver, "example.com").cancel()

    assert cancelled == [looking]
    assert receiver.told[1:] == ["complete"]
