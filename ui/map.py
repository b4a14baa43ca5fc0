"""A map of passages → SVG and lists. Pure, and free of scripts: every mark is a link.

A mark is told from others by its colour and by its shape. There may be thousands, so none of them
is a stop of the Tab key, and screen readers are told of the whole in a sentence; the list below
leads to the same pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape
from math import hypot
from statistics import mean, median
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from ui import insight_words

if TYPE_CHECKING:
    from rag import Group, Passage, PassageMap, Point

Placed: TypeAlias = "tuple[Point, float, float]"
"""A point, and where it lies on the map: from the left and from above."""

WIDTH, HEIGHT = 1000, 640
"""Of the map, in its own units."""

MARGIN = 16

SHAPES = (
    "M-4.4 0a4.4 4.4 0 1 0 8.8 0a4.4 4.4 0 1 0-8.8 0z",
    "M-3.9-3.9h7.8v7.8h-7.8z",
    "M0-5.2L4.9 3.4h-9.8z",
    "M0-5.6L5.6 0L0 5.6L-5.6 0z",
    "M-1.7-5.2h3.4v3.5h3.5v3.4h-3.5v3.5h-3.4v-3.5h-3.5v-3.4h3.5z",
    "M0 5.2L4.9-3.4h-9.8z",
    "M-4.8-2.4l2.4-2.4L0-2.4l2.4-2.4l2.4 2.4L2.4 0l2.4 2.4l-2.4 2.4L0 2.4l-2.4 2.4l-2.4-2.4L-2.4 0",
    "M-4.8 0a4.8 4.8 0 1 0 9.6 0a4.8 4.8 0 1 0-9.6 0zm2.8 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
)
"""Circle, square, triangle, diamond, plus, triangle upside down, cross, ring: one a group."""

MOST_SAID = 220
"""Characters of a passage that resting on its mark shows."""

MOST_TITLED = 80
"""… and of its document's title."""

MOST_NAMED = 34
"""Characters of a group's name on the map; the list of groups has all of it."""

LISTED = 5
"""Passages of a group in the list, those nearest to its middle."""

_LETTER, _LINE = 9.6, 24.0
_SQUARE = 100.0


def drawing(found: PassageMap) -> str:
    """The map with a mark for each passage, the largest group first, so that none hides others."""
    placed = places(found.points)
    marks = [
        "".join(_mark(*one) for one in placed if one[0].group == number)
        for number in range(len(found.groups))
    ]
    groups = "".join(f'<g class="group{number}">{some}</g>' for number, some in enumerate(marks))
    symbols = "".join(
        f'<path id="mark{number}" class="mark" fill-rule="evenodd" d="{path}"/>'
        for number, path in enumerate(SHAPES[: len(found.groups)])
    )
    return (
        f'<p class="unseen">{escape(said(found))}</p>'
        f'<svg class="map" aria-hidden="true" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<defs>{symbols}</defs>{groups}{_names(found.groups, placed)}</svg>"
    )


def places(points: Sequence[Point]) -> list[Placed]:
    """Where points lie on the map, in its units; the scale is the same both ways, as distances
    must be, and upwards is upwards.
    """
    tall = max((abs(one.y) for one in points), default=0.0)
    wide = WIDTH / 2 - MARGIN
    scale = min(wide, (HEIGHT / 2 - MARGIN) / tall) if tall else wide
    return [(one, WIDTH / 2 + scale * one.x, HEIGHT / 2 - scale * one.y) for one in points]


def said(found: PassageMap) -> str:
    """The map in words."""
    names = [one.name for one in found.groups if one.name]
    groups = insight_words.MAP_GROUPS.format(count=len(names), names="; ".join(names))
    return insight_words.MAP_TOLD.format(
        shown=len(found.points), groups=groups if len(names) > 1 else ""
    )


