"""Puts our modules in the place of Twisted's in processes that its tests start: see tests/upstream.py."""

import importlib
import os
from typing import Any

from tests.upstream import CHILDREN, onlyOurReactor, substitute

substitute(os.environ[CHILDREN])
# Such a process is told the module of the reactor's class, and calls its `install`.
module: Any = importlib.import_module("twisted_endpoints.asyncioreactor.reactor")
module.install = onlyOurReactor
