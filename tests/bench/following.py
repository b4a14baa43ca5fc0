"""What it costs to follow a folder of many small files. Run by hand:

    python tests/bench/following.py 20000

Times a first index, one with nothing changed, and one after 100 files changed, 100 moved and 100
were deleted; and the peak memory of this process and of the largest that reads files.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from pathlib import Path

from rag import IndexReport, Library

TOPICS = ["harbour", "orchard", "furnace", "glacier", "library", "railway", "monsoon", "bakery"]


def main() -> None:
    """Make the files, and follow them."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    chance = random.Random(1)  # noqa: S311 (the same every time)
    with tempfile.TemporaryDirectory() as folder:
        files = [write(Path(folder) / "files", n, chance) for n in range(number)]
        with Library.open(Path(folder) / "library") as library:
            tell("first", library.index(Path(folder) / "files"))
            tell("nothing changed", library.index(Path(folder) / "files"))
            for n, path in enumerate(files[:300]):
                if n < 100:
                    path.write_text(f"Changed: {path.read_text()}")
                elif n < 200:
                    path.rename(path.with_name(f"moved-{n}.txt"))
                else:
                    path.unlink()
            tell("300 changed", library.index(Path(folder) / "files"))
            print(library.status())


def write(folder: Path, number: int, chance: random.Random) -> Path:
    """One small file, in a folder of at most a thousand."""
    place = folder / f"{number // 1000:03}"
    place.mkdir(parents=True, exist_ok=True)
    one, two = chance.sample(TOPICS, 2)
    path = place / f"{number:06}.txt"
    path.write_text(
        f"Note {number} is about the {one} and the {two}. It was written by clerk {number % 977}, "
        f"who counted {chance.randrange(10**6)} of them."
    )
    return path


def tell(what: str, report: IndexReport) -> None:
    """Print what a run did, and the memory it took."""
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{what}: {report.seconds:.1f} s, {len(report.added)} added, {len(report.updated)} updated,"
        f" {len(report.removed)} removed, {len(report.unchanged)} unchanged,"
        f" {report.embedded} embedded, {len(report.failed)} failed;"
        f" peak {mine:.0f} MB here, {theirs:.0f} MB in a reader",
        flush=True,
    )


if __name__ == "__main__":
    main()
