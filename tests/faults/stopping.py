"""How long Ctrl-C, SIGTERM and a cancelled job take to stop what is under way, stage by stage.

Run as a program: ``python stopping.py FOLDER [--only WORD]``. For each stage a real command is
started; when it has got there, the signal is sent, and the seconds are counted until the process is
gone. Where a stage is over too soon to be met, or would take hours to make long, native code that
can't be interrupted is put into it. Jobs are those of ``rag serve``, counted until their state says
that they are cancelled. At the end ``rag verify`` must find nothing wrong with the library. Prints
a table in Markdown.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

HERE = str(Path(__file__).resolve())
READY = "stage reached"
SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}
SENTENCE = "The ferry of pier {} leaves at dawn, and its master knows the tides by heart. "

NATIVE = {
    "discovering": ("rag.documents.discovery", "_Search.look_into"),
    "looking files up": ("rag.index.sqlite.reader", "StoreReader.files"),
    "chunking": ("rag.ingest.run", "passages"),
    "storing": ("rag.index.sqlite.writer", "StoreWriter.put"),
    "word index": ("rag.index.lexical", "TantivyIndex.update"),
    "vector index": ("rag.index.vectors.faiss_index", "FaissIndex.add"),
    "calibrating": ("rag.library.library", "Library._first_scores"),
}
"""Where native code is put into ``rag index``."""

COMMANDS = {
    "ask": (("ask", "When does the ferry leave?"), ("rag.search.pipeline", "search")),
    "eval": (("eval", "questions.csv"), ("rag.search.pipeline", "search")),
    "export": (("export", "--force", "out.zip"), ("rag.index.sqlite.database", "Database.copy")),
    "import": (
        ("import", "in.zip", "--library", "imported"),
        ("rag.maintenance.backup_format", "unpack"),
    ),
    "verify": (("verify",), ("rag.index.sqlite.store_check", "StoreCheck.documents")),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="stages that have this in their name")
    parser.add_argument("--files", type=int, default=1_000_000, help="files of the largest folder")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    make_files(Path())
    print("| stage | ended by | seconds |\n|---|---|---|")
    for stage, ended_by, measure in measurements():
        if arguments.only in stage:
            if "many files" in stage:
                make_many(Path("many"), arguments.files)
            try:
                seconds = f"{measure():.1f}"
            except AssertionError as error:
                seconds = str(error)
            print(f"| {stage} | {ended_by} | {seconds} |", flush=True)
    rag("index", "few")
    rag("verify")


def make_files(folder: Path) -> None:
    """What the commands need, as far as it is not there."""
    for name in ("few", "long", "sparse", "many"):
        (folder / name).mkdir(exist_ok=True)
    for number in range(40):
        (folder / "few" / f"{number}.txt").write_text(SENTENCE.format(number) * 3)
    (folder / "long" / "long.txt").write_text(
        "".join(SENTENCE.format(number) for number in range(10_000))
    )
    with (folder / "sparse" / "sparse.txt").open("wb") as file:
        file.truncate(300 << 30)
    (folder / "questions.csv").write_text("question,expected\nWhen does the ferry leave?,dawn\n")
    if not (folder / "scanned.pdf").exists():
        sys.path.insert(0, str(Path(HERE).parents[1] / "support"))
        from pdf_files import made, scanned, write

        lines = [SENTENCE.format(number) for number in range(40)]
        pages = [partial(write, lines=lines)] * 20
        (folder / "scanned.pdf").write_bytes(scanned(made(*pages)))
    if not (folder / "library").exists():
        rag("index", "few")
    if not (folder / "in.zip").exists():
        rag("export", "in.zip")


def make_many(folder: Path, files: int) -> None:
    """Empty files in one folder."""
    for number in range(sum(1 for _ in folder.iterdir()), files):
        (folder / f"{number}.txt").touch()


def rag(*arguments: str) -> None:
    """Run the command to its end, with the library of the folder."""
    subprocess.run([sys.executable, "-m", "rag", *arguments], check=True, env=environment())


def environment() -> dict[str, str]:
    """That of the commands."""
    return os.environ | {"RAG_LIBRARY": "library"}


def measurements() -> Iterator[tuple[str, str, Callable[[], float]]]:
    """Each stage, what ends it, and what measures that."""
    for name, sent in SIGNALS.items():
        for stage, place in NATIVE.items():
            yield (
                f"index, native code: {stage}",
                name,
                lambda place=place, sent=sent: signalled(
                    sent, ("index", "few", "--library", fresh()), native=place
                ),
            )
        for stage, source, reached in REAL:
            yield (
                f"index: {stage}",
                name,
                lambda source=source, reached=reached, sent=sent: signalled(
                    sent, ("index", source, "--library", fresh()), stage=reached
                ),
            )
        for command, (words, place) in COMMANDS.items():
            yield (
                f"{command}, native code",
                name,
                lambda words=words, place=place, sent=sent: signalled(sent, words, native=place),
            )
        yield "mcp", name, lambda sent=sent: signalled(sent, ("mcp",), stage="")
        for stage in ("", "hashing", "encoding", "publishing"):
            yield (
                f"serve, {f'a job {stage}' if stage else 'nothing going on'}",
                name,
                lambda stage=stage, sent=sent: served(sent, stage),
            )
    for kind in ("OCR", "a parser that hangs"):
        yield f"worker: {kind}", "kill -9 of its parent", lambda kind=kind: orphaned(kind)
    for stage, source, reached in REAL:
        yield (
            f"job: {stage}",
            "cancel",
            lambda source=source, reached=reached: cancelled(source, stage=reached),
        )
    for stage, place in NATIVE.items():
        if stage not in {"discovering", "looking files up", "chunking", "storing"}:
            yield (
                f"job, native code: {stage}",
                "cancel",
                lambda place=place: cancelled("few", native=place),
            )


REAL = (
    ("a folder of many files", "many", "discovering"),
    ("a file of 300 GB", "sparse", "hashing"),
    ("a parser that hangs", "few", "reading"),
    ("encoding", "long", "encoding"),
)
"""Stages that last by themselves: what they are, what is indexed, and what is reached."""


def fresh() -> str:
    """A library that doesn't exist yet."""
    return f"fresh-{time.time_ns()}"


