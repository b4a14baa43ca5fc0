from __future__ import annotations

import datetime as dt
import io
import time
import zipfile

import pptx
import pytest
from pptx.util import Inches

from rag.documents.formats.pptx import load_pptx


def _deck() -> bytes:
    deck = pptx.Presentation()
    deck.core_properties.title = "About lamps"
    deck.core_properties.author = "Ada Lovelace"
    deck.core_properties.modified = dt.datetime(2024, 3, 5, 12)  # noqa: DTZ001 - it takes no zone
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Lamps"
    outline = first.placeholders[1].text_frame
    outline.text = "Oil"
    inner = outline.add_paragraph()
    inner.text, inner.level = "whale oil", 1
    first.notes_slide.notes_text_frame.text = "Greet the guests."
    deck.slides.add_slide(deck.slide_layouts[6])
    third = deck.slides.add_slide(deck.slide_layouts[5])
    size = Inches(2)
    table = third.shapes.add_table(2, 2, size, size, size, size).table
    for place, words in zip(table.iter_cells(), ("Year", "Sum", "2024", "3.5"), strict=True):
        place.text = words
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(size, size, size, size).text_frame.text = "A box\nin a group"
    title = third.shapes.title
    title.text = "What it costs"
    third.shapes._spTree.append(title._element)  # last in the file, first on the slide
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def _with(data: bytes, name: str, content: bytes) -> bytes:
    """The same zip, but for one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
    return file.getvalue()


def test_each_slide_is_a_page() -> None:
    """Title first, then lists, tables, boxes and notes; an empty slide is an empty page."""
    loaded = load_pptx(_deck())
    assert [page.of(loaded.text) for page in loaded.pages] == [
        "Lamps\n\n- Oil\n  - whale oil\n\nSpeaker notes\n\nGreet the guests.",
        "",
        "What it costs\n\nYear | Sum\n2024 | 3.5\n\nA box\n\nin a group",
    ]
    assert loaded.text == "\n\n".join(
        loaded.text[page.start : page.end] for page in loaded.pages if len(page)
    )
    assert [(h.level, h.span.of(loaded.text)) for h in loaded.headings] == [
        (2, "Lamps"),
        (3, "Speaker notes"),
        (2, "What it costs"),
    ]
    assert loaded.title == "About lamps"
    assert loaded.date == dt.date(2024, 3, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
    }
    assert loaded.warnings == ()


def test_a_broken_slide_costs_itself_alone() -> None:
    """The other slides keep their numbers, and the broken one is named."""
    loaded = load_pptx(_with(_deck(), "ppt/slides/slide1.xml", b"<p:sld"))
    assert [len(page) > 0 for page in loaded.pages] == [False, False, True]
    assert loaded.pages[2].of(loaded.text).startswith("What it costs")
    (warning,) = loaded.warnings
    assert warning.startswith("slide 1 was left out: it is damaged")


def test_what_the_program_calls_every_presentation_is_no_title() -> None:
    """The first slide's title stands in for it."""
    deck = pptx.Presentation()
    deck.core_properties.title = "PowerPoint Presentation"
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Lamps"
    file = io.BytesIO()
    deck.save(file)
    loaded = load_pptx(file.getvalue())
    assert loaded.title == "Lamps"
    assert "title_from" not in loaded.metadata


def _slide(inside: str) -> bytes:
    return (
        '<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:m="http://schemas.'
        'openxmlformats.org/officeDocument/2006/math" xmlns:mc="http://schemas.openxmlformats.org/'
        f'markup-compatibility/2006"><p:cSld><p:spTree>{inside}</p:spTree></p:cSld></p:sld>'
    ).encode()


def _shape(kind: str, *paragraphs: str) -> str:
    inside = "".join(f"<a:p>{one}</a:p>" for one in paragraphs)
    return (
        f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
        f"<p:txBody>{inside}</p:txBody></p:sp>"
    )


def test_words_in_several_pieces_are_whole() -> None:
    """A title whose words are spelled in pieces, over two paragraphs; a formula, read once."""
    piece = "<a:r><a:t>{}</a:t></a:r>"
    formula = (
        "<mc:AlternateContent><mc:Choice><m:r><m:t>E=mc</m:t></m:r></mc:Choice><mc:Fallback>"
        f"{piece.format('no')}</mc:Fallback></mc:AlternateContent>"
    )
    title = _shape("title", piece.format("La") + piece.format("mps"), piece.format("of old"))
    slide = _slide(title + _shape("body", piece.format("Here ") + formula))
    loaded = load_pptx(_with(_deck(), "ppt/slides/slide1.xml", slide))
    assert loaded.pages[0].of(loaded.text).startswith("Lamps of old\n\nHere E=mc")


@pytest.mark.no_cover  # how long it takes is looked at
def test_any_number_of_titles_is_read_in_time() -> None:
    """Each shape is looked at once."""
    began = time.process_time()
    slide = _slide(_shape("title", "<a:r><a:t>a</a:t></a:r>") * 50_000)
    load_pptx(_with(_deck(), "ppt/slides/slide1.xml", slide))
    assert time.process_time() - began < 20  # it was more than half a minute


def test_a_slide_that_is_shown_again_and_again_is_read_once() -> None:
    """A list of slides that names one of them a thousand times."""
    with zipfile.ZipFile(io.BytesIO(_deck())) as deck:
        listed = deck.read("ppt/presentation.xml").decode()
    start, end = listed.index("<p:sldIdLst>"), listed.index("</p:sldIdLst>")
    slides = listed[start + len("<p:sldIdLst>") : end]
    again = listed[:end] + slides * 1_000 + listed[end:]
    loaded = load_pptx(_with(_deck(), "ppt/presentation.xml", again.encode()))
    assert len(loaded.pages) == 3
