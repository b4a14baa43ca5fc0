"""Plain text, and text with light markup: Org, AsciiDoc, LaTeX, wiki pages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from unicodedata import normalize

from rag.documents.character_encoding import decoded_pieces, encoding_note
from rag.documents.content import Content
from rag.documents.dates import parse_date
from rag.documents.formats.chat import format_whatsapp, is_whatsapp
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.splitter import regroup
from rag.documents.whitespace import tidy

_DATE_LINE = re.compile(r"date(?:\s*:|[ \t])[ \t]*(.+)", re.IGNORECASE)

_MOMENT = (
    r"(?:\d{4}-\d\d-\d\d\b|[^\n]{0,40}?"
    r"(?:\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\b[A-Z][a-z]{2} [ \d]\d|\d\d([-/ ])[A-Z][a-z]{2}\1\d{4})"
    r"(?:T|:|,? )\d{1,2}[:.]\d\d)"
)
_RECORD = re.compile(_MOMENT)
_NEXT_RECORD = re.compile(rf"\n+(?={_MOMENT})")
_LOOKED_AT = 100
"""Number of lines by which a log is recognised."""

_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4}
_ORG = re.compile(r"(?P<mark>\*+)[ \t]+(?P<words>.+)")
_ASCIIDOC = re.compile(r"(?P<mark>={1,6})[ \t]+(?P<words>.+)")
_WIKI = re.compile(r"(?P<mark>={1,6})[ \t]*(?P<words>[^=\s].*?)[ \t]*(?P=mark)[ \t]*")
_LATEX = re.compile(
    r"[ \t]*\\(?P<mark>part|chapter|(?:sub){0,2}section)\*?(?:\[[^\]]*\])?"
    r"\{(?P<words>.+?)\}[ \t]*(?:\\label\{[^}]*\})?[ \t]*(?:%.*)?"
)
_DEEPEST = 6

_COMBINING = dict(
    zip(
        "'`^\"~.uvHckr",
        "\u0301\u0300\u0302\u0308\u0303\u0307\u0306\u030c\u030b\u0327\u0328\u030a",
        strict=True,
    )
)
"""Combining characters by LaTeX's accents, without those that also mean something else."""
_ACCENT = re.compile(
    r"(?<!\\)(?P<outer>\{)?\\(?:(?P<sign>['`^\"~.])|(?P<letter>[uvHckr])(?:[ \t]+|(?=\{)))"
    r"(?P<inner>\{)?(?:\\(?=[ij](?![A-Za-z])))?(?P<base>[A-Za-z])(?(inner)\})(?(outer)\})"
)
_LETTERS = dict(
    zip(["o", "O", "l", "L", "ss", "ae", "AE", "oe", "OE", "aa", "AA"], "øØłŁßæÆœŒåÅ", strict=True)
)
_NAMES = "|".join(_LETTERS)
_LETTER = re.compile(rf"\{{\\({_NAMES})\}}|\\({_NAMES})(?:\{{\}}|[ \t]+|(?![A-Za-z]))")


def load_plain(content: Content) -> Iterator[Loaded]:
    """Load plain text in any common encoding, in parts if long.

    A first line such as ``date 2025-03-05`` gives the document's date and is not part of the text.
    In a log, each line that begins with a date in ISO 8601, or in other forms with a time, begins a
    paragraph; so does each message of a chat. An encoding other than UTF-8 is recorded in the
    metadata.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    metadata = encoding_note(encoding)
    is_chat = is_log = False
    for number, stretch in enumerate(regroup(pieces)):
        text, date = tidy(stretch), None
        if number == 0:
            text, date = _split_date(text)
            is_chat = is_whatsapp(text)
            is_log = not is_chat and _is_log(text)
        if is_log:
            text = _NEXT_RECORD.sub("\n\n", text)
        if is_log or is_chat:
            text = format_whatsapp(text)
        yield Loaded(text=text, date=date, metadata=metadata)


def _split_date(text: str) -> tuple[str, dt.date | None]:
    first, _, rest = text.partition("\n")
    named = _DATE_LINE.fullmatch(first)
    date = parse_date(named[1]) if named else None
    return (rest.strip() if date else text), date


def _is_log(text: str) -> bool:
    """Whether at least half of the lines, and two of them, begin records."""
    lines = [line for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT] if line]
    records = sum(bool(_RECORD.match(line)) for line in lines)
    return records >= max(2, len(lines) / 2)


def _load_marked_up(
    heading: re.Pattern[str], content: Content, *, mend: Callable[[str], str] = tidy
) -> Iterator[Loaded]:
    """Load text whose lines that match ``heading`` are headings; other markup stays as it is."""
    pieces, encoding = decoded_pieces(content)
    blocks = (block for text in regroup(pieces) for block in _blocks(mend(text), heading))
    return Metadata().in_parts(blocks, notes=encoding_note(encoding))


def _blocks(text: str, heading: re.Pattern[str]) -> Iterator[Block]:
    for paragraph in text.split("\n\n"):
        lines: list[str] = []
        for line in paragraph.split("\n"):
            found = heading.fullmatch(line)
            if found:
                yield from _filled(lines)
                lines = []
                level = _LEVELS.get(found["mark"], len(found["mark"]))
                yield Block(found["words"], min(level, _DEEPEST))
            else:
                lines.append(line)
        yield from _filled(lines)


def _filled(lines: Iterable[str]) -> Iterator[Block]:
    if text := "\n".join(lines):
        yield Block(text)


def _compose_letters(text: str) -> str:
    """Tidied LaTeX, with letters in place of the commands for them."""
    text = _LETTER.sub(lambda found: _LETTERS[found[1] or found[2]], text)
    return tidy(_ACCENT.sub(_composed, text))


def _composed(accent: re.Match[str]) -> str:
    letter = normalize("NFC", accent["base"] + _COMBINING[accent["sign"] or accent["letter"]])
    return letter if len(letter) == 1 else accent[0]  # otherwise a formula with macros of its own


load_org = partial(_load_marked_up, _ORG)
load_asciidoc = partial(_load_marked_up, _ASCIIDOC)
load_wiki = partial(_load_marked_up, _WIKI)
load_latex = partial(_load_marked_up, _LATEX, mend=_compose_letters)