def signalled(
    sent: signal.Signals,
    words: tuple[str, ...],
    *,
    native: tuple[str, str] | None = None,
    stage: str | None = None,
) -> float:
    """Seconds from the signal until the command is gone, its stage reached before."""
    with child("command", native, stage, words) as process:
        wait_for(process)
        began = time.monotonic()
        process.send_signal(sent)
        process.communicate()
        seconds = time.monotonic() - began
    assert process.returncode in {0, 130, 143}, process.returncode
    return seconds


def served(sent: signal.Signals, stage: str) -> float:
    """The same of a server with a job at a stage."""
    native = ("rag.index.lexical", "TantivyIndex.update") if stage == "publishing" else None
    with child("serve", native, stage if stage in {"hashing", "encoding"} else None, ()) as process:
        wait_for(process)
        began = time.monotonic()
        process.send_signal(sent)
        process.communicate()
        seconds = time.monotonic() - began
    assert process.returncode in {0, 130, 143}, process.returncode
    return seconds


def cancelled(
    source: str, *, native: tuple[str, str] | None = None, stage: str | None = None
) -> float:
    """Seconds from the request to cancel a job until it counts as cancelled."""
    with child("job", native, stage, (source,)) as process:
        wait_for(process)
        assert process.stdin is not None
        process.stdin.write("cancel\n")
        process.stdin.flush()
        seconds = float(process.stdout.readline())  # type: ignore[union-attr]
        process.kill()
    return seconds


def orphaned(kind: str) -> float:
    """Seconds from the end of a command until all that its worker runs is gone."""
    words = ("index", "scanned.pdf", "--ocr") if kind == "OCR" else ("index", "few", "--again")
    stage = "-" if kind == "OCR" else "reading"
    with child("command", None, stage, (*words, "--library", fresh())) as process:
        while not (workers := group_of_child(process.pid)) or len(workers) < 1 + (kind == "OCR"):
            assert process.poll() is None, "it ended too soon"
            time.sleep(0.05)
        time.sleep(1)
        began = time.monotonic()
        process.kill()
        while any(map(is_running, workers)):
            time.sleep(0.01)
        return time.monotonic() - began


