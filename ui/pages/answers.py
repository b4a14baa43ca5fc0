"""The search page's content: a library and a question in, HTML out. Independent of Gradio."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException

from rag import Answer, EmptyQuestion, Hit, InputError, Library, RagError, Status, cited
from ui import strings
from ui.ops import public_errors
from ui.pages import example_questions, highlights
from ui.pages.citations import permalink
from ui.pages.filter_form import FilterForm
from ui.pages.highlights import Paragraph
from ui.pages.reader import View
from ui.security import policy
from ui.templates import render

NEWEST = 5
"""Articles listed in the first view, and used for example questions."""

DEEP = 20
"""Depth at which a rated passage is searched again: more than a page shows, because the library may
have grown since.
"""

NO_FILTER = FilterForm()

_log = logging.getLogger(__name__)


class FirstView(NamedTuple):
    """The content of the page before the first question.

    ``types``, ``languages`` and ``collections`` are the choices of the filters, as (label, value);
    a single collection is no choice.
    """

    masthead: str
    body: str
    examples: tuple[str, ...]
    types: tuple[tuple[str, str], ...] = ()
    languages: tuple[tuple[str, str], ...] = ()
    collections: tuple[tuple[str, str], ...] = ()


class HitView(NamedTuple):
    """A hit, and what its template needs besides: its text in paragraphs, with the answer and the
    matched words; where it opens, and its permalink, both relative to the search page; and whether
    it was rated good, None if it was not rated.
    """

    hit: Hit
    paragraphs: Sequence[Paragraph]
    href: str
    permalink: str
    good: bool | None


@dataclass(frozen=True, slots=True)
class NewRating:
    """A rating of a passage retrieved for a question; None withdraws it."""

    question: str
    passage: str
    good: bool | None


_FIRST_VIEWS: WeakKeyDictionary[Library, tuple[Status, FirstView]] = WeakKeyDictionary()


def first_view(library: Library) -> FirstView:
    """Summarize what is indexed and make example questions, again if the library has changed."""
    try:
        status = library.status()
        if (known := _FIRST_VIEWS.get(library)) and known[0] == status:
            return known[1]
        newest = library.documents(NEWEST)
        documents = [library.document(summary.id) for summary in newest]
        facets = library.facets()
    except RagError as error:
        _log.error("The library is in trouble: %s", error)
        masthead = render("masthead", articles=0, newest=None, note="")
        return FirstView(masthead, _problem(public_errors.public_message(error)), ())
    view = FirstView(
        masthead=render(
            "masthead",
            articles=status.documents,
            newest=newest[0] if newest else None,
            note=status.language_note,
        ),
        body=render("newest", documents=newest) if newest else _empty(),
        examples=example_questions.questions(documents),
        types=_choices(facets.types),
        languages=_choices(facets.languages),
        collections=tuple(
            (strings.COUNTED.format(name=one.name, count=one.documents), one.name)
            for one in status.collections
            if len(status.collections) > 1
        ),
    )
    _FIRST_VIEWS[library] = status, view
    return view


def _choices(counts: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (strings.COUNTED.format(name=name.removeprefix("."), count=number), name)
        for name, number in counts.items()
    )


def foot(visitor: str = "", address: str | None = None) -> str:
    """The footer; for a ``visitor`` who is logged in, with their name and the logout link.

    ``address`` is the query string of the current view, for ``asked.js``; None if not yet known.
    """
    return render("foot", visitor=visitor, address=address)


def answer(
    library: Library,
    question: str,
    form: FilterForm = NO_FILTER,
    *,
    may_rate: bool = True,
) -> str:
    """Render the results for a question, or explain why there are none; with rating buttons if the
    user ``may_rate``.
    """
    try:
        found = form.ask(library, question)
        if found.hits:
            ratings = library.ratings(question) if may_rate else ()
            rated = {one.passage_id: one.good for one in ratings}
            return results(question, found, rated, may_rate=may_rate)
        if found.conditions_met and not library.status().documents:
            return _empty()
        line = (
            "No passage is related to this question. Try other words."
            if found.conditions_met
            else "No document matches these filters, or none that does has anything to find."
        )
        return _notice("nothing", "Nothing found", line, answer=found)
    except EmptyQuestion:
        return _notice(
            "hint",
            "Type a question first",
            "A whole question works best, the way you would ask a colleague.",
        )
    except RagError as error:
        if not isinstance(error, InputError):
            _log.error("The library is in trouble: %s", error)
        return _problem(public_errors.public_message(error))
    except Exception:  # noqa: BLE001 — last resort: the log gets the traceback
        _log.exception("The question could not be answered.")
        return _problem(
            "Something went wrong while searching. The terminal that runs rag has the details; "
            "try asking again."
        )


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
    hits = [
        HitView(
            hit,
            highlights.highlighted(
                hit.text,
                (hit.answer.start - hit.start, hit.answer.end - hit.start),
                highlights.pattern(hit.why.matched),
            ),
            address(hit, question, answer.hits),
            permalink(cited(hit.document_id, hit.answer)),
            (rated or {}).get(hit.passage_id),
        )
        for hit in answer.hits
    ]
    return render("results", question=question, answer=answer, hits=hits, may_rate=may_rate)


def address(hit: Hit, question: str, hits: Sequence[Hit] = ()) -> str:
    """The reading page of a hit's document, at the passage; relative, so that it works below a
    prefix.

    A PDF opens as a rendered page. Those of the other ``hits`` in the same document are shown, too.
    """
    others = (one for one in hits if one is not hit and one.document_id == hit.document_id)
    view = View(
        passage=(hit.start, hit.end),
        answer=(hit.answer.start, hit.answer.end),
        others=tuple((one.answer.start, one.answer.end) for one in others),
        question=question,
        page=hit.page if hit.source.lower().endswith(".pdf") else None,
    )
    return f"{view.address(hit.document_id)}#answer"


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the route to which the page posts a thumb up or down."""

    @app.put("/ratings")
    def rate(rating: NewRating, request: Request) -> dict[str, str]:
        if not policy.principal_of(request.scope).may_change:
            raise HTTPException(403, "Only an owner can rate passages")
        # The question is run again: only passages that this library really returned are rated.
        found = library.search(rating.question, k=DEEP)
        hit = next((hit for hit in found if hit.passage_id == rating.passage), None)
        if hit is None:
            raise HTTPException(409, "The library has changed: ask again")
        library.rate(rating.question, hit, good=rating.good)
        return {"said": "Rating removed" if rating.good is None else "Stored in this library only"}


def _empty() -> str:
    return _notice("empty", strings.EMPTY, strings.EMPTY_HELP, command=strings.EMPTY_COMMAND)


def _problem(line: str) -> str:
    """An error; ``line`` says what is wrong, and what to do."""
    return _notice("problem", strings.PROBLEM, strings.sentence(line))


def _notice(
    kind: str, heading: str, line: str, *, command: str = "", answer: Answer | None = None
) -> str:
    """Why there are no results; ``answer`` says how the question was interpreted."""
    return render("notice", kind=kind, heading=heading, line=line, command=command, answer=answer)
