"""PDF files that make it hard, and real papers."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import time
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pdf_files import (
    LEFT,
    PAPERS,
    RIGHT,
    WHOLE,
    assert_covered,
    by_page,
    drawn,
    headings,
    made,
    paper,
    papers,
    picture,
    two_columns,
    words,
    write,
)
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.read_options import NEEDED
from rag.errors import LoadError


class TestFacts:
    def test_title_author_and_date_of_the_file(self) -> None:
        """They are taken from what the PDF says about itself."""
        data = made(drawn(*LEFT), info={"Title": "Of Harbours", "Author": "Jane Doe"})
        data = re.sub(
            rb"/CreationDate \(D:[^)]*\)", b"/CreationDate (D:20190524101112+02'00')", data
        )
        loaded = load_pdf(data)
        assert loaded.title == "Of Harbours"
        assert loaded.date == dt.date(2019, 5, 24)
        assert loaded.metadata == {
            "author": "Jane Doe",
            "author_from": "file",
            "title_from": "file",
            "date_from": "file",
        }

    @pytest.mark.parametrize(
        "said", ["Microsoft Word - x.doc", "untitled", "thesis_v2.pdf", "paper_final_3", "", "..."]
    )
    def test_a_title_that_is_none(self, said: str) -> None:
        """What a program wrote there gives way to the largest words at the top."""
        loaded = load_pdf(made(two_columns, info={"Title": said}))
        assert loaded.title == "A Survey of the Harbour at Night"
        assert "title_from" not in loaded.metadata

    def test_no_title(self) -> None:
        """Where nothing stands out, no title is made up."""
        assert load_pdf(made(drawn(*LEFT), info={"Title": "untitled"})).title is None

    @pytest.mark.parametrize("date", ["D:20191324", "D:0000", "yesterday", "D:00000000000000"])
    def test_a_date_that_is_none(self, date: str) -> None:
        """A date that can't be is no date, and nothing says where it came from."""
        data = re.sub(
            rb"/(Creation|Mod)Date \(D:[^)]*\)",
            lambda match: b"/%sDate (%s)" % (match[1], date.encode()),
            made(drawn(*LEFT)),
        )
        loaded = load_pdf(data)
        assert loaded.date is None
        assert "date_from" not in loaded.metadata


class TestScans:
    def test_pictures_alone(self) -> None:
        """A document of pictures is refused, with the number of its pages."""
        with pytest.raises(LoadError, match=r"^no text layer: needs OCR \(3 pages\); pip install"):
            load_pdf(made(picture, picture, picture))

    def test_some_pictures(self) -> None:
        """Pages that are pictures are named, and the others read."""
        page = drawn(*RIGHT)
        loaded = load_pdf(made(page, page, picture, picture, picture, page, page, page, picture))
        assert loaded.warnings == (f"pages 3\u20135, 9: no text layer, {NEEDED}",)
        assert [bool(text) for text in by_page(loaded)] == [
            *(True, True, False, False, False, True, True, True, False)
        ]

    def test_a_stamp_on_a_picture_is_no_text_layer(self) -> None:
        """A scanner's mark on a page that is all picture doesn't make it readable."""

        def stamped(canvas: Canvas) -> None:
            picture(canvas)
            write(canvas, ["Scanned by X"])

        with pytest.raises(LoadError, match=r"needs OCR \(1 page\)"):
            load_pdf(made(stamped))

    def test_nothing_on_any_page(self) -> None:
        """Blank pages need no OCR, there is nothing to read."""
        with pytest.raises(LoadError, match=r"nothing to read on its pages \(2 pages\)"):
            load_pdf(made(drawn(), drawn()))


