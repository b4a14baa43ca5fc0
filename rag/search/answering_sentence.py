"""The sentence of a passage that answers a query: what is marked on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.search.candidates import EncodedQuery
from rag.text.constraints import unmet
from rag.types import Passage, Span
from rag.types.arrays import Scores

SHORT = 4
"""An answer with fewer letters and digits, such as "No.", is marked with the sentence after it."""

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # the others are Chinese and Arabic
_OPENING = tuple("\"'“”«»„(*_¿")
_CLOSING = "\"'”“»«)*_ "
# What a mail answers: "Ada wrote:", and the lines after it with a ">" each.
_QUOTED_MAIL = re.compile(
    r"(?:wrote|schrieb|écrit|escribió|escreveu|scritto|пишет|писала?)[^\n:]*:[ ]*\n"
    r"(?:\n|[ ]*>[^\n]*(?:\n|\Z))+"
)
# As readers write them (rag.documents.table_rows): "45 | 52", and "Pump: QW-150; Rent: 52".
_ROW = re.compile(r".* \| |[^;:]{1,80}: [^;]*; [^;:]{1,80}: ")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LIST_ITEM = re.compile(r"(?:[-+•*\u2013]|\(?\d{1,2}[.)]|[a-z]\))\s")


def answering_sentence(passage: Passage, scores: Scores, query: EncodedQuery) -> Span:
    """The sentence that answers best, with the list that it introduces, if any.

    Questions, what a mail quotes and heads of tables are chosen only if there is nothing else, and
    headings never unless the passage has no text. Of the rows of a table, the one with most
    of the query's codes answers, or most of its constraints if each cell has its label.

    Late interaction selects better than the cosine of the sentence: tests/bench/RESULTS.md has the
    figures. The less legible the query is to the model, the more lexical matches decide.

    Parameters
    ----------
    scores
        The late-interaction score of each sentence of the passage, shape (sentences,).
    """
    texts = passage.sentence_texts()
    legibility = query.encoding.legibility
    if legibility < 1.0:
        scores = legibility * scores + (1.0 - legibility) * query.library.coverage(
            query.text, texts
        )
    body = range(passage.leading, len(texts)) or range(len(texts))
    quoted = _quoted(passage)
    answers = [n for n in body if not _is_question(texts[n]) and not _is_table_head(texts, n)]
    eligible = [n for n in answers if n not in quoted] or answers or body
    first = max(eligible, key=lambda n: (scores[n], -n))
    rows = {n: row for n in eligible if (row := _row(passage, n))}
    if first in rows:
        # A row that names columns may look like any other, and has years and names, but no codes.
        is_labelled = " | " not in rows[first]
        telling = [one for one in query.constraints if is_labelled or one.is_code]
        first = max(rows, key=lambda n: (-len(unmet(telling, [rows[n]])), scores[n], -n))
    last = max([first, *_items_after(passage, texts, first)])
    if sum(map(str.isalnum, texts[first])) < SHORT and first + 1 in eligible:
        last = first + 1
    return Span(passage.sentences[first].start, passage.sentences[last].end)


def _is_question(text: str) -> bool:
    """Whether it ends in a question mark; but not if that is of a quotation at its end."""
    bare = text.rstrip(_CLOSING)
    return bare.endswith(_QUESTION_MARKS) and (bare == text.rstrip() or text.startswith(_OPENING))


def _quoted(passage: Passage) -> set[int]:
    """The sentences that a mail quotes, and the one that says who wrote them."""
    quoted = [match.span() for match in _QUOTED_MAIL.finditer(passage.text)]
    return {
        n
        for n, sentence in enumerate(passage.sentences)
        for start, end in quoted
        if sentence.start - passage.start < end and sentence.end - passage.start > start
    }


def _is_table_head(texts: Sequence[str], n: int) -> bool:
    """Whether a sentence is the first row of a table, and names its columns: it has no numbers but
    years. A passage may begin in the middle of a table.
    """
    is_first = [" | " in text for text in texts[max(n - 1, 0) : n + 2]] == [False, True, True]
    return is_first and not any(map(str.isdigit, _YEAR.sub("", texts[n])))


def _row(passage: Passage, n: int) -> str | None:
    """The row of a table that a sentence begins in, if any."""
    line = passage.text[_line_start(passage, n) :].partition("\n")[0]
    return line if _ROW.match(line) else None


def _items_after(passage: Passage, texts: Sequence[str], n: int) -> range:
    """The items of the list that a sentence introduces, those of lists within it included."""
    end = n + 1
    if not texts[n].endswith((":", "\uff1a")) or end == len(texts):
        return range(0)
    indent = _indent(passage, end)
    if _LIST_ITEM.match(texts[n]) and indent <= _indent(passage, n):
        return range(0)
    while end < len(texts) and _LIST_ITEM.match(texts[end]) and _indent(passage, end) >= indent:
        end += 1
    return range(n + 1, end)


def _indent(passage: Passage, n: int) -> int:
    return passage.sentences[n].start - passage.start - _line_start(passage, n)


def _line_start(passage: Passage, n: int) -> int:
    return passage.text.rfind("\n", 0, passage.sentences[n].start - passage.start) + 1
