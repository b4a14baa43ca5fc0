"""Texts that the model can't read, and questions whose words are in doubt."""

# ruff: noqa: RUF001 (letters of other scripts are what this is about)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engines import ENGINES, place

from rag import Library
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Respelling

NOTES = {
    "reka": "Волга впадает в Каспийское море. Её длина составляет три тысячи километров.",
    "gory": "Эльбрус считается высочайшей вершиной Кавказа. Его высота больше пяти километров.",
    "gorod": "Казань стоит на левом берегу Волги. Город известен древним кремлём.",
    "english": "The fortress was built of white stone by masons from Pskov.",
    "ozero": "Байкал является самым глубоким озером. Вода в нём прозрачна и холодна.",
}


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("How did the Norman dynasty get its name?", 1.0, 1.0),
        ("Was frisst der Feldhamster im Winter?", 1.0, 1.0),
        ("Qu'est-ce que la photosynthèse ?", 1.0, 1.0),
        ("Quang hợp là gì?", 1.0, 1.0),
        ("1999?", 0.0, 0.0),
        ("Почему Волга впадает в море?", 0.0, 0.0),
        ("ما هو التمثيل الضوئي؟", 0.0, 0.0),
        ("什么是光合作用？", 0.0, 0.0),
        ("光合成とは何ですか？", 0.0, 0.0),
        ("광합성이란 무엇입니까?", 0.0, 0.0),
        ("การสังเคราะห์ด้วยแสงคืออะไร", 0.0, 0.0),
        ("Τι είναι η φωτοσύνθεση;", 0.0, 0.0),
        ("प्रकाश संश्लेषण क्या है?", 0.0, 0.0),
        ("מהי פוטוסינתזה?", 0.0, 0.0),
        ("Fotosentez nedir ve nasıl çalışır?", 0.3, 0.9),
    ],
)
def test_how_far_the_model_reads(
    embedder: SentenceTransformerEmbedder, text: str, least: float, most: float
) -> None:
    """All of what is written in Latin letters, nothing of other scripts, some where it is mixed."""
    assert least <= embedder.query(text).legibility <= most
    assert embedder.queries([text])[0].legibility == embedder.query(text).legibility


@pytest.fixture(scope="module", params=ENGINES)
def russian(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    embedder: SentenceTransformerEmbedder,
) -> Iterator[Library]:
    """Four Russian notes and an English one, in each engine."""
    folder = tmp_path_factory.mktemp("russian")
    for name, text in NOTES.items():
        (folder / f"{name}.txt").write_text(text)
    with Library.open(place(request.param, folder), embedder=embedder) as library:
        library.index([folder / f"{name}.txt" for name in NOTES])
        yield library


@pytest.mark.parametrize(
    ("question", "name", "sentence"),
    [
        (
            "Какова длина Волги в тысячах километров?",
            "reka",
            "Её длина составляет три тысячи километров.",
        ),
        ("Какая вершина Кавказа самая высокая?", "gory", NOTES["gory"].split(". ")[0] + "."),
        ("Прозрачна ли вода в Байкале?", "ozero", "Вода в нём прозрачна и холодна."),
    ],
)
def test_words_alone_decide(russian: Library, question: str, name: str, sentence: str) -> None:
    """The order, the score and the marked sentence are those of the words."""
    hits = russian.search(question, 4)
    assert [Path(hits[0].source).stem, hits[0].answer.text] == [name, sentence]
    words = np.array([hit.why.words for hit in hits])
    assert np.array_equal(words, np.sort(words)[::-1])
    assert [hit.score for hit in hits] == pytest.approx(np.sqrt(words))
    assert all(hit.why.meaning_rank is None for hit in hits)


def test_a_question_that_the_model_reads(russian: Library) -> None:
    """It is ranked by meaning too, and what it can't read does not come first."""
    first = russian.search("Who erected the castle?", 1)[0]
    assert (Path(first.source).stem, first.why.meaning_rank) == ("english", 1)


