"""Where the sentences of a text begin and end.

A text is paragraphs, separated by empty lines. A paragraph is blocks: an item of a list and a
row of a table each begin a new one. A block is sentences, which ``sentencex`` tells apart.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from rag.types import Span

LONGEST_SENTENCE = 2000
"""Characters after which a sentence is cut, preferably at a blank. It is far beyond any model's
window, and ``sentencex`` needs time in proportion to the square of what it is given at once."""

LONGEST_ROW = 400
"""A row of a table up to this many characters is one sentence, whatever stands in its cells."""

_GAP = re.compile(r"\n\s*\n")
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+\S")
_CELL_BORDER = re.compile(r"(?<!\S)\|(?!\S)")
_BARE_MARK = re.compile(r"[-*•]|(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]|\(\w{1,3}\)")
_WORD = re.compile(r"\w")

LONG_SENTENCE = 250
"""sentencex splits nothing within quotes and brackets. A sentence longer than this gets a second
look that does, for a speech or an unbalanced bracket can hold a page."""

_LABEL = re.compile(r"\((\w{1,4})\)")
_OPENING = "\u201c\u2018«„([{「『"
_CLOSING = "\u201d\u2019»)]}」』"
_QUOTES_AND_BRACKETS = str.maketrans(dict.fromkeys(_OPENING + _CLOSING + "\"'", " "))

# A note to the sentence before it, right after its full stop: a footnote's mark, an editor's
# remark, the page that is quoted. "It fell.[3][citation needed] It rose.:19-21 It stood."
_NOTE = re.compile(r"(?:\[[^\[\]\n]{1,40}\]|:\d[\d,\u2013-]*)+(?:\s+|$)")

# Abbreviations that sentencex doesn't know, all met in real texts: titles before a name (the last
# line is Hindi: Dr., Mr., Mrs., Prof., Rs.), and references before a number.
_BEFORE_NAME = re.compile(
    r"(?<!\w)(?:ms|mx|shri|sri|smt|addl|jt|secy|govt|profs|eds"
    r"|डॉ|श्री|श्रीमती|प्रो|रु)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(
    r"(?<!\w)(?:vols?|chs?|chap|secs|arts|figs|eqs?|paras?|refs|pts|approx|tel)\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 10

# sentencex panics where a blank of several bytes stands before an initial, and can't read lone
# surrogates. Each is replaced by one character, so that offsets stay.
_HARMLESS = {
    **{code: " " for code in range(0x80, 0x3001) if chr(code).isspace()},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}


def paragraphs(text: str, within: Span | None = None) -> list[Span]:
    """The paragraphs of ``text`` in order, or of the part of it that ``within`` covers.

    Paragraphs are separated by lines that are empty or blank. Blanks at both ends are left out
    of each span, and no span is empty.
    """
    whole = Span(0, len(text)) if within is None else within
    found = []
    start = whole.start
    for gap in _GAP.finditer(text, whole.start, whole.end):
        found.append(_trimmed(text, start, gap.start()))
        start = gap.end()
    found.append(_trimmed(text, start, whole.end))
    return [span for span in found if span is not None]


def sentences(text: str, within: Span | None = None, *, language: str = "en") -> list[Span]:
    """The sentences of ``text`` in order, or of the part of it that ``within`` covers.

    Spans count from the beginning of ``text``. They don't overlap, begin and end with a
    character that is no blank, never reach from one paragraph into the next, and together hold
    every character that is no blank. An item of a list and a row of a table each begin a new
    sentence. A sentence without any word, such as a lone bracket, joins its neighbour, and a
    list's number belongs to what it counts; neither stands alone unless it is all there is.
    None is longer than ``LONGEST_SENTENCE``, save where such a neighbour was joined.

    ``language`` is an ISO 639 code. English rules also know the full stops of Hindi, Chinese,
    Japanese, Arabic and Armenian, so it rarely matters.
    """
    found: list[Span] = []
    for paragraph in paragraphs(text, within):
        pieces = []
        for block in _blocks(text, paragraph):
            cuts = [*_sentence_starts(text, block, language), block.end]
            for start, end in itertools.pairwise(cuts):
                piece = _trimmed(text, start, end)
                if piece is not None:
                    pieces.append(piece)
        found += _joined(text, pieces)
    return found


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The range without the blanks at its ends, or None if nothing is left."""
    content = text[start:end]
    kept = content.strip()
    if not kept:
        return None
    start += len(content) - len(content.lstrip())
    return Span(start, start + len(kept))


