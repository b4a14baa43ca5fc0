"""Kill a writer between every pair of its write steps, and look at what is left each time.

Run as a program: ``python kill_at_every_step.py FOLDER [EVERY]``; with the second argument only at
each so-and-so-many-th step, and beginning with another one each day. A step of the writer (an SQL
statement, fsync, rename, deletion, or update of the word index) is a place to die with
SIGKILL. For each place the story below runs in a process of its own until it dies there; then a
second process opens the library and checks it. Prints one JSON object.

The story: three articles are indexed; one changes, one is deleted, one is added; they are
indexed again; one is removed; the library is re-encoded with another model.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from halved_embedder import HalvedEmbedder
from hashing_embedder import HashingEmbedder

import rag.index.sqlite.database
import rag.ingest.run
from rag import Document, Library, LibraryMismatch
from rag.documents.registry import ReadOptions, load
from rag.documents.sandbox.reader import ReadFile
from rag.index.lexical import TantivyIndex
from rag.index.sqlite.writer import StoreWriter
from rag.runtime.heartbeat import Beat, no_heartbeat

FIRST = {
    "alpha.txt": "Alpha rivers carry gold. Miners wash it.",
    "beta.txt": "Beta mountains hold silver. Nobody digs there.",
    "gamma.txt": "Gamma deserts bury copper. Camels know the way.",
}
SECOND = {
    "alpha.txt": "Alpha rivers ran dry. Miners went home.",
    "beta.txt": None,
    "delta.txt": "Delta swamps hide amber. Frogs guard it.",
}


def story(folder: Path) -> None:
    """What the writer does; may be begun again at any point."""
    articles = folder / "articles"
    with opened(folder) as library:
        write(articles, FIRST)
        library.index(articles)
        write(articles, SECOND)
        library.index(articles)
        library.remove([articles / "gamma.txt"])
        library.reencode(embedder=HalvedEmbedder())


def opened(folder: Path) -> Library:
    """The library, with the model that it has."""
    try:
        return Library.open(folder / "library", embedder=HashingEmbedder())
    except LibraryMismatch:
        return Library.open(folder / "library", embedder=HalvedEmbedder())


def write(articles: Path, contents: dict[str, str | None]) -> None:
    """Set the articles up."""
    articles.mkdir(exist_ok=True)
    for name, text in contents.items():
        if text is None:
            (articles / name).unlink(missing_ok=True)
        else:
            (articles / name).write_text(text)


class Steps:
    """Counts write steps, and dies before the one that was chosen."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.count = 0

    def __call__(self, *_: object) -> None:
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, as a step."""

        def stepped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (any signature at all)
            self()
            return function(*args, **kwargs)

        return stepped


def watch(steps: Steps, log: Path) -> None:
    """Make a step of everything that writes, and log what was acknowledged."""
    connect = sqlite3.connect

    def connect_and_watch(*args: Any, **kwargs: Any) -> sqlite3.Connection:  # noqa: ANN401
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(steps)
        return connection

    rag.index.sqlite.database.sqlite3.connect = connect_and_watch
    for name in ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir"):
        setattr(os, name, steps.before(getattr(os, name)))
    TantivyIndex.update = steps.before(TantivyIndex.update)
    put = StoreWriter.put

    def put_and_log(self: StoreWriter, *args: Any) -> None:  # noqa: ANN401
        put(self, *args)
        with log.open("a") as file:
            file.write(args[0].text + "\n")

    StoreWriter.put = put_and_log


def read_here(
    paths: list[Path],
    *,
    options: ReadOptions,
    beat: Beat = no_heartbeat,
) -> Iterator[tuple[Path, Document] | ReadFile]:
    """Read files in this process: starting others hundreds of times would take an hour."""
    for path in paths:
        beat()
        for document in load(path, options=options):
            yield path, document
        yield ReadFile(path, (), 0.0)


def check(folder: Path, acknowledged: list[str]) -> None:
    """What must hold after a death anywhere."""
    with opened(folder) as library:
        texts = {library.document(found.id).text for found in library.documents()}
        held = set(FIRST.values()) | {text for text in SECOND.values() if text}
        assert texts <= held, "nothing appears that was never written"
        # A document that was acknowledged is there, unless the story itself took it out since.
        replaced = {FIRST["alpha.txt"], FIRST["beta.txt"], FIRST["gamma.txt"]}
        missing = set(acknowledged) - texts
        assert missing <= replaced, f"acknowledged, and lost: {missing}"
        if FIRST["alpha.txt"] in missing:
            assert SECOND["alpha.txt"] in texts, "replaced by nothing"
        for text in texts:
            word = text.split()[0]
            found = library.search(f"{word}?", k=10)
            assert found[0].text == text, f"{word} is not found"
            assert library.document(found[0].document_id).text == text
        words = " ".join(text.split()[0] for text in held)
        assert {hit.text for hit in library.search(words, k=10)} == texts, "found and held differ"
        counts = library.status()
        assert (counts.documents, counts.sentences) == (len(texts), 2 * len(texts))
    story(folder)  # and the same work, begun again, ends where it should
    with Library.open(folder / "library", embedder=HalvedEmbedder()) as library:
        texts = {library.document(found.id).text for found in library.documents()}
        assert texts == {SECOND["alpha.txt"], SECOND["delta.txt"]}
        assert library.verify().problems == ()


def import_once() -> None:
    """Import what each of many forks would otherwise import itself. Nothing is called: threads
    don't survive a fork.
    """
    for name in ("faiss", "tantivy", "filelock", "sentencex", "numpy.ma", "zoneinfo"):
        importlib.import_module(name)
    importlib.import_module("rag.documents.formats.plain_text")
    rag.ingest.run.read = read_here


def in_another_process(work: Callable[[], None]) -> int:
    """Run it in a fork; gives its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (whatever it was, the parent must know)
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, every: int) -> None:
    """Die at one step after the other."""
    import_once()
    died, failed = 0, []
    first = dt.datetime.now(tz=dt.UTC).toordinal() % every
    for step in count(first, every):
        place = folder / f"step-{step}"
        place.mkdir()
        log = place / "acknowledged"
        log.touch()

        def live_and_die(place: Path = place, log: Path = log, step: int = step) -> None:
            watch(Steps(step), log)
            story(place)

        code = in_another_process(live_and_die)
        if code == 0:
            break  # it lived to the end: there is no such step
        if code != -signal.SIGKILL:
            sys.exit(f"step {step} did not die, but ended with exit code {code}")
        died += 1
        if in_another_process(
            lambda place=place, log=log: check(place, log.read_text().splitlines())
        ):
            failed.append(step)
        shutil.rmtree(place)
    json.dump({"first": first, "died": died, "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
