from __future__ import annotations

import datetime as dt
import time

import pytest
from whole import whole

from rag.documents.formats.rtf import load_rtf as rtf_parts
from rag.documents.loaded import Loaded
from rag.errors import LoadError

load_rtf = whole(rtf_parts)

LAMP = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}}
{\colortbl;\red255\green0\blue0;}{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2\outlinelevel1 Sub;}}
{\info{\title About lamps}{\author Ada Lovelace}{\creatim\yr2023\mo1\dy1}
{\revtim\yr2024\mo3\dy5\hr9}}{\header\pard running header\par}
\pard\s1 Oil\par
\pard Oil burns \b slowly\b0{\super\chftn{\footnote\pard\chftn  Some say fast.}}, said Zo\'eb.\par
{\listtext\pard\u8226 ?\tab}\pard whale oil\par
\pard{\listtext\pard 1.\tab}\ls1\ilvl0 Fill it.\par
\pard{\listtext\pard 2.\tab}\ls1\ilvl0 Light it.\par
\pard\s2 Prices\par
\trowd\cellx100\cellx200\pard\intbl Year\cell Sum\cell\row
\trowd\cellx100\cellx200\pard\intbl 2024\cell 3.5\cell\row
\pard {\field{\*\fldinst HYPERLINK "x"}{\fldrslt A link}}{\v hidden}{\pict 00ff00ff} ends.\par}"""

TEXT = """\
Oil

Oil burns slowly, said Zoë.

Note 1: Some say fast.

- whale oil

1. Fill it.
2. Light it.

Prices

Year | Sum
2024 | 3.5

A link ends."""


def _inside(source: bytes) -> Loaded:
    return load_rtf(b"{\\rtf1\\ansi " + source + b"}")


def test_headings_lists_tables_and_notes_stand_in_their_order() -> None:
    """Words that are seen, in their order; formatting, fields, pictures and headers are not."""
    loaded = load_rtf(LAMP.replace(b"\n", b"\r\n"))
    assert loaded.text == TEXT
    assert [(h.level, h.span.of(loaded.text)) for h in loaded.headings] == [
        (1, "Oil"),
        (2, "Prices"),
    ]
    assert loaded.warnings == ()
    assert loaded.title == "About lamps"
    assert loaded.date == dt.date(2024, 3, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
    }


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"caf\'e9 \u960 ?r\emdash x\~y", "café πr\u2014x y"),
        (rb"\uc2\u1088 ??\uc0\u1089 a", "\u0440\u0441a"),
        (rb"\u-10179 ?\u-8704 ?", "😀"),
        (rb"{\fonttbl{\f3\fcharset128 x;}}\f3 \'82\'a0\'82\'a2", "あい"),
        (rb"{\fonttbl{\f3\fcharset204 x;}}{\f3 \'cf}\'cf", "ПÏ"),
        (rb"\ansicpg99999 \'e9", "é"),
        (rb"a\line b\par c", "a\nb\n\nc"),
        (rb"\{x\} \\", "{x} \\"),
        (rb"a{\*\unknown b}c", "ac"),
        (b"a\\bin3 {{{b", "ab"),
        (rb"\deff1{\fonttbl{\f1\fcharset204 x;}}\'cf{\f0 \'cf\plain \'cf}", "ПÏП"),
        (rb"\u128512 ?", "😀"),
        (rb"a\page b", "a\nb"),
    ],
)
def test_characters(source: bytes, text: str) -> None:
    """Bytes in the font's code page, Unicode with and without stand-ins, signs."""
    assert _inside(source).text == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            rb"a{\shp{\*\shpinst{\shptxt box\par}}{\shprslt{\*\do{\dptxbxtext box\par}}}}\par b",
            "a\n\nbox\n\nb",
        ),
        (rb"{\header{\shp{\*\shpinst{\shptxt letterhead\par}}}{\listtext 1.}}a", "a"),
        (rb"{\footer{\info{\title no}}}a", "a"),
        (rb"{\stylesheet{\s7 Title;}}\s7 Lamps\par a", "Lamps\n\na"),
    ],
)
def test_boxes(source: bytes, text: str) -> None:
    """A box is there twice, for new programs and for old ones; in a margin it is out of sight."""
    loaded = _inside(source)
    assert loaded.text == text
    assert loaded.title == ("Lamps" if "Lamps" in text else None)


def test_what_follows_the_end_is_no_text() -> None:
    """Some programs leave bytes behind it; a heading may be the last thing before it."""
    loaded = load_rtf(b"{\\rtf1 a\\par\\outlinelevel0 b}\x00 rest} of a buffer")
    assert loaded.text == "a\n\nb"
    assert [h.span.of(loaded.text) for h in loaded.headings] == ["b"]
    assert loaded.warnings == ()


def test_cut_short_in_a_note() -> None:
    """The paragraph around it is not lost."""
    loaded = load_rtf(rb"{\rtf1 Oil burns{\footnote Some say")
    assert loaded.text == "Oil burns\n\nNote 1: Some say"


def test_a_title_beyond_the_usual_characters() -> None:
    """Its emoji come as pairs, as everywhere in RTF; parts of the date in any order."""
    loaded = _inside(rb"{\info{\title \u-10179 ?\u-8704 ? lamps}{\revtim\dy5\mo3\yr2024}}a")
    assert loaded.title == "😀 lamps"
    assert loaded.date == dt.date(2024, 3, 5)
    # A change at no time: the day it was made counts.
    loaded = _inside(rb"{\info{\revtim\yr0\mo0\dy0}{\creatim\yr2023\mo1\dy1}}a")
    assert loaded.date == dt.date(2023, 1, 1)


@pytest.mark.parametrize("word", [b"title", b"listtext"])
def test_words_in_many_pieces_are_read_in_time(word: bytes) -> None:
    """Time grows with their number, not with its square."""
    began = time.process_time()
    piece = b"some thirty characters of text" * 20 + b"\\b "
    _inside(b"{\\" + word + b" " + piece * 10_000 + b"}a")
    assert time.process_time() - began < 5  # to put each behind a growing text takes half a minute


def test_a_file_that_was_cut_short_gives_what_there_is() -> None:
    """The beginning is read, and the warning says that the rest is missing."""
    loaded = load_rtf(LAMP[: LAMP.index(b"Prices")])
    assert loaded.text.endswith("2. Light it.")
    assert loaded.warnings == ("it is cut short; the rest is missing",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"Dear Sir or Madam", "not rich text"),
        (b"PK\x03\x04", "not rich text"),
        (b"{\\rtf1" + b"{" * 100_000, "nested"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, reason: str) -> None:
    """Each broken file is refused with its reason."""
    with pytest.raises(LoadError, match=reason):
        load_rtf(data)


@pytest.mark.no_cover  # hundreds of times the same lines
def test_damaged_bytes_never_crash() -> None:
    """A byte changed anywhere is either read or refused."""
    for at in range(6, len(LAMP)):
        for byte in (b"{", b"}", b"\\", b"\xff"):
            assert isinstance(load_rtf(LAMP[:at] + byte + LAMP[at + 1 :]).text, str)
