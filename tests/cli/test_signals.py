"""Ctrl-C and SIGTERM end a command in time, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

SECONDS = 3.0
SLACK = 3.0
"""What a busy machine may take longer."""

AT_ONCE = {
    "Python": "while True: pass",
    "another thread": "threading.Thread(target=time.sleep, args=(1000,)).start(); time.sleep(1000)",
    "an import": "import slow",
    "an import that hides it": "try: import slow\nexcept BaseException: raise ImportError",
}
IN_TIME = {
    "native code": "library.pthread_mutex_lock(mutex); library.pthread_mutex_lock(mutex)",
    "cleaning up": "try: time.sleep(1000)\nfinally: time.sleep(1000)",
}
COMMAND = """
import ctypes, importlib.abc, threading, sys, time
from rag.__main__ import main

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "slow":
            time.sleep(1000)
        if name == "rag.cli.main":  # what the command imports first
            library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
            print("ready", flush=True)
            exec(sys.argv[1])

sys.meta_path.insert(0, Slow())
main()
"""


@pytest.mark.parametrize("doing", [*AT_ONCE, *IN_TIME])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ends_in_time(doing: str, sent: signal.Signals, code: int) -> None:
    """With the exit code of the signal and a line, which tells who ended it: the command itself, or
    the thread that watches over it.
    """
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, (AT_ONCE | IN_TIME)[doing]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < SECONDS + SLACK
    itself = doing in AT_ONCE
    line = "Stopped.\n" if itself else "Stopped. What was written stays; run it again to go on.\n"
    assert (process.returncode, said) == (code, line)
