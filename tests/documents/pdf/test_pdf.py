"""PDF files as people have them: text, order, pages."""

from __future__ import annotations

import pytest
from pdf_files import (
    LEADING,
    LEFT,
    RIGHT,
    Draw,
    assert_covered,
    by_hand,
    by_page,
    drawn,
    headings,
    made,
    paragraphs,
    two_columns,
    write,
)
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.pdf.lines import Words


class TestReadingOrder:
    def test_columns_are_read_one_after_the_other(self) -> None:
        """The left column first, then the right one, even if the file has them row by row; a
        sentence that goes on in the right column is one sentence.
        """
        loaded = load_pdf(made(two_columns))
        assert paragraphs(loaded) == [
            "A Survey of the Harbour at Night",
            " ".join([*LEFT, *RIGHT]),
        ]

    def test_what_stands_across_comes_before_and_between_the_columns(self) -> None:
        """Columns above a line that stands across them are read before it, those below after."""

        def draw(canvas: Canvas) -> None:
            across = "This sentence is about both of the columns and stands across the whole page."
            for at in range(7):
                write(canvas, [LEFT[at]], x=60, y=700 - at * LEADING)
                write(canvas, [RIGHT[at]], x=310, y=700 - at * LEADING)
                write(canvas, [LEFT[at].upper()[:34]], x=60, y=500 - at * LEADING)
                write(canvas, [RIGHT[at].upper()[:34]], x=310, y=500 - at * LEADING)
            write(canvas, [across], x=100, y=560)

        text = load_pdf(made(draw)).text
        places = [
            text.index(words)
            for words in ("The survey", "because one", "This sentence", "THE SURVEY", "BECAUSE ONE")
        ]
        assert places == sorted(places)

    def test_a_table_is_read_row_by_row(self) -> None:
        """Cells of a row stay on one line; where three rows agree, they are marked off."""

        def draw(canvas: Canvas) -> None:
            rows = [("Town", "People"), ("Ghent", "265,000"), ("Bruges", "118,000")]
            write(canvas, ["These are the towns in which we asked people about the harbour."])
            for at, (town, people) in enumerate(rows):
                write(canvas, [town], x=100, y=720 - at * LEADING)
                write(canvas, [people], x=300, y=720 - at * LEADING)

        assert paragraphs(load_pdf(made(draw))) == [
            "These are the towns in which we asked people about the harbour.",
            "Town | People\nGhent | 265,000\nBruges | 118,000",
        ]

    def test_a_page_that_lies_on_its_side_is_read_upright(self) -> None:
        """Writing that runs up the page is read like any other; arXiv's stamp is left out."""

        def sideways(canvas: Canvas) -> None:
            canvas.rotate(90)
            write(canvas, LEFT, x=100, y=-200)

        def stamped(canvas: Canvas) -> None:
            write(canvas, RIGHT)
            canvas.rotate(90)
            write(canvas, ["arXiv:1810.04805v2 [cs.CL] 24 May 2019"], x=200, y=-30, size=18)

        assert by_page(load_pdf(made(sideways, stamped))) == [
            " ".join(LEFT),
            " ".join(RIGHT),
        ]

    def test_words_along_an_axis_are_kept(self) -> None:
        """What is written sideways beside upright text is found too, at the end of its page."""

        def draw(canvas: Canvas) -> None:
            write(canvas, LEFT)
            canvas.rotate(90)
            write(canvas, ["Depth in fathoms"], x=200, y=-30)

        assert paragraphs(load_pdf(made(draw)))[-1] == "Depth in fathoms"


