"""
Whose words endpoints speak: Twisted's objects, where Twisted can be imported, or the ones written here.

Theory.  A Deferred, a Failure, an interface or an error is only useful to a program if it is *the* Deferred
that the program's other libraries know: zope compares interfaces by identity, `except` compares classes by
identity.  So a process speaks one vocabulary, decided once, when `twisted_endpoints` is first imported, and
everything in this package imports these names from `twisted_endpoints.X` and never asks again.

The public module `twisted_endpoints/X.py` *is* the built-in implementation.  Where Twisted's is to be used,
a finder on `sys.meta_path` answers the import of `twisted_endpoints.X` with Twisted's own module, so both
names lead to one object. It happens when X is imported and not before: `tcp:` never loads OpenSSL because
`ssl` is in the table.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

#: Our module (below `twisted_endpoints`) and the module of Twisted that it is the twin of.
TWINS = {
    "address": "twisted.internet.address",
    "defer": "twisted.internet.defer",
    "error": "twisted.internet.error",
    "failure": "twisted.python.failure",
    "interfaces": "twisted.internet.interfaces",
    "plugin": "twisted.plugin",
    "policies": "twisted.protocols.policies",
    "protocol": "twisted.internet.protocol",
    "service": "twisted.application.service",
    "services": "twisted.application.internet",
    "ssl": "twisted.internet.ssl",
    "task": "twisted.internet.task",
    "testing": "twisted.internet.testing",
    "threads": "twisted.internet.threads",
    "tls": "twisted.protocols.tls",
    "utils": "twisted.internet.utils",
}

#: The environment variable that overrides the decision: ``auto`` (the default), ``builtin`` or ``twisted``.
VARIABLE = "TWISTED_ENDPOINTS_VOCABULARY"


def _decide(wish: str) -> str:
    """
    Turn the value of the environment variable into ``"builtin"`` or ``"twisted"``.

    Raises:
        ImportError: the value is none of the three, or Twisted is demanded and not installed.
    """
    if wish not in ("auto", "builtin", "twisted"):
        raise ImportError(f"{VARIABLE}={wish!r}: expected 'auto', 'builtin' or 'twisted'")
    if wish == "builtin":
        return "builtin"
    # Not `find_spec("twisted")`: an empty folder of that name on sys.path is a namespace package, and no
    # Twisted.
    installed = find_spec("twisted") is not None and find_spec("twisted.internet") is not None
    if wish == "twisted" and not installed:
        raise ImportError(f"{VARIABLE}=twisted, but Twisted is not installed: pip install twisted")
    return "twisted" if installed else "builtin"


class _TwinFinder:
    """
    Answers ``import twisted_endpoints.X`` with Twisted's module, for each X in `TWINS`.

    A finder and a loader by their methods alone: to derive from `importlib.abc`'s classes would import
    `tempfile` and `random`, and cost most of the time that this package takes to import.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if package != __package__ or name not in TWINS:
            return None
        return ModuleSpec(fullname, self)  # type: ignore[arg-type]  # a Loader in all but name

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # Put in place of the empty module, not returned by create_module: importlib would give Twisted's
        # module a new __spec__.  The import system takes what stands in sys.modules after this call.
        name = module.__name__
        sys.modules[name] = importlib.import_module(TWINS[name.rpartition(".")[2]])


#: The decision: ``"twisted"`` or ``"builtin"``.
vocabulary = _decide(os.environ.get(VARIABLE, "").strip().lower() or "auto")

if vocabulary == "twisted":
    sys.meta_path.insert(0, _TwinFinder())
