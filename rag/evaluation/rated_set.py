"""A reader's ratings → a labelled set of the library that they were made in.

Passages that were called good are right, all others are not. Only what was found could be rated,
so a ranking that finds what nobody has seen yet gets no credit for it: such a set is kind to the
ranking of the time, and a gain over that is rather too small than too large.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.confidence.ratings import Placed, placed
from rag.errors import InputError
from rag.evaluation.labelled_sets import GoldSpan, LabelledSet, Question
from rag.evaluation.relevance import RatedJudge
from rag.index.engine import Reader
from rag.types import Rating

NAME = "feedback"


def rated_set(ratings: Sequence[Rating], store: Reader) -> tuple[LabelledSet, RatedJudge]:
    """The questions for which a passage was called good, and who knows which passages these are.

    Parameters
    ----------
    ratings
        The earliest first.
    store
        Of the library where they were made. Ratings of passages that are gone from it are left
        out, and a question that has no others counts as unlabelled.

    Raises
    ------
    InputError
        If no question is left.
    """
    found = placed(ratings, store)
    good: dict[str, list[Placed]] = {}
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


def _span(one: Placed) -> GoldSpan:
    return GoldSpan(one.passage.document_id, one.answer, one.rating.answer.text)
