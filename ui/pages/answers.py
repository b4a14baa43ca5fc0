"""The search page's content: a library and a question in, HTML out. Independent of Gradio."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from rag import EmptyQuestion, InputError, Library, RagError
from ui import strings
from ui.ops import public_errors
from ui.pages import example_questions, hit_html, states
from ui.pages.filter_form import Narrowing

NEWEST = 5
"""Articles listed in the first view, and used for example questions."""

DEEP = 20
"""Depth at which a rated passage is searched again: more than a page shows, because the library may
have grown since.
"""

NOT_NARROWED = Narrowing()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FirstView:
    """The content of the page before the first question.

    ``types`` and ``languages`` are the choices of the drop-downs, as (label, value).
    """

    masthead: str
    body: str
    examples: tuple[str, ...]
    types: tuple[tuple[str, str], ...] = ()
    languages: tuple[tuple[str, str], ...] = ()


def first_view(library: Library, name: str = "") -> FirstView:
    """Summarize what is indexed and make example questions; ``name`` is as in
    :mod:`ui.pages.states`.
    """
    try:
        newest = library.documents(NEWEST)
        documents = [library.document(summary.id) for summary in newest]
        facets, status = library.facets(), library.status()
    except RagError as error:
        _log.error("The library is in trouble: %s", error)
        return FirstView(
            states.masthead(0, None, name), states.problem(public_errors.public_message(error)), ()
        )
    return FirstView(
        masthead=states.masthead(status.documents, newest[0] if newest else None, name)
        + states.untrained(status.language_note),
        body=states.first(newest) if newest else states.empty(),
        examples=example_questions.questions(documents),
        types=_choices(facets.types),
        languages=_choices(facets.languages),
    )


def _choices(counts: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (strings.COUNTED.format(name=name.removeprefix("."), count=number), name)
        for name, number in counts.items()
    )


def answer(
    library: Library,
    question: str,
    narrowing: Narrowing = NOT_NARROWED,
    *,
    may_rate: bool = True,
) -> str:
    """Render the results for a question, or explain why there are none; with rating buttons if the
    user ``may_rate``.
    """
    try:
        found = narrowing.ask(library, question)
        if found.hits:
            ratings = library.ratings(question) if may_rate else ()
            rated = {one.passage_id: one.good for one in ratings}
            return hit_html.results(question, found, rated, may_rate=may_rate)
        reading = hit_html.reading(found)
        if not found.conditions_met:
            return states.nothing_left(reading)
        return states.nothing(reading) if library.status().documents else states.empty()
    except EmptyQuestion:
        return states.hint()
    except RagError as error:
        if not isinstance(error, InputError):
            _log.error("The library is in trouble: %s", error)
        return states.problem(public_errors.public_message(error))
    except Exception:  # noqa: BLE001 — last resort: the log gets the traceback
        _log.exception("The question could not be answered.")
        return states.problem(strings.UNEXPECTED)


def rate(library: Library, question: str, passage: str, *, good: bool | None) -> bool:
    """Store or withdraw a rating of a passage; false if the passage is no longer retrieved.

    The question is run again, so that only passages that this library really returned are rated.
    """
    hit = next((hit for hit in library.search(question, k=DEEP) if hit.passage_id == passage), None)
    if hit is None:
        return False
    library.rate(question, hit, good=good)
    return True
