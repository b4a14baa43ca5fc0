"""Hit → escaped HTML. Pure: text in, text out, and every text of a document is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ui import marking, words

if TYPE_CHECKING:
    import datetime as dt

    from rag import Answer, Hit, Why

STRENGTHS = ((0.42, words.STRONG), (0.28, words.FAIR), (0.0, words.WEAK))
"""The least score for each word, best first.

On 150 paragraphs of SQuAD, nine in ten first hits scored above 0.43 where the question was one
that they answer; where it was not, nineteen in twenty scored below 0.41, and half below 0.27.
"""

FULL = 0.7
"""The score that fills the bar; the best that were seen reach it, just."""


def results(question: str, answer: Answer, rated: Mapping[str, bool] | None = None) -> str:
    """All hits of one question, best first; ``rated`` has what was said of passages, by id."""
    articles = "".join(
        article(hit, question, (rated or {}).get(hit.passage_id), answered=answer.answered)
        for hit in answer.hits
    )
    return (
        f'<section class="results" data-question="{escape(question)}">'
        f'<p class="summary">{_summary(answer)}</p>{_reading(answer)}{articles}</section>'
    )


def _summary(answer: Answer) -> str:
    if answer.answered:
        return words.found(len(answer.hits))
    return words.NOT_ANSWERED.format(percent=round(100 * answer.confidence))


def _reading(answer: Answer) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in answer.reading)
    return f'<ul class="reading">{lines}</ul>' if lines else ""


def article(
    hit: Hit,
    question: str,
    good: bool | None = None,  # noqa: FBT001
    *,
    answered: bool = True,
) -> str:
    """One hit: where it stands, the passage with its answer marked, why it was found, and what
    was said of it.
    """
    href = escape(address(hit, question))
    return (
        '<article class="hit">'
        f'<header><h2><a href="{href}">{escape(hit.title)}</a></h2>'
        f'<div class="facts">{_facts(hit)}{strength(hit.score, answered=answered)}</div>'
        f"{_trail(hit)}</header>"
        f"<blockquote>{passage(hit)}</blockquote>{_also(hit)}"
        f"<footer>{why(hit.why)}"
        f'<a class="open" href="{href}">{words.OPEN}</a>{thumbs(hit, good)}</footer>'
        "</article>"
    )


def address(hit: Hit, question: str) -> str:
    """The reading page of a hit's article, at the passage; relative, so that a prefix works."""
    query = {
        "start": hit.start,
        "end": hit.end,
        "answer_start": hit.answer.start,
        "answer_end": hit.answer.end,
        "q": question,
    }
    return f"documents/{quote(hit.document_id, safe='')}?{urlencode(query)}#answer"


def passage(hit: Hit) -> str:
    """The passage, its paragraphs kept, with the answering sentence in ``<mark>``."""
    answer = (hit.answer.start - hit.start, hit.answer.end - hit.start)
    found = marking.pattern(hit.why.matched)
    return "".join(
        f"<p>{marking.marked(hit.text, block, answer, found)}</p>"
        for block in marking.paragraphs(hit.text)
    )


def thumbs(hit: Hit, good: bool | None) -> str:  # noqa: FBT001
    """Two buttons to say whether a passage is right, and a line that tells what came of it."""
    buttons = "".join(
        f'<button type="button" class="thumb" value="{value}" title="{name}" aria-label="{name}"'
        f' aria-pressed="{str(good is (value == "good")).lower()}">{words.THUMB}</button>'
        for value, name in (("good", words.GOOD), ("bad", words.BAD))
    )
    return (
        f'<div class="thumbs" role="group" data-passage="{escape(hit.passage_id)}">'
        f'<span class="said" role="status">{words.KEPT if good is not None else ""}</span>'
        f"{buttons}</div>"
    )


def file_name(source: str) -> str:
    """The last part of a path or address: a page never shows where on the machine a file is."""
    parts = [part for part in re.split(r"[\\/]", source) if part]
    return parts[-1] if parts else source


def date(day: dt.date | None, origin: str | None = None) -> str:
    """A date in words, readable by machines too; that of a file is called so."""
    if day is None:
        return ""
    told = f'<time datetime="{day.isoformat()}">{words.day(day)}</time>'
    return f"{words.FILE_OF} {told}" if origin == "file time" else told


def strength(score: float, *, answered: bool = True) -> str:
    """A thin bar and one word: how this hit compares with the others, and no more.

    Where the question is probably not answered, no match is called more than weak.
    """
    filled = round(min(max(score / FULL, 0.0), 1.0), 3)
    word = _strength(score) if answered else words.WEAK
    tip = f"{word.capitalize()}. {words.STRENGTH_HELP}"
    return (
        f'<span class="strength" role="img" title="{escape(tip)}" aria-label="{escape(tip)}">'
        f'<span class="bar"><span style="--filled:{filled}"></span></span>{word}</span>'
    )


def _strength(score: float) -> str:
    return next((word for least, word in STRENGTHS if score >= least), words.WEAK)


def why(reasons: Why) -> str:
    """Where the score comes from, in plain words, folded away."""
    rows = (
        _reason(
            words.MEANING,
            words.MEANING_HELP,
            reasons.meaning,
            words.rank(reasons.meaning_rank, "meaning"),
        ),
        _reason(
            words.WORDS, words.WORDS_HELP, reasons.words, words.rank(reasons.words_rank, "words")
        ),
        _reason(words.TOKENS, words.TOKENS_HELP, reasons.tokens, ""),
        _matched(reasons.matched),
    )
    return f'<details class="why"><summary>{words.WHY}</summary><dl>{"".join(rows)}</dl></details>'


def _reason(name: str, meaning: str, value: float, place: str) -> str:
    placed = f'<span class="place">{place}</span>' if place else ""
    return (
        f'<div><dt>{name}<span class="gloss">{meaning}</span></dt>'
        f"<dd>{value:.2f}{placed}</dd></div>"
    )


def _matched(found: Sequence[str]) -> str:
    if not found:
        return ""
    chips = " ".join(f'<span class="word">{escape(word)}</span>' for word in found)
    return f'<div class="matched"><dt>{words.MATCHED}</dt><dd>{chips}</dd></div>'


def _facts(hit: Hit) -> str:
    facts = (
        date(hit.date, hit.date_from),
        f'<span class="source">{escape(file_name(hit.source))}</span>',
        f"<span>{words.PAGE} {hit.page}</span>" if hit.page is not None else "",
    )
    return "".join(fact for fact in facts if fact)


def _trail(hit: Hit) -> str:
    if not hit.headings:
        return ""
    steps = "".join(f"<li>{escape(heading)}</li>" for heading in hit.headings)
    return f'<ol class="trail">{steps}</ol>'


def _also(hit: Hit) -> str:
    if not hit.also_in:
        return ""
    names = ", ".join(escape(file_name(source)) for source in hit.also_in)
    return f'<p class="also">{words.ALSO}: {names}</p>'
