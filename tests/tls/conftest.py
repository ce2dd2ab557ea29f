from __future__ import annotations

from pathlib import Path

import pytest

from twisted_endpoints._vocabulary import vocabulary


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if vocabulary == "twisted":
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                # Twisted's own calls of pyOpenSSL.
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:OpenSSL"))
                item.add_marker(pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:twisted"))
