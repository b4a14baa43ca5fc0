"""What others run rag with: the unit for systemd, the Dockerfile, and what `make` offers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "ui" / "deployment"
UNIT = FOLDER / "rag.service"

HARDENED = {
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "NoNewPrivileges=yes",
    "PrivateTmp=yes",
    "IPAddressDeny=any",
    "IPAddressAllow=localhost",
    "CapabilityBoundingSet=",
}
MOST_EXPOSED = 2.0
"""Of 10, as systemd-analyze counts."""


def test_the_unit_is_hardened() -> None:
    """It keeps what SECURITY.md promises, and lets the server end in order."""
    lines = set(UNIT.read_text("utf-8").splitlines())
    assert lines >= HARDENED
    assert not any(line.startswith("KillSignal") for line in lines)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """No word of it is unknown, and what is left open is little."""
    unit = tmp_path / "rag.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/rag/bin/rag", sys.executable))
    verified = analysed("verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    exposed = analysed("security", "--offline=yes", "--no-pager", unit)
    found = re.search(r"Overall exposure level for rag.service: ([\d.]+)", exposed.stdout)
    assert found is not None, exposed.stderr
    assert float(found[1]) < MOST_EXPOSED


def analysed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze."""
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


def test_what_is_run_is_what_rag_knows() -> None:
    """Each option of the unit and the Dockerfile is one of ``rag serve``."""
    told = subprocess.run(
        [sys.executable, "-m", "rag", "serve", "--help"],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    texts = UNIT.read_text("utf-8"), (FOLDER / "Dockerfile").read_text("utf-8")
    command = re.findall(
        r"^ExecStart=.* (serve .*)$|^CMD \[(\"serve\".*)\]$", "\n".join(texts), re.MULTILINE
    )
    assert len(command) == 2
    for option in re.findall(r"--[a-z-]+", str(command)):
        assert option in told


def test_the_container_asks_for_nothing_while_it_runs() -> None:
    """Not as root, packages by their hashes, and its health by an address that there is."""
    text = (FOLDER / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    _, *installs = text.replace("\\\n", "").split("pip install ")
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)
    assert "http://127.0.0.1:7860/api/v1/health" in text
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for name in copied.split():
            assert (ROOT / name).exists()
            assert f"!{name.partition('/')[0]}" in ignored
