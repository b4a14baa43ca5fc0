"""Files being uploaded: whole or not at all, under names that harm nothing, never in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from hypothesis import given
from hypothesis import strategies as st
from served import api, over

from rag import InputError, Library
from ui import uploads as module
from ui.jobs import Jobs
from ui.uploads import LONGEST_NAME, TooLarge, Uploads, safe_name

HERON = b"The heron of Aldmoor counts exactly seventeen frogs each morning."
MEBIBYTE = 1024**2


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def client(library: Library) -> TestClient:
    """The API over it."""
    return api(library)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    """A folder for files of at most a thousand bytes."""
    made = Uploads(tmp_path)
    made.most = 1000
    return made


def held(uploads: Uploads) -> dict[str, bytes]:
    """What lies in the folder, hidden files and all."""
    return {path.name: path.read_bytes() for path in uploads.folder.iterdir()}


def test_what_is_on_its_way_stays(uploads: Uploads) -> None:
    """Though the clock was set, and makes it look like what a killed server left."""
    with uploads.draft() as draft:
        draft.write(HERON)
        (path,) = uploads.folder.iterdir()
        os.utime(path, (0, 0))
        assert sent(uploads, "other.txt", [b"x"]) == ("other.txt", True)
        assert draft.keep("heron.txt").new
    assert held(uploads) == {"heron.txt": HERON, "other.txt": b"x"}


def sent(uploads: Uploads, name: str, pieces: Iterable[bytes]) -> tuple[str, bool]:
    """Send a file; gives the name that it got, and whether it is new."""
    with uploads.draft() as draft:
        for piece in pieces:
            draft.write(piece)
        kept = draft.keep(name)
    assert kept.size == (uploads.folder / kept.name).stat().st_size
    return kept.name, kept.new


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("heron.txt", "heron.txt"),
        ("Émile à l'école (2).pdf", "Émile à l'école (2).pdf"),
        ("Cafe\u0301.txt", "Caf\u00e9.txt"),  # as macOS writes it
        ("報告書.docx", "報告書.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\a.txt", "a.txt"),
        ("/a.txt", "a.txt"),
        (".bashrc", "bashrc"),
        (".. .a.txt. .", "a.txt"),
        ("a\0b\nc\x7f\u202etxt.exe", "abctxt.exe"),
        ("line\u2028break.md", "linebreak.md"),
        ('what? <"a":b|c*>.txt', "what_ __a__b_c__.txt"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("LPT9.tar.gz", "_LPT9.tar.gz"),
        ("COM¹.txt", "_COM¹.txt"),
        ("console.txt", "console.txt"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("é" * 300 + ".pdf", "é" * 98 + ".pdf"),
        ("a." + "b" * 300, "a." + "b" * 198),
    ],
)
def test_names_are_made_safe(given: str, name: str) -> None:
    """The last part of a path, without what controls, hides or means a device."""
    assert safe_name(given) == name


@pytest.mark.parametrize("given", ["", ".", "..", "/", "a/", "...", "\0", "?*", "\u202e", " . "])
def test_what_is_no_name(given: str) -> None:
    """Nothing is made up in its place."""
    with pytest.raises(InputError, match="a file needs a name"):
        safe_name(given)


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_a_safe_name_is_safe(given: str) -> None:
    """Whatever was given: a file of that name lies in its folder, and made safe it is the same."""
    try:
        name = safe_name(given)
    except InputError:
        return
    assert 0 < len(name.encode()) <= LONGEST_NAME
    assert Path("/x", name).parent == Path("/x")
    assert not name.startswith((".", " "))
    assert safe_name(name) == name


def test_the_same_name_twice(uploads: Uploads) -> None:
    """Other content gets a number, the same content is the same file, whichever it was."""
    assert sent(uploads, "a.tar.gz", [b"one"]) == ("a.tar.gz", True)
    assert sent(uploads, "a.tar.gz", [b"o", b"ne"]) == ("a.tar.gz", False)
    assert sent(uploads, "a.tar.gz", [b"two"]) == ("a.tar (2).gz", True)
    assert sent(uploads, "a.tar.gz", [b"three"]) == ("a.tar (3).gz", True)
    assert sent(uploads, "a.tar.gz", [b"two"]) == ("a.tar (2).gz", False)
    assert sent(uploads, "empty", [b""]) == ("empty", True)
    long = "b" * 196 + ".txt"
    assert sent(uploads, long, [b"one"]) == (long, True)
    assert sent(uploads, long, [b"two"]) == ("b" * 192 + " (2).txt", True)
    assert sorted(held(uploads)) == sorted(
        ["a.tar.gz", "a.tar (2).gz", "a.tar (3).gz", "empty", long, "b" * 192 + " (2).txt"]
    )
    assert held(uploads)["a.tar (2).gz"] == b"two"


def test_what_is_half_sent_leaves_nothing(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends it: too many bytes, a full disk, Ctrl-C, or a name that can't be given."""

    def interrupted() -> Iterator[bytes]:
        yield b"half"
        assert len(held(uploads)) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sent(uploads, "a.txt", interrupted())
    assert held(uploads) == {}
    with pytest.raises(TooLarge):
        sent(uploads, "a.txt", [b"x" * 1000, b"x"])
    assert held(uploads) == {}
    assert sent(uploads, "thousand.txt", [b"x" * 1000]) == ("thousand.txt", True)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(*((os, step) if step == "fsync" else (Path, step)), full)
            with pytest.raises(OSError, match="No space left"):
                sent(uploads, "a.txt", [b"whole"])
        assert sorted(held(uploads)) == ["thousand.txt"]


