"""Reading and drawing in other processes: what hangs or crashes costs itself alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_files import WHOLE, made
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from rag import InputError, LoadError
from rag.documents.registry import ReadOptions
from rag.documents.sandbox import page_viewer, processes, reader
from rag.documents.sandbox.page_viewer import PageViewer
from rag.documents.sandbox.processes import document_from_json, document_to_json, receive, send
from rag.documents.sandbox.reader import ReadFile, read
from rag.types import Document, Heading, Span

# A worker whose parser meets its match, going by the name of the file.
EVIL = """
import ctypes, subprocess, sys, time
import rag.documents.registry, rag.documents.sandbox.worker

honest = rag.documents.sandbox.worker.load

def load(path, **options):
    if "hang" in path.name:
        time.sleep(1000)
    if "slow" in path.name:
        for page in range(8):
            time.sleep(1.5)
            options["on_page"]()
    if "endless" in path.name:
        while True:
            time.sleep(0.1)
            options["on_page"]()
    if "crash" in path.name:
        ctypes.string_at(0)
    if "eat" in path.name:
        hoard = []
        while True:
            hoard.append(bytearray(100_000_000))
    if "child" in path.name:
        child = subprocess.Popen(["sleep", "1000"])
        path.with_name(path.name + ".pid").write_text(str(child.pid))
        child.wait()
    if "raise" in path.name:
        raise ZeroDivisionError("a parser's own mistake")
    if "deep" in path.name:
        return load(path)
    if "print" in path.name:
        print("what a parser has to say")
    return honest(path, **options)

rag.documents.sandbox.worker.load = load
rag.documents.sandbox.worker.main()
"""


@pytest.fixture
def evil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that can be led astray, and little patience with them."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", EVIL))
    monkeypatch.setattr(reader, "SECONDS_PER_FILE", 8.0)


def everything(paths: list[Path], workers: int) -> tuple[dict[str, str], dict[str, str]]:
    """What was read, and what could not be, by name."""
    texts, failures = {}, {}
    for one in read(paths, workers=workers):
        if isinstance(one, ReadFile):
            for failure in one.failures:
                failures[one.path.name] = failure.reason
        elif isinstance(one, tuple):
            texts[one[0].name] = one[1].text
    return texts, failures


@pytest.mark.usefixtures("evil")
@pytest.mark.parametrize("workers", [1, 3])
def test_bad_files_cost_only_themselves(tmp_path: Path, workers: int) -> None:
    """One hangs, one crashes, one allocates without end, …: all others are read."""
    names = ["a", "hang", "b", "crash", "c", "eat", "d", "raise", "deep", "print", "e"]
    for name in names:
        (tmp_path / f"{name}.txt").write_text(f"The text of {name}.")
    texts, failures = everything([tmp_path / f"{name}.txt" for name in names], workers)
    good = ("a", "b", "c", "d", "e", "print")
    assert texts == {f"{name}.txt": f"The text of {name}." for name in good}
    assert failures == {
        "hang.txt": "it made no progress for 8 s and was aborted",
        "crash.txt": (
            "its parser crashed (exit code -11): it is damaged, or takes more than 256MB of "
            "memory; get another copy of it, save it again in its program, or allow more with "
            "--max-document 1024MB"
        ),
        "eat.txt": ReadOptions().too_large,
        "raise.txt": "its parser failed (ZeroDivisionError: a parser's own mistake)",
        "deep.txt": "it is nested too deeply",
    }


@pytest.mark.usefixtures("evil")
def test_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes long is read while pages keep coming, though not for ever."""
    monkeypatch.setattr(reader, "MOST_SECONDS_PER_FILE", 20.0)
    for name in ("slow", "endless"):  # twelve seconds, where eight of silence are too many
        (tmp_path / f"{name}.txt").write_text(f"The text of {name}.")
    texts, failures = everything(sorted(tmp_path.iterdir()), workers=2)
    assert texts == {"slow.txt": "The text of slow."}
    assert failures == {"endless.txt": "it took more than 20 s to read and was aborted"}


def test_signs_of_life_without_a_pause(tmp_path: Path) -> None:
    """A reader who never has to wait is asked between any two documents whether to go on."""
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", "a tale")
    asked: list[None] = []
    documents = 0
    for _ in read([tmp_path / "many.zip"], beat=lambda *_: asked.append(None)):
        documents += 1
        time.sleep(0.01)  # the next ones come meanwhile
        assert len(asked) >= documents
    assert documents > 20


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
@pytest.mark.usefixtures("evil")
def test_what_a_worker_started_ends_with_it(tmp_path: Path) -> None:
    """The OCR of a file that is given up does not go on."""
    (tmp_path / "child.txt").write_text("Text.")
    everything([tmp_path / "child.txt"], workers=1)
    child = int((tmp_path / "child.txt.pid").read_text())
    deadline = time.monotonic() + 5
    while is_running(child):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def is_running(process: int) -> bool:
    """Whether there is such a process, and it is more than a name that nobody asked for yet."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_no_files_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started for nothing."""
    monkeypatch.setattr(processes, "COMMAND", ("no such program",))
    assert list(read([])) == []


