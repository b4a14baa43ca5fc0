"""What a score means: the curve, the questions it is laid through, and the answers it gives."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from three_articles import QUESTIONS

import rag.confidence.answerability
from rag import Hit, InputError, Library
from rag.confidence import calibration, out_of_domain, synthetic_queries
from rag.confidence.answerability import GENERAL, NAME, Calibrations
from rag.confidence.calibration import ANSWERED, Calibration
from rag.confidence.out_of_domain import questions as all_foreign_questions
from rag.errors import LibraryError
from rag.index.local_engine import EmbeddedEngine
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types.arrays import Scores

ABOUT = ("harbour", "glacier", "violin", "cheese", "railway", "beetle", "comet", "loom")
DOES = ("guarded", "painted", "measured", "repaired", "borrowed", "described", "buried")
PEOPLE = ("Hannah Whitcombe", "Tobias Lindqvist", "Amara Okonkwo", "Yusuf Demirel", "Ines Faro")


@pytest.fixture(scope="module", autouse=True)
def fewer_foreign_questions() -> Iterator[None]:
    """Every fourth, which takes a quarter of the time."""
    some = out_of_domain.questions()[::4]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(out_of_domain, "questions", lambda: some)
        yield


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder) -> Path:
    """A library of 40 articles of one sentence each, calibrated; not to be changed."""
    folder = tmp_path_factory.mktemp("many")
    texts = folder / "texts"
    texts.mkdir()
    for n, (thing, deed) in enumerate(itertools.islice(itertools.product(ABOUT, DOES), 40)):
        who, year = PEOPLE[n % len(PEOPLE)], 1700 + 7 * n
        (texts / f"{n}.txt").write_text(
            f"In {year} the travelling merchant {who} {deed} the famous old {thing} near the town."
        )
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index(texts)
    return folder / "library"


def test_curve_through_two_scores_by_hand() -> None:
    """With two scores of each kind Platt's targets are 3/4 and 1/4, and two points define the
    curve: logit(3/4) = ln 3 at 0.8, -ln 3 at 0.2.
    """
    slope, intercept = calibration.fit(np.array([0.8, 0.8]), np.array([0.2, 0.2]))
    assert slope == pytest.approx(2 * np.log(3) / 0.6, abs=1e-6)
    assert intercept == pytest.approx(-slope / 2, abs=1e-6)
    curve = Calibration(slope, intercept)
    assert curve.confidence(0.5) == pytest.approx(0.5)
    assert curve.confidence(curve.threshold) == pytest.approx(ANSWERED)
    assert curve.confidence(0.8) == pytest.approx(0.75)


def test_each_kind_weighs_one_half() -> None:
    """Ten times as many foreign questions move nothing but their target, 1/4 to 1/20."""
    slope, intercept = calibration.fit(np.full(2, 0.8), np.full(20, 0.2))
    curve = Calibration(slope, intercept)
    assert curve.confidence(0.8) == pytest.approx(0.75)
    assert curve.confidence(0.2) == pytest.approx(1 / 20)  # two of twenty are left out


def test_highest_tenth_of_the_foreign_questions_is_left_out() -> None:
    """Two of twenty that the library happens to answer change nothing."""
    known, strange = np.linspace(0.5, 0.7, 20), np.linspace(0.2, 0.4, 20)
    answered = strange.copy()
    answered[-2:] = 0.9
    assert calibration.fit(known, answered) == pytest.approx(calibration.fit(known, strange))


def test_curve_is_recovered() -> None:
    """From many scores whose classes were drawn by a curve, the fit finds that curve."""
    draw = np.random.default_rng(7)
    scores = draw.uniform(0.0, 1.0, 40_000)
    # Symmetric about 0.5, so that both classes are equally large and no prior has to be undone.
    is_known = draw.uniform(size=len(scores)) < 1 / (1 + np.exp(-(12 * scores - 6)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(calibration, "FOREIGN_KEPT", 1.0)
        slope, intercept = calibration.fit(scores[is_known], scores[~is_known])
    assert slope == pytest.approx(12, rel=0.03)
    assert intercept == pytest.approx(-6, rel=0.03)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=30),
    st.lists(st.floats(0, 1), min_size=2, max_size=30),
)
def test_any_scores_give_a_finite_curve(known: list[float], strange: list[float]) -> None:
    """Without overlap, without spread, upside down: a confidence is a probability."""
    curve = Calibration(*calibration.fit(np.array(known), np.array(strange)))
    assert all(0.0 <= curve.confidence(score) <= 1.0 for score in (0.0, 0.3, 1.0))


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, float("nan")]])
def test_too_few_scores_are_refused(scores: list[float]) -> None:
    """Of either kind, and so are scores that are no numbers."""
    with pytest.raises(InputError, match="two finite scores"):
        calibration.fit(np.array(scores), np.array([0.1, 0.2]))


def test_kinds_that_score_alike_are_told() -> None:
    """A library about everything answers the foreign questions, too: then there is no curve."""
    low, high = np.linspace(0.2, 0.4, 9), np.linspace(0.5, 0.7, 9)
    assert calibration.is_useful(high, low)
    assert not calibration.is_useful(high, high)
    assert not calibration.is_useful(low, high)


def test_a_quarter_more_or_less_is_another_library() -> None:
    """At a hundred passages 75 to 125 are the same, and so is only the same scoring."""
    curve = Calibration(1.0, 0.0, passages=100, scoring="a")
    assert [curve.fits(n, "a") for n in (74, 75, 125, 126)] == [False, True, True, False]
    assert not curve.fits(100, "b")
    kept = replace(curve, known_scores=(0.5, 0.6), foreign_scores=(0.1,))
    assert Calibration.from_json(kept.as_json()) == kept


IMPOSSIBLE = {
    "scores of no scale": {"known_scores": [1e300] * 50, "foreign_scores": [-1e300] * 50},
    "a score too high": {"known_scores": [1e7]},
    "a score too low": {"foreign_scores": [-1.01]},
    "a score that is none": {"known_scores": [float("nan")]},
    "a score of many digits": {"known_scores": [10**400]},
    "more scores than questions": {"known_scores": [0.5] * 1_001},
    "an infinite slope": {"slope": float("inf")},
    "no slope": {"slope": 0},
    "a slope of many digits": {"slope": 10**400},
    "an infinite intercept": {"intercept": float("-inf")},
    "a threshold of no scale": {"intercept": 1e300},
    "a negative count": {"known": -1},
    "a count in text": {"foreign": "3"},
    "half a passage": {"passages": 0.5},
}


@pytest.mark.parametrize("changes", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_no_library_has_such_a_calibration(changes: dict[str, object]) -> None:
    """A stranger's archive may: it is refused before anything is computed from it."""
    kept = {"slope": 40.0, "intercept": -16.0, "known": 50, "foreign": 50, "passages": 50}
    assert Calibration.from_json(json.dumps(kept)).measured
    with pytest.raises((ValueError, TypeError)):
        Calibration.from_json(json.dumps(kept | changes))


