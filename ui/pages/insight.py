"""The page on how good the search of a library is, without scripts: diagrams, and their figures.

A diagram is a list of SVG shapes. Its horizontal axis is in percent of the width and its vertical
one in pixels, so it fills the page and its text has the same size on any screen. Colours are set by
the style sheet. To a screen reader each is one image, described by its label.

The reliability diagram is cross-validated: each question is judged by a curve fitted to the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import median
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from rag import Bin, Calibration, Dates, Library, QueryOutcome, Reliability
from ui import strings
from ui.security import headers
from ui.templates import render

MOST_MISSED = 50
"""Maximum number of self-test failures that are listed; the rest are counted."""

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
"""Bins of the histogram."""

MOST_MONTHS, MOST_YEARS = 24, 60
"""The longest time that is shown by month, and by year."""

_TENTH = 0.1
_HORIZONTAL = frozenset({"x", "x1", "x2", "cx", "width"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known without further computation: document and passage counts, the calibration and
    its reliability if available, the self-test, and the dates.
    """

    documents: int
    passages: int
    calibration: Calibration | None
    reliability: Reliability | None
    sought: Sequence[QueryOutcome]
    dates: Dates


class Shape(NamedTuple):
    """An SVG element with its text, or with the elements in it."""

    tag: str
    attributes: Mapping[str, str]
    text: str = ""
    shapes: Sequence[Shape] = ()


