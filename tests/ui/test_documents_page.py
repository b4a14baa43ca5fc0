"""The page of documents: rows, sorting, limits, pages, what could not be read, who may change."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from normalized_html import normalized
from served import pages

from rag import Collection, DocumentSummary, Failure, Library
from ui import strings
from ui.jobs import Outcome, Phase
from ui.pages import documents_page
from ui.pages.documents_page import Contents, Listing, Row
from ui.templates import render

CROSS = "\N{MULTIPLICATION SIGN}"
EVIL = '"><script>alert(1)</script>{{7*7}}'

SUMMARY = DocumentSummary(
    id="d1",
    title="The turret",
    source="/home/someone/private/turret.PDF",
    date=dt.date(2025, 3, 5),
    passages=1234,
)

STATIC = Path(strings.__file__).parent / "static"
NOW = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
EMPTY = Contents(read=NOW, held=0, total=0, rows=(), types={})


def held(*rows: Row, total: int = 1) -> Contents:
    """A library of which these rows are shown."""
    return Contents(read=NOW, held=total, total=total, rows=rows, types={".pdf": total})


def page(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """The page's HTML."""
    return normalized(documents_page.page(listing, contents, may_change=may_change))


def cells(html: str) -> list[list[str]]:
    """What a person reads in each row of the table."""
    body = html.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr .*?</tr>", body)
    ]


def heads(html: str) -> dict[str, tuple[str, str]]:
    """Where each head that sorts leads, and how it says that it is sorted, by its name."""
    found = re.findall(r'<th scope="col"([^>]*)><a href="([^"]+)">(\w+)</a></th>', html)
    return {
        name: (unescape(href), "".join(re.findall(r'aria-sort="(\w+)"', rest)))
        for rest, href, name in found
    }


def test_a_row_says_what_is_known() -> None:
    """Title, file, type, date, language, pages, passages and status; never where it lies."""
    summary = replace(SUMMARY, language="en", pages=12)
    html = page(Listing(), held(Row(summary)), may_change=True)
    assert cells(html) == [
        [
            "The turret",
            "turret.PDF",
            "pdf",
            "5 March 2025",
            "en",
            "12",
            "1,234",
            "Read",
            "\N{MULTIPLICATION SIGN}",
        ]
    ]
    assert '<a href="documents/d1">The turret</a>' in html
    for name in ("Remove “The turret”", "Read “The turret” again"):
        assert f'value="d1" data-title="The turret" aria-label="{name}" title="{name}"' in html
    assert "1 document</h2>" in html
    assert "/home/someone" not in html


def test_what_is_not_known_is_left_empty() -> None:
    """No date, no language and no pages are no words; the date of a file is called so."""
    rows = (
        Row(replace(SUMMARY, date=None, source="/x/NOTES")),
        Row(replace(SUMMARY, date_from="file time")),
    )
    first, second = cells(page(Listing(sort="title"), held(*rows), may_change=False))
    assert first == ["The turret", "NOTES", "", "", "", "", "1,234", "Read"]
    assert second[3] == "file of 5 March 2025"


def test_documents_without_a_date_are_apart() -> None:
    """Below those that have one, where dates are what the list is sorted by."""
    rows = Row(SUMMARY), Row(replace(SUMMARY, date_from="file time"))
    apart = "Without a date of their own"
    assert apart in page(Listing(), held(*rows), may_change=False)
    assert apart not in page(Listing(sort="title"), held(*rows), may_change=False)
    assert apart not in page(Listing(), held(*rows[1:]), may_change=False)


def test_doubts_are_told_in_words() -> None:
    """Folded away behind a word that the keyboard reaches; each as a sentence."""
    row = Row(SUMMARY, ("page 2: no text layer, need OCR", "cut short"))
    html = page(Listing(), held(row), may_change=False)
    assert (
        "<details><summary>With warnings</summary><ul><li>Page 2: no text layer, need OCR.</li>"
        "<li>Cut short.</li></ul></details>" in html
    )


def test_hostile_texts_stay_texts() -> None:
    """Titles, names, reasons and what was asked for are escaped wherever they stand."""
    summary = replace(SUMMARY, id=EVIL, title=EVIL, source=f"/x/{EVIL.replace('/', '|')}")
    row = Row(replace(summary, language=EVIL), (EVIL,))
    collections = (Collection(EVIL, (), 9),) * 2
    contents = Contents(NOW, 9, 9, (row,), {EVIL: 9}, collections, (Failure(EVIL, EVIL),))
    html = page(Listing(title=EVIL, type=EVIL), contents, may_change=True)
    assert re.findall(r"<script.*?>", html) == ['<script type="module" src="library.js">']
    assert html.count("&lt;script&gt;") >= 8
    assert cells(html)[0][0] == EVIL


