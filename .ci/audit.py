#!/usr/bin/env python3
"""Ask the advisory database of PyPI about every pinned package: part of `make check`.

Fails where something is known of one. Where the database can't be reached, on a machine without a
network, say, it says so in one line and doesn't fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 180


def main() -> int:
    """Say what is known; 1 if anything is."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--format", "json"),
        *("--progress-spinner", "off", "--timeout", "5", "--requirement", "constraints.txt"),
    ]
    try:
        run = subprocess.run(  # noqa: S603 (our own command)
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        found = json.loads(run.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return say(f"no advisories within {SECONDS} seconds: nothing was audited")
    except ValueError:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        return say(f"no advisory database can be reached: nothing was audited ({reason[:200]})")
    audited = [one for one in found if "skip_reason" not in one]
    for one in audited:
        for known in one["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "none yet"
            say(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}")
    if not audited:
        return say(
            f"the advisory database knows none of the {len(found)} pinned packages, as where a "
            "mirror has no advisories: nothing was audited"
        )
    bad = sum(bool(one["vulns"]) for one in audited)
    say(f"{len(audited)} of {len(found)} pinned packages audited, {bad} with advisories")
    return 1 if bad else 0


def say(line: str) -> int:
    """Print a line; gives success."""
    sys.stdout.write(f"audit: {line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
