"""Automatic numbers of paragraphs in Word documents, as Word shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rag.documents.formats.office_text import parse_number
from rag.documents.office_zip import Element, attribute, child, children

_LEVELS = frozenset("012345678")
_DEEPEST = 9
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_MOST_ROMAN = 5_000
_LONGEST_LABEL = 100
"""Maximum characters of a label, which each paragraph of a list repeats."""

_ON = frozenset({None, "", "1", "true", "on"})


@dataclass(frozen=True, slots=True)
class _Level:
    """How the paragraphs of a level are numbered; ``text`` has ``%1`` for the number of level 0."""

    start: int
    style: str
    text: str
    is_legal: bool
    """Whether numbers of other levels are shown in digits."""
    paragraph_style: str


@dataclass(frozen=True, slots=True)
class _List:
    """A list, and the ``definition`` whose counts it shares with others, except those of the levels
    that it ``restarts``.
    """

    definition: str
    levels: Mapping[int, _Level]
    restarts: frozenset[int]


class Numbering:
    """The lists of a document, each with its count so far."""

    def __init__(self, root: Element | None) -> None:
        self._lists = _lists(root)
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def level_of(self, number_id: str, paragraph_style: str) -> int | None:
        """The level of a list that a paragraph style has; None if it has none."""
        levels = self._lists[number_id].levels if number_id in self._lists else {}
        styles = {level.paragraph_style: at for at, level in levels.items()}
        return styles.get(paragraph_style) if paragraph_style else None

    def next_label(self, number_id: str, at: int) -> str | None:
        """Count a paragraph on level ``at`` and return its label, such as "(b)"; None in a bulleted
        list.
        """
        one = self._lists.get(number_id)
        if one is None or at not in one.levels:
            return None
        counts = self._counts.setdefault(one.definition, {})
        if number_id not in self._begun:
            self._begun.add(number_id)
            for restarted in one.restarts:
                counts.pop(restarted, None)
        counts[at] = counts.get(at, one.levels[at].start - 1) + 1
        for deeper in [other for other in counts if other > at]:
            del counts[deeper]
        level = one.levels[at]

        def number(place: re.Match[str]) -> str:
            other = int(place[1]) - 1
            if other not in one.levels:
                return ""
            style = "decimal" if level.is_legal else one.levels[other].style
            return _format(counts.get(other, one.levels[other].start), style)

        label = _PLACE.sub(number, level.text[:_LONGEST_LABEL]).strip()[:_LONGEST_LABEL]
        return label if level.style != "bullet" and label else None


def _format(number: int, style: str) -> str:
    if style in ("upperRoman", "lowerRoman") and 0 < number < _MOST_ROMAN:
        written = ""
        for value, letters in _ROMAN:
            written += letters * (number // value)
            number %= value
        return written.upper() if style == "upperRoman" else written
    if style in ("upperLetter", "lowerLetter") and 0 < number < _MOST_ROMAN:
        # After "z" comes "aa", then "bb".
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters.upper() if style == "upperLetter" else letters
    if style == "none":
        return ""
    return f"{number:02}" if style == "decimalZero" else str(number)


def _lists(root: Element | None) -> dict[str, _List]:
    definitions: dict[str, dict[int, _Level]] = {}
    named: dict[str, str] = {}  # definitions by the list style that they define
    linked: dict[str, str] = {}
    for abstract in children(root, "w:abstractNum"):
        name = attribute(abstract, "w:abstractNumId") or ""
        definitions[name] = {
            int(at): _level(level)
            for level in children(abstract, "w:lvl")
            if (at := attribute(level, "w:ilvl") or "") in _LEVELS
        }
        named[_value(child(abstract, "w:styleLink"))] = name
        linked[name] = _value(child(abstract, "w:numStyleLink"))
    lists: dict[str, _List] = {}
    for number in children(root, "w:num"):
        name = _value(child(number, "w:abstractNumId"))
        if linked.get(name):
            name = named.get(linked[name], name)
        levels = dict(definitions.get(name, {}))
        restarts: set[int] = set()
        for change in children(number, "w:lvlOverride"):
            place = parse_number(attribute(change, "w:ilvl"), _DEEPEST)
            own, start = child(change, "w:lvl"), child(change, "w:startOverride")
            if own is not None and place < _DEEPEST:
                levels[place] = _level(own)
            if start is not None and place in levels:
                levels[place] = replace(levels[place], start=parse_number(_value(start), 1))
                restarts.add(place)
        lists[attribute(number, "w:numId") or ""] = _List(name, levels, frozenset(restarts))
    return lists


def _level(element: Element) -> _Level:
    at = parse_number(attribute(element, "w:ilvl"), 0)
    text, legal = child(element, "w:lvlText"), child(element, "w:isLgl")
    return _Level(
        start=parse_number(_value(child(element, "w:start")), 1),
        style=_value(child(element, "w:numFmt")) or "decimal",
        text=f"%{at + 1}." if text is None else _value(text),
        is_legal=legal is not None and attribute(legal, "w:val") in _ON,
        paragraph_style=_value(child(element, "w:pStyle")),
    )


def _value(element: Element | None) -> str:
    return attribute(element, "w:val") or ""
