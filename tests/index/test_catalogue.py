"""Leafing through a library gives what sorting, filtering and cutting by hand gives."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, place
from hashing_embedder import HashingEmbedder
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from rag import DocumentNotFound, DocumentSummary, Filter, InputError, Library
from rag.documents.read_options import NEEDED
from rag.index.records import Order

FIRST_DAY = dt.date(2020, 1, 1)


@pytest.fixture(scope="module", params=ENGINES)
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """Twelve documents: with dates of their own and of their files, with one passage and more."""
    folder = tmp_path_factory.mktemp("catalogue") / "articles"
    folder.mkdir()
    for number in range(12):
        name = "Émile" if number % 3 == 0 else f"article {12 - number}"
        day = FIRST_DAY + dt.timedelta(days=number // 2)
        front = f"---\ntitle: {name}\n" + (f"date: {day}\n" if number % 4 else "") + "---\n\n"
        parts = [f"## Part {part}\n\nPart {part} of {number}." for part in range(number % 5 + 1)]
        path = folder / f"{number:02}.md"
        path.write_text(front + "\n\n".join(parts))
        os.utime(path, (86_400 * number, 86_400 * number))
    with Library.open(place(request.param, folder.parent), embedder=HashingEmbedder()) as opened:
        opened.index(folder)
        yield opened


def _day(one: DocumentSummary) -> int:
    assert one.date is not None
    return one.date.toordinal()


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("newest", lambda one: (one.date_from == "file time", -_day(one), one.title, one.id)),
        ("oldest", lambda one: (one.date_from == "file time", _day(one), one.title, one.id)),
        ("title", lambda one: (one.title.casefold(), one.id)),
        ("source", lambda one: one.source),
        ("language", lambda one: (one.language is None, one.language, one.title, one.id)),
        ("pages", lambda one: (-one.pages, one.title, one.id)),
        ("passages", lambda one: (-one.passages, one.title, one.id)),
    ],
)
def test_orders_and_pages(
    library: Library, order: Order, key: Callable[[DocumentSummary], Any]
) -> None:
    """Ties go by title and id, and pages of any length make up the whole."""
    whole = library.documents(order=order)
    assert whole == sorted(whole, key=key)
    assert len(whole) == library.count_documents() == 12
    for length in (1, 5, 12):
        pages = [library.documents(length, offset=at, order=order) for at in range(0, 15, length)]
        assert [one for page in pages for one in page] == whole


def test_conditions(library: Library) -> None:
    """Those of a search, all of which must hold."""
    whole = library.documents()
    named = [one for one in whole if one.title == "Émile"]
    assert library.documents(title="émile") == named
    assert library.count_documents(title="émile") == len(named) == 4
    since, until = FIRST_DAY, FIRST_DAY + dt.timedelta(days=2)
    dated = [one for one in whole if one.date is not None and since <= one.date <= until]
    assert library.documents(since=since, until=until) == dated != []
    assert library.documents(source="0?.md", title="article", where={"date_from": "file time"}) == [
        one
        for one in whole
        if Path(one.source).name < "10"
        and one.title.startswith("article")
        and one.date_from == "file time"
    ]


def test_a_filter_and_keywords(library: Library) -> None:
    """A filter is the same as its fields as keywords; with both, a keyword replaces its field, and
    None takes it away.
    """
    articles = Filter(source="0?.md", title="article", where={"date_from": "file time"})
    found = library.documents(filter=articles)
    assert found == library.documents(
        source="0?.md", title="article", where={"date_from": "file time"}
    )
    assert library.count_documents(articles) == len(found) == 2
    assert {one.document_id for one in library.search("Part 0", 50, articles)} == {
        *(one.id for one in found)
    }
    assert library.documents(filter=articles, title="émile", where=None) == [
        one for one in library.documents(title="émile") if Path(one.source).name < "10"
    ]
    assert library.count_documents(articles, title=None, source=None, where=None) == 12
    with pytest.raises(TypeError, match="sinc"):
        library.count_documents(sinc=FIRST_DAY)  # type: ignore[call-arg]


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1, -1)])
def test_pages_that_cannot_be(library: Library, limit: int, offset: int) -> None:
    """As for matches."""
    with pytest.raises(InputError, match="a page begins at 0 or later"):
        library.documents(limit, offset=offset)


def test_passages_and_their_neighbours(library: Library) -> None:
    """Walking on from the first passage of a document meets each once, in order."""
    longest = library.documents(1, order="passages")[0]
    text = library.document(longest.id).text
    walked = [library.passage(library.search("Part 0", k=1, source=longest.source)[0].passage_id)]
    while (after := library.around(walked[-1])[1]) is not None:
        assert library.around(after)[0] == walked[-1]
        walked.append(after)
    while (before := library.around(walked[0])[0]) is not None:
        walked.insert(0, before)
    assert len(walked) == longest.passages == 5
    assert [one.headings[-1] for one in walked] == [f"Part {number}" for number in range(5)]
    assert all(text[one.start : one.end] == one.text for one in walked)
    assert {one.document_id for one in walked} == {longest.id}


def test_what_is_not_there(library: Library) -> None:
    """Named, so that it can be looked for elsewhere."""
    with pytest.raises(DocumentNotFound, match="no passage none in"):
        library.passage("none")
    with pytest.raises(DocumentNotFound, match="no document none in"):
        library.sources("none")
    with pytest.raises(DocumentNotFound, match="no document none in"):
        library.files("none")


def test_sources(tmp_path: Path) -> None:
    """Every place with the same content, in order."""
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text("The same in two places.")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as two:
        two.index([tmp_path / "a.txt", tmp_path / "b.txt"])
        (only,) = two.documents()
        assert two.sources(only.id) == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]


def test_what_a_summary_says(tmp_path: Path) -> None:
    """Language, pages and doubts are the document's own; its file may hold others."""
    canvas = Canvas(str(tmp_path / "b.pdf"))
    for line in ("The heron of Aldmoor counts seventeen frogs.", "", "Nobody counts the herons."):
        canvas.drawString(72, 700, line)
        if not line:  # a scan
            canvas.drawInlineImage(Image.new("RGB", (300, 300)), 0, 0, 600, 650)
        canvas.showPage()
    canvas.save()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(
            "brunnen.txt", "Der Brunnen im Dorf wurde von Hand gegraben und ist tief. " * 3
        )
        packed.writestr("ship.txt", "The ship left the harbour with eleven sailors in winter. " * 3)
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index([tmp_path / "a.zip", tmp_path / "b.pdf"], ocr=False)
        found = library.documents(order="language")
        assert [(Path(one.source).name, one.language, one.pages) for one in found] == [
            ("brunnen.txt", "de", 0),
            ("b.pdf", "en", 3),
            ("ship.txt", "en", 0),
        ]
        assert Path(library.documents(1, order="pages")[0].source).name == "b.pdf"
        doubts = library.document(found[1].id).warnings
        assert [one.warnings for one in found] == [(), doubts, ()]
        assert doubts == (f"page 2: no text layer, {NEEDED}",)
        assert library.files(found[0].id) == library.files(found[2].id) == [tmp_path / "a.zip"]


def test_months_are_counted(library: Library) -> None:
    """Nine of the twelve say when they are from, all in January 2020; three have the time of
    their file.
    """
    found = library.dates()
    assert (found.months, found.undated, found.file_time) == ({FIRST_DAY: 9}, 0, 3)


def test_months_are_in_order_and_dates_may_be_missing(tmp_path: Path) -> None:
    """Whatever day of the month; a document without any date is counted apart."""
    for name, day in (("a", "2021-12-31"), ("b", "1999-02-28"), ("c", "2021-12-01"), ("d", "")):
        (tmp_path / f"{name}.txt").write_text(f"date {day}\n\nText {name}." if day else "Undated.")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(tmp_path)
        with opened.engine.database.change() as connection:
            connection.execute("UPDATE document SET date = NULL WHERE text = 'Undated.'")
        found = opened.dates()
    assert list(found.months.items()) == [(dt.date(1999, 2, 1), 1), (dt.date(2021, 12, 1), 2)]
    assert (found.undated, found.file_time) == (1, 0)