def test_question_is_made_of_words_of_the_sentence() -> None:
    """A frame, then words of the sentence in their order, some from elsewhere, no punctuation."""
    sentence = "The very first transatlantic telegraph cable, laid in 1858, failed after weeks."
    seen = set()
    for seed in range(200):
        asked = synthetic_queries.question(sentence, ["elsewhere"], random.Random(seed))  # noqa: S311
        frame = next(one for one in synthetic_queries.FRAMES if asked.startswith(one))
        words = asked.removeprefix(frame).removesuffix("?").split()
        own = [word for word in words if word != "elsewhere"]
        assert own == [word for word in synthetic_queries.words(sentence) if word in own]
        assert len(synthetic_queries.content_words(" ".join(words))) >= synthetic_queries.FEWEST
        seen |= set(words)
    assert {"telegraph", "1858", "failed", "elsewhere"} <= seen


def test_texts_without_blanks_have_words() -> None:
    """Two characters count as a word, and are put together again without blanks."""
    sentence = "1858年に敷設された最初の大西洋横断電信ケーブルは数週間で故障した。"
    assert synthetic_queries.is_usable(sentence)
    asked = synthetic_queries.question(sentence, ["電信"], random.Random(1), ())  # noqa: S311
    assert " " not in asked.replace("1858 ", "")
    assert asked.endswith("?")


