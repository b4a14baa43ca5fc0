# ruff: noqa: RUF001 (letters of other scripts are what this is about)

from __future__ import annotations

import pytest

from rag.text.language import code, language, with_language
from rag.types import Document

GERMAN = "Der Bäcker backt jeden Morgen frisches Brot für die ganze Stadt."


def _document(text: str = GERMAN, **metadata: str) -> Document:
    return Document("1", "/a.txt", "A", text, "12", metadata=metadata)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("en", "en"),
        ("en-IN", "en"),
        (" EN_us ", "en"),
        ("zh-Hant-TW", "zh"),
        ("mai", "mai"),
        ("eng", "en"),
        ("GER-AT", "de"),
        ("zho", "zh"),
        ("cmn-Hans", "zh"),
        ("arz", "ar"),
        ("und", None),
        ("mul", None),
        ("English", None),
        ("x-default", None),
        ("", None),
    ],
)
def test_the_language_in_a_tag(named: str, found: str | None) -> None:
    """Without script and region; what names none is none."""
    assert code(named) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GERMAN, "de"),
        ("The baker bakes fresh bread for the whole town every morning.", "en"),
        ("बेल्जियम और भारत रक्षा सहयोग की संभावनाएँ तलाश रहे हैं।", "hi"),
        ("北京是中国的首都。", "zh"),
        ("微软公司(Microsoft Corporation)由比尔·盖茨(Bill Gates)创立。", "zh"),
        ("臺灣大學是臺灣歷史最悠久的大學，位於臺北市大安區。", "zh"),
        ("佢哋喺度食緊飯，我唔知佢幾時先返嚟。", "zh"),
        ("東京都立大学附属の図書館です。", "ja"),
        ("서울은 대한민국의 수도이다.", "ko"),
        ("القاهرة هي عاصمة مصر", "ar"),
        ("انا مش عارف ايه اللي حصل امبارح", "ar"),
        ("تهران پایتخت ایران است و گربه ها ماهی دوست دارند.", "fa"),
        ("اسلام آباد پاکستان کا دارالحکومت ہے۔", "ur"),
        ("ירושלים היא בירת ישראל", "he"),
        ("Too short.", None),
        ("猫が好き", None),
        ("1815 | 1852 | 1843 | 36 | 12 | 4", None),
    ],
)
def test_the_language_that_a_text_shows(text: str, found: str | None) -> None:
    """Or none, where there are too few letters to tell."""
    assert language(text) == found


@pytest.mark.parametrize(
    ("metadata", "known"),
    [
        ({}, {"language": "de", "language_from": "document"}),
        ({"language": "en-GB"}, {"language": "en", "language_from": "file"}),
        (
            {"language": "en", "language_from": "document"},
            {"language": "en", "language_from": "document"},
        ),
        (
            {"language": "German", "language_from": "file"},
            {"language": "de", "language_from": "document"},
        ),
    ],
)
def test_where_a_documents_language_is_from(
    metadata: dict[str, str], known: dict[str, str]
) -> None:
    """The file's word counts where it is a code, or else what the text shows."""
    assert with_language(_document(**metadata)).metadata == known


def test_a_language_that_nothing_shows_is_left_alone() -> None:
    """What the file says stays as it is."""
    assert with_language(_document("Too short.")).metadata == {}
    assert with_language(_document("Too short.", language="Klingon")).metadata == {
        "language": "Klingon"
    }
