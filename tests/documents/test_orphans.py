"""A process of ours whose parent was killed ends by itself, whatever it is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")

SECONDS = 2.0
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


@pytest.mark.parametrize("busy", BUSY)
def test_an_orphan_ends(busy: str) -> None:
    """Also where the thread that started it ended long ago, which changes nothing before that."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD + BUSY[busy]], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.5)
        assert len(group(worker)) == 1 + (busy == "another program")
        parent.kill()
    until = time.monotonic() + SECONDS
    try:
        while group(worker):
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        for one in group(worker):
            os.kill(one, signal.SIGKILL)
