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

DOING = {
    "Python": "while True: pass",
    "native code": "library.pthread_mutex_lock(mutex); library.pthread_mutex_lock(mutex)",
    "cleaning up": "try: time.sleep(1000)\nfinally: time.sleep(1000)",
    "another thread": "threading.Thread(target=time.sleep, args=(1000,)).start()",
}
COMMAND = """
import ctypes, threading, sys, time
from rag import cli

def app(_):
    def run(_):
        library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
        print("ready", flush=True)
        try:
            exec(sys.argv[1])
            time.sleep(0.5)
        except KeyboardInterrupt:
            sys.exit(130)
    return run

cli.app = app
cli.main([])
"""


@pytest.mark.parametrize("doing", DOING)
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ends_in_time(doing: str, sent: signal.Signals, code: int) -> None:
    """With the exit code of the signal, and without a traceback."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, DOING[doing]],
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
    assert (process.returncode, "Traceback" in said) == (code, False), said
