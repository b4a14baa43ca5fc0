"""What people put onto the pages of a PDF: filled forms and notes; forms that can't be read."""

from __future__ import annotations

import re

import pytest
from pdf_files import LEFT, RIGHT, by_page, catalogued, made, paragraphs, picture, write
from reportlab.pdfbase.pdfdoc import PDFString
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.read_options import NEEDED
from rag.errors import LoadError


class TestForms:
    def test_values_are_beside_their_labels(self) -> None:
        """A label before its field, whatever the height of the field and the kind of value."""

        def draw(canvas: Canvas) -> None:
            form = canvas.acroForm
            lines = ["Surname:", "Harbour dues:", "Berth:", "Flag:", "Remarks:"]
            write(canvas, lines[:1], y=700)
            form.textfield(name="a", value="Ann O'Hara", x=220, y=694, height=22, width=200)
            write(canvas, lines[1:2], y=660)
            form.textfield(name="b", value="47.50", x=190, y=655, height=14, width=80)
            write(canvas, lines[2:3], y=620)
            form.choice(
                name="c", options=[("North quay", "n"), ("Old pier", "o")], value="o",
                x=190, y=616, height=16, width=90,
            )  # fmt: skip
            write(canvas, lines[3:4], y=580)
            form.textfield(name="d", value="", x=190, y=574, height=20, width=90)
            write(canvas, lines[4:], y=540)
            form.textfield(
                name="e", value="Mind the mast.\nDraws two metres.", x=190, y=440, height=110,
                width=300, fieldFlags="multiline",
            )  # fmt: skip

        text = load_pdf(made(draw)).text
        assert "Surname: Ann O'Hara" in text
        assert "Harbour dues: 47.50" in text
        assert "Berth: Old pier" in text
        assert "Remarks: Mind the mast." in text
        assert "Draws two metres." in text

    def test_a_checked_box_says_so(self) -> None:
        """So does a radio button, and one that isn't checked doesn't."""

        def draw(canvas: Canvas) -> None:
            form = canvas.acroForm
            for at, (label, checked) in enumerate({"Shore power": 1, "Fresh water": 0}.items()):
                write(canvas, [label], x=100, y=700 - 40 * at)
                form.checkbox(name=label, checked=bool(checked), x=72, y=697 - 40 * at, size=14)
            for at, (label, chosen) in enumerate({"by day": 0, "by night": 1}.items()):
                write(canvas, [label], x=72, y=600 - 40 * at)
                form.radio(
                    name="when", value=label[3:], selected=bool(chosen), x=140, y=597 - 40 * at
                )

        assert paragraphs(load_pdf(made(draw))) == [
            "[checked] Shore power",
            "[ ] Fresh water",
            "by day [ ]",
            "by night [checked]",
        ]

    def test_long_values_are_no_column(self) -> None:
        """Values that are as long as lines of a text stay beside the long labels."""

        def draw(canvas: Canvas) -> None:
            for at, (label, value) in enumerate(zip(LEFT, RIGHT, strict=True)):
                write(canvas, [label[:36]], y=700 - at * 24)
                canvas.acroForm.textfield(
                    name=str(at), value=value, x=310, y=696 - at * 24, height=18, width=240
                )

        text = load_pdf(made(draw)).text
        for label, value in zip(LEFT, RIGHT, strict=True):
            assert f"{label[:36].strip()} {value}" in text

    def test_a_form_of_many_lines(self) -> None:
        """A label that ends in a colon is followed by its value without a separator."""

        def draw(canvas: Canvas) -> None:
            for at, label in enumerate(["Name", "Street", "Town", "Country"]):
                write(canvas, [f"{label}:"], y=700 - at * 20)
                canvas.acroForm.textfield(
                    name=label, value=f"the {label}", x=200, y=696 - at * 20, height=16, width=200
                )

        assert load_pdf(made(draw)).text == (
            "Name: the Name\nStreet: the Street\nTown: the Town\nCountry: the Country"
        )

    def test_fields_that_no_form_lists(self) -> None:
        """Pages that were taken from a form are filled in like those that still belong to it."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Surname:"], y=700)
            canvas.acroForm.textfield(name="a", value="O'Hara", x=200, y=694, height=20)
            for at, (label, checked) in enumerate({"aboard": True, "ashore": False}.items()):
                write(canvas, [label], x=100, y=650 - 30 * at)
                canvas.acroForm.checkbox(
                    name=label, checked=checked, x=72, y=646 - 30 * at, size=14
                )

        data = re.sub(rb"/AcroForm \d+ 0 R", b"", made(draw))
        assert paragraphs(load_pdf(catalogued(data, b""))) == [
            "Surname: O'Hara",
            "[checked] aboard",
            "[ ] ashore",
        ]

    def test_text_typed_onto_a_page_is_in_its_place(self) -> None:
        """A form without fields is filled in with a text tool."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Surname:"], y=700)
            write(canvas, ["Home port:"], y=660)
            canvas.freeTextAnnotation("O'Hara", "/Helv 0 Tf", [150, 694, 300, 712])
            canvas.freeTextAnnotation("Cork", "/Helv 0 Tf", [150, 656, 300, 674])

        typed = made(draw).replace(
            b"/Subtype /FreeText", b"/IT /FreeTextTypeWriter /Subtype /FreeText"
        )
        assert paragraphs(load_pdf(catalogued(typed, b""))) == [
            "Surname: O'Hara",
            "Home port: Cork",
        ]

    def test_a_password_is_no_text(self) -> None:
        """What is shown as dots on the page is not indexed."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Your secret:"], y=700)
            canvas.acroForm.textfield(
                name="p", value="Swordfish", x=200, y=694, height=20, fieldFlags="password"
            )

        assert load_pdf(made(draw)).text == "Your secret:"

    def test_a_form_on_a_picture(self) -> None:
        """Of a scanned form, what was filled in is read, and the rest said to be missing."""

        def draw(canvas: Canvas) -> None:
            picture(canvas)
            canvas.acroForm.textfield(name="n", value="Ann O'Hara of Cork", x=200, y=694)

        loaded = load_pdf(made(draw))
        assert loaded.text == "Ann O'Hara of Cork"
        assert loaded.warnings == (f"page 1: no text layer, {NEEDED}",)


class TestNotes:
    def test_a_note_says_whose_it_is(self) -> None:
        """Notes are on their page, and not between the lines of its text."""

        def draw(canvas: Canvas) -> None:
            write(canvas, LEFT)
            canvas.textAnnotation("Ask the\npilot", [400, 700, 420, 720], T=PDFString("Ann O'Hara"))
            canvas.freeTextAnnotation("No more!", "/Helv 0 Tf", [300, 600, 380, 620])

        loaded = load_pdf(made(draw, lambda canvas: write(canvas, RIGHT)))
        notes = ["Note by Ann O'Hara: Ask the\npilot", "Note: No more!"]
        assert paragraphs(loaded) == [*notes, " ".join([*LEFT, *RIGHT])]
        assert by_page(loaded)[1] == " ".join(RIGHT)

    def test_a_comment_quotes_its_words(self) -> None:
        """What is highlighted is told with the comment; a copy of it is no comment."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["The board meets on Friday at noon."], y=700)
            start = canvas.stringWidth("The board meets on ", "Helvetica", 10)
            end = canvas.stringWidth("The board meets on Friday", "Helvetica", 10)
            friday = [72 + start, 698, 72 + end, 710]
            canvas.highlightAnnotation("not Thursday?", friday, T=PDFString("Bo"))
            canvas.highlightAnnotation("Friday", friday, T=PDFString("Bo"))

        assert paragraphs(load_pdf(made(draw))) == [
            "The board meets on Friday at noon.",
            "Note by Bo on “Friday”: not Thursday?",
        ]

    def test_hidden_notes_and_links_are_none(self) -> None:
        """What no program shows is not read."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["A page with a link."])
            canvas.textAnnotation("hidden", [400, 700, 420, 720], F=2)
            canvas.linkURL("https://example.org", (72, 760, 200, 780))

        assert load_pdf(made(draw)).text == "A page with a link."

    def test_too_many(self) -> None:
        """Pages with more notes than people write are cut, with a warning."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Crowded."])
            canvas.textAnnotation("again", [400, 700, 420, 720])
            canvas._annotationrefs *= 10_001

        loaded = load_pdf(made(draw))
        assert loaded.text.count("Note: again") == 10_000
        assert loaded.warnings == ("page 1: only the first 10,000 form fields and notes were read",)


class TestXfa:
    @pytest.mark.parametrize("more", [b"", b"/NeedsRendering true "])
    def test_a_placeholder_is_refused(self, more: bytes) -> None:
        """A form in XML is named as such, and what stands on its page is not indexed."""
        waiting = made(lambda canvas: write(canvas, ["Un momento, por favor."]))
        with pytest.raises(LoadError, match="it is an XFA form"):
            load_pdf(catalogued(waiting, more + b"/AcroForm << /Fields [] /XFA (<xdp/>) >>"))

    def test_a_form_on_its_page_is_read(self) -> None:
        """A form that is both in XML and on the page is read from there, though it is empty."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Name of the ship:"], y=700)
            canvas.acroForm.textfield(name="n", value="", x=200, y=694, height=20)

        data = made(draw)
        changed = re.sub(rb"/Fields \[", b"/XFA (<xdp/>) /Fields [", data)
        assert changed != data
        assert load_pdf(catalogued(changed, b"")).text == "Name of the ship:"
