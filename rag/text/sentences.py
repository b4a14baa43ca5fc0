"""Sentence segmentation.

A text consists of paragraphs, separated by empty lines. A paragraph consists of blocks: a list item
or a table row starts a new one. A block consists of sentences, which ``sentencex`` finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise

from rag.types import Span

LANGUAGE = "en"
"""Rules for sentencex. The English ones also cover the full stops of Hindi, Chinese, Japanese,
Arabic and Armenian."""

LONGEST_SENTENCE = 2000
"""Maximum characters of a sentence; longer ones are cut, preferably at whitespace. It is far beyond
any model's window, and the time of ``sentencex`` is quadratic in its input."""

LONGEST_ROW = 400
"""A table row of up to this many characters is one sentence, whatever its cells contain."""

_GAP = re.compile(r"\n\s*\n")
_LINE = re.compile(r"[^\n]+")
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+\S")
_CELL_BORDER = re.compile(r"(?<!\S)\|(?!\S)")
_BARE_MARK = re.compile(r"[-*•]|(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]|\(\w{1,3}\)")
_WORD = re.compile(r"\w")

LONG_SENTENCE = 250
"""sentencex never splits within quotes and brackets. Longer sentences than this, in characters, are
split there, too, since a speech or an unbalanced bracket can span a page."""

_LABEL = re.compile(r"\((\w{1,4})\)")
_OPENING = "\u201c\u2018«„([{「『"
_CLOSING = "\u201d\u2019»)]}」』"
_QUOTES_AND_BRACKETS = str.maketrans(dict.fromkeys(_OPENING + _CLOSING + "\"'", " "))

# A note right after a sentence's full stop: a footnote mark, an editor's remark, a page number. "It
# fell.[3][citation needed] It rose.:19-21 It stood."
_NOTE = re.compile(r"(?:\[[^\[\]\n]{1,40}\]|:\d[\d,\u2013-]*)+(?:\s+|$)")

# Abbreviations unknown to sentencex, all found in real texts: before a name (titles, streets; the
# last line is Hindi: Dr., Mr., Mrs., Prof., Rs.), references before a number, and Russian ones.
_BEFORE_NAME = re.compile(
    r"(?<!\w)(?:ms|mx|shri|sri|smt|addl|jt|secy|govt|profs|eds|ул|св|проф|акад"
    r"|डॉ|श्री|श्रीमती|प्रो|रु)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(
    r"(?<!\w)(?:vols?|chs?|chap|secs|arts|figs|eqs?|paras?|refs|pts|approx|tel"
    r"|abb|abs|anm|bd|págs?|núm|рис|табл|стр|гл|ст|п)\.$",
    re.IGNORECASE,
)
_BEFORE_SMALL_LETTER = re.compile(
    r"(?<!\w)(?:гг?|вв?|т|д|см|др|руб|тыс|млн|млрд|стр|рис)\.$",  # noqa: RUF001 (Cyrillic)
    re.IGNORECASE,
)

