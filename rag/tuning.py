"""Fitting the weights of the ranking to what readers rated, and how much that is worth.

Weights that were chosen on some questions look better there than they are. So the gain is that
on questions which had no part in the choice: in five-fold cross-validation each fifth of the
questions is asked with the weights that were best on the other four.

Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 1974.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.arrays import Scores
from rag.errors import InputError
from rag.evaluation.evaluating import Opened
from rag.evaluation.judging import Judge
from rag.evaluation.labelled import LabelledSet, Question
from rag.evaluation.running import SHOWN
from rag.evaluation.statistics import Difference, Estimate, compare, estimate
from rag.ranking import Ranking
from rag.types import Hit

MEANING_WEIGHTS = (0.3, 0.4, 0.5, 0.6, 0.7)
TOKENS_WEIGHTS = (0.5, 0.625, 0.75, 0.875)
"""What is tried, each with each. A finer grid would find what holds for these questions only."""

FOLDS = 5
LEAST_QUESTIONS = 30
"""With fewer, an interval that a bootstrap gives says little."""

SEED = 20_240_713


@dataclass(frozen=True, slots=True)
class Choice:
    """What cross-validation chose, by position among the settings.

    ``best`` is the best over all questions, and ``folds`` those of the folds. ``held_out`` has
    the value of each question with the setting that was chosen without it.
    """

    best: int
    folds: tuple[int, ...]
    held_out: Scores


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning found: how the library ranks, what ranks best, and what that is worth.

    ``now`` is the MRR@10 of ``current``, and ``gain`` by how much that of the chosen weights is
    higher on questions that had no part in the choice. ``folds`` are the weights that each fold
    chose: where they differ much, there is little to choose.
    """

    current: Ranking
    best: Ranking
    folds: tuple[Ranking, ...]
    now: Estimate
    gain: Difference

    @property
    def is_real(self) -> bool:
        """Whether the gain is more than chance, on enough questions to say so."""
        enough = self.gain.questions >= LEAST_QUESTIONS
        return enough and self.gain.low > 0.0 and self.best != self.current


def grid(current: Ranking) -> tuple[Ranking, ...]:
    """The settings to try: the current one, and then the others, the nearest to it first."""
    tried = [
        replace(current, meaning_weight=meaning, tokens_weight=tokens)
        for meaning in MEANING_WEIGHTS
        for tokens in TOKENS_WEIGHTS
    ]

    def distance(one: Ranking) -> float:
        return abs(one.meaning_weight - current.meaning_weight) + abs(
            one.tokens_weight - current.tokens_weight
        )

    return tuple(dict.fromkeys([current, *sorted(tried, key=distance)]))


def choose(values: NDArray[np.float64]) -> Choice:
    """Choose a setting, on all questions and in each fold.

    Parameters
    ----------
    values
        How well each setting does for each question, higher is better; shape (settings,
        questions), at least as many questions as folds. Of equal settings the first is chosen.
    """
    count = values.shape[1]
    fold_of = np.random.default_rng(SEED).permutation(count) % FOLDS
    held_out = np.empty(count)
    chosen = []
    for fold in range(FOLDS):
        inside = fold_of == fold
        best = _best(values[:, ~inside])
        held_out[inside] = values[best, inside]
        chosen.append(best)
    return Choice(_best(values), tuple(chosen), held_out)


def tune(
    labelled: LabelledSet, library: Opened, on_progress: Callable[[str, int, int], None]
) -> Tuning:
    """Ask every question with every setting, and choose.

    Parameters
    ----------
    labelled
        Questions for which passages are labelled.
    library
        The library to ask.
    on_progress
        Told after each question what is going on, how many are done, of how many.

    Raises
    ------
    InputError
        If there are fewer questions than folds.
    """
    if len(labelled.questions) < FOLDS:
        raise InputError(
            f"tuning needs {LEAST_QUESTIONS} questions with a passage that was called good, and "
            f"there are {len(labelled.questions)}; ask on the page, and rate: rag serve"
        )
    settings = grid(library.ranking)
    values = np.empty((len(settings), len(labelled.questions)))
    for column, question in enumerate(labelled.questions):
        found = library.searcher.search_each(question, SHOWN, settings)
        values[:, column] = [_reciprocal_rank(question, hits, library.judge) for hits in found]
        on_progress("tuning", column + 1, len(labelled.questions))
    choice = choose(values)
    return Tuning(
        current=settings[0],
        best=settings[choice.best],
        folds=tuple(settings[one] for one in choice.folds),
        now=estimate(values[0]),
        gain=compare(choice.held_out, values[0]),
    )


def _best(values: NDArray[np.float64]) -> int:
    # Rounding must not decide between settings that come to the same.
    return int(np.argmax(values.mean(axis=1).round(12)))


def _reciprocal_rank(question: Question, hits: Sequence[Hit], judge: Judge) -> float:
    return next((1.0 / hit.rank for hit in hits if judge.is_right(question, hit)), 0.0)
