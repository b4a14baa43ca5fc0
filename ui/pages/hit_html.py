"""Hit → escaped HTML. Pure; every text of a document is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from rag import cited
from ui import strings
from ui.pages import markup
from ui.pages.permalink import lasting_link
from ui.pages.view_parameters import Sight

if TYPE_CHECKING:
    import datetime as dt

    from rag import Answer, Explanation, Hit

STRENGTHS = ((0.9, strings.STRONG), (0.5, strings.FAIR), (0.0, strings.WEAK))
"""The minimum confidence for each label, best first."""


def results(
    question: str,
    answer: Answer,
    rated: Mapping[str, bool] | None = None,
    *,
    may_rate: bool = True,
) -> str:
    """Render all hits of a question, best first; ``rated`` maps passage ids to ratings, and with
    ``may_rate`` each hit has rating buttons.
    """
    articles = "".join(
        article(
            hit,
            question,
            _beside(hit, answer.hits),
            thumbs(hit, (rated or {}).get(hit.passage_id)) if may_rate else "",
        )
        for hit in answer.hits
    )
    return (
        f'<section class="results" data-question="{escape(question)}" '
        f'data-document="{strings.DOCUMENT}" data-close="{strings.CLOSE}" '
        f'data-copied="{strings.COPIED}" data-not-copied="{strings.NOT_COPIED}">'
        f'<p class="summary">{_summary(answer)}</p>{reading(answer)}{articles}</section>'
    )


def _summary(answer: Answer) -> str:
    if answer.answered:
        return strings.found(len(answer.hits))
    return strings.NOT_ANSWERED.format(percent=strings.percent(answer.confidence))


def reading(answer: Answer) -> str:
    """Explain how the question was interpreted, with the suggested alternative; empty if there is
    nothing to explain.
    """
    lines = "".join(f"<li>{escape(line)}</li>" for line in answer.reading)
    if answer.alternative:
        href = escape(f".?{urlencode({'q': answer.alternative})}")
        lines += f'<li>{strings.INSTEAD} <a href="{href}">{escape(answer.alternative)}</a></li>'
    return f'<ul class="reading">{lines}</ul>' if lines else ""


def article(hit: Hit, question: str, others: Sequence[Hit] = (), rating: str = "") -> str:
    """Render one hit: location, passage with its answer highlighted, score explanation, and
    ``rating``, the HTML of its rating buttons.
    """
    href = escape(address(hit, question, others))
    return (
        '<article class="hit">'
        f'<header><h2><a href="{href}">{escape(hit.title)}</a></h2>'
        f'<div class="facts">{_facts(hit)}{strength(hit.confidence)}</div>'
        f"{_trail(hit)}</header>"
        f"<blockquote>{passage(hit)}</blockquote>{_also(hit)}"
        f"<footer>{more(hit)}{_like(hit)}{why(hit.why)}"
        f'{cite(hit)}{rating}<a class="open" href="{href}">{strings.OPEN}</a></footer>'
        "</article>"
    )


def address(hit: Hit, question: str, others: Sequence[Hit] = ()) -> str:
    """The reading page of a hit's document, at the passage; relative, so that it works below a
    prefix.

    A PDF opens as a rendered page. ``others`` are further hits in the same document.
    """
    sight = Sight(
        passage=(hit.start, hit.end),
        answer=(hit.answer.start, hit.answer.end),
        others=tuple((one.answer.start, one.answer.end) for one in others),
        question=question,
        page=hit.page if hit.source.lower().endswith(".pdf") else None,
    )
    return f"{sight.address(hit.document_id)}#answer"


def cite(hit: Hit) -> str:
    """The menu that copies the sentence as a quotation with its source."""
    buttons = "".join(
        f'<button type="button" class="copy" value="{form}">{name}</button>'
        for form, name in strings.COPY
    )
    link = escape(lasting_link(cited(hit.document_id, hit.answer)))
    quoted = (
        f"documents/{quote(hit.document_id, safe='')}/citation"
        f"?start={hit.answer.start}&end={hit.answer.end}"
    )
    return (
        f'<details class="cite" data-quoted="{escape(quoted)}"><summary>{strings.CITE}</summary>'
        f'<div class="menu">{buttons}<a class="lasting" href="{link}">{strings.LINK}</a>'
        '<span class="said" role="status"></span></div></details>'
    )


def _beside(hit: Hit, hits: Sequence[Hit]) -> list[Hit]:
    return [one for one in hits if one is not hit and one.document_id == hit.document_id]


def passage(hit: Hit) -> str:
    """Render the passage in paragraphs, with the answering sentence in ``<mark>``."""
    answer = (hit.answer.start - hit.start, hit.answer.end - hit.start)
    found = markup.pattern(hit.why.matched)
    return "".join(
        f"<p{lines(hit.text[slice(*block)])}>{markup.marked(hit.text, block, answer, found)}</p>"
        for block in markup.paragraphs(hit.text)
    )


def lines(paragraph: str) -> str:
    """The class attribute of a paragraph whose line breaks are preserved; otherwise empty."""
    return ' class="lines"' if markup.lined(paragraph) else ""


def thumbs(hit: Hit, good: bool | None) -> str:  # noqa: FBT001
    """Two rating buttons, and a line that confirms the rating."""
    buttons = "".join(
        f'<button type="button" class="thumb" value="{value}" title="{name}" aria-label="{name}"'
        f' aria-pressed="{str(good is (value == "good")).lower()}">{strings.THUMB}</button>'
        for value, name in (("good", strings.GOOD), ("bad", strings.BAD))
    )
    return (
        f'<div class="thumbs" role="group" data-passage="{escape(hit.passage_id)}">'
        f'<span class="said" role="status">{strings.KEPT if good is not None else ""}</span>'
        f"{buttons}</div>"
    )


def more(hit: Hit) -> str:
    """The button that shows the neighbouring passages in place."""
    return (
        f'<button type="button" class="more" value="{escape(hit.passage_id)}">'
        f"{strings.MORE}</button>"
    )


def neighbours_address(passage_id: str) -> str:
    """The address of a passage's neighbours, relative to the search page."""
    return f"insight/passages/{quote(passage_id, safe='')}"