def group_of_child(parent: int) -> list[int]:
    """The processes in the group of a process's worker."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            _, its_parent, group, *_ = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = int(its_parent), int(group)
    workers = {group for its_parent, group in found.values() if its_parent == parent}
    return [process for process, (_, group) in found.items() if group in workers]


def is_running(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def child(
    kind: str, native: tuple[str, str] | None, stage: str | None, words: tuple[str, ...]
) -> subprocess.Popen[str]:
    """This program once more, as the process that is to be stopped."""
    place = ":".join(native) if native else "-"
    command = [sys.executable, HERE, "child", kind, place, "-" if stage is None else stage]
    return subprocess.Popen(
        [*command, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )


def wait_for(process: subprocess.Popen[str]) -> None:
    """Until the process says that its stage is reached, and a moment longer."""
    assert process.stdout is not None
    for line in process.stdout:
        if READY in line:
            time.sleep(1)
            return
    raise AssertionError(f"never reached: {process.args}")


def run_child(kind: str, place: str, stage: str, *words: str) -> None:
    """Inside the process that is to be stopped."""
    if place != "-":
        put_native_code_into(*place.split(":"))
    elif stage != "-":
        say_when_reached(stage)
    if kind == "worker":
        import rag.documents.sandbox.worker

        rag.documents.sandbox.worker.main()
        return
    if stage == "reading":
        import rag.documents.sandbox.processes

        command = (sys.executable, HERE, "child", "worker", "rag.documents.sandbox.worker:load", "")
        rag.documents.sandbox.processes.COMMAND = command
    if kind == "command":
        from rag.__main__ import main as run

        if not stage:
            threading.Timer(5, say).start()
        sys.argv[1:] = words
        run()
    elif kind == "serve":
        serve(
            stage != "-" or place != "-",
            "long" if stage == "encoding" else "sparse" if stage == "hashing" else "few",
        )
    else:
        run_job(*words)


def say() -> None:
    """Tell the parent that the stage is reached; once, and a worker's answers are no words."""
    if READY not in said and "worker" not in sys.argv:
        said.append(READY)
        os.write(OUTPUT, f"{READY}\n".encode())


said: list[str] = []
OUTPUT = os.dup(1)  # `rag mcp` replaces standard output


def put_native_code_into(module: str, path: str) -> None:
    """Let a function wait for ever in C, where no signal gets it out."""
    from rag.runtime.heartbeat import Heartbeat
    from rag.types.reports import Stage

    *owners, name = path.split(".")
    owner: object = importlib.import_module(module)
    for one in owners:
        owner = getattr(owner, one)

    really, enter = getattr(owner, name), Heartbeat.enter
    armed = threading.Event()

    def entered(self: Heartbeat, stage: Stage) -> None:
        armed.set()
        enter(self, stage)

    def waiting(*arguments: object, **options: object) -> object:
        if name in {"update", "add"} and not armed.is_set():  # the index of an empty library
            return really(*arguments, **options)
        library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
        library.pthread_mutex_lock(mutex)
        say()
        return library.pthread_mutex_lock(mutex)

    Heartbeat.enter = entered  # type: ignore[method-assign]
    setattr(owner, name, waiting)


def say_when_reached(stage: str) -> None:
    """Let the heartbeat tell."""
    from rag.runtime.heartbeat import Heartbeat

    before = Heartbeat._report

    def report(self: Heartbeat, step: object) -> None:
        before(self, step)  # type: ignore[arg-type]
        at = "encoding" if step.passages > 500 else step.stage  # type: ignore[attr-defined]
        if at == stage:
            say()

    Heartbeat._report = report  # type: ignore[method-assign]


def serve(with_job: bool, source: str) -> None:  # noqa: FBT001
    """A server, with a job where one is wanted."""
    from rag.__main__ import main as run
    from ui import server
    from ui.jobs import Jobs

    before = server.serve

    def started(library: object, *arguments: object, **options: object) -> None:
        if with_job:
            find = Jobs.__init__

            def remembered(self: Jobs, library: object) -> None:
                find(self, library)  # type: ignore[arg-type]
                threading.Timer(8, self.start, ([source],), {"again": True}).start()

            Jobs.__init__ = remembered  # type: ignore[method-assign]
        else:
            threading.Timer(12, say).start()
        before(library, *arguments, **options)  # type: ignore[arg-type]

    server.serve = started
    sys.argv[1:] = ["serve", "--port", "0", "--library", fresh()]
    run()


def run_job(source: str) -> None:
    """A job as the server has them, cancelled when the parent says so."""
    from rag import Library
    from ui.jobs import Jobs

    with Library.open(fresh()) as library:
        jobs = Jobs(library)
        job = jobs.start([source], again=True)
        sys.stdin.readline()
        began = time.monotonic()
        jobs.cancel(job.id)
        while not jobs.get(job.id).is_over:  # type: ignore[union-attr]
            time.sleep(0.01)
        print(time.monotonic() - began, flush=True)
        time.sleep(60)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        run_child(*sys.argv[2:])
    else:
        main()
