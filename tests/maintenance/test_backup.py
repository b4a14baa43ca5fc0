"""A library in one file, and out of it again."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import InputError, Library, LibraryBusy, LibraryDamaged, RagError
from rag.maintenance import backup

QUESTIONS = ["What does the turret weigh?", "How long does bread bake?", "llamas", '"blue whales"']


def told(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture
def archive(tmp_path: Path, articles: Path) -> Path:
    """Of a library that was changed since it was made, and was sent a file."""
    path = tmp_path / "library"
    with Library.open(path, embedder=HashingEmbedder()) as library:
        library.index(articles)
        (articles / "tanks.txt").write_text("The turret weighs four tons. It is from Ghent.")
        library.index(articles)
        (path / "files").mkdir()
        (path / "files" / "sent.txt").write_text("Llamas carry wool. They spit.")
        library.index(path / "files" / "sent.txt")
        backup.export(path, tmp_path / "one.zip", told)  # while it is open
    return tmp_path / "one.zip"


def test_it_answers_as_before(archive: Path, tmp_path: Path) -> None:
    """Hits are those of the library with indexes made again, to the last digit; what was sent lies
    in the new folder.
    """
    assert backup.import_archive(archive, tmp_path / "new", told).documents == 4
    (tmp_path / "library" / "published.json").unlink()
    with (
        Library.open(tmp_path / "library", embedder=HashingEmbedder()) as old,
        Library.open(tmp_path / "new", embedder=HashingEmbedder()) as new,
    ):
        assert new.verify().problems == ()
        for question in QUESTIONS:
            hits = [repr(hit) for hit in new.search(question)]
            before = [repr(hit) for hit in old.search(question)]
            assert hits == [one.replace("/library/files/", "/new/files/") for one in before]
        assert new.search("llamas")[0].source == str(tmp_path / "new" / "files" / "sent.txt")


def test_ids_of_all_kinds(tmp_path: Path) -> None:
    """Of parts, members of archives, attachments, rows and copies: each is one that rag gives."""
    texts = tmp_path / "texts"
    texts.mkdir()
    mail = EmailMessage()
    mail["Subject"] = "Two letters"
    mail.set_content("The letters are enclosed.")
    mail.add_attachment("Llamas carry wool.", filename="../odd\x1b\u202e//part 2")
    (texts / "mail.eml").write_bytes(mail.as_bytes())
    (texts / "people.csv").write_text("name,town\nAda,Ghent\n")
    (texts / "odd\x1b[31m\n\u202e.txt").write_text("Tin is mined in Cornwall.")
    with zipfile.ZipFile(texts / "all.zip", "w") as packed:
        for path in sorted(texts.glob("*.[cet]*")):
            packed.write(path, f"in/{path.name}")
            packed.write(path, f"again/{path.name}")
    (texts / "long.txt").write_text("The keeper writes a letter.\n\n" * 36_000)
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(texts)
        assert library.verify().problems == ()
        sources = {one.path for one in library.engine.reader.sources()}
        assert {one.partition("//part ")[2] for one in sources} >= {"", "2"}
    backup.export(tmp_path / "library", tmp_path / "one.zip", told)
    backup.import_archive(tmp_path / "one.zip", tmp_path / "new", told)
    with Library.open(tmp_path / "new", embedder=HashingEmbedder()) as library:
        assert {one.path for one in library.engine.reader.sources()} == sources


def test_a_writer_meanwhile(tmp_path: Path, articles: Path) -> None:
    """Whatever is written while the store is copied, the archive is of one moment."""
    path = tmp_path / "library"
    begun = iter(["The quokka smiles.", "Bread is baked."])

    def write(what: str, done: int, total: int) -> None:
        if what == "store" and done == total:
            for text in begun:
                (articles / "more.txt").write_text(text)
                library.index(articles)

    with Library.open(path, embedder=HashingEmbedder()) as library:
        library.index(articles)
        found = backup.export(path, tmp_path / "one.zip", write)
        assert library.status().documents == 4
    assert found.documents == 3
    backup.import_archive(tmp_path / "one.zip", tmp_path / "new", told)
    published = (tmp_path / "new" / "published.json").read_bytes()
    with Library.open(tmp_path / "new", embedder=HashingEmbedder()) as new:
        assert new.search("turret")
        assert new.verify().problems == ()
    assert (tmp_path / "new" / "published.json").read_bytes() == published


def test_two_imports_into_one_folder(archive: Path, tmp_path: Path) -> None:
    """The second is refused, and the first comes to its end, with nothing left beside it."""

    def again(*_: object) -> None:
        with pytest.raises(LibraryBusy, match="is importing a library into"):
            backup.import_archive(archive, tmp_path / "new", told)

    before = set(tmp_path.iterdir())
    assert backup.import_archive(archive, tmp_path / "new", again).documents == 4
    assert set(tmp_path.iterdir()) - before == {tmp_path / "new"}
    with Library.open(tmp_path / "new", embedder=HashingEmbedder()) as new:
        assert new.verify().problems == ()


def test_an_empty_library(tmp_path: Path) -> None:
    """It comes in empty, and takes documents of whichever model it is for."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()):
        backup.export(tmp_path / "library", tmp_path / "one.zip", told)
    assert backup.import_archive(tmp_path / "one.zip", tmp_path / "new", told).documents == 0
    (tmp_path / "a.txt").write_text("Llamas carry wool.")
    with Library.open(tmp_path / "new", embedder=HashingEmbedder()) as new:
        assert new.search("llamas") == []
        new.index(tmp_path / "a.txt")
        assert new.search("llamas")[0].text == "Llamas carry wool."


