"""Pages whose fonts don't tell the letters, or wrongly, need OCR."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pdf_files import LEFT, RIGHT, by_hand
from whole import load_pdf

from rag.errors import LoadError

CZECH = [
    "Čtvrt hodiny před smrtí vlk zhltl plnou hrst zrn a zmlkl, a potom",
    "všichni lidé ve městě vyšli ven, aby se podívali, co se vlastně stalo",
] * 4
VIETNAMESE = [
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm",
    "và quyền lợi, và cần phải đối xử với nhau trong tình bằng hữu",
] * 4
FINNISH = [
    "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan, ja heidän",
    "on toimittava toisiaan kohtaan veljeyden hengessä joka päivä",
] * 4
CODES = [f"BMWX{number}HTTPS KQ{number} DDRVIII NVMe XPS-{number} ZZTOP" for number in range(60)]
GENES = ["GATTACAGATTACCACCGGTTAGGATCCAGATTTACCCAGAGTCTC"] * 12
FORMULAS = ["f x = g y + h z", "a b = c d", "E = m c", "i j k"] * 12


def printed(lines: list[str], tell: Callable[[str], int]) -> bytes:
    """A PDF that prints these lines, and whose font tells other characters for the letters."""
    letters = sorted(set("".join(lines)) - {" "})
    assert len(letters) < 200
    code = {" ": 0x20} | {letter: 0x21 + at for at, letter in enumerate(letters)}
    entries = b" ".join(b"<%02X> <%04X>" % (code[one], tell(one)) for one in letters)
    content = b" ".join(
        b"<%s> Tj T*" % bytes(code[one] for one in line).hex().encode() for line in lines
    )
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap "
        b"1 begincodespacerange <00> <FF> endcodespacerange "
        b"%d beginbfchar %s endbfchar endcmap end end"
    ) % (len(letters), entries)
    return by_hand(b"BT /F1 9 Tf 12 TL 60 800 Td %s ET" % content, cmap)


@pytest.mark.parametrize("lines", [LEFT + RIGHT, FINNISH])
@pytest.mark.parametrize("shift", [-29, -1, 1, 2, 3, 0x100, 0xE000])
def test_shifted_letters(lines: list[str], shift: int) -> None:
    """Letters that are off by a constant are those of no language."""
    with pytest.raises(LoadError, match="needs OCR"):
        load_pdf(printed(lines, lambda letter: max(ord(letter) + shift, 0x21)))


@pytest.mark.parametrize("hole", [0, 0x20, 0x85, 0xE001, 0xFFFD])
def test_half_of_the_letters(hole: int) -> None:
    """The font names some letters only."""
    with pytest.raises(LoadError, match="needs OCR"):
        load_pdf(printed(LEFT * 4, lambda letter: ord(letter) if letter < "n" else hole))


def test_letters_of_another_script() -> None:
    """Cyrillic letters that are told as the accented Latin ones of an old code page."""
    lines = ["Пилот увидел белый огонь церкви вдали", "затем красный огонь таможни вблизи"] * 8
    with pytest.raises(LoadError, match="needs OCR"):
        load_pdf(printed(lines, lambda one: one.encode("cp1251")[0]))
    assert load_pdf(printed(lines, ord)).text == " ".join(lines)


@pytest.mark.parametrize("lines", [CZECH, VIETNAMESE, FINNISH, CODES, GENES, FORMULAS])
def test_unusual_text_is_text(lines: list[str]) -> None:
    """Of languages with few vowels or many accents, and what is no language at all."""
    text = load_pdf(printed(lines, ord)).text
    assert "".join(text.split()) == "".join("".join(lines).split())
