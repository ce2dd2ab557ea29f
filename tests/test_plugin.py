"""`plugin`: what is found in a package, whatever its modules do."""

from __future__ import annotations

import compileall
import importlib
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from zope.interface import Interface, implementer, provider
from zope.interface.interface import adapter_hooks

from twisted_endpoints import plugin
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.plugin import IPlugin, getCache, getPlugins, pluginPackagePaths

builtinOnly = pytest.mark.skipif(
    vocabulary == "twisted", reason="Twisted's keeps a pickle, or logs otherwise"
)


class IColour(Interface):
    """What the test's plugins provide."""


class IShade(IColour):
    """A more special IColour."""


class ISound(Interface):
    """What none of them provides."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an empty plugin package, ``palette.plugins``."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    made = package(tmp_path / "installed")
    yield made
    for name in set(sys.modules) - before:
        if name.split(".")[0] == "palette":
            del sys.modules[name]


def package(root: Path) -> Path:
    """Write a plugin package below an entry of sys.path."""
    made = root / "palette" / "plugins"
    made.mkdir(parents=True)
    (root / "palette" / "__init__.py").write_text("")
    (made / "__init__.py").write_text(
        "from twisted_endpoints.plugin import pluginPackagePaths\n"
        "__path__.extend(pluginPackagePaths(__name__))\n"
    )
    return made


def write(path: Path, name: str, interface: str = "IColour", first: str = "") -> Path:
    """Write a module with a plugin, a class of that name."""
    path.write_text(
        f'''"""The module of {name}."""
from zope.interface import provider
from twisted_endpoints.plugin import IPlugin
from tests.test_plugin import IColour, IShade
{first}

@provider(IPlugin, {interface})
class {name}:
    """The colour {name}."""

@provider(IColour)
class NoPlugin:
    pass
'''
    )
    return path


def palette() -> ModuleType:
    return importlib.import_module("palette.plugins")


def found(interface: Any = IColour) -> list[str]:
    return sorted(each.__name__ for each in getPlugins(interface, palette()))


def forget(name: str) -> None:
    """Let the next look-up import a module anew."""
    del sys.modules[f"palette.plugins.{name}"]
    delattr(palette(), name)


def test_findsWhatProvidesTheInterface(folder: Path) -> None:
    write(folder / "one.py", "Red")
    write(folder / "two.py", "Green", "IShade")

    assert found() == ["Green", "Red"]
    assert found(IShade) == ["Green"]
    assert found(ISound) == []


def test_findsModulesThatArePackages(folder: Path) -> None:
    (folder / "deep").mkdir()
    write(folder / "deep" / "__init__.py", "Red")
    assert found() == ["Red"]


def test_givesThePluginItself(folder: Path) -> None:
    write(folder / "one.py", "Red")
    (red,) = getPlugins(IColour, palette())
    assert red is importlib.import_module("palette.plugins.one").Red


def test_theCacheDescribesModulesAndPlugins(folder: Path) -> None:
    write(folder / "one.py", "Red")
    (folder / "empty.py").write_text("")

    cache = getCache(palette())

    assert sorted(cache) == ["empty", "one"]
    assert cache["empty"].plugins == []
    dropin = cache["one"]
    assert (dropin.moduleName, dropin.description) == ("palette.plugins.one", "The module of Red.")
    (red,) = dropin.plugins
    assert (red.name, red.description, red.dropin) == ("Red", "The colour Red.", dropin)
    assert set(red.provided) == {IPlugin, IColour}
    assert "Red" in repr(red)
    assert "IColour" in repr(red)


def test_otherFoldersOfSysPathCanDropModulesIn(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = tmp_path / "dropped" / "palette" / "plugins"
    dropped.mkdir(parents=True)
    write(folder / "one.py", "Red")
    write(dropped / "two.py", "Green")
    monkeypatch.syspath_prepend(str(tmp_path / "dropped"))

    assert found() == ["Green", "Red"]


@pytest.mark.parametrize("name", ["one", "another"], ids=["same name", "other name"])
def test_anotherCopyOfThePackageIsHidden(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(folder / "one.py", "Red")
    write(package(tmp_path / "copy") / f"{name}.py", "Green")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "copy")])

    assert found() == ["Red"]


def test_foldersThatAreNoneAreSkipped(folder: Path) -> None:
    module = write(folder / "one.py", "Red")
    palette().__path__.extend([str(folder / "missing"), str(module / "below a file")])
    assert found() == ["Red"]


def test_newChangedAndRemovedModulesAreSeen(folder: Path) -> None:
    write(folder / "one.py", "Red")
    assert found() == ["Red"]

    path = write(folder / "two.py", "Green")
    assert found() == ["Green", "Red"]

    write(path, "Ultramarine")
    forget("two")
    assert found() == ["Red", "Ultramarine"]

    path.unlink()
    forget("two")
    assert found() == ["Red"]


@builtinOnly
def test_aReloadedModuleIsLookedAtAgain(folder: Path) -> None:
    path = write(folder / "one.py", "Red")
    assert found() == ["Red"]
    write(path, "Ultramarine")
    os.utime(path, ns=(1, 1))
    # A reload keeps the old names; only this one shows that it was looked at anew.
    importlib.reload(importlib.import_module("palette.plugins.one"))
    assert "Ultramarine" in found()


def test_aLookUpDoesNotLookAtAnUnchangedModuleAgain(folder: Path) -> None:
    write(folder / "one.py", "Red")
    assert getCache(palette())["one"].plugins[0].name == "Red"
    if vocabulary == "builtin":
        assert getCache(palette())["one"] is getCache(palette())["one"]


def test_aCompiledModuleIsFoundUntilItsSourceIsBack(folder: Path) -> None:
    path = write(folder / "one.py", "Red")
    compileall.compile_dir(folder, quiet=1, legacy=True)
    path.unlink()
    os.utime(folder / "one.pyc", (1, 1))
    assert found() == ["Red"]

    write(path, "Ultramarine")
    forget("one")
    assert found() == ["Ultramarine"]


@pytest.mark.parametrize(
    "first",
    ["import no_such_module", "raise RuntimeError('broken')", "import sys; sys.exit(3)", "1 +"],
    ids=["import", "error", "exit", "syntax"],
)
@builtinOnly
def test_aBrokenModuleBreaksOnlyItself(folder: Path, caplog: pytest.LogCaptureFixture, first: str) -> None:
    write(folder / "broken.py", "Green", first=first)
    write(folder / "one.py", "Red")

    assert found() == ["Red"]
    assert found() == ["Red"]

    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage() == "plugin module palette.plugins.broken is left out, for it can't be imported"
    assert record.exc_info is not None

    write(folder / "broken.py", "Ultramarine")
    assert found() == ["Red", "Ultramarine"], "it is tried again"


@builtinOnly
def test_anObjectThatCanNotBeAskedBreaksOnlyItsModule(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = "class Odd:\n    def __conform__(self, interface):\n        raise OSError('odd')\nodd = Odd()"
    write(folder / "broken.py", "Green", first=odd)
    write(folder / "one.py", "Red")

    assert found() == ["Red"]
    assert len(caplog.records) == 1


@builtinOnly
def test_aKeyboardInterruptIsNotContained(folder: Path) -> None:
    write(folder / "broken.py", "Green", first="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        found()


@builtinOnly
def test_noFileIsReadOrWritten(folder: Path) -> None:
    write(folder / "one.py", "Red")
    crafted = folder / "dropin.cache"
    crafted.write_bytes(pickle.dumps(Bomb()))

    assert found() == ["Red"]

    assert not Bomb.exploded
    assert sorted(path.name for path in folder.iterdir() if path.suffix != "" and path != crafted) == [
        "__init__.py",
        "one.py",
    ]


class Bomb:
    """A pickle that runs code when it is read."""

    exploded = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return explode, ()


def explode() -> None:
    Bomb.exploded = True


@pytest.fixture
def adapters() -> Iterator[list[Any]]:
    before = list(adapter_hooks)
    yield adapter_hooks
    adapter_hooks[:] = before


@builtinOnly
def test_aPluginIsAdapted(folder: Path, adapters: list[Any]) -> None:
    write(folder / "one.py", "Red")

    @implementer(ISound)
    class Sounding:
        def __init__(self, colour: Any) -> None:
            self.colour = colour

    def hook(interface: Any, thing: Any) -> Any:
        return Sounding(thing) if interface is ISound and IColour.providedBy(thing) else None

    adapters.append(hook)
    (sound,) = getPlugins(ISound, palette())
    assert sound.colour.__name__ == "Red"  # type: ignore[attr-defined]


@builtinOnly
def test_anAdapterThatFailsIsLogged(
    folder: Path, adapters: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "one.py", "Red")

    def hook(interface: Any, thing: Any) -> Any:
        if interface is ISound:
            raise SystemExit("no sound")

    adapters.append(hook)
    assert list(getPlugins(ISound, palette())) == []
    (record,) = caplog.records
    assert "does not adapt to <InterfaceClass tests.test_plugin.ISound>" in record.getMessage()


def test_pathsOfAPluginPackage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "a" / "palette" / "plugins"
    real.mkdir(parents=True)
    (real / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b"), "relative"])

    assert pluginPackagePaths("palette.plugins") == [
        str(tmp_path / "b" / "palette" / "plugins"),
        os.path.abspath("relative/palette/plugins"),
    ]


@builtinOnly
def test_byDefaultThisPackagesOwnPluginsAreSearched(monkeypatch: pytest.MonkeyPatch) -> None:
    @provider(IPlugin, ISound)
    class Bell:
        pass

    tcp = importlib.import_module("twisted_endpoints.plugins.tcp")
    monkeypatch.setattr(tcp, "Bell", Bell, raising=False)
    monkeypatch.setattr(plugin, "_found", {})
    assert list(getPlugins(ISound)) == [Bell]


def test_theOlderNameIsTheSameFunction() -> None:
    assert plugin.getPlugIns is getPlugins