@pytest.fixture(scope="module")
def people(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """An English and a German note."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "english.txt").write_text(
        "The carpenter repaired the wooden staircase of the old library in spring. "
        "Professor Wilhelmina Zetterstrom inspected the finished work and praised it. "
        "She said that the farce about the missing furniture had lasted long enough."
    )
    (folder / "german.txt").write_text(
        "Die alten Bäume im Garten wurden im Herbst von der Gemeinde gefällt. "
        "Der Gärtner Friedhelm pflanzte im nächsten Frühling neue Obstbäume. "
        "Die Nachbarn brachten Kuchen und freuten sich über den Schatten der Bäume."
    )
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index([folder / "english.txt", folder / "german.txt"])
        yield library


@pytest.mark.parametrize(
    ("question", "applied", "offered"),
    [
        # A slip in a common word, and in a name.
        ("Who repaired the stiarcase?", "staircase", None),
        ("What did Zetterstorm inspect?", "zetterstrom", None),
        # A surname is no everyday noun.
        ("What did Mr Carpentar repair?", None, None),
        ("Was pflanzte Frau Bäumer?", None, None),
        # A capital says nothing among German nouns: it is offered.
        ("Was pflanzte Herr Friedhelmm?", None, "Was pflanzte Herr friedhelm?"),
        # Words that are there, small words of any language, and a language that is not there.
        ("Welche Obstbäume gibt es?", None, None),
        ("Where is the Nachbarn?", None, None),
        ("Hvorfor er det ikke en gardner?", None, None),
        # In other languages than English, a slip may be another word.
        ("Was pflamzte der Gärtner?", None, "Was pflanzte der Gärtner?"),
        # Just so.
        ("Who repaired the +stiarcase?", None, None),
    ],
)
def test_corrections(
    people: Library, question: str, applied: str | None, offered: str | None
) -> None:
    """What is looked for instead, what is only offered, and what is left alone."""
    answer = people.ask(question)
    instead = answer.hits[0].why.instead if answer.hits else ()
    assert [one.found for one in instead] == ([applied] if applied else [])
    if not applied:
        assert answer.alternative == offered


@pytest.fixture(scope="module")
def names(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """Notes about people and a river, in English, Russian and Hebrew."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "en.txt").write_text(
        "The bridge over the river was finished in spring, as the engineer Zelenkova had said. "
        "It leads over the river Loire, and the painter Kristoffer Halvorsen made a picture of it."
    )
    (folder / "ru.txt").write_text("Мост через реку построил инженер Сидоров весной того года.")
    (folder / "he.txt").write_text("המהנדס בנה את הגשר מעל הנהר לפני שנים רבות.")
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index([folder / f"{name}.txt" for name in ("en", "ru", "he")])
        yield library


@pytest.mark.parametrize(
    ("question", "offered"),
    [
        ("Who was Zelenkov?", "Who was zelenkova?"),
        ("Where is Lorie?", "Where is loire?"),
        ("What did Halvorsem paint?", "What did halvorsen paint?"),
        ("Сидорова", "сидоров"),
    ],
)
def test_nobody_is_taken_for_somebody_else(names: Library, question: str, offered: str) -> None:
    """Another name is only offered, to a question and to a list."""
    answer, listed = names.ask(question), names.find(question)
    assert not any(hit.why.instead for hit in answer.hits)
    assert (listed.instead, listed.passages) == ((), 0)
    assert [answer.alternative, listed.alternative] == [offered, offered]


@pytest.mark.parametrize("question", ["גשר", "جسور"])
def test_a_word_that_is_not_there(names: Library, question: str) -> None:
    """It is not answered, whether there are conditions or not, and it is not for those."""
    for asked in (question, f"{question} source:he.txt", f"{question} -bridge"):
        answer = names.ask(asked)
        assert (answer.hits, answer.answered, answer.conditions_met) == ((), False, True)
    for asked in (f"{question} source:no.txt", f'{question} "no such words"'):
        assert not names.ask(asked).conditions_met
    assert not names.ask(question, language="xx").conditions_met


def test_the_question_as_it_was_asked_is_offered(people: Library) -> None:
    """A correction says so, and asking what it offers undoes it; in a list, too."""
    answer = people.ask('Who repaired the "wooden" stiarcase source:*.txt?')
    assert answer.alternative == 'Who repaired the "wooden" +stiarcase source:*.txt?'
    again = people.ask(answer.alternative)
    assert again.hits
    assert not any(hit.why.instead for hit in again.hits)
    assert again.alternative is None
    assert people.find("stiarcase").instead == (Respelling("stiarcase", "staircase"),)
    assert people.find("+stiarcase").passages == 0
