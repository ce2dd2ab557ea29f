"""The list of where each part of the document is tested names the tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests import spec


def test_theListNamesEachFile() -> None:
    there = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    listed = set(re.findall(r"\btest_\w+", spec.__doc__ or ""))
    assert listed == there - {"test_document"}
