"""Diagrams as the shapes of an SVG, which ``plot.html`` writes. Pure.

The horizontal axis is in percent of the width and the vertical one in pixels, so a diagram fills
the page and its text has the same size on any screen. Colours are set by the style sheet. To a
screen reader each is one image, described by ``label``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import TYPE_CHECKING

from ui.pages import insight_strings as words

if TYPE_CHECKING:
    from rag import Bin

LEFT, RIGHT = 9.0, 97.0
"""Horizontal extent of the plot area, in percent of the width; to its left are the axis labels."""

TOP, BOTTOM = 22.0, 216.0
"""Vertical extent, in pixels from the top; below it are the category labels."""

HEIGHT = 252
"""Height of a diagram, in pixels."""

MOST_NAMES = 8
"""Maximum number of category labels, which is what fits on a phone."""

MOST_NUMBERED = 12
"""Maximum number of bars that show their value; with more, the grid lines must do."""

BINS = 20
"""Bins of a histogram."""

_TENTH = 0.1
_ROUND = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """A category and its value; ``said`` is the tooltip."""

    name: str
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Range:
    """A histogram bin with its counts for both kinds of questions."""

    low: float
    high: float
    own: int
    other: int


@dataclass(frozen=True, slots=True)
class Shape:
    """An SVG element with its text, or with the elements in it."""

    tag: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    shapes: Sequence[Shape] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """A diagram: its description, its height in pixels, and what is drawn."""

    label: str
    height: int
    shapes: Sequence[Shape]


def reliability(bins: Sequence[Bin], label: str) -> Plot:
    """Reliability diagram: confidence against the share of answered questions, with intervals; the
    dashed diagonal is perfect calibration.
    """
    drawn: list[Shape] = []
    for quarter in range(5):
        drawn += _upwards(_height(quarter / 4), f"{25 * quarter} %")
    drawn += [_name(_across(quarter / 4), f"{25 * quarter} %") for quarter in range(5)]
    drawn.append(_line("same", _across(0), BOTTOM, _across(1), TOP))
    for one in bins:
        x = _across(one.confidence)
        said = words.SURE_TOLD_BIN.format(
            confidence=_percent(one.confidence), share=_percent(one.share)
        )
        dot = {"class": "dot", "cx": f"{x:.2f}%", "cy": f"{_height(one.share):.1f}", "r": 5}
        interval = _line("interval", x, _height(one.low), x, _height(one.high))
        drawn.append(_explained(said, interval, Shape("circle", dot)))
    return Plot(label, HEIGHT, [*drawn, _axis(words.CONFIDENCE)])


def ranges(own: Sequence[float], other: Sequence[float], threshold: float) -> list[Range]:
    """Histogram bins of equal width over the range of all scores, rounded outwards to tenths.

    There must be at least one score of each kind.
    """
    low = floor(min(*own, *other, threshold) / _TENTH)
    high = max(ceil(max(*own, *other, threshold) / _TENTH), low + 1)
    wide = (high - low) * _TENTH / BINS
    start = low * _TENTH
    counts = [counted(scores, start, high * _TENTH) for scores in (own, other)]
    return [
        Range(start + wide * at, start + wide * (at + 1), mine, others)
        for at, (mine, others) in enumerate(zip(*counts, strict=True))
    ]


def counted(scores: Iterable[float], low: float, high: float, bins: int = BINS) -> list[int]:
    """Count the scores per bin of equal width; the last bin includes its upper end."""
    counts = [0] * bins
    for score in scores:
        counts[min(int((score - low) / (high - low) * bins), bins - 1)] += 1
    return counts


def histogram(found: Sequence[Range], threshold: float, label: str) -> Plot:
    """Back-to-back histogram of scores: in-domain questions upwards, out-of-domain questions
    downwards, and a line at the threshold for an answer.
    """
    low, high = found[0].low, found[-1].high
    middle = (TOP + BOTTOM) / 2
    unit = (middle - TOP) / max(max(one.own, one.other) for one in found)
    wide = (RIGHT - LEFT) / len(found)
    drawn: list[Shape] = []
    for number in steps(round((middle - TOP) / unit))[1:]:
        drawn += _upwards(middle - unit * number, number)
        drawn += _upwards(middle + unit * number, number)
    for at, one in enumerate(found):
        x = LEFT + wide * at + 0.15
        if one.own:
            drawn.append(_bar("own", x, wide - 0.3, middle - unit * one.own, unit * one.own))
        if one.other:
            drawn.append(_bar("other", x, wide - 0.3, middle, unit * one.other))
    tenths = round((high - low) / _TENTH)
    drawn += [
        _name(_across(step / tenths), f"{low + _TENTH * step:.1f}") for step in range(tenths + 1)
    ]
    x = _across((threshold - low) / (high - low))
    drawn += [
        _line("zero", LEFT, middle, RIGHT, middle),
        _line("threshold", x, 4, x, BOTTOM),
        _text("threshold", x, 12, f"{words.ANSWERED_FROM} →", dx=5),
        _text("side", LEFT, middle - 8, words.OWN),
        _text("side last", RIGHT, middle + 17, words.OTHER),
        _axis(words.SCORE),
    ]
    return Plot(label, HEIGHT, drawn)


def bars(columns: Sequence[Bar], label: str) -> Plot:
    """A bar chart, with as many category labels as fit.

    There must be at least one bar, and a value above 0.
    """
    most = max(one.number for one in columns)
    width = (RIGHT - LEFT) / len(columns)
    every = ceil(len(columns) / MOST_NAMES)
    drawn: list[Shape] = []
    for number in steps(most):
        drawn += _upwards(_height(number / most), number)
    for at, one in enumerate(columns):
        x = LEFT + width * at
        height = (BOTTOM - TOP) * one.number / most
        bar = _bar("own", x + 0.12 * width, 0.76 * width, BOTTOM - height, height)
        drawn.append(_explained(one.said, bar))
        if len(columns) <= MOST_NUMBERED:
            drawn.append(_name(x + width / 2, f"{one.number:,}", BOTTOM - height - 6))
        if at % every == 0:
            drawn.append(_name(x + width / 2, one.name))
    return Plot(label, HEIGHT - 16, drawn)


def steps(most: int) -> list[int]:
    """Axis ticks: round numbers from 0 to ``most`` at even distances, three to six of them if it is
    2 or more.
    """
    size = 1
    while most / size > 5:  # noqa: PLR2004
        power = 10 ** (len(str(size)) - 1)
        leading = size // power
        after = _ROUND.index(leading) + 1
        size = power * (_ROUND[after] if after < len(_ROUND) else 10)
    return list(range(0, most + 1, size))


def _across(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share


def _height(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


def _upwards(y: float, name: str | int) -> list[Shape]:
    """A horizontal grid line, ``y`` pixels from the top, with its label on the left."""
    label = name if isinstance(name, str) else f"{name:,}"
    return [_line("grid", LEFT, y, RIGHT, y), _text("number", LEFT, y + 4, label, dx=-6)]


def _name(x: float, name: str, y: float = BOTTOM + 17) -> Shape:
    return _text("name", x, y, name)


def _axis(name: str) -> Shape:
    return _text("axis", RIGHT, BOTTOM + 33, name)


def _text(kind: str, x: float, y: float, text: str, dx: int | None = None) -> Shape:
    """A text, moved by ``dx`` pixels to the right."""
    return Shape("text", {"class": kind, "x": f"{x:.2f}%", "dx": dx, "y": f"{y:.1f}"}, text)


def _bar(kind: str, x: float, width: float, y: float, height: float) -> Shape:
    size = {"width": f"{width:.2f}%", "y": f"{y:.1f}", "height": f"{height:.1f}"}
    return Shape("rect", {"class": kind, "x": f"{x:.2f}%", **size})


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    ends = {"x1": f"{x1:.2f}%", "y1": f"{y1:.1f}", "x2": f"{x2:.2f}%", "y2": f"{y2:.1f}"}
    return Shape("line", {"class": kind, **ends})


def _explained(said: str, *shapes: Shape) -> Shape:
    """Shapes with a tooltip."""
    return Shape("g", shapes=(Shape("title", text=said), *shapes))
