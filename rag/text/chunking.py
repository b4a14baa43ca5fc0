"""Chunking: split a document into passages of whole sentences that fit the model's window, with
exact offsets.

A passage never crosses a heading. Within a section, sentences are grouped into passages as TeX
breaks a paragraph into lines: the passage lengths minimize the total squared deviation from the
target, with a penalty for breaks inside a paragraph (Knuth and Plass, "Breaking paragraphs into
lines", Software: Practice and Experience 11, 1981).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter, itemgetter

import numpy as np

from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.text.sentences import paragraphs, sentences, trim
from rag.types import Document, Page, Passage, Span
from rag.types.arrays import Offsets
from rag.types.protocols import Tokenizer

TARGET_TOKENS = 160
"""Target length of a passage, in tokens."""

BREAK_IN_PARAGRAPH = 0.3
"""Penalty for a break inside a paragraph, in squared relative deviations from the target."""

STRETCH_CHARACTERS = 50_000
"""Characters tokenized at once. A tokenizer needs up to 600 bytes of memory per character."""

CHARACTERS_PER_TOKEN = 20
"""A sentence counts as at least a token per this many characters. An unknown word is a single
token, however long, and without this a passage of such words would have no bound."""

BREAK_AFTER_HEADING = 100.0
"""Penalty for a break between a heading and its text, so only the window can force one."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence to be assigned to a passage."""

    span: Span
    tokens: int
    heading: bool
    ends_paragraph: bool


