from __future__ import annotations

import datetime as dt
import gzip
import io
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from rag.errors import LoadError
from rag.loaders.loaded import Loaded
from rag.loaders.pdf import load_pdf
from rag.loaders.pdf.facts import ranges
from rag.loaders.pdf.lines import Words

_PAPERS = Path(__file__).parents[3] / "shared" / "data" / "aragog"
_WIDTH, _HEIGHT = 595, 842
_LEADING = 12

Draw = Callable[[Canvas], None]


def _pdf(*pages: Draw, info: dict[str, str] | None = None, **options: object) -> bytes:
    """A PDF whose pages these functions draw."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(_WIDTH, _HEIGHT), invariant=True, **options)
    for name, value in (info or {}).items():
        getattr(canvas, f"set{name}")(value)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _lines(
    canvas: Canvas,
    lines: Iterable[str],
    *,
    x: float = 72,
    y: float = 770,
    size: float = 10,
    font: str = "Helvetica",
) -> None:
    canvas.setFont(font, size)
    for at, line in enumerate(lines):
        canvas.drawString(x, y - at * _LEADING, line)


def _page(*lines: str, **options: object) -> Draw:
    return lambda canvas: _lines(canvas, lines, **options)  # type: ignore[arg-type]


def _picture(canvas: Canvas) -> None:
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, _WIDTH, _HEIGHT)


def _paragraphs(loaded: Loaded) -> list[str]:
    return loaded.text.split("\n\n")


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


def _by_page(loaded: Loaded) -> list[str]:
    return [span.of(loaded.text).strip() for span in loaded.pages]


def _assert_covered(loaded: Loaded) -> None:
    """The pages stand side by side and cover all of the text."""
    assert loaded.pages[0].start == 0
    assert loaded.pages[-1].end == len(loaded.text)
    for before, after in itertools.pairwise(loaded.pages):
        assert before.end == after.start


_LEFT = [
    "The survey of the harbour began in the spring",
    "and was done by three people with two boats.",
    "They measured the depth at each of the piers",
    "and wrote down what the tide did to every one",
    "of the moorings that lie along the north quay,",
    "which took them the better part of two months",
    "because the weather was bad for the season and",
]
_RIGHT = [
    "because one of the boats had to be mended once.",
    "The results were printed in the autumn, in two",
    "volumes with a map that shows the deep channel.",
    "Whoever wants to enter by night is told to keep",
    "the white light of the church in line with the",
    "red one of the customs house until the first of",
    "the buoys comes into sight on the starboard bow.",
]


def _two_columns(canvas: Canvas) -> None:
    _lines(canvas, ["A Survey of the Harbour at Night"], x=170, size=18, font="Helvetica-Bold")
    # Row by row, as some programs write them.
    for at, (left, right) in enumerate(zip(_LEFT, _RIGHT, strict=True)):
        _lines(canvas, [left], x=60, y=700 - at * _LEADING)
        _lines(canvas, [right], x=310, y=700 - at * _LEADING)


class TestReadingOrder:
    def test_columns_are_read_one_after_the_other(self) -> None:
        """The left column first, then the right one, even if the file has them row by row; a
        sentence that goes on in the right column is one sentence.
        """
        loaded = load_pdf(_pdf(_two_columns))
        assert _paragraphs(loaded) == [
            "A Survey of the Harbour at Night",
            " ".join([*_LEFT, *_RIGHT]),
        ]

    def test_what_stands_across_comes_before_and_between_the_columns(self) -> None:
        """Columns above a line that stands across them are read before it, those below after."""

        def draw(canvas: Canvas) -> None:
            across = "This sentence is about both of the columns and stands across the whole page."
            for at in range(7):
                _lines(canvas, [_LEFT[at]], x=60, y=700 - at * _LEADING)
                _lines(canvas, [_RIGHT[at]], x=310, y=700 - at * _LEADING)
                _lines(canvas, [_LEFT[at].upper()[:34]], x=60, y=500 - at * _LEADING)
                _lines(canvas, [_RIGHT[at].upper()[:34]], x=310, y=500 - at * _LEADING)
            _lines(canvas, [across], x=100, y=560)

        text = load_pdf(_pdf(draw)).text
        places = [
            text.index(words)
            for words in ("The survey", "because one", "This sentence", "THE SURVEY", "BECAUSE ONE")
        ]
        assert places == sorted(places)

    def test_a_table_is_read_row_by_row(self) -> None:
        """Cells of a row stay on one line; where three rows agree, they are marked off."""

        def draw(canvas: Canvas) -> None:
            rows = [("Town", "People"), ("Ghent", "265,000"), ("Bruges", "118,000")]
            _lines(canvas, ["These are the towns in which we asked people about the harbour."])
            for at, (town, people) in enumerate(rows):
                _lines(canvas, [town], x=100, y=720 - at * _LEADING)
                _lines(canvas, [people], x=300, y=720 - at * _LEADING)

        assert _paragraphs(load_pdf(_pdf(draw))) == [
            "These are the towns in which we asked people about the harbour.",
            "Town | People\nGhent | 265,000\nBruges | 118,000",
        ]

    def test_a_page_that_lies_on_its_side_is_read_upright(self) -> None:
        """Writing that runs up the page is read like any other; arXiv's stamp is left out."""

        def sideways(canvas: Canvas) -> None:
            canvas.rotate(90)
            _lines(canvas, _LEFT, x=100, y=-200)

        def stamped(canvas: Canvas) -> None:
            _lines(canvas, _RIGHT)
            canvas.rotate(90)
            _lines(canvas, ["arXiv:1810.04805v2 [cs.CL] 24 May 2019"], x=200, y=-30, size=18)

        assert _by_page(load_pdf(_pdf(sideways, stamped))) == [
            " ".join(_LEFT),
            " ".join(_RIGHT),
        ]

    def test_words_along_an_axis_are_kept(self) -> None:
        """What is written sideways beside upright text is found too, at the end of its page."""

        def draw(canvas: Canvas) -> None:
            _lines(canvas, _LEFT)
            canvas.rotate(90)
            _lines(canvas, ["Depth in fathoms"], x=200, y=-30)

        assert _paragraphs(load_pdf(_pdf(draw)))[-1] == "Depth in fathoms"


