"""Rich Text Format (RTF)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from rag.errors import LoadError
from rag.loaders.loaded import Loaded
from rag.loaders.office import About
from rag.loaders.rtf_charsets import CHARSETS, ENCODINGS
from rag.loaders.rtf_page import Page

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,40})(-?[0-9]{1,9})?\x20?"  # a word, with a number or without
    rb"|\\'([0-9A-Fa-f]{2})"  # a byte
    rb"|\\([^A-Za-z])"  # a sign
    rb"|([{}])"  # a group
    rb"|[\r\n\x00]+|([^\\{}\r\n\x00]+)",  # characters
    re.DOTALL,
)
_MOST_GROUPS = 1_000  # inside each other

_CODEPAGES = {
    932: "cp932",
    936: "gbk",
    949: "cp949",
    950: "big5",
    10000: "mac_roman",
    65001: "utf-8",
}
_CHARACTERS = {
    "tab": " ",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "line": "\n",
    "emdash": "—",
    "endash": "\u2013",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
}
_SIGNS = {b"\\": "\\", b"{": "{", b"}": "}", b"~": " ", b"_": "-", b"\t": " "}
_KEPT = frozenset({"fonttbl", "stylesheet", "title", "author", "revtim", "creatim", "listtext"})
_ASIDE = {"footnote": "Note", "shptxt": "", "dptxbxtext": ""}
_OUT_OF_SIGHT = frozenset(
    {
        *("colortbl", "pict", "header", "headerl", "headerr", "headerf", "footer", "footerl"),
        *("footerr", "footerf", "xe", "tc", "rxe", "listtable", "listoverridetable", "info"),
        *("themedata", "datastore", "fldinst", "annotation", "atnid", "atnauthor", "shprslt"),
        *("revtbl", "filetbl", "objdata", "objclass", "sp", "template", "generator", "pn"),
        *("nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "do"),
        *("bkmkstart", "bkmkend", "subject", "keywords", "doccomm", "operator", "company"),
    }
)
_HEADING = re.compile(r"heading ([1-9])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _State:
    """What holds within a group, and ends with it."""

    goes_to: str = "text"
    encoding: str = "cp1252"
    fallback: int = 1  # characters after one of Unicode, for programs that don't know it
    hidden: bool = False
    in_table: bool = False
    style: int = 0
    outline: int | None = None
    level: int = 0  # in a list


@dataclass(slots=True)
class _Paragraph:
    words: list[str] = field(default_factory=list)
    item: str = ""  # its bullet or number, if it has one


def load_rtf(data: bytes) -> Loaded:
    """Read rich text: headings, paragraphs, lists and tables in the order of the page.

    Footnotes and text boxes follow the paragraph that they belong to; headers, footers and
    comments are left out. Of a file that was cut short the beginning is read, with a warning.

    Raises LoadError where it is none, or nested beyond all bounds.
    """
    start = data[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise LoadError("it is empty; get a whole copy of it")
    if not start.startswith(b"{\\rtf"):
        raise LoadError("it is no rich text; give it the ending that fits what it holds")
    reader = _Reader()
    reader.read(data)
    cut = ("it ends in the middle; what was after that is missing",) if reader.open_groups else ()
    return reader.about().loaded(reader.page.layout.blocks(), cut)


class _Reader:
    """Goes through the tokens, and keeps what holds at each."""

    def __init__(self) -> None:
        self.page = Page()
        self._state = _State()
        self._stack: list[_State] = []
        self._paragraphs: list[tuple[int, _Paragraph]] = []  # that notes stand in, and how deep
        self._paragraph = _Paragraph()
        self._aside: list[str] = []
        self._notes = 0
        self._bytes = bytearray()  # not decoded yet
        self._to_skip = 0
        self._starred = False
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._styles: dict[int, int] = {}  # how deep a heading each style makes
        self._usual = "cp1252"
        self._said: dict[str, str] = {}

    @property
    def open_groups(self) -> int:
        """How many groups have not ended."""
        return len(self._stack)

    def about(self) -> About:
        """What the file says of itself."""
        date = self._said.get("revtim") or self._said.get("creatim") or ""
        return About(
            title=self._said.get("title", ""),
            author=self._said.get("author", ""),
            date="-".join(part.zfill(2) for part in date.split()[:3]),
        )

    def read(self, data: bytes) -> None:
        """All of a file."""
        at = 0
        while token := _TOKEN.search(data, at):
            at = token.end()
            word, number, code, sign, group, characters = token.groups()
            if code:
                self._byte(int(code, 16))
            elif characters is not None:
                self._characters(characters)
            else:
                self._flush()
            if group:
                self._group(opens=group == b"{")
            elif word:
                at += self._word(word.decode(), int(number) if number else None)
            elif sign:
                self._sign(sign)
        self._flush()
        self._end_paragraph()
        self.page.close()

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
            words, self._bytes = self._bytes.decode(self._state.encoding, "replace"), bytearray()
            self._text(words)

    def _text(self, words: str) -> None:
        goes_to = self._state.goes_to
        if goes_to == "text" and not self._state.hidden:
            self._paragraph.words.append(words)
        elif goes_to == "listtext":
            self._paragraph.item += words
        elif goes_to == "stylesheet":
            heading = _HEADING.match(words)
            if heading:
                self._styles.setdefault(self._state.style, int(heading[1]))
        elif goes_to in ("title", "author"):
            self._said[goes_to] = self._said.get(goes_to, "") + words

    def _group(self, *, opens: bool) -> None:
        self._to_skip, self._starred = 0, False
        if opens:
            if len(self._stack) >= _MOST_GROUPS:
                raise LoadError(f"it is nested more than {_MOST_GROUPS:,} deep, as no text is")
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
        """What a control word does; how many bytes after it are no tokens."""
        starred, self._starred = self._starred, False
        if word == "bin":
            return max(number or 0, 0)
        if word == "u":
            self._unicode(number or 0)
        elif word in _ASIDE and (self._state.goes_to == "text" or word != "footnote"):
            self._start_aside(word)
        elif word in _KEPT or word == "pntext":
            self._state = replace(self._state, goes_to="listtext" if word == "pntext" else word)
            self._said.setdefault(word, "")
        elif word in _OUT_OF_SIGHT or starred:
            self._state = replace(self._state, goes_to="nothing")
        elif word in _CHARACTERS:
            self._text(_CHARACTERS[word])
        elif self._state.goes_to in ("revtim", "creatim"):
            if word in ("yr", "mo", "dy"):
                self._said[self._state.goes_to] += f" {number or 0}"
        elif not self._is_format(word, number):
            self._structure(word)
        return 0

    def _unicode(self, number: int) -> None:
        self._text(chr(number & 0xFFFF))
        self._to_skip = self._state.fallback

    def _is_format(self, word: str, number: int | None) -> bool:
        """Take in what changes how the following is read; whether it was such a word."""
        state = self._state
        if word == "pard":
            state = replace(state, in_table=False, style=0, outline=None, level=0)
        elif word in ("v", "deleted", "plain"):
            state = replace(state, hidden=word != "plain" and number != 0)
        elif word == "s":
            state = replace(state, style=number or 0)
        elif word == "ilvl":
            state = replace(state, level=number or 0)
        elif word == "uc":
            state = replace(state, fallback=max(number or 0, 0))
        elif word == "outlinelevel":
            state = replace(state, outline=(number or 0) + 1)
            if state.goes_to == "stylesheet":
                self._styles[state.style] = (number or 0) + 1
        elif word == "intbl":
            state = replace(state, in_table=True)
        elif word in ("f", "fcharset", "ansicpg", *ENCODINGS):
            state = replace(state, encoding=self._encoding(word, number or 0))
        else:
            return False
        self._state = state
        return True

    def _encoding(self, word: str, number: int) -> str:
        """The encoding that holds after a word on fonts or code pages."""
        if word == "f":
            self._font = number
            return self._fonts.get(number, self._usual)
        if word == "fcharset":
            if number in CHARSETS:
                self._fonts[self._font] = CHARSETS[number]
            return self._state.encoding
        self._usual = ENCODINGS.get(word) or _codepage(number)
        return self._usual

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
        words = self._taken().words
        self._aside.append("".join(words))
        self._paragraph = self._paragraphs.pop()[1]

    def _taken(self) -> _Paragraph:
        """The present paragraph, and an empty one in its place."""
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        return paragraph

    def _end_in_table(self) -> None:
        paragraph = self._taken()
        self.page.in_cell(_mended(f"{paragraph.item.strip()} {''.join(paragraph.words)}".strip()))

    def _end_paragraph(self) -> None:
        state = self._state
        if state.goes_to != "text":
            return
        if self._paragraphs:  # of a note, which is one paragraph to us
            self._paragraph.words.append("\n")
        elif state.in_table:
            self._end_in_table()
        else:
            paragraph = self._taken()
            deep = state.outline or self._styles.get(state.style, 0)
            tag = f"h{min(deep, 6)}" if 0 < deep <= 9 else "p"  # noqa: PLR2004 - 10 is the body
            item = "" if tag != "p" else paragraph.item.strip()
            self.page.paragraph(_mended("".join(paragraph.words)), tag, item, state.level)
            aside, self._aside = self._aside, []
            for words in aside:
                self.page.paragraph(_mended(words), "p")


def _mended(words: str) -> str:
    """The words with pairs of surrogates, as RTF writes emoji, made one character each."""
    return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _codepage(number: int) -> str:
    from encodings import aliases

    name = _CODEPAGES.get(number, f"cp{number}")
    return name if name in aliases.aliases.values() or number in _CODEPAGES else "cp1252"