class TestParagraphs:
    def test_lines_become_paragraphs(self) -> None:
        """A wider gap parts paragraphs, and so does an indented line after a full stop."""

        def draw(canvas: Canvas) -> None:
            write(
                canvas, ["The first paragraph has a line that is as long as the page,", "and ends."]
            )
            write(canvas, ["The second one begins after a gap, it is long and full too;"], y=734)
            write(canvas, ["it ends here, at the end of a line that is just as full up."], y=722)
            write(canvas, ["The third is indented, with no gap at all before it, and"], x=87, y=710)
            write(canvas, ["that is the end."], y=698)

        assert paragraphs(load_pdf(made(draw))) == [
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
            write(canvas, ["\u2022 Keep the white light in line with the red one, and the church"])
            write(canvas, ["to port of both."], x=80, y=758)
            write(
                canvas,
                ["\u2022 Keep off the rocks, which are not marked by a buoy nor lights."],
                y=746,
            )

        assert paragraphs(load_pdf(made(draw))) == [
            "\u2022 Keep the white light in line with the red one, and the church to port of both.",
            "\u2022 Keep off the rocks, which are not marked by a buoy nor lights.",
        ]

    def test_hyphens_at_line_ends(self) -> None:
        """A word cut by the end of a line is whole again; a hyphen of its own stays."""
        loaded = load_pdf(
            made(
                drawn(
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
        assert load_pdf(by_hand(content, cmap)).text == "find the office"


class TestPages:
    def test_a_span_for_each_page(self) -> None:
        """Pages stand side by side and cover the text; one without text is empty in its place."""
        loaded = load_pdf(made(drawn("One is here."), drawn(), drawn("Three is here.")))
        assert by_page(loaded) == ["One is here.", "", "Three is here."]
        assert_covered(loaded)
        assert len(loaded.pages[1]) == 0
        assert loaded.page_labels == ()
        assert loaded.warnings == ()

    def test_a_paragraph_over_the_end_of_a_page_is_one(self) -> None:
        """It goes on after the page's end, and each half is counted to the page it stands on."""
        loaded = load_pdf(made(drawn(*LEFT), drawn(*RIGHT)))
        assert paragraphs(loaded) == [" ".join([*LEFT, *RIGHT])]
        assert by_page(loaded) == [" ".join(LEFT), " ".join(RIGHT)]
        assert_covered(loaded)

    def test_a_word_over_the_end_of_a_page_belongs_to_the_first(self) -> None:
        """The second half of the word is drawn to the page on which the word begins."""
        first = "The harbour is deep at all of its piers, but this is of no great impor-"
        loaded = load_pdf(made(drawn(RIGHT[1], first), drawn("tance to those who come by land.")))
        assert by_page(loaded) == [
            f"{RIGHT[1]} {first[:-6]}importance",
            "to those who come by land.",
        ]
        assert_covered(loaded)

    def test_labels(self) -> None:
        """The numbers that the PDF itself gives its pages."""

        def numbered(canvas: Canvas) -> None:
            canvas.addPageLabel(0, style="ROMAN_LOWER")
            canvas.addPageLabel(2, style="ARABIC", start=1, prefix="A-")
            write(canvas, ["A foreword."])

        loaded = load_pdf(made(numbered, drawn("More of it."), drawn("A chapter."), drawn("Two.")))
        assert loaded.page_labels == ("i", "ii", "A-1", "A-2")

    def test_what_is_printed_around_the_text_is_left_out(self) -> None:
        """Running headers, footers and page numbers go, all words of the text stay."""

        def page(number: int) -> Draw:
            def draw(canvas: Canvas) -> None:
                title = "Annals of the Harbour Board" if number % 2 else "Depths and tides"
                write(canvas, [title], x=200, y=810, size=8)
                write(canvas, [f"On page {number} the board met {number + 3} times.", *RIGHT])
                write(canvas, [f"Printed in Ghent, sheet {number} of 8"], y=50, size=8)
                write(canvas, [f"- {number + 40} -"], x=290, y=30, size=8)

            return draw

        loaded = load_pdf(made(*(page(number) for number in range(1, 9))))
        for number, text in enumerate(by_page(loaded), 1):
            met = f"On page {number} the board met {number + 3} times."
            assert text.split("\n\n") == [met, " ".join(RIGHT)]

    def test_numbers_that_are_no_page_numbers_stay(self) -> None:
        """A lone number in the margin is kept where it does not count the pages; so is a line
        that only two pages share.
        """
        loaded = load_pdf(made(drawn("1914", *LEFT[:2], y=815), drawn("1871", *LEFT[:2], y=815)))
        assert "1914" in loaded.text
        assert "1871" in loaded.text
        assert loaded.text.count("The survey of the harbour") == 2


class TestHeadings:
    def test_by_number_size_and_weight(self) -> None:
        """Sections are headings, at the level that their number says."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["On the Depth of Harbours"], y=770, size=18)
            write(canvas, ["1 Introduction"], y=730, size=13, font="Helvetica-Bold")
            write(canvas, LEFT[:2], y=710)
            write(canvas, ["1.1 What was measured"], y=670, font="Helvetica-Bold")
            write(canvas, RIGHT[1:3], y=650)
            write(canvas, ["References"], y=610, size=13, font="Helvetica-Bold")
            write(canvas, ["Figure 1: The harbour"], y=590, font="Helvetica-Bold")
            write(canvas, RIGHT[3:], y=570)

        loaded = load_pdf(made(draw))
        assert headings(loaded) == [
            (1, "On the Depth of Harbours"),
            (2, "1 Introduction"),
            (3, "1.1 What was measured"),
            (2, "References"),
        ]

    def test_a_title_in_columns_is_one_line(self) -> None:
        """As every heading is, though it is set like a table; fuzzing has found one."""

        def draw(canvas: Canvas) -> None:
            for y, creature, year in ((770, "Heron", "1407"), (738, "Otter", "1523")):
                write(canvas, [creature], y=y, size=26)
                write(canvas, [year], x=330, y=y, size=26)
            write(canvas, RIGHT * 2, y=650)

        assert headings(load_pdf(made(draw))) == [(1, "Heron 1407 Otter 1523")]

    def test_bold_words_at_the_start_of_a_line_are_no_heading(self) -> None:
        """Only a line that is bold from end to end names a section."""

        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica-Bold", 10)
            canvas.drawString(72, 770, "The piers.")
            canvas.setFont("Helvetica", 10)
            canvas.drawString(127, 770, "They are made of stone and go back to the year 1620,")
            write(canvas, ["when the town was rich.", *RIGHT[1:]], y=758)

        loaded = load_pdf(made(draw))
        assert loaded.headings == ()
        assert loaded.text.startswith("The piers. They are made of stone and go back to the year")