class TestParagraphs:
    def test_lines_become_paragraphs(self) -> None:
        """A wider gap parts paragraphs, and so does an indented line after a full stop."""

        def draw(canvas: Canvas) -> None:
            _lines(
                canvas, ["The first paragraph has a line that is as long as the page,", "and ends."]
            )
            _lines(canvas, ["The second one begins after a gap, it is long and full too;"], y=734)
            _lines(canvas, ["it ends here, at the end of a line that is just as full up."], y=722)
            _lines(
                canvas, ["The third is indented, with no gap at all before it, and"], x=87, y=710
            )
            _lines(canvas, ["that is the end."], y=698)

        assert _paragraphs(load_pdf(_pdf(draw))) == [
            "The first paragraph has a line that is as long as the page, and ends.",
            (
                "The second one begins after a gap, it is long and full too; it ends here, at the "
                "end of a line that is just as full up."
            ),
            "The third is indented, with no gap at all before it, and that is the end.",
        ]

    def test_items_of_a_list_stay_apart(self) -> None:
        """Each item with a bullet is a paragraph, its second line part of it."""

        def draw(canvas: Canvas) -> None:
            _lines(canvas, ["\u2022 Keep the white light in line with the red one, and the church"])
            _lines(canvas, ["to port of both."], x=80, y=758)
            _lines(
                canvas,
                ["\u2022 Keep off the rocks, which are not marked by a buoy nor lights."],
                y=746,
            )

        assert _paragraphs(load_pdf(_pdf(draw))) == [
            "\u2022 Keep the white light in line with the red one, and the church to port of both.",
            "\u2022 Keep off the rocks, which are not marked by a buoy nor lights.",
        ]

    def test_hyphens_at_line_ends(self) -> None:
        """A word cut by the end of a line is whole again; a hyphen of its own stays."""
        loaded = load_pdf(
            _pdf(
                _page(
                    "It is a matter of how well the machines perform: their perfor-",
                    "mance is what we call state-of-the-art, or rather state-of-the-",
                    "art for this year, and it is a well-known one since it is well-",
                    "known. The same holds for the model called GPT-3, that is GPT-",
                    "3, which we call so in this text.",
                )
            )
        )
        assert loaded.text == (
            "It is a matter of how well the machines perform: their performance is what we call "
            "state-of-the-art, or rather state-of-the-art for this year, and it is a well-known "
            "one since it is well-known. The same holds for the model called GPT-3, that is "
            "GPT-3, which we call so in this text."
        )

    @pytest.mark.parametrize(
        ("above", "below", "joined"),
        [
            ("the perfor-", "mance of it", "the performance of it"),
            ("we pre-", "train it", "we pre-train it"),
            ("a state-of-the-", "art model", "a state-of-the-art model"),
            ("is self-super-", "vised then", "is self-supervised then"),
            ("by Detect-", "GPT alone", "by DetectGPT alone"),
            ("in 1914-", "1918 it", "in 1914-1918 it"),
            ("a soft\u00ad", "ened one", "a softened one"),
            ("no", "hyphen", "no hyphen"),
            ("\u6f22\u5b57", "\u3067\u3059", "\u6f22\u5b57\u3067\u3059"),
        ],
    )
    def test_how_the_document_writes_a_word_decides(
        self, above: str, below: str, joined: str
    ) -> None:
        """Half words are joined with or without their hyphen, as elsewhere in the document."""
        words = Words()
        words.learn(["if we pre-train the model with DetectGPT at the supervised end of it"])
        assert words.joined(above, below) == joined

    def test_ligatures_are_letters(self) -> None:
        """A ligature is found by the letters that it stands for."""
        content = b"BT /F1 12 Tf 72 700 Td <A1> Tj (nd the o) Tj <A2> Tj (ce) Tj ET"
        cmap = (
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap "
            b"1 begincodespacerange <00> <FF> endcodespacerange "
            b"2 beginbfchar <A1> <FB01> <A2> <FB03> endbfchar "
            b"1 beginbfrange <20> <7E> <0020> endbfrange endcmap end end"
        )
        assert load_pdf(_by_hand(content, cmap)).text == "find the office"


