"""Charts in office files (DrawingML), from the values that are stored with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain

from rag.documents.formats.spreadsheet import format_cell
from rag.documents.layout import Layout
from rag.documents.office_zip import Element, attribute, child, children, walk

_AXES = ("c:catAx", "c:valAx", "c:dateAx", "c:serAx")
_MOST_POINTS = 100_000
_LONGEST_NAME = 200
"""Maximum characters of a series' name, which each of its values repeats."""


def write_chart(chart: Element, layout: Layout) -> None:
    """Write a chart in paragraphs: its title and those of its axes, then its values by category,
    such as "Kiel; Ships: 12; Boats: 7".
    """
    for words in _paragraphs(chart):
        layout.start("p", {})
        layout.data(words)
        layout.end("p")


def _paragraphs(chart: Element) -> Iterator[str]:
    plot = child(chart, "c:chart", "c:plotArea")
    axes = (child(axis, "c:title") for axis in children(plot, *_AXES))
    for title in (child(chart, "c:chart", "c:title"), *axes):
        if title is not None and (words := _words(title)):
            yield words
    rows: dict[str, list[str]] = {}
    for series in chain.from_iterable(children(group, "c:ser") for group in _elements(plot)):
        name = _words(child(series, "c:tx"))[:_LONGEST_NAME]
        labels = _points(child(series, "c:cat"), child(series, "c:xVal"))
        for index, value in _points(child(series, "c:val"), child(series, "c:yVal")).items():
            row = rows.setdefault(index, [labels[index]] if labels.get(index) else [])
            row.append(f"{name}: {value}" if name else value)
    yield from map("; ".join, rows.values())


def _elements(element: Element | None) -> Iterable[Element]:
    return () if element is None else element


def _words(element: Element | None) -> str:
    """The text of a title, or of the cell that holds it."""
    found = []
    for event, tag, one, _ in () if element is None else walk(element):
        if event == "start" and tag in ("a:t", "c:v"):
            found.append(one.text or "")
        elif event == "start" and tag == "a:p":
            found.append(" ")
    return "".join(found).strip()


def _points(*sources: Element | None) -> Mapping[str, str]:
    """Stored values by index, from the first source that has any."""
    for source in sources:
        points: dict[str, str] = {}
        number_format: str | None = None
        for event, tag, one, _ in () if source is None else walk(source):
            if event == "start" and tag in ("c:numCache", "c:numLit"):
                number_format = "General"
            elif event == "start" and tag == "c:formatCode":
                number_format = one.text or ""
            elif event == "start" and tag == "c:pt" and len(points) < _MOST_POINTS:
                value = child(one, "c:v")
                words = "" if value is None else value.text or ""
                if number_format is not None:
                    with suppress(ValueError):
                        words = format_cell(float(words), number_format)
                points[attribute(one, "idx") or ""] = words
        if points:
            return points
    return {}
