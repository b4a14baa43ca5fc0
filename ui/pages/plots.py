"""Diagrams as SVG. Pure, without scripts.

The horizontal axis is in percent of the width and the vertical one in pixels, so a diagram fills
the page and its text has the same size on any screen. Colours are set by the style sheet. To a
screen reader each is one image, described by ``label``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
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


def reliability(bins: Sequence[Bin], label: str) -> str:
    """Reliability diagram: confidence against the share of answered questions, with intervals; the
    dashed diagonal is perfect calibration.
    """
    ticks = [
        *(_upwards(_height(share / 4), f"{25 * share} %") for share in range(5)),
        *(_name(_across(share / 4), f"{25 * share} %") for share in range(5)),
    ]
    same = _line("same", _across(0), BOTTOM, _across(1), TOP)
    marks = []
    for one in bins:
        x = _across(one.confidence)
        said = words.SURE_TOLD_BIN.format(
            confidence=_percent(one.confidence), share=_percent(one.share)
        )
        marks.append(
            f"<g><title>{escape(said)}</title>"
            f"{_line('interval', x, _height(one.low), x, _height(one.high))}"
            f'<circle class="dot" cx="{x:.2f}%" cy="{_height(one.share):.1f}" r="5"/></g>'
        )
    axis = _axis(words.CONFIDENCE)
    return _figure(label, "".join(ticks) + same + "".join(marks) + axis)


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


def histogram(found: Sequence[Range], threshold: float, label: str) -> str:
    """Back-to-back histogram of scores: in-domain questions upwards, out-of-domain questions
    downwards, and a line at the threshold for an answer.
    """
    low, high = found[0].low, found[-1].high
    middle = (TOP + BOTTOM) / 2
    unit = (middle - TOP) / max(max(one.own, one.other) for one in found)
    wide = (RIGHT - LEFT) / len(found)
    drawn = []
    for number in steps(round((middle - TOP) / unit))[1:]:
        drawn += [
            _upwards(middle - unit * number, number),
            _upwards(middle + unit * number, number),
        ]
    for at, one in enumerate(found):
        for kind, number in (("own", one.own), ("other", one.other)):
            if number:
                top = middle - unit * number if kind == "own" else middle
                drawn.append(
                    f'<rect class="{kind}" x="{LEFT + wide * at + 0.15:.2f}%" y="{top:.1f}"'
                    f' width="{wide - 0.3:.2f}%" height="{unit * number:.1f}"/>'
                )
    tenths = round((high - low) / _TENTH)
    drawn += [
        _name(_across(step / tenths), f"{low + _TENTH * step:.1f}") for step in range(tenths + 1)
    ]
    x = _across((threshold - low) / (high - low))
    drawn += [
        _line("zero", LEFT, middle, RIGHT, middle),
        _line("threshold", x, 4, x, BOTTOM),
        f'<text class="threshold" x="{x:.2f}%" dx="5" y="12">{words.ANSWERED_FROM} →</text>',
        f'<text class="side" x="{LEFT:.2f}%" y="{middle - 8:.0f}">{words.OWN}</text>',
        f'<text class="side last" x="{RIGHT:.2f}%" y="{middle + 17:.0f}">{words.OTHER}</text>',
    ]
    return _figure(label, "".join(drawn) + _axis(words.SCORE))


def bars(columns: Sequence[Bar], label: str) -> str:
    """A bar chart, with as many category labels as fit.

    There must be at least one bar, and a value above 0.
    """
    most = max(one.number for one in columns)
    width = (RIGHT - LEFT) / len(columns)
    every = ceil(len(columns) / MOST_NAMES)
    drawn = [_upwards(_height(number / most), number) for number in steps(most)]
    for at, one in enumerate(columns):
        x = LEFT + width * at
        height = (BOTTOM - TOP) * one.number / most
        drawn.append(
            f'<g><title>{escape(one.said)}</title><rect class="own" x="{x + 0.12 * width:.2f}%"'
            f' width="{0.76 * width:.2f}%" y="{BOTTOM - height:.1f}" height="{height:.1f}"/></g>'
        )
        if len(columns) <= MOST_NUMBERED:
            drawn.append(_name(x + width / 2, f"{one.number:,}", BOTTOM - height - 6))
        if at % every == 0:
            drawn.append(_name(x + width / 2, one.name))
    return _figure(label, "".join(drawn), HEIGHT - 16)


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


def _upwards(y: float, name: str | int) -> str:
    """A horizontal grid line, ``y`` pixels from the top, with its label on the left."""
    told = name if isinstance(name, str) else f"{name:,}"
    return (
        f"{_line('grid', LEFT, y, RIGHT, y)}"
        f'<text class="number" x="{LEFT:.2f}%" dx="-6" y="{y + 4:.1f}">{told}</text>'
    )


def _name(x: float, name: str, y: float = BOTTOM + 17) -> str:
    return f'<text class="name" x="{x:.2f}%" y="{y:.0f}">{escape(name)}</text>'


def _axis(name: str) -> str:
    return f'<text class="axis" x="{RIGHT:.2f}%" y="{BOTTOM + 33:.0f}">{name}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"/>'


def _figure(label: str, drawn: str, height: int = HEIGHT) -> str:
    return (
        f'<svg class="plot" role="img" aria-label="{escape(label)}" height="{height}">{drawn}</svg>'
    )
