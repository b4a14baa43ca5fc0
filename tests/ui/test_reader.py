"""The reading page: the whole article, one passage shown, nothing that can run."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from rag.types import Document, Heading, Span
from ui import reader


def read(html: str) -> str:
    """What a person reads of the article's text."""
    return unescape(re.sub(r"<[^>]+>", "", html.split('<div class="text">')[1]))


def test_the_whole_article_is_there(document: Document) -> None:
    """Every paragraph in order, and title, date and file name above them."""
    html = reader.page(document)
    assert html.startswith("<!doctype html>")
    assert re.findall(r"<p>(.*?)</p>", html) == [
        "Opening words.",
        "India buys the Zorawar tank. Cockerill supplies its turret. It is light.",
    ]
    assert "<h1>The turret</h1>" in html
    assert "5 March 2025" in html
    assert "<span>turret.txt</span>" in html
    assert "/home" not in html


def test_passage_and_answer_are_marked(document: Document) -> None:
    """The passage is shown, and the answer in it is where #answer scrolls to."""
    at = document.text.index("Cockerill")
    html = reader.page(document, (16, 75), (at, at + 30), "Who supplies it?")
    assert (
        '<p class="in-passage"><span class="passage">India buys the Zorawar tank. '
        '<mark id="answer">Cockerill supplies its turret.</mark></span> It is light.</p>'
    ) in html
    assert 'href="../?q=Who+supplies+it%3F"' in html
    assert 'href="#answer"' in html


def test_an_answer_across_paragraphs_has_one_target(document: Document) -> None:
    """An id stands once, where the answer begins."""
    html = reader.page(document, None, (8, 21))
    assert html.count('id="answer"') == 1
    assert '<mark id="answer">words.</mark>' in html
    assert "<mark>India</mark>" in html


def test_headings_are_headings(document: Document) -> None:
    """Levels count below the title; a heading that repeats the title isn't shown twice."""
    text = "The turret\n\nArms\n\nBody.\n\nDeep\n\nMore."
    spans = {
        name: Span(text.index(name), text.index(name) + len(name)) for name in text.split("\n\n")
    }
    sectioned = replace(
        document,
        text=text,
        headings=(
            Heading(spans["The turret"], 1),
            Heading(spans["Arms"], 2),
            Heading(spans["Deep"], 9),
        ),
    )
    html = reader.page(sectioned)
    assert html.count("The turret") == 2  # <title> and <h1>
    assert "<h3>Arms</h3><p>Body.</p><h6>Deep</h6><p>More.</p>" in html


def test_pages_are_numbered_where_they_begin(document: Document) -> None:
    """A number stands before the first paragraph of each page."""
    paged = replace(document, text="One.\n\nTwo.\n\nThree.", pages=(Span(0, 4), Span(6, 18)))
    html = reader.page(paged)
    assert re.findall(r'class="folio">(page \d)</p><p>(\w+)', html) == [
        ("page 1", "One"),
        ("page 2", "Two"),
    ]


@pytest.mark.parametrize(
    "span", [None, (5000, 6000), (3, 3), (9, 2), (-5, 0), (0, 10**9), (-10, 10**9)]
)
def test_offsets_out_of_range_are_calm(document: Document, span: tuple[int, int] | None) -> None:
    """Offsets are clamped or ignored, and no text is lost or doubled."""
    html = reader.page(document, span, span)
    assert read(html) == document.text.replace("\n\n", "")


def test_nothing_in_a_document_can_run(document: Document) -> None:
    """Markup, templates and addresses in any field are text, and the page has no script."""
    evil = '<script>alert(1)</script>{{7*7}}"><img src=x onerror=alert(1)>'
    page = reader.page(
        replace(document, title=evil, text=f"{evil}\n\n[a](javascript:alert(1))", source=evil),
        (0, 20),
        (0, 9),
        evil,
    )
    assert "<script" not in page
    assert "<img" not in page
    assert set(re.findall(r'href="([^"?]*)', page)) == {"../style.css", "../", "#answer"}
    assert "{{7*7}}" in page


def test_without_a_question_the_way_back_is_the_search(document: Document) -> None:
    """An article opened from the list leads back to the plain page."""
    assert '<a class="back" href="../">Go to the search</a>' in reader.page(document)


def test_the_missing_page_leads_home() -> None:
    """An address that leads nowhere gets a page with a way on."""
    html = reader.missing()
    assert "<h1>There is no such page</h1>" in html
    assert 'href="/"' in html
