from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from rag.documents.formats.json_text import members_of_json, members_of_json_lines
from rag.documents.loaded import Loaded, Member
from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document, Failure, Heading, Span

RECORD = {
    "ID": 7,
    "Headline": " Tea  prices ",
    "Body": "Tea is dearer.\r\n\r\n\r\nMuch dearer.",
    "published_at": "2025-03-05T10:00:00Z",
    "author": {"name": "Jane Doe", "id": 3},
    "lang": "en",
    "tags": ["tea", "trade"],
    "draft": False,
    "score": 0.5,
    "nested": {"deep": "value"},
    "nothing": None,
}


def _member(value: object) -> Loaded:
    (member,) = members_of_json(json.dumps(value).encode())
    assert isinstance(member, Member)
    assert member.name == ""
    assert isinstance(member.content, Loaded)
    return member.content


def _texts(path: Path) -> list[tuple[str, str]]:
    """Sources below the file, and texts or reasons."""
    return [
        (one.source.removeprefix(str(path)), one.text if isinstance(one, Document) else one.reason)
        for one in load(path)
    ]


def test_a_record() -> None:
    """The text's field, title, date, author and language by their names; the rest is metadata."""
    assert _member(RECORD) == Loaded(
        text="Tea is dearer.\n\nMuch dearer.",
        title="Tea prices",
        date=dt.date(2025, 3, 5),
        metadata={
            "ID": "7",
            "tags": "tea, trade",
            "draft": "false",
            "score": "0.5",
            "author": "Jane Doe",
            "language": "en",
            "title_from": "file",
            "date_from": "file",
            "author_from": "file",
            "language_from": "file",
        },
    )


def test_title_leads_a_long_text() -> None:
    """As its headline, from a thousand characters on."""
    body = "Tea is dear. " * 76 + "Tea is dear."
    found = _member({"title": "Tea  prices", "text": body})
    assert (len(body), found.text) == (1000, f"Tea prices\n\n{body}")
    assert found.headings == (Heading(Span(0, len("Tea prices")), 1),)
    assert found.title == "Tea prices"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Tea prices", "x" * 999),
        ("Tea prices", f"Tea prices\n\n{'x' * 1000}"),
        ("", "x" * 1000),
        ("t" * 201, "x" * 1000),
    ],
    ids=["short text", "stands there already", "none", "no headline"],
)
def test_title_that_leads_nothing(title: str, text: str) -> None:
    """The text is as it was written, and the title is known."""
    found = _member({"title": title, "text": text})
    assert (found.text, found.headings, found.title) == (text, (), title or None)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"description": "Short.", "text": "The text."}, "The text."),
        ({"text": " ", "abstract": "The abstract."}, "The abstract."),
        ({"text": ["One.", "Two."]}, "One.\n\nTwo."),
        ({"a": "not so long", "note": "This is the longest of all the fields."}, None),
        ({"a": "短", "b": "这是最长的一个字段。"}, "这是最长的一个字段。"),
        ({"text": 3, "content": {"x": "y"}, "body": "It."}, "It."),
    ],
)
def test_which_field_is_the_text(record: dict[str, object], text: str | None) -> None:
    """The first of the known names that has words, or else the longest that reads like a text."""
    assert _member(record).text == (text or "This is the longest of all the fields.")


@pytest.mark.parametrize(
    ("written", "date", "kept"),
    [
        ("2025-03-05", dt.date(2025, 3, 5), None),
        ("03/04/2025", None, "03/04/2025"),
        (1741132800, None, "1741132800"),
    ],
)
def test_a_date_that_is_none_is_kept(
    written: object, date: dt.date | None, kept: str | None
) -> None:
    """What names no single day stays in the metadata."""
    loaded = _member({"text": "Words.", "date": written})
    assert (loaded.date, loaded.metadata.get("date")) == (date, kept)


def test_settings_are_lines() -> None:
    """What is no record is shown as a person would write it down."""
    value = {
        "name": "rag",
        "private": True,
        "keywords": ["search", "answers"],
        "scripts": {"test": "pytest", "more": {"lint": "ruff check"}},
        "people": [{"name": "Jane"}, {"name": "Bob"}],
        "none": None,
    }
    assert _member(value) == Loaded(
        """\
name: rag
private: true
keywords: search, answers
scripts:
  test: pytest
  more:
    lint: ruff check
people:
  name: Jane

  name: Bob
none:"""
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(["One", "Two"], "One\nTwo"), ("Words.", "Words."), ([[1, 2], [3]], "1\n2\n\n3")],
)
def test_other_values_are_lines(value: object, text: str) -> None:
    """Lists and bare values, too."""
    assert _member(value).text == text


