"""The fake distributions of the registry's tests; and Twisted's own deprecated calls are none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strings.conftest import onlyBuiltin, site
from twisted_endpoints._vocabulary import vocabulary

from .tlsfiles import Files

__all__ = ["onlyBuiltin", "site"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Give a folder with certificates and keys."""
    return Files(tmp_path)


def ignoreTwistedsWarnings(items: list[pytest.Item], folder: Path) -> None:
    """Let Twisted's own calls be deprecated, in a folder's tests."""
    if vocabulary == "twisted":
        for item in items:
            if item.path.is_relative_to(folder):
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:OpenSSL"))
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:twisted"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignoreTwistedsWarnings(items, Path(__file__).parent)
