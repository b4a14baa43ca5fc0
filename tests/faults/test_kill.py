"""A writer that is killed loses nothing that was committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EVERY = 12
KILLS = 8
PROGRAMS = Path(__file__).parent


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")
def test_kill_between_write_steps(tmp_path: Path) -> None:
    """It dies at one step after the other; what was acknowledged answers, and the work can go on.

    Here at each twelfth, beginning with another one each day; ``make faults`` does it at each.
    """
    report = came_of("kill_at_every_step.py", tmp_path, str(EVERY))
    assert report["failed"] == []
    assert report["died"] * EVERY > 100, "the steps are seen at all"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")
def test_kill_at_random_moments(tmp_path: Path) -> None:
    """One library lives through it, and holds what was acknowledged; ``make faults``: 500 times."""
    report = came_of("kill_at_random.py", tmp_path, "--kills", str(KILLS), "--seconds", "1.5")
    assert report["failed"] == []
    assert report["documents acknowledged"] > 0


def came_of(program: str, *arguments: str | Path) -> dict[str, object]:
    """What a program reports."""
    # Not under coverage, which would slow hundreds of processes that die before they can tell.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    run = subprocess.run(
        [sys.executable, PROGRAMS / program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, object] = json.loads(run.stdout)
    if found.get("failed"):
        sys.stderr.write(run.stderr)
    return found