def _by_hand(content: bytes, cmap: bytes) -> bytes:
    """A PDF of one page whose font tells by ``cmap`` which letters it draws."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
    ]
    data = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (len(objects) + 1, table, len(objects) + 1, len(data))
    )


class TestPages:
    def test_a_span_for_each_page(self) -> None:
        """Pages stand side by side and cover the text; one without text is empty in its place."""
        loaded = load_pdf(_pdf(_page("One is here."), _page(), _page("Three is here.")))
        assert _by_page(loaded) == ["One is here.", "", "Three is here."]
        _assert_covered(loaded)
        assert len(loaded.pages[1]) == 0
        assert loaded.page_labels == ()
        assert loaded.warnings == ()

    def test_a_paragraph_over_the_end_of_a_page_is_one(self) -> None:
        """It goes on after the page's end, and each half is counted to the page it stands on."""
        loaded = load_pdf(_pdf(_page(*_LEFT), _page(*_RIGHT)))
        assert _paragraphs(loaded) == [" ".join([*_LEFT, *_RIGHT])]
        assert _by_page(loaded) == [" ".join(_LEFT), " ".join(_RIGHT)]
        _assert_covered(loaded)

    def test_a_word_over_the_end_of_a_page_belongs_to_the_first(self) -> None:
        """The second half of the word is drawn to the page on which the word begins."""
        first = "The harbour is deep at all of its piers, but this is of no great impor-"
        loaded = load_pdf(_pdf(_page(_RIGHT[1], first), _page("tance to those who come by land.")))
        assert _by_page(loaded) == [
            f"{_RIGHT[1]} {first[:-6]}importance",
            "to those who come by land.",
        ]
        _assert_covered(loaded)

    def test_labels(self) -> None:
        """The numbers that the PDF itself gives its pages."""

        def numbered(canvas: Canvas) -> None:
            canvas.addPageLabel(0, style="ROMAN_LOWER")
            canvas.addPageLabel(2, style="ARABIC", start=1, prefix="A-")
            _lines(canvas, ["A foreword."])

        loaded = load_pdf(_pdf(numbered, _page("More of it."), _page("A chapter."), _page("Two.")))
        assert loaded.page_labels == ("i", "ii", "A-1", "A-2")

    def test_what_is_printed_around_the_text_is_left_out(self) -> None:
        """Running headers, footers and page numbers go, all words of the text stay."""

        def page(number: int) -> Draw:
            def draw(canvas: Canvas) -> None:
                title = "Annals of the Harbour Board" if number % 2 else "Depths and tides"
                _lines(canvas, [title], x=200, y=810, size=8)
                _lines(canvas, [f"On page {number} the board met {number + 3} times.", *_RIGHT])
                _lines(canvas, [f"Printed in Ghent, sheet {number} of 8"], y=50, size=8)
                _lines(canvas, [f"- {number + 40} -"], x=290, y=30, size=8)

            return draw

        loaded = load_pdf(_pdf(*(page(number) for number in range(1, 9))))
        for number, text in enumerate(_by_page(loaded), 1):
            met = f"On page {number} the board met {number + 3} times."
            assert text.split("\n\n") == [met, " ".join(_RIGHT)]

    def test_numbers_that_are_no_page_numbers_stay(self) -> None:
        """A lone number in the margin is kept where it does not count the pages; so is a line
        that only two pages share.
        """
        loaded = load_pdf(_pdf(_page("1914", *_LEFT[:2], y=815), _page("1871", *_LEFT[:2], y=815)))
        assert "1914" in loaded.text
        assert "1871" in loaded.text
        assert loaded.text.count("The survey of the harbour") == 2


