"""The page on a library's search quality. Pure, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from ui import strings
from ui.pages import insight_strings as texts
from ui.pages import plots, timeline
from ui.pages.plots import Bar
from ui.templates import render

if TYPE_CHECKING:
    from rag import Calibration, Dates, QueryOutcome, Reliability
    from ui.pages.plots import Plot

MOST_MISSED = 50
"""Maximum number of self-test failures that are listed; the rest are counted."""

_DEPTH = 10
_RANKS = (1, 2, 3, _DEPTH)


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


@dataclass(frozen=True, slots=True)
class Figure:
    """A diagram with its caption, and its data as a table, whose first column is of row headers."""

    plot: Plot
    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    name: str = ""
    help: str = ""


def page(known: Known) -> str:
    """Render the page."""
    curve, trust = known.calibration, known.reliability
    confidence: Sequence[Figure] = ()
    if curve is not None and curve.measured and trust is not None:
        confidence = (_scores(curve), _sure(trust))
    return render(
        "insight",
        root="",
        texts=texts,
        known=known,
        confidence=confidence,
        ranks=_ranks(known.sought) if known.sought else None,
        first=sum(one.rank == 1 for one in known.sought),
        missed=[one for one in known.sought if not one.rank],
        most_missed=MOST_MISSED,
        dates=_dates(known.dates),
    )


def _scores(curve: Calibration) -> Figure:
    """How well in-domain questions are separated from out-of-domain ones."""
    own, other = curve.known_scores, curve.foreign_scores
    label = texts.SCORES_TOLD.format(
        own_low=min(own),
        own_high=max(own),
        own_middle=median(own),
        other_low=min(other),
        other_high=max(other),
        other_middle=median(other),
        threshold=curve.threshold,
    )
    found = plots.ranges(own, other, curve.threshold)
    rows = [
        (texts.RANGE.format(low=f"{one.low:.2f}", high=f"{one.high:.2f}"), one.own, one.other)
        for one in found
        if one.own or one.other
    ]
    plot = plots.histogram(found, curve.threshold, label)
    heads = (texts.SCORE, texts.OWN, texts.OTHER)
    return Figure(plot, heads, rows, texts.SCORES, texts.SCORES_HELP)


def _sure(trust: Reliability) -> Figure:
    """How often questions are answered, by the confidence with which they were."""
    percent = strings.percent
    said = (
        texts.SURE_TOLD_BIN.format(confidence=percent(one.confidence), share=percent(one.share))
        for one in trust.bins
    )
    rows = [
        (
            percent(one.confidence),
            percent(one.share),
            texts.RANGE.format(low=percent(one.low), high=percent(one.high)),
            one.known,
            one.foreign,
        )
        for one in trust.bins
    ]
    plot = plots.reliability(trust.bins, texts.SURE_TOLD.format(bins=" ".join(said)))
    heads = (texts.CONFIDENCE, texts.SHARE, texts.INTERVAL, texts.OWN, texts.OTHER)
    return Figure(plot, heads, rows, texts.SURE, texts.SURE_HELP)


def _ranks(sought: Sequence[QueryOutcome]) -> Figure:
    """At which ranks the self-test found its documents."""
    ranks = [one.rank for one in sought]
    counts = [
        sum(low < rank <= high for rank in ranks)
        for low, high in zip((0, *_RANKS), _RANKS, strict=False)
    ]
    rows = list(zip(texts.RANK_NAMES, (*counts, ranks.count(0)), strict=True))
    columns = [Bar(name, number, f"{name}: {number:,}") for name, number in rows]
    label = texts.RANKS_TOLD.format(bars=", ".join(one.said for one in columns))
    return Figure(plots.bars(columns, label), (texts.RANK, texts.QUESTIONS), rows, texts.RANKS)


def _dates(dates: Dates) -> Figure | None:
    """The number of documents per month, year or decade; None without dates."""
    unit, columns = timeline.columns(dates)
    if not columns:
        return None
    most = max(columns, key=lambda one: one.number)
    label = texts.DATES_TOLD.format(
        unit=unit,
        first=columns[0].name,
        last=columns[-1].name,
        most=most.number,
        when=most.name,
    )
    rows = [(one.name, f"{one.number:,}") for one in columns if one.number]
    return Figure(plots.bars(columns, label), (texts.UNITS[unit], texts.DOCUMENTS), rows)