def test_what_a_killed_server_left_is_cleared_away(uploads: Uploads) -> None:
    """Soon after; what is being sent to another server at the moment is left alone."""
    uploads.folder.mkdir()
    names = ("old", "fresh", "slow")
    old, fresh, slow = (uploads.folder / f"{module._DRAFT}{name}" for name in names)
    for path in (old, fresh, slow):
        path.write_bytes(b"half")
    with slow.open("rb") as file:
        module._lock(file)
        for path in (old, slow):
            os.utime(path, (0, 0))
        sent(uploads, "a.txt", [b"a"])
        left = [fresh.name, *([slow.name] if os.name == "posix" else []), "a.txt"]
        assert sorted(held(uploads)) == left
    sent(uploads, "b.txt", [b"b"])
    assert sorted(held(uploads)) == [fresh.name, "a.txt", "b.txt"]


def test_sent_and_indexed(library: Library, tmp_path: Path) -> None:
    """Kept within the library, indexed by its name, and found; nothing says where it lies."""
    jobs = Jobs(library)
    client = api(library, jobs=jobs)
    response = client.put("/files/..%2fheron.txt", content=HERON)
    assert (response.status_code, response.json()) == (
        201,
        {"name": "heron.txt", "size": len(HERON), "new": True},
    )
    assert (library.path / "files" / "heron.txt").read_bytes() == HERON
    again = client.put("/files/heron.txt", content=HERON, headers={"content-type": "text/plain"})
    assert (again.status_code, again.json()["new"]) == (200, False)
    other = client.put("/files/heron.txt", content=b"Wells are deep.")
    assert (other.status_code, other.json()["name"]) == (201, "heron (2).txt")

    started = client.post("/jobs", json={"files": ["heron.txt", "heron (2).txt"]})
    assert (started.status_code, started.json()["names"]) == (202, ["heron.txt", "heron (2).txt"])
    (job,) = jobs.all()
    report = over(jobs, job).report
    assert report is not None
    assert report.added == 2
    held = {Path(one.source).name for one in library.report()}
    assert held == {"heron.txt", "heron (2).txt"}
    hits = client.get("/search", params={"q": "How many frogs does the heron count?"})
    assert hits.json()["hits"][0]["source"] == "heron.txt"
    assert str(tmp_path) not in response.text + started.text + hits.text
    jobs.close()


@pytest.mark.parametrize(
    "name", ["gone.txt", "../library.db", "/etc/passwd", "..", ".hidden", "sub/a.txt", "."]
)
def test_only_what_was_sent_is_indexed_by_name(
    client: TestClient, library: Library, name: str
) -> None:
    """A name is no way out of the folder."""
    client.put("/files/a.txt", content=b"a")
    (library.path / "files" / ".hidden").write_text("hidden")
    (library.path / "files" / "sub").mkdir()
    (library.path / "files" / "sub" / "a.txt").write_text("below")
    response = client.post("/jobs", json={"files": ["a.txt", name]})
    assert (response.status_code, response.json()["type"]) == (422, "/api/v1/problems/impossible")
    assert client.get("/jobs").json() == {"jobs": []}


def test_what_is_refused(client: TestClient, library: Library) -> None:
    """Too large by what it says, before a byte is taken; and a name that is none."""
    response = client.put("/files/a.txt", content=b"a", headers={"content-length": str(2**31 + 1)})
    assert (response.status_code, response.json()["type"]) == (413, "/api/v1/problems/too-large")
    assert response.json()["detail"] == (
        "A file may have up to 2 GiB; index a larger one by its path."
    )
    assert client.put("/files/%2e%2e%2f", content=b"a").status_code == 422
    assert client.put("/files/", content=b"a").status_code == 422
    (library.path / "files").write_text("in the way")
    blocked = client.put("/files/a.txt", content=b"a")
    assert (blocked.status_code, blocked.json()["type"]) == (507, "/api/v1/problems/not-kept")
    assert str(library.path) not in blocked.text


def test_what_turns_out_too_large(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that doesn't say its length is cut off where it grows too long."""
    monkeypatch.setattr(module, "MOST_BYTES", 1000)

    def body() -> Iterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    response = api(library).put("/files/a.txt", content=body())
    assert response.status_code == 413
    assert list((library.path / "files").iterdir()) == []
