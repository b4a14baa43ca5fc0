"""Kill a process that indexes at random moments, and look at what is left each time.

Run as a program: ``python kill_at_random.py FOLDER [--kills N] [--seed N] [--seconds S]``. One
library lives through all of it: a process writes, changes and deletes articles, indexes and removes
them, until SIGKILL meets it after a time drawn by lot; then another process opens the library and
holds it against a log of what was acknowledged. Every document must be one that it may have, each
that was acknowledged must be there and be found by a word of its own, and ``verify`` must have
nothing to say. Each fiftieth time the library is begun anew. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from hashing_embedder import HashingEmbedder
from kill_at_every_step import import_once, in_another_process

from rag import Library
from rag.index.sqlite.writer import StoreWriter

NAMES = [f"article-{number:02}.txt" for number in range(12)]
BEGUN_ANEW = 50
"""Kills that one library lives through."""


class World:
    """Articles, a library of them, and a log of what was done and acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.articles = folder / "articles"
        self.library = folder / "library"
        self.log = folder / "log"
        self.articles.mkdir(parents=True)
        self.log.touch()

    def tell(self, **what: Any) -> None:  # noqa: ANN401 (one kind of line each)
        """Append a line; what the kernel took, a kill does not take back."""
        line = "\n" + json.dumps(what)  # on a line of its own, whatever a kill left of the last one
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    def contents(self) -> dict[str, str]:
        """The articles by name."""
        return {path.name: path.read_text() for path in sorted(self.articles.glob("*.txt"))}

    def may_hold(self) -> dict[str, set[str | None]]:
        """By article the texts that the library may have of it; None for nothing."""
        possible: dict[str, set[str | None]] = {name: {None} for name in NAMES}
        for line in self.log.read_text().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                continue  # a kill met it: it was never told
            match told["did"]:
                case "indexing" | "removing":  # begun, and so done, or half done, or not at all
                    for name, text in told["contents"].items():
                        possible[name].add(text)
                    for name in told["gone"]:
                        possible[name].add(None)
                case "put":
                    possible[told["name"]] = {told["text"]}
                case "indexed" | "removed" | "seen":
                    for name, text in told["contents"].items():
                        possible[name] = {text}
        return possible


def work(world: World, lot: random.Random) -> None:
    """Change articles and take the changes in, without end."""
    put = StoreWriter.put

    def put_and_tell(self: StoreWriter, document: Any, source: Any, *rest: Any) -> None:  # noqa: ANN401
        put(self, document, source, *rest)
        world.tell(did="put", name=Path(source.path).name, text=document.text)

    StoreWriter.put = put_and_tell
    while True:
        with Library.open(world.library, embedder=HashingEmbedder()) as library:
            for _ in range(lot.randint(1, 4)):
                change(world, lot)
                index(world, library)
                if lot.random() < 0.2:
                    remove(world, library, lot)


def change(world: World, lot: random.Random) -> None:
    """Write, change or delete some articles, each at once."""
    for name in lot.sample(NAMES, lot.randint(1, 4)):
        path = world.articles / name
        if path.exists() and lot.random() < 0.3:
            path.unlink()
            continue
        word = f"word{lot.getrandbits(48):x}"
        sentences = [f"Sentence {n} of {word} is about sand." for n in range(lot.randint(0, 40))]
        draft = path.with_suffix(".draft")
        draft.write_text("\n\n".join([f"The word is {word}.", *sentences]))
        draft.replace(path)


def index(world: World, library: Library) -> None:
    """Take in what changed."""
    contents = world.contents()
    gone = [name for name in NAMES if name not in contents]
    world.tell(did="indexing", contents=contents, gone=gone)
    library.index(world.articles)
    world.tell(did="indexed", contents=contents | dict.fromkeys(gone))


def remove(world: World, library: Library, lot: random.Random) -> None:
    """Take some articles out, which stay in their folder."""
    held = list(world.contents())
    if held:
        names = lot.sample(held, lot.randint(1, min(3, len(held))))
        world.tell(did="removing", contents={}, gone=names)
        library.remove([world.articles / name for name in names])
        world.tell(did="removed", contents=dict.fromkeys(names))


def check(world: World) -> None:
    """What must hold after a death at any moment."""
    possible = world.may_hold()
    if not world.library.exists():
        return
    with Library.open(world.library, embedder=HashingEmbedder()) as library:
        documents = [library.document(found.id) for found in library.documents()]
        held = dict.fromkeys(NAMES) | {Path(one.source).name: one.text for one in documents}
        assert len([text for text in held.values() if text]) == len(documents), "a stray document"
        for name, text in held.items():
            assert text in possible[name], f"{name}: {str(text)[:40]!r} is not what it may have"
        for one in documents:
            word = one.text.split(".", maxsplit=1)[0].split()[-1]
            hits = library.search(f"{word}?", k=3)
            assert hits, f"{word} of {one.source} is not found"
            assert word in hits[0].text, f"{word} of {one.source} is not found first"
        library.search("What was never asked?")  # publishes what the kill left unpublished
        status = library.status()
        assert status.documents == len(documents)
        assert library.verify().problems == ()
    world.tell(did="seen", contents=held)


def main() -> None:
    """Kill, look, and again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.6, help="the longest life")
    given = parser.parse_args()
    import_once()
    lot = random.Random(given.seed)  # noqa: S311 (no secret)
    failed: set[int] = set()
    began = time.monotonic()
    for number in range(given.kills):
        if number % BEGUN_ANEW == 0:
            world = World(given.folder / f"world-{number}")
        seed, seconds = lot.getrandbits(32), lot.uniform(0.0, given.seconds)
        child = os.fork()
        if child == 0:
            try:
                work(world, random.Random(seed))  # noqa: S311
            except BaseException as error:  # noqa: BLE001 (the parent sees that it ended)
                sys.stderr.write(f"kill {number}: {type(error).__name__}: {error}\n")
            os._exit(1)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != -signal.SIGKILL:
            failed.add(number)
        if in_another_process(partial(check, world)):
            failed.add(number)
            shutil.copytree(world.library, given.folder / f"failed-{number}", dirs_exist_ok=True)
    logs = [log.read_text() for log in given.folder.glob("world-*/log")]
    report = {
        "kills": given.kills,
        "documents acknowledged": sum(log.count('"did": "put"') for log in logs),
        "failed": sorted(failed),
        "seconds": round(time.monotonic() - began, 1),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
