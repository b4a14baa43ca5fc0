"""The page on how good the library is, and that of a passage's neighbours."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from normalized_html import normalized
from served import pages

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
from ui.pages import insight, neighbours
from ui.pages.insight import Figure, Known, ScoreBin, Shape
from ui.templates import render

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
    assert "From 0.42 on" in scores
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
def client(library: Library) -> TestClient:
    """Both pages."""
    return pages(library, insight, neighbours)


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


def test_what_an_imported_library_says_of_itself(client: TestClient, library: Library) -> None:
    """Scores and ranks that can't have been measured are not drawn, which would take for ever."""
    notes, id_ = library.engine.notes, library.documents()[0].id
    kept = json.loads(notes.note("calibration") or "")
    scores = {"known_scores": [1e300] * 50, "foreign_scores": [-1e300] * 50}
    notes.keep("calibration", json.dumps(kept | scores | {"known": 50, "foreign": 50}))
    notes.keep("check", json.dumps({f"{id_} turret": None, f"{id_} tank": [1]}))
    response = client.get("/insight")
    assert response.status_code == 200
    assert TOO_SMALL in unescape(normalized(response.text))
    assert "This has not been tested yet" in response.text


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
        html = normalized(pages(empty, insight).get("/insight").text)
    assert "There is nothing to look at yet" in html
    assert "<section" not in html
    assert html.endswith("</html>")


# ---- diagrams: where each mark stands, worked out by hand ----


def drawn(shapes: Sequence[Shape], label: str = "a label") -> str:
    """A diagram's SVG."""
    return normalized(render("plot", figure=Figure(shapes, label, (), ())))


def attributes(svg: str, tag: str, kind: str) -> list[dict[str, float]]:
    """The numbers of each element of a class, percent signs left out."""
    return [
        {name: float(value) for name, value in re.findall(r'(\w+)="(-?[\d.]+)%?"', rest)}
        for rest in re.findall(rf'<{tag} class="{kind}"([^>]*)>', svg)
    ]


def test_reliability_by_hand() -> None:
    """Half sure and a quarter right: across 9 + 88 / 2 percent, up a quarter of 194 pixels."""
    one = Bin(confidence=0.5, share=0.25, low=0.0, high=1.0, known=3, foreign=9)
    svg = drawn(insight.reliability([one]))
    assert attributes(svg, "circle", "dot") == [{"cx": 53.0, "cy": 216 - 194 / 4, "r": 5.0}]
    assert attributes(svg, "line", "interval") == [{"x1": 53.0, "y1": 216, "x2": 53.0, "y2": 22}]
    assert attributes(svg, "line", "same") == [{"x1": 9, "y1": 216, "x2": 97, "y2": 22}]
    assert "<title>Where it says 50 %, 25 % are answered.</title>" in svg
    assert svg.startswith('<svg class="plot" role="img" aria-label="a label"')


def test_ranges_end_at_tenths() -> None:
    """Scores from 0.23 to 0.61 lie between 0.2 and 0.7, in twenty ranges of 0.025; one that is on
    an end counts to the range above, the last one to the last.
    """
    found = insight.score_bins([0.5, 0.61], [0.23, 0.5, 0.5], threshold=0.4)
    assert len(found) == 20
    assert (found[0].low, found[-1].high) == pytest.approx((0.2, 0.7))
    filled = {round(one.low, 3): (one.own, one.other) for one in found if one.own or one.other}
    assert filled == {0.225: (0, 1), 0.5: (1, 2), 0.6: (1, 0)}
    assert len(insight.score_bins([0.4], [0.4], 0.4)) == 20