class TestHeadings:
    def test_by_number_size_and_weight(self) -> None:
        """Sections are headings, at the level that their number says."""

        def draw(canvas: Canvas) -> None:
            _lines(canvas, ["On the Depth of Harbours"], y=770, size=18)
            _lines(canvas, ["1 Introduction"], y=730, size=13, font="Helvetica-Bold")
            _lines(canvas, _LEFT[:2], y=710)
            _lines(canvas, ["1.1 What was measured"], y=670, font="Helvetica-Bold")
            _lines(canvas, _RIGHT[1:3], y=650)
            _lines(canvas, ["References"], y=610, size=13, font="Helvetica-Bold")
            _lines(canvas, ["Figure 1: The harbour"], y=590, font="Helvetica-Bold")
            _lines(canvas, _RIGHT[3:], y=570)

        loaded = load_pdf(_pdf(draw))
        assert _headings(loaded) == [
            (1, "On the Depth of Harbours"),
            (2, "1 Introduction"),
            (3, "1.1 What was measured"),
            (2, "References"),
        ]

    def test_bold_words_at_the_start_of_a_line_are_no_heading(self) -> None:
        """Only a line that is bold from end to end names a section."""

        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica-Bold", 10)
            canvas.drawString(72, 770, "The piers.")
            canvas.setFont("Helvetica", 10)
            canvas.drawString(127, 770, "They are made of stone and go back to the year 1620,")
            _lines(canvas, ["when the town was rich.", *_RIGHT[1:]], y=758)

        loaded = load_pdf(_pdf(draw))
        assert loaded.headings == ()
        assert loaded.text.startswith("The piers. They are made of stone and go back to the year")