def legend(found: PassageMap) -> str:
    """The groups with colour, shape, name and number; none where there is but one."""
    if len(found.groups) < 2:  # noqa: PLR2004
        return ""
    rows = "".join(
        f'<li class="group{number}"><svg viewBox="-7 -7 14 14" aria-hidden="true">'
        f'<path class="mark" fill-rule="evenodd" d="{SHAPES[number]}"/></svg>'
        f"<span>{escape(one.name or insight_words.NAMELESS)}</span>"
        f'<span class="count">{one.passages:,}</span></li>'
        for number, one in enumerate(found.groups)
    )
    return f'<ul class="legend">{rows}</ul>'


def listed(found: PassageMap) -> str:
    """The way to the same without a mouse: of each group the passages nearest to its middle."""
    parts = []
    for number, group in enumerate(found.groups):
        points = [point for point in found.points if point.group == number]
        links = "".join(
            f'<li><a href="{address(point.passage)}">{escape(titled(point))}</a></li>'
            for point in _central(points)
        )
        parts.append(f"<h3>{escape(group.name or insight_words.NAMELESS)}</h3><ul>{links}</ul>")
    return f"<details><summary>{insight_words.LIST}</summary>{''.join(parts)}</details>"


def address(passage: Passage) -> str:
    """Where a passage's neighbours are seen, relative to the page where questions are asked."""
    return f"insight/passages/{quote(passage.id, safe='')}"


def titled(point: Point) -> str:
    """A passage's title and the beginning of its text, without the headings that lead it.

    A document that has no title is called by its first words, which needn't be said twice.
    """
    title, text = shortened(point.title, MOST_TITLED), said_of(point.passage)
    if text.startswith(title.removesuffix("…")):
        return text
    return insight_words.TITLED.format(title=title, text=text)


def said_of(passage: Passage) -> str:
    """The beginning of a passage's text in one line, the headings that lead it left out."""
    spans = passage.sentences[passage.leading :]
    first = spans[0].start - passage.start if spans else 0
    return shortened(" ".join(passage.text[first : first + 4 * MOST_SAID].split()), MOST_SAID)


def shortened(text: str, most: int) -> str:
    """At most so many characters of a text, cut between words where that is possible."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _mark(point: Point, x: float, y: float) -> str:
    return (
        f'<a href="{address(point.passage)}" tabindex="-1"><title>{escape(titled(point))}</title>'
        f'<use href="#mark{point.group}" x="{x:.1f}" y="{y:.1f}"/></a>'
    )


def _names(groups: Sequence[Group], placed: Sequence[Placed]) -> str:
    """The names of groups, the largest first, where they hide no other name."""
    if len(groups) < 2:  # noqa: PLR2004
        return ""
    taken: list[tuple[float, float, float]] = []
    drawn = []
    for number, group in enumerate(groups):
        mine = [one for one in placed if one[0].group == number]
        if not (mine and group.name):
            continue
        name = shortened(group.name, MOST_NAMED)
        half = len(name) * _LETTER / 2
        x, y = _above(mine)
        x, y = min(max(x, half), WIDTH - half), max(y, _LINE)
        if all(abs(x - a) > half + b or abs(y - c) > _LINE for a, b, c in taken):
            taken.append((x, half, y))
            drawn.append(f'<text x="{x:.0f}" y="{y:.0f}">{escape(name)}</text>')
    return f'<g class="names">{"".join(drawn)}</g>'


def _above(placed: Sequence[Placed]) -> tuple[float, float]:
    """Just above where a group is densest: of the map's squares, the one with the most of it."""
    squares: dict[tuple[int, int], list[Placed]] = defaultdict(list)
    for one in placed:
        squares[int(one[1] // _SQUARE), int(one[2] // _SQUARE)].append(one)
    best = squares[max(sorted(squares), key=lambda square: len(squares[square]))]
    return mean(one[1] for one in best), min(one[2] for one in best) - _LINE / 2


def _central(points: Sequence[Point]) -> list[Point]:
    """The few nearest to the middle of all of them."""
    if not points:
        return []
    x, y = median(one.x for one in points), median(one.y for one in points)
    return sorted(points, key=lambda one: (hypot(one.x - x, one.y - y), one.passage.id))[:LISTED]