# "Am 3. Juni", "der 2. Weltkrieg", "the 3. June", "1. 4. 2020": an ordinal rather than a number at
# the end of a sentence.
_ORDINAL = re.compile(r"(?<![\d.,])\d{1,2}\.$")
_GERMAN_ORDINAL = re.compile(
    r"(?<!\bI )\b(?:am|vom|zum|zur|im|beim|der|die|das|des|dem|den)\s+\d{1,2}\.$", re.IGNORECASE
)
_DAY_AND_MONTH = re.compile(r"(?<![\d.,])\d{1,2}\.\s*\d{1,2}\.$")
_YEAR = re.compile(r"(?:19|20)\d\d\b")
# Not May and March, which begin sentences.
_MONTH = re.compile(
    r"(?:januar|january|februar|february|märz|april|mai|june|juni|july|juli|august|september|october|oktober"
    r"|november|december|dezember|\d{1,2}\.)(?!\w)",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 10

# sentencex panics at multi-byte whitespace before an initial, and can't read lone surrogates. Each
# is replaced by one character, so that offsets stay the same.
_HARMLESS = {
    **{code: " " for code in range(0x80, 0x3001) if chr(code).isspace()},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def paragraphs(text: str, within: Span | None = None) -> list[Span]:
    """Spans of the paragraphs of ``text`` or of the part within ``within``, in order.

    Paragraphs are separated by blank lines. Surrounding whitespace is left out, and no span is
    empty.
    """
    whole = Span(0, len(text)) if within is None else within
    found = []
    start = whole.start
    for gap in _GAP.finditer(text, whole.start, whole.end):
        found.append(trim(text, start, gap.start()))
        start = gap.end()
    found.append(trim(text, start, whole.end))
    return [span for span in found if span]


def sentences(text: str, within: Span | None = None) -> Iterator[Span]:
    """Yield the spans of the sentences of ``text`` or of the part within ``within``, in order.

    Offsets are in ``text``. Spans don't overlap, don't begin or end with whitespace, never cross a
    paragraph boundary, and together cover all other characters. List items and table rows start a
    new sentence. A sentence without a word, such as a lone bracket, joins its neighbour, and a list
    number the item after it, unless there is nothing else. None exceeds ``LONGEST_SENTENCE``
    characters, except by such a join.
    """
    for paragraph in paragraphs(text, within):
        cuts = (
            cut
            for block in _blocks(text, paragraph)
            for cut in pairwise(chain(_sentence_starts(text, block), (block.end,)))
        )
        yield from _join_fragments(text, (piece for cut in cuts if (piece := trim(text, *cut))))


def trim(text: str, start: int, end: int) -> Span:
    """The range without surrounding whitespace; empty if nothing is left."""
    content = text[start:end]
    start += len(content) - len(content.lstrip())
    return Span(start, start + len(content.strip()))


def _blocks(text: str, paragraph: Span) -> Iterator[Span]:
    """Split a paragraph before each list item and around each table row."""
    start = paragraph.start
    after_row = False
    for line in _LINE.finditer(text, paragraph.start, paragraph.end):
        is_row = _CELL_BORDER.search(line[0]) is not None
        if line.start() > start and (is_row or after_row or _ITEM.match(line[0])):
            yield Span(start, line.start())
            start = line.start()
        after_row = is_row
    yield Span(start, paragraph.end)


def _sentence_starts(text: str, block: Span) -> Iterator[int]:
    """Start offsets of the block's sentences; the first is that of the block itself."""
    content = block.of(text)
    if len(content) <= LONGEST_ROW and _CELL_BORDER.search(content):
        yield block.start
        return
    if not content.isascii():
        content = content.translate(_HARMLESS)
    at = 0
    while at < len(content):
        piece = content[at : at + LONGEST_SENTENCE]
        starts = sorted({0, *_boundaries(piece)})
        if at + len(piece) == len(content):
            yield from (block.start + at + start for start in starts)
            return
        # The last sentence may continue beyond this piece, so the next piece starts with it.
        yield from (block.start + at + start for start in starts[:-1] or starts)
        at += starts[-1] or piece.rfind(" ") + 1 or len(piece)


def _boundaries(piece: str) -> Iterator[int]:
    """Start offsets of the sentences in the piece."""
    # For sentencex, the label of a list or figure, as in "(A) One. Two.", opens a bracket, which
    # the next ")" far away may close.
    starts = [_after_note(piece, one) for one in _segment(_LABEL.sub(r" \1 ", piece))]
    for start, end in pairwise([*starts, len(piece)]):
        yield _with_opening(piece, start)
        if end - start > LONG_SENTENCE:
            inner = _segment(piece[start:end].translate(_QUOTES_AND_BRACKETS))
            yield from (
                _with_opening(piece, _after_note(piece, start + offset)) for offset in inner
            )


def _after_note(piece: str, start: int) -> int:
    """The start of a sentence after any note that belongs to the previous one."""
    note = _NOTE.match(piece, start) if start and not piece[start - 1].isspace() else None
    return note.end() if note else start


def _with_opening(piece: str, start: int) -> int:
    """The start of a sentence including its opening quotes and brackets."""
    while start > 0 and (
        piece[start - 1] in _OPENING
        or (piece[start - 1] in "\"'" and piece[start - 2 : start - 1].isspace())
    ):
        start -= 1
    return start


def _segment(piece: str) -> list[int]:
    """Start offsets of sentences according to sentencex."""
    import sentencex

    try:
        found = sentencex.get_sentence_boundaries(LANGUAGE, piece)
    except BaseException as panic:
        # A Rust panic is not an Exception, and would end a run over thousands of files. None is
        # known for input cleaned by _HARMLESS; if there is one, treat the piece as a single
        # sentence.
        if type(panic).__name__ != "PanicException":
            raise
        return []
    return [boundary["start_index"] for boundary in found]


def _join_fragments(text: str, pieces: Iterator[Span]) -> Iterator[Span]:
    """Join pieces of a paragraph that mean nothing alone to their neighbours."""
    last: Span | None = None  # the next one may join it
    start: int | None = None  # of a piece that joins the next
    piece = next(pieces, None)
    while piece is not None:
        following = next(pieces, None)
        if start is None and last is not None and not _WORD.search(piece.of(text)):
            last = Span(last.start, piece.end)
        else:
            start = piece.start if start is None else start
            if following is None or not _leads_on(text, Span(start, piece.end), following):
                if last is not None and _BARE_MARK.fullmatch(text, start, piece.end):
                    last = Span(last.start, piece.end)
                else:
                    if last is not None:
                        yield last
                    last = Span(start, piece.end)
                start = None
        piece = following
    if last is not None:
        yield last


def _leads_on(text: str, piece: Span, following: Span) -> bool:
    """Whether the piece is incomplete without the following one."""
    if _BARE_MARK.fullmatch(text, piece.start, piece.end):
        return True
    if not _WORD.search(text, piece.start, piece.end):
        return True
    tail = text[max(piece.start, piece.end - _LONGEST_ABBREVIATION) : piece.end]
    if not tail.endswith("."):
        return False
    first = text[following.start]
    is_ordinal = _MONTH.match(text, following.start) or _GERMAN_ORDINAL.search(tail)
    return bool(
        (is_ordinal and _ORDINAL.search(tail))
        or (_YEAR.match(text, following.start) and _DAY_AND_MONTH.search(tail))
        or _BEFORE_NAME.search(tail)
        or (first.isdigit() and _BEFORE_NUMBER.search(tail))
        or (first.islower() and _BEFORE_SMALL_LETTER.search(tail))
    )