class TestFacts:
    def test_title_author_and_date_of_the_file(self) -> None:
        """They are taken from what the PDF says about itself."""
        data = _pdf(_page(*_LEFT), info={"Title": "Of Harbours", "Author": "Jane Doe"})
        data = re.sub(
            rb"/CreationDate \(D:[^)]*\)", b"/CreationDate (D:20190524101112+02'00')", data
        )
        loaded = load_pdf(data)
        assert loaded.title == "Of Harbours"
        assert loaded.date == dt.date(2019, 5, 24)
        assert loaded.metadata == {"author": "Jane Doe", "date_from": "file"}

    @pytest.mark.parametrize(
        "said", ["Microsoft Word - x.doc", "untitled", "thesis_v2.pdf", "paper_final_3", "", "..."]
    )
    def test_a_title_that_is_none(self, said: str) -> None:
        """What a program wrote there gives way to the largest words at the top."""
        assert load_pdf(_pdf(_two_columns, info={"Title": said})).title == (
            "A Survey of the Harbour at Night"
        )

    def test_no_title(self) -> None:
        """Where nothing stands out, no title is made up."""
        assert load_pdf(_pdf(_page(*_LEFT), info={"Title": "untitled"})).title is None

    @pytest.mark.parametrize("date", ["D:20191324", "D:0000", "yesterday", "D:00000000000000"])
    def test_a_date_that_is_none(self, date: str) -> None:
        """A date that can't be is no date, and nothing says where it came from."""
        data = re.sub(
            rb"/(Creation|Mod)Date \(D:[^)]*\)",
            lambda match: b"/%sDate (%s)" % (match[1], date.encode()),
            _pdf(_page(*_LEFT)),
        )
        loaded = load_pdf(data)
        assert loaded.date is None
        assert "date_from" not in loaded.metadata


