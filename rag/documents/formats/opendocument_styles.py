"""Meaning of OpenDocument styles: list numbers, titles, hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rag.documents.office_zip import Element, Package, attribute, child, children
from rag.errors import LoadError

_NUMBER = re.compile(r"[0-9]{1,9}")
_TITLE = "Title"  # whatever the program displays
_FAMILIES = {"text:p": "paragraph", "text:h": "paragraph", "text:span": "text"}


@dataclass(frozen=True, slots=True)
class Styles:
    """``starts`` maps the style of each numbered list to the first number of each level (from 1).
    ``titles`` and ``hidden`` are styles by family and name.
    """

    starts: Mapping[tuple[str, int], int]
    titles: frozenset[tuple[str, str]]
    hidden: frozenset[tuple[str, str]]

    def makes_title(self, element: Element) -> bool:
        """Whether a paragraph is the document title."""
        return _style_of(element) in self.titles

    def hides(self, tag: str, element: Element) -> bool:
        """Whether the element, with short name ``tag``, is hidden."""
        if tag == "text:section":
            return attribute(element, "text:display") == "none"
        return tag in _FAMILIES and _style_of(element, _FAMILIES[tag]) in self.hidden


def read_styles(package: Package, content: Element) -> Styles:
    """Read the styles of a file: those in ``content`` and the file-wide ones."""
    try:
        roots = [content, package.tree_if_there("styles.xml")]
    except LoadError:  # the text is readable without it
        roots = [content]
    places = [
        place
        for root in roots
        for place in children(root, "office:automatic-styles", "office:styles")
    ]
    styles = [style for place in places for style in children(place, "style:style")]
    return Styles(
        starts=dict(
            _starts(style for place in places for style in children(place, "text:list-style"))
        ),
        titles=frozenset(
            {("paragraph", _TITLE)}
            | {
                ("paragraph", _name(style))
                for style in styles
                if attribute(style, "style:parent-style-name") == _TITLE
            }
        ),
        hidden=frozenset(
            (attribute(style, "style:family") or "", _name(style))
            for style in styles
            if (words := child(style, "style:text-properties")) is not None
            and attribute(words, "text:display") == "none"
        ),
    )


def number(written: str | None, otherwise: int) -> int:
    """Parse an attribute as a plausible number, with a default."""
    return int(written) if written and _NUMBER.fullmatch(written) else otherwise


def _style_of(element: Element, family: str = "paragraph") -> tuple[str, str]:
    return family, attribute(element, "text:style-name") or ""


def _name(style: Element) -> str:
    return attribute(style, "style:name") or ""


def _starts(lists: Iterator[Element]) -> Iterator[tuple[tuple[str, int], int]]:
    for style in lists:
        for level in children(style, "text:list-level-style-number"):
            deep = number(attribute(level, "text:level"), 0)
            yield (_name(style), deep), number(attribute(level, "text:start-value"), 1)