def _blocks(text: str, paragraph: Span) -> Iterator[Span]:
    """The paragraph, cut before each list item and around each row of a table."""
    start = line_start = paragraph.start
    after_row = False
    while line_start < paragraph.end:
        newline = text.find("\n", line_start, paragraph.end)
        line_end = paragraph.end if newline < 0 else newline
        line = text[line_start:line_end]
        is_row = _CELL_BORDER.search(line) is not None
        if line_start > start and (is_row or after_row or _ITEM.match(line)):
            yield Span(start, line_start)
            start = line_start
        after_row = is_row
        line_start = line_end + 1
    yield Span(start, paragraph.end)


def _sentence_starts(text: str, block: Span, language: str) -> Iterator[int]:
    """Where the block's sentences begin; the first is the block's own beginning."""
    content = block.of(text)
    if len(content) <= LONGEST_ROW and _CELL_BORDER.search(content):
        yield block.start
        return
    if not content.isascii():
        content = content.translate(_HARMLESS)
    at = 0
    while at < len(content):
        piece = content[at : at + LONGEST_SENTENCE]
        starts = sorted({0, *_boundaries(language, piece)})
        if at + len(piece) == len(content):
            yield from (block.start + at + start for start in starts)
            return
        # The last sentence may go on beyond this piece: the next piece begins with it.
        yield from (block.start + at + start for start in starts[:-1] or starts)
        at += starts[-1] or piece.rfind(" ") + 1 or len(piece)


def _boundaries(language: str, piece: str) -> Iterator[int]:
    """Where sentences begin in the piece."""
    # To sentencex, the label of a list or a figure, as in "(A) One. Two.", opens a bracket that
    # the next ")" far away may close.
    starts = [_after_note(piece, one) for one in _ask(language, _LABEL.sub(r" \1 ", piece))]
    for start, end in itertools.pairwise([*starts, len(piece)]):
        yield _with_opening(piece, start)
        if end - start > LONG_SENTENCE:
            inner = _ask(language, piece[start:end].translate(_QUOTES_AND_BRACKETS))
            yield from (
                _with_opening(piece, _after_note(piece, start + offset)) for offset in inner
            )


def _after_note(piece: str, start: int) -> int:
    """The start of a sentence without the note that belongs to the one before."""
    note = _NOTE.match(piece, start) if start and not piece[start - 1].isspace() else None
    return note.end() if note else start


def _with_opening(piece: str, start: int) -> int:
    """The start of a sentence, its opening quotes and brackets included."""
    while start > 0 and (
        piece[start - 1] in _OPENING
        or (piece[start - 1] in "\"'" and piece[start - 2 : start - 1].isspace())
    ):
        start -= 1
    return start


def _ask(language: str, piece: str) -> list[int]:
    """Where sentences begin, by sentencex."""
    import sentencex

    try:
        found = sentencex.get_sentence_boundaries(language, piece)
    except BaseException as panic:
        # A panic of the Rust library is no Exception, and would end a run over thousands of
        # files. None is known for what _HARMLESS leaves; should there be one, the piece is
        # taken for one sentence.
        if type(panic).__name__ != "PanicException":
            raise
        return []
    return [boundary["start_index"] for boundary in found]


def _joined(text: str, pieces: list[Span]) -> list[Span]:
    """The pieces of one paragraph, those that say nothing alone joined to their neighbours."""
    joined: list[Span] = []
    start: int | None = None  # of a piece that belongs to what follows
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        content = piece.of(text)
        if joined and start is None and not _WORD.search(content):
            joined[-1] = Span(joined[-1].start, piece.end)
            continue
        if start is None:
            start = piece.start
        if following is not None and _leads_on(text, piece, following):
            continue
        if joined and _BARE_MARK.fullmatch(text, start, piece.end):
            joined[-1] = Span(joined[-1].start, piece.end)
        else:
            joined.append(Span(start, piece.end))
        start = None
    return joined


def _leads_on(text: str, piece: Span, following: Span) -> bool:
    """Whether the piece is no sentence without the one that follows."""
    if _BARE_MARK.fullmatch(text, piece.start, piece.end):
        return True
    if not _WORD.search(text, piece.start, piece.end):
        return True
    tail = text[max(piece.start, piece.end - _LONGEST_ABBREVIATION) : piece.end]
    if not tail.endswith("."):
        return False
    if text[following.start].isdigit():
        return bool(_BEFORE_NUMBER.search(tail) or _BEFORE_NAME.search(tail))
    return _BEFORE_NAME.search(tail) is not None