def test_heads_sort_by_what_the_library_sorts_by() -> None:
    """A head leads to its order; the one that is sorted by says so and leads to the other way."""
    row = Row(SUMMARY)
    assert heads(page(Listing(), held(row), may_change=True)) == {
        "Title": ("library?sort=title", ""),
        "File": ("library?sort=source", ""),
        "Date": ("library?sort=oldest", "descending"),
        "Language": ("library?sort=language", ""),
        "Pages": ("library?sort=pages", ""),
        "Passages": ("library?sort=passages", ""),
    }
    listing = Listing(sort="title", title="a & b", type=".pdf", page=3)
    kept = "title=a+%26+b&type=.pdf"
    assert heads(page(listing, held(row, total=200), may_change=True)) == {
        "Title": (f"library?sort=title&{kept}", "ascending"),
        "File": (f"library?sort=source&{kept}", ""),
        "Date": (f"library?{kept}", ""),
        "Language": (f"library?sort=language&{kept}", ""),
        "Pages": (f"library?sort=pages&{kept}", ""),
        "Passages": (f"library?sort=passages&{kept}", ""),
    }


def test_pages_turn_and_keep_the_limits() -> None:
    """The links before and after stay within the pages; the count says which rows are shown."""
    rows = (Row(SUMMARY),) * 50
    html = page(Listing(title="x", page=2), held(*rows, total=1216), may_change=True)
    assert "51 to 100 of 1,216 documents</h2>" in html
    assert '<a rel="prev" href="library?title=x">Previous page</a>' in html
    assert '<a rel="next" href="library?title=x&amp;page=3">Next page</a>' in html
    assert "<span>2 / 25</span>" in html
    last = page(Listing(page=25), held(*rows[:16], total=1216), may_change=True)
    assert "1,201 to 1,216 of 1,216 documents" in last
    assert 'rel="next"' not in last
    assert 'rel="prev"' in last
    assert 'class="pages"' not in page(Listing(), held(*rows, total=50), may_change=True)


@pytest.mark.parametrize(
    ("query", "listing"),
    [
        ({}, Listing()),
        (
            {"sort": "title", "title": " a ", "type": ".md", "page": "4"},
            Listing("title", "a", ".md", page=4),
        ),
        ({"sort": "DROP TABLE", "page": "-1"}, Listing()),
        ({"page": "0"}, Listing()),
        ({"page": "9" * 40}, Listing()),
    ],
)
def test_addresses_are_read_and_written(query: dict[str, str], listing: Listing) -> None:
    """What makes no sense is as good as none."""
    assert Listing.of(query) == listing


def test_the_form_keeps_what_was_chosen() -> None:
    """Words, type and order stay in it; each type is counted."""
    html = page(Listing("title", "tank", ".pdf"), held(Row(SUMMARY)), may_change=True)
    assert '<input type="hidden" name="sort" value="title">' in html
    assert 'name="title" maxlength="500" value="tank">' in html
    assert '<option value=".pdf" selected>pdf (1)</option>' in html


def test_an_empty_library_says_what_to_do() -> None:
    """Where files can be sent or named, that; elsewhere the command. Nothing is to be limited."""
    here = page(Listing(), EMPTY, may_change=True)
    assert "Nothing is indexed yet" in here
    assert "Enter a folder above, or drop files here" in here
    assert 'role="search"' not in here
    assert "<table" not in here
    assert "<code>rag index PATH</code>" in page(Listing(), EMPTY, may_change=False)


def test_nothing_fits() -> None:
    """No row is left by the limits: the way back to all is one click away."""
    html = page(Listing(title="zebra"), Contents(NOW, 3, 0, (), {}), may_change=True)
    assert "No document matches." in html
    assert '<a href="library">Show all</a>' in html
    assert 'value="zebra"' in html


def test_what_could_not_be_read_is_folded_when_long() -> None:
    """Each file with its reason; three stand open, four are folded, the 201st is only counted."""
    one = Failure("/home/someone/scan.pdf", "it has a password; open it and save it without")
    short = page(Listing(), replace(EMPTY, unread=(one,) * 3), may_change=True)
    assert '<details class="unread" open><summary>Not read, or only in part (3)' in short
    assert "<b>scan.pdf</b> It has a password; open it and save it without.</li>" in short
    assert "/home/someone" not in short
    long = page(Listing(), replace(EMPTY, unread=(one,) * 212), may_change=True)
    assert '<details class="unread"><summary>Not read, or only in part (212)' in long
    assert long.count("<b>scan.pdf</b>") == 200
    assert "And 12 more" in long


