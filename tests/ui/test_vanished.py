"""A library whose folder vanishes under a server: it is said, nothing is made in its place, and all
goes on when it is back.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from lacking import skip_unless_in_ci
from served import api, over

from rag import Library, LibraryNotFound
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp


def moved(folder: Path) -> Callable[[], None]:
    """It has another name for a while."""
    folder.rename(folder.with_name("away"))
    return lambda: folder.with_name("away").rename(folder) and None


def removed(folder: Path) -> Callable[[], None]:
    """It is removed, and put back from a copy."""
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    return lambda: folder.with_name("copy").rename(folder) and None


def emptied(folder: Path) -> Callable[[], None]:
    """Its disk is unmounted: an empty folder of the name is left."""
    folder.rename(folder.with_name("away"))
    folder.mkdir()

    def back() -> None:
        folder.rmdir()  # fails if anything was put there
        folder.with_name("away").rename(folder)

    return back


@pytest.mark.parametrize("vanish", [moved, removed, emptied])
def test_a_folder_that_vanishes(
    tmp_path: Path, articles: Path, vanish: Callable[[Path], Callable[[], None]]
) -> None:
    """No job, upload, rating or question makes it again; what watches over the server is told."""
    folder = tmp_path / "library"
    with Library.open(folder, embedder=HashingEmbedder()) as library:
        library.index(articles)
        jobs, warming = Jobs(library), WarmUp(library)
        warming.start()
        warming.join()
        client = api(library, jobs=jobs, warming=warming)
        hit = library.search("turret")[0]
        assert client.put("/files/a.txt", content=b"Llamas spit.").status_code == 201
        put_back = vanish(folder)
        before = list(folder.rglob("*")) if folder.exists() else None
        ready = client.get("/ready")
        assert ready.status_code == 503
        assert "library is gone" in ready.json()["detail"]
        assert client.get("/health").status_code == 200
        (articles / "more.txt").write_text("The quokka smiles.")
        job = over(jobs, jobs.start([articles]))
        assert (job.state, job.trouble[:19]) == ("failed", "the library is gone")
        for answer in (
            client.get("/search", params={"q": "turret"}),
            client.get("/ask", params={"q": "turret"}),
            client.get("/documents"),
            client.put("/files/b.txt", content=b"Llamas spit."),
        ):
            assert answer.status_code == 503, answer.url
            assert "library is gone" in answer.json()["detail"]
        for act in (
            lambda: library.rate("turret", hit, good=True),
            lambda: library.verify(repair=True),
            lambda: library.check(5),
        ):
            with pytest.raises(LibraryNotFound, match="is gone"):
                act()
        assert (list(folder.rglob("*")) if folder.exists() else None) == before
        put_back()
        assert client.get("/ready").status_code == 200
        assert over(jobs, jobs.start([articles])).state == "done"
        assert client.get("/search", params={"q": "quokka"}).json()["hits"][0]["text"] == (
            "The quokka smiles."
        )
        assert library.verify().problems == ()
        jobs.close()


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_disk_that_is_unmounted(tmp_path: Path, articles: Path) -> None:
    """What is written after that does not land beneath its mount point."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        skip_unless_in_ci("only root may mount a disk")
    try:
        with Library.open(disk / "library", embedder=HashingEmbedder()) as library:
            library.index(articles)
            subprocess.run(["umount", "-l", disk], check=True)
            for act in (lambda: library.index(articles), lambda: library.search("turret")):
                with pytest.raises(LibraryNotFound, match="mount its disk again"):
                    act()
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", disk], capture_output=True, check=False)
