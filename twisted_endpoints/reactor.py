"""
The reactor of this process: ``from twisted_endpoints import reactor``.

Importing this module yields the installed reactor itself, as importing `twisted.internet.reactor` does.
Who installs one first (`twisted_endpoints.asyncioreactor.install`, or in Twisted's vocabulary any
``install()`` of Twisted's) decides which; otherwise an `AsyncioReactor` is installed on first import.  In
Twisted's vocabulary this and `twisted.internet.reactor` are one object, so that a program never has two
event loops.
"""

from __future__ import annotations

import importlib
import sys

from ._vocabulary import vocabulary
from .asyncioreactor import install

# The module takes its own place free, so that `install` finds it so and a failed install can be tried again.
_own = sys.modules.pop(__name__)

if vocabulary == "twisted":
    if "twisted.internet.reactor" not in sys.modules:
        install()
    sys.modules[__name__] = importlib.import_module("twisted.internet.reactor")
else:
    install()