class Figure(NamedTuple):
    """A diagram with its description and caption, and its data as a table, whose first column is of
    row headers.
    """

    shapes: Sequence[Shape]
    label: str
    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    name: str = ""
    help: str = ""
    height: int = HEIGHT


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the page."""

    @app.get("/insight")
    def insight() -> HTMLResponse:
        status = library.status()
        known = Known(
            documents=status.documents,
            passages=status.passages,
            calibration=library.calibration(),
            reliability=library.reliability(),
            sought=library.last_check(),
            dates=library.dates(),
        )
        return HTMLResponse(page(known), headers=headers.STILL | {"cache-control": "no-store"})


def page(known: Known) -> str:
    """Render the page."""
    curve, trust = known.calibration, known.reliability
    confidence: Sequence[Figure] = ()
    if curve is not None and curve.measured and trust is not None:
        confidence = (_scores(curve), _confidence(trust))
    return render(
        "insight",
        root="",
        known=known,
        confidence=confidence,
        ranks=_ranks(known.sought) if known.sought else None,
        first=sum(one.rank == 1 for one in known.sought),
        missed=[one for one in known.sought if not one.rank],
        most_missed=MOST_MISSED,
        dates=_dates(known.dates),
    )


# ---- figures ----


def _scores(curve: Calibration) -> Figure:
    """How well in-domain questions are separated from out-of-domain ones."""
    own, other = curve.known_scores, curve.foreign_scores
    bins = score_bins(own, other, curve.threshold)
    label = (
        f"Histogram of scores. Questions from its own sentences score between {min(own):.2f} and "
        f"{max(own):.2f}, half of them above {median(own):.2f}; those on other subjects between "
        f"{min(other):.2f} and {max(other):.2f}, half of them above {median(other):.2f}. From "
        f"{curve.threshold:.2f} on a question counts as answered."
    )
    return Figure(
        histogram(bins, curve.threshold),
        label,
        ("Score", "its own", "other subjects"),
        [(f"{one.low:.2f} to {one.high:.2f}", one.own, one.other) for one in bins if any(one[2:])],
        "Scores of both kinds",
        "How many questions have a first passage with this score",
    )


def _confidence(trust: Reliability) -> Figure:
    """How often questions are answered, by the confidence with which they were."""
    percent = strings.percent
    rows = [
        (
            percent(one.confidence),
            percent(one.share),
            f"{percent(one.low)} to {percent(one.high)}",
            one.known,
            one.foreign,
        )
        for one in trust.bins
    ]
    return Figure(
        reliability(trust.bins),
        f"Reliability diagram. {' '.join(map(_in_words, trust.bins))}",
        ("Confidence", "Answered", "95 % interval", "its own", "other subjects"),
        rows,
        "Stated confidence, and the share that is answered",
        "Dashed: where both are the same. Bars: 95 % intervals",
    )


def _ranks(sought: Sequence[QueryOutcome]) -> Figure:
    """At which ranks the self-test found its documents."""

    def name(rank: int) -> str:
        if not rank:
            return "not found"
        return strings.ordinal(rank) if rank <= 3 else "to 10th"  # noqa: PLR2004

    counts = Counter(name(one.rank) for one in sought)
    rows = [(one, counts[one]) for one in ("1st", "2nd", "3rd", "to 10th", "not found")]
    listed = ", ".join(f"{one}: {number:,}" for one, number in rows)
    return Figure(
        bars(rows, "question"),
        f"Bar chart of ranks. {listed}.",
        ("Rank", "questions"),
        rows,
        "Ranks of the documents looked for",
        height=HEIGHT - 16,
    )


def _dates(dates: Dates) -> Figure | None:
    """The number of documents per month, year or decade; None without dates."""
    unit, rows = timeline(dates)
    if not rows:
        return None
    name, most = max(rows, key=lambda row: row[1])
    label = (
        f"Bar chart of documents by {unit}, from {rows[0][0]} to {rows[-1][0]}. "
        f"Most, {most:,}, in {name}."
    )
    table = [(one, f"{number:,}") for one, number in rows if number]
    heads = (unit.capitalize(), "Documents")
    return Figure(bars(rows, "document"), label, heads, table, height=HEIGHT - 16)


def timeline(dates: Dates) -> tuple[str, list[tuple[str, int]]]:
    """The number of documents per month, year or decade, so that the chart stays readable.

    Periods in between without documents are included.
    """
    months = {12 * day.year + day.month - 1: number for day, number in dates.months.items()}
    if not months:
        return "month", []
    first, last = min(months), max(months)
    if last - first < MOST_MONTHS:
        unit, size = "month", 1
    elif last // 12 - first // 12 < MOST_YEARS:
        unit, size = "year", 12
    else:
        unit, size = "decade", 120
    counts = Counter[int]()
    for month, number in months.items():
        counts[month // size] += number
    periods = range(first // size, last // size + 1)
    return unit, [(_period(at, unit), counts[at]) for at in periods]


def _period(at: int, unit: str) -> str:
    if unit == "month":
        return f"{strings.MONTHS[at % 12][:3]} {at // 12}"
    return str(at) if unit == "year" else f"{10 * at}s"


# ---- diagrams ----


class ScoreBin(NamedTuple):
    """A histogram bin with its counts for both kinds of questions."""

    low: float
    high: float
    own: int
    other: int


def score_bins(own: Sequence[float], other: Sequence[float], threshold: float) -> list[ScoreBin]:
    """Histogram bins of equal width over the range of all scores, rounded outwards to tenths; the
    last one includes its upper end.

    There must be at least one score of each kind.
    """
    low = floor(min(*own, *other, threshold) / _TENTH)
    high = max(ceil(max(*own, *other, threshold) / _TENTH), low + 1)
    start, end = low * _TENTH, high * _TENTH
    width = (high - low) * _TENTH / BINS

    def count(scores: Iterable[float]) -> Counter[int]:
        places = ((score - start) / (end - start) for score in scores)
        return Counter(min(int(place * BINS), BINS - 1) for place in places)

    mine, others = count(own), count(other)
    return [
        ScoreBin(start + width * at, start + width * (at + 1), mine[at], others[at])
        for at in range(BINS)
    ]


def histogram(bins: Sequence[ScoreBin], threshold: float) -> list[Shape]:
    """Back-to-back histogram of scores: in-domain questions upwards, out-of-domain questions
    downwards, and a line at the threshold for an answer.
    """
    low, high = bins[0].low, bins[-1].high
    middle = (TOP + BOTTOM) / 2
    unit = (middle - TOP) / max(max(one.own, one.other) for one in bins)
    width = (RIGHT - LEFT) / len(bins)
    drawn: list[Shape] = []
    for number in ticks(round((middle - TOP) / unit))[1:]:
        drawn += _grid_line(middle - unit * number, f"{number:,}")
        drawn += _grid_line(middle + unit * number, f"{number:,}")
    for at, one in enumerate(bins):
        place = {"x": LEFT + width * at + 0.15, "width": width - 0.3}
        if one.own:
            height = unit * one.own
            drawn.append(_shape("rect", "own", **place, y=middle - height, height=height))
        if one.other:
            drawn.append(_shape("rect", "other", **place, y=middle, height=unit * one.other))
    tenths = round((high - low) / _TENTH)
    drawn += [
        _name(_across(step / tenths), f"{low + _TENTH * step:.1f}") for step in range(tenths + 1)
    ]
    x = _across((threshold - low) / (high - low))
    drawn += [
        _shape("line", "zero", x1=LEFT, y1=middle, x2=RIGHT, y2=middle),
        _shape("line", "threshold", x1=x, y1=4, x2=x, y2=BOTTOM),
        _shape("text", "threshold", "answered →", x=x, dx=5, y=12),
        _shape("text", "side", "its own", x=LEFT, y=middle - 8),
        _shape("text", "side last", "other subjects", x=RIGHT, y=middle + 17),
        _axis("Score"),
    ]
    return drawn


def reliability(bins: Sequence[Bin]) -> list[Shape]:
    """Reliability diagram: confidence against the share of answered questions, with intervals; the
    dashed diagonal is perfect calibration.
    """
    drawn: list[Shape] = []
    for quarter in (0, 0.25, 0.5, 0.75, 1):
        percent = f"{100 * quarter:g} %"
        drawn += [*_grid_line(_height(quarter), percent), _name(_across(quarter), percent)]
    drawn.append(_shape("line", "same", x1=_across(0), y1=BOTTOM, x2=_across(1), y2=TOP))
    for one in bins:
        x = _across(one.confidence)
        interval = _shape("line", "interval", x1=x, y1=_height(one.low), x2=x, y2=_height(one.high))
        dot = _shape("circle", "dot", cx=x, cy=_height(one.share), r=5)
        drawn.append(_with_tooltip(_in_words(one), interval, dot))
    return [*drawn, _axis("Confidence")]


def bars(rows: Sequence[tuple[str, int]], thing: str) -> list[Shape]:
    """A bar chart of how many of a thing are in each category, with as many labels as fit.

    There must be at least one bar, and a value above 0.
    """
    most = max(number for _, number in rows)
    width = (RIGHT - LEFT) / len(rows)
    every = ceil(len(rows) / MOST_NAMES)
    drawn: list[Shape] = []
    for number in ticks(most):
        drawn += _grid_line(_height(number / most), f"{number:,}")
    for at, (name, number) in enumerate(rows):
        x, y = LEFT + width * at, _height(number / most)
        place = {"x": x + 0.12 * width, "width": 0.76 * width, "y": y, "height": BOTTOM - y}
        drawn.append(
            _with_tooltip(f"{name}: {strings.count(number, thing)}", _shape("rect", "own", **place))
        )
        if len(rows) <= MOST_NUMBERED:
            drawn.append(_name(x + width / 2, f"{number:,}", y - 6))
        if at % every == 0:
            drawn.append(_name(x + width / 2, name))
    return drawn


def ticks(most: int) -> list[int]:
    """Axis ticks: round numbers from 0 to ``most`` at even distances, three to six of them if it is
    2 or more.
    """
    size = next(
        digit * 10**power
        for power in range(len(str(most)))
        for digit in (1, 2, 5)
        if most <= 5 * digit * 10**power
    )
    return list(range(0, most + 1, size))


def _in_words(one: Bin) -> str:
    confidence, share = strings.percent(one.confidence), strings.percent(one.share)
    return f"Where it says {confidence}, {share} are answered."


def _across(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share


def _height(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _grid_line(y: float, label: str) -> tuple[Shape, Shape]:
    """A horizontal line, ``y`` pixels from the top, with its label on the left."""
    return (
        _shape("line", "grid", x1=LEFT, y1=y, x2=RIGHT, y2=y),
        _shape("text", "number", label, x=LEFT, dx=-6, y=y + 4),
    )


def _name(x: float, name: str, y: float = BOTTOM + 17) -> Shape:
    return _shape("text", "name", name, x=x, y=y)


def _axis(name: str) -> Shape:
    return _shape("text", "axis", name, x=RIGHT, y=BOTTOM + 33)


def _with_tooltip(text: str, *shapes: Shape) -> Shape:
    return Shape("g", {}, shapes=(Shape("title", {}, text), *shapes))


def _shape(tag: str, kind: str, text: str = "", /, **places: float) -> Shape:
    """An element of a class, its ``places`` and sizes in percent of the width, or in pixels."""
    attributes = {
        name: f"{at:.2f}%" if name in _HORIZONTAL else f"{at:.1f}" for name, at in places.items()
    }
    return Shape(tag, {"class": kind, **attributes}, text)
