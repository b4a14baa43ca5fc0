"""A library's calibration: measured when needed, stored with it, and applied to hits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TypeAlias

from rag.confidence import out_of_domain, synthetic_queries
from rag.confidence.calibration import (
    ANSWERED,
    POSSIBLE,
    UNMET,
    Calibration,
    as_stored,
    fit,
    is_useful,
)
from rag.errors import LibraryError
from rag.index.engine import Engine
from rag.index.records import StoredPassage
from rag.search.pipeline import SearchResult
from rag.search.scoring import DEFAULT
from rag.types import Answer, Hit, Passage
from rag.types.arrays import Scores

FirstScores: TypeAlias = Callable[[Sequence[str]], Scores]
"""Returns the score of the top hit for each question, 0 if there is none."""

NAME = "calibration"
"""Key under which the calibration is stored."""

RECIPE = 1
"""Version of how queries are made; a calibration with another version is measured again."""

KNOWN = 128
"""Synthetic queries made from the library's own sentences, one per passage."""

FEWEST_KNOWN = 30
"""Minimum number of synthetic queries; a smaller library is not calibrated."""

GENERAL = Calibration(slope=42.0, intercept=-16.3)
"""Default for small libraries with the packaged model, from four development sets."""


class Calibrations:
    """The calibration of one library. Thread-safe."""

    def __init__(self, engine: Engine, first_scores: FirstScores, config: object = DEFAULT) -> None:
        """``config`` identifies how scores are computed, for which alone a calibration holds."""
        self._engine = engine
        self._first_scores = first_scores
        self._scoring = f"{RECIPE}: {config}"
        self._measuring = threading.Lock()
        self._newest: Calibration | None = None

    def current(self) -> Calibration:
        """The calibration; if there is none yet it is measured now, which takes some seconds."""
        with self._measuring:
            return self.kept() or self._measured()

    def kept(self) -> Calibration | None:
        """The stored calibration, or None; never measures."""
        found = (self._kept(), self._newest)
        return next((one for one in found if one and one.scoring == self._scoring), None)

    def refresh(self) -> None:
        """Calibrate if that was never done, or the library has grown or shrunk by a quarter."""
        passages = self._engine.reader.counts().passages
        with self._measuring:
            kept = self._kept()
            if passages and not (kept and kept.fits(passages, self._scoring)):
                self._measured()

    def answer(self, result: SearchResult) -> Answer:
        """Estimate the probability that a question is answered; without hits it is 0."""
        answer = Answer(
            answered=False,
            confidence=0.0,
            hits=tuple(result.hits),
            reading=result.reading,
            alternative=result.alternative,
            conditions_met=result.conditions_met,
        )
        if not result.hits:
            return answer
        calibration, hits = self.current(), result.hits

        def confidence(hit: Hit) -> float:
            doubtful = hit.unmet or result.is_brief
            return calibration.confidence(hit.score) * (UNMET if doubtful else 1.0)

        found = confidence(result.first_stage or hits[0])
        if result.first_stage is None:  # the hits' scores are those that were calibrated
            hits = [replace(one, confidence=confidence(one)) for one in hits]
        return replace(
            answer,
            answered=found >= ANSWERED,
            state="likely" if found >= ANSWERED else "unsure" if found >= POSSIBLE else "not found",
            confidence=found,
            hits=tuple(hits),
            measured=calibration.measured,
        )

    def _kept(self) -> Calibration | None:
        text = self._engine.notes.note(NAME)
        # Derived data: what another version stored is measured again.
        with suppress(ValueError, TypeError):
            return Calibration.from_json(text) if text else None
        return None

    def _measured(self) -> Calibration:
        found = measured(self._engine, self._first_scores, self._scoring)
        self._newest = found
        # Kept in memory only, if the library can't be written or another process is writing.
        with suppress(LibraryError):
            self._engine.notes.keep(NAME, found.as_json())
        return found


def measured(engine: Engine, first_scores: FirstScores, scoring: str) -> Calibration:
    """Calibrate with queries that the library answers and queries that it doesn't.

    Deterministic for the same documents. Runs some two hundred queries, however large the library.
    Returns the default calibration if there are fewer than thirty usable passages, or the two kinds
    have similar scores.
    """
    counted = engine.reader.counts()
    drawn = engine.catalogue.sample(2 * KNOWN)
    known, strange = questions(drawn, is_english=_is_english(counted.languages))
    general = replace(GENERAL, passages=counted.passages, scoring=scoring)
    if len(known) < FEWEST_KNOWN:
        return general
    scores = first_scores([*known, *strange])
    answered, foreign = scores[: len(known)], scores[len(known) :]
    if not is_useful(answered, foreign):
        return general
    return Calibration(
        *fit(answered, foreign),
        known=len(answered),
        foreign=len(foreign),
        passages=counted.passages,
        scoring=scoring,
        known_scores=as_stored(answered),
        foreign_scores=as_stored(foreign),
    )


def questions(
    drawn: Sequence[StoredPassage], *, is_english: bool
) -> tuple[list[str], Sequence[str]]:
    """Queries that these passages answer, and about as many that they don't."""
    usable = [(one, found) for one in drawn if (found := _sentence(one.passage))]
    elsewhere = [word for _, found in usable for word in synthetic_queries.content_words(found)]
    frames = synthetic_queries.FRAMES if is_english else ()
    shares = synthetic_queries.ELSEWHERE if is_english else synthetic_queries.ELSEWHERE_UNREAD
    chances = [(sentence, Random(one.passage.id)) for one, sentence in usable[:KNOWN]]  # noqa: S311
    known = [
        synthetic_queries.question(sentence, elsewhere, chance, frames, shares)
        for sentence, chance in chances
    ]
    if is_english:
        return known, out_of_domain.questions()
    return known, [synthetic_queries.unanswerable(elsewhere, chance) for _, chance in chances]


def _sentence(passage: Passage) -> str | None:
    """A usable sentence of a passage, chosen pseudo-randomly, or None."""
    texts = passage.sentence_texts()[passage.leading :]
    usable = list(filter(synthetic_queries.is_usable, texts))
    return Random(passage.id).choice(usable) if usable else None  # noqa: S311 (no secret)


def _is_english(languages: Mapping[str, int]) -> bool:
    """Whether most documents of known language are in English."""
    known = sum(count for code, count in languages.items() if code)
    return 2 * languages.get("en", 0) >= known
