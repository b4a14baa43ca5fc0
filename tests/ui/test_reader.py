"""The reading page: the whole article, one passage shown, nothing that can run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from normalized_html import normalized

from rag.types import Document, Heading, Span
from ui.pages import reader
from ui.pages.reader import MOST_OTHERS, WHOLE, View


def text_page(document: Document, view: View = WHOLE) -> str:
    """The page of a document's text."""
    return normalized(reader.text_page(document, view))


def sheet_page(
    document: Document, view: View, boxes: Sequence[tuple[float, float, float, float]]
) -> str:
    """A rendered page of a document."""
    return normalized(reader.sheet_page(document, view, boxes))


def read(html: str) -> str:
    """What a person reads of the article's text."""
    text = html.split('<div class="text">')[1].split("</article>", maxsplit=1)[0]
    return unescape(re.sub(r"<[^>]+>", "", text))


def test_the_whole_article_is_there(document: Document) -> None:
    """Every paragraph in order, and title, date and file name above them."""
    html = text_page(document)
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
    html = text_page(document, View((16, 75), (at, at + 30), question="Who supplies it?"))
    assert (
        '<p class="in-passage"><span class="passage">India buys the Zorawar tank. '
        '<mark id="answer">Cockerill supplies its turret.</mark></span> It is light.</p>'
    ) in html
    assert 'href="../?q=Who+supplies+it%3F"' in html
    assert 'href="#answer"' in html


def test_an_answer_across_paragraphs_has_one_target(document: Document) -> None:
    """An id stands once, where the answer begins."""
    html = text_page(document, View(answer=(8, 21)))
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
    html = text_page(sectioned)
    assert html.count("The turret") == 2  # <title> and <h1>
    assert "<h3>Arms</h3><p>Body.</p><h6>Deep</h6><p>More.</p>" in html


def test_pages_are_numbered_where_they_begin(document: Document) -> None:
    """A number stands before the first paragraph of each page."""
    paged = replace(document, text="One.\n\nTwo.\n\nThree.", pages=(Span(0, 4), Span(6, 18)))
    html = text_page(paged)
    assert re.findall(r'class="folio">(page \d)</p><p>(\w+)', html) == [
        ("page 1", "One"),
        ("page 2", "Two"),
    ]


@pytest.mark.parametrize(
    "span", [None, (5000, 6000), (3, 3), (9, 2), (-5, 0), (0, 10**9), (-10, 10**9)]
)
def test_offsets_out_of_range_are_calm(document: Document, span: tuple[int, int] | None) -> None:
    """Offsets are clamped or ignored, and no text is lost or doubled."""
    html = text_page(document, View(span, span))
    assert read(html) == document.text.replace("\n\n", "")


def test_nothing_in_a_document_can_run(document: Document) -> None:
    """Markup, templates and addresses in any field are text, and the page has no script."""
    evil = '<script>alert(1)</script>{{7*7}}"><img src=x onerror=alert(1)>'
    page = reader.text_page(
        replace(document, title=evil, text=f"{evil}\n\n[a](javascript:alert(1))", source=evil),
        View((0, 20), (0, 9), question=evil, find="script"),
    )
    assert "<script" not in page
    assert "<img" not in page
    assert set(re.findall(r'href="([^"?]*)', page)) == {
        *("../style.css", "../", "#answer", "../documents/d1/original"),
    }
    assert "{{7*7}}" in page


def test_without_a_question_the_way_back_is_the_search(document: Document) -> None:
    """An article opened from the list leads back to the plain page."""
    assert '<a class="back" href="../">Go to the search</a>' in text_page(document)


def test_words_are_found_in_the_text(document: Document) -> None:
    """Each place is marked, counted, and ticked at the edge; blanks and case don't matter."""
    html = text_page(document, View(answer=(45, 75), find="its  TURRET"))
    assert '<p class="note" role="status">Once in this text.</p>' in html
    assert '<span class="word" id="found">its turret</span>' in html
    place = document.text.index("its turret")
    assert f'<rect class="found" x="0" y="{1000 * place / len(document.text):.1f}"' in html
    assert 'name="answer" value="45-75"' in html  # finding does not lose the place
    assert "Not in this text." in text_page(document, View(find="zebra"))
    assert "2 times in this text." in text_page(document, View(find="in"))


