"""Rich Text Format (RTF)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from encodings import aliases

from rag.documents.content import PIECE, Content, release
from rag.documents.dates import parse_date
from rag.documents.layout import Items, Layout
from rag.documents.loaded import Block, Loaded, in_parts
from rag.documents.metadata import Metadata, file_metadata
from rag.errors import LoadError

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,40})(-?[0-9]{1,9})?\x20?"  # a control word, with or without a number
    rb"|\\'([0-9A-Fa-f]{2})"  # a hex byte
    rb"|\\([^A-Za-z])"  # a control symbol
    rb"|([{}])"  # group start or end
    rb"|[\r\n\x00]+|([^\\{}\r\n\x00]+)",  # text
    re.DOTALL,
)
_MOST_GROUPS = 1_000  # maximum nesting depth

_CUT = "it is cut short; the rest is missing"

_HEADING = re.compile(r"heading ([1-9])\b|title;?$", re.IGNORECASE)
_ITEM_NUMBER = re.compile(r"([0-9]{1,6})[.)]?")

_PUNCTUATION = ("emdash", "endash", "lquote", "rquote", "ldblquote", "rdblquote", "bullet")
_CHARACTERS = {
    **dict.fromkeys(("tab", "emspace", "enspace", "qmspace"), " "),
    **dict.fromkeys(("line", "page", "column"), "\n"),
    **dict(zip(_PUNCTUATION, "—\u2013\u2018\u2019“”•", strict=True)),
}
"""Characters by control word."""

_SIGNS = {b"\\": "\\", b"{": "{", b"}": "}", b"~": " ", b"_": "-", b"\t": " "}
"""Characters by control symbol."""

_ASIDE = frozenset({"footnote", "shptxt", "dptxbxtext"})
"""Destinations outside the running text: notes and boxes."""

_NOTHING = "nothing"
"""Destination whose own text is dropped, but not that of nested destinations."""
_NOWHERE = "nowhere"
"""Destination dropped with everything nested in it."""

_KEPT = {
    **{word: word for word in ("fonttbl", "stylesheet", "title", "author", "revtim", "creatim")},
    "listtext": "listtext",
    "pntext": "listtext",
    "info": _NOTHING,
}
"""Destinations by the control word that begins the group."""

_OUT_OF_SIGHT = frozenset(
    {
        *("colortbl", "pict", "header", "headerl", "headerr", "headerf", "footer", "footerl"),
        *("footerr", "footerf", "xe", "tc", "rxe", "listtable", "listoverridetable"),
        *("themedata", "datastore", "fldinst", "annotation", "atnid", "atnauthor", "shprslt"),
        *("revtbl", "filetbl", "objdata", "objclass", "sp", "template", "generator", "pn"),
        *("nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn"),
        *("bkmkstart", "bkmkend", "subject", "keywords", "doccomm", "operator", "company"),
    }
)
"""Destinations to drop entirely."""

_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    255: "cp437",
}
"""By ``\\fcharset`` number."""

_ENCODINGS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""By the name of the file's character set."""

_CODEPAGES = {
    932: "cp932",
    936: "gbk",
    949: "cp949",
    950: "big5",
    10000: "mac_roman",
    65001: "utf-8",
}


@dataclass(frozen=True, slots=True)
class _State:
    """Formatting state, scoped to a group."""

    goes_to: str = "text"
    font: int | None = None  # None means the default font
    fallback: int = 1  # number of fallback characters after a Unicode one
    hidden: bool = False
    in_table: bool = False
    style: int = 0
    outline: int | None = None
    level: int = 0  # list level


@dataclass(slots=True)
class _Paragraph:
    words: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)  # bullet or number, if any