def _like(hit: Hit) -> str:
    """The link to the most similar passages."""
    return f'<a class="like" href="{escape(neighbours_address(hit.passage_id))}">{strings.LIKE}</a>'


def file_name(source: str) -> str:
    """The last part of a path or URL: pages never show where a file is on this machine."""
    parts = [part for part in re.split(r"[\\/]", source) if part]
    return parts[-1] if parts else source


def date(day: dt.date | None, origin: str | None = None) -> str:
    """A date in words and machine-readable; a file's modification time is labelled as such."""
    if day is None:
        return ""
    told = f'<time datetime="{day.isoformat()}">{strings.day(day)}</time>'
    return f"<span>{strings.FILE_OF} {told}</span>" if origin == "file time" else told


def strength(confidence: float | None) -> str:
    """A bar and a word for the confidence that a hit with such a score answers the question."""
    if confidence is None:
        return ""
    filled = round(confidence, 3)
    word = next(word for least, word in STRENGTHS if confidence >= least)
    tip = strings.STRENGTH_HELP.format(word=word.capitalize(), percent=strings.percent(confidence))
    return (
        f'<span class="strength" role="img" title="{escape(tip)}" aria-label="{escape(tip)}">'
        f'<span class="bar"><span style="--filled:{filled}"></span></span>{word}</span>'
    )


def why(reasons: Explanation) -> str:
    """Explain the score in plain words, collapsed."""
    rows = (
        _reason(
            strings.MEANING,
            strings.MEANING_HELP,
            reasons.meaning,
            strings.rank(reasons.meaning_rank, "meaning"),
        ),
        _reason(
            strings.WORDS,
            strings.WORDS_HELP,
            reasons.words,
            strings.rank(reasons.words_rank, "words"),
        ),
        _reason(strings.TOKENS, strings.TOKENS_HELP, reasons.tokens, ""),
        _matched(reasons.matched),
    )
    return (
        f'<details class="why"><summary>{strings.WHY}</summary><dl>{"".join(rows)}</dl></details>'
    )


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
    return f'<div class="matched"><dt>{strings.MATCHED}</dt><dd>{chips}</dd></div>'


def _facts(hit: Hit) -> str:
    facts = (
        date(hit.date, hit.date_from),
        f'<span class="source">{escape(file_name(hit.source))}</span>',
        f"<span>{strings.PAGE} {hit.page}</span>" if hit.page is not None else "",
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
    return f'<p class="also">{strings.also(len(hit.also_in))}: {names}</p>'
