"""
The mini-language: one string that says where a stream comes from or goes to.

`description` is its grammar, `arguments` and `kinds` what arguments a prefix takes, `registry` who answers to
a prefix, `construct` puts them together, and `errors` says what is wrong.
"""

from __future__ import annotations

from .construct import clientFromString, quoteStringArgument, serverFromString
from .description import Description
from .errors import DescriptionError, DescriptionWarning, UnverifiedServerWarning

__all__ = [
    "Description",
    "DescriptionError",
    "DescriptionWarning",
    "UnverifiedServerWarning",
    "clientFromString",
    "quoteStringArgument",
    "serverFromString",
]
