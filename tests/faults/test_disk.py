"""Disks that fail, fill up, or must not be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from lacking import skip_unless_in_ci
from nobody import NOBODY, as_nobody
from served import api, over
from test_kill import came_of

from rag import DiskFull, InputError, Library, LibraryError
from rag.index.sqlite.writer import StoreWriter
from rag.maintenance.backup import export, import_archive
from ui.jobs import Jobs


@pytest.mark.skipif(sys.platform != "linux", reason="the shim is for Linux")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="the shim needs gcc")
def test_one_write_after_the_other_fails(tmp_path: Path) -> None:
    """Nothing that was acknowledged is lost, and the error says what to do."""
    report = came_of("fail_at_every_write.py", tmp_path, "150")
    assert report["failed"] == []
    assert report["ended"]["failed with a message"] > 5  # type: ignore[index]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_every_file_damaged() -> None:
    """The answers are right, or it is told what is damaged; ``verify`` finds it.

    Here in a small library, with one bit of each file; ``make faults`` flips 200 in a larger one.
    """
    with tempfile.TemporaryDirectory() as name:  # not in tmp_path, whose parents are closed
        report = came_of("corrupt.py", Path(name), "1", "4")
    assert report["failed"] == []
    assert report["harms"] > 60  # type: ignore[operator]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        skip_unless_in_ci("only root may mount a disk")
    yield disk
    # At once for all to see, in fact when the last mapped file of it is let go.
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> None:
    """Leave no block free."""
    with (disk / "other").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_asking_on_a_full_disk(small_disk: Path, tmp_path: Path, *, killed: bool) -> None:
    """A question is answered where not one file can be made, by threads, too; also where a writer
    that was killed left its journal, from which everything it committed is found.
    """
    (tmp_path / "a.txt").write_text("The harbour master counted forty boats. He was right.")
    (tmp_path / "b.txt").write_text("The quokka is a small animal. It smiles.")
    library = small_disk / "library"
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        opened.index(tmp_path / "a.txt")
    if killed:
        program = f"""
