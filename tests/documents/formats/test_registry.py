from __future__ import annotations

import hashlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag.documents.archives
import rag.documents.registry
from rag.documents.read_options import ONLY_A_PICTURE
from rag.documents.registry import Loaded, Member, load, supported
from rag.errors import LoadError
from rag.types import Document, Failure, Span

SEED = Path(__file__).parents[3] / "seeds" / "000_b4b8cba14608a5c3.txt"


def _written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def _only(path: Path) -> Document:
    """The one document that a plain file is."""
    (document,) = load(path)
    assert isinstance(document, Document)
    return document


def _shown(path: Path) -> list[tuple[str, str]]:
    """Source below the file, and text or reason, of all that comes out of it."""
    return [
        (one.source.removeprefix(str(path)), one.text if isinstance(one, Document) else one.reason)
        for one in load(path)
    ]


def test_the_seed_becomes_a_document() -> None:
    """Id and digest come from the bytes, the title from the first sentence."""
    document = _only(SEED)
    digest = hashlib.sha256(SEED.read_bytes()).hexdigest()
    assert document.digest == digest
    assert document.id == digest[:20]
    assert document.source == str(SEED)
    assert document.title == (
        "India and Belgium are actively exploring defence cooperation in the Indo-Pacific region…"
    )
    assert str(document.date) == "2025-03-05"


@pytest.mark.parametrize("suffix", sorted(supported()))
def test_every_loader_is_there(suffix: str) -> None:
    """What the tables name exists."""
    tables = rag.documents.registry._LOADERS | rag.documents.registry._CONTAINERS
    assert callable(pkgutil.resolve_name(f"rag.documents.{tables[suffix]}"))


def test_importing_the_registry_is_light() -> None:
    """No parser is imported before a file needs it."""
    code = "import sys, rag.documents.registry; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert loaded.isdisjoint(
        {"lxml", "trafilatura", "markdown_it", "yaml", "chardet", "puremagic"}
        | {"pypdfium2", "docx", "pptx", "openpyxl", "docutils", "dateutil"}
    )


def test_the_source_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is completed, links in it left alone."""
    _written(tmp_path, "a.txt", "Words.")
    monkeypatch.chdir(tmp_path)
    assert _only(Path("a.txt")).source == str(tmp_path / "a.txt")


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
    assert _only(_written(tmp_path, "a.txt", text)).title == title


def test_where_a_title_is_from(tmp_path: Path) -> None:
    """The file's own, or else one that was found in its content; none is endless."""
    own = _only(_written(tmp_path, "a.md", "---\ntitle: Own\n---\nWords of it."))
    heading = _only(_written(tmp_path, "b.md", "# Heading\n\nWords of it."))
    sentence = _only(_written(tmp_path, "c.txt", "Words of it. And more."))
    endless = _only(_written(tmp_path, "d.md", f"---\ntitle: {'word ' * 5000}\n---\nWords."))
    assert [(one.title, one.metadata["title_from"]) for one in (own, heading, sentence)] == [
        ("Own", "file"),
        ("Heading", "document"),
        ("Words of it.", "document"),
    ]
    assert len(endless.title) <= 500
    assert endless.title.endswith("word…")


@pytest.mark.parametrize("text", ["", " \n ", "…!? 😀", "date 2025-03-05"])
def test_no_words_no_document(tmp_path: Path, text: str) -> None:
    """A file without a single word is refused."""
    with pytest.raises(LoadError, match="there is no text in it; "):
        list(load(_written(tmp_path, "a.txt", text)))


def test_what_is_no_file(tmp_path: Path) -> None:
    """Missing files and folders are refused, and files that can't be read say why."""
    (tmp_path / "folder.txt").mkdir()
    for name in ("folder.txt", "missing.txt", "x" * 300 + ".txt"):
        with pytest.raises(LoadError, match=r"no such file; |can't be opened"):
            list(load(tmp_path / name))


def test_files_that_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is passed on."""

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    path = _written(tmp_path, "a.txt", "Words.")
    monkeypatch.setattr("rag.documents.content.open_file", refuse)
    with pytest.raises(LoadError, match=r"can't be opened \(Permission denied\); check who"):
        list(load(path))


def _register(monkeypatch: pytest.MonkeyPatch, container: object) -> None:
    """Make ``container`` what opens files that end in .box."""
    registered = rag.documents.registry._CONTAINERS | {".box": "archives:members_of_box"}
    monkeypatch.setattr(rag.documents.registry, "_CONTAINERS", registered)
    monkeypatch.setattr(rag.documents.archives, "members_of_box", container, raising=False)


def test_a_container_reads_like_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members have sources below the file's and the digests of their own bytes; one that fails
    costs itself alone, and two of one name stay apart.
    """

    def members(_: bytes) -> Iterator[Member | Failure]:
        yield Member("", Loaded("The letter itself."))
        yield Member("2024/jan.txt", b"Words of January.")
        yield Failure("locked.txt", "it is locked")
        yield Member("photo.png", b"\x89PNG\r\n\x1a\n")
        yield Member("empty.txt", b"")
        yield Member("2024/jan.txt", b"Other words.")
        yield Member("row", Loaded("A row.", title="Row"))

    _register(monkeypatch, members)
    path = _written(tmp_path, "a.box", "box")
    assert _shown(path) == [
        ("", "The letter itself."),
        ("/2024/jan.txt", "Words of January."),
        ("/locked.txt", "it is locked"),
        ("/photo.png", ONLY_A_PICTURE),
        ("/empty.txt", "there is no text in it; remove it, or exclude it from indexing"),
        ("/2024/jan (2).txt", "Other words."),
        ("/row", "A row."),
    ]
    letter, january, *_, row = [one for one in load(path) if isinstance(one, Document)]
    assert letter.digest == hashlib.sha256(b"box").hexdigest()
    assert january.digest == hashlib.sha256(b"Words of January.").hexdigest()
    said = '["Row", null, "A row.", []]'
    assert row.digest == hashlib.sha256(said.encode()).hexdigest()
    assert row.id == row.digest[:20]
    assert [one.kind == "unsupported" for one in load(path) if isinstance(one, Failure)] == [
        False,
        True,
        False,
    ]


