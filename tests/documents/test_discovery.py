from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from nobody import as_nobody

from rag.documents.discovery import Discovery, discover
from rag.errors import InputError, SourceNotFound
from rag.types import Failure


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\0" if path.suffix == ".xyz" else f"Words of {name!r}.")


def _discover(*paths: Path, exclude: tuple[str, ...] = ()) -> Discovery:
    return discover(paths, leave_out=paths[0] / "library", exclude=exclude)


def _names(folder: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    """The files that are found in a folder, below it."""
    found = _discover(folder, exclude=exclude)
    return [str(file.relative_to(folder)) for file in found.files]


def _skipped(found: Discovery) -> list[tuple[str, str]]:
    return [(Path(one.source).name, one.reason) for one in found.skipped]


def test_files_come_in_order_and_once(tmp_path: Path) -> None:
    """A folder's own files first, by name; what was given twice is there once."""
    _write(tmp_path, "b.txt", "a.md", "sub/c.html", "sub/deep/d.pdf", "README", "a.xyz")
    found = _discover(tmp_path, tmp_path / "sub", tmp_path / "b.txt")
    assert [str(file.relative_to(tmp_path)) for file in found.files] == [
        *("README", "a.md", "b.txt", "sub/c.html", "sub/deep/d.pdf")
    ]
    assert found.named == (tmp_path / "b.txt",)
    assert found.folders == (tmp_path, tmp_path / "sub")
    assert _skipped(found) == [("a.xyz", ".xyz files are not read")]


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden.txt", ".git/config.txt", ".~lock.report.odt#", "~$report.docx", "~$lock/a.txt"),
        *("Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", "Icon\r", "._report.txt"),
        *("__MACOSX/a.txt", "$RECYCLE.BIN/a.txt", "sub/.DS_Store", "sub/~$report.docx"),
    ],
)
def test_debris_is_left_out_without_a_word(tmp_path: Path, name: str) -> None:
    """Hidden files, locks of office programs, and what systems leave behind."""
    _write(tmp_path, name, "report.docx", "sub/report.docx")
    found = _discover(tmp_path)
    assert found.files == (tmp_path / "report.docx", tmp_path / "sub/report.docx")
    assert found.skipped == ()


def test_a_name_like_debris_is_read(tmp_path: Path) -> None:
    """Only the whole name, or its beginning, tells."""
    _write(tmp_path, "a.~$b.txt", "desktop.ini.txt", "My Thumbs.db.md", "..txt.d/a.txt")
    assert _names(tmp_path) == ["My Thumbs.db.md", "a.~$b.txt", "desktop.ini.txt"]


def test_what_is_named_is_taken_whatever_its_name(tmp_path: Path) -> None:
    """A person who names a hidden file means it."""
    _write(tmp_path, ".secret.txt", "a.xyz")
    found = discover([tmp_path / ".secret.txt", tmp_path / "a.xyz"], leave_out=tmp_path / "x")
    assert found.files == found.named == (tmp_path / ".secret.txt", tmp_path / "a.xyz")


def test_links_to_folders_are_named_not_followed(tmp_path: Path) -> None:
    """A link to the folder above would never end, and two to one folder would read it twice."""
    _write(tmp_path, "docs/a.txt", "elsewhere/b.txt")
    docs = tmp_path / "docs"
    (docs / "up").symlink_to(tmp_path)
    (docs / "here").symlink_to(".")
    (docs / "one").symlink_to(tmp_path / "elsewhere")
    (docs / "two").symlink_to(tmp_path / "elsewhere")
    (docs / ".hidden").symlink_to(tmp_path / "elsewhere")
    found = _discover(docs, exclude=("two",))
    reason = "it is a link to a folder, and such links aren't followed; index the folder itself"
    assert found.files == (docs / "a.txt",)
    assert _skipped(found) == [("here", reason), ("one", reason), ("up", reason)]


def test_a_link_to_a_folder_that_is_given_is_followed(tmp_path: Path) -> None:
    """Its files keep the name that people know."""
    _write(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert _discover(tmp_path / "link").files == (tmp_path / "link" / "a.txt",)


def test_links_to_files(tmp_path: Path) -> None:
    """One is read under its own name; one that leads nowhere is a file that can't be read."""
    _write(tmp_path, "real/a.txt")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "link.txt").symlink_to(tmp_path / "real" / "a.txt")
    (docs / "dangling.txt").symlink_to(tmp_path / "nowhere.txt")
    (docs / "itself.txt").symlink_to(docs / "itself.txt")
    assert _names(docs) == ["dangling.txt", "itself.txt", "link.txt"]
    with pytest.raises(SourceNotFound, match="there is no file or folder"):
        _discover(docs / "dangling.txt")
    with pytest.raises(SourceNotFound, match=r"can't be accessed \(Too many levels of symbolic"):
        _discover(docs / "itself.txt")