def test_files_on_their_way_are_left_out(archive: Path, tmp_path: Path) -> None:
    """Half a file is none."""
    (tmp_path / "library" / "files" / ".sent-abc").write_bytes(b"half")
    backup.export(tmp_path / "library", archive, told, force=True)
    with zipfile.ZipFile(archive) as found:
        names = set(found.namelist())
    assert "files/sent.txt" in names
    assert "files/.sent-abc" not in names


def test_nothing_is_written_over(archive: Path, tmp_path: Path) -> None:
    """Not a file, unless that is wanted, and never a folder that holds something."""
    before = archive.read_bytes()
    with pytest.raises(InputError, match="exists; choose another name, or overwrite it: --force"):
        backup.export(tmp_path / "library", archive, told)
    with pytest.raises(InputError, match="is inside the library itself"):
        backup.export(tmp_path / "library", tmp_path / "library" / "x.zip", told)
    assert archive.read_bytes() == before
    backup.export(tmp_path / "library", archive, told, force=True)
    with pytest.raises(InputError, match="is not empty"):
        backup.import_archive(archive, tmp_path / "library", told)
    assert not [path for path in tmp_path.iterdir() if "draft" in path.name]


def test_every_changed_byte_is_noticed(archive: Path, tmp_path: Path) -> None:
    """At 50 places by lot: refused, or, where a ZIP means nothing by it, the same library."""
    content, lot = archive.read_bytes(), random.Random(1)  # noqa: S311
    (right,) = {_held(archiving_of(archive, tmp_path / "right"))}
    for _ in range(50):
        changed = bytearray(content)
        changed[lot.randrange(len(content))] ^= 1 << lot.randrange(8)
        (tmp_path / "changed.zip").write_bytes(changed)
        try:
            folder = archiving_of(tmp_path / "changed.zip", tmp_path / "new")
        except RagError:
            assert not (tmp_path / "new").exists()
        else:
            assert _held(folder) == right
            shutil.rmtree(folder)


def archiving_of(archive: Path, folder: Path) -> Path:
    """The folder, after the archive was brought in."""
    backup.import_archive(archive, folder, told)
    return folder


