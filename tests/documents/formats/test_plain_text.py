from __future__ import annotations

import datetime as dt
import hashlib
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.documents.dates import parse_date
from rag.documents.formats.plain_text import load_plain
from rag.documents.whitespace import tidy
from rag.errors import LoadError

SEED = Path(__file__).parents[3] / "seeds" / "000_b4b8cba14608a5c3.txt"


def test_the_seed_article() -> None:
    """The date line is metadata, and one empty line stands between paragraphs."""
    (loaded,) = load_plain(SEED.read_bytes())
    assert loaded.date == dt.date(2025, 3, 5)
    assert loaded.text.startswith(
        "India and Belgium are actively exploring defence cooperation in the Indo-Pacific region, "
    )
    assert "maritime security in the Indo-Pacific. Defence Minister Rajnath Singh" in loaded.text
    assert "\n\n\n" not in loaded.text
    assert (loaded.title, loaded.headings, loaded.pages, loaded.metadata) == (None, (), (), {})


@pytest.mark.parametrize(
    ("source", "date", "text"),
    [
        ("date 2025-03-05\ntext", dt.date(2025, 3, 5), "text"),
        ("\n\n  DATE: 5 March 2025 \n\n\ntext", dt.date(2025, 3, 5), "text"),
        ("Date palms grow in oases.\ntext", None, "Date palms grow in oases.\ntext"),
        ("date 03/04/2025\ntext", None, "date 03/04/2025\ntext"),
        ("text\ndate 2025-03-05", None, "text\ndate 2025-03-05"),
    ],
)
def test_a_date_line_counts_only_at_the_top(source: str, date: dt.date | None, text: str) -> None:
    """It is metadata if it names one day, and text otherwise."""
    (loaded,) = load_plain(source.encode())
    assert (loaded.date, loaded.text) == (date, text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\ufeffa\x00b\x07c\x1b", "abc"),
        ("a  \t\n\n\n \nb", "a\n\nb"),
        ("  a\n    b  ", "a\n    b"),
        ("a\tb", "a\tb"),
        ("e\u0301", "é"),
        ("10\u00a0000\u202f€", "10 000 €"),
        ("exam\u00adple", "example"),
        ("page\fnext\u2028line\u2029paragraph", "page\nnext\nline\n\nparagraph"),
        ("a\ud800b", "ab"),
        ("क्षेत्र\u200dज 👩\u200d🔬", "क्षेत्र\u200dज 👩\u200d🔬"),
    ],
)
def test_what_is_tidied(source: str, expected: str) -> None:
    """Line ends, blanks, debris and composition; joiners of scripts and emoji stay."""
    assert tidy(source) == expected


@given(st.text(st.characters()))
@example("e\x00\u0301")
@example("a" + "\u0344" * 40)
@example("\r\r\n \u0301")
def test_tidying_twice_changes_nothing(text: str) -> None:
    """What is tidy stays as it is, and keeps the promises made for a document's text."""
    once = tidy(text)
    assert tidy(once) == once
    assert once == once.strip()
    assert "\n\n\n" not in once
    assert "\x00" not in once
    assert all(line == line.rstrip() for line in once.split("\n"))
    assert unicodedata.is_normalized("NFC", once)


NOISE = hashlib.shake_128(b"noise").digest(500)


@pytest.mark.parametrize(
    "data",
    [
        NOISE * 20,
        b"\x89PNG\r\n\x1a\n" + NOISE,
        bytes(1000),
        b"SQLite format 3\x00" + bytes(500) + b"table text" * 10,
    ],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """Binary files say so in a line that tells what to do."""
    with pytest.raises(LoadError, match=r"; (give|save)"):
        list(load_plain(data))


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2025-03-05", dt.date(2025, 3, 5)),
        ("2025-03-05T23:30:00-08:00", dt.date(2025, 3, 5)),
        ("20250305", dt.date(2025, 3, 5)),
        ("2025/3/5", dt.date(2025, 3, 5)),
        ("2025-03-05Z", dt.date(2025, 3, 5)),
        ("2025-03-05+05:30", dt.date(2025, 3, 5)),
        ("20250305T103000Z", dt.date(2025, 3, 5)),
        ("2025-03-05, 10:00", dt.date(2025, 3, 5)),
        ("5 March 2025", dt.date(2025, 3, 5)),
        ("March 5th, 2025 at 3:00 PM IST", dt.date(2025, 3, 5)),
        ("Wed, 05 Mar 2025 10:00:00 GMT", dt.date(2025, 3, 5)),
        ("13/04/2025", dt.date(2025, 4, 13)),
        ("04/04/2025", dt.date(2025, 4, 4)),
        (dt.datetime(2025, 3, 5, 12, tzinfo=dt.UTC), dt.date(2025, 3, 5)),
        (dt.date(2025, 3, 5), dt.date(2025, 3, 5)),
        ("03/04/2025", None),
        ("5 Mar 25", None),
        ("March 2025", None),
        ("2025", None),
        ("2025-13-45", None),
        ("202511", None),
        ("2025123", None),
        ("2025-03-05 2025-04-01", None),
        ("2025-03-05 to 2025-04-01", None),
        ("0001-01-01", None),
        ("today", None),
        ("31 February 2025", None),
        ("some day in 2025", None),
        ("1/1/1", None),
        ("20250305 or so it seems to me, if I remember it right, which I may", None),
        (20250305, None),
        (None, None),
        ("", None),
    ],
)
def test_dates(written: object, date: dt.date | None) -> None:
    """One day, or none: no guess fills in what isn't there."""
    assert parse_date(written) == date


@given(st.one_of(st.text(), st.text("0123456789 -/.:,TZ+ampthJuneMar").map("2025{}".format)))
def test_any_string_is_a_date_or_none(text: str) -> None:
    """Nothing that people write makes the date parser fail."""
    assert parse_date(text) is None or isinstance(parse_date(text), dt.date)


@pytest.mark.parametrize("unit", ["\u0301\u0323", "\u0f73", " ", "\n", "\r\n ", "é"])
def test_tidying_takes_time_by_length(unit: str) -> None:
    """A million characters of any kind take a second or so; to compose piles would take hours."""
    start = time.perf_counter()
    tidy("a" + unit * (1_000_000 // len(unit)) + "b")
    assert time.perf_counter() - start < 10
