"""Uploads to a running server: cut off, concurrent, and larger than memory should be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hashing_embedder import HashingEmbedder
from served import SECONDS
from test_api_live import running

from rag import Library
from ui.server import Background

MEBIBYTE = 1024**2
HALF = b"PUT /api/v1/files/half.txt HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\nhalf"

# A process for each server, with what takes long to import already there.
SERVE = """
import os, sys
from hashing_embedder import HashingEmbedder
from rag import Library
from ui import server as serving
from ui.server import import_gradio, serve

serving.SECONDS_TO_FINISH = 2  # a file that comes no further would keep the test waiting, too
import_gradio()
for folder in sys.argv[1:]:
    if os.fork() == 0:
        with Library.open(folder, embedder=HashingEmbedder()) as library:
            serve(library, port=0, on_ready=lambda at: print(os.getpid(), at, flush=True))
        os._exit(0)
    print("ended by", os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """An empty one."""
    path = tmp_path_factory.mktemp("library")
    with Library.open(path, embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(library: Library) -> Iterator[str]:
    """A server over it."""
    with running(library, Background.of(library)) as found:
        yield found


def connected(address: str) -> socket.socket:
    """A connection on which half a file was sent."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname, parts.port), SECONDS)
    connection.sendall(HALF)
    return connection


def names(folder: Path) -> list[str]:
    """What lies in a folder, if there is one, hidden files and all."""
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def lying(folder: Path, count: int) -> list[str]:
    """The names in a folder, once there are so many."""
    until = time.monotonic() + SECONDS
    while len(found := names(folder)) != count:
        assert time.monotonic() < until, found
        time.sleep(0.01)
    return found


def test_who_breaks_off_leaves_nothing(address: str, library: Library) -> None:
    """A tab that is closed, a cable that is pulled: half a file is as if it had never been."""
    connection = connected(address)
    (draft,) = lying(library.path / "files", 1)
    assert draft.startswith(".")
    connection.close()
    assert lying(library.path / "files", 0) == []
    assert httpx.post(f"{address}/api/v1/jobs", json={"files": ["half.txt"]}).status_code == 422


def test_many_at_once(address: str, library: Library) -> None:
    """Of the same name, some with the same content: each content is there once."""

    def send(number: int) -> str:
        sent = httpx.put(f"{address}/api/v1/files/bell.txt", content=f"Bell {number % 4}.".encode())
        assert sent.status_code in {200, 201}
        return str(sent.json()["name"])

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(send, range(16)))
    folder = library.path / "files"
    assert sorted(names(folder)) == sorted(set(given))
    assert len(set(given)) == 4
    for number, name in enumerate(given):
        assert (folder / name).read_text() == f"Bell {number % 4}."


def test_a_large_file_is_never_in_memory(address: str, library: Library) -> None:
    """What goes through is written piece by piece; server and sender are one process here."""
    pieces = 48

    def body() -> Iterator[bytes]:
        for number in range(pieces):
            yield bytes([number]) * MEBIBYTE

    tracemalloc.start()
    try:
        sent = httpx.put(f"{address}/api/v1/files/large.bin", content=body(), timeout=SECONDS)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (sent.status_code, sent.json()["size"]) == (201, pieces * MEBIBYTE)
    assert most < 16 * MEBIBYTE
    with (library.path / "files" / "large.bin").open("rb") as file:
        for number in range(pieces):
            assert file.read(MEBIBYTE) == bytes([number]) * MEBIBYTE


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")
def test_a_server_that_ends_midway(tmp_path: Path) -> None:
    """Asked to stop, it clears up; killed, it leaves nothing under the file's name."""
    endings = {signal.SIGINT: 0, signal.SIGKILL: -signal.SIGKILL}
    libraries = [tmp_path / ending.name for ending in endings]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *map(str, libraries)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for library, (ending, code) in zip(libraries, endings.items(), strict=True):
            server, address = process.stdout.readline().split()
            with connected(address):
                lying(library / "files", 1)
                os.kill(int(server), ending)
                assert process.stdout.readline() == f"ended by {code}\n"
            left = names(library / "files")
            assert all(name.startswith(".") for name in left)
            assert len(left) == (ending == signal.SIGKILL)
    assert process.returncode == 0