def _held(folder: Path) -> bytes:
    """Content that does not name its folder."""
    return (folder / "published.json").read_bytes() + (folder / "files/sent.txt").read_bytes()


def _link(out: zipfile.ZipFile, members: dict[str, dict[str, object]]) -> None:
    info = zipfile.ZipInfo("files/link")
    info.external_attr = 0o120777 << 16
    members["files/link"] = {"size": 11, "sha256": "0" * 64}
    out.writestr(info, b"/etc/passwd")


def _bomb(out: zipfile.ZipFile, members: dict[str, dict[str, object]]) -> None:
    members["files/bomb"] = {"size": 10**7, "sha256": "0" * 64}
    out.writestr("files/bomb", bytes(10**7), zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("harm", [_link, _bomb])
def test_hostile_archives(archive: Path, tmp_path: Path, harm: Callable[..., None]) -> None:
    """Refused before anything of them is written."""
    hostile = tmp_path / "hostile.zip"
    with zipfile.ZipFile(archive) as sound, zipfile.ZipFile(hostile, "w") as out:
        manifest = json.loads(sound.read("manifest.json"))
        for name in manifest["members"]:
            out.writestr(name, sound.read(name))
        harm(out, manifest["members"])
        out.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(LibraryDamaged, match="is damaged"):
        backup.import_archive(hostile, tmp_path / "deep" / "new", told)
    assert not (tmp_path / "deep" / "new").exists()


def test_what_is_no_archive(tmp_path: Path) -> None:
    """A file that is none, and none at all."""
    (tmp_path / "letter.txt").write_text("Dear all")
    with pytest.raises(LibraryDamaged, match="is damaged"):
        backup.import_archive(tmp_path / "letter.txt", tmp_path / "new", told)
    with pytest.raises(InputError, match="there is no file"):
        backup.import_archive(tmp_path / "none.zip", tmp_path / "new", told)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        backup.import_archive(tmp_path / "pipe", tmp_path / "new", told)


KILLED = """
import os, signal, sys
from pathlib import Path
from rag.maintenance import backup
run = backup.export if sys.argv[1] == "export" else backup.import_archive
run(Path(sys.argv[2]), Path(sys.argv[3]), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("command", ["export", "import"])
def test_what_a_killed_process_left(archive: Path, tmp_path: Path, command: str) -> None:
    """It goes with the next run of the same command beside it, whatever that writes; what a process
    is at work on stays, and so does whatever only looks like a draft.
    """
    place = tmp_path / "beside"
    place.mkdir()
    run: Callable[..., object] = backup.import_archive
    source, target = archive, place / "killed"
    if command == "export":
        run, source = backup.export, tmp_path / "library"
    killed = subprocess.run([sys.executable, "-c", KILLED, command, source, target], check=False)
    assert killed.returncode == -9
    (left,) = place.iterdir()
    for name in (f".rag-{command}-of-mine", f".rag-{command}-0123456789abcdef"):
        (place / name).mkdir()
        (place / name / "mine").touch()
    (place / f".rag-{command}-0123456789abcdef").rename(place / f".rag-{command}-")
    kept = set(place.iterdir()) - {left}

    def meanwhile(*_: object) -> None:
        assert not left.exists()
        if not (place / "second").exists():
            (place / "second").touch()
            run(source, target, told)  # which leaves the draft of the first alone

    run(source, target.with_name(f"other-{target.name}"), meanwhile)
    targets = {target, target.with_name(f"other-{target.name}"), place / "second"}
    assert set(place.iterdir()) == kept | targets


@pytest.mark.usefixtures("archive")
def test_many_beside_each_other(tmp_path: Path) -> None:
    """No export takes the draft of another that has just begun for a leftover."""
    place = tmp_path / "beside"
    place.mkdir()

    def export(name: int) -> None:
        for _ in range(15):
            backup.export(tmp_path / "library", place / f"{name}.zip", told)
            (place / f"{name}.zip").unlink()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(export, range(4)))
    assert not list(place.iterdir())
