"""Services whose state isn't all worth a pickle."""

from __future__ import annotations

from typing import Any

from ..service import Service


class _PassingService(Service):
    """
    A service that is pickled, or copied, without what it has only while it runs.

    Attributes:
        volatile: the names of those attributes.
    """

    volatile: list[str] = []

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name not in self.volatile}
