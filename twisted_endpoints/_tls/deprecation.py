"""A decorator for what Twisted deprecates and its users may still call."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def deprecated(since: str, replacement: str = "") -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """
    Make a function warn each time that it is called.

    Args:
        since: the release that deprecated it, as in ``"Twisted 15.0.0"``.
        replacement: what is to be used.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        text = f"{function.__module__}.{function.__qualname__} was deprecated in {since}"
        if replacement:
            text += f"; please use {replacement} instead"

        @wraps(function)
        def warnAndCall(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warnAndCall

    return decorate
