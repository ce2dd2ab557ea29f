"""
Finds plugins in the modules of a package; the twin of `twisted.plugin`.

A plugin package is a package whose `__path__` is extended by `pluginPackagePaths`, so that other
distributions, and a user's own folders, can drop modules into it.  A plugin is an object at the top of such a
module that provides `IPlugin` and the interface that `getPlugins` is asked for.

Twisted's keeps a pickle beside the modules, so that a new process need not import them all.  Who can write
that file can run code in every program that looks for plugins, and a damaged one hides them all.  So there is
no file here: the modules are imported, once a process, and what was found in a module is kept for as long as
the module is.  The parsers of this package are not found this way, but by entry points
(`twisted_endpoints.strings`), which import only the one that is asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from zope.interface import Interface, providedBy

from ._log import Logger

__all__ = [
    "CachedDropin",
    "CachedPlugin",
    "IPlugin",
    "getCache",
    "getPlugIns",
    "getPlugins",
    "pluginPackagePaths",
]

_T = TypeVar("_T")

_log = Logger(__name__)

#: What may go wrong in somebody else's module: all but what a person or the interpreter wants of its process.
#: A module that calls sys.exit() is a broken plugin and no reason to exit.
_BROKEN = (Exception, SystemExit)


class IPlugin(Interface):
    """Marks an object that `getPlugins` may find; another interface says what it is good for."""


class CachedPlugin:
    """
    What is known of a plugin.

    Calling an interface on it, as `getPlugins` does, gives the plugin itself, if that provides or adapts to
    it.

    Args:
        dropin: the module that it is in.
        name: its name in the module.
        description: its docstring.
        provided: the interfaces that it provides.
    """

    def __init__(self, dropin: CachedDropin, name: str, description: str | None, provided: list[Any]) -> None:
        self.dropin = dropin
        self.name = name
        self.description = description
        self.provided = provided
        dropin.plugins.append(self)

    def load(self) -> Any:
        """Give the plugin itself."""
        return getattr(importlib.import_module(self.dropin.moduleName), self.name)

    def __conform__(self, interface: Any, registry: Any = None, default: Any = None) -> Any:
        """Answer zope.interface when the interface is called with this object."""
        plugin = self.load()
        if any(provided.isOrExtends(interface) for provided in self.provided):
            return plugin
        return interface(plugin, default)

    getComponent = __conform__

    def __repr__(self) -> str:
        provided = ", ".join(interface.__name__ for interface in self.provided)
        return f"<CachedPlugin {self.name!r}/{self.dropin.moduleName!r} (provides {provided!r})>"


class CachedDropin:
    """
    The plugins of one module.

    Args:
        moduleName: the module's full name.
        description: the module's docstring.
    """

    def __init__(self, moduleName: str, description: str | None) -> None:
        self.moduleName = moduleName
        self.description = description
        self.plugins: list[CachedPlugin] = []


#: What was found in each module, and when the module's file was changed then.
_found: WeakKeyDictionary[ModuleType, tuple[int | None, CachedDropin]] = WeakKeyDictionary()

#: How each broken module failed last, so that a look-up does not repeat the log of the one before.
_failed: dict[str, str] = {}


def getCache(module: ModuleType) -> dict[str, CachedDropin]:
    """
    Look for plugins in a package.

    A module that can't be imported is logged and left out; it is tried again in the next look-up, and logged
    again if it fails otherwise.

    Args:
        module: the package.

    Returns:
        The modules directly below it, also those without plugins, by their names in the package.
    """
    # Modules may have been added since the import system last looked.
    importlib.invalidate_caches()
    found = {}
    for info in iter_modules(module.__path__):
        name = f"{module.__name__}.{info.name}"
        try:
            found[info.name] = _dropin(importlib.import_module(name))
        except _BROKEN as error:
            _logOnce(name, error)
        else:
            _failed.pop(name, None)
    return found


def getPlugins(interface: type[_T], package: ModuleType | None = None) -> Iterable[_T]:
    """
    Find the plugins that provide an interface, or can be adapted to it.

    A plugin whose adaption fails is logged and left out.

    Args:
        interface: what they have to provide.
        package: the plugin package to look in; by default `twisted_endpoints.plugins`.

    Returns:
        An iterator over the plugins; the look-up begins with the first of them.
    """
    for dropin in getCache(_pluginsPackage() if package is None else package).values():
        for plugin in dropin.plugins:
            try:
                # An interface is called to adapt; `type[_T]` above tells a type checker what comes out.
                adapted: _T | None = interface(plugin, None)  # type: ignore[call-arg]
            except _BROKEN:
                _log.failure(f"plugin {plugin!r} does not adapt to {interface!r}")
            else:
                if adapted is not None:
                    yield adapted


#: The older name.
getPlugIns = getPlugins


def pluginPackagePaths(name: str) -> list[str]:
    """
    List the folders that may hold more modules of a plugin package, for its ``__init__`` to add to its
    ``__path__``.

    Args:
        name: the package's full name; its ``__name__``.

    Returns:
        For each entry of ``sys.path`` the absolute path that the package would have there; they need not
        exist.  Folders with an ``__init__.py`` are left out: each is another copy of the package, and one
        hides the others.
    """
    folders = [os.path.join(entry, *name.split(".")) for entry in sys.path]
    return [os.path.abspath(f) for f in folders if not os.path.exists(os.path.join(f, "__init__.py"))]


def _pluginsPackage() -> ModuleType:
    return importlib.import_module("twisted_endpoints.plugins")


def _dropin(module: ModuleType) -> CachedDropin:
    """Give what was found in a module; look again if it was imported anew, or its file was changed."""
    stamp = _changed(module)
    known = _found.get(module)
    if known is None or known[0] != stamp:
        known = _found[module] = (stamp, _generateCacheEntry(module))
    return known[1]


def _generateCacheEntry(provider: ModuleType) -> CachedDropin:
    dropin = CachedDropin(provider.__name__, provider.__doc__)
    for name, value in list(vars(provider).items()):
        plugin = IPlugin(value, None)
        if plugin is not None:
            CachedPlugin(dropin, name, value.__doc__, list(providedBy(plugin)))
    return dropin


def _changed(module: ModuleType) -> int | None:
    try:
        return os.stat(module.__file__ or "").st_mtime_ns
    except OSError:
        # In a zip file, or made by a program: it changes only by being imported anew.
        return None


def _logOnce(name: str, error: BaseException) -> None:
    told = f"{type(error).__qualname__}: {error}"
    if _failed.get(name) != told:
        _failed[name] = told
        _log.failure(f"plugin module {name} is left out, for it can't be imported")
