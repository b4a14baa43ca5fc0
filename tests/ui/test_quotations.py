"""Quotations in four forms, and the lasting link."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from rag import Document, Quote, Span, cited
from ui.pages import citations
from ui.pages.citations import permalink

QUOTATION = "Cockerill supplies\nits turret."
LINK = "http://127.0.0.1:7860/cite?document=d1"


@pytest.fixture
def written(document: Document) -> Document:
    """The article with an author and pages, the second printed as A-2."""
    return replace(
        document,
        metadata={"author": "Smith & Sons", "date_from": "file"},
        pages=(Span(0, 16), Span(16, 90)),
        page_labels=("A-1", "A-2"),
        title="The 100% [turret]",
    )


def test_with_all_that_is_known(written: Document) -> None:
    """Author, title, date and the printed page, in the manner of each form."""
    of = citations.Reference.of(written, 45)
    assert citations.plain(QUOTATION, of, LINK) == (
        "“Cockerill supplies its turret.” Smith & Sons, The 100% [turret], 5 March 2025, "
        f"p. A-2. {LINK}"
    )
    assert citations.markdown(QUOTATION, of, LINK) == (
        "> Cockerill supplies its turret.\n>\n"
        f"> — Smith & Sons, [*The 100% \\[turret\\]*]({LINK}), 5 March 2025, p. A-2"
    )
    assert citations.apa(QUOTATION, of) == (
        "“Cockerill supplies its turret.” (Smith & Sons, 2025, p. A-2).\n\n"
        "Smith & Sons. (2025, March 5). The 100% [turret]."
    )
    assert citations.bibtex(of) == (
        "@misc{smith2025,\n"
        "  title = {The 100\\% [turret]},\n"
        "  author = {Smith \\& Sons},\n"
        "  year = {2025},\n"
        "  month = mar,\n"
        "  howpublished = {turret.txt},\n"
        "  note = {p. A-2},\n"
        "}"
    )


def test_with_little(document: Document) -> None:
    """No author, no page, and a date that is only the file's: none of them is made up."""
    bare = replace(document, date=dt.date(2020, 1, 1), metadata={"date_from": "file time"})
    of = citations.Reference.of(bare, 45)
    assert citations.plain(QUOTATION, of, LINK) == (
        f"“Cockerill supplies its turret.” The turret. {LINK}"
    )
    assert citations.apa(QUOTATION, of) == (
        "“Cockerill supplies its turret.” (“The turret”, n.d.).\n\nThe turret. (n.d.)."
    )
    assert citations.bibtex(of) == (
        "@misc{the,\n  title = {The turret},\n  howpublished = {turret.txt},\n}"
    )


def test_no_path_in_any_form(written: Document) -> None:
    """The folder of the file is nobody's business."""
    of = citations.Reference.of(written, 45)
    forms = (
        citations.plain("q", of, LINK),
        citations.markdown("q", of, LINK),
        citations.bibtex(of),
    )
    assert not any("/home" in form for form in forms)


def test_the_link_carries_what_a_citation_says() -> None:
    """Document, offsets, hash and words, whatever signs are in them."""
    citation = cited("d1", Quote("Is 5 > 3 & 2 < 4?", 45, 62))
    address = urlsplit(permalink(citation))
    assert address.path == "cite"
    assert dict(parse_qsl(address.query)) == {
        "document": "d1",
        "start": "45",
        "end": "62",
        "hash": citation.digest,
        "words": "Is 5 > 3 & 2 < 4?",
    }
