"""The surface and the floors of the package (DESIGN.md 2 and 7.13), held by reading the sources."""

from __future__ import annotations

import ast
import configparser
import importlib
import pkgutil
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TypeVar

import pytest

import twisted_endpoints
from twisted_endpoints._vocabulary import TWINS, vocabulary

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "twisted_endpoints"

#: The floors, lowest first: a module imports from its own floor and from those below it, never from above.
FLOORS: list[set[str]] = [
    {"_version", "_vocabulary"},
    {"_log"},
    # pure: text and values
    {
        "strings.errors",
        "strings.description",
        "strings.kinds",
        "strings._hints",
        "strings.arguments",
        "strings.wrapping",
        "endpoints._racing",
    },
    {"vocabulary"},
    {"_stdio", "asyncioreactor", "endpoints", "haproxy", "relay", "stdio"},
    {"plugins"},
    {"strings._distributions", "strings.registry"},
    {"strings.construct"},
    {"strings", "reactor", "strports"},
    {"cli", "__main__", ""},
]

#: Modules of the vocabulary that have no twin: parts of those that have one.
VOCABULARY_PARTS = {
    *("_faketraceback", "_fields", "_installed", "_lines", "_lockfile", "_provided", "_reasons", "_tls"),
    "_producing",
}

#: Where what a module offers is defined, if not in the module itself or in a package of that name.
HOMES = {"ssl": ("twisted_endpoints._tls", "service_identity"), "tls": ("twisted_endpoints._tls",)}

#: Imports that go up on purpose, each with the reason.
UPWARD = {
    ("defer", "reactor"): "DeferredFilesystemLock without a scheduler takes the installed reactor",
    ("task", "reactor"): "react() without a reactor takes the installed one, when it is called",
    ("threads", "reactor"): "deferToThread() takes the installed reactor, when it is called",
    ("_installed", "reactor"): "who is given no reactor takes the installed one, when it is needed",
    ("protocol", "reactor"): "ReconnectingClientFactory takes the installed reactor's clock, when it retries",
    ("policies", "reactor"): "TimeoutMixin and the factories take the installed reactor, for timers",
    ("endpoints", "strings"): "the twin of twisted.internet.endpoints offers clientFromString, lazily",
    ("endpoints", "plugins"): "documented parser classes, lazily",
    ("endpoints._compat", "strings"): "documented internals of the mini-language, re-told on top of it",
    ("endpoints._compat", "plugins"): "documented internals of the mini-language, re-told on top of it",
    ("endpoints._compatTLS", "plugins"): "documented internals of the mini-language, re-told on top of it",
    ("plugins._wrapping", "strings.construct"): "endpoint= is a string too, made when it is there",
    ("", "strings"): "what users import most, lazily",
}


def floor(module: str) -> int:
    """Give the floor of a module, named without the package's own name."""
    head = module.split(".")[0]
    if head in TWINS or head in VOCABULARY_PARTS:
        return next(i for i, names in enumerate(FLOORS) if "vocabulary" in names)
    for name in (module, ".".join(module.split(".")[:2]), head):
        for i, names in enumerate(FLOORS):
            if name in names:
                return i
    raise AssertionError(f"{module!r} stands on no floor: give it one in FLOORS")


def sources() -> list[tuple[str, Path]]:
    """List every module of the package with its file."""
    rows = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        rows.append((".".join(parts), path))
    return rows


