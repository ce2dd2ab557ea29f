"""Who answers to a prefix; and that what is broken breaks only itself (reliability goal G22)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.strings import DescriptionError, clientFromString, registry, serverFromString
from twisted_endpoints.strings.errors import ArgumentsError, PluginError, PluginTypeError, UnknownPrefix
from twisted_endpoints.strings.registry import PrefixConflict

from .distributions import BARE, DECLARED, Site


def error(make: Any, text: str) -> DescriptionError:
    with pytest.raises(DescriptionError) as caught:
        make(object(), text)
    return caught.value


def test_aParserByTheBareInterfaceGetsTexts(site: Site) -> None:
    site.module("bare")
    site.server("bare-dist", "mine = bare:parser")
    site.client("bare-client", "mine = bare:parser")
    reactor = object()
    for make in (serverFromString, clientFromString):
        endpoint: Any = make(reactor, r"MINE:a\:b:[c=d]:e=f")
        assert (endpoint.args, endpoint.kwargs) == ((reactor, "a:b", "c=d"), {"e": "f"})


def test_aDeclaredParserGetsValuesAndExplainsWhatIsWrong(site: Site) -> None:
    site.module("declared", DECLARED)
    site.server("declared-dist", "mine = declared:parser")
    reactor = object()
    endpoint: Any = serverFromString(reactor, "mine:80:flavour=x")
    assert endpoint.seen == (reactor, 80, "x")
    problem = error(serverFromString, "mine:abc")
    assert (problem.position, str(problem)) == (
        5,
        "port must be a number from 0 to 65535, not 'abc'\n    mine:abc\n         ^^^",
    )
    assert "Did you mean 'flavour'?" in str(error(serverFromString, "mine:80:flavor=x"))


def test_aParserThatLeavesRefuses(site: Site) -> None:
    site.module(
        "leaver", "class parser:\n    def parseStreamServer(self, reactor): raise SystemExit('usage')"
    )
    site.server("leaver-dist", "leaver = leaver:parser")
    assert "the parser for 'leaver' refuses this: SystemExit: usage" in str(error(serverFromString, "leaver"))


def test_aDeclaredParserCanBeCalledAsTwistedCallsIt(site: Site) -> None:
    site.module("declared", DECLARED)
    import declared  # type: ignore[import-not-found]

    assert declared.parser.parseStreamServer(None, b"80", flavour=b"x").seen == (None, 80, "x")
    with pytest.raises(ArgumentsError, match="'mine' needs port\n    mine:flavour=x\n"):
        declared.parser.parseStreamServer(None, flavour="x")


def test_aClassIsInstantiated(site: Site) -> None:
    site.module("declared", DECLARED)
    site.server("declared-dist", "mine = declared:Parser")
    assert serverFromString(object(), "mine:80")


def test_rolesAreSeparate(site: Site) -> None:
    site.module("bare")
    site.server("bare-dist", "mine = bare:parser")
    assert serverFromString(object(), "mine:")
    problem = error(clientFromString, "mine:")
    assert isinstance(problem, UnknownPrefix)
    assert "'mine' is for servers only." in str(problem)


def test_onlyTheParserThatIsAskedForIsImported(site: Site) -> None:
    site.module("bare")
    site.module("other")
    site.server("bare-dist", "mine = bare:parser", "other = other:parser")
    assert serverFromString(object(), "mine:")
    assert "bare" in sys.modules
    assert "other" not in sys.modules


def test_aMisspeltPrefixOfAPluginIsRecognizedWithoutImportingIt(site: Site) -> None:
    site.module("bare")
    site.server("bare-dist", "flavour = bare:parser")
    assert "Did you mean 'flavour'?" in str(error(serverFromString, "flavor:"))
    assert "bare" not in sys.modules


BROKEN = {
    "missing module": ("nowhere:parser", "", "ModuleNotFoundError: No module named 'nowhere'"),
    "missing name": ("broken:nobody", BARE, "AttributeError: module 'broken' has no attribute 'nobody'"),
    "import error": ("broken:parser", "import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    "syntax error": ("broken:parser", "def", "SyntaxError: invalid syntax (broken.py, line 1)"),
    "leaves": ("broken:parser", "import sys; sys.exit(3)", "SystemExit: 3"),
    "odd error": ("broken:parser", "class Odd(Exception): ...\nraise Odd", "Odd"),
    "unspeakable error": (
        "broken:parser",
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd",
        "Odd",
    ),
    "no parser": ("broken:parser", "parser = 3", "TypeError: 3 is no parser for servers"),
    "None": ("broken:parser", "parser = None", "TypeError: None is no parser for servers"),
    "wrong role": (
        "broken:parser",
        DECLARED.replace("ServerParser", "ClientParser"),
        "it has no method parseStreamServer()",
    ),
    "wrong declaration": (
        "broken:parser",
        DECLARED.replace("port: Port", "*ports: Port"),
        "TypeError: parameter 'ports' of Parser.build is variadic positional",
    ),
    "wrong annotation": (
        "broken:parser",
        DECLARED.replace("port: Port", "port: list"),
        "is no kind of value",
    ),
    "unknown annotation": (
        "broken:parser",
        DECLARED.replace("port: Port", "port: 'Prot'"),
        "NameError: name 'Prot'",
    ),
    "no build": (
        "broken:parser",
        "from twisted_endpoints.plugins import ServerParser\nclass parser(ServerParser): prefix = 'mine'",
        "TypeError: parser has no method build()",
    ),
    "needs arguments": (
        "broken:parser",
        "class parser:\n    def __init__(self, x): ...",
        "missing 1 required positional argument: 'x'",
    ),
    "not to be parsed": ("!!!", BARE, "AttributeError"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_aBrokenPluginBreaksOnlyItsOwnPrefix(site: Site, case: str) -> None:
    target, source, reason = BROKEN[case]
    site.module("broken", source)
    site.module("bare")
    site.server("Broken_Dist", f"mine = {target}", version="2.3")
    site.server("good-dist", "other = bare:parser")
    problem = error(serverFromString, "MINE:80")
    assert isinstance(problem, PluginError)
    assert str(problem).startswith("the parser for 'mine' can't be loaded: ")
    assert reason in str(problem)
    assert "It belongs to Broken_Dist 2.3: " in str(problem)
    assert "    MINE:80\n    ^^^^\n" in str(problem)
    assert problem.__cause__ is not None
    assert serverFromString(object(), "other:")
    assert serverFromString(object(), "tcp:80")


def test_aBrokenPluginIsTriedAgain(site: Site) -> None:
    site.module("broken", "raise OSError('not yet')")
    site.server("broken-dist", "mine = broken:parser")
    assert "not yet" in str(error(serverFromString, "mine:"))
    site.module("broken")
    # The file's time may be the same: the import system would take the old bytecode for good.
    sys.modules.pop("broken", None)
    for cached in (site.path / "__pycache__").glob("broken*"):
        cached.unlink()
    assert serverFromString(object(), "mine:")


def test_aPersonMayInterruptALoad(site: Site) -> None:
    site.module("broken", "raise KeyboardInterrupt")
    site.server("broken-dist", "mine = broken:parser")
    with pytest.raises(KeyboardInterrupt):
        serverFromString(object(), "mine:")


FAILING = {
    "ValueError": ("raise ValueError('no such flavour')", PluginError, "refuses this: no such flavour"),
    "TypeError": ("raise TypeError('too few')", PluginTypeError, "refuses this: TypeError: too few"),
    "KeyError": ("raise KeyError('x')", PluginError, "refuses this: KeyError: 'x'"),
    "OSError": (
        "raise FileNotFoundError(2, 'gone', 'f')",
        PluginError,
        "FileNotFoundError: [Errno 2] gone: 'f'",
    ),
    "no text": ("raise ValueError", PluginError, "refuses this: ValueError"),
    "recursion": ("deep = lambda again: again(again); return deep(deep)", PluginError, "RecursionError"),
    "None": ("return None", PluginError, "has no attribute 'listen'"),
}


@pytest.mark.parametrize("case", FAILING)
def test_whatAParserRaisesIsChained(site: Site, case: str) -> None:
    body, kind, reason = FAILING[case]
    source = (
        f"class Parser:\n    def parseStreamServer(self, reactor, *args):\n        {body}\nparser = Parser()"
    )
    site.module("failing", source)
    site.server("failing-dist", "mine = failing:parser")
    problem = error(serverFromString, "mine:80")
    assert type(problem) is kind
    assert isinstance(problem, TypeError) == (kind is PluginTypeError)
    assert str(problem).startswith("the parser for 'mine' refuses this: ")
    assert reason in str(problem)
    assert str(problem).endswith("\n    mine:80\n    ^^^^^^^\nThe parser is from failing-dist 1.0.")
    assert problem.__cause__ is not None


def test_aKeywordCanNotStandForTheReactor(site: Site) -> None:
    site.module("bare")
    site.server("bare-dist", "mine = bare:parser")
    assert isinstance(error(serverFromString, "mine:reactor=x"), PluginTypeError)


def test_aParsersOwnDescriptionErrorPasses(site: Site) -> None:
    source = """
        from twisted_endpoints.strings import serverFromString

        class Parser:
            def parseStreamServer(self, reactor, inner):
                return serverFromString(reactor, inner)

        parser = Parser()
    """
    site.module("outer", source)
    site.server("outer-dist", "outer = outer:parser")
    assert serverFromString(object(), "outer:[outer:[tcp:80]]")
    problem = error(serverFromString, "outer:[outer:[tcp:abc]]")
    assert (problem.description, problem.position) == ("tcp:abc", 4)


def test_interruptsPassThroughAParser(site: Site) -> None:
    source = "class Parser:\n    def parseStreamServer(self, reactor):\n        raise KeyboardInterrupt"
    site.module("failing", source)
    site.server("failing-dist", "mine = failing:Parser")
    with pytest.raises(KeyboardInterrupt):
        serverFromString(object(), "mine")


def test_theFirstDistributionByNameWinsAndAWarningNamesBoth(site: Site) -> None:
    site.module("bare")
    site.module("bare2")
    site.server("b-dist", "mine = bare2:parser")
    site.server("A-dist", "mine = bare:parser")
    with pytest.warns(PrefixConflict) as caught:
        endpoint: Any = serverFromString(object(), "mine:")
    assert [str(warning.message) for warning in caught] == [
        "two parsers for servers claim the prefix 'mine': A-dist 1.0, which is used, and b-dist 1.0"
    ]
    assert type(endpoint).__module__ == "bare"
    assert serverFromString(object(), "mine:")  # and no second warning, which would be an error here


def test_aBuiltinPrefixCanNotBeTaken(site: Site) -> None:
    site.module("bare")
    site.server("thief", "tcp = bare:parser", "mine = bare:parser")
    assert type(serverFromString(object(), "tcp:80")).__name__ == "TCP4ServerEndpoint"
    with pytest.warns(PrefixConflict, match="'tcp': twisted-endpoints, which is used, and thief 1.0"):
        serverFromString(object(), "mine:")
    assert type(serverFromString(object(), "TCP:80")).__name__ == "TCP4ServerEndpoint"


def test_aDistributionThatIsThereTwiceIsNoConflict(site: Site, tmp_path: Any, monkeypatch: Any) -> None:
    site.module("bare")
    site.server("same-dist", "mine = bare:parser")
    (tmp_path / "second").mkdir()
    Site(tmp_path / "second", monkeypatch).server("Same.Dist", "mine = bare:parser")
    assert serverFromString(object(), "mine:")


def test_ourOwnEntryPointsAreNoConflict(site: Site) -> None:
    site.module("bare")
    site.server("twisted_endpoints", "tcp = twisted_endpoints.plugins.tcp:server", "mine = bare:parser")
    assert isinstance(error(serverFromString, "mine:"), UnknownPrefix)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe[twisted_endpoints.stream_server_parsers]\n",
        b"twisted_endpoints.stream_server_parsers\n[[[\n=\n",
    ],
    ids=["no text", "no syntax"],
)
@pytest.mark.filterwarnings("ignore")
def test_damagedMetadataHidesNobodyElsesParser(site: Site, data: bytes) -> None:
    site.module("bare")
    site.install("damaged", data)
    site.server("good-dist", "mine = bare:parser")
    assert serverFromString(object(), "mine:")


def test_aDistributionWithoutAName(site: Site) -> None:
    site.module("broken", "raise ValueError('x')")
    site.server("nameless", "mine = broken:parser", version=None)
    assert "can't be loaded: ValueError: x" in str(error(serverFromString, "mine:"))


def test_whatIsInstalledLaterIsFoundAfterRefresh(site: Site) -> None:
    site.module("bare")
    assert isinstance(error(serverFromString, "mine:"), UnknownPrefix)
    site.server("late-dist", "mine = bare:parser")
    registry.refresh()
    assert serverFromString(object(), "mine:")


def test_aNewPlaceOnThePathIsSeenWithoutRefresh(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.module("bare")
    site.server("late-dist", "mine = bare:parser")
    path = list(sys.path)
    with monkeypatch.context() as without:
        without.setattr(sys, "path", path[1:])
        registry.refresh()
        assert isinstance(error(serverFromString, "mine:"), UnknownPrefix)
    assert sys.path == path
    assert serverFromString(object(), "mine:")


PROBE = """
import sys
import twisted_endpoints.strings as strings
strings.{make}(object(), {text!r})
print([name for name in {unwanted} if name in sys.modules])
"""


@pytest.mark.parametrize(("make", "text"), [("serverFromString", "tcp:80"), ("clientFromString", "unix:/x")])
def test_builtinPrefixesLookAtNoPlugins(make: str, text: str) -> None:
    environment = {**os.environ, "TWISTED_ENDPOINTS_VOCABULARY": "builtin"}
    unwanted = ["importlib.metadata", "OpenSSL", "difflib", "twisted.plugins"]
    code = PROBE.format(make=make, text=text, unwanted=unwanted)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_everythingNamesTheBrokenAndTheHidden(site: Site) -> None:
    site.module("broken", "raise ValueError('x')")
    site.module("bare")
    site.server("b-dist", "mine = bare:parser", "tcp = bare:parser")
    site.server("a-dist", "mine = broken:parser")
    rows = [(found.prefix, found.origin, found.problem is None) for found in registry.servers.everything()]
    builtin = sorted(registry.BUILTIN_SERVERS)
    assert rows[: len(builtin)] == [(prefix, "twisted-endpoints", True) for prefix in builtin]
    assert rows[len(builtin) : len(builtin) + 3] == [
        ("mine", "a-dist 1.0", False),
        ("mine", "b-dist 1.0", True),
        ("tcp", "b-dist 1.0", True),
    ]


@pytest.mark.skipif(
    vocabulary != "twisted", reason="twisted.plugins is looked at in Twisted's vocabulary only"
)
class TestTwistedsPlugins:
    def drop(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, source: str, name: str = "our_dropin"
    ) -> None:
        import twisted.plugins

        folder = site.path / "dropins"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(source)
        monkeypatch.setattr(twisted.plugins, "__path__", [*twisted.plugins.__path__, str(folder)])

    SOURCE = """
