"""``rag serve`` while somebody posts paths and addresses to Gradio."""

from __future__ import annotations

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from served import SECONDS, ready

from rag import Library

ROOT = Path(__file__).parents[2]
AUDITED = Path(__file__).with_name("audited")
TO_ANSWER = 1.0
"""Seconds within which health answers half of the time: other tests may want the machine. Whatever
stops the server for good, as /dev/zero and a FIFO did, is met by the time limit of each request.
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no FIFO, /dev/zero or SIGTERM")


@dataclass
class Served:
    """A server, where its page is, and what it opened, looked up and kept."""

    process: subprocess.Popen[bytes]
    address: str
    folder: Path

    @property
    def audited(self) -> str:
        """Names that were looked up, connections, and files of the folder that were opened."""
        lines = (self.folder / "audit.log").read_text().splitlines()
        own = re.compile(r"socket\.getaddrinfo \('127\.0\.0\.1'|open \('[^']*/(library|log)")
        return "\n".join(line for line in lines if not own.match(line))


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """``rag serve`` in a process of its own, with traps beside its library."""
    place = folder / "library"
    (folder / "bait.txt").write_text("nobody may read this")
    os.mkfifo(folder / "fifo")
    article = folder / "turret.txt"
    article.write_text("Cockerill supplies the turret of the tank.")
    with Library.open(place) as library:
        library.index(article)
    environment = os.environ | {
        "AUDIT_LOG": str(folder / "audit.log"),
        "PYTHONPATH": os.pathsep.join((str(AUDITED), str(ROOT))),
        "GRADIO_TEMP_DIR": str(folder / "copies"),
        "TMPDIR": str(folder),
    }
    command = [sys.executable, "-m", "rag", "serve", "--library", place, "--port", "0"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stderr=log) as process,
    ):
        try:
            address = ready(folder / "log")
            found = Served(process, address, folder)
            httpx.get(f"{address}/config", timeout=SECONDS).raise_for_status()
            yield found
        finally:
            process.kill()


def traps(server: Served, address: str) -> Iterator[object]:
    """What is put in the place of a question: files and addresses, as Gradio itself writes them."""
    places: list[dict[str, str]] = [
        *({"path": str(server.folder / name)} for name in ("bait.txt", "fifo", "none")),
        *({"path": path} for path in ("/dev/zero", "/dev/stdin", "/proc/self/environ", "../x")),
        *({"path": url, "url": url} for url in (address, "http://trap.invalid/x")),
    ]
    for place in places:
        bait = {**place, "orig_name": "x", "meta": {"_type": "gradio.FileData"}}
        yield from (bait, [bait])


ROUTES = (
    *("queue/join", "call/search", "call/v2/search", "run/search", "api/search/", "run/js_fn"),
    *("component_server", "process_recording", "cancel", "reset", "stream/x", "vibe-edit"),
)


def posted(server: Served, address: str) -> Iterator[tuple[str, object]]:
    """Each trap in each place of a body, to each route that takes one."""
    session = {"session_hash": "9wenq9suy2b", "fn_index": 0, "trigger_id": None}
    for trap in traps(server, address):
        for route in ROUTES:
            yield route, {"data": [trap, "", "", "", "", "", []], **session}
        for place in ("event_data", "session_hash", "trigger_id", "fn_index"):
            yield "queue/join", {"data": ["", "", "", "", "", "", []], **session, place: trap}
        yield "queue/join", {"data": ["", "", "", "", "", trap, []], **session}
        yield "queue/join", {"data": ["", "", "", "", "", "", trap], **session}
        yield "call/search", {"data": trap}
        yield "call/v2/search", {"asked": trap}
        yield "component_server", {**session, "data": trap, "component_id": 1, "fn_name": "x"}


def health(server: Served, stop: threading.Event, seconds: list[float]) -> None:
    """Ask for it until ``stop``, and note how long each answer takes."""
    with httpx.Client(timeout=SECONDS) as client:
        while not stop.is_set():
            began = time.monotonic()
            client.get(f"{server.address}/api/v1/health").raise_for_status()
            seconds.append(time.monotonic() - began)
            time.sleep(0.02)


@contextmanager
def watched(server: Served) -> Iterator[None]:
    """While this goes on, health answers soon."""
    stop, seconds = threading.Event(), list[float]()
    thread = threading.Thread(target=health, args=(server, stop, seconds))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert seconds
    assert statistics.median(seconds) < TO_ANSWER


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in a process of its own."""
    folder = tmp_path_factory.mktemp("attacked")
    with served(folder) as found:
        yield found


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody to whom the server could be sent."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        found.settimeout(0.1)
        yield found