def test_an_array_of_records(tmp_path: Path) -> None:
    """Each is a document, named by its number, with an id of its own."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps([RECORD, {"text": "Other words."}, {"n": 1}, {}]))
    assert _texts(path) == [
        ("/1", "Tea is dearer.\n\nMuch dearer."),
        ("/2", "Other words."),
        ("/3", "n: 1"),
        ("/4", "there is no text in it; remove it, or exclude it from indexing"),
    ]
    first = next(load(path))
    assert isinstance(first, Document)
    assert (first.title, first.date) == ("Tea prices", dt.date(2025, 3, 5))


def _ids(path: Path, *records: dict[str, object]) -> list[str]:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return [one.id for one in load(path) if isinstance(one, Document)]


def test_a_record_is_the_same_document_when_its_file_grows(tmp_path: Path) -> None:
    """Its id comes from what it says, not from what stands around it, nor in which order."""
    path = tmp_path / "a.jsonl"
    tea, oil = {"title": "Tea", "text": "Tea is dear."}, {"text": "Oil burns.", "by": "Ada"}
    (one,) = _ids(path, tea)
    assert _ids(path, oil, tea)[1] == _ids(path, {"text": "Tea is dear.", "title": "Tea"})[0] == one
    assert _ids(tmp_path / "b.jsonl", tea, tea) == [one, one]
    (tmp_path / "c.json").write_text(json.dumps([oil, tea]))
    assert [d.id for d in load(tmp_path / "c.json") if isinstance(d, Document)][1] == one


@pytest.mark.parametrize(
    "other",
    [{"title": "Te"}, {"text": "Oil."}, {"date": "2025-03-05"}, {"price": 3}, {"by": "Ada"}],
)
def test_records_that_differ_are_different_documents(
    tmp_path: Path, other: dict[str, object]
) -> None:
    """In title, text, date, or anything else that they say."""
    tea: dict[str, object] = {"title": "Tea", "text": "Tea is dear."}
    assert len(set(_ids(tmp_path / "a.jsonl", tea, tea | other))) == 2


def test_facts_under_other_names() -> None:
    """The first date that names one day; several authors; a field that is called like ours."""
    loaded = _member(
        {
            "text": "Words.",
            "date": "03/04/2025",
            "created_at": "2025-03-05",
            "authors": [{"name": "Ada", "age": 36}, {"name": "Bob"}, {"id": 3}],
            "date_from": "2025-01-01",
        }
    )
    assert loaded.date == dt.date(2025, 3, 5)
    assert loaded.metadata == {
        "date": "03/04/2025",
        "author": "Ada, Bob",
        "date_from_": "2025-01-01",
        "author_from": "file",
        "date_from": "file",
    }


def test_a_single_record_is_the_file(tmp_path: Path) -> None:
    """It has the file's source and digest."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RECORD))
    (document,) = load(path)
    assert isinstance(document, Document)
    assert document.source == str(path)
    assert document.digest == hashlib.sha256(path.read_bytes()).hexdigest()


LINES = (
    '\ufeff{"text": "First\u2028line."}\r\n'
    "\n"
    '{"text": "cut off\n'
    '"Just a string."\n'
    '{"title": "Last", "text": "The last line."}'
)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    """Bad lines are Failures by their number, and the others go on; the ending .json lies often."""
    path = tmp_path / name
    path.write_bytes(LINES.encode())
    assert _texts(path) == [
        ("/1", "First\nline."),
        ("/3", "line 3 is not valid JSON (Unterminated string starting at: column 10)"),
        ("/4", "Just a string."),
        ("/5", "The last line."),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"not valid JSON \(Expecting value: line 1, column 1\); fix"),
        (b'{"text": "cut', r"not valid JSON \(Unterminated string starting at: line 1, column 10"),
        (b"{'a': 1}", r"not valid JSON \(Expecting property name enclosed in double quotes: "),
        (b"[" * 100_000, r"not valid JSON \(it is nested too deep\)"),
        (b"9" * 5000, r"not valid JSON \(Exceeds the limit"),
    ],
)
def test_what_is_no_json(data: bytes, message: str) -> None:
    """It is refused with the place where it breaks."""
    with pytest.raises(LoadError, match=message):
        list(members_of_json(data))


def test_hostile_lines() -> None:
    """Nesting and numbers without end cost their own line."""
    data = b"\n".join([b"[" * 100_000, b"9" * 5000, b'{"text": "Words."}', b"NaN"])
    deep, large, good, odd = members_of_json_lines(data)
    assert deep == Failure("1", "line 1 is not valid JSON (it is nested too deep)")
    assert isinstance(large, Failure)
    assert good == Member("3", Loaded("Words."))
    assert odd == Member("4", Loaded("nan"))


@pytest.mark.parametrize("depth", [100, *range(900, 1000, 5)])
def test_deep_but_readable(depth: int) -> None:
    """What the parser can read is shown, moved in no further than twenty levels; a line that it
    can't costs no other.
    """
    deep = '{"level": ' * depth + '"The deepest words."' + "}" * depth
    first, second = members_of_json_lines(f'{deep}\n{{"text": "Words."}}'.encode())
    assert second == Member("2", Loaded("Words."))
    if isinstance(first, Member):
        assert isinstance(first.content, Loaded)
        assert first.content.text.endswith(f"\n{' ' * 40}level: The deepest words.")
    else:
        assert first == Failure("1", "line 1 is not valid JSON (it is nested too deep)")