import os
from hashing_embedder import HashingEmbedder
from rag import Library
from rag.index.sqlite.writer import StoreWriter
record_files = StoreWriter.record_files
StoreWriter.record_files = lambda *args: (record_files(*args), os._exit(9))
Library.open({str(library)!r}, embedder=HashingEmbedder()).index({str(tmp_path / "b.txt")!r})
"""
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=Path(__file__).parent, check=False
        )
        assert ran.returncode == 9
        assert (library / "library.db-wal").stat().st_size
    (library / "library.db-shm").unlink(missing_ok=True)
    fill(small_disk)
    with Library.open(library, create=False, embedder=HashingEmbedder()) as opened:
        assert opened.search("harbour boats")[0].text.startswith("The harbour")
        with ThreadPoolExecutor(4) as threads:
            for hits in threads.map(opened.search, ["harbour boats"] * 8):
                assert hits[0].text.startswith("The harbour")
        assert opened.status().documents == 1 + killed
        assert opened.verify().problems == () or killed
        with pytest.raises(LibraryError, match="check the disk's space") as said:
            opened.index(tmp_path / "b.txt", again=True)
        assert "readonly" not in str(said.value)
        (small_disk / "other").unlink()
        assert opened.index(tmp_path / "b.txt").failed == ()
        assert opened.search("quokka animal")[0].text.startswith("The quokka")


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
@pytest.mark.parametrize("lost", ["words", "published.json"])
def test_asking_on_a_full_disk_without_indexes(small_disk: Path, tmp_path: Path, lost: str) -> None:
    """Indexes that are lost, or of another version, are made elsewhere; nothing can be put in."""
    article = tmp_path / "a.txt"
    article.write_text("The harbour master counted forty boats. He was right.")
    library = small_disk / "library"
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        opened.index(article)
    shutil.move(library / lost, tmp_path / lost)
    fill(small_disk)
    with Library.open(library, create=False, embedder=HashingEmbedder()) as opened:
        for _ in range(2):
            assert opened.search("harbour boats")[0].text.startswith("The harbour")
        with pytest.raises(LibraryError, match="check the disk's space"):
            opened.index(article, again=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_full_disk(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in words; what was committed answers, and with more room the work goes on."""
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(60):
        lines = [f"Line {n} of article{number} is about sand and gravel." for n in range(200)]
        (articles / f"{number:02}.txt").write_text("\n".join(lines))
    put, committed = StoreWriter.put, []

    def put_and_tell(self: StoreWriter, *args: object) -> None:
        put(self, *args)  # type: ignore[arg-type]
        committed.append(args[0])

    monkeypatch.setattr(StoreWriter, "put", put_and_tell)
    library = small_disk / "library"
    with (
        Library.open(library, embedder=HashingEmbedder()) as opened,
        pytest.raises(LibraryError, match=r"can't be written.*check the disk's space"),
    ):
        opened.index(articles)
    assert 0 < len(committed) < 60
    fill(small_disk)
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        assert opened.search("article0 sand")[0].text
        assert opened.status().documents == len(committed)
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        assert {one.id for one in opened.documents()} == {one.id for one in committed}  # type: ignore[attr-defined]
        assert opened.search("article0 sand")[0].text
        assert opened.index(articles).failed == ()
        assert len(opened.documents()) == 60
        assert opened.verify().problems == ()


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_server_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """Whatever would write says that there is no room, and leaves nothing half done."""
    article = tmp_path / "a.txt"
    article.write_text("The harbour master counted forty boats. He was right.")
    with Library.open(small_disk / "library", embedder=HashingEmbedder()) as library:
        library.index(article)
        hit = library.search("harbour boats")[0]
        client, jobs = api(library), Jobs(library)
        assert client.put("/files/a.txt", content=b"a").status_code == 201
        fill(small_disk)
        assert client.put("/files/b.txt", content=b"b" * 3000).status_code == 507
        assert [one.name for one in (library.path / "files").iterdir()] == ["a.txt"]
        trouble = over(jobs, jobs.start([article], again=True)).trouble
        assert "no room left on the disk" in trouble
        removed = client.delete(f"/documents/{hit.document_id}")
        assert (removed.status_code, removed.json()["detail"][:13]) == (503, "There is no r")
        with pytest.raises(DiskFull):
            library.rate("harbour boats", hit, good=True)
        jobs.close()


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_archives_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """The disk that is full is named, and how much room there is and has to be."""
    article, archive = tmp_path / "a.txt", tmp_path / "a.rag.zip"
    article.write_text("The harbour master counted forty boats. He was right.")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(article)
    export(tmp_path / "library", archive, untold)
    fill(small_disk)
    with pytest.raises(DiskFull, match=f"^{small_disk} can't be written"):
        export(tmp_path / "library", small_disk / "a.rag.zip", untold)
    with pytest.raises(InputError, match=r"has 0.0 kB of space left, .* needs [1-9][\d.]+ kB"):
        import_archive(archive, small_disk / "again", untold)


def untold(*_: object) -> None:
    """Nobody asks how far it is."""


def test_folder_that_must_not_be_written() -> None:
    """It answers as before, sees what its owner adds, and says why nothing can be put in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        article = folder / "article.txt"
        article.write_text("The harbour master counted forty boats. He was right.")
        library = folder / "library"
        with Library.open(library, embedder=HashingEmbedder()) as opened:
            opened.index(article)
            before = opened.search("harbour boats")
        for path in (library, *library.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if os.geteuid():
            library.chmod(0o555)
            (library / "words").chmod(0o555)
        try:
            with as_nobody(), Library.open(library, embedder=HashingEmbedder()) as reader:
                assert reader.search("harbour boats") == before
                assert reader.status().documents == 1
                assert reader.verify().problems == ()
                assert reader.search('"forty boats"')[0].text == before[0].text
                with pytest.raises(LibraryError, match=r"can't be written .*permissions"):
                    reader.index(article)
                if os.geteuid() == NOBODY:  # and the owner, who may write, does
                    os.seteuid(0)
                    owned_by_root(library, folder)
                    os.seteuid(NOBODY)
                    assert "quokka" in reader.search("quokka")[0].text
        finally:
            library.chmod(0o755)
            (library / "words").chmod(0o755)


def owned_by_root(library: Path, folder: Path) -> None:
    """Index another article, with all rights."""
    (folder / "animal.txt").write_text("The quokka is a small animal. It smiles.")
    with Library.open(library, embedder=HashingEmbedder()) as opened:
        opened.index(folder / "animal.txt")
