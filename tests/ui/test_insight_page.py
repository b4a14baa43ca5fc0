"""The page on how good the library is: what it says of what is known, and the map on it."""

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

from rag import (
    Bin,
    Calibration,
    Dates,
    Group,
    Library,
    Neighbour,
    Passage,
    PassageMap,
    Point,
    Reliability,
    Sought,
    Span,
)
from ui import insight, insight_routes, insight_words, neighbourhood, server
from ui import map as mapped
from ui.insight import Known

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
    sought=tuple(Sought("Title", "/home/x/a.txt", f"query {n}", n) for n in (0, 1, 1, 2, 3, 9)),
    dates=Dates({dt.date(2024, 1, 1): 2, dt.date(2024, 3, 1): 5}, undated=1, file_time=4),
)


def a_map(*groups: str, each: int = 2) -> PassageMap:
    """So many passages of each group, a row a group."""
    points = tuple(
        Point(replace(PASSAGE, id=f"{group}-{n}"), "A title", n / 4, group / 4, group)
        for group in range(len(groups))
        for n in range(each)
    )
    found = tuple(Group(name, each) for name in groups)
    return PassageMap(len(points), len(groups), points, "documents", found)


def tables(html: str) -> list[list[str]]:
    """What a person reads in the rows of all tables."""
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr>.*?</tr>", html)
    ]


def test_what_is_known_is_said_in_figures() -> None:
    """Shares in words, a table below each diagram, what was missed with the way to ask for it."""
    html = "".join(insight.page(KNOWN))
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
    assert "4 documents with only the time of their file" in html
    assert "/home/x" not in html


def test_diagrams_are_told_in_words() -> None:
    """Each is one picture with a label that has its figures."""
    html = "".join(insight.page(KNOWN))
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
        (None, insight_words.NOT_MEASURED),
        (Calibration(42.0, -16.3, passages=2), insight_words.TOO_SMALL),
        (Calibration(42.0, -16.3, 128, 95, 1343), insight_words.OLDER),
    ],
)
def test_what_was_not_measured_is_said(calibration: Calibration | None, line: str) -> None:
    """Not yet, not in so small a library, or by a version that kept too little."""
    known = replace(
        KNOWN, calibration=calibration, reliability=None, sought=(), dates=Dates({}, 3, 0)
    )
    html = "".join(insight.page(known))
    assert line in unescape(html)
    assert insight_words.NOT_CHECKED in html
    assert insight_words.NO_DATES in html
    assert "<svg" not in html


def test_many_misses_are_counted() -> None:
    """Fifty of them are named."""
    sought = tuple(Sought("T", "a.txt", f"q{n}", 0) for n in range(53))
    html = "".join(insight.page(replace(KNOWN, sought=sought)))
    assert "Not among the first ten (53)" in html
    assert html.count("<li><b>T</b>") == 50
    assert "And 3 more" in html


def test_marks_by_hand() -> None:
    """A unit is 484 of the map's across, if that is not too high; upwards is upwards."""
    wide = tuple(Point(PASSAGE, "t", x, y, 0) for x, y in ((-1.0, 0.0), (1.0, 0.5), (0.0, -0.5)))
    assert [place[1:] for place in mapped.places(wide)] == [(16, 320), (984, 78), (500, 562)]
    high = tuple(Point(PASSAGE, "t", x, y, 0) for x, y in ((-1.0, 1.0), (1.0, -1.0)))
    assert [place[1:] for place in mapped.places(high)] == [(196, 16), (804, 624)]
    assert mapped.places(wide[:0]) == []


def test_every_mark_is_a_link_that_tells_its_passage() -> None:
    """Title and text without its heading; no stop for the Tab key, but the list leads there too."""
    html = insight.map_part(a_map("Bread", "Glaciers"))
    links = re.findall(r'<a href="([^"]+)" tabindex="-1"><title>([^<]+)</title>', html)
    assert links == [
        (f"insight/passages/{group}-{n}", "A title: First sentence. Second one.")
        for group in (0, 1)
        for n in (0, 1)
    ]
    assert mapped.address(PASSAGE) == "insight/passages/p%2F1"
    listed = html.split("<details>")[1]
    assert set(re.findall(r'<li><a href="([^"]+)"', listed)) == {href for href, _ in links}
    words = "Map of 4 passages in 2 groups: Bread; Glaciers. The list below leads to the same."
    assert f'<p class="unseen">{words}</p><svg class="map" aria-hidden="true"' in html
    assert "All 4 passages; a colour and a shape for each document." in html


def test_a_title_that_is_the_beginning_is_not_said_twice() -> None:
    """Documents without a title are called by their first words, cut or not."""
    for title in ("First sentence.", "First sente…"):
        point = Point(PASSAGE, title, 0.0, 0.0, 0)
        assert mapped.titled(point) == "First sentence. Second one."


def test_groups_are_told_apart_by_more_than_colour() -> None:
    """Each has a class, which colours it, and a shape of its own, in the map and in the legend."""
    html = insight.map_part(a_map(*(f"Group {n}" for n in range(8))))
    shapes = re.findall(r'<path id="mark\d" class="mark" fill-rule="evenodd" d="([^"]+)"', html)
    assert len(set(shapes)) == 8
    for number, shape in enumerate(shapes):
        assert f'<g class="group{number}"><a ' in html
        assert f'<li class="group{number}">' in html
        assert html.count(shape) == 2
    assert re.findall(r'<use href="#mark(\d)"', html) == [str(n) for n in range(8) for _ in "ab"]


