"""
Draws outcomes as bars, in SVG.  Pure.

A bar begins at 1, which is Twisted, and ends at how many times better a contender is, to the right, or worse,
to the left.  The scale is logarithmic: twice as good is as far from 1 as half as good.  What is far better
goes to the edge, lest all others become small, and ends in a point there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from .rows import BASELINE, Outcome, Ratio, shortly

#: Colours that stand out on white and on black, and what they are for.
COLOURS = {
    "ours-uvloop": ("#1f77d0", "ours on uvloop"),
    "ours": ("#8250df", "ours, without a loop"),
    "ours-asyncio": ("#6aaee8", "ours on asyncio's loop"),
    "uvloop": ("#7d848c", "bare uvloop"),
    "asyncio": ("#a9b0b7", "bare asyncio"),
}

_STYLE = """
.paper { fill: #ffffff }
text { font: 12px sans-serif; fill: #24292f }
.small { font-size: 10px; fill: #57606a }
.title { font-size: 15px; font-weight: bold }
.grid { stroke: #8884; stroke-width: 1 }
.one { stroke: #24292f; stroke-width: 1.5 }
.spread { stroke: #24292f; stroke-width: 1.2 }
.goal { stroke: #d1242f; stroke-width: 2 }
path.spread, path.goal { fill: none }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 }
  .one, .spread { stroke: #e6edf3 } .goal { stroke: #ff7b72 }
}
"""

WIDTH, LEFT, RIGHT = 860, 200, 760
_TOP, _BAR, _LANE, _GAP = 76, 8, 11, 16

#: How long the point is that says that something goes on.
_POINT = 6

#: The ends of the scale.
_WORST, _BEST = 0.125, 8.0


def goalOf(outcome: Outcome, contender: str) -> float | None:
    """Give the ratio that a contender shall reach: the highest, if there are several goals."""
    goals = [outcome.row.goals[contender]] if contender in outcome.row.goals else []
    if outcome.row.limit is not None and contender.startswith("ours"):
        goals.append(outcome.cost(BASELINE) / outcome.row.limit)
    return max(goals, default=None)


def chart(title: str, outcomes: Sequence[Outcome], caption: str) -> str:
    """
    Draw outcomes.

    Args:
        title: stands above.
        outcomes: in this order from top to bottom; one without ratios is left out.
        caption: stands below: when and where it was measured; one line of the picture for each of its lines.

    Returns:
        The text of an SVG file.
    """
    compared = [(outcome, _ratios(outcome)) for outcome in outcomes]
    compared = [(outcome, ratios) for outcome, ratios in compared if ratios]
    scale = _Scale(compared)
    shapes: list[str] = []
    y = _TOP
    for outcome, ratios in compared:
        shapes += _row(outcome, ratios, y, scale)
        y += max(len(ratios) * _LANE, 2 * _LANE) + _GAP
    lines = caption.splitlines()
    if any(scale.beyond(value) for row in compared for value in _values(*row)):
        lines.insert(0, "What ends in a point goes on beyond the scale.")
    height = y + 14 * len(lines) + 8
    grid = []
    for value in scale.ticks:
        x = scale.x(value)
        grid.append(_line(x, _TOP - 8, x, y - _GAP / 2, "one" if value == 1 else "grid"))
        grid.append(_text(x, _TOP - 14, f"{value:g}", "small", "middle"))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            # A ground of its own: not each viewer tells the style whether the page is dark.
            '<rect width="100%" height="100%" class="paper"/>',
            _text(8, 22, title, "title"),
            *_legend({name for _outcome, ratios in compared for name in ratios}),
            _text(8, _TOP - 14, "1 is Twisted on epoll", "small"),
            *grid,
            *shapes,
            *(_text(8, y + 14 * index + 8, line, "small") for index, line in enumerate(lines)),
            "</svg>\n",
        ]
    )


def _ratios(outcome: Outcome) -> dict[str, Ratio]:
    found = {name: outcome.ratio(name) for name in COLOURS}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _values(outcome: Outcome, ratios: dict[str, Ratio]) -> Iterator[float]:
    for name, ratio in ratios.items():
        yield from (ratio.low, ratio.high, goalOf(outcome, name) or 1.0)


class _Scale:
    """
    Where a ratio is, from left to right.

    Args:
        compared: all that is to be shown.
    """

    def __init__(self, compared: Sequence[tuple[Outcome, dict[str, Ratio]]]) -> None:
        values = [0.5, 2.0, *(self._within(value) for row in compared for value in _values(*row))]
        first, last = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
        self._first, self._octave = first, (RIGHT - LEFT) / (last - first)
        self.ticks = [2.0**power for power in range(first, last + 1)]

    def x(self, ratio: float) -> float:
        """Give the place of a ratio."""
        return LEFT + (math.log2(self._within(ratio)) - self._first) * self._octave

    def beyond(self, ratio: float) -> int:
        """Tell where a ratio is: beyond the right edge, 1, beyond the left one, -1, or on the scale, 0."""
        return (ratio > _BEST) - (ratio < _WORST)

    def _within(self, ratio: float) -> float:
        return max(_WORST, min(ratio, _BEST))


def _row(outcome: Outcome, ratios: dict[str, Ratio], y: float, scale: _Scale) -> Iterator[str]:
    yield f"<g><title>{escape(outcome.row.what)}</title>"
    yield _text(8, y + 9, outcome.row.name)
    yield _text(8, y + 21, f"Twisted: {shortly(outcome.cost(BASELINE))} {outcome.row.unit}", "small")
    one = scale.x(1)
    for lane, (name, ratio) in enumerate(ratios.items()):
        top = y + lane * _LANE
        middle = top + _BAR / 2
        end = scale.x(ratio.median)
        yield (
            f'<rect x="{min(one, end):.1f}" y="{top}" width="{abs(end - one):.1f}" height="{_BAR}"'
            f' fill="{COLOURS[name][0]}"/>'
        )
        side = scale.beyond(ratio.median)
        if side:
            yield (
                f'<path d="M{end:.1f} {top} l{_POINT * side} {_BAR / 2} l{-_POINT * side} {_BAR / 2} z"'
                f' fill="{COLOURS[name][0]}"/>'
            )
        yield _line(scale.x(ratio.low), middle, scale.x(ratio.high), middle, "spread")
        for value in (ratio.low, ratio.high):
            yield from _point(value, middle, scale, "spread")
        goal = goalOf(outcome, name)
        if goal is not None and scale.beyond(goal):
            yield from _point(goal, middle, scale, "goal")
        elif goal is not None:
            yield _line(scale.x(goal), top - 1, scale.x(goal), top + _BAR + 1, "goal")
        furthest = max(1.0, ratio.high, goal or 1.0)
        right = scale.x(furthest) + (_POINT if scale.beyond(furthest) else 0)
        yield _text(right + 6, top + _BAR, shortly(ratio.median), "small")
    yield "</g>"


def _point(ratio: float, middle: float, scale: _Scale, style: str) -> Iterator[str]:
    """Draw the head of an arrow at the edge that a ratio is beyond of."""
    side = scale.beyond(ratio)
    if side:
        half = _BAR / 2
        d = f"M{scale.x(ratio):.1f} {middle - half} l{_POINT * side} {half} l{-_POINT * side} {half}"
        yield f'<path d="{d}" class="{style}"/>'


def _legend(used: set[str]) -> Iterator[str]:
    x = 8.0
    for name, (colour, text) in COLOURS.items():
        if name in used:
            yield f'<rect x="{x:.0f}" y="34" width="12" height="{_BAR}" fill="{colour}"/>'
            yield _text(x + 16, 42, text, "small")
            x += 34 + 6 * len(text)
    yield _line(x, 38, x + 12, 38, "spread")
    yield _text(x + 16, 42, "half of the rounds", "small")
    x += 34 + 6 * 18
    yield _line(x + 6, 33, x + 6, 43, "goal")
    yield _text(x + 16, 42, "goal", "small")


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "") -> str:
    style = f' class="{style}"' if style else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}{anchor}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'