def imported(module: str, path: Path) -> Iterator[str]:
    """Yield what a module imports from this package at run time, named without the package's own name."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    known = {name for name, _ in sources()}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = [part for part in package if part][: len([p for p in package if p]) - node.level + 1]
                target = [*base, *(node.module.split(".") if node.module else [])]
            elif (node.module or "").split(".")[0] == "twisted_endpoints":
                target = (node.module or "").split(".")[1:]
            else:
                continue
            for alias in node.names:
                whole = ".".join([*target, alias.name])
                yield whole if whole in known else ".".join(target)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "twisted_endpoints":
                    yield ".".join(alias.name.split(".")[1:])


@pytest.mark.parametrize(
    ("module", "path"), sources(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_importsGoDown(module: str, path: Path) -> None:
    for target in imported(module, path):
        allowed = any(
            (source, sink) in UPWARD
            for source in (module, module.split(".")[0])
            for sink in (target, target.split(".")[0])
        )
        assert floor(target) <= floor(module) or allowed, (
            f"{module or 'the package'} imports {target}, a floor above"
        )


@pytest.mark.parametrize(
    ("module", "path"), sources(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_fewModulesAskForTwisted(module: str, path: Path) -> None:
    # asyncioreactor: `install` registers the reactor under Twisted's name too
    allowed = {"_vocabulary", "_log", "reactor", "asyncioreactor", "strings.registry"}
    asks = re.findall(r"^\s*(?:from|import) (?:twisted\b(?!_)\S*|\S*_vocabulary)", path.read_text(), re.M)
    asks += re.findall(r"from \.+_vocabulary", path.read_text())
    assert module in allowed or module == "" or not asks, f"{module}: {asks}"


@pytest.mark.parametrize(
    ("module", "path"), sources(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_everyFileHasAReaderInMind(module: str, path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} says nothing about itself"
    assert len(text.splitlines()) <= 450, f"{path} is longer than a reader sits"


def everyModule() -> list[str]:
    """List the importable names of this package's modules in this vocabulary."""
    names = []
    for found in pkgutil.walk_packages([str(PACKAGE)], "twisted_endpoints."):
        head = found.name.split(".")[1]
        if head == "__main__" or found.name == "twisted_endpoints.reactor":
            continue
        if vocabulary == "twisted" and head in TWINS:
            continue  # that is Twisted's module, and has Twisted's surface
        names.append(found.name)
    return names


@pytest.mark.parametrize("name", everyModule())
def test_namesInAllExist(name: str) -> None:
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of names that are offered all the same
        assert [entry for entry in listed if not hasattr(module, entry)] == []
    assert len(set(listed)) == len(listed)


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's modules have Twisted's surface")
@pytest.mark.parametrize("name", TWINS)
def test_starImportsBringTheModulesOwnNames(name: str) -> None:
    module = importlib.import_module(f"twisted_endpoints.{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of names that are offered all the same
        values = {entry: getattr(module, entry) for entry in module.__all__}
    assert [entry for entry, value in values.items() if isinstance(value, (TypeVar, ModuleType))] == []
    homes = (module.__name__, *HOMES.get(name, ()))
    assert [
        entry
        for entry, value in values.items()
        if isinstance(value, (type, FunctionType)) and not value.__module__.startswith(homes)
    ] == []


def test_theTopOffersWhatItLists() -> None:
    assert [
        name for name in twisted_endpoints.__all__ if getattr(twisted_endpoints, name, None) is None
    ] == []


def test_builtinParsersAreTheEntryPointsOfSetupCfg() -> None:
    from twisted_endpoints.strings import registry

    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    groups = parser["options.entry_points"]

    def rows(group: str) -> dict[str, str]:
        lines = groups[group].strip().splitlines()
        return {name.strip(): target.strip() for name, _, target in (line.partition("=") for line in lines)}

    assert rows("twisted_endpoints.stream_server_parsers") == registry.BUILTIN_SERVERS
    assert rows("twisted_endpoints.stream_client_parsers") == registry.BUILTIN_CLIENTS


@pytest.mark.skipif(vocabulary == "twisted", reason="Twisted's modules import what they will")
def test_endpointsAreALightImport() -> None:
    heavy = {"asyncio", "dataclasses", "importlib.metadata", "inspect", "logging", "ssl", "tempfile"}
    program = "import sys, twisted_endpoints.endpoints; print(*sys.modules)"
    # Without the site module, which in an editable installation imports much of its own.
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ran.stdout.split())
    assert loaded & heavy == set()
    assert len(loaded) <= 200
