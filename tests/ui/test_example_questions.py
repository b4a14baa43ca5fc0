"""Example questions: natural, answerable, and made without a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.types import Document
from ui.pages.example_questions import questions

SEED = Path(__file__).parents[2] / "seeds" / "000_b4b8cba14608a5c3.txt"


def test_the_seed_article_gives_four_natural_questions(document: Document) -> None:
    """Names that the article says something about, said the way the article says them."""
    article = replace(document, text=SEED.read_text(encoding="utf-8"))
    assert questions([article]) == (
        "What is said about the Belgian Economic Mission?",
        "What do we learn about Princess Astrid?",
        "What is there to know about the Zorawar light tank project?",
        "What is said about John Cockerill Defence?",
    )


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("It was led by Jean van der Meer, they say.", "What is said about Jean van der Meer?"),
        ("They met in New Delhi and talked.", "What is said about New Delhi?"),
        ("He left the Indo-Pacific region, then.", "What is said about the Indo-Pacific region?"),
        ("He saw a Rotavirus vaccine in it.", "What is said about a Rotavirus vaccine?"),
        (
            "We read that the Belgian government said it.",
            "What is said about the Belgian government?",
        ),
        ("They say the Zorawar tank moved slowly, then.", None),
        ("It came in March, as its Foreign Office said.", None),
        ("Nothing named here at all.", None),
    ],
)
def test_names_are_said_as_the_text_says_them(
    document: Document, text: str, question: str | None
) -> None:
    """A name keeps its article and its noun; half a phrase is no name."""
    expected = question or "What is “The turret” about?"
    assert questions([replace(document, text=text)]) == (expected,)


def test_articles_take_turns(document: Document) -> None:
    """Two articles give a question each before one gives its second."""
    one = replace(document, text="we met Ann Lee, and Bo Fox, and Cy Gray, and Di Holt, there.")
    two = replace(document, text="we saw Port Louis, once.")
    assert [question.split("about ")[1] for question in questions([one, two])] == [
        "Ann Lee?",
        "Port Louis?",
        "Bo Fox?",
        "Cy Gray?",
    ]


def test_long_titles_are_cut_at_a_word(document: Document) -> None:
    """A title that must do is shortened, and keeps no full stop inside the question."""
    long = replace(document, text="", title="word " * 40)
    (question,) = questions([long])
    assert question == f"What is “{'word ' * 15}word…” about?"
    assert questions([replace(document, text="", title="Short.")]) == ("What is “Short” about?",)


def test_nothing_in_nothing_out(document: Document) -> None:
    """No articles, or one without a name and a title, give no question."""
    assert questions([]) == ()
    assert questions([replace(document, text="", title=" ")]) == ()


def test_the_same_name_is_asked_once(document: Document) -> None:
    """Copies of an article don't repeat its question."""
    twin = replace(document, text="they went to Port Louis, once.")
    assert questions([twin, twin]) == ("What is said about Port Louis?",)