def test_other_hits_have_ticks(document: Document) -> None:
    """Where they stand in the text; what lies outside has none."""
    html = text_page(document, View(answer=(45, 75), others=((0, 14), (9_999, 10_001))))
    assert re.findall(r'<rect class="(\w+)" x="0" y="([\d.]+)"', html) == [
        ("answer", f"{1000 * 45 / len(document.text):.1f}"),
        ("other", "0.0"),
    ]
    assert "<svg" not in text_page(document)


def test_a_printed_page(document: Document) -> None:
    """Its picture, boxes in shares of it, the pages before and after, and the way to the text."""
    paged = replace(document, pages=(Span(0, 16), Span(16, 40), Span(40, 90)))
    view = View(answer=(45, 75), question="q", page=2)
    html = sheet_page(paged, view, [(0.1, 0.2, 0.5, 0.02)])
    assert '<img src="d1/pages/2.png?width=1400" alt="Page 2 of “The turret”' in html
    assert '<rect x="0.10000" y="0.20000" width="0.50000" height="0.02000"></rect>' in html
    assert "page 2 / 3" in html
    for number, name in ((1, "Previous page"), (3, "Next page")):
        link = f"../documents/d1?answer=45-75&amp;q=q&amp;page={number}"
        assert f'<a href="{link}" aria-label="{name}">' in html
    assert '<a href="../documents/d1?answer=45-75&amp;q=q#answer">As text</a>' in html
    first = sheet_page(paged, replace(view, page=1), [])
    assert "Previous page" not in first
    assert "<rect" not in first


def test_from_the_text_to_the_page_of_the_answer(document: Document) -> None:
    """The link leads to the page on which the answer begins; without pages there is none."""
    paged = replace(document, pages=(Span(0, 16), Span(16, 40), Span(40, 90)))
    html = text_page(paged, View(answer=(45, 75)))
    assert '<a href="../documents/d1?answer=45-75&amp;page=3#answer">As printed</a>' in html
    assert "As printed" not in text_page(document, View(answer=(45, 75)))


def test_in_the_pane(document: Document) -> None:
    """The results are beside it, so there is no way back, but one out, onto a page of its own."""
    html = text_page(document, View(answer=(45, 75), question="q", pane=True))
    assert "Back to the results" not in html
    assert '<a target="_top" href="../documents/d1?answer=45-75&amp;q=q#answer">' in html


# ---- the address ----

ranges = st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)).map(lambda r: (r[0], r[0] + r[1]))
views = st.builds(
    View,
    passage=st.none() | ranges,
    answer=st.none() | ranges,
    others=st.lists(ranges, max_size=MOST_OTHERS).map(tuple),
    question=st.text(st.characters(codec="utf-8")),
    find=st.text(st.characters(codec="utf-8")),
    pane=st.booleans(),
    page=st.none() | st.integers(0, 10**8),
)


@given(views)
def test_there_and_back(view: View) -> None:
    """An address says all of it, and only the document's id stands in its path."""
    address = urlsplit(view.address("a/b"))
    assert address.path == "documents/a%2Fb"
    assert View.of(dict(parse_qsl(address.query))) == view


@pytest.mark.parametrize(
    "wrong", ["", "5", "5-", "-5", "9-3", "3-3", "1-2-3", "a-b", "²-3", "1e2-9"]
)
def test_what_is_no_range(wrong: str) -> None:
    """It is as good as nothing."""
    query = {"passage": wrong, "answer": wrong, "others": f"{wrong},1-2", "page": f"{wrong}x"}
    assert View.of(query) == View(others=((1, 2),))


def test_nothing_needs_no_query() -> None:
    """The whole document has the plain address."""
    assert WHOLE.address("d1") == "documents/d1"
