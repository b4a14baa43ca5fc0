"""The sentence of a passage that answers a query: what is marked on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.search.candidates import EncodedQuery
from rag.text.constraints import unmet
from rag.types import Passage, Span
from rag.types.arrays import Scores

SHORTEST = 4
"""Minimum number of letters and digits of an answer. "No." says nothing without its question."""

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # the others are Chinese and Arabic
_COLONS = (":", "\uff1a")
_AFTER_THE_END = "\"'”»)*_ "
# As readers write them (rag.documents.table_rows): "45 | 52", and "Pump: QW-150; Rent: 52".
_ROW = re.compile(r".* \| |[^;:]{1,80}: [^;]*; [^;:]{1,80}: ")
_LIST_ITEM = re.compile(r"(?:[-•*\u2013]|\(?\w{1,3}[.)])\s")


def answering_sentence(passage: Passage, scores: Scores, query: EncodedQuery) -> Span:
    """The sentence that answers best, with the list that it introduces, if any.

    Questions, quotations in a mail, heads of tables and the like are chosen only if there is
    nothing else, and headings never unless the passage has no text. Of the rows of a table, the one
    that meets most of the query's constraints answers.

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
    able = _answers(passage, texts, body) or body
    first = max(able, key=lambda n: (scores[n], -n))
    rows = {n: row for n in able if (row := _row(passage, passage.sentences[n]))}
    if first in rows and query.constraints:
        first = max(rows, key=lambda n: (-len(unmet(query.constraints, [rows[n]])), scores[n], -n))
    last = first
    if texts[first].endswith(_COLONS):
        while last + 1 < len(texts) and _LIST_ITEM.match(texts[last + 1]):
            last += 1
    return Span(passage.sentences[first].start, passage.sentences[last].end)


def _row(passage: Passage, sentence: Span) -> str | None:
    """The row of a table that a sentence of a passage begins in, if any."""
    at = sentence.start - passage.start
    line = passage.text[passage.text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    return line if _ROW.match(line) else None


def _answers(passage: Passage, texts: Sequence[str], among: Iterable[int]) -> list[int]:
    """The sentences that can be an answer."""
    return [
        n
        for n in among
        if not texts[n].rstrip(_AFTER_THE_END).endswith(_QUESTION_MARKS)
        and sum(map(str.isalnum, texts[n])) >= SHORTEST
        and not _is_quoted(passage, n)
        and not _is_table_head(texts, n)
    ]


def _is_quoted(passage: Passage, n: int) -> bool:
    """Whether a line of a sentence begins with ">", as what a mail quotes."""
    sentence = passage.sentences[n].shifted(-passage.start)
    line = passage.text.rfind("\n", 0, sentence.start) + 1
    return any(
        one.lstrip().startswith(">") for one in passage.text[line : sentence.end].split("\n")
    )


def _is_table_head(texts: Sequence[str], n: int) -> bool:
    """Whether a sentence is the first row of a table, which names its columns. A passage may begin
    in the middle of one.
    """
    return [" | " in text for text in texts[max(n - 1, 0) : n + 2]] == [False, True, True]
