"""What must stand in a passage word for word, against a scan of all texts in plain Python."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index.lexical import Entry, TantivyIndex
from rag.types import Clauses, Respelling

# Stop words and forms of one word among them: both count as they are written.
WORDS = ["to", "be", "or", "not", "tank", "tanks", "the", "gun"]
NOTHING = Clauses()

sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)
phrase = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3)
phrases = st.lists(phrase, max_size=2)


def stands_in(phrase: list[str], words: list[str]) -> bool:
    """Whether the words of the phrase follow one another somewhere."""
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words)))


@settings(deadline=None, max_examples=40)
@given(
    held=st.dictionaries(st.integers(1, 10**9), sentence, min_size=1, max_size=12),
    must=phrases,
    without=phrases,
    data=st.data(),
)
def test_clauses_equal_a_scan(
    tmp_path_factory: pytest.TempPathFactory,
    held: dict[int, list[str]],
    must: list[list[str]],
    without: list[list[str]],
    data: st.DataObject,
) -> None:
    """The listing is exact, and a search finds just those of it that share a word."""
    index = TantivyIndex.create(tmp_path_factory.mktemp("words"))
    entries = [Entry(key, " ".join(words), "tank") for key, words in held.items()]
    index.update([], entries)
    reader = index.reader()
    clauses = Clauses(tuple(map(" ".join, must)), tuple(map(" ".join, without)))
    among = data.draw(st.none() | st.lists(st.sampled_from(sorted(held))).map(np.array))
    expected = sorted(
        key
        for key, words in held.items()
        if all(stands_in(one, words) for one in must)
        and not any(stands_in(one, words) for one in without)
        and (among is None or key in among)
    )
    assert reader.matching("", clauses, among).tolist() == expected
    guns = reader.matching("Guns", clauses, among)
    assert guns.tolist() == [key for key in expected if "gun" in held[key]]
    # Every context has the word, so a search for it finds all that may be found.
    found, scores = reader.search("tank", len(held), among, clauses)
    assert sorted(found.tolist()) == expected
    everywhere = dict(zip(*(some.tolist() for some in reader.search("tank", 99)), strict=True))
    assert scores.tolist() == pytest.approx([everywhere[key] for key in found.tolist()])


@pytest.fixture
def index(tmp_path: Path) -> TantivyIndex:
    """Passages whose words are written in many ways."""
    index = TantivyIndex.create(tmp_path / "words")
    texts = [
        "The Café-Bar in Zürich isn't open.",
        "State-of-the-art tanks; to be, or not to be?",
        "什么是人工智能, 人们说智能。",
        "Mark Zuckerberg met Angela Merkel and Johnson.",
        "Johnson, Johnson and Jonsson went.",
    ]
    index.update([], [Entry(key, text, "Kennedy") for key, text in enumerate(texts, 1)])
    return index


@pytest.mark.parametrize(
    ("phrase", "keys"),
    [
        ("cafe bar", [1]),
        ("ZURICH", [1]),
        (unicodedata.normalize("NFD", "Zürich isn't"), [1]),
        ("isn't", [1]),
        ("state of the art", [2]),
        ("To be or NOT to be", [2]),
        ("tank", []),
        ("art of the state", []),
        ("人工智能", [3]),
        ("工人", []),
        ("Kennedy", []),
        ("?!", []),
        ("x" * 100, []),
    ],
)
def test_phrases_as_they_are_written(index: TantivyIndex, phrase: str, keys: list[int]) -> None:
    """Case, accents and punctuation make no difference; forms and order do. Titles don't count."""
    reader = index.reader()
    assert reader.matching("", Clauses(phrases=(phrase,))).tolist() == keys
    others = [key for key in range(1, 6) if key not in keys]
    assert reader.matching("", Clauses(without=(phrase,))).tolist() == others


def test_all_words_in_some_form(index: TantivyIndex) -> None:
    """Every word must be there; stop words ask for nothing."""
    reader = index.reader()
    assert reader.matching("the tank opened", NOTHING).tolist() == []
    assert reader.matching("the opening in Zurich", NOTHING).tolist() == [1]
    assert reader.matching("the", NOTHING).tolist() == [1, 2, 3, 4, 5]
    assert reader.matching("kennedy", NOTHING).tolist() == []


def test_places(index: TantivyIndex) -> None:
    """Forms of the words and the phrases as they are, in order, each place once."""
    text = "Tanks: the Tank. A tank of oil, a TANK, of oil."
    places = index.reader().analysis.places("tank", ["tank of oil", "missing", "?"], text)
    assert [place.of(text) for place in places] == [
        *("Tanks", "Tank", "tank", "tank of oil", "TANK", "TANK, of oil")
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("who is Zuckerbrg?", [("Zuckerbrg", "zuckerberg")]),
        ("Zukcerbreg", [("Zukcerbreg", "zuckerberg")]),
        ("Jonson", [("Jonson", "johnson")]),
        ("Merkle met zürihc", [("Merkle", "merkel"), ("zürihc", "zurich")]),
        ("Kennedys", []),
        ("meeting Johnsons", []),
        ("yuckerberg", []),
        ("opne it", [("opne", "open")]),
        ("themselves", []),
        ("Zckrbrg 2024x of wnt", []),
    ],
)
def test_respellings(index: TantivyIndex, question: str, expected: list[tuple[str, str]]) -> None:
    """Only words that nothing has in any form, only near ones that begin alike; of two equally
    near the one in more passages.
    """
    near = tuple(Respelling(*pair) for pair in expected)
    assert index.reader().respellings(question) == near
