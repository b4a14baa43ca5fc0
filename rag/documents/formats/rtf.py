"""Rich Text Format (RTF)."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from rag.documents.content import PIECE, Content, release
from rag.documents.dates import parse_date
from rag.documents.layout import Layout
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
_DEEPEST_LEVEL = 9  # an outline level beyond means body text
_DEEPEST_HEADING = 6
_MAC_ROMAN = 10_000  # code page

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

_OUT_OF_SIGHT = (
    *("colortbl", "pict", "header", "headerl", "headerr", "headerf", "footer", "footerl"),
    *("footerr", "footerf", "xe", "tc", "rxe", "listtable", "listoverridetable"),
    *("themedata", "datastore", "fldinst", "annotation", "atnid", "atnauthor", "shprslt"),
    *("revtbl", "filetbl", "objdata", "objclass", "sp", "template", "generator", "pn"),
    *("nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn"),
    *("bkmkstart", "bkmkend", "subject", "keywords", "doccomm", "operator", "company"),
)
_DESTINATIONS = {
    **dict.fromkeys(_OUT_OF_SIGHT, _NOWHERE),
    **{word: word for word in ("fonttbl", "stylesheet", "title", "author", "revtim", "creatim")},
    "listtext": "listtext",
    "pntext": "listtext",
    "info": _NOTHING,
}
"""By the control word that begins the group."""

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

_NUMBERS = {"s": "style", "ilvl": "level", "outlinelevel": "outline", "f": "font", "uc": "fallback"}
"""Fields of the state by the control word whose number sets them."""

_SETTINGS: dict[str, dict[str, Any]] = {
    "pard": {"in_table": False, "style": 0, "outline": None, "level": 0},
    "plain": {"hidden": False, "font": None},
    "intbl": {"in_table": True},
}
_TABLE = ("table", "tr", "td")


@dataclass(frozen=True, slots=True)
class _State:
    """Formatting state, scoped to a group."""

    goes_to: str = "text"
    font: int | None = None  # None means the default font
    fallback: int = 1  # number of fallback characters after a Unicode one
    hidden: bool = False
    in_table: bool = False
    style: int = 0
    outline: int | None = None  # 0 is the outermost level
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
    def __init__(self) -> None:
        self.is_cut = False  # the file ended with groups still open
        self._layout = Layout(frozenset())
        self._state = _State()
        self._stack: list[_State] = []
        self._paragraphs: list[tuple[int, _Paragraph]] = []  # interrupted by notes, with depth
        self._paragraph = _Paragraph()
        self._aside: list[str] = []
        self._notes = 0
        self._in_table = 0  # number of open elements of _TABLE
        self._bytes = bytearray()  # not yet decoded
        self._to_skip = 0
        self._starred = False
        self._fonts: dict[int, str] = {}  # encoding of each font
        self._default_font = 0
        self._styles: dict[int, int] = {}  # heading level of each style
        self._usual = "cp1252"
        self._info: dict[str, list[str]] = {"title": [], "author": []}
        self._days: dict[str, dict[str, int]] = {"revtim": {}, "creatim": {}}

    def about(self) -> Metadata:
        """The file's own metadata."""
        days = (
            f"{day.get('yr', 0):04}-{day.get('mo', 0):02}-{day.get('dy', 0):02}"
            for day in self._days.values()
        )
        return file_metadata(
            title=_join(self._info["title"]),
            author=_join(self._info["author"]),
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
                yield from self._layout.finished()
            word, number, code, sign, group, characters = token.groups()
            if code:
                self._characters(bytes.fromhex(code.decode()))
                continue
            if characters is not None:
                self._characters(characters)
                self._starred = False
                continue
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
        self._close_table(0)
        self.is_cut = bool(self._stack)
        yield from self._layout.blocks()

    def _characters(self, characters: bytes) -> None:
        skipped = min(self._to_skip, len(characters))
        self._to_skip -= skipped
        self._bytes += characters[skipped:]

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
        goes_to = self._state.goes_to
        if word == "bin":
            return max(number or 0, 0)
        if word == "u":
            self._unicode(number or 0)
        elif goes_to == _NOWHERE or self._is_destination(word, starred=starred):
            pass
        elif word in _CHARACTERS:
            self._text(_CHARACTERS[word])
        elif goes_to in self._days:
            self._days[goes_to][word] = number or 0
        elif word in ("v", "deleted"):
            self._state = replace(self._state, hidden=number != 0)
        elif word in _SETTINGS:
            self._state = replace(self._state, **_SETTINGS[word])
        elif word in _NUMBERS:
            self._state = replace(self._state, **{_NUMBERS[word]: cast("Any", number or 0)})
            if word == "outlinelevel" and goes_to == "stylesheet":
                self._styles[self._state.style] = (number or 0) + 1
        else:
            self._declare_encoding(word, number or 0)
            self._end(word)
        return 0

    def _is_destination(self, word: str, *, starred: bool) -> bool:
        """Handle a word that sets the destination of its group; returns whether it was one."""
        if word in _ASIDE and (self._state.goes_to == "text" or word != "footnote"):
            self._start_aside(word)
            return True
        destination = _DESTINATIONS.get(word, _NOTHING if starred else None)
        if destination:
            self._state = replace(self._state, goes_to=destination)
        return bool(destination)

    def _unicode(self, number: int) -> None:
        # Code points beyond 16 bits come as surrogates, possibly negative; some programs write them
        # as one number.
        self._text(chr(number if 0 <= number <= sys.maxunicode else number & 0xFFFF))
        self._to_skip = max(self._state.fallback, 0)

    def _declare_encoding(self, word: str, number: int) -> None:
        if word == "deff":
            self._default_font = number
        elif word == "fcharset" and number in _CHARSETS:
            self._fonts[self._state.font or 0] = _CHARSETS[number]
        elif word == "ansicpg":
            self._usual = _codepage(number)
        elif word in _ENCODINGS:
            self._usual = _ENCODINGS[word]

    def _end(self, word: str) -> None:
        """End a paragraph, cell or row, if that is what the word means."""
        if word in ("par", "sect"):
            self._end_paragraph()
        elif word in ("cell", "nestcell", "row", "nestrow") and self._state.goes_to == "text":
            self._end_paragraph_in_cell()
            if word == "cell":
                self._open_cell()
                self._close_table(2)
            elif word == "row":
                self._close_table(1)

    def _start_aside(self, word: str) -> None:
        self._paragraphs.append((len(self._stack), self._paragraph))
        self._paragraph = _Paragraph()
        self._state = replace(self._state, goes_to="text", in_table=False, hidden=False)
        if word == "footnote":
            self._notes += 1
            self._paragraph.words.append(f"Note {self._notes}: ")

    def _end_aside(self) -> None:
        self._aside.append(_join(self._paragraph.words))
        self._paragraph = self._paragraphs.pop()[1]

    def _end_paragraph(self) -> None:
        state = self._state
        if state.goes_to != "text":
            return
        if self._paragraphs:  # in a note, which is a single paragraph to us
            self._paragraph.words.append("\n")
            return
        if state.in_table:
            self._end_paragraph_in_cell()
            return
        self._close_table(0)
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        words, item = _join(paragraph.words), "".join(paragraph.item).strip()
        level = self._styles.get(state.style, 0) if state.outline is None else state.outline + 1
        if 0 < level <= _DEEPEST_LEVEL:
            self._write(words, f"h{min(level, _DEEPEST_HEADING)}")
        elif item:
            number = _ITEM_NUMBER.fullmatch(item)
            self._layout.start_item(state.level, int(number[1]) if number else None)
            self._layout.data(words)
            self._layout.end("li")
        else:
            self._write(words, "p")
        aside, self._aside = self._aside, []
        for words in aside:
            self._write(words, "p")

    def _write(self, words: str, tag: str) -> None:
        if not words.strip():
            return
        self._layout.end_items()
        self._layout.start(tag, {})
        for place, line in enumerate(words.split("\n")):
            if place:
                self._layout.start("br", {})
            self._layout.data(line)
        self._layout.end(tag)

    def _end_paragraph_in_cell(self) -> None:
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        words = _join([*paragraph.item, " ", *paragraph.words]).strip()
        if words:
            self._open_cell()
            self._layout.start("p", {})
            self._layout.data(words)
            self._layout.end("p")

    def _open_cell(self) -> None:
        if not self._in_table:
            self._layout.end_items()
        for tag in _TABLE[self._in_table :]:
            self._layout.start(tag, {})
        self._in_table = len(_TABLE)

    def _close_table(self, depth: int) -> None:
        """Close open table elements deeper than ``depth``."""
        for tag in reversed(_TABLE[depth : self._in_table]):
            self._layout.end(tag)
        self._in_table = min(self._in_table, depth)


def _codepage(number: int) -> str:
    """Codec of a code page; Windows-1252 if there is none."""
    try:
        return codecs.lookup("mac_roman" if number == _MAC_ROMAN else f"cp{number}").name
    except LookupError:
        return "cp1252"


def _join(words: list[str]) -> str:
    """Join text and combine surrogate pairs, as RTF writes emoji."""
    return "".join(words).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