def test_folders_without_permission_are_named_and_lose_nothing() -> None:
    """Each has failed; what the library has from there counts as not seen, rather than gone."""
    # Not in tmp_path, whose parents are closed to others.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        _write(folder, "a.txt", "closed/b.txt", "open/c.txt")
        (folder / "closed").chmod(0)
        try:
            with as_nobody():
                found = _discover(folder)
                with pytest.raises(SourceNotFound, match=r"\(Permission denied\); check who may"):
                    _discover(folder / "closed" / "b.txt")
        finally:
            (folder / "closed").chmod(0o755)
    closed = folder / "closed"
    reason = "it can't be listed (Permission denied); check who may read it"
    assert found.files == (folder / "a.txt", folder / "open/c.txt")
    assert found.failed == (Failure(str(closed), reason),)
    assert found.covers(str(folder / "gone.txt"))
    assert not found.covers(str(closed / "b.txt"))
    assert not found.covers("/elsewhere/b.txt")


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (("*.md",), ["a.txt", "drafts/b.txt", "sub/drafts/c.txt"]),
        (("*.txt", "!a.txt"), ["a.txt", "drafts/x.md", "x.md"]),
        (("!a.txt", "*.txt"), ["drafts/x.md", "x.md"]),
        (("drafts/",), ["a.txt", "x.md"]),
        (("/drafts/",), ["a.txt", "sub/drafts/c.txt", "x.md"]),
        (("drafts/*", "!drafts/x.md"), ["a.txt", "drafts/x.md", "sub/drafts/c.txt", "x.md"]),
        (("drafts/", "!drafts/x.md"), ["a.txt", "x.md"]),
        (("/*", "!/drafts/"), ["drafts/b.txt", "drafts/x.md"]),
        (("**/c.txt",), ["a.txt", "drafts/b.txt", "drafts/x.md", "x.md"]),
        (("# *.md", "", "  "), [*("a.txt", "drafts/b.txt", "drafts/x.md"), "sub/drafts/c.txt"]),
        (("[ab].txt",), ["drafts/x.md", "sub/drafts/c.txt", "x.md"]),
    ],
)
def test_excludes_are_those_of_a_gitignore(
    tmp_path: Path, patterns: tuple[str, ...], left: list[str]
) -> None:
    """The last that matches decides, and nothing comes back from a folder that is excluded."""
    _write(tmp_path, "a.txt", "x.md", "drafts/b.txt", "drafts/x.md", "sub/drafts/c.txt")
    if patterns[0].startswith("#"):
        left = [*left, "x.md"]
    assert sorted(_names(tmp_path, patterns)) == sorted(left)


@pytest.mark.parametrize("pattern", ["!", "\\", "[z-a].txt"])
def test_patterns_that_are_none_are_refused(tmp_path: Path, pattern: str) -> None:
    """In words, not by a parser's error."""
    with pytest.raises(InputError, match=r"“.+” is not a valid \.gitignore pattern; see"):
        _discover(tmp_path, exclude=("*.md", pattern))


def test_names_of_any_kind(tmp_path: Path) -> None:
    """Line feeds, emoji, blanks and bytes that are no UTF-8 are names like others."""
    odd = os.fsdecode(b"caf\xe9.txt")
    _write(
        tmp_path, "two\nlines.txt", "🦜.md", " .txt", odd, "in\na folder/x\ny.txt", "e\u0301.txt"
    )
    everything = [" .txt", odd, "e\u0301.txt", "in\na folder/x\ny.txt", "two\nlines.txt", "🦜.md"]
    assert sorted(_names(tmp_path)) == sorted(everything)
    assert sorted(_names(tmp_path, ("*.md", "in*/**"))) == sorted(
        [" .txt", odd, "e\u0301.txt", "two\nlines.txt"]
    )
    assert _names(tmp_path / "in\na folder", ("x*",)) == []
    (tmp_path / os.fsdecode(b"\xff.xyz")).write_bytes(b"\0")
    assert _discover(tmp_path).skipped == (
        Failure(f"{tmp_path}/\\udcff.xyz", ".xyz files are not read", "unsupported"),
    )


def test_libraries_are_left_out(tmp_path: Path) -> None:
    """The one that is written to, by whatever path, and any other: they are no documents."""
    _write(tmp_path, "docs/a.txt", "docs/mine/b.txt")
    _write(tmp_path, *(f"docs/other/{name}" for name in ("library.db", "published.json", "c.txt")))
    _write(tmp_path, "docs/other/words/meta.json", "docs/half/published.json")
    (tmp_path / "link").symlink_to(tmp_path / "docs")
    found = discover([tmp_path / "link"], leave_out=tmp_path / "docs" / "mine")
    assert found.files == (tmp_path / "link/a.txt", tmp_path / "link/half/published.json")
    inside = discover([tmp_path / "docs" / "mine"], leave_out=tmp_path / "docs" / "mine")
    assert inside.files == ()


@pytest.mark.parametrize("name", ["nowhere", "a.txt/b", "nul\0"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    """It says what to do where it is gone for good."""
    _write(tmp_path, "a.txt")
    with pytest.raises(SourceNotFound, match="gone for good: rag remove"):
        discover([tmp_path / name], leave_out=tmp_path / "library")


def test_a_folder_says_nothing_of_the_library_in_it(tmp_path: Path) -> None:
    """A file that was named there hasn't gone; in a folder within the library, others have."""
    _write(tmp_path, "a.txt", "library/b.txt", "library/articles/c.txt")
    above = _discover(tmp_path)
    assert above.files == (tmp_path / "a.txt",)
    assert above.covers(str(tmp_path / "gone.txt"))
    for name in ("library/b.txt", "library/files/d.txt", "library/articles/gone.txt"):
        assert not above.covers(str(tmp_path / name))
    within = discover(
        [tmp_path / "library" / "articles"], leave_out=tmp_path / "library", exclude=()
    )
    assert within.files == (tmp_path / "library/articles/c.txt",)
    assert within.covers(str(tmp_path / "library/articles/gone.txt"))
    assert not within.covers(str(tmp_path / "library/b.txt"))
