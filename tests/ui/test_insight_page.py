"""The page on how good the library is, and that of a passage's neighbours."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from normalized_html import normalized

from rag import (
    Bin,
    Calibration,
    Dates,
    Library,
    Neighbour,
    Passage,
    QueryOutcome,
    Reliability,
    Span,
)
from ui.pages import error_pages, insight, neighbours
from ui.pages.insight import Known

TOO_SMALL = "This can't be measured here: it takes at least thirty sentences"
EVIL = '"><script>alert(1)</script>{{7*7}}'
TEXT = "Heading\n\nFirst sentence. Second one."
PASSAGE = Passage("p/1", "d1", 10, 44, TEXT, (Span(10, 17), Span(19, 34), Span(35, 45)), leading=1)

KNOWN = Known(
    documents=3,
    passages=1343,
    calibration=Calibration(
        40.0, -16.0, 4, 4, 1343, "", (0.45, 0.55, 0.65, 0.75), (0.15, 0.25, 0.35, 0.45)
    ),
    reliability=Reliability(
        known=128, recognised=115, foreign=95, refused=77, bins=(Bin(0.9, 0.85, 0.7, 0.95, 60, 9),)
    ),
    sought=tuple(
        QueryOutcome("Title", "/home/x/a.txt", f"query {n}", n) for n in (0, 1, 1, 2, 3, 9)
    ),
    dates=Dates({dt.date(2024, 1, 1): 2, dt.date(2024, 3, 1): 5}, undated=1, file_time=4),
)


def tables(html: str) -> list[list[str]]:
    """What a person reads in the rows of all tables."""
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>.*?</tr>", html)
    ]


def test_what_is_known_is_said_in_figures() -> None:
    """Shares in words, a table below each diagram, what was missed with the way to ask for it."""
    html = normalized(insight.page(KNOWN))
    assert "3 documents, 1,343 passages." in html
    for figure in ("115 of 128", "77 of 95", "5 of 6", "2 of 6"):
        assert f"<b>{figure}</b>" in html
    rows = tables(html)
    assert ["90 %", "85 %", "70 % to 95 %", "60", "9"] in rows
    assert (rows[rows.index(["1st", "2"]) :][:5]) == [
        ["1st", "2"],
        ["2nd", "1"],
        ["3rd", "1"],
        ["to 10th", "1"],
        ["not found", "1"],
    ]
    assert rows[rows.index(["Jan 2024", "2"]) :][:2] == [["Jan 2024", "2"], ["Mar 2024", "5"]]
    assert '<li><b>Title</b> <a href=".?q=query+0">query 0</a></li>' in html
    assert "1 document without a date." in html
    assert "4 documents with only the time at which their file was saved" in html
    assert "/home/x" not in html


def test_diagrams_are_told_in_words() -> None:
    """Each is one picture with a label that has its figures."""
    html = normalized(insight.page(KNOWN))
    labels = re.findall(r'<svg class="plot" role="img" aria-label="([^"]+)"', html)
    scores, sure, ranks, dates = map(unescape, labels)
    assert "between 0.45 and 0.75, half of them above 0.60" in scores
    assert "between 0.15 and 0.45, half of them above 0.30" in scores
    assert "From 0.40 on" in scores
    assert sure == "Reliability diagram. Where it says 90 %, 85 % are answered."
    assert ranks == "Bar chart of ranks. 1st: 2, 2nd: 1, 3rd: 1, to 10th: 1, not found: 1."
    assert dates == (
        "Bar chart of documents by month, from Jan 2024 to Mar 2024. Most, 5, in Mar 2024."
    )


@pytest.mark.parametrize(
    ("calibration", "line"),
    [
        (None, "This has not been measured yet."),
        (Calibration(42.0, -16.3, passages=2), TOO_SMALL),
    ],
)
def test_what_was_not_measured_is_said(calibration: Calibration | None, line: str) -> None:
    """Not yet, or not in so small a library."""
    known = replace(
        KNOWN, calibration=calibration, reliability=None, sought=(), dates=Dates({}, 3, 0)
    )
    html = normalized(insight.page(known))
    assert line in unescape(html)
    assert "This has not been tested yet" in html
    assert "No document says when it was written." in html
    assert "<svg" not in html


def test_many_misses_are_counted() -> None:
    """Fifty of them are named."""
    sought = tuple(QueryOutcome("T", "a.txt", f"q{n}", 0) for n in range(53))
    html = normalized(insight.page(replace(KNOWN, sought=sought)))
    assert "Not among the first ten (53)" in html
    assert html.count("<li><b>T</b>") == 50
    assert "And 3 more" in html


def test_hostile_texts_stay_texts() -> None:
    """Titles, passages, queries and ids are escaped wherever they stand."""
    passage = replace(PASSAGE, id=EVIL, document_id=EVIL, text=f"{TEXT[:9]}{EVIL} {EVIL}")
    known = replace(KNOWN, sought=(QueryOutcome(EVIL, EVIL, EVIL, 0),))
    near = neighbours.page(passage, EVIL, EVIL, [Neighbour(passage, EVIL, EVIL, 0.5)])
    html = insight.page(known) + near
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 8
    assert not re.search(r'\s(style|on\w+)="', html)


@pytest.fixture
def library(tmp_path: Path, articles: Path) -> Iterator[Library]:
    """Three articles, without a model."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(articles)
        yield opened


@pytest.fixture
def client(library: Library) -> TestClient:
    """The routes over it, without the page around them."""
    app = FastAPI()
    error_pages.add_handlers(app)
    insight.add_routes(app, library)
    neighbours.add_routes(app, library)
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_the_library_is_seen(client: TestClient, library: Library) -> None:
    """All on one page: what was tested, and the dates."""
    library.check()
    response = client.get("/insight")
    html = normalized(response.text)
    assert html.startswith("<!doctype html>")
    assert html.endswith("</div></main></body></html>")
    assert TOO_SMALL in unescape(html)
    assert ["Jan 2024", "1"] in tables(html)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script" not in policy


def test_a_passage_has_a_page_of_its_neighbours(client: TestClient, library: Library) -> None:
    """The passage, then the others with how like they are, and the way to each document."""
    hit = next(one for one in library.search("turret of the tank") if "Ghent" in one.text)
    near = normalized(client.get(f"/insight/passages/{hit.passage_id}").text)
    texts = re.findall(r"<blockquote><p>([^<]+)", near)
    assert texts[0].startswith("The turret of the tank comes from Ghent.")
    found = library.neighbours(hit.passage_id)
    assert len(found) == 2
    assert re.findall(r"Similarity ([\d.-]+)", near) == [f"{one.likeness:.2f}" for one in found]
    for one in found:
        assert f'<a class="open" href="../../insight/passages/{one.passage.id}">' in near
    document = re.findall(r'<h2><a href="\.\./\.\./(documents/[^"]+)"', near)[0]
    assert document.startswith(f"documents/{hit.document_id}")


def test_what_is_not_there_is_missing(client: TestClient) -> None:
    """A passage that went is a page that says so."""
    response = client.get("/insight/passages/nothing", headers={"accept": "text/html"})
    assert response.status_code == 404
    assert "There is no such page" in response.text


def test_an_empty_library_has_nothing_to_show(tmp_path: Path) -> None:
    """And says so."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as empty:
        app = FastAPI()
        insight.add_routes(app, empty)
        html = normalized(TestClient(app).get("/insight").text)
    assert "There is nothing to look at yet" in html
    assert "<section" not in html
    assert html.endswith("</html>")
