# ruff: noqa: RUF001 - texts in many scripts
"""Encodings that few bytes must tell, of texts and of names in archives."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from rag.documents.archives import members_of_zip
from rag.documents.character_encoding import decode
from rag.documents.mojibake import oddness


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        ("Die Straße nach Köln ist wegen Frost gesperrt.", "cp1252 mac_roman cp850"),
        ("Le garçon a vu la forêt brûlée près du château, où l'été s'achève.", "cp1252 mac_roman"),
        ("A eleição não foi decidida; a votação continua amanhã.", "cp1252 mac_roman cp850"),
        ("Kokous pidetään keskiviikkona kello yhdeksän Jyväskylässä.", "cp1252 mac_roman"),
        ("Fundurinn verður haldinn á miðvikudag klukkan níu í Reykjavík.", "cp1252"),
        ("Lütfen kapıyı kapatın, dışarısı çok soğuk.", "cp1254"),
        ("Toplantı çarşamba günü yapılacak. Şoför ağır.", "cp1254"),
        ("Schůze se koná ve středu v devět hodin v Brně.", "cp1250 cp852"),
        ("Привет, мир", "cp1251 koi8_r cp866"),
        ("Заседание состоится в среду.", "cp1251 koi8_r cp866 mac_cyrillic iso8859_5"),
        ("┌──┐ Größe 5 │ ½ Zoll", "cp437 cp850"),
        ("Größe 5 m² für 30 € §§ 4 und 5, 20 °C", "cp1252"),
        ("Καλημέρα σας", "cp1253"),
        ("會議將於下週三上午九點在台北舉行，請準時出席。", "big5"),
    ],
)
def test_short_texts(text: str, encodings: str) -> None:
    """A sentence or two words are enough."""
    for encoding in encodings.split():
        assert decode(text.encode(encoding))[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "L’été – à 20 °C",
        "IBM公司 and 日本語",
        "„Größe“ (½ Zoll): 5 m²",
        "4½ × 3, €/kg",
        "«où?»",
        "",
    ],
)
def test_nothing_odd(text: str) -> None:
    """Quotation marks, units and foreign words are as they should be."""
    assert oddness(text) == 0


@pytest.mark.parametrize("text", ["Stra§e", "märŠz", "Grц÷e", "Ïðèâåò", "Gr·▀e", "Æ¢ bd"])
def test_odd_texts(text: str) -> None:
    """No language is written like this."""
    assert oddness(text) > 0


def _zip(names: list[str], encoding: str) -> bytes:
    """An archive by a program that writes names in the encoding of its system."""
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(f"{number:0{len(name.encode(encoding))}}", "Words.")
    data = saved.getvalue()
    for number, name in enumerate(names):
        written = name.encode(encoding)
        length = struct.pack("<H", len(written))
        assert length in data
        data = data.replace(f"{number:0{len(written)}}".encode(), written)
    return data


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (["财务报表.txt"], "gbk"),
        (["合同2024年.txt", "发票.txt"], "gbk"),
        (["Отчёт за май.txt", "Счёт.txt"], "cp866"),
        (["Договор.txt"], "cp1251"),
        (["Übersicht größer.txt"], "cp850"),
        (["Übersicht größer.txt"], "cp1252"),
        (["Ærø båd.txt"], "cp850"),
        (["会議の資料.txt"], "cp932"),
        (["Łódź środa.txt"], "cp852"),
        (["Übersicht.txt"], "utf-8"),
    ],
)
def test_names_in_archives(names: list[str], encoding: str) -> None:
    """ZIP has no place for the encoding of names; most programs write that of their system."""
    assert [member.name for member in members_of_zip(_zip(names, encoding))] == names  # type: ignore[union-attr]
