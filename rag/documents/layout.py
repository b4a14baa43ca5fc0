"""Convert a stream of tags and text to blocks of plain text.

HTML and Markdown produce the same events, so lists and tables look the same from both. The events
are those of lxml's parser targets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rag.documents.loaded import Block

UNREADABLE = frozenset({"head", "script", "style", "template", "title"})
"""Elements whose text never appears on the page."""

MACHINERY = UNREADABLE | {
    *("applet", "audio", "button", "canvas", "datalist", "embed", "iframe", "input", "map"),
    *("meter", "nav", "noscript", "object", "progress", "rp", "rt", "select", "svg"),
    *("textarea", "video"),
}
"""Elements that are controls or navigation."""

BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd"),
        *("details", "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
        *("footer", "form", "frameset", "header", "hgroup", "hr", "html", "legend", "main"),
        *("nav", "noframes", "noscript", "option", "p", "pre"),
        *("search", "section", "summary", "tbody", "tfoot", "thead"),
    }
)
"""Elements of a page that are paragraphs or hold some."""

_TABLES = frozenset({"table", "td", "th", "tr"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "dir", "menu"})
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)

_DEEPEST_INDENT = 20
"""Maximum list depth shown by indentation: thousands of levels would fill a page with spaces."""

_DEEPEST_OFFICE_LIST = 8
"""Maximum list depth; the programs themselves offer nine levels."""

_LONGEST_CELL = 500
"""A table with longer cells (in characters) is page layout; its cells are treated as paragraphs."""


_POWER = re.compile(r"\s*[-+−–]?\d{1,4}\s*")  # noqa: RUF001 (minus signs)
_BASE = re.compile(r"(?:\d|\)|(?<!\w)[^\W\d])$")
_NEAR = 5
"""How many pieces of text before a superscript may be empty."""

_LONGEST_PARAGRAPH = 100_000
_MOST_LINES = 1000
"""Size in characters and lines from which a block may be split."""


@dataclass(slots=True)
class _Draft:
    """A block under construction; further lines of the same ``group`` may be appended."""

    lines: list[str]
    level: int | None = None
    group: int | None = None


@dataclass(slots=True)
class _List:
    group: int
    number: int | None  # of the next item; None in an unnumbered list


@dataclass(slots=True)
class _Table:
    group: int
    cells: list[list[str]] = field(default_factory=list)  # of the current row, each a list of lines
    unfolded: bool = False  # the current row is layout, not data: treat the rest as paragraphs


class Layout:
    """Consumes ``start``, ``data`` and ``end`` events and builds ``blocks``.

    ``skipped`` are elements omitted with all their content, except templates that are shown. With
    ``hidden``, elements that a page declares invisible are omitted too, and their characters, and
    those shown only without scripts, counted in ``unseen``.
    """

    def __init__(self, skipped: frozenset[str] = MACHINERY, *, hidden: bool = False) -> None:
        self.unseen = 0
        self._skipped = skipped
        self._hidden = hidden
        self._skipping = 0  # nesting depth inside skipped elements
        self._unseen_here = False
        self._drafts: list[_Draft] = []
        self._words: list[str] = []
        self._raised = 0  # where the words of a superscript begin
        self._level: int | None = None
        self._verbatim = 0
        self._lists: list[_List] = []
        self._mark = ""  # of a list item that has no text yet
        self._attach = False  # the next line continues the previous block
        self._tables: list[_Table] = []
        self._groups = 0

    def blocks(self) -> list[Block]:
        """The blocks so far, in order."""
        self._flush()
        return [Block("\n".join(draft.lines), draft.level) for draft in self._drafts]

    def finished(self) -> Iterator[Block]:
        """Yield and discard completed blocks. Very long paragraphs and tables are split, so that
        memory stays bounded.
        """
        if sum(map(len, self._words)) > _LONGEST_PARAGRAPH:
            self._flush()
        done, self._drafts = self._drafts[:-1], self._drafts[-1:]
        for draft in self._drafts:
            if len(draft.lines) > _MOST_LINES:
                done.append(replace(draft))
                draft.lines = []
        return (Block("\n".join(draft.lines), draft.level) for draft in done)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Handle an opening tag."""
        if self._skipping:
            self._skipping += 1
        elif tag in self._skipped and "shadowrootmode" not in attributes:
            self._skipping = 1
            self._unseen_here = self._hidden and tag == "noscript"
        elif self._hidden and _is_hidden(tag, attributes):
            self._skipping, self._unseen_here = 1, True
        elif tag in _TABLES:
            self._start_of_table(tag)
        elif tag in _LISTS or tag == "li":
            self._start_of_list(tag, attributes)
        else:
            self._start_of_block(tag)

    def data(self, text: str) -> None:
        """Handle text, including whitespace."""
        if not self._skipping:
            self._words.append(text if self._verbatim else text.replace("\n", " "))
        elif self._unseen_here:
            self.unseen += len("".join(text.split()))

    def end(self, tag: str) -> None:
        """Handle a closing tag."""
        if self._skipping:
            self._skipping -= 1
        elif tag in _TABLES:
            self._end_of_table(tag)
        elif tag in _LISTS or tag == "li":
            self._end_of_list(tag)
        else:
            self._end_of_block(tag)

    def start_item(self, level: int, number: int | None, label: str = "") -> None:
        """Begin an item of a list that is known only by its items, as in office formats.

        Level 0 is the outermost; ``number`` is None if unnumbered, and shown as ``label``, by
        default "1.". Ends like any ``li``; the list goes on until ``end_items``, or an outermost
        item that doesn't continue its numbering.
        """
        self._flush()
        level = min(max(level, 0), _DEEPEST_OFFICE_LIST)
        if not self._lists or (level == 0 and self._lists[0].number != number):
            self._lists = [_List(self._new_group(), None if level else number)]
        if level == 0 and number is not None:
            self._lists[0].number = number + 1
        self._lists = self._lists[:1] * (level + 1)
        self._mark = self._indent(level) + ("- " if number is None else f"{label or f'{number}.'} ")

    def end_items(self) -> None:
        """End the list begun by ``start_item``, if any."""
        self._flush()
        self._lists, self._mark = [], ""

    def close(self) -> None:
        """Handle the end of the input."""

    def _indent(self, level: int) -> str:
        return "  " * min(level, _DEEPEST_INDENT)

    def _new_group(self) -> int:
        self._groups += 1
        return self._groups

    def _start_of_block(self, tag: str) -> None:
        if tag == "br":
            self._words.append("\n")
        elif tag == "sup":
            self._raised = len(self._words)
        elif tag in _HEADINGS:
            self._unfold()
            self._level = _HEADINGS[tag]
        elif tag in BLOCKS:
            self._flush()
            self._verbatim += tag == "pre"
            self._attach = tag == "dd"

    def _end_of_block(self, tag: str) -> None:
        if tag == "sup":
            at = min(self._raised, len(self._words))
            base = next(filter(None, reversed(self._words[:at][-_NEAR:])), "")
            if is_power(base, "".join(self._words[at:])):
                self._words.insert(at, "^")
        elif tag in _HEADINGS:
            self._flush()
            self._level = None
        elif tag in BLOCKS:
            self._flush()
            self._verbatim -= tag == "pre" and self._verbatim > 0
            self._attach = False

    def _start_of_list(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._flush()
        if tag != "li":
            group = self._lists[-1].group if self._lists else self._new_group()
            self._lists.append(_List(group, _first_number(tag, attributes)))
            return
        if not self._lists:  # an item outside any list
            self._mark = "- "
            return
        items = self._lists[-1]
        indent = self._indent(len(self._lists) - 1)
        self._mark = f"{indent}- "
        if items.number is not None:
            self._mark = f"{indent}{items.number}. "
            items.number += 1

    def _end_of_list(self, tag: str) -> None:
        self._flush()
        self._mark = ""
        if tag != "li" and self._lists:
            self._lists.pop()

    def _start_of_table(self, tag: str) -> None:
        self._flush()
        if tag == "table":
            self._unfold()
            self._tables.append(_Table(self._new_group()))
        elif tag == "tr":
            self._end_row()
        elif self._tables and not self._tables[-1].unfolded:
            self._tables[-1].cells.append([])

    def _end_of_table(self, tag: str) -> None:
        self._flush()
        if tag in ("tr", "table"):
            self._end_row()
        if tag == "table" and self._tables:
            self._tables.pop()

    def _end_row(self) -> None:
        self._flush()
        if not self._tables:
            return
        table = self._tables[-1]
        cells = [" ".join(lines) for lines in table.cells]
        if len(cells) > 1 and any(cells) and max(map(len, cells)) <= _LONGEST_CELL:
            table.cells = []
            only_one = sum(map(bool, cells)) == 1
            row = "".join(cells) if only_one else " | ".join(cells)
            self._emit([row], table.group, attach=True)
        else:
            self._unfold()
        table.unfolded = False

    def _unfold(self) -> None:
        """Treat the cells of the current row as paragraphs."""
        self._flush()
        if self._tables:
            table = self._tables[-1]
            cells, table.cells, table.unfolded = table.cells, [], True
            for lines in filter(None, cells):
                self._emit(lines)

    def _flush(self) -> None:
        """Emit the pending text as one or more lines."""
        words, self._words = "".join(self._words), []
        if self._verbatim:
            lines = words.strip("\n").split("\n") if words.strip() else []
        else:
            lines = [" ".join(line.split()) for line in words.strip().split("\n")]
        if not any(lines):
            return
        if self._tables and self._tables[-1].cells:
            self._tables[-1].cells[-1] += [f"{self._mark}{' '.join(lines)}".strip()]
        elif self._level:
            self._drafts.append(_Draft(lines, self._level))
        elif self._lists and not self._verbatim:
            mark = self._mark or self._indent(len(self._lists))
            indent = " " * len(mark)
            marked = [mark + lines[0], *(indent + line if line else "" for line in lines[1:])]
            self._emit(marked, self._lists[0].group, attach=bool(self._mark))
        elif self._attach and self._drafts and self._drafts[-1].level is None:
            self._drafts[-1].lines += lines
        else:
            self._emit([self._mark + lines[0], *lines[1:]])
        self._mark = ""
        self._attach = False

    def _emit(self, lines: list[str], group: int | None = None, *, attach: bool = False) -> None:
        last = self._drafts[-1] if self._drafts else None
        if attach and last is not None and last.group == group:
            last.lines += lines
        else:
            self._drafts.append(_Draft(lines, group=group))


def is_power(base: str, raised: str) -> bool:
    """Whether a superscript after ``base`` must be marked as one: "10^6" rather than "106"."""
    return bool(_POWER.fullmatch(raised) and _BASE.search(base))


def _is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    if tag in ("html", "body"):  # some pages hide everything until a script has run
        return False
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style", "")))


def _first_number(tag: str, attributes: Mapping[str, str]) -> int | None:
    if tag != "ol":
        return None
    start = str(attributes.get("start", "1"))
    return int(start) if re.fullmatch(r"[0-9]{1,9}", start) else 1