def test_short_sentences_and_tables_are_no_questions() -> None:
    """Four telling words are too few, and sixty-one words too many."""
    assert not synthetic_queries.is_usable("He was told about that long ago.")
    assert synthetic_queries.is_usable("Whales sing about eighty different melodies.")
    assert not synthetic_queries.is_usable("number " * 61)


def test_rarest_words_keep_their_order() -> None:
    """Those that occur least, as they stand in the sentence, each once."""
    numbered = [f"word{number}" for number in range(9)]
    counts = dict.fromkeys(numbered, 2) | {"common": 9, "rare": 1}
    sentence = f"common Rare {' '.join(numbered)} rare unheard"
    expected = f"Rare {' '.join(numbered[:5])} rare unheard"
    assert synthetic_queries.rarest(sentence, counts) == expected


def test_foreign_questions_are_many_and_different() -> None:
    """About a hundred, none twice."""
    found = all_foreign_questions()
    assert 90 <= len(found) == len(set(found))


def test_library_is_calibrated_when_it_is_indexed(
    many: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """A question from a text is answered with confidence, a foreign one is not."""
    with Library.open(many, create=False, embedder=embedder) as library:
        answered = library.ask("Which merchant repaired the glacier in 1770?")
        strange = library.ask("How do superconductors expel a magnetic field?")
        assert answered.answered
        assert answered.measured
        assert answered.confidence > 0.9
        confidences = [hit.confidence or 0.0 for hit in answered.hits]
        assert confidences[0] == answered.confidence
        assert confidences == sorted(confidences, reverse=True)
        found = library.search("Which merchant repaired the glacier in 1770?")
        assert found == [replace(hit, confidence=None) for hit in answered.hits]
        assert not strange.answered
        assert strange.confidence < 0.2
        assert len(strange.hits) == 5


def test_calibration_is_kept_and_the_same_documents_give_the_same(
    many: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """It is read back as it was kept, and measuring it again changes nothing."""
    with Library.open(many, create=False, embedder=embedder) as library:
        kept = Calibration.from_json(library.engine.notes.note(NAME) or "")
        again = rag.confidence.answerability.measured(
            library.engine, library._first_scores, kept.scoring
        )
    assert again == kept
    assert (kept.known, kept.foreign, kept.passages) == (40, len(out_of_domain.questions()), 40)
    assert (len(kept.known_scores), len(kept.foreign_scores)) == (kept.known, kept.foreign)
    assert list(kept.known_scores) == sorted(round(score, 4) for score in kept.known_scores)
    curve = calibration.fit(np.array(kept.known_scores), np.array(kept.foreign_scores))
    assert curve == pytest.approx((kept.slope, kept.intercept), rel=1e-2)


def test_small_library_gets_the_general_calibration(seeds: Library) -> None:
    """With two articles nothing is measured, and that is said; what is asked is answered."""
    for question in QUESTIONS:
        answer = seeds.ask(question)
        assert not answer.measured
        assert answer.answered, question
        assert answer.confidence == pytest.approx(GENERAL.confidence(answer.hits[0].score))
    assert not seeds.ask("How do I bake sourdough bread without a Dutch oven?").answered


def test_nothing_found_is_not_answered(library: Library, seeds: Library) -> None:
    """An empty library, and conditions that nothing meets; how it was read is said."""
    assert library.ask("Is anything here?") == rag.Answer(answered=False, confidence=0.0, hits=())
    assert seeds.ask("full tanks source:*.pdf").reading == ("Only passages source *.pdf.",)


class Counting:
    """Scores each question by itself, all alike if nothing else is said, and counts them."""

    def __init__(self, score: Callable[[str], float] = lambda _: 0.5) -> None:
        self.asked = 0
        self.score = score

    def __call__(self, questions: Sequence[str]) -> Scores:
        self.asked += len(questions)
        return np.array([self.score(one) for one in questions])


@pytest.fixture
def copied(many: Path, tmp_path: Path, embedder: SentenceTransformerEmbedder) -> EmbeddedEngine:
    """The store of a library without a calibration."""
    (tmp_path / "library.db").write_bytes((many / "library.db").read_bytes())
    engine = EmbeddedEngine(tmp_path, embedder.dimension)
    engine.notes.keep(NAME, None)
    return engine


def test_measured_once_and_again_for_another_ranking(copied: EmbeddedEngine) -> None:
    """What was kept serves, to other processes too, until scores come about in another way."""
    score = Counting()
    Calibrations(copied, score, "a").current()
    assert score.asked == 40 + len(out_of_domain.questions())
    Calibrations(copied, score, "a").current()
    Calibrations(copied, score, "a").refresh()
    assert score.asked == 40 + len(out_of_domain.questions())
    Calibrations(copied, score, "b").current()
    assert score.asked == 2 * (40 + len(out_of_domain.questions()))


def test_what_another_version_kept_is_measured_again(copied: EmbeddedEngine) -> None:
    """Neither other fields nor broken text are an error."""
    texts = ("{", '{"curve": 1}', "[]", "5", '{"slope": 1, "known_scores": "no"}', "[" * 100_000)
    for kept in texts:
        copied.notes.keep(NAME, kept)
        assert Calibrations(copied, Counting(), "a").current().scoring == "1: a"


def test_interrupted_measuring_keeps_nothing(copied: EmbeddedEngine) -> None:
    """The next question measures anew."""

    def interrupted(_: Sequence[str]) -> Scores:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Calibrations(copied, interrupted, "a").current()
    assert copied.notes.note(NAME) is None


def test_where_nothing_can_be_kept_it_stays_in_memory(
    copied: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader without the right to write measures once."""

    def refuse(*_: object) -> None:
        raise LibraryError("the folder can't be written")

    monkeypatch.setattr(copied.notes, "keep", refuse)
    score = Counting()
    calibrations = Calibrations(copied, score, "a")
    assert calibrations.current() is calibrations.current()
    assert score.asked == 40 + len(out_of_domain.questions())


def test_another_language_gets_its_own_foreign_questions(copied: EmbeddedEngine) -> None:
    """Without foreign questions in that language, its own words are put together by chance."""
    with copied.database.change() as connection:
        connection.execute("UPDATE document SET language = 'de'")
    asked: list[str] = []
    score = Counting(lambda question: asked.append(question) or 0.5)
    found = rag.confidence.answerability.measured(copied, score, "")
    assert len(asked) == 80
    assert not set(asked) & set(out_of_domain.questions())
    assert not any(one.startswith(synthetic_queries.FRAMES) for one in asked)
    assert not found.measured  # all scored alike


def test_reranker_has_no_say_in_the_confidence(
    many: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Its scores are on another scale: the confidence is that of the library's own score."""

    class Backwards:
        name = "backwards"

        def scores(self, _question: str, texts: list[str]) -> list[float]:
            return [100.0 + n for n in range(len(texts))]

    question = "Which merchant repaired the glacier in 1770?"
    with Library.open(many, create=False, embedder=embedder) as library:
        usual = library.ask(question)
    with Library.open(many, create=False, embedder=embedder, reranker=Backwards()) as library:
        found = library.ask(question)
    assert found.confidence == usual.confidence
    assert found.hits[0].score > 100
    assert usual.hits[0] != replace(found.hits[0], rank=1)
    assert isinstance(found.hits[0], Hit)