def test_where_nothing_may_be_changed_nothing_offers_to() -> None:
    """No field, no button, no script; a line says why and what to do."""
    html = page(Listing(), held(Row(SUMMARY)), may_change=False)
    assert "This server answers other machines, too, so only an owner can index" in html
    controls = (
        *('id="index"', 'type="file"', 'class="remove"', 'class="again"', 'id="told"'),
        *("<dialog", "<script", "<template"),
    )
    for control in controls:
        assert control not in html
        assert control in page(Listing(), held(Row(SUMMARY)), may_change=True)


def test_the_script_has_a_text_for_every_state() -> None:
    """Of a job, of each step and each count in its report; and none of them is markup."""
    script = (STATIC / "library.js").read_text()
    texts = script.split("const texts = {")[1].split("\n};")[0]
    assert {"queued", "cancelling", *get_args(Phase)} <= set(re.findall(r"(?m)^  (\w+):", texts))
    assert set(re.findall(r"(?m)^    (\w+):", texts)) < set(Outcome.__dataclass_fields__)
    assert "innerHTML" not in script + (STATIC / "sending.js").read_text()


def test_the_head_of_the_asking_page_leads_here() -> None:
    """With articles and without."""

    def head(articles: int) -> str:
        return render("masthead", articles=articles, newest=None, note="")

    assert '<span>3 articles</span><a href="library">Documents</a>' in head(3)
    assert '<p class="indexed"><a href="library">Documents</a></p>' in head(0)


@pytest.fixture
def articles(articles: Path) -> Path:
    """With a file that is damaged."""
    (articles / "scan.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    return articles


@pytest.fixture
def client(library: Library) -> TestClient:
    """The page over it."""
    return pages(library, documents_page)


def test_the_library_is_listed(client: TestClient, library: Library, tmp_path: Path) -> None:
    """In the order and with the limits of the address; a damaged file is named with its reason."""
    html = normalized(client.get("/library", params={"sort": "source"}).text)
    assert [row[1] for row in cells(html)] == ["bread.txt", "whales.md", "tanks.txt"]
    (failure,) = library.report()[2].failures
    assert [row[4] for row in cells(html)] == ["en", "en", "en"]
    assert f"<b>scan.pdf</b> {strings.sentence(failure.reason)}" in unescape(html)
    assert str(tmp_path) not in html
    limited = normalized(client.get("/library", params={"type": ".md", "page": "7"}).text)
    assert [row[:3] for row in cells(limited)] == [["Whales", "whales.md", "md"]]
    assert "1 document</h2>" in limited
    titled = normalized(client.get("/library", params={"title": "WHALE"}).text)
    assert cells(titled) == cells(limited)
    assert "No document matches" in client.get("/library", params={"title": "zebra"}).text


def test_one_collection_is_listed(client: TestClient, library: Library, articles: Path) -> None:
    """Where there are several, each can be chosen, with its number of documents."""
    assert 'name="in"' not in client.get("/library").text
    library.index(articles / "deep")
    html = normalized(client.get("/library", params={"in": "deep"}).text)
    assert [row[1] for row in cells(html)] == ["whales.md"]
    assert '<option selected value="deep">deep (1)</option>' in html
    assert '<option value="articles">articles (3)</option>' in html
    assert dict(parse_qsl(urlsplit(heads(html)["Title"][0]).query))["in"] == "deep"


def test_a_row_says_what_was_wrong_with_its_file(
    client: TestClient, library: Library, articles: Path
) -> None:
    """What the document says of itself, and what went wrong when its file was read again."""
    (articles / "whales.html").write_text("<p>Whales sing at twenty hertz.")
    library.index(articles)
    (articles / "whales.html").write_bytes(b"%PDF-1.7 and no more")
    (failure,) = [
        one for one in library.index(articles).failed if one.source.endswith("whales.html")
    ]
    reason, _, kept = failure.reason.rpartition("; ")
    assert kept == "its earlier version stays in the library"
    html = normalized(client.get("/library", params={"type": ".html"}).text)
    assert cells(html)[0][7] == f"With warnings{strings.sentence(reason)}"


def test_only_our_script_runs_on_it(client: TestClient) -> None:
    """The policy allows the style sheet, the script and this server, and nothing inline."""
    response = client.get("/library")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r'\s(style|on\w+)="', response.text)
