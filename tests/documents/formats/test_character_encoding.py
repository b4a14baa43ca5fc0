# ruff: noqa: RUF001 - texts in many scripts
from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from rag.documents.character_encoding import decode
from rag.documents.formats.plain_text import load_plain
from rag.documents.registry import load
from rag.types import Document

WESTERN = "Der Zähler läuft: 100 € für „drei“ Übungen – naïve Café-Gäste zahlen später."
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n"
    "何でも薄暗い所で泣いていた。"
)
CHINESE = (
    "北京是中华人民共和国的首都，也是全国的政治中心。\n长城在北京的北面，每年有很多人去那里参观。"
)
RUSSIAN = "Москва — столица России. Это простой текст о городе, его улицах и людях."
HINDI = "दिल्ली भारत की राजधानी है। यह एक बहुत पुराना शहर है।"

TEXTS = [WESTERN, JAPANESE, CHINESE, RUSSIAN, HINDI]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_utf_16(text: str, order: str, *, marked: bool) -> None:
    """In both orders, with a byte order mark and without one, in any script."""
    mark = "\ufeff" if marked else ""
    (loaded,) = load_plain((mark + text).encode(order))
    assert loaded.text == text
    assert loaded.metadata == {"encoding": "utf-16" if marked else order}


@pytest.mark.parametrize("text", TEXTS)
def test_utf_8(text: str) -> None:
    """With a mark or without one, and no note of it."""
    for data in (text.encode(), codecs.BOM_UTF8 + text.encode()):
        (loaded,) = load_plain(data)
        assert (loaded.text, loaded.metadata) == (text, {})


@pytest.mark.parametrize(
    ("text", "encoding", "noted"),
    [
        (WESTERN, "cp1252", "cp1252"),
        ("café", "latin-1", "cp1252"),
        ("Zażółć gęślą jaźń.", "cp1250", "cp1250"),
        (WESTERN, "utf-32", "utf-32"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE * 3, "euc_jp", "euc_jis_2004"),
        (CHINESE * 2, "gb18030", "gb18030"),
        (CHINESE * 2 + "㐀𠀀", "gb18030", "gb18030"),
        (RUSSIAN, "cp1251", "cp1251"),
    ],
)
def test_other_encodings(text: str, encoding: str, noted: str) -> None:
    """Windows-1252, Shift-JIS, GB18030 and others are told by their content, and noted."""
    (loaded,) = load_plain(text.encode(encoding))
    assert (loaded.text, loaded.metadata) == (text, {"encoding": noted})


def test_one_bad_byte_spoils_no_text() -> None:
    """It becomes a replacement character."""
    (loaded,) = load_plain(HINDI.encode() + b"\xff" + b" end")
    assert loaded.text == f"{HINDI}\ufffd end"
    assert loaded.metadata == {"encoding": "utf-8, damaged"}


@pytest.mark.parametrize("ending", ["md", "html", "rst", "csv", "json"])
def test_every_format_finds_it(tmp_path: Path, ending: str) -> None:
    """Not only plain text need not be UTF-8."""
    path = tmp_path / f"a.{ending}"
    path.write_bytes('"Zoë writes wörds and more wörds"'.encode("cp1252"))
    (document,) = load(path)
    assert isinstance(document, Document)
    assert document.text.strip('"') == "Zoë writes wörds and more wörds"
    assert document.metadata["encoding"] == "cp1252"


def test_text_beyond_the_sample() -> None:
    """A long file is recognised by its beginning and read to its end."""
    for encoding in ("utf-16-le", "utf-16-be", "gb18030", "shift_jis"):
        text = "\n".join([CHINESE if encoding == "gb18030" else JAPANESE] * 3000)
        (loaded,) = load_plain(text.encode(encoding))
        assert loaded.text == text


@pytest.mark.parametrize(
    ("declared", "text", "encoding"),
    [
        ("gb2312", "镕基", "gb18030"),
        ("shift_jis", "①髙", "cp932"),
        ("euc-kr", "똠방각하", "cp949"),
        ("iso-8859-1", "“€”", "cp1252"),
    ],
)
def test_a_declaration_means_its_superset(declared: str, text: str, encoding: str) -> None:
    """As in browsers, what is declared is read as the larger encoding that files really use."""
    assert decode(text.encode(encoding), declared) == (text, encoding)
