from __future__ import annotations

from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library

NOTES = {
    "tariff_2020.txt": "Water tariff. A cubic metre of water costs 1.62 euros.",
    "tariff_2022.txt": "Water tariff. A cubic metre of water costs 1.80 euros.",
    "meeting.txt": "Minutes.\n\nHow high is the water tariff now? It is 1.80 euros a cubic metre.",
    "pumps.txt": "Pumps by yearly rent.\n\nPump | Rent\nQW-120 | 45 euros\nQW-150 | 52 euros",
    "clamps.csv": "Part,Size,Euros\nSteel clamp,DN 80,44\nRubber clamp,DN 150,52\nRing,DN 200,1",
    "mail.txt": "Boat.\n\nIt went in April. On 2 March Bob wrote:\n"
    "> Who sold it? Who says\n> the boat was sold in May.",
    "party.txt": "Farewell.\n\nWho brings what to the party:\n"
    "- Jonas: drinks\n  - beer\n- Ana: tea\n\nRain.",
    "phones.txt": "Phone list.\n\nEva Novak | 0664 123\nPeter Zorn | 0664 987",
    "motto.txt": "Oberlind is a town. Its motto is “Quo vadis?” It has a church.",
    "milk.txt": "Tap water.\n\nIs the milk in the tap water dangerous? No. That is air.",
    "bath.txt": "Bath.\n\nAre children under six free in the bath? Yes. Can I pay by card? No.",
    "voyage.txt": "Logbook.\n\nCaptain Maria Orlova left Bergen in 1911.\n\n"
    + "The sea was calm. " * 90
    + "\n\nThe crew found the missing anchor on a sandbank in 1913.",
    "oven.txt": "The oven has to be hot before the bread goes in.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of near-identical notes."""
    folder = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    opened = Library.open(folder / "library", embedder=HashingEmbedder())
    opened.index([folder / name for name in NOTES])
    return opened


def test_a_passage_says_what_it_lacks(library: Library) -> None:
    """The year stands in the file's name alone."""
    for year in ("2020", "2022"):
        for hit in library.ask(f"What does a cubic metre of water cost in {year}?").hits:
            of_the_year = Path(hit.source).name == f"tariff_{year}.txt"
            assert hit.unmet == (() if of_the_year else (year,))


def test_names_may_stand_elsewhere_in_the_document(library: Library) -> None:
    """Of a number, that would say nothing."""
    question = "Where did the crew of Captain Orlova find the missing anchor"
    for asked, lacking in ((f"{question}?", ()), (f"{question} in 1911?", ("1911",))):
        first, *_ = library.search(asked)
        assert "sandbank" in first.text
        assert "Orlova" not in first.text
        assert first.unmet == lacking


def test_another_year_is_no_likely_answer(library: Library) -> None:
    """What the passages lack is said, and the confidence is a quarter of what it would be."""
    answer = library.ask("What does a cubic metre of water cost in 2031?")
    assert answer.hits[0].unmet == ("2031",)
    assert answer.state in {"unsure", "not found"}
    assert not answer.answered
    assert "doesn't mention 2031" in answer.caution
    assert answer.confidence <= 0.25
    without = library.ask("What does a cubic metre of water cost?")
    assert without.answered == (without.state == "likely") == (not without.caution)


@pytest.mark.parametrize("word", ["tariff", "when?", "The tariff", "x" * 3000])
def test_a_single_word_is_no_question(library: Library, word: str) -> None:
    """However well it matches; the passages are shown all the same."""
    answer = library.ask(word)
    assert not answer.answered
    assert answer.confidence <= 0.25
    assert "hardly a question" in answer.reading[-1]
    assert library.ask("the water tariff").reading == ()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How high is the water tariff now?", "It is 1.80 euros a cubic metre."),
        ("Is the motto of Oberlind Quo vadis?", "Its motto is “Quo vadis?”"),
        ("rent of pump QW-150", "QW-150 | 52 euros"),  # not the row that names the columns
        ("phone of Eva Novak", "Eva Novak | 0664 123"),
        ("What is the rubber clamp of size DN 200 for?", "Part: Ring; Size: DN 200; Euros: 1"),
        ("Who says the boat was sold in May?", "It went in April."),
        ("Is the milk in the tap water dangerous?", "No. That is air."),
        ("Are children under six free in the bath?", "Yes."),
        (
            "Who brings what to the party?",
            "Who brings what to the party:\n- Jonas: drinks\n  - beer\n- Ana: tea",
        ),
    ],
)
def test_what_is_marked(library: Library, question: str, answer: str) -> None:
    """Other sentences of the passage have more of the question's words, or follow the answer."""
    first, *_ = library.search(question)
    assert first.answer.text == answer
