"""Threads that do not fight, and keep nothing when they end: one for a question's products, and
company for who waits anyway.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from test_package import python

from rag import Library
from rag.ingest.passage_encoder import GIVE_WAY
from rag.models.micro_batch import MicroBatcher
from rag.runtime.threads import TURN
from rag.types import Passage, PassageEncoding


def test_threads_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives a product in NumPy one thread, in whatever thread it is computed, and lets nobody
    wait for the GIL as long as Python would by itself.
    """
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")  # which the other tests have, and would hide it
    run = python(
        "import sys, threading\n"
        "from rag.cli.main import main\n"
        "try:\n"
        "    main(['status', '--library', 'none'])\n"
        "except SystemExit:\n"
        "    print(sys.getswitchinterval())\n"
        "from threadpoolctl import ThreadpoolController\n"
        "def show():\n"
        "    found = ThreadpoolController().select(user_api='blas').info()\n"
        "    print({one['num_threads'] for one in found if 'numpy' in one['filepath']} - {1})\n"
        "show()\n"
        "thread = threading.Thread(target=show)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    assert run.stdout == f"{TURN}\nset()\nset()\n", run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_the_model_gives_way(tmp_path: Path) -> None:
    """While it indexes, whoever asks goes first; and this thread stays as it is."""
    priorities: list[int] = []

    class Watched(HashingEmbedder):
        def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
            priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            yield from super().passages(passages)

    own = os.getpriority(os.PRIO_PROCESS, 0)
    (tmp_path / "a.txt").write_text("The mill of Oak stands still.")
    with Library.open(tmp_path / "library", embedder=Watched()) as library:
        library.index(tmp_path / "a.txt")
    assert priorities
    assert set(priorities) == {min(own + GIVE_WAY, 19)}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


@pytest.mark.skipif(sys.platform != "linux", reason="others have no glibc")
def test_a_heap_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's threads share heaps, however many they are."""
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    run = python(
        "import ctypes, os, threading\n"
        "from rag.cli.main import main\n"
        "def heaps():\n"
        "    libc = ctypes.CDLL(None)\n"
        "    libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p] * 2\n"
        "    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]\n"
        "    libc.fclose.argtypes = [ctypes.c_void_p]\n"
        "    file = libc.fopen(b'/dev/fd/1', b'a')\n"
        "    libc.malloc_info(0, file)\n"
        "    libc.fclose(file)\n"
        "try:\n"
        "    main(['status', '--library', 'none'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "heaps()\n"
        "print('later', flush=True)\n"
        "together = threading.Barrier(8 * os.cpu_count())\n"
        "def use():\n"
        "    kept = [bytearray(10_000) for _ in range(9)]\n"
        "    together.wait()\n"
        "threads = [threading.Thread(target=use) for _ in range(together.parties)]\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()\n"
        "heaps()\n"
    )
    before, later = (part.count("<heap nr") for part in run.stdout.split("later"))
    assert 0 < later <= max(before, os.cpu_count() or 1), run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="it looks where Linux lists open files")
def test_a_thread_that_ended_keeps_no_file_open(tmp_path: Path) -> None:
    """A server has new ones all the time, and as many files as the system lets it have."""

    def opened() -> int:
        links = [one.resolve() for one in Path("/proc/self/fd").iterdir()]
        return sum(one.is_relative_to(tmp_path) for one in links)  # not those of other tests

    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.status()
        before = opened()
        for _ in range(50):
            thread = threading.Thread(target=library.status)
            thread.start()
            thread.join()
        assert 0 < opened() <= 2 * before
    assert opened() == 0


def test_together() -> None:
    """Who comes while a run is going on shares the next one, up to so many; each gets its own."""
    runs: list[list[int]] = []
    began, go_on = threading.Event(), threading.Event()

    def run(items: Sequence[int]) -> list[int]:
        runs.append(list(items))
        began.set()
        assert go_on.wait(timeout=30)
        return [-item for item in items]

    together = MicroBatcher(run, most=3, at_once=1)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(together, 0)
        assert began.wait(timeout=30)
        later = [pool.submit(together, item) for item in range(1, 6)]
        while len(together._waiting) < 5:
            threading.Event().wait(0.01)
        go_on.set()
        assert first.result(timeout=30) == 0
        assert [one.result(timeout=30) for one in later] == [-1, -2, -3, -4, -5]
    assert sorted(map(len, runs)) == [1, 2, 3]
    assert runs[0] == [0]


def test_together_passes_errors_on() -> None:
    """An error reaches who asked, and the next run works."""

    def run(items: Sequence[int]) -> list[float]:
        return [1 / item for item in items]

    together = MicroBatcher(run, most=3, at_once=2)
    with pytest.raises(ZeroDivisionError):
        together(0)
    assert together(4) == 0.25
