"""What looks the same is the same: texts and questions, composed (NFC) and taken apart (NFD)."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library
from rag.text.query_parser import parse
from rag.text.unicode import plain

TEXTS = {
    "café.md": "---\ntitle: Über die Bäckerei\nauthor: José Muñoz\n---\n\n"
    "The café in Zürich serves crème brûlée.\n\nThe keeper of the lighthouse is pleased.",
    "Việt.md": "# Hà Nội\n\nThành phố Hồ Chí Minh là thành phố lớn nhất của Việt Nam.",
    "seoul.md": "# 도시\n\n서울은 대한민국의 수도이다.",
    "tea.md": "# Tea\n\nA kiosk in Genève serves tea.",
    "bread.md": "# Bread\n\nThe baker sells it at night.",
}


def composed(text: str) -> str:
    """As most programs write it."""
    return unicodedata.normalize("NFC", text)


def apart(text: str) -> str:
    """As macOS names files, and some programs write."""
    return unicodedata.normalize("NFD", text)


@pytest.fixture(scope="module", params=[composed, apart], ids=["composed", "apart"])
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """Documents whose names and contents are in one of the forms."""
    folder = tmp_path_factory.mktemp("forms")
    for name, text in TEXTS.items():
        (folder / request.param(name)).write_text(request.param(text), encoding="utf-8")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(folder)
        yield library


@pytest.mark.parametrize("form", [composed, apart])
@pytest.mark.parametrize(
    ("question", "name", "words"),
    [
        ("crème brûlée", "café.md", ["crème", "brûlée"]),
        ('"café in Zürich"', "café.md", ["café in Zürich"]),
        ("serves -brûlée", "tea.md", ["serves"]),
        ('serves -"Genève"', "café.md", ["serves"]),
        ("keeper title:BÄCKEREI", "café.md", ["keeper"]),
        ("keeper author:“José Muñoz”", "café.md", ["keeper"]),
        ("keeper source:caf?.md", "café.md", ["keeper"]),
        ("Hồ Chí", "Việt.md", ["Hồ", "Chí"]),
        ("수도이다", "seoul.md", ["수도이다"]),
        ("brûléé", "café.md", ["brûlée"]),  # a slip
    ],
)
def test_found_by_either_form(
    library: Library, form: object, question: str, name: str, words: list[str]
) -> None:
    """By words, phrases, exclusions, conditions and slips; the places are exact."""
    assert callable(form)
    found = library.find(form(question))
    assert {composed(Path(one.source).name) for one in found.documents} == {name}
    (match,) = found.matches
    assert [quote.text for quote in match.matched] == words
    text = library.document(match.document_id).text
    assert all(text[quote.start : quote.end] == quote.text for quote in match.matched)
    assert library.search(form(question)) == library.search(composed(question))


def test_filters_in_either_form(library: Library) -> None:
    """Given beside the question, they are read as in it."""
    for form in (composed, apart):
        for filters in (
            {"title": form("bäckerei")},
            {"source": form("café.*")},
            {"where": {"author": form("José Muñoz")}},
        ):
            (document,) = library.documents(**filters)
            assert document.title == "Über die Bäckerei"


def test_what_no_text_can_hold_is_no_error(library: Library) -> None:
    """Half characters, as a terminal hands over bytes that are no UTF-8, are left out."""
    assert library.search("\udcffcafé") == library.search("café")
    assert library.documents(title="\ud800bread\udfff")[0].title == "Bread"
    assert library.documents(where={"\ud800": "\ud800"}, source="\udcff*", language="\ud800") == []


def test_a_question_has_the_characters_that_documents_have() -> None:
    """Soft hyphens and controls go, hard blanks are blanks, and marks without end are cut."""
    assert parse("the Zo\u00adra\u200bwar\u00a0tank\x00?").question == "the Zora\u200bwar tank?"
    began = time.process_time()
    assert len(parse("e" + "\u0301\u0316" * 500_000).question) < 40
    assert time.process_time() - began < 5
    assert plain("\u0f73" * 99) == plain("\u0f71\u0f72" * 99)  # a mark that is no mark by its class
