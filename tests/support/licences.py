"""The licence of every package that the default install brings: ``make licences``, and a test.

What counts is what the packages' metadata say, put into SPDX's words where they use their own.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, metadata, requires
from pathlib import Path
from types import MappingProxyType

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LONG = 120

PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
        *("BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("PSF-2.0", "Unlicense", "Zlib"),
    }
)

_SPDX: Mapping[str, str] = MappingProxyType(
    {
        "Apache 2.0 License": "Apache-2.0",
        "BSD": "BSD-3-Clause",
        "ISC License": "ISC",
        "The BSD 2-Clause License": "BSD-2-Clause",
        "License :: OSI Approved :: Apache Software License": "Apache-2.0",
        "OSI Approved :: Apache Software License": "Apache-2.0",
        "License :: OSI Approved :: BSD License": "BSD-3-Clause",
        "License :: OSI Approved :: MIT License": "MIT",
    }
)
"""What the packages say instead of SPDX's identifiers; “BSD” alone is one or other of those."""

EXCEPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "certifi": "MPL-2.0: a file of certificates, used as it is; requests and httpx ask for it",
        "docutils": "public domain and BSD; its one GPL file is for Emacs, and not imported",
        "orjson": "MPL-2.0 for some of its files, used as they are; gradio asks for it",
        "pypdfium2": "BSD-3-Clause, Apache-2.0, and PDFium's own: all permissive, listed inside it",
        "tld": "MPL-1.1 of the three to choose from, used as it is; courlan asks for it",
        "tqdm": "MPL-2.0 for some of its files, used as they are; huggingface_hub asks for it",
    }
)
"""What is not on the list of permissive licences, and why it may come along all the same. The
Mozilla licence asks only that changes to its own files be published."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; ``licence`` is empty where its metadata say none."""

    name: str
    version: str
    licence: str

    @property
    def is_permissive(self) -> bool:
        """Whether every part of it may be had under a permissive licence."""
        return all(
            any(one in PERMISSIVE for one in re.split(r" OR ", part.strip("() ")))
            for part in re.split(r" AND ", self.licence)
        )


def packages() -> list[Package]:
    """All that ``pip install .`` brings, by name, as it is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in project["dependencies"]]
    while waiting:
        asked = waiting.pop()
        key = (normal(asked.name), frozenset(asked.extras))
        if key in seen:
            continue
        seen.add(key)
        for line in requires(asked.name) or ():
            needed = Requirement(line)
            extras = ({"extra": extra} for extra in (*asked.extras, ""))
            marker = needed.marker
            if marker is None or any(marker.evaluate(extra) for extra in extras):
                waiting.append(needed)
    return [_package(name) for name in sorted({name for name, _ in seen})]


def normal(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def missing() -> Iterator[str]:
    """Names of what should be installed, but isn't: then nothing is known of it."""
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "dependencies"
    ]:
        name = Requirement(line).name
        try:
            distribution(name)
        except PackageNotFoundError:
            yield name


def _package(name: str) -> Package:
    told = metadata(name)
    said = told.get("License-Expression")
    if not said:
        lines = (told.get("License") or "").strip().splitlines()
        kinds = [one for one in told.get_all("Classifier") or () if one.startswith("License ::")]
        said = lines[0] if len(lines) == 1 else " AND ".join(_SPDX.get(one, one) for one in kinds)
    return Package(name, told["Version"].partition("+")[0], _SPDX.get(said, said))


def main() -> None:
    """Print the table."""
    rows = ["| package | version | licence | |", "|---|---|---|---|"]
    for one in packages():
        licence = one.licence if len(one.licence) < LONG else "see the package"
        rows.append(f"| {one.name} | {one.version} | {licence} | {EXCEPTIONS.get(one.name, '')} |")
    sys.stdout.write(
        "# Licences of what the default install brings\n\n"
        "Made by `make licences` from the packages' own metadata; `tests/test_licences.py` fails "
        "where one is not permissive and not explained. On Linux, PyPI's PyTorch also brings "
        "NVIDIA's CUDA libraries, under NVIDIA's own licence, which is not a free one; PyTorch's "
        "CPU build, which was used here, brings none.\n\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    main()
