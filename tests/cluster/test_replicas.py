"""Two replicas behind nginx answer for one library, and one of them is killed under load."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from engines import place
from lacking import skip_unless_in_ci
from made_documents import Made, made

from rag import Library
from rag.models.embedder import SentenceTransformerEmbedder

pytestmark = pytest.mark.slow

pytest.importorskip("ray", reason="with all that make cluster installs and tries")

DOCUMENTS, QUESTIONS = 40, 120
EXAMPLE = Path(__file__).parents[2] / "ui" / "deployment" / "replicas.conf"
SECONDS_TO_START = 120

_AROUND = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {example}
}}
"""


def nginx() -> str | None:
    """The program, if it is installed."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True, slots=True)
class Served:
    """Replicas that are up, each with its address, and the one address before all of them."""

    processes: Sequence[subprocess.Popen[bytes]]
    addresses: Sequence[str]
    address: str


@contextmanager
def served_by(library: str, folder: Path, count: int) -> Iterator[Served]:
    """So many replicas, ready to answer."""
    serve = [sys.executable, "-m", "rag", "serve", "--library", library, "--insecure"]
    serve += ["--behind-proxy", "127.0.0.1"]
    ports = [_free_port() for _ in range(count + 1)]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    with ExitStack() as ended:
        processes = [ended.enter_context(_running(serve, port, folder)) for port in ports[1:]]
        for address in addresses[1:]:
            _wait_for(f"{address}/api/v1/ready", folder)
        example = _moved(EXAMPLE.read_text(), ports)
        (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, example=example))
        balancer = subprocess.Popen([str(nginx()), "-p", folder, "-c", folder / "nginx.conf"])
        ended.callback(_end, balancer)
        _wait_for(f"{addresses[0]}/api/v1/ready", folder)
        yield Served(processes, addresses[1:], addresses[0])


def wrong_while_one_is_killed(served: Served, asked: Sequence[Made], clients: int = 4) -> list[str]:
    """Ask all questions, kill the first replica in the middle, and give what was answered wrongly
    or not at all.
    """
    half = threading.Barrier(2)

    def ask(numbered: tuple[int, Made]) -> str | None:
        number, one = numbered
        if number == len(asked) // 2:
            half.wait(SECONDS_TO_START)
        return wrong(served.address, one)

    with ThreadPoolExecutor(clients) as pool:
        answers = pool.map(ask, enumerate(asked))
        half.wait(SECONDS_TO_START)
        served.processes[0].kill()
        return [one for one in answers if one is not None]


def wrong(address: str, one: Made) -> str | None:
    """What is wrong with the answer to a document's question; None where it is right."""
    try:
        answer = httpx.get(f"{address}/api/v1/search", params={"q": one.question}, timeout=120)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return f"{one.question} {error!r}"
    first = answer.json()["hits"][0]
    return None if one.answer in first["answer"]["text"] else f"{one.question} {first['text']}"


def _moved(example: str, ports: Sequence[int]) -> str:
    """The example on this machine's ports, with as many servers as there are."""
    servers = re.findall(r"^ *server 10\..*;$", example, flags=re.MULTILINE)
    assert len(servers) >= 2, "the example has several replicas"
    first, *others = servers
    for other in others:
        example = example.replace(f"{other}\n", "")
    here = [re.sub(r"10\.[\d.]+:\d+", f"127.0.0.1:{port}", first) for port in ports[1:]]
    moved = example.replace(first, "\n".join(here))
    assert "listen 80;" in moved
    return moved.replace("listen 80;", f"listen 127.0.0.1:{ports[0]};")


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"replica-{port}.log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log)
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(60)


def _wait_for(url: str, folder: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    logs = "\n".join(path.read_text()[-1500:] for path in folder.glob("replica-*.log"))
    raise TimeoutError(f"{url} is not ready: {logs}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_no_answer_is_lost_with_a_replica(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Every question is answered, and rightly, while a replica is killed; and what is written
    after that is found by the one that is left.
    """
    if nginx() is None:
        skip_unless_in_ci("nginx is not installed: apt-get install nginx-light")
    *listed, new = made(DOCUMENTS + 1)
    sources = tmp_path / "made"
    sources.mkdir()
    for one in listed:
        (sources / Path(one.name).name).write_text(one.text)
    url = str(place("shared", tmp_path))
    with Library.open(url, embedder=embedder) as library:
        library.index(sources)
        with served_by(url, tmp_path, 2) as served:
            asked = list(islice(cycle(listed), QUESTIONS))
            assert wrong_while_one_is_killed(served, asked) == []
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"{served.addresses[0]}/api/v1/health")
            (sources / "new.txt").write_text(new.text)
            library.index(sources)
            assert wrong(served.address, new) is None
