"""Which distribution an object comes from."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from twisted_endpoints.strings._distributions import distributionOf

from .distributions import Site


def ship(site: Site, name: str, *files: str) -> None:
    """Install a distribution that says which files are its own."""
    site.install(name, "")
    folder = site.path / f"{name}-1.0.dist-info"
    # Before Python 3.11 this alone says which packages are a distribution's.
    (folder / "top_level.txt").write_text(files[0].partition("/")[0])
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_aModuleInAFolderThatManyShare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, monkeypatch)
    (tmp_path / "shared_folder").mkdir()
    for name in ("one", "two"):
        (tmp_path / "shared_folder" / f"{name}.py").write_text("class Parser: ...\n")
        ship(site, f"{name}dist", f"shared_folder/{name}.py")
    try:
        found = [
            distributionOf(importlib.import_module(f"shared_folder.{name}").Parser())
            for name in ("one", "two")
        ]
    finally:
        for name in [name for name in sys.modules if name.startswith("shared_folder")]:
            del sys.modules[name]

    assert found == ["onedist 1.0", "twodist 1.0"]


def test_whatNobodyShips() -> None:
    stray = type("Stray", (), {"__module__": "nobodys_module"})

    assert distributionOf(stray()) == "module nobodys_module"
