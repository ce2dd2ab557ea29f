"""The fake distributions of the registry's tests; and Twisted's own deprecated calls are none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strings.conftest import onlyBuiltin, site
from twisted_endpoints._vocabulary import vocabulary

__all__ = ["onlyBuiltin", "site"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if vocabulary == "twisted":
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:OpenSSL"))
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:twisted"))
