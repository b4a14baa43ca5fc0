"""What fuzzing has found, each by the smallest input that shows it."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable

import archive_target
import pytest

from rag.documents.archives import members_of_zip
from rag.documents.loaded import Member
from rag.errors import EmptyQuestion
from rag.search.citations import Citation, Followed, cited, follow
from rag.types import Document, Hit, Quote

TEXT = "The tank is light.\n\n" + "The turret is new. " * 9_000
WHOLE = archive_target.SEEDS[0]
LIGHT = cited("d", Quote("The tank is light.", 0, 18))


def followed(start: int, end: int, words: str, digest: str = LIGHT.digest) -> Followed:
    """Where a link leads, in a library that finds nothing."""

    def search(question: str, _: int) -> list[Hit]:
        if not any(map(str.isalnum, question)):
            raise EmptyQuestion(question)
        return []

    document = Document("d", "/d.txt", "t", TEXT, "d")
    return follow(Citation("d", start, end, digest, words), {"d": document}.get, search)


@pytest.mark.parametrize(
    ("start", "end", "words", "digest"),
    [
        (0, 1 << 60, "The", LIGHT.digest),  # it tried every end up to there, in memory
        (0, 9_999, "The", "0" * 16),  # it tried them at each of 9,000 places
        (0, 18_000, "", LIGHT.digest),
        (1 << 60, 1 << 61, "", cited("d", Quote("", 0, 0)).digest),  # nothing stood where it stood
        (-18, -1, "x", cited("d", Quote(TEXT[-18:-1], 0, 17)).digest),
        (0, 18, "___", "0" * 16),  # which is no question
    ],
)
def test_links_that_nobody_was_given(start: int, end: int, words: str, digest: str) -> None:
    """They lead nowhere, soon."""
    began = time.process_time()
    assert followed(start, end, words, digest) == Followed("gone", "d", None)
    assert time.process_time() - began < 20


def test_a_link_that_lost_its_blanks_and_its_form() -> None:
    """What programs do to links on their way costs nothing."""
    moved = followed(5, 23, " The  tank\u00a0is light.")
    assert moved.quote == Quote("The tank is light.", 0, 18)


def test_a_file_without_a_name_in_an_archive() -> None:
    """It is left out; the standard library looks at the last character of its name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", b"Words.")
        nameless = zipfile.ZipInfo("b")
        nameless.filename = ""
        archive.writestr(nameless, b"Words.")
    assert list(members_of_zip(buffer.getvalue())) == [Member("a.txt", b"Words.")]


def _changed_schema() -> bytes:
    """A store in which a table's definition is no UTF-8."""
    at = archive_target.library()["library.db"].index(b"CREATE TABLE meta") + len("CREATE ")
    return b"\2" + at.to_bytes(3) + b"\xff"


@pytest.mark.parametrize(
    "archive",
    [
        lambda: b"\1" + archive_target.manifest({}, version=float("inf")),
        lambda: WHOLE[: WHOLE.index(b"no store")] + WHOLE[WHOLE.index(b"PK\1\2") :],
        lambda: WHOLE.replace(b"PK\1\2\x14\3\x14", b"PK\1\2\x14\3\xa9"),  # of version 16.9
        _changed_schema,
    ],
    ids=["version", "cut", "kind of zip", "schema"],
)
def test_archives_of_libraries_that_are_none(archive: Callable[[], bytes]) -> None:
    """They are refused in words, and nothing is left of them."""
    archive_target.run(archive())