def test_one_group_needs_no_legend() -> None:
    """Nor a name on the map; a part of a library is called one."""
    found = replace(a_map("x"), passages=9000)
    html = insight.map_part(found)
    assert "legend" not in html
    assert 'class="names"' not in html
    assert "2 of 9,000 passages, drawn from all over the library." in html


def test_names_on_the_map_hide_no_other() -> None:
    """Where the name of a smaller group would lie on that of a larger one, it is left out."""
    apart, near = a_map("Bread", "Glaciers"), a_map("Bread", "Glaciers")
    near = replace(near, points=tuple(replace(one, y=0.0) for one in near.points))
    assert insight.map_part(apart).split('class="names"')[1].count("<text") == 2
    assert insight.map_part(near).split('class="names"')[1].count("<text") == 1


def test_long_texts_are_cut_between_words() -> None:
    """And one without blanks anywhere."""
    assert mapped.shortened("a short one", 11) == "a short one"
    assert mapped.shortened("not such a short one", 12) == "not such a…"
    assert mapped.shortened("x" * 30, 10) == "x" * 9 + "…"


def test_hostile_texts_stay_texts() -> None:
    """Titles, passages, names of groups, queries and ids are escaped wherever they stand."""
    passage = replace(PASSAGE, id=EVIL, document_id=EVIL, text=f"{TEXT[:9]}{EVIL} {EVIL}")
    found = a_map(EVIL, "other")
    found = replace(found, points=(*found.points, Point(passage, EVIL, 0.0, 0.0, 0)))
    known = replace(KNOWN, sought=(Sought(EVIL, EVIL, EVIL, 0),))
    html = "".join(
        [
            *insight.page(known),
            insight.map_part(found),
            insight.no_map(EVIL),
            neighbourhood.page(passage, EVIL, EVIL, [Neighbour(passage, EVIL, EVIL, 0.5)]),
        ]
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 15
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
    insight_routes.add_routes(app, library)
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_the_library_is_seen(client: TestClient, library: Library) -> None:
    """All on one page: what was tested, the dates, the map with each passage."""
    library.check()
    response = client.get("/insight")
    html = response.text
    assert html.startswith("<!doctype html>")
    assert html.endswith("</div></main></body></html>")
    assert insight_words.TOO_SMALL in unescape(html)
    assert ["Jan 2024", "1"] in tables(html)
    assert html.count('<use href="#mark') == 3
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script" not in policy


def test_a_mark_leads_to_the_neighbours(client: TestClient, library: Library) -> None:
    """The passage, then the others with how like they are, and the way to each document."""
    html = client.get("/insight").text
    (href,) = re.findall(r'<a href="([^"]+)" tabindex="-1"><title>The turret', html)
    near = client.get(f"/{href}").text
    texts = re.findall(r"<blockquote><p>([^<]+)", near)
    assert texts[0].startswith("The turret of the tank comes from Ghent.")
    found = library.neighbours(href.rpartition("/")[2])
    assert len(found) == 2
    assert re.findall(r"Likeness ([\d.-]+)", near) == [f"{one.likeness:.2f}" for one in found]
    for one in found:
        assert f'<a class="open" href="../../insight/passages/{one.passage.id}">' in near
    document = re.findall(r'<h2><a href="\.\./\.\./(documents/[^"]+)"', near)[0]
    assert document.startswith(f"documents/{library.passage(href.rpartition('/')[2]).document_id}")


def test_what_is_not_there_is_missing(client: TestClient) -> None:
    """A passage that went is a page that says so."""
    response = client.get("/insight/passages/nothing")
    assert response.status_code == 404
    assert "There is no such page" in response.text


def test_an_empty_library_has_nothing_to_show(tmp_path: Path) -> None:
    """And draws no map."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as empty:
        app = FastAPI()
        insight_routes.add_routes(app, empty)
        html = TestClient(app).get("/insight").text
    assert insight_words.EMPTY in html
    assert "<section" not in html
    assert html.endswith("</html>")


def test_the_map_is_drawn_once_until_the_library_changes(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same one is shown again; a new document makes a new one."""
    drawn: list[PassageMap] = []
    draw = library.map
    monkeypatch.setattr(library, "map", lambda: drawn.append(draw()) or drawn[-1])
    maps = insight_routes.Maps(library)
    assert maps.current() is maps.current()
    (articles / "new.txt").write_text("Something else entirely stands in this one.")
    library.index(articles)
    assert len(maps.current().points) == 4
    assert len(drawn) == 2


def test_a_map_that_cannot_be_drawn_is_said(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its place, without what only the terminal should tell; the rest of the page stands."""

    def broken() -> PassageMap:
        raise MemoryError("/home/someone")

    monkeypatch.setattr(library, "map", broken)
    html = client.get("/insight").text
    assert "The map can't be drawn: something went wrong" in unescape(html)
    assert "/home/someone" not in html
    assert html.endswith("</html>")


def luminance(colour: str) -> float:
    """By WCAG 2.2, of #rrggbb."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_stand_out_in_light_and_dark() -> None:
    """Three to one or more against the paper and the card, as WCAG asks of graphics."""
    sheet = (server.HERE / "style.css").read_text()
    checked = 0
    for number in range(8):
        for scheme, colour in enumerate(re.findall(rf"--group{number}: (#\w{{6}})", sheet)):
            for ground in ("paper", "card"):
                behind = re.findall(rf"--{ground}: (#\w{{6}})", sheet)[scheme]
                low, high = sorted(map(luminance, (colour, behind)))
                assert (high + 0.05) / (low + 0.05) >= 3, (number, scheme, ground)
                checked += 1
    assert checked == 32