class TestScans:
    def test_pictures_alone(self) -> None:
        """A document of pictures is refused, with the number of its pages."""
        with pytest.raises(LoadError, match=r"^no text layer: needs OCR \(3 pages\)$"):
            load_pdf(_pdf(_picture, _picture, _picture))

    def test_some_pictures(self) -> None:
        """Pages that are pictures are named, and the others read."""
        page = _page(*_RIGHT)
        loaded = load_pdf(
            _pdf(page, page, _picture, _picture, _picture, page, page, page, _picture)
        )
        assert loaded.warnings == ("pages 3\u20135, 9: no text layer, need OCR",)
        assert [bool(text) for text in _by_page(loaded)] == [
            *(True, True, False, False, False, True, True, True, False)
        ]

    def test_a_stamp_on_a_picture_is_no_text_layer(self) -> None:
        """A scanner's mark on a page that is all picture doesn't make it readable."""

        def stamped(canvas: Canvas) -> None:
            _picture(canvas)
            _lines(canvas, ["Scanned by X"])

        with pytest.raises(LoadError, match=r"needs OCR \(1 page\)"):
            load_pdf(_pdf(stamped))

    def test_nothing_on_any_page(self) -> None:
        """Blank pages need no OCR, there is nothing to read."""
        with pytest.raises(LoadError, match=r"nothing to read on its pages \(2 pages\)"):
            load_pdf(_pdf(_page(), _page()))

    def test_letters_without_meaning(self) -> None:
        """A font that doesn't say which letters it draws is no text layer either."""
        cmap = (
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap "
            b"1 begincodespacerange <00> <FF> endcodespacerange "
            b"1 beginbfrange <20> <7E> <E020> endbfrange endcmap end end"
        )
        content = b"BT /F1 12 Tf 72 700 Td (All of this can be seen but not read) Tj ET"
        with pytest.raises(LoadError, match="needs OCR"):
            load_pdf(_by_hand(content, cmap))


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b"<html>no</html>", "no PDF"),
            (b"PK\x03\x04" + bytes(100), "no PDF"),
            (b"%PDF-1.7\n", "damaged or cut short"),
            (b"%PDF-1.4\n" + bytes(range(256)) * 40, "damaged or cut short"),
        ],
    )
    def test_what_is_no_pdf(self, data: bytes, reason: str) -> None:
        """It is refused in words."""
        with pytest.raises(LoadError, match=reason):
            load_pdf(data)

    def test_a_password(self) -> None:
        """A protected file is refused by name, with what to do; one that only restricts printing
        is read.
        """
        locked = _pdf(_page(*_LEFT), encrypt=StandardEncryption("open", "own"))
        with pytest.raises(LoadError, match="protected by a password; save a copy without"):
            load_pdf(locked)
        restricted = _pdf(_page(*_LEFT), encrypt=StandardEncryption("", "own", canPrint=0))
        assert load_pdf(restricted).text == " ".join(_LEFT)

    def test_cut_short(self) -> None:
        """A file without its end is read as far as it goes, with a warning."""
        data = _pdf(*(_page(f"This is page {n}.", *_LEFT) for n in range(5)), pageCompression=0)
        loaded = load_pdf(data[: data.rindex(b"startxref")])
        assert "This is page 4." in loaded.text
        assert loaded.warnings == (
            "the file is damaged or cut short; what could be found of it was read",
        )
        with pytest.raises(LoadError, match="damaged or cut short"):
            load_pdf(data[: len(data) // 2])

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def test_damage_anywhere(self, data: st.DataObject) -> None:
        """Whatever bytes are lost or changed: a text whose pages cover it, or a LoadError."""
        whole = bytearray(_WHOLE)
        for _ in range(data.draw(st.integers(1, 6))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        end = data.draw(st.integers(0, len(whole)))
        try:
            loaded = load_pdf(bytes(whole[end // 2 :] if end % 3 == 0 else whole[:end]))
        except LoadError:
            return
        _assert_covered(loaded)


_WHOLE = _pdf(_two_columns, _page(*_LEFT), _picture, pageCompression=0)


class TestSize:
    def test_many_pages(self) -> None:
        """Time grows with the number of pages, no faster."""
        seconds = []
        for pages in (100, 400):
            data = _pdf(*(_page(f"Page {n} of the log.", *_LEFT) for n in range(pages)))
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

        loaded = load_pdf(_pdf(draw))
        assert loaded.text.count("depth") == 1500 * 32
        assert "01499" in loaded.text


def test_pages_are_named_as_ranges() -> None:
    """Neighbours are drawn together."""
    assert ranges([2, 3, 4, 8]) == "3\u20135, 9"
    assert ranges([0]) == "1"


papers = pytest.mark.skipif(not _PAPERS.is_dir(), reason="the papers of ARAGOG are not there")


@papers
class TestPapers:
    @pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "task2vec"])
    def test_their_words_are_found(self, name: str) -> None:
        """At least 97 of 100 words of the reference text are in ours, and as many the other way."""
        with gzip.open(_PAPERS / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = {paper["_id"]: paper["text"] for paper in map(json.loads, lines)}
        expected = _words(texts[name])
        found = _words(_paper(name).text)
        assert (expected & found).total() >= 0.97 * expected.total()
        assert (expected & found).total() >= 0.97 * found.total()

    def test_bert(self) -> None:
        """Two columns, a title and authors across them, an abstract, notes, hyphens, labels."""
        loaded = _paper("bert")
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
        names = [name for _, name in _headings(loaded)]
        assert names[:5] == [
            loaded.title,
            "Abstract",
            "1 Introduction",
            "2 Related Work",
            "2.1 Unsupervised Feature-based Approaches",
        ]
        _assert_covered(loaded)

    def test_page_numbers_and_headers_are_gone(self) -> None:
        """A header that 27 pages share is nowhere in the text, and no page ends in its number."""
        loaded = _paper("MMLU_measure")
        assert "Published as a conference paper" not in loaded.text
        for number, span in enumerate(loaded.pages, 1):
            assert span.of(loaded.text).strip().split("\n")[-1] != str(number)


def _paper(name: str) -> Loaded:
    return load_pdf((_PAPERS / "files" / f"{name}.pdf").read_bytes())


def _words(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in re.findall(r"[^\W\d_]{3,}", text))
