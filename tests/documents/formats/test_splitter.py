"""Texts that are longer than one document may be, in parts."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from rag.documents.loaded import Block, join_blocks
from rag.documents.registry import Loaded, load
from rag.documents.splitter import parts_of
from rag.errors import LoadError
from rag.types import Document, Heading, Span
from rag.types.parts import all_part_ids, part_id, whole_source

PROSE = "The ferry to the island leaves at nine. It takes forty minutes.\n\n"
PART = 10_000
SHAPES = {
    "paragraphs": PROSE,
    "lines": "The ferry leaves at nine.\n",
    "one line": "The ferry leaves at nine. ",
    "no blanks": "ferry",
    "chinese": "渡轮九点出发。",
    "emoji": "a🏝️",
    "Windows": "The ferry leaves at nine.\r\n\r\n",
}


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cuts in less time."""
    monkeypatch.setattr("rag.types.parts.PART_CHARACTERS", PART)
    monkeypatch.setattr("rag.documents.content.PIECE", PART // 3)


def _read(path: Path) -> list[Document]:
    found = list(load(path))
    assert all(isinstance(one, Document) for one in found), found
    return [one for one in found if isinstance(one, Document)]


@pytest.mark.parametrize("ending", [".txt", ".md", ".html", ".rst"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_no_word_is_lost_between_parts(tmp_path: Path, ending: str, shape: str) -> None:
    """Whatever a text looks like, its words are all there, in parts within the limit."""
    text = shape * (2 * PART // len(shape) + 5)
    path = tmp_path / f"a{ending}"
    path.write_text(text, "utf-8", newline="")
    parts = _read(path)
    assert len(parts) > 1
    assert max(len(one.text) for one in parts) <= PART
    assert "".join("".join(one.text for one in parts).split()) == "".join(text.split())


def test_parts_are_one_document_to_the_reader(tmp_path: Path) -> None:
    """Title, date and metadata are those of the first part; sources and ids follow from it."""
    path = tmp_path / "a.md"
    text = "---\ndate: 2024-05-01\nauthor: Ada\n---\n# Ferries\n\n" + PROSE * 500
    path.write_text(text, "utf-8")
    first, *others = parts = _read(path)
    assert first.source == str(path)
    assert {(one.title, one.date, one.digest) for one in parts} == {
        ("Ferries", first.date, first.digest)
    }
    assert all(one.metadata == first.metadata for one in others)
    assert [one.source for one in others] == [
        f"{path}//part {number}" for number in range(2, len(parts) + 1)
    ]
    assert {whole_source(one.source) for one in parts} == {str(path)}
    ids = tuple(one.id for one in parts)
    assert (
        ids
        == all_part_ids(first, set(ids).__contains__)
        == all_part_ids(others[0], set(ids).__contains__)
    )


def test_a_text_that_grows_keeps_its_earlier_parts(tmp_path: Path) -> None:
    """What is added at the end changes the last part only."""
    path = tmp_path / "a.txt"
    path.write_text(PROSE * 400, "utf-8")
    before = [one.text for one in _read(path)]
    path.write_text(PROSE * 400 + "One more line.", "utf-8")
    after = [one.text for one in _read(path)]
    assert before[:-1] == after[:-1]
    assert after[-1].endswith("One more line.")


def test_a_part_begins_with_the_headings_above_it() -> None:
    """A part can be read by itself: it says where in the document it is."""
    blocks = [Block("Ferries", 1), Block("Summer", 2), *[Block(PROSE)] * 180]
    blocks += [Block("Winter", 2), *[Block(PROSE)] * 180]
    text, headings = join_blocks(blocks)
    first, second, third = parts_of(Loaded(text, headings=headings))
    shown = [[one.span.of(part.text) for one in part.headings] for part in (first, second, third)]
    assert shown == [["Ferries", "Summer"], ["Ferries", "Summer", "Winter"], ["Ferries", "Winter"]]
    assert third.text.startswith("Ferries\n\nWinter\n\nThe ferry")
    assert second.text.startswith("Ferries\n\nSummer\n\nThe ferry")


def test_a_cut_before_a_heading_closes_those_of_its_level() -> None:
    """A heading ends what stood under one of its level."""
    blocks = [Block("One", 1), Block("One A", 2), *[Block(PROSE)] * 140]
    blocks += [Block("Two", 1), *[Block(PROSE)] * 60]
    text, headings = join_blocks(blocks)
    _, second = parts_of(Loaded(text, headings=headings))
    assert second.text.startswith("Two\n\nThe ferry")
    assert [one.span.of(second.text) for one in second.headings] == ["Two"]


def test_pages_count_on_in_further_parts() -> None:
    """Numbers and labels of pages are those of the file, cut once or read page by page."""
    page = "Words on a page. " * 20
    text = "\n\n".join([page.strip()] * 70)
    length = len(page.strip()) + 2
    pages = tuple(Span(at, at + length - 2) for at in range(0, len(text), length))
    labels = tuple(f"p{number}" for number in range(1, 71))
    whole = Loaded(text, pages=pages, page_labels=labels)
    streamed = (
        Loaded(page.strip(), pages=(Span(0, length - 2),), page_labels=(label,)) for label in labels
    )
    for loaded in (whole, streamed):
        parts = list(parts_of(loaded))
        seen: dict[str, str] = {}
        for part in parts:
            assert len(part.page_labels) == len(part.pages)
            for label, span in zip(part.page_labels, part.pages, strict=True):
                seen[label] = (seen.get(label, "") + " " + span.of(part.text)).strip()
        assert list(seen) == list(labels)
        assert set(seen.values()) == {page.strip()}


def test_a_part_of_many_short_sections_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each heading and each page makes a passage, which costs more than its text."""
    monkeypatch.setattr("rag.documents.splitter.MOST_SECTIONS", 100)
    text = "Ada\n\n" * 250
    spans = [Span(start, start + 3) for start in range(0, len(text), 5)]
    headed = list(parts_of(Loaded(text, headings=tuple(Heading(span, 1) for span in spans))))
    assert [len(one.headings) for one in headed] == [100, 100, 50]
    paged = list(parts_of(Loaded(text, pages=tuple(spans))))
    assert [len(one.pages) for one in paged] == [100, 200, 250]
    for found in (headed, paged):
        assert "".join(one.text for one in found).count("Ada") == 250


def test_a_part_of_many_short_sentences_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sentence has a vector, and each line may be one."""
    monkeypatch.setattr("rag.documents.splitter.MOST_SENTENCES", 100)
    for sentence in ("泡。", "Ja! ", "Nein\n"):
        text = sentence * 1_000
        found = [one.text for one in parts_of(Loaded(text))]
        assert len(found) > 9
        assert "".join("".join(found).split()) == "".join(text.split())


def test_more_pages_than_any_document_has() -> None:
    """A presentation of a hundred thousand empty slides is a kilobyte, and a hundred megabytes of
    pages.
    """
    slides = Loaded("Ada", pages=(Span(0, 3),) * 30_000)
    with pytest.raises(LoadError, match="more than 50,000 pages"):
        list(parts_of([slides, slides]))


def test_records_and_members_come_in_parts_too(tmp_path: Path) -> None:
    """Inside an archive as well; no name there passes for a part."""
    path = tmp_path / "a.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("b.txt", PROSE * 400)
        archive.writestr("c//part 2", "A name that could pass for a part.")
    *parts, other = _read(path)
    assert [one.source for one in parts] == [
        f"{path}/b.txt{end}" for end in ("", "//part 2", "//part 3")
    ]
    assert other.source == f"{path}/c/part 2"
    assert part_id(parts[0].digest, ".txt", 3) == parts[2].id


def test_a_code_block_goes_on_in_the_next_part(tmp_path: Path) -> None:
    """Markdown in a long block of code stays as it is."""
    path = tmp_path / "a.md"
    path.write_text("```\n" + "* a_b_c *d*\n" * 1_800 + "```\n\n*After*", "utf-8")
    *code, last = _read(path)
    assert all("* a_b_c *d*\n* a_b_c" in one.text for one in code)
    assert last.text.endswith("* a_b_c *d*\n\nAfter")


@pytest.mark.parametrize("ending", [".txt", ".md"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "cp1251"])
def test_letters_far_from_the_beginning_are_read_right(
    tmp_path: Path, ending: str, encoding: str
) -> None:
    """The encoding is that of the whole file, however late it shows."""
    late = (
        "Поезд идёт на север.\n\n"
        if encoding == "cp1251"
        else "Die Fähre fährt früh übers Meer.\n\n"
    )
    path = tmp_path / f"a{ending}"
    path.write_bytes((PROSE * 2_000 + late * 20).encode(encoding))
    assert _read(path)[-1].text.endswith(late.strip())
