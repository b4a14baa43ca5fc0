"""A writer that is killed loses nothing that was committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EVERY = 6
PROGRAM = Path(__file__).with_name("kill_at_every_step.py")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")
def test_kill_between_write_steps(tmp_path: Path) -> None:
    """It dies at one step after the other; what was acknowledged answers, and the work can go on.

    Here at each sixth; ``make faults`` does it at each.
    """
    # Not under coverage, which would slow hundreds of processes that die before they can tell.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    run = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, str(EVERY)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["failed"] == [], run.stderr
    assert report["died"] * EVERY > 100, "the steps are seen at all"
