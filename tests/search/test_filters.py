"""Filters on a library of 10,000 passages leave exactly what a brute-force filter leaves."""

from __future__ import annotations

import datetime as dt
import fnmatch
import random
from collections.abc import Iterator

import pytest
from hashing_embedder import HashingEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import Library

FILES, PASSAGES_EACH = 400, 25
FIRST_DAY = dt.date(2000, 1, 1)
NAMES = ("letter", "report", "note [draft]", "memo")
WORDS = [f"word{number}" for number in range(500)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """400 documents of 25 passages, with dates a month apart, in four folders."""
    folder = tmp_path_factory.mktemp("filters")
    chance = random.Random(1)  # noqa: S311 (the same every time)
    for number in range(FILES):
        place = folder / "articles" / f"part{number % 4}"
        place.mkdir(parents=True, exist_ok=True)
        day = FIRST_DAY + dt.timedelta(days=30 * number)
        paragraphs = [" ".join(chance.choices(WORDS, k=45)) + "." for _ in range(PASSAGES_EACH)]
        path = place / f"{NAMES[number // 4 % 4]} {number}.txt"
        path.write_text(f"date {day}\n\n" + "\n\n".join(paragraphs))
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(folder / "articles")
        assert library.status().passages == FILES * PASSAGES_EACH
        yield library


days = st.none() | st.integers(-100, 30 * FILES + 100).map(
    lambda number: FIRST_DAY + dt.timedelta(days=number)
)
patterns = st.none() | st.sampled_from(
    ["*.TXT", "part1/*", "Letter *", "*1?.txt", "note [[]draft] 8.txt", "note [draft] *", "NOTHING"]
)


@settings(deadline=None, max_examples=60)
@given(since=days, until=days, source=patterns)
def test_filter_equals_brute_force(
    library: Library, since: dt.date | None, until: dt.date | None, source: str | None
) -> None:
    """The documents found are those that a loop over all documents keeps, none more, none less."""
    kept = {
        one.id
        for one in library.documents()
        if (since is None or (one.date and one.date >= since))
        and (until is None or (one.date and one.date <= until))
        and (source is None or matches(one.source, source))
    }
    few = len(kept) <= 4
    hits = library.search(
        "word1 word2 word3", 100 if few else 20, since=since, until=until, source=source
    )
    found = [hit.document_id for hit in hits]
    assert set(found) <= kept
    # With few documents left every passage of theirs is found, however bad a match it is.
    expected = len(kept) * PASSAGES_EACH if few else 20
    assert len(found) == expected


def matches(path: str, pattern: str) -> bool:
    """The pattern for a path or its end, where brackets mean themselves."""
    literal, path = pattern.replace("[", "[[]").lower(), path.lower()
    return fnmatch.fnmatchcase(path, literal) or fnmatch.fnmatchcase(path, f"*/{literal}")