@pytest.mark.no_cover  # how long it takes is looked at
def test_ten_thousand_pages() -> None:
    """Each is read, and has its place; none is taken for the furniture of the others."""
    entries = [f"Entry {number} of the log: the sea was calm." for number in range(10_000)]
    loaded = load_pdf(made(*[drawn(entry, y=400) for entry in entries]))
    assert by_page(loaded) == entries
    assert_covered(loaded)


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b"<html>no</html>", "not a PDF"),
            (b"PK\x03\x04" + bytes(100), "not a PDF"),
            (b"%PDF-1.7\n", "damaged or cut short"),
            (b"%PDF-1.4\n" + bytes(range(256)) * 40, "damaged or cut short"),
        ],
    )
    def test_what_is_no_pdf(self, data: bytes, reason: str) -> None:
        """It is refused in words."""
        with pytest.raises(LoadError, match=reason):
            load_pdf(data)

    def test_a_password(self) -> None:
        """A protected file is refused with what to do, and opened by any of its passwords; one
        that only restricts printing is read.
        """
        locked = made(drawn(*LEFT), encrypt=StandardEncryption("open", "own"))
        with pytest.raises(LoadError, match="protected by a password; give it when you index"):
            load_pdf(locked)
        with pytest.raises(LoadError, match="none of the given ones opens it"):
            load_pdf(locked, passwords=["Open", ""])
        assert load_pdf(locked, passwords=["Open", "open"]).text == " ".join(LEFT)
        assert load_pdf(locked, passwords=["own"]).text == " ".join(LEFT)
        restricted = made(drawn(*LEFT), encrypt=StandardEncryption("", "own", canPrint=0))
        assert load_pdf(restricted, passwords=["x"]).text == " ".join(LEFT)

    def test_cut_short(self) -> None:
        """A file without its end is read as far as it goes, with a warning."""
        data = made(*(drawn(f"This is page {n}.", *LEFT) for n in range(5)), pageCompression=0)
        loaded = load_pdf(data[: data.rindex(b"startxref")])
        assert "This is page 4." in loaded.text
        assert loaded.warnings == (
            "the file is damaged or cut short; what could be recovered was read",
        )
        with pytest.raises(LoadError, match="damaged or cut short"):
            load_pdf(data[: len(data) // 2])

    @pytest.mark.parametrize("entry", [b"/Nums[]", b"/Nums[0<</S/D>>]"])
    def test_pages_that_are_not_there(self, entry: bytes) -> None:
        """A few bytes that name a million pages, in circles, take no time for each of them."""
        data = (
            b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/PageLabels<<" + entry + b">>>>endobj\n"
            b"2 0 obj<</Type/Pages/Count 1000000/Kids[2 0 R 2 0 R]>>endobj\ntrailer<</Root 1 0 R>>"
        )
        tried = count()
        with pytest.raises(LoadError, match="damaged"):
            load_pdf(data, on_page=lambda: next(tried))
        assert 10_000 < next(tried) < 100_000

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_damage_anywhere(self, data: st.DataObject) -> None:
        """Whatever bytes are lost or changed: a text whose pages cover it, or a LoadError."""
        whole = bytearray(WHOLE)
        for _ in range(data.draw(st.integers(1, 6))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        end = data.draw(st.integers(0, len(whole)))
        try:
            loaded = load_pdf(bytes(whole[end // 2 :] if end % 3 == 0 else whole[:end]))
        except LoadError:
            return
        assert_covered(loaded)


@pytest.mark.no_cover  # how long it takes is looked at
class TestSize:
    def test_many_pages(self) -> None:
        """Time grows with the number of pages, no faster."""
        seconds = []
        for pages in (100, 400):
            data = made(*(drawn(f"Page {n} of the log.", *LEFT) for n in range(pages)))
            start = time.perf_counter()
            loaded = load_pdf(data)
            seconds.append(time.perf_counter() - start)
            assert len(loaded.pages) == pages
            assert f"Page {pages - 1} of the log." in loaded.pages[-1].of(loaded.text)
        assert seconds[1] < 12 * seconds[0]

    def test_a_page_full_of_letters(self) -> None:
        """A page of 300,000 characters is read, all of it."""

        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica", 1)
            for at in range(1500):
                canvas.drawString(10, 840 - at * 0.5, f"{at:05} " + "depth " * 32)

        loaded = load_pdf(made(draw))
        assert loaded.text.count("depth") == 1500 * 32
        assert "01499" in loaded.text


@papers
class TestPapers:
    @pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "task2vec"])
    def test_their_words_are_found(self, name: str) -> None:
        """At least 97 of 100 words of the reference text are in ours, and as many the other way."""
        with gzip.open(PAPERS / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = {paper["_id"]: paper["text"] for paper in map(json.loads, lines)}
        expected = words(texts[name])
        found = words(paper(name).text)
        assert (expected & found).total() >= 0.97 * expected.total()
        assert (expected & found).total() >= 0.97 * found.total()

    def test_bert(self) -> None:
        """Two columns, a title and authors across them, an abstract, notes, hyphens, labels."""
        loaded = paper("bert")
        assert loaded.title == (
            "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"
        )
        assert loaded.date == dt.date(2019, 5, 28)
        assert loaded.page_labels == (*map(str, range(1, 12)), *map(str, range(1, 6)))
        first, third = loaded.pages[0].of(loaded.text), loaded.pages[2].of(loaded.text)
        assert (
            "BERT is designed to pre-train deep bidirectional representations from unlabeled text"
            in first
        )
        assert "arXiv:1810" not in first
        assert "There is minimal difference between the pre-trained architecture and" in third
        names = [name for _, name in headings(loaded)]
        assert names[:5] == [
            loaded.title,
            "Abstract",
            "1 Introduction",
            "2 Related Work",
            "2.1 Unsupervised Feature-based Approaches",
        ]
        assert_covered(loaded)

    def test_page_numbers_and_headers_are_gone(self) -> None:
        """A header that 27 pages share is nowhere in the text, and no page ends in its number."""
        loaded = paper("MMLU_measure")
        assert "Published as a conference paper" not in loaded.text
        for number, span in enumerate(loaded.pages, 1):
            assert span.of(loaded.text).strip().split("\n")[-1] != str(number)