def test_paths_and_addresses(server: Served, listener: socket.socket) -> None:
    """All are refused at once. Nothing is opened, copied, looked up or fetched, and the server goes
    on answering.
    """
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    with watched(server), httpx.Client(base_url=server.address, timeout=SECONDS) as client:
        for route, body in posted(server, address):
            answer = client.post(f"/gradio_api/{route}", json=body)
            assert answer.status_code in {404, 422}, (route, body)
            assert str(server.folder) not in answer.text
        for name in ("bait.txt", "fifo"):
            trap = str(server.folder / name)
            assert client.get(f"/gradio_api/file={trap}").status_code == 404
            assert client.get(f"/gradio_api/stream/x/y/1/{name}").status_code == 404
        for form in ("upload", "component_server", "process_recording"):
            sent = {"files": ("x.txt", b"x")}
            assert client.post(f"/gradio_api/{form}", files=sent).status_code == 404
        # As a text they are questions like any other.
        text = json.dumps({"path": "/dev/zero", "meta": {"_type": "gradio.FileData"}})
        event = client.post("/gradio_api/call/search", json={"data": [text, *[""] * 5, []]})
        found = client.get(f"/gradio_api/call/search/{event.json()['event_id']}")
        assert "event: complete" in found.text
    with pytest.raises(TimeoutError):
        listener.accept()
    assert server.audited == ""
    assert [one for one in server.folder.rglob("copies/**") if one.is_file()] == []


def test_bodies_that_never_end(server: Served) -> None:
    """Announced, in pieces, or deep: they cost nothing but their own connection."""
    host, port = server.address.removeprefix("http://").split(":")
    path = "/gradio_api/queue/join"
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    begun = ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
    with ExitStack() as stack, watched(server):
        for body in begun * 5:
            one = stack.enter_context(socket.create_connection((host, int(port))))
            one.sendall((head + body).encode())
        with httpx.Client(base_url=server.address, timeout=SECONDS) as client:
            for body in (b"[" * 3_000_000, b'{"data":' * 400_000, b'["' + b"x" * 3_000_000 + b'"]'):
                for route in ("queue/join", "call/search"):
                    answer = client.post(f"/gradio_api/{route}", content=iter([body]))
                    assert answer.status_code == 413


def test_a_choice_that_there_is_not(server: Served) -> None:
    """It fits no document; what was sent is not logged."""
    with watched(server), httpx.Client(base_url=server.address, timeout=SECONDS) as client:
        for limits in (["", "", "", ".secret", ""], ["", "", "", "", "secret"]):
            event = client.post("/gradio_api/call/search", json={"data": ["turret", *limits, []]})
            found = client.get(f"/gradio_api/call/search/{event.json()['event_id']}")
            assert "event: complete" in found.text
    log = (server.folder / "log").read_text()
    assert "secret" not in log
    assert "exception" not in log


def test_addresses_that_are_odd(server: Served) -> None:
    """Whatever a path or a query says, nothing breaks."""
    odd = ("%00", "%ff", "..%2f..%2fetc%2fpasswd", "x" * 3000, "%5B", "a%0d%0ab", "%e2%80%ae")
    with watched(server), httpx.Client(base_url=server.address, timeout=SECONDS) as client:
        for one in odd:
            for path in (
                "/",
                "/config",
                "/gradio_api/info",
                "/theme.css",
                "/gradio_api/queue/data",
            ):
                for key in ("page", "deep_link", "session_hash", "q", "v", "__theme"):
                    if (path, key) != ("/gradio_api/queue/data", "session_hash"):
                        assert client.get(f"{path}?{key}={one}").status_code < 500, (path, key, one)
            for path in (
                *(f"/gradio_api/heartbeat/{one}", f"/gradio_api/call/search/{one}"),
                *(f"/static/{one}", f"/assets/{one}", f"/svelte/{one}"),
            ):
                if one != "x" * 3000 or "gradio_api" in path:
                    assert client.get(path).status_code in {404, 403}, path
