from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import LoadError, UnknownFormat
from rag.loaders import load, supported
from rag.loaders.loaded import Block, put_together
from rag.loaders.tidying import one_line, tidy

SEED = Path(__file__).parents[2] / "seeds" / "000_b4b8cba14608a5c3.txt"


def _written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_the_seed_becomes_a_document() -> None:
    """Id and digest come from the bytes, the title from the first sentence."""
    document = load(SEED)
    digest = hashlib.sha256(SEED.read_bytes()).hexdigest()
    assert document.digest == digest
    assert document.id == digest[:20]
    assert document.source == str(SEED)
    assert document.title == (
        "India and Belgium are actively exploring defence cooperation in the Indo-Pacific region…"
    )
    assert str(document.date) == "2025-03-05"


def test_suffixes() -> None:
    """The registry says what it reads, and reads it whatever the case of the suffix."""
    assert supported() == {".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"}


@pytest.mark.parametrize("suffix", sorted(supported()))
def test_every_suffix_loads(tmp_path: Path, suffix: str) -> None:
    """Each loader is reached through its suffix."""
    path = _written(tmp_path, f"a{suffix.upper()}", "Some words here.")
    assert load(path).text == "Some words here."


def test_the_source_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is completed, links in it left alone."""
    _written(tmp_path, "a.txt", "Words.")
    monkeypatch.chdir(tmp_path)
    assert load(Path("a.txt")).source == str(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short one. And more.", "Short one."),
        ("No end\nof line", "No end of line"),
        ("---\n\n- First point\n- second", "First point"),
        ("1. Count. Then", "1. Count."),
        (
            "word " * 30,
            ("word " * 18).strip() + "…",
        ),
        ("长" * 200, "长" * 89 + "…"),
        ("word, " * 14 + "however-long-it-is", ("word, " * 14).strip(", ") + "…"),
    ],
)
def test_titles_of_texts_without_one(tmp_path: Path, text: str, title: str) -> None:
    """The first sentence with a word, without list marks, cut between words."""
    assert load(_written(tmp_path, "a.txt", text)).title == title


@pytest.mark.parametrize("text", ["", " \n ", "…!? 😀", "date 2025-03-05"])
def test_no_words_no_document(tmp_path: Path, text: str) -> None:
    """A file without a single word is refused."""
    with pytest.raises(LoadError, match="there is no text in it; "):
        load(_written(tmp_path, "a.txt", text))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xyz", r"files ending in \.xyz can't be read; convert it to one of \.htm, \.html, "),
        ("README", r"files without an ending can't be read; "),
        (".md", r"files without an ending can't be read; "),
    ],
)
def test_unknown_formats(tmp_path: Path, name: str, message: str) -> None:
    """What can't be read is named, with what can be."""
    with pytest.raises(UnknownFormat, match=message):
        load(_written(tmp_path, name, "Words."))


def test_what_is_no_file(tmp_path: Path) -> None:
    """Missing files and folders are refused, and files that can't be read say why."""
    (tmp_path / "folder.txt").mkdir()
    for name in ("folder.txt", "missing.txt", "x" * 300 + ".txt"):
        with pytest.raises(LoadError, match=r"no such file; |can't be opened"):
            load(tmp_path / name)


def test_files_that_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is passed on."""

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = _written(tmp_path, "a.txt", "Words.")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LoadError, match=r"can't be opened \(Permission denied\); check who"):
        load(path)


@given(st.lists(st.tuples(st.text(max_size=60), st.sampled_from([None, 1, 6]))))
@example([("  x", None), ("  y\n\n\nz ", None), (" A \n b ", 2), ("", 1)])
def test_blocks_are_put_together_exactly(parts: list[tuple[str, int | None]]) -> None:
    """The text is tidy, and every heading's span covers the heading's words."""
    text, headings = put_together([Block(words, level) for words, level in parts])
    assert tidy(text) == text
    expected = [(one_line(words), level) for words, level in parts if level and one_line(words)]
    assert [(heading.span.of(text), heading.level) for heading in headings] == expected
    for heading in headings:
        assert text[: heading.span.start].endswith("\n\n") or heading.span.start == 0
        assert text[heading.span.end :].startswith("\n\n") or heading.span.end == len(text)


def test_a_page_in_a_heading_is_no_heading() -> None:
    """Markup that was never closed doesn't make headings of paragraphs."""
    text, headings = put_together([Block("word " * 100, 1), Block("Real", 2)])
    assert [heading.span.of(text) for heading in headings] == ["Real"]
