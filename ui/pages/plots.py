"""Numbers → diagrams, as SVG. Pure, and free of scripts.

Across, all is in shares of the width, and upwards in pixels: so a diagram is as wide as the page
lets it be, and its letters are as large on a phone as anywhere. Colours are the style sheet's.
Each is one picture to a screen reader, which is told ``label``.
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
"""Between these the diagram lies, in percent of the width; left of it stand numbers."""

TOP, BOTTOM = 22.0, 216.0
"""… and between these, in pixels from above; below stand the names."""

HEIGHT = 252
"""Of a diagram, in pixels."""

MOST_NAMES = 8
"""Names below bars: on a phone no more find room."""

MOST_NUMBERED = 12
"""Bars that have their number above them; where there are more, the lines across must do."""

BINS = 20
"""Of a histogram."""

_TENTH = 0.1
_ROUND = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """A number with its name; ``said`` is what resting on it tells."""

    name: str
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Range:
    """How many scores of each kind lie between two."""

    low: float
    high: float
    own: int
    other: int


def reliability(bins: Sequence[Bin], label: str) -> str:
    """Confidence across, the share that is answered upwards, with its interval; a dashed line
    where both are the same.
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
    """Scores of both kinds in equal ranges; their ends are tenths, with all scores between them.

    There is at least one score of each kind.
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
    """How many scores lie in each of so many equal ranges; the last one has its upper end."""
    counts = [0] * bins
    for score in scores:
        counts[min(int((score - low) / (high - low) * bins), bins - 1)] += 1
    return counts


def histogram(found: Sequence[Range], threshold: float, label: str) -> str:
    """Scores across; how many of its own questions have such a one upwards, and how many others
    downwards; a line from which on they count as answered.
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
    """Upright bars, each as high as its number, with as many names below as find room.

    There is at least one bar, and a number above 0.
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
    """Round numbers from 0 up to ``most`` at even distances, three to six of them if it is 2 or
    more.
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
    """A line across, so many pixels from above, with its name on the left."""
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