def load_rtf(content: Content) -> Iterator[Loaded]:
    """Load rich text: headings, paragraphs, lists and tables in page order; in parts if long.

    Footnotes and text boxes follow their paragraph; headers, footers, comments and hidden text are
    omitted. Title, author and date (of the last change) come from the file's info group. A
    truncated file is read as far as it goes, with a warning.

    Raises LoadError if it is not RTF or nested too deep.
    """
    start = content[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise LoadError("it is empty; get a complete copy of it")
    if not start.startswith(b"{\\rtf"):
        raise LoadError("it is not rich text; give it the extension that matches its content")
    reader = _Reader()
    for text, headings in in_parts(reader.read(content)):
        cut = (_CUT,) if reader.is_cut else ()
        yield reader.about().of_text(text, headings, warnings=cut)


class _Reader:
    """Processes tokens and tracks the formatting state."""

    def __init__(self) -> None:
        self.page = _Page()
        self._state = _State()
        self._stack: list[_State] = []
        self._paragraphs: list[tuple[int, _Paragraph]] = []  # interrupted by notes, with depth
        self._paragraph = _Paragraph()
        self._aside: list[str] = []
        self._notes = 0
        self._bytes = bytearray()  # not yet decoded
        self._to_skip = 0
        self._starred = False
        self._fonts: dict[int, str] = {}  # encoding of each font
        self._default_font = 0
        self._styles: dict[int, int] = {}  # heading level of each style
        self._usual = "cp1252"
        self.is_cut = False
        """Whether the file ended with groups still open."""
        self._info: dict[str, list[str]] = {"title": [], "author": []}
        self._days: dict[str, dict[str, int]] = {"revtim": {}, "creatim": {}}

    def about(self) -> Metadata:
        """The file's own metadata."""
        days = (
            f"{day.get('yr', 0):04}-{day.get('mo', 0):02}-{day.get('dy', 0):02}"
            for day in self._days.values()
        )
        return file_metadata(
            title=_join_surrogates("".join(self._info["title"])),
            author=_join_surrogates("".join(self._info["author"])),
            date=next(filter(parse_date, days), ""),
        )

    def read(self, content: Content) -> Iterator[Block]:
        """Yield the blocks of a file."""
        at = read = 0
        while token := _TOKEN.search(content, at):
            at = token.end()
            if at - read > PIECE:
                read = at
                release(content)
                yield from self.page.layout.finished()
            word, number, code, sign, group, characters = token.groups()
            if code:
                self._byte(int(code, 16))
            elif characters is not None:
                self._characters(characters)
            else:
                self._flush()
            if group == b"}" and len(self._stack) <= 1:
                self._stack.clear()
                break  # anything after the outermost group is not text
            if group:
                self._group(opens=group == b"{")
            elif word:
                at += self._word(word.decode(), int(number) if number else None)
            elif sign:
                self._sign(sign)
        self._flush()
        while self._paragraphs:  # truncated inside a note
            self._end_aside()
        self._state = replace(self._state, goes_to="text")
        self._end_paragraph()
        self.page.close()
        self.is_cut = bool(self._stack)
        yield from self.page.layout.blocks()

    def _byte(self, code: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        else:
            self._bytes.append(code)

    def _characters(self, characters: bytes) -> None:
        skipped = min(self._to_skip, len(characters))
        self._to_skip -= skipped
        self._bytes += characters[skipped:]
        self._starred = False

    def _flush(self) -> None:
        if self._bytes:
            font = self._default_font if self._state.font is None else self._state.font
            encoding = self._fonts.get(font, self._usual)
            words, self._bytes = self._bytes.decode(encoding, "replace"), bytearray()
            self._text(words)

    def _text(self, words: str) -> None:
        goes_to = self._state.goes_to
        if goes_to == "text" and not self._state.hidden:
            self._paragraph.words.append(words)
        elif goes_to == "listtext":
            self._paragraph.item.append(words)
        elif goes_to == "stylesheet":
            heading = _HEADING.match(words)
            if heading:
                self._styles.setdefault(self._state.style, int(heading[1] or 1))
        elif goes_to in self._info:
            self._info[goes_to].append(words)

    def _group(self, *, opens: bool) -> None:
        self._to_skip, self._starred = 0, False
        if opens:
            if len(self._stack) >= _MOST_GROUPS:
                raise LoadError(
                    f"it is nested more than {_MOST_GROUPS:,} levels deep, as no real text is"
                )
            self._stack.append(self._state)
        elif self._stack:
            if self._paragraphs and self._paragraphs[-1][0] == len(self._stack):
                self._end_aside()
            self._state = self._stack.pop()

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._starred = True
        elif sign in b"\r\n":
            self._end_paragraph()
        elif self._to_skip:
            self._to_skip -= 1
        elif sign in _SIGNS:
            self._text(_SIGNS[sign])

    def _word(self, word: str, number: int | None) -> int:
        """Handle a control word; returns the number of bytes after it to skip."""
        starred, self._starred = self._starred, False
        if word == "bin":
            return max(number or 0, 0)
        if word == "u":
            self._unicode(number or 0)
        elif self._state.goes_to == _NOWHERE or self._is_destination(word, starred=starred):
            pass
        elif word in _CHARACTERS:
            self._text(_CHARACTERS[word])
        elif self._state.goes_to in self._days:
            self._days[self._state.goes_to][word] = number or 0
        elif not self._is_format(word, number or 0, on=number != 0):
            self._structure(word)
        return 0

    def _is_destination(self, word: str, *, starred: bool) -> bool:
        """Handle a word that sets the destination of its group; returns whether it was one."""
        goes_to = self._state.goes_to
        if word in _ASIDE and (goes_to == "text" or word != "footnote"):
            self._start_aside(word)
            return True
        if word in _KEPT:
            goes_to = _KEPT[word]
        elif word in _OUT_OF_SIGHT:
            goes_to = _NOWHERE
        elif starred:
            goes_to = _NOTHING
        else:
            return False
        self._state = replace(self._state, goes_to=goes_to)
        return True

    def _unicode(self, number: int) -> None:
        # Code points beyond 16 bits come as surrogates, possibly negative; some programs write them
        # as one number.
        self._text(chr(number if 0 <= number <= sys.maxunicode else number & 0xFFFF))
        self._to_skip = self._state.fallback

    def _is_format(self, word: str, number: int, *, on: bool) -> bool:
        """Handle a formatting word; returns whether it was one."""
        state = self._state
        if word == "pard":
            state = replace(state, in_table=False, style=0, outline=None, level=0)
        elif word == "plain":
            state = replace(state, hidden=False, font=None)
        elif word in ("v", "deleted"):
            state = replace(state, hidden=on)
        elif word == "s":
            state = replace(state, style=number)
        elif word == "ilvl":
            state = replace(state, level=number)
        elif word == "outlinelevel":
            state = replace(state, outline=number + 1)
            if state.goes_to == "stylesheet":
                self._styles[state.style] = number + 1
        elif word == "intbl":
            state = replace(state, in_table=True)
        else:
            return self._is_encoding(word, number)
        self._state = state
        return True

    def _is_encoding(self, word: str, number: int) -> bool:
        """Handle an encoding word; returns whether it was one."""
        if word == "f":
            self._state = replace(self._state, font=number)
        elif word == "uc":
            self._state = replace(self._state, fallback=max(number, 0))
        elif word == "deff":
            self._default_font = number
        elif word == "fcharset":
            if number in _CHARSETS:
                self._fonts[self._state.font or 0] = _CHARSETS[number]
        elif word == "ansicpg":
            self._usual = _codepage(number)
        elif word in _ENCODINGS:
            self._usual = _ENCODINGS[word]
        else:
            return False
        return True

    def _structure(self, word: str) -> None:
        if word in ("par", "sect"):
            self._end_paragraph()
        elif word in ("cell", "nestcell", "row", "nestrow") and self._state.goes_to == "text":
            self._end_in_table()
            if word == "cell":
                self.page.end_cell()
            elif word == "row":
                self.page.end_row()

    def _start_aside(self, word: str) -> None:
        self._paragraphs.append((len(self._stack), self._paragraph))
        self._paragraph = _Paragraph()
        self._state = replace(self._state, goes_to="text", in_table=False, hidden=False)
        if word == "footnote":
            self._notes += 1
            self._paragraph.words.append(f"Note {self._notes}: ")

    def _end_aside(self) -> None:
        words = self._take_paragraph().words
        self._aside.append("".join(words))
        self._paragraph = self._paragraphs.pop()[1]

    def _take_paragraph(self) -> _Paragraph:
        """Take the current paragraph, leaving an empty one."""
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        return paragraph

    def _end_in_table(self) -> None:
        paragraph = self._take_paragraph()
        words = "".join([*paragraph.item, " ", *paragraph.words])
        self.page.in_cell(_join_surrogates(words.strip()))

    def _end_paragraph(self) -> None:
        state = self._state
        if state.goes_to != "text":
            return
        if self._paragraphs:  # in a note, which is a single paragraph to us
            self._paragraph.words.append("\n")
        elif state.in_table:
            self._end_in_table()
        else:
            paragraph = self._take_paragraph()
            deep = state.outline or self._styles.get(state.style, 0)
            tag = f"h{min(deep, 6)}" if 0 < deep <= 9 else "p"  # noqa: PLR2004 - 10 is the body
            item = "" if tag != "p" else "".join(paragraph.item).strip()
            self.page.paragraph(_join_surrogates("".join(paragraph.words)), tag, item, state.level)
            aside, self._aside = self._aside, []
            for words in aside:
                self.page.paragraph(_join_surrogates(words), "p")


class _Page:
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


def _codepage(number: int) -> str:
    """Codec of a code page; Windows-1252 if there is none."""
    name = _CODEPAGES.get(number, f"cp{number}")
    return name if name in aliases.aliases.values() or number in _CODEPAGES else "cp1252"


def _join_surrogates(words: str) -> str:
    """Combine surrogate pairs, as RTF writes emoji."""
    return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
