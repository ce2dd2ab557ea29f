"""Compiles `load.c` when it is first needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .rows import Unavailable

SOURCE = Path(__file__).with_name("load.c")


def loadProgram() -> Path:
    """
    Give the compiled program, from the user's cache folder.

    Raises:
        Unavailable: there is no C compiler.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twisted-endpoints-benchmarks"
    program = cache / f"load-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    if program.exists():
        return program
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise Unavailable("the load generator needs a C compiler: install gcc or clang, or set CC")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        made = Path(work) / "load"
        subprocess.run([compiler, "-O2", "-o", str(made), str(SOURCE)], check=True)
        # Renamed into place: another sample may compile at the same moment.
        made.replace(program)
    return program
