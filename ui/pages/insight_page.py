"""The page on a library's search quality. Pure, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ui import strings
from ui.libraries import libraries_page
from ui.pages import insight_strings as told
from ui.pages import plots, reader, timeline
from ui.pages.plots import Bar

if TYPE_CHECKING:
    from rag import Calibration, Dates, QueryOutcome, Reliability

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


def page(known: Known, name: str = "") -> str:
    """Render the page; ``name`` is the library's name if it is one of several."""
    nav = (
        f'<nav aria-label="{strings.READING}">{libraries_page.way_back(name)}'
        f'<a class="back" href=".">{strings.TO_SEARCH}</a>'
        f'<a href="library">{strings.DOCUMENTS}</a></nav>'
    )
    holds = (
        f"{strings.count(known.documents, 'document')}, {strings.count(known.passages, 'passage')}."
        if known.passages
        else told.EMPTY
    )
    parts = "".join([_knows(known), _found(known.sought), _dates(known.dates)])
    return reader.shell(
        told.INSIGHT,
        f'{nav}<div class="insight"><header><h1>{told.INSIGHT}</h1><p>{holds}</p></header>'
        f"{parts if known.passages else ''}</div>",
        root="",
    )


def _knows(known: Known) -> str:
    """How well in-domain questions are separated from out-of-domain ones."""
    curve, trust = known.calibration, known.reliability
    if curve is None:
        body = f"<p>{told.NOT_MEASURED}</p>"
    elif not curve.measured or trust is None:
        body = f"<p>{told.TOO_SMALL}</p>"
    else:
        body = (
            f"<p>{told.KNOWS_HELP}</p>"
            + _numbers(
                (told.OF.format(part=trust.recognised, total=trust.known), told.RECOGNISED),
                (told.OF.format(part=trust.refused, total=trust.foreign), told.REFUSED),
            )
            + f'<div class="pair">{_scores(curve)}{_sure(trust)}</div><p>{told.HELD_OUT}</p>'
        )
    return f"<section><h2>{told.KNOWS}</h2>{body}</section>"


def _scores(curve: Calibration) -> str:
    own, other = curve.known_scores, curve.foreign_scores
    label = told.SCORES_TOLD.format(
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
        (told.RANGE.format(low=f"{one.low:.2f}", high=f"{one.high:.2f}"), one.own, one.other)
        for one in found
        if one.own or one.other
    ]
    table = _table((told.SCORE, told.OWN, told.OTHER), rows)
    return _figure(
        told.SCORES,
        told.SCORES_HELP,
        plots.histogram(found, curve.threshold, label),
        table,
    )


def _sure(trust: Reliability) -> str:
    bins = trust.bins
    label = told.SURE_TOLD.format(
        bins=" ".join(
            told.SURE_TOLD_BIN.format(
                confidence=strings.percent(one.confidence), share=strings.percent(one.share)
            )
            for one in bins
        )
    )
    rows = [
        (
            strings.percent(one.confidence),
            strings.percent(one.share),
            told.RANGE.format(low=strings.percent(one.low), high=strings.percent(one.high)),
            one.known,
            one.foreign,
        )
        for one in bins
    ]
    table = _table((told.CONFIDENCE, told.SHARE, told.INTERVAL, told.OWN, told.OTHER), rows)
    return _figure(told.SURE, told.SURE_HELP, plots.reliability(bins, label), table)


def _found(sought: Sequence[QueryOutcome]) -> str:
    """The results of the self-test."""
    if not sought:
        return f"<section><h2>{told.FOUND}</h2><p>{told.NOT_CHECKED}</p></section>"
    ranks = [one.rank for one in sought]
    counts = [
        sum(low < rank <= high for rank in ranks)
        for low, high in zip((0, *_RANKS), _RANKS, strict=False)
    ]
    counts.append(ranks.count(0))
    rows = list(zip(told.RANK_NAMES, counts, strict=True))
    columns = [Bar(name, number, f"{name}: {number:,}") for name, number in rows]
    label = told.RANKS_TOLD.format(bars=", ".join(one.said for one in columns))
    total = len(sought)
    numbers = _numbers(
        (told.OF.format(part=total - ranks.count(0), total=total), told.AMONG),
        (told.OF.format(part=counts[0], total=total), told.FIRST),
    )
    figure = _figure(
        told.RANKS, "", plots.bars(columns, label), _table((told.RANK, told.QUESTIONS), rows)
    )
    missed = _missed([one for one in sought if not one.rank])
    return (
        f"<section><h2>{told.FOUND}</h2><p>{told.FOUND_HELP}</p>{numbers}{figure}{missed}</section>"
    )


def _missed(missed: Sequence[QueryOutcome]) -> str:
    """The queries that failed, each with a link to what is retrieved instead."""
    if not missed:
        return ""
    lines = "".join(
        f"<li><b>{escape(one.title)}</b> "
        f'<a href="{escape(_asking(one.query))}">{escape(one.query)}</a></li>'
        for one in missed[:MOST_MISSED]
    )
    left = len(missed) - MOST_MISSED
    more = f"<p>{told.MISSED_MORE.format(count=left)}</p>" if left > 0 else ""
    summary = told.MISSED.format(count=len(missed))
    return f"<details><summary>{summary}</summary><ul>{lines}</ul>{more}</details>"


def _asking(query: str) -> str:
    """The address that answers a query."""
    return f".?{urlencode({'q': query})}"


def _dates(dates: Dates) -> str:
    """The number of documents per month, year or decade, and of undated ones."""
    unit, columns = timeline.columns(dates)
    figure = f"<p>{told.NO_DATES}</p>"
    if columns:
        most = max(columns, key=lambda one: one.number)
        label = told.DATES_TOLD.format(
            unit=unit,
            first=columns[0].name,
            last=columns[-1].name,
            most=most.number,
            when=most.name,
        )
        rows = [(one.name, f"{one.number:,}") for one in columns if one.number]
        table = _table((told.UNITS[unit], told.DOCUMENTS), rows)
        figure = _figure("", "", plots.bars(columns, label), table)
    rest = "".join(
        f"<p>{text.format(documents=strings.count(number, 'document'))}</p>"
        for text, number in ((told.UNDATED, dates.undated), (told.FILE_TIME, dates.file_time))
        if number
    )
    return f"<section><h2>{told.DATES}</h2>{figure}{rest}</section>"


def _numbers(*pairs: tuple[str, str]) -> str:
    """The key figures, each with a caption."""
    items = "".join(f"<li><b>{number}</b> {text}</li>" for number, text in pairs)
    return f'<ul class="numbers">{items}</ul>'


def _figure(name: str, help_: str, svg: str, table: str) -> str:
    """A diagram with its caption, and its data in a collapsed table."""
    caption = f"<b>{name}</b> " if name else ""
    said = f"<figcaption>{caption}{help_}</figcaption>" if name or help_ else ""
    return f"<figure>{said}{svg}{table}</figure>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of data; the first column has the row headers."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(f"<td>{escape(str(one))}</td>" for one in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<details><summary>{told.FIGURES}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></details>"
    )
