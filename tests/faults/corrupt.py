"""Damage each file of a library in each way, and see that nothing wrong is ever answered.

Run as a program: ``python corrupt.py FOLDER [FLIPS [LINES]]``: every file of a library of LINES
lines an article (30) is emptied, cut in half, deleted, made unreadable, put in place of a folder,
taken from another library, and has one bit flipped at each of FLIPS places (200), drawn by lot.
Then another process verifies it, asks for passages of it and reads every document. The answers must
be the right ones, or an error of the library's in words, and whatever ``verify`` has nothing to say
of must be harmless: answered right. Last, ``verify(repair=True)`` must lead to right answers, or
say what is lost. Prints a table as JSON: what was done to which file, and what came of it, how
often. A library of few lines is not calibrated when it is made, which is most of the time.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hashing_embedder import HashingEmbedder
from kill_at_every_step import import_once, in_another_process

from rag import Library, RagError

NOBODY = 65534

SUBJECTS = ["rivers", "mountains", "deserts", "swamps", "islands", "glaciers"]
OTHERS = ["violins", "trumpets", "organs"]


def make(folder: Path, subjects: list[str], count: int) -> None:
    """A library of an article on each subject, of so many lines."""
    articles = folder / "articles"
    articles.mkdir(parents=True)
    for subject in subjects:
        lines = [f"The {subject} of region {n} hold {subject[:3]}{n} gold." for n in range(count)]
        (articles / f"{subject}.txt").write_text(f"On {subject}.\n\n" + "\n\n".join(lines))
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(articles)


def answers(folder: Path, count: int) -> list[str]:
    """What the library answers on every fourteenth line, and all that it holds."""
    with Library.open(folder, create=False, embedder=HashingEmbedder()) as library:
        found = []
        for subject in SUBJECTS + OTHERS:
            for n in range(1, count, 14):
                hits = library.search(f"What do the {subject} of region {n} hold?", k=3)
                found += [hit.text for hit in hits[:1]]
        texts = sorted(library.document(one.id).text for one in library.documents())
        return [*found, *texts]


def look(place: Path, right: list[list[str]], count: int) -> None:
    """What came of a harm: told to the parent through a file."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)  # root may read everything, which would hide something
    library = place / "library"
    try:
        with Library.open(library, create=False, embedder=HashingEmbedder()) as opened:
            seen = not opened.verify().problems
    except RagError:
        seen = False
    try:
        outcome = "right" if answers(library, count) in right else "WRONG"
    except RagError as error:
        outcome = "told" if "; " in str(error) else f"NOT WHAT TO DO: {error}"
    if outcome == "told" and seen:
        outcome = "NOT FOUND BY VERIFY"
    (place / "outcome").write_text(f"{outcome}{'' if seen else ', found by verify'}")
    try:
        with Library.open(library, create=False, embedder=HashingEmbedder()) as opened:
            lost = not opened.verify(repair=True).sound
        after = (
            "lost and told" if lost else "right" if answers(library, count) in right else "WRONG"
        )
    except RagError:
        after = "lost and told"
    (place / "repaired").write_text(after)


def flip(path: Path, lot: random.Random) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    if content:
        content[lot.randrange(len(content))] ^= 1 << lot.randrange(8)
    path.write_bytes(content)


def in_half(path: Path) -> None:
    """Keep the first half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def as_folder(path: Path) -> None:
    """Put a folder in place of a file."""
    path.unlink()
    path.mkdir()


def harms(name: str, other: Path, flips: int) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """What is done to a file, by name."""
    yield "emptied", lambda path: os.truncate(path, 0)
    yield "cut in half", in_half
    yield "deleted", Path.unlink
    yield "unreadable", lambda path: path.chmod(0)
    yield "a folder", as_folder
    same = other / "library" / name
    if not same.exists():  # of the word index: another file of the same kind
        same = next(iter(sorted(same.parent.glob(f"*{same.suffix}"))), same)
    yield "another library's", lambda path: shutil.copyfile(same, path)
    for n in range(flips):
        # A string of its own for each: the same harm on each run.
        yield "bit flipped", partial(flip, lot=random.Random(f"{name} {n}"))  # noqa: S311


def main(folder: Path, flips: int, count: int) -> None:
    """Do each harm to a copy, and look; what leaves an empty file as it was is none."""
    import_once()
    began = time.monotonic()
    base, other = folder / "base", folder / "other"
    for place, subjects in ((base, SUBJECTS), (other, OTHERS)):
        in_another_process(partial(make, place, subjects, count))
        in_another_process(partial(keep, place, count))
    right = [json.loads((one / "answers").read_text()) for one in (base, other)]
    table: Counter[str] = Counter()
    repaired: Counter[str] = Counter()
    failed = []
    files = sorted(path for path in (base / "library").rglob("*") if path.is_file())
    folder.chmod(0o755)
    for path in files:
        name = str(path.relative_to(base / "library"))
        of_store = flips if name == "library.db" else max(1, flips // 20)
        for number, (harm, work) in enumerate(harms(name, other, of_store)):
            place = folder / "place"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(base / "library", place / "library")
            work(place / "library" / name)
            if unharmed(place / "library" / name, path):
                continue
            for one in (place, *place.rglob("*")):
                os.chown(one, NOBODY, NOBODY)
            crashed = in_another_process(partial(look, place, right, count))
            outcome = "CRASHED" if crashed else (place / "outcome").read_text()
            after = "CRASHED" if crashed else (place / "repaired").read_text()
            kind = "words/" if name.startswith("words") else name
            table[f"{kind}: {harm}: {outcome}"] += 1
            repaired[f"{kind}: {after}"] += 1
            if outcome.split(",")[0].isupper() or after.isupper() or ":" in outcome:
                failed.append(f"{name}: {harm} {number}: {outcome}; {after}")
    report = {
        "harms": sum(table.values()),
        "failed": failed,
        "came of it": dict(sorted(table.items())),
        "after repair": dict(sorted(repaired.items())),
        "seconds": round(time.monotonic() - began, 1),
    }
    json.dump(report, sys.stdout, indent=1)


def unharmed(path: Path, before: Path) -> bool:
    """Whether it is an empty file, as it was before, and may be read."""
    sizes = [one.stat().st_size for one in (path, before) if one.is_file()]
    return sizes == [0, 0] and bool(path.stat().st_mode & stat.S_IRUSR)


def keep(place: Path, count: int) -> None:
    """Write down what a sound library answers."""
    (place / "answers").write_text(json.dumps(answers(place / "library", count)))


if __name__ == "__main__":
    given = dict(enumerate(map(int, sys.argv[2:])))
    main(Path(sys.argv[1]), given.get(0, 200), given.get(1, 30))
