"""The lexical index against BM25 worked out in plain Python."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import LibraryDamaged
from rag.index.lexical import Entry, TantivyIndex

# Words that stemming and stop words leave alone, so that the oracle needs neither.
WORDS = ["tank", "gun", "turret", "delhi", "port", "visit", "oil", "steel"]
K1, B, CONTEXT = 1.2, 0.75, 0.3

Held = dict[int, tuple[str, str]]


def bm25(held: Held, question: list[str], field: int) -> dict[int, float]:
    """BM25 of one field (Robertson and Zaragoza, 2009), as tantivy defines its constants."""
    split = {key: row[field].split() for key, row in held.items()}
    average = sum(map(len, split.values())) / len(split)
    scores = dict.fromkeys(split, 0.0)
    for word in sorted(set(question)):
        df = sum(word in words for words in split.values())
        idf = math.log(1 + (len(split) - df + 0.5) / (df + 0.5))
        for key, words in split.items():
            tf = words.count(word)
            if tf:
                length = 1 - B + B * len(words) / average
                scores[key] += idf * tf * (K1 + 1) / (tf + K1 * length)
    return scores


def shares(held: Held, question: list[str]) -> dict[int, float]:
    """Both fields together, as a share of the most that the words could give."""
    text, context = bm25(held, question, 0), bm25(held, question, 1)
    bound = 0.0
    for word in set(question):
        df = sum(word in row[0].split() for row in held.values())
        bound += (K1 + 1) * math.log(1 + (len(held) - df + 0.5) / (df + 0.5))
    return {key: min((text[key] + CONTEXT * context[key]) / bound, 1.0) for key in held}


sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join)


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(st.integers(1, 10**9), st.tuples(sentence, sentence), min_size=1, max_size=12),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
)
def test_scores_equal_the_formula(
    tmp_path_factory: pytest.TempPathFactory, held: Held, question: list[str]
) -> None:
    """Order and scores are those of BM25 by hand, for proposals and for given passages."""
    index = TantivyIndex.create(tmp_path_factory.mktemp("words"))
    index.update([], [Entry(key, *row) for key, row in held.items()])
    reader = index.reader()
    expected = shares(held, question)
    keys, scores = reader.search(" ".join(question), 50)
    assert dict(zip(keys.tolist(), scores.tolist(), strict=True)) == pytest.approx(
        {key: score for key, score in expected.items() if score > 0}, rel=1e-4
    )
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert len(reader) == len(held)


@pytest.fixture
def index(tmp_path: Path) -> TantivyIndex:
    """Three passages."""
    index = TantivyIndex.create(tmp_path / "words")
    index.update(
        [],
        [
            Entry(1, "The Belgian company supplies gun turrets.", "Tanks"),
            Entry(2, "Café prices rose in Zürich.", "Coffee"),
            Entry(3, "A visit to New Delhi.", "Travel"),
        ],
    )
    return index


def keys(index: TantivyIndex, question: str) -> list[int]:
    """What is found."""
    return index.reader().search(question, 10)[0].tolist()


def test_words_are_stemmed_and_folded(index: TantivyIndex) -> None:
    """Other forms of a word, other case, and a word without its accents find it."""
    assert keys(index, "who supplied the turret") == [1]
    assert keys(index, "ZURICH cafes") == [2]


def test_syntax_is_no_syntax(index: TantivyIndex) -> None:
    """A question is words: brackets, quotes and operators of query languages mean nothing."""
    assert keys(index, 'title:(turret AND NOT "gun*") OR [delhi TO ~') == [1, 3]


def test_only_stop_words_find_nothing(index: TantivyIndex) -> None:
    """No word is left to look for."""
    assert keys(index, "is it the") == []
    assert index.reader().search("is it the", 2, np.array([1, 2]))[1].tolist() == []


def test_updates_replace_and_remove(index: TantivyIndex) -> None:
    """A passage that comes again is replaced; what is removed is gone; unknown keys are fine."""
    before = index.reader()
    index.update([3, 99], [Entry(1, "Steel from Ghent.", "")])
    index.update([3, 99], [Entry(1, "Steel from Ghent.", "")])
    assert keys(index, "turret") == []
    assert keys(index, "steel") == [1]
    assert keys(index, "delhi") == []
    assert len(index.reader()) == 2
    assert before.search("turret", 10)[0].tolist() == [1], "a snapshot stays as it was"


def test_missing_or_damaged(index: TantivyIndex, tmp_path: Path) -> None:
    """Both are damage that the library can mend."""
    assert len(index.reader()) == 3
    with pytest.raises(LibraryDamaged):
        TantivyIndex.open(tmp_path / "nothing")
    (tmp_path / "words" / "meta.json").write_text("garbage")
    with pytest.raises(LibraryDamaged):
        TantivyIndex.open(tmp_path / "words")


def test_one_in_place_of_another_that_is_still_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of tantivy's may write its list of files once more while all else is removed."""
    folder = tmp_path / "words"
    TantivyIndex.create(folder).update([], [Entry(1, "tank", "", "en")])
    listed = (folder / ".managed.json").read_bytes()
    remove = shutil.rmtree

    def interrupted(path: Path, *, ignore_errors: bool) -> None:
        remove(path, ignore_errors=ignore_errors)
        path.mkdir()
        (path / ".managed.json").write_bytes(listed)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    index = TantivyIndex.create(folder)
    index.update([], [Entry(2, "turret", "", "en")])
    assert index.reader().search("tank turret", 10)[0].tolist() == [2]
