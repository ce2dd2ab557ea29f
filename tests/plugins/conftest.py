"""The fake distributions of the registry's tests."""

from tests.strings.conftest import onlyBuiltin, site

__all__ = ["onlyBuiltin", "site"]