from zope.interface import implementer
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import IPlugin

class Endpoint:
    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
    def listen(self, factory): ...

@implementer(IPlugin, IStreamServerEndpointStringParser)
class Parser:
    def parseStreamServer(self, *args, **kwargs):
        return Endpoint(*args, **kwargs)

"""

    def test_aPluginOfTwistedsIsFound(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drop(site, monkeypatch, self.SOURCE + "parser = Parser(); parser.prefix = 'Dropped'")
        reactor = object()
        endpoint: Any = serverFromString(reactor, "dropped:a:b=c")
        assert (endpoint.args, endpoint.kwargs) == ((reactor, "a"), {"b": "c"})
        assert "dropped" in registry.servers.names()

    def test_theirOddPropertiesSpoilNothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        odd = "class Odd(Parser):\n    prefix = property(lambda self: 1 / 0)\na = Odd()\n"
        mute = "@implementer(IPlugin, IStreamServerEndpointStringParser)\nclass Mute:\n    prefix = 'mute'\n"
        mute += "b = Mute()\n"
        self.drop(site, monkeypatch, self.SOURCE + odd + mute + "c = Parser(); c.prefix = 'dropped'")
        assert serverFromString(object(), "dropped:")
        assert "it has no method parseStreamServer()" in str(error(serverFromString, "mute:"))

    def test_thoseWithoutAPrefixSpoilNothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        source = (
            self.SOURCE + "a = Parser()\nb = Parser(); b.prefix = None\nc = Parser(); c.prefix = b'bytes'\n"
        )
        self.drop(site, monkeypatch, source + "d = Parser(); d.prefix = 'dropped'")
        assert serverFromString(object(), "dropped:")
        assert serverFromString(object(), "bytes:")

    def test_brokenModulesSpoilNothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drop(site, monkeypatch, "import nowhere", "a_broken_dropin")
        self.drop(site, monkeypatch, self.SOURCE + "parser = Parser(); parser.prefix = 'dropped'")
        assert serverFromString(object(), "dropped:")

    def test_ourParsersAndEntryPointsComeFirst(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.module("bare")
        site.server("bare-dist", "mine = bare:parser")
        source = self.SOURCE + "a = Parser(); a.prefix = 'tcp6'\nb = Parser(); b.prefix = 'mine'"
        self.drop(site, monkeypatch, source)
        assert type(serverFromString(object(), "tcp6:80")).__module__ == "twisted_endpoints.endpoints.tcp"
        assert type(serverFromString(object(), "mine:")).__module__ == "bare"

    def test_whatWeDoNotHaveIsTwisteds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(registry.BUILTIN_SERVERS, "systemd")
        registry.refresh()
        found = registry.servers.names()
        registry.servers._search("systemd")
        assert "systemd" in registry.servers.names() - found

    def test_damagedPluginsAreToldByTheLogOnly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def getPlugins(interface: Any) -> Any:
            raise TypeError("argument of type 'int' is not iterable")

        monkeypatch.setattr(registry, "getPlugins", getPlugins)
        registry.refresh()
        assert isinstance(error(serverFromString, "nobody:"), UnknownPrefix)
