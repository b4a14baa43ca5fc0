"""Turn RTF paragraphs and cells, which are not nested elements, into layout events."""

from __future__ import annotations

import re

from rag.documents.formats.office import Items
from rag.documents.layout import Layout

_ITEM_NUMBER = re.compile(r"([0-9]{1,6})[.)]?")


class Page:
    """Translates paragraphs and cells to layout events."""

    def __init__(self) -> None:
        self.layout = Layout(frozenset())
        self._items = Items(self.layout)
        self._row: list[list[str]] = []  # cells, each a list of paragraphs
        self._cell: list[str] = []
        self._in_table = False

    def paragraph(self, words: str, tag: str, item: str = "", level: int = 0) -> None:
        """Add a paragraph outside any table."""
        self.end_table()
        if item:
            number = _ITEM_NUMBER.fullmatch(item)
            self._items.start(level, int(number[1]) if number else None)
            self.layout.data(words)
            self._items.end()
        elif words.strip():
            self._items.close()
            self.layout.start(tag, {})
            for place, line in enumerate(words.split("\n")):
                if place:
                    self.layout.start("br", {})
                self.layout.data(line)
            self.layout.end(tag)

    def in_cell(self, words: str) -> None:
        """Add a paragraph in a cell."""
        self._cell.append(words)

    def end_cell(self) -> None:
        """End the cell."""
        self._row.append(self._cell)
        self._cell = []

    def end_row(self) -> None:
        """End the row."""
        if any(self._cell):
            self.end_cell()
        if not self._in_table:
            self._items.close()
            self.layout.start("table", {})
            self._in_table = True
        self.layout.start("tr", {})
        for cell in self._row:
            self.layout.start("td", {})
            for words in cell:
                self.layout.start("p", {})
                self.layout.data(words)
                self.layout.end("p")
            self.layout.end("td")
        self.layout.end("tr")
        self._row, self._cell = [], []

    def end_table(self) -> None:
        """End the table."""
        if self._row or self._cell:
            self.end_row()
        if self._in_table:
            self.layout.end("table")
            self._in_table = False

    def close(self) -> None:
        """End the page."""
        self.end_table()
        self._items.close()
