"""Let one write after the other fail, and look at what is left each time.

Run as a program: ``python fail_at_every_write.py FOLDER [EVERY]``; with the second argument only at
each so-and-so-many-th write. The story of ``kill_at_every_step.py`` is told in a process where a
small library in C stands before the system's own (it needs gcc). Three ways: the disk is full from
that write on (ENOSPC), one write fails and the next succeeds (EIO), all fail from there on (EIO).
The story must end well, or in one of the library's own errors; a question that is asked then must
be answered, or told what is the matter; and another process, with a sound disk, must find what was
acknowledged, and be able to go on. Prints one JSON object.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

SHIM = Path(__file__).with_name("failing_writes.c")
MARK = "RAG_FAILING_WRITES"
"""In the environment of the process that the shim is loaded into."""

WAYS = {"full": (errno.ENOSPC, 1), "once": (errno.EIO, 0), "gone": (errno.EIO, 1)}


def compiled(folder: Path) -> Path:
    """The shim, ready to be loaded."""
    target = folder / "failing_writes.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", target, SHIM, "-ldl"], check=True)
    return target


def live_and_fail(place: Path, at: int, way: str) -> None:
    """Tell the story while writes fail, and say how that ended."""
    from hashing_embedder import HashingEmbedder
    from kill_at_every_step import story

    from rag import Library, RagError
    from rag.index.sqlite.writer import StoreWriter

    shim = ctypes.CDLL(None)
    put = StoreWriter.put

    def put_and_log(self: StoreWriter, *args: Any) -> None:  # noqa: ANN401
        put(self, *args)
        with (place / "acknowledged").open("a") as file:
            file.write(args[0].text + "\n")

    StoreWriter.put = put_and_log
    error, forever = WAYS[way]
    # The library alone is on the disk that fails.
    shim.faults_arm(str(place / "library").encode(), ctypes.c_long(at), error, forever)
    said = ""
    try:
        story(place)
    except RagError as trouble:
        said = str(trouble)
        if "; " not in said:
            raise AssertionError(f"it does not say what to do: {said}") from trouble
        with (
            suppress(RagError),
            Library.open(place / "library", create=False, embedder=HashingEmbedder()) as library,
        ):
            library.search("Alpha rivers?")
    (place / "end").write_text(json.dumps([shim.faults_count(), said]))


def main(folder: Path, every: int) -> None:
    """Fail at one write after the other, in each way."""
    from kill_at_every_step import check, import_once, in_another_process

    import_once()
    began, failed = time.monotonic(), []
    ended: Counter[str] = Counter()
    for way in WAYS:
        for at in count(0, every):
            place = folder / f"{way}-{at}"
            place.mkdir()
            (place / "acknowledged").touch()
            if in_another_process(partial(live_and_fail, place, at, way)):
                failed.append(place.name)
                continue
            writes, said = json.loads((place / "end").read_text())
            ended["failed with a message" if said else "went well"] += 1
            acknowledged = (place / "acknowledged").read_text().splitlines()
            if in_another_process(partial(check, place, acknowledged)):
                failed.append(place.name)
            else:
                shutil.rmtree(place)
            if writes <= at:
                break  # there is no such write
    report = {"ended": ended, "failed": failed, "seconds": round(time.monotonic() - began, 1)}
    json.dump(report, sys.stdout)


def restart() -> None:
    """Begin again, with the shim loaded."""
    folder = Path(sys.argv[1])
    shim = compiled(folder)
    os.environ |= {"LD_PRELOAD": str(shim), MARK: "1"}
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606


if __name__ == "__main__":
    if MARK in os.environ:
        os.environ.pop("LD_PRELOAD")  # for processes that are none of ours
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    else:
        restart()
