"""User ratings as a labelled set of the library in which they were made.

Passages rated good are relevant, all others are not. Only retrieved passages could be rated, so a
ranking gets no credit for finding new ones (pooling bias): the set favours the ranking of the time,
and an improvement over it is underestimated rather than overestimated.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.confidence.ratings import LocatedRating, locate
from rag.errors import InputError
from rag.evaluation.labelled_sets import GoldSpan, LabelledSet, Question
from rag.evaluation.relevance import RatedJudge
from rag.index.engine import Reader
from rag.types import Rating

NAME = "feedback"


def rated_set(ratings: Sequence[Rating], store: Reader) -> tuple[LabelledSet, RatedJudge]:
    """Make a labelled set of the questions with a passage rated good, and its judge.

    Parameters
    ----------
    ratings
        Oldest first.
    store
        The store of the rated library. Ratings of passages that no longer exist are dropped, and a
        question left without any counts as unlabelled.

    Raises
    ------
    InputError
        If no question is left.
    """
    found = locate(ratings, store)
    good: dict[str, list[LocatedRating]] = {}
    for one in found:
        if one.rating.good:
            good.setdefault(one.rating.question, []).append(one)
    if not good:
        raise InputError(
            "no passage that is in the library was called good; ask on the page (rag serve), and "
            "press the thumb beside each passage that is right"
        )
    questions = tuple(
        Question(id=str(number), text=text, spans=tuple(_span(one) for one in passages))
        for number, (text, passages) in enumerate(good.items(), 1)
    )
    right = {
        question.id: [one.passage.text for one in good[question.text]] for question in questions
    }
    unlabelled = len({one.question for one in ratings} - good.keys())
    return LabelledSet(NAME, questions, None, unlabelled), RatedJudge(right)


def _span(one: LocatedRating) -> GoldSpan:
    return GoldSpan(one.passage.document_id, one.answer, one.rating.answer.text)
