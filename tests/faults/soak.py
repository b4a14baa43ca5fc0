"""Search, index, remove and watch one library for hours, and see that nothing grows.

Run as a program: ``python soak.py FOLDER [--minutes M] [--articles N] [--hashing]``. One process: a
thread writes, changes and deletes articles, one follows their folder as ``rag index --watch`` does,
one removes documents and reads all of them again, one verifies the library from a second opening of
it, and two ask. Files are read in processes of their own, by the real model unless ``--hashing``.
Each answer is held against what it may be. Prints a line of JSON each half minute: memory of this
process, file handles, threads, bytes of the library; and a last one that says how much these grew
from the first third after warming up to the last, in medians. Exit code 1 if an answer was wrong,
or memory grew by more than 5 % and 20 MB, or handles or threads by more than two.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hashing_embedder import HashingEmbedder

from rag import Document, Library, LibraryBusy, RagError, SourceNotFound
from rag.documents.discovery import changes
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.threads import limit_arenas, limit_blas_to_one_thread, shorten_switch_interval
from rag.text.chunking import passages

EVERY = 30.0
"""Seconds between two samples."""

WARMING = 0.15
"""Share of the time that is left out: caches fill."""

SUBJECTS = ["harbour", "orchard", "turret", "glacier", "violin", "comet", "vineyard", "tram"]
ACTIONS = ["was rebuilt", "burned down", "was sold", "was measured", "was painted", "was moved"]


class Soak:
    """One library, the threads that use it, and what they counted."""

    def __init__(self, folder: Path, articles: int, *, hashing: bool) -> None:
        self.articles = folder / "articles"
        self.articles.mkdir(parents=True, exist_ok=True)
        self.folder = folder / "library"
        self.names = [f"article-{number:03}.txt" for number in range(articles)]
        self.embedder = HashingEmbedder() if hashing else SentenceTransformerEmbedder()
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.stop = threading.Event()
        self.library = self.opened()

    def opened(self) -> Library:
        """The library; its model is loaded once."""
        return Library.open(self.folder, embedder=self.embedder)

    def meet_every_length(self) -> None:
        """Encode a text of each length, twice: OpenVINO keeps what it made for each (some 250 MB
        for all of them, on two cores), and that must not look like a leak.
        """
        for count in [*range(1, self.embedder.window + 1)] * 2:
            document = Document("d", "s", "t", " ".join(["box"] * count), "d")
            for _ in self.embedder.passages(passages(document, self.embedder)):
                pass

    def write(self) -> None:
        """Change the articles."""
        lot = random.Random()  # noqa: S311 (no secret)
        while not self.stop.wait(lot.choice([0.05, 0.05, 0.05, 5.0])):  # some at once, then quiet
            path = self.articles / lot.choice(self.names)
            if path.exists() and lot.random() < 0.3:
                path.unlink()
                self.counts["deleted"] += 1
                continue
            subject = lot.choice(SUBJECTS)
            lines = [
                f"The {subject} of {lot.choice(['Ghent', 'Lund', 'Porto'])} "
                f"{lot.choice(ACTIONS)} in {lot.randint(1500, 2000)}."
                for _ in range(lot.randint(1, 30))
            ]
            draft = path.with_suffix(".draft")
            draft.write_text(
                f"Word{lot.getrandbits(40):x} and the {subject}.\n\n" + " ".join(lines)
            )
            draft.replace(path)
            self.counts["written"] += 1

    def follow(self) -> None:
        """Index whenever something changed."""
        for _ in changes([self.articles], leave_out=self.folder):
            if self.stop.is_set():
                return
            self.library.index(self.articles)
            self.counts["indexed"] += 1

    def shake(self) -> None:
        """Remove documents, and read all of them again."""
        lot = random.Random()  # noqa: S311
        while not self.stop.wait(lot.uniform(5.0, 15.0)):
            if lot.random() < 0.3:
                self.library.index(self.articles, again=True)
                self.counts["read again"] += 1
            documents = self.library.documents(3)
            held = [path for one in documents for path in self.library.sources(one.id)]
            with suppress(SourceNotFound):  # the other writer was faster
                if held:
                    self.library.remove(held)
                    self.counts["removed"] += len(held)

    def look(self) -> None:
        """Open the library anew, as another process would, and close it."""
        while not self.stop.wait(7.0):
            with self.opened() as another:
                another.status()
                another.search("What was rebuilt?")
                problems = another.verify().problems
            self.wrong += [f"verify: {one.what}" for one in problems]
            self.counts["opened"] += 1

    def ask(self) -> None:
        """Search, and hold each hit against its document."""
        lot = random.Random()  # noqa: S311
        while not self.stop.wait(lot.uniform(0.05, 0.4)):
            subject = lot.choice(SUBJECTS)
            for hit in self.library.search(f"Which {subject} {lot.choice(ACTIONS)}?", k=5):
                self.counts["hits"] += 1
                try:
                    document = self.library.document(hit.document_id)
                except RagError:
                    continue  # it went meanwhile
                if document.text[hit.start : hit.end] != hit.text:
                    self.wrong.append(f"{hit.source}: a passage is not what stands there")
            self.counts["asked"] += 1

    def guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """The same, begun again where another writer kept it waiting; other errors are wrong."""

        def run() -> None:
            while not self.stop.is_set():
                try:
                    work()
                except LibraryBusy:
                    self.counts["waited in vain"] += 1
                except Exception as error:  # noqa: BLE001 (told at the end)
                    self.wrong.append(f"{work.__name__}: {type(error).__name__}: {error}")
                    self.stop.wait(1.0)

        return run

    def sample(self, began: float) -> dict[str, float]:
        """How things stand."""
        gc.collect()
        status = self.library.status()
        return {
            "minutes": round((time.monotonic() - began) / 60, 2),
            "memory_mb": _resident(),
            "handles": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "library_mb": round(status.bytes / 1e6, 2),
            "documents": status.documents,
            **self.counts,
            "wrong": len(self.wrong),
        }


def _resident() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def grown(samples: list[dict[str, float]], name: str) -> tuple[float, float]:
    """The median of the first third after warming up, and that of the last third."""
    kept = samples[int(len(samples) * WARMING) :]
    third = max(1, len(kept) // 3)
    return (
        statistics.median(one[name] for one in kept[:third]),
        statistics.median(one[name] for one in kept[-third:]),
    )


def main() -> None:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--hashing", action="store_true", help="no model: for a quick look")
    given = parser.parse_args()
    # As the command does.
    limit_blas_to_one_thread()
    limit_arenas()
    shorten_switch_interval()
    soak = Soak(given.folder, given.articles, hashing=given.hashing)
    soak.meet_every_length()
    works = [soak.write, soak.follow, soak.shake, soak.look, soak.ask, soak.ask]
    threads = [threading.Thread(target=soak.guarded(work), daemon=True) for work in works]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    samples: list[dict[str, float]] = []
    told: list[str] = []
    while time.monotonic() - began < given.minutes * 60:
        time.sleep(min(EVERY, given.minutes * 60 / 6))
        samples.append(soak.sample(began))
        print(json.dumps(samples[-1]), *soak.wrong[len(told) :], sep="\n", flush=True)
        told = soak.wrong[:]
    soak.stop.set()
    for thread in threads:
        thread.join(15)
    names = ("memory_mb", "handles", "threads", "library_mb")
    report = {name: grown(samples, name) for name in names}
    print(json.dumps(report | {"wrong": soak.wrong[:20]}), flush=True)
    memory, handles, threads_ = (report[name] for name in names[:3])
    leaks = (
        memory[1] > max(memory[0] * 1.05, memory[0] + 20),
        handles[1] > handles[0] + 2,
        threads_[1] > threads_[0] + 2,
    )
    sys.stdout.flush()
    os._exit(1 if soak.wrong or any(leaks) else 0)  # the watcher waits for a change for ever


if __name__ == "__main__":
    main()