class _Progress:
    """How far the sentences of a text are measured, and grouped into passages."""

    def __init__(self, beat: Beat, characters: int) -> None:
        self._beat, self._characters = beat, characters
        self._measured = self._grouped = 0

    def measured(self, sentence: _Sentence) -> _Sentence:
        """Count a sentence whose tokens are counted, and return it."""
        self._measured = sentence.span.end
        self._report()
        return sentence

    def grouped(self, sentence: _Sentence) -> None:
        """Count a sentence for which the best break before it is found."""
        self._grouped = sentence.span.end
        self._report()

    def _report(self) -> None:
        self._beat((self._measured + self._grouped) // 2, self._characters)


def passages(
    document: Document,
    tokenizer: Tokenizer,
    *,
    target: int = TARGET_TOKENS,
    beat: Beat = no_heartbeat,
) -> list[Passage]:
    """Split a document into passages.

    Parameters
    ----------
    document
        Each of its words ends up in exactly one passage.
    tokenizer
        Counts tokens; no passage exceeds its ``window``.
    target
        Target number of tokens per passage, at most the window.
    beat
        Called with the number of characters done, and of all.

    Returns
    -------
    list of Passage
        In reading order, not overlapping.
    """
    window = tokenizer.window
    target = min(target, window)
    trails = _trails(document)
    found = []
    progress = _Progress(beat, len(document.text))
    measured = map(progress.measured, _count_tokens(document, tokenizer))
    for section in _sections(measured, window // 2):
        for first, last in _best_breaks(section, window, target, progress):
            spans = tuple(sentence.span for sentence in section[first:last])
            leading = sum(1 for sentence in section[first:last] if sentence.heading)
            body = spans[min(leading, len(spans) - 1)].start
            above = bisect_left(trails, body, key=itemgetter(0))
            trail = trails[above - 1][1] if above else ()
            start, end = spans[0].start, spans[-1].end
            name = f"{document.id}:{start}:{end}"
            passage = Passage(
                id=hashlib.sha256(name.encode()).hexdigest()[:20],
                document_id=document.id,
                start=start,
                end=end,
                text=document.text[start:end],
                sentences=spans,
                leading=leading,
                headings=trail,
                pages=_pages(document, start, end),
            )
            found.append(passage)
    return found


def _pages(document: Document, start: int, end: int) -> tuple[Page, ...]:
    """The pages that a range of the text spans."""
    first = max(bisect_right(document.pages, start, key=attrgetter("start")) - 1, 0)
    last = bisect_left(document.pages, end, key=attrgetter("start"))
    labels = document.page_labels or (None,) * len(document.pages)
    return tuple(
        Page(number + 1, labels[number], document.pages[number].start)
        for number in range(first, last)
        if len(document.pages[number])  # no empty pages
    )


def _count_tokens(document: Document, tokenizer: Tokenizer) -> Iterator[_Sentence]:
    """Every sentence with its number of tokens; those beyond the window are cut into pieces."""
    tokens = _Tokens(document.text, tokenizer)
    headings = {heading.span for heading in document.headings}
    for paragraph in paragraphs(document.text):
        heading = paragraph in headings
        spans = [paragraph] if heading else sentences(document.text, paragraph)
        for span in spans:
            inside = tokens.within(span)
            pieces = (
                [(span, len(inside))]
                if len(inside) <= tokenizer.window
                else _pieces(document.text, span, inside, tokenizer.window)
            )
            for piece, count in pieces:
                ends = piece.end == paragraph.end
                # At least one token each, so that a passage has no more sentences than tokens.
                fewest = min(-(-len(piece) // CHARACTERS_PER_TOKEN), tokenizer.window)
                is_heading = heading and len(pieces) == 1
                yield _Sentence(piece, max(count, fewest, 1), is_heading, ends)


class _Tokens:
    """Token offsets of a text, for sequential access.

    The text is tokenized in stretches that end between paragraphs, lines or words: the tokens are
    those of the whole text, with the memory use of one stretch.
    """

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self._text, self._tokenizer = text, tokenizer
        self._found: Offsets = np.zeros((0, 2), dtype=np.int64)
        self._end = 0

    def within(self, span: Span) -> Offsets:
        """The tokens that start in a span; spans must be passed in order."""
        while self._end < span.end:
            end = _stretch_end(self._text, self._end)
            more = self._tokenizer.tokens(self._text[self._end : end]) + self._end
            kept = self._found[np.searchsorted(self._found[:, 0], span.start) :]
            self._found, self._end = np.concatenate([kept, more]), end
        first, last = np.searchsorted(self._found[:, 0], (span.start, span.end))
        return self._found[first:last]


def _stretch_end(text: str, start: int) -> int:
    end = start + STRETCH_CHARACTERS
    if end >= len(text):
        return len(text)
    for gap in ("\n\n", "\n", " "):
        at = text.rfind(gap, start + STRETCH_CHARACTERS // 2, end)
        if at >= 0:
            return at
    backwards = range(end, start + STRETCH_CHARACTERS // 2, -1)
    return next((at for at in backwards if not text[at - 1].isalnum()), end)


def _pieces(text: str, span: Span, tokens: Offsets, window: int) -> list[tuple[Span, int]]:
    """Cut a sentence that exceeds the window into even pieces, between words."""
    needed = -(-len(tokens) // window)
    size = -(-len(tokens) // needed)
    cuts = [0]
    while len(tokens) - cuts[-1] > window:
        cut = cuts[-1] + size
        # A cut inside a word moves back to its start, unless the word fills the piece.
        word = cut
        while word > cuts[-1] and not text[tokens[word, 0] - 1].isspace():
            word -= 1
        cuts.append(word if word > cuts[-1] else cut)
    cuts.append(len(tokens))
    bounds = [span.start, *(int(tokens[cut, 0]) for cut in cuts[1:-1]), span.end]
    return [
        (trim(text, start, end), to - begin)
        for (start, end), (begin, to) in zip(pairwise(bounds), pairwise(cuts), strict=True)
    ]


def _sections(measured: Iterator[_Sentence], most_leading: int) -> Iterator[list[_Sentence]]:
    """Split sentences into sections, each starting with its headings.

    Headings of more than ``most_leading`` tokens (a table of contents, a whole page marked up as a
    heading) would leave no room for the text: they become ordinary sentences.
    """
    section: list[_Sentence] = []
    for sentence in measured:
        if sentence.heading and section and not section[-1].heading:
            yield _with_room(section, most_leading)
            section = []
        section.append(sentence)
    if section:
        yield _with_room(section, most_leading)


def _with_room(section: list[_Sentence], most_leading: int) -> list[_Sentence]:
    if sum(sentence.tokens for sentence in section if sentence.heading) <= most_leading:
        return section
    return [replace(sentence, heading=False) for sentence in section]


def _trails(document: Document) -> list[tuple[int, tuple[str, ...]]]:
    """The start of each heading, with the path of headings down to it, outermost first."""
    trails = []
    open_headings: list[tuple[int, str]] = []
    for heading in document.headings:
        while open_headings and open_headings[-1][0] >= heading.level:
            open_headings.pop()
        open_headings.append((heading.level, heading.span.of(document.text)))
        trails.append((heading.span.start, tuple(words for _, words in open_headings)))
    return trails


def _best_breaks(
    section: Sequence[_Sentence], window: int, target: int, progress: _Progress
) -> list[tuple[int, int]]:
    """The optimal split of a section, as half-open (first, last) ranges.

    Dynamic programming: ``cost[i]`` is the cost of the best split of the first i sentences. Every
    sentence fits the window by itself, so there is always a solution.
    """
    total = np.concatenate([[0], np.cumsum([sentence.tokens for sentence in section])]).tolist()
    cost = [0.0] + [float("inf")] * len(section)
    previous = [0] * (len(section) + 1)
    for end in range(1, len(section) + 1):
        here = _break_cost(section[end - 1]) if end < len(section) else 0.0
        for start in range(end - 1, -1, -1):
            tokens = total[end] - total[start]
            if tokens > window:
                break
            deviation = (tokens - target) / target
            whole = cost[start] + deviation * deviation + here
            if whole < cost[end]:
                cost[end], previous[end] = whole, start
        progress.grouped(section[end - 1])
    breaks = []
    end = len(section)
    while end:
        breaks.append((previous[end], end))
        end = previous[end]
    return breaks[::-1]


def _break_cost(before: _Sentence) -> float:
    if before.heading:
        return BREAK_AFTER_HEADING
    return 0.0 if before.ends_paragraph else BREAK_IN_PARAGRAPH
