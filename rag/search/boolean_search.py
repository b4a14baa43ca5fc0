"""Boolean search: every passage that matches, unranked."""

from __future__ import annotations

from collections.abc import Sequence

from rag.errors import EmptyQuestion, InputError
from rag.index.engine import Searcher
from rag.index.records import StoredPassage
from rag.search.corrections import alternative, corrections
from rag.text import query_parser, spelling
from rag.types import Found, Match, Quote
from rag.types.filters import Filter
from rag.types.protocols import QuestionEncoder


def find(
    text: str,
    conditions: Filter,
    offset: int,
    limit: int,
    *,
    encoder: QuestionEncoder,
    library: Searcher,
) -> Found:
    """List the passages that contain all of the words, in any form, and meet all filters.

    Parameters
    ----------
    text
        Plain words, and the filters that :mod:`rag.text.query_parser` understands.
    conditions
        Further filters on documents.
    offset, limit
        The page: how many passages to skip, and how many to return at most.

    Raises
    ------
    EmptyQuestion
        If there is nothing to search for.
    InputError
        If the text is too long, ``offset`` is below 0 or ``limit`` below 1.
    """
    if offset < 0 or limit < 1:
        raise InputError(
            f"a page begins at 0 or later and has 1 passage or more, not {offset} and {limit}"
        )
    query_parser.check_length(text)
    parsed = query_parser.parse(text)
    applied, offered = corrections(parsed.words, parsed.exact, library, encoder, leave_words=False)
    wanted = spelling.correct(parsed.words, applied)
    # A query of stop words alone matches nothing, not even itself.
    if not (parsed.clauses or parsed.conditions or conditions or library.analysis.words(wanted)):
        raise EmptyQuestion(
            "there is no word to look for, or only words like “the” and “is”; put those in"
            ' quotes: "to be or not to be"'
        )
    limited = library.filtered((*parsed.conditions, conditions), parsed.clauses)
    keys = limited.matching(wanted).tolist()
    page = library.passages(keys[offset : offset + limit])
    return Found(
        passages=len(keys),
        documents=library.count_by_document(keys),
        offset=offset,
        matches=tuple(
            _match(page[key], wanted, parsed.clauses.phrases, library) for key in sorted(page)
        ),
        instead=applied,
        reading=query_parser.describe(parsed, applied),
        alternative=alternative(text, applied, offered),
    )


def _match(stored: StoredPassage, words: str, phrases: Sequence[str], library: Searcher) -> Match:
    passage = stored.passage
    places = library.analysis.places(words, phrases, passage.text)
    first = passage.start + (places[0].start if places else 0)
    page = passage.page_at(first)
    source, *others = stored.sources
    return Match(
        text=passage.text,
        title=stored.title,
        source=source,
        date=stored.date,
        page=page.number if page else None,
        headings=passage.headings,
        document_id=passage.document_id,
        passage_id=passage.id,
        start=passage.start,
        end=passage.end,
        matched=tuple(
            Quote(place.of(passage.text), passage.start + place.start, passage.start + place.end)
            for place in places
        ),
        also_in=tuple(others),
        page_label=page.label if page else None,
        date_from=stored.date_from,
    )