def test_worker_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no fault of the files: it is raised."""
    (tmp_path / "a.txt").write_text("Text.")
    monkeypatch.setattr(processes, "COMMAND", ("no such program",))
    with pytest.raises(FileNotFoundError):
        list(read([tmp_path / "a.txt"]))
    monkeypatch.setattr(processes, "COMMAND", ("false",))
    with pytest.raises(RuntimeError, match="did not start"):
        list(read([tmp_path / "a.txt"]))


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """Whoever stops taking documents gets its processes stopped."""
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text("Text.")
    results = read(sorted(tmp_path.iterdir()))
    next(results)
    began = time.monotonic()
    results.close()
    assert time.monotonic() - began < 10


spans = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda two: Span(*sorted(two)))
documents = st.builds(
    Document,
    id=st.text(),
    source=st.text(),
    title=st.text(),
    text=st.text(),
    digest=st.text(),
    date=st.none() | st.dates(dt.date(1, 1, 1)),
    metadata=st.dictionaries(st.text(), st.text()),
    headings=st.lists(st.builds(Heading, spans, st.integers(1, 6))).map(tuple),
    pages=st.lists(spans).map(tuple),
    page_labels=st.lists(st.text()).map(tuple),
    warnings=st.lists(st.text()).map(tuple),
)


@given(documents)
def test_document_survives_the_way(document: Document) -> None:
    """Out of one process and into another, nothing changes."""
    stream = io.BytesIO()
    send(stream, {"document": document_to_json(document)})
    stream.seek(0)
    message = receive(stream)
    assert message is not None
    assert document_from_json(message["document"]) == document
    assert receive(stream) is None


@pytest.mark.parametrize("cut", [1, 7, 9])
def test_half_a_message_is_none(cut: int) -> None:
    """A process that dies in the middle of a word has said nothing."""
    stream = io.BytesIO()
    send(stream, {"done": True})
    assert receive(io.BytesIO(stream.getvalue()[:cut])) is None


NEVER = """
import time
from rag.documents.sandbox.processes import receive, send
from rag.documents.sandbox.worker import worker_streams

requests, answers = worker_streams()
send(answers, {"ready": True})
receive(requests)
time.sleep(1000)
"""


def test_filled_form(tmp_path: Path) -> None:
    """What somebody filled into a form is on the picture, too; another file is not shown."""

    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(value="Filled", x=100, y=600, width=200, height=40, fontSize=30)

    content = made(draw)
    (tmp_path / "form.pdf").write_bytes(content)
    with closing(PageViewer()) as viewer:
        digest = hashlib.sha256(content).hexdigest()
        image = viewer.image(tmp_path / "form.pdf", digest, 0, 595)
        with pytest.raises(LoadError, match="no longer the file that was indexed"):
            viewer.image(tmp_path / "form.pdf", "0" * 64, 0, 595)
    field = Image.open(io.BytesIO(image.png)).convert("L").crop((105, 205, 295, 235))
    assert field.getextrema()[0] < 60


def test_closed(tmp_path: Path) -> None:
    """Afterwards no process is started any more."""
    viewer = PageViewer()
    viewer.close()
    with pytest.raises(InputError, match="the server is stopping"):
        viewer.image(tmp_path / "a.pdf", "", 0, 300)
    assert viewer._worker.process is None


def test_closed_while_it_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that takes for ever keeps no server from stopping."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", NEVER))
    (tmp_path / "a.pdf").write_bytes(WHOLE)
    viewer = PageViewer()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(viewer.image, tmp_path / "a.pdf", "", 0, 300)
        while viewer._worker.process is None:
            time.sleep(0.01)
        time.sleep(0.5)
        began = time.monotonic()
        viewer.close()
        assert time.monotonic() - began < page_viewer.SECONDS / 2
        with pytest.raises((LoadError, RuntimeError), match="crashed"):
            asked.result()


SECONDS_TO_END = 2.0
"""By when an orphan must be gone."""

BUSY = {
    "waiting": "time.sleep(1000)",
    "computing": "sum(iter(int, 1))",
    "holding the interpreter": "re.match('(a*)*b', 40 * 'a')",
    "native code": "ctypes.CDLL(None).sleep(1000)",
    "another program": "subprocess.run(['sleep', '1000'])",
}

CHILD = """
import ctypes, re, subprocess, sys, time
from rag.documents.sandbox.processes import send
from rag.documents.sandbox.worker import worker_streams
_, answers = worker_streams()
send(answers, {"ready": True})
"""

PARENT = """
import sys, threading, time
from rag.documents.sandbox import processes

def start():
    processes.COMMAND = (sys.executable, "-c", sys.argv[1])
    worker = processes.Worker()
    worker.start()
    print(worker.process.pid, flush=True)
    kept.append(worker)

kept = []
thread = threading.Thread(target=start)
thread.start()
thread.join()
time.sleep(1000)
"""


def group(leader: int) -> list[int]:
    """The processes of a group that run, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("busy", BUSY)
def test_an_orphan_ends(busy: str) -> None:
    """A process whose parent was killed ends, whatever it is doing, and not before; the thread that
    started it may have ended long ago.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD + BUSY[busy]], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.5)
        assert len(group(worker)) == 1 + (busy == "another program")
        parent.kill()
    until = time.monotonic() + SECONDS_TO_END
    try:
        while group(worker):
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        for one in group(worker):
            os.kill(one, signal.SIGKILL)