def test_histogram_by_hand() -> None:
    """Two ranges, and four at most: a unit is a quarter of half of 194 pixels. Own questions stand
    on the middle, 119 pixels from above; others hang from it.
    """
    found = [ScoreBin(0.2, 0.3, own=1, other=4), ScoreBin(0.3, 0.4, own=2, other=0)]
    svg = drawn(insight.histogram(found, threshold=0.25))
    unit = 97 / 4
    assert attributes(svg, "rect", "own") == [
        {"x": 9.15, "y": pytest.approx(119 - unit, abs=0.05), "width": 43.7, "height": 24.2},
        {"x": 53.15, "y": 119 - 2 * unit, "width": 43.7, "height": 48.5},
    ]
    assert attributes(svg, "rect", "other") == [
        {"x": 9.15, "y": 119, "width": 43.7, "height": 97.0}
    ]
    (line,) = attributes(svg, "line", "threshold")
    assert (line["x1"], line["x2"]) == (31.0, 31.0)
    assert re.findall(r'<text class="name" x="([\d.]+)%"[^>]*>([\d.]+)<', svg) == [
        ("9.00", "0.2"),
        ("53.00", "0.3"),
        ("97.00", "0.4"),
    ]


def test_bars_by_hand() -> None:
    """Two of 4 and 1: widths are 76 % of half of 88 percent, the first is as high as it gets."""
    svg = drawn(insight.bars([("a", 4), ("b", 1)], "document"))
    assert attributes(svg, "rect", "own") == [
        {"x": 14.28, "width": 33.44, "y": 22.0, "height": 194.0},
        {"x": 58.28, "width": 33.44, "y": 167.5, "height": 48.5},
    ]
    assert re.findall(r"<title>(.*?)</title>", svg) == ["a: 4 documents", "b: 1 document"]
    assert re.findall(r'class="name"[^>]*>(\w+)<', svg) == ["4", "a", "1", "b"]


def test_many_bars_have_some_names() -> None:
    """Of thirty every fourth is named, and none has its number above it."""
    svg = drawn(insight.bars([(f"n{at}", at + 1) for at in range(30)], ""))
    assert re.findall(r'class="name"[^>]*>(\w+)<', svg) == [f"n{at}" for at in range(0, 30, 4)]


@pytest.mark.parametrize(
    ("most", "found"),
    [
        (1, [0, 1]),
        (5, [0, 1, 2, 3, 4, 5]),
        (6, [0, 2, 4, 6]),
        (23, [0, 5, 10, 15, 20]),
        (199, [0, 50, 100, 150]),
        (1216, [0, 500, 1000]),
    ],
)
def test_steps_are_round(most: int, found: list[int]) -> None:
    """One, two or five, ten, twenty or fifty, and so on: six of them at most."""
    assert insight.ticks(most) == found


def test_hostile_names_stay_names() -> None:
    """Whatever is called so: in names, in what resting on it tells, and in the label."""
    svg = drawn(insight.bars([(EVIL, 1)], "document"), EVIL)
    assert "<script" not in svg
    assert svg.count("&quot;&gt;&lt;script&gt;") == 3


def dated(*days: str) -> Dates:
    """One document of each month."""
    return Dates({dt.date.fromisoformat(day): 1 for day in days}, 0, 0)


def test_two_years_are_drawn_by_month() -> None:
    """24 months at most, those without a document, too."""
    unit, found = insight.timeline(dated("2023-12-01", "2024-02-01"))
    assert unit == "month"
    assert found == [
        ("Dec 2023", 1),
        ("Jan 2024", 0),
        ("Feb 2024", 1),
    ]
    assert len(insight.timeline(dated("2023-01-01", "2024-12-01"))[1]) == 24


def test_longer_times_are_drawn_by_year_and_by_decade() -> None:
    """From the 25th month on by year, from the 61st year on by decade."""
    unit, found = insight.timeline(dated("2022-12-01", "2023-01-01", "2024-12-01"))
    assert (unit, found) == (
        "year",
        [("2022", 1), ("2023", 1), ("2024", 1)],
    )
    assert len(insight.timeline(dated("1941-01-01", "2000-01-01"))[1]) == 60
    unit, found = insight.timeline(dated("1919-05-01", "1920-01-01", "1980-01-01"))
    assert unit == "decade"
    assert found[:2] == [("1910s", 1), ("1920s", 1)]
    assert len(found) == 8
    assert insight.timeline(dated()) == ("month", [])
