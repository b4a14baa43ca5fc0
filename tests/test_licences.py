"""What the default install brings may be used by anyone for anything, or it is explained; and what
is pinned by hash is what is pinned by version.
"""

from __future__ import annotations

import re
from pathlib import Path

import licences
import pytest
from licences import EXCEPTIONS, Package, normal, packages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "ui" / "deployment"


@pytest.fixture(scope="module")
def installed() -> list[Package]:
    """All that the default install brings."""
    assert not list(licences.missing())
    return packages()


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in a file."""
    entries = re.findall(
        r"^([\w.-]+)==(\S+)(.*\n(?:[ ].*\n)*)", (FOLDER / name).read_text("utf-8"), re.MULTILINE
    )
    return {
        normal(package): (version, rest.count("--hash=sha256:"))
        for package, version, rest in entries
    }


def test_every_licence_is_permissive_or_explained(installed: list[Package]) -> None:
    """An exception for what is permissive, or not there, is one too many."""
    strict = {one.name: one.licence for one in installed if not one.is_permissive}
    assert strict.keys() == EXCEPTIONS.keys(), strict
    assert len(installed) > 90


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-only AND MIT", False),
        ("MITx", False),
        ("", False),
    ],
)
def test_what_is_permissive(licence: str, *, permissive: bool) -> None:
    """Each part must be; of several to choose from, one."""
    assert Package("one", "1", licence).is_permissive is permissive


def test_the_document_names_each(installed: list[Package]) -> None:
    """``make licences`` was run after the last change."""
    text = (FOLDER / "LICENCES.md").read_text("utf-8")
    listed = set(re.findall(r"^\| ([\w-]+) \| [\d.]", text, re.MULTILINE))
    assert listed == {one.name for one in installed}


def test_what_is_locked_is_what_was_tested(installed: list[Package]) -> None:
    """Every package of the default install is there with its version here, and with hashes."""
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    )
    pinned = {normal(name): version for name, version in pinned.items()}
    found = locked("locked.txt") | locked("locked-torch.txt")
    assert all(hashes for _, hashes in found.values())
    assert {one.name for one in installed} <= found.keys()
    assert {name: version for name, (version, _) in found.items() if name in pinned} == {
        name: version for name, version in pinned.items() if name in found
    }
    unpinned = {name for name in found if name not in pinned}
    assert not unpinned & {one.name for one in installed} - {"setuptools"}