def test_members_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a source of its own, and a nameless failure too."""

    def members(_: bytes) -> Iterator[Member | Failure]:
        yield Member("a (2).txt", b"Words.")
        for _ in range(900):
            yield Failure("a.txt", "locked")
        yield Failure("", "locked")
        yield Failure("/", "locked")

    _register(monkeypatch, members)
    sources = [source for source, _ in _shown(_written(tmp_path, "a.box", "box"))]
    assert len(set(sources)) == len(sources) == 903
    assert sources[:3] == ["/a (2).txt", "/a.txt", "/a (3).txt"]
    assert sources[900] == "/a (901).txt"


def test_members_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read ahead of what was asked for."""
    made: list[int] = []

    def members(_: bytes) -> Iterator[Member]:
        for number in range(10):
            made.append(number)
            yield Member(f"{number}.txt", b"Words.")

    _register(monkeypatch, members)
    results = load(_written(tmp_path, "a.box", "box"))
    assert made == []
    next(results)
    next(results)
    assert made == [0, 1]


def test_a_container_that_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read stays, and the break is a Failure of the file; before the first member it
    is an error.
    """

    def members(data: bytes) -> Iterator[Member]:
        if data == b"late":
            yield Member("a.txt", b"Words.")
        raise LoadError("it is cut off")

    _register(monkeypatch, members)
    assert _shown(_written(tmp_path, "a.box", "late")) == [
        ("/a.txt", "Words."),
        ("", "it is cut off"),
    ]
    with pytest.raises(LoadError, match="it is cut off"):
        list(load(_written(tmp_path, "b.box", "soon")))


def test_a_parser_that_trips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a parser raises is an error of that file alone, in words."""

    def members(_: bytes) -> Iterator[Member]:
        yield Member("a.txt", b"Words.")
        raise KeyError("xref")

    def trip(_: bytes) -> Loaded:
        raise RecursionError("too\ndeep")

    _register(monkeypatch, members)
    assert _shown(_written(tmp_path, "a.box", "box")) == [
        ("/a.txt", "Words."),
        ("", "its parser gave up (KeyError: 'xref'); open it in its program and save it again"),
    ]
    monkeypatch.setattr("rag.documents.formats.plain_text.load_plain", trip)
    with pytest.raises(LoadError, match=r"gave up \(RecursionError: too deep\); open it"):
        list(load(_written(tmp_path, "a.txt", "Words.")))


def test_containers_in_containers_have_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four of them are opened, and no more members or bytes than is safe, wherever they lie."""

    def endless(_: bytes) -> Iterator[Member]:
        yield Member("b.box", b"box")

    _register(monkeypatch, endless)
    path = _written(tmp_path, "a.box", "box")
    assert _shown(path) == [
        ("/b.box" * 4, "more than 4 archives are nested in each other here; unpack them first")
    ]

    def many(_: bytes) -> Iterator[Member]:
        for number in range(5):
            yield Member(f"{number}.txt", b"Words.")

    _register(monkeypatch, many)
    monkeypatch.setattr(rag.documents.registry, "_MOST_MEMBERS", 3)
    assert _shown(path)[2:] == [("/2.txt", "Words."), ("", rag.documents.registry._TOO_MUCH)]
    monkeypatch.setattr(rag.documents.registry, "_MOST_MEMBERS", 10)
    monkeypatch.setattr(rag.documents.registry, "max_unpacked_size", lambda size: 4 * size + 1)
    assert _shown(path)[1:] == [("/1.txt", "Words."), ("", rag.documents.registry._TOO_MUCH)]


def test_pages_and_warnings_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a loader says of pages and losses stands in the document."""
    loaded = Loaded("i", pages=(Span(0, 1),), page_labels=("iv",), warnings=("page 2 is a scan",))
    monkeypatch.setattr("rag.documents.formats.plain_text.load_plain", lambda _: loaded)
    document = _only(_written(tmp_path, "a.txt", "x"))
    assert (document.pages, document.page_labels) == ((Span(0, 1),), ("iv",))
    assert document.warnings == ("page 2 is a scan",)
