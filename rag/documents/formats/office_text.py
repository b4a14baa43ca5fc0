"""What DOCX and OpenDocument texts share: notes and boxes that follow their paragraph."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from typing import ClassVar

from rag.documents.layout import Layout
from rag.documents.office_zip import Element, walk
from rag.documents.whitespace import one_line

DEEPEST_HEADING = 6


class OfficeText(ABC):
    """Translates the elements of a text to layout events.

    A format adds what its elements mean. ``OUTERMOST`` are the paragraphs, lists and tables; notes
    and text boxes follow the outermost of these that they are in. ``MIXED`` says whether text may
    stand between elements.
    """

    OUTERMOST: ClassVar[frozenset[str]]
    MIXED: ClassVar[bool]

    def __init__(self) -> None:
        self.layout = Layout(frozenset())
        self._depth = 0  # number of enclosing OUTERMOST elements
        self._ends: list[str] = []  # closing tags of the enclosing paragraphs
        self._aside: deque[tuple[str, Element | str]] = deque()
        self._is_aside = False  # we are writing notes or boxes
        self._mark = ""  # start of the next paragraph

    @abstractmethod
    def _is_hidden(self, tag: str, element: Element) -> bool:
        """Whether an element is left out with all its content."""

    @abstractmethod
    def _aside_of(self, tag: str, element: Element) -> tuple[str, Element | str] | None:
        """The note, box or text of a picture that an element holds or refers to, with the text that
        precedes it.
        """

    def _text_of(self, tag: str, element: Element) -> str | None:  # noqa: ARG002 (for others)
        """The text that stands for an element with all its content; None if that is written."""
        return None

    @abstractmethod
    def _start(self, tag: str, element: Element) -> None: ...

    @abstractmethod
    def _end(self, tag: str) -> None: ...

    def write(self, root: Element) -> None:
        """Write everything in ``root``."""
        left_out = None
        for event, tag, element, walker in walk(root):
            if event == "start":
                aside = None if element is root else self._aside_of(tag, element)
                if aside:
                    self._aside.append(aside)
                words = None if aside else self._text_of(tag, element)
                if words:
                    self.layout.data(words)
                if aside or words is not None or self._is_hidden(tag, element):
                    left_out = element
                    walker.skip_subtree()
                else:
                    self._depth += tag in self.OUTERMOST
                    self._start(tag, element)
                continue
            if element is not left_out:
                self._end(tag)
                self._depth -= tag in self.OUTERMOST
            if not self._depth:
                self._write_aside()
            elif self.MIXED and element.tail:
                self.layout.data(element.tail)

    def _write_aside(self) -> None:
        """Write the notes and boxes found so far, and those in them in turn."""
        if self._is_aside:
            return
        self._is_aside = True
        while self._aside:
            self._mark, element = self._aside.popleft()
            self.layout.end_items()
            if isinstance(element, str):
                write_paragraphs(element, self.layout)
            else:
                self.write(element)
        self._mark, self._is_aside = "", False

    def _start_paragraph(
        self, tag: str, level: int | None = None, number: int | None = None, label: str = ""
    ) -> None:
        """Begin a paragraph, heading, or item of a ``level``, with its ``label``."""
        self._ends.append(tag)
        if tag == "li":
            self.layout.start_item(level or 0, number, label)
        else:
            self.layout.start(tag, {})
        self.layout.data(self._mark)
        self._mark = ""


def comment_mark(author: str | None) -> str:
    """What precedes the text of a comment."""
    name = one_line(author or "")
    return f"Comment by {name}: " if name else "Comment: "


def write_paragraphs(text: str, layout: Layout) -> None:
    """Write a text whose paragraphs are separated by empty lines."""
    for paragraph in filter(None, text.split("\n\n")):
        layout.start("p", {})
        layout.data(paragraph)
        layout.end("p")


def parse_number(written: str | None, otherwise: int) -> int:
    """Parse an attribute as a plausible number, with a default."""
    return int(written) if written and re.fullmatch(r"[0-9]{1,9}", written) else otherwise
