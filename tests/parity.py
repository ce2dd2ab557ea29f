"""
Describes the modules of the vocabulary, so that ours and Twisted's can be compared.

    TWISTED_ENDPOINTS_VOCABULARY=builtin python -m tests.parity

prints as JSON, for each module, its description, and as ``instances`` what an instance of each class has.  It
runs in a process of its own, because a process has one vocabulary.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from zope.interface.interface import InterfaceClass, Method

from twisted_endpoints._vocabulary import TWINS

ROOT = Path(__file__).parents[1]


def describeInterface(interface: Any) -> dict[str, Any]:
    """Tell an interface's bases and, by name, what each of its members is and where it comes from."""
    members = {}
    for name, member in interface.namesAndDescriptions(all=True):
        kind = type(member).__name__
        signature = repr(sorted(member.getSignatureInfo().items())) if isinstance(member, Method) else None
        members[name] = [kind, member.interface.__name__, signature]
    return {"bases": [base.__name__ for base in interface.__bases__], "members": members}


def describeClass(kind: type) -> dict[str, Any]:
    """Tell a class's public ancestors, the parameters of its public methods, and its other public names."""
    methods = {}
    attributes = []
    for name in dir(kind):
        method = inspect.getattr_static(kind, name)
        function = getattr(method, "__func__", method)
        if name != "__init__" and name.startswith("_"):
            continue
        if not inspect.isfunction(function):
            attributes.append(name)
        else:
            methods[name] = [
                [parameter.name, parameter.kind.name, parameter.default is parameter.empty]
                for parameter in inspect.signature(function).parameters.values()
            ][isinstance(method, classmethod) :]
    ancestors = [base.__name__ for base in kind.__mro__ if not base.__name__.startswith("_")]
    return {"ancestors": ancestors, "methods": methods, "attributes": attributes}


def describe(module: ModuleType) -> dict[str, Any]:
    """Tell what a module has that its users can import."""
    found: dict[str, Any] = {}
    offered = set(getattr(module, "__all__", ()))  # it may be defined elsewhere
    for name in {*vars(module), *offered}:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            value = getattr(module, name)
        own = name in offered or str(getattr(value, "__module__", "")).split("._")[0] == module.__name__
        if isinstance(value, (int, float, str, bytes, list, tuple, dict)):
            own = not name.startswith("_") and name != "TYPE_CHECKING"  # a constant
        if isinstance(value, ModuleType) or not own:
            continue
        if isinstance(value, InterfaceClass):
            found[name] = describeInterface(value)
        elif isinstance(value, type):
            found[name] = describeClass(value)
        else:
            found[name] = type(value).__name__
    return found


def instances() -> dict[str, Any]:
    """Tell which public attributes an instance of each class has that users get to see."""
    from .instances import everyKind

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return {
            name: sorted(entry for entry in dir(made) if entry[0] != "_" and hasattr(made, entry))
            for name, made in everyKind().items()
        }


def described(vocabulary: str) -> Any:
    """Describe the modules of a vocabulary, whatever this process speaks."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.parity"],
        cwd=ROOT,
        env={**os.environ, "TWISTED_ENDPOINTS_VOCABULARY": vocabulary},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(ran.stdout)


if __name__ == "__main__":
    found = {name: describe(importlib.import_module(f"twisted_endpoints.{name}")) for name in TWINS}
    print(json.dumps({**found, "instances": instances()}))
