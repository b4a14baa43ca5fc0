"""Reading a reader's own questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import InputError
from rag.evaluation.labelled_sets import Question, check_files, is_in_file, read_questions


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.csv", "question,expected,file\nWho sang?,Blue whales,\nWhat, then?,,a.txt\n"),
        ("mine.csv", "\ufeffQuestion;Expected;File\r\nWho sang?;Blue whales;\r\n"),
        ("mine.tsv", "question\texpected\tfile\nWho sang?\tBlue whales\t\n"),
        ("mine.jsonl", '{"question": "Who sang?", "expected": "Blue whales", "file": null}\n'),
    ],
)
def test_layouts(tmp_path: Path, name: str, content: str) -> None:
    """Commas, semicolons, tabs and JSON give the same question."""
    path = tmp_path / name
    path.write_text(content.replace("What, then?", '"What, then?"'))
    found = read_questions(path)
    assert (found.name, found.documents) == ("mine", None)
    assert found.questions[0] == Question("1", "Who sang?", expected="Blue whales")
    assert [one.documents for one in found.questions[1:]] in ([], [{"a.txt": 1}])


def test_cells_of_several_lines(tmp_path: Path) -> None:
    """A quoted cell may hold line ends, and a row of empty cells is none."""
    path = tmp_path / "mine.csv"
    path.write_text('question,expected\n"Who\nsang?",whales\n,\nWhy?,"a ""song"""\n')
    found = read_questions(path)
    assert [one.text for one in found.questions] == ["Who\nsang?", "Why?"]
    assert found.questions[1].expected == 'a "song"'


def test_old_encodings(tmp_path: Path) -> None:
    """Spreadsheets save in the encoding of their country."""
    path = tmp_path / "mine.csv"
    path.write_bytes("question;expected\nWer schläft süß über Köln?;Bären\n".encode("cp1252"))
    assert read_questions(path).questions[0].text == "Wer schläft süß über Köln?"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "frage,expected\nWho?,x\n", "its columns are frage, expected; give a folder"),
        ("a.csv", "", "its columns are none"),
        ("a.csv", "question,expected\n", "there is no question in it"),
        ("a.csv", "question,expected\nWho?,\n", "a.csv, line 2: nothing says what is right"),
        ("a.csv", "question,expected\n,x\n", "a.csv, line 2: the question is empty"),
        ("a.jsonl", '{"expected": "x"}\n', "a.jsonl, line 1: there is no “question”"),
        ("a.jsonl", '{"question": "Who?"}\n', "line 1: nothing says what is right"),
        ("a.xlsx", "", r"\.xlsx are not read"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: str, reason: str) -> None:
    """The message says where, what, and how it should be."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=reason):
        read_questions(tmp_path / name)


@pytest.mark.parametrize(
    ("source", "file", "inside"),
    [
        ("/home/ada/letters/may.txt", "may.txt", True),
        ("/home/ada/letters/may.txt", "letters/may.txt", True),
        ("/home/ada/letters/may.txt", "/home/ada/letters/may.txt", True),
        ("/home/ada/letters/may.txt", "ay.txt", False),
        ("/home/ada/letters/may.txt", "notes/may.txt", False),
        ("/home/ada/mail.mbox/17", "mail.mbox", True),
        ("/home/ada/mail.mbox/17", "mail.mbox/18", False),
    ],
)
def test_which_file_a_source_is(source: str, file: str, inside: bool) -> None:  # noqa: FBT001
    """Whole names from the end of the path, or of a file that holds it."""
    assert is_in_file(source, file) is inside


def test_file_that_is_not_in_the_library() -> None:
    """A slip in a name must not look like a question that failed."""
    questions = [Question("1", "Who?", {"may.txt": 1}), Question("2", "Why?", {"june.txt": 1})]
    with pytest.raises(InputError, match=r"name june\.txt, which is not in the library"):
        check_files(questions, ["/home/ada/may.txt"])
