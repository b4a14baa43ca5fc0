"""SIGTERM, which systemd, Docker and Kubernetes send, to a server in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from hashing_embedder import HashingEmbedder
from served import SECONDS, ready

from rag import Library

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("slow_server.py")
FILES = 300
BEATS = 4
QUESTION = "Which secret lies in Vessy?"
PARAGRAPH = "The ferry of pier {0} leaves at dawn. Its master has the number {0}. Nobody waits. "


def write_files(folder: Path) -> None:
    """More than is indexed in the time that the test takes."""
    folder.mkdir()
    for number in range(FILES):
        (folder / f"pier-{number}.txt").write_text(PARAGRAPH.format(number))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to wait for")
def test_sigterm_ends_the_server_in_order(tmp_path: Path) -> None:
    """The upload under way is answered, the job stops between documents, and nothing is lost."""
    write_files(tmp_path / "piers")
    library, log = tmp_path / "library", tmp_path / "log"
    sent = threading.Event()
    with (
        log.open("w") as lines,
        subprocess.Popen(
            [sys.executable, SERVER, library],
            cwd=ROOT,
            stderr=lines,
        ) as server,
    ):
        try:
            address = ready(log)
            with httpx.Client(base_url=f"{address}/api/v1", timeout=120) as api:
                assert api.get("/search", params={"q": QUESTION}).status_code == 200
                job = api.post("/jobs", json={"paths": [str(tmp_path / "piers")]}).json()["id"]
                while api.get(f"/jobs/{job}").json()["state"] == "queued" or not held(api):
                    time.sleep(0.2)
            answers: list[httpx.Response] = []

            def upload() -> None:
                body = slowly(sent)
                answers.append(
                    httpx.put(f"{address}/api/v1/files/slow.txt", content=body, timeout=60)
                )

            sending = threading.Thread(target=upload)
            sending.start()
            assert sent.wait(SECONDS)
            while not list((library / "files").glob(".*")):
                time.sleep(0.1)  # until the server has some of it in hand
            server.send_signal(signal.SIGTERM)
            refused = is_refused(address)
            sending.join(SECONDS)
            assert server.wait(120) == 0
        finally:
            server.kill()
    assert refused
    assert [answer.status_code for answer in answers] == [201]
    assert (library / "files" / "slow.txt").read_text() == "".join(map(str, range(BEATS)))
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["state"] for one in told if one["event"] == "index job"] == ["running", "cancelled"]
    assert {one["level"] for one in told} == {"info"}
    assert all("request_id" in one for one in told if one["event"] == "request")
    assert not any(word in log.read_text() for word in ("secret", "Vessy", "slow.txt", "pier"))
    with Library.open(library, create=False, embedder=HashingEmbedder()) as opened:
        kept = opened.status().documents
        assert 0 < kept < FILES
        assert opened.search("When does the ferry leave?", k=1)


def held(api: httpx.Client) -> bool:
    """Whether a document is in the library by now."""
    return bool(api.get("/documents").json()["documents"])


def slowly(sent: threading.Event) -> Iterator[bytes]:
    """A body that goes on when the server is told to stop, and is soon over."""
    for number in range(BEATS):
        yield str(number).encode()
        sent.set()
        time.sleep(0.1)


def is_refused(address: str) -> bool:
    """Whether the server takes no new connection, within a moment."""
    for _ in range(50):
        try:
            httpx.get(f"{address}/api/v1/health", timeout=5)
        except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError):
            return True  # the last two where the system had taken the connection already
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to wait for")
def test_sigterm_while_many_send(tmp_path: Path) -> None:
    """Whoever never gets to the end is told, no half of a file stays, and it is no failure."""
    log = tmp_path / "log"
    command = [sys.executable, "-m", "rag", "serve", "--port", "0", "--library", "library"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        log.open("w") as lines,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=lines) as server,
        ExitStack() as open_,
    ):
        try:
            address = ready(log)
            senders = [open_.enter_context(half_sent(address, number)) for number in range(50)]
            while len(list((tmp_path / "library" / "files").glob(".*"))) < len(senders):
                time.sleep(0.1)
            server.send_signal(signal.SIGTERM)
            began = time.monotonic()
            answers = [sender.recv(12) for sender in senders]
            assert server.wait(SECONDS) == 0
        finally:
            server.kill()
    assert time.monotonic() - began < 3
    assert set(answers) == {b"HTTP/1.1 503"}
    assert list((tmp_path / "library" / "files").iterdir()) == []
    assert not [one for one in map(json.loads, log.read_text().splitlines()) if "exception" in one]


def half_sent(address: str, number: int) -> socket.socket:
    """A connection on which a file is being sent, and never will be whole."""
    host = httpx.URL(address)
    sender = socket.create_connection((host.host, host.port or 0), SECONDS)
    head = f"PUT /api/v1/files/{number}.txt HTTP/1.1\r\nHost: {host.host}\r\n"
    sender.sendall(f"{head}Content-Length: 1000\r\n\r\nbegun".encode())
    return sender
