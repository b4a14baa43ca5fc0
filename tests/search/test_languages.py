"""Words of many languages: found in other forms, and by questions in another language."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from hypothesis import given
from hypothesis import strategies as st

from rag import Library
from rag.index.lexical import Entry, TantivyIndex, TantivyReader
from rag.text.analyzers import Analysis
from rag.text.stemmer import PLAIN, Stemmer, stop_words
from rag.types import Clauses

PASSAGES = {
    1: ("en", "The Belgian company supplies gun turrets to Berlin."),
    2: ("de", "Die Häuser von Müller stehen in Berlin an der großen Straße."),
    3: ("ja", "東京都に住む人は猫が好きです。"),
    4: ("th", "ภาษาไทยเป็นภาษาทางการของประเทศไทย"),
    5: ("zh", "北京大学的图书馆在校园中心。"),
    6: ("pl", "Zamki Krakowa są stare."),
    7: (None, "A note with no language: harbour fees were raised."),
    8: ("ta", "தமிழ்நாட்டின் தலைநகரம் சென்னை."),
    9: ("ml", "കേരളത്തിന്റെ തലസ്ഥാനം തിരുവനന്തപുരമാണ്."),
    10: ("bn", "ঢাকা বাংলাদেশের রাজধানী ও বৃহত্তম শহর।"),
    11: ("si", "ශ්‍රී ලංකාවේ අගනුවර කෝට්ටේ වේ."),
}


def reader(folder: Path, passages: dict[int, tuple[str | None, str]]) -> TantivyReader:
    """An index of these passages."""
    index = TantivyIndex.create(folder / "words")
    index.update([], [Entry(key, text, "", code) for key, (code, text) in passages.items()])
    return index.reader()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> TantivyReader:
    """One passage in each language."""
    return reader(tmp_path_factory.mktemp("many"), PASSAGES)


def found(words: TantivyReader, question: str) -> list[int]:
    """The keys of what is found, best first."""
    return words.search(question, 9)[0].tolist()


@pytest.mark.parametrize(
    ("language", "written", "asked"),
    [
        ("de", "Die Häuser am Fluss", "Haus"),
        ("de", "Familie Müller", "Muller"),
        ("de", "Familie Muller", "Müller"),
        ("fr", "Ils mangeaient des pommes", "manger"),
        ("fr", "La liberté guide", "liberte"),
        ("es", "las naciones unidas", "nación"),
        ("pt", "as informações do dia", "informação"),
        ("it", "i libri della città", "libro citta"),
        ("nl", "de huizen staan", "huis"),
        ("sv", "bilarna kör", "bil"),
        ("da", "husene er gamle", "huset"),
        ("nb", "bilene er raske", "bilen"),
        ("fi", "talossa asuu", "talot"),
        ("hu", "a házban lakik", "ház"),
        ("ru", "интересные книги", "книгу"),
        ("ru", "Михаи́л Афана́сьевич Булга́ков роди́лся в Ки́еве", "Булгаков"),
        ("ru", "Михаил Булгаков родился в Киеве", "Булга́ков"),
        ("he", "בְּרֵאשִׁית בָּרָא", "בראשית"),
        (None, "The poet Булга́ков", "Булгаков"),
        ("tr", "kitaplar masada", "kitap"),
        ("tr", "İstanbul ve Ankara", "istanbul"),
        ("el", "μεγάλος δρόμος", "δρομου"),
        ("ar", "الكتب القديمة", "كتب"),
        ("hi", "यह हिन्दी किताब है", "किताब"),
        ("pl", "Zamki Krakowa", "ZAMKI"),
        ("ja", "カード払いのカー用品", "カー"),
        ("ja", "猫が好き", "猫"),
        ("zh", "北京大学的图书馆", "图书馆"),
        ("th", "ห้องสมุดประชาชน", "ห้องสมุด"),
        ("zh", "使用 Python 编程", "python"),
    ],
)
def test_other_forms(tmp_path: Path, language: str | None, written: str, asked: str) -> None:
    """A word is found by another form of it, with its accents or without."""
    words = reader(tmp_path, {1: (language, written), 2: (language, "1234")})
    assert found(words, asked) == [1]
    assert words.matching(asked, Clauses()).tolist() == [1]


def test_stop_words_are_those_of_the_language(tmp_path: Path) -> None:
    """In a German library "die" and "für" are no words, and "the" is one."""
    words = reader(tmp_path, {1: ("de", "Die Sonne scheint für alle, the end.")})
    assert found(words, "die für") == []
    assert found(words, "the") == [1]


def test_every_language_at_once(many: TantivyReader) -> None:
    """A question finds the passage in its language, whatever else the library holds."""
    assert found(many, "Which company supplied the turret?") == [1]
    assert found(many, "In welchem Haus wohnt Muller?")[0] == 2
    assert found(many, "東京の猫") == [3]
    assert found(many, "ภาษาไทย") == [4]
    assert found(many, "图书馆") == [5]
    assert found(many, "stare zamki") == [6]
    assert found(many, "harbour fee") == [7]
    assert found(many, "தலைநகரம்") == found(many, "தலைநகரம் எது?") == [8]
    assert found(many, "തലസ്ഥാനം") == [9]
    assert found(many, "রাজধানী") == found(many, "বৃহত্তম") == [10]
    assert found(many, "කෝට්ටේ") == [11]


def test_stress_marks_in_a_phrase(tmp_path: Path) -> None:
    """A phrase is found, and its place includes the marks."""
    text = "Роди́лся Михаи́л Булга́ков в Ки́еве."
    words = reader(tmp_path, {1: ("ru", text), 2: ("ru", "Михаил и Булгаков")})
    for phrase in ("Михаил Булгаков", "Михаи́л Булга́ков"):
        assert words.matching("", Clauses(phrases=(phrase,))).tolist() == [1]
        (place,) = Analysis(["ru"]).places("", [phrase], text)
        assert place.of(text) == "Михаи́л Булга́ков"


def test_long_words_of_long_letters(tmp_path: Path) -> None:
    """A word of 30 letters counts also where each takes three bytes."""
    word = "തിരുവനന്തപുരത്തുകാരനായിരുന്ന"
    words = reader(tmp_path, {1: ("ml", f"{word} കവി"), 2: ("ml", "കവി")})
    assert len(word.encode()) > 64
    assert found(words, word) == [1]


def test_names_are_found_across_languages(many: TantivyReader) -> None:
    """A name is the same word in each."""
    assert set(found(many, "Berlin")) == {1, 2}


def test_stop_words_of_the_question(many: TantivyReader) -> None:
    """They are those of the language in which it has the most: English "die" is a word then."""
    assert found(many, "the company of the gun") == [1]
    analysis = many.analysis
    assert ("die",) in analysis.words("Does the gun of the company die?")
    assert not any("die" in stems for stems in analysis.words("Wo steht die Straße von Müller?"))


def test_shares_of_words_with_several_stems(tmp_path: Path) -> None:
    """A word that has another stem in each language counts once, as rare as the one that is
    known.
    """
    passages = {1: ("en", "companies"), 2: ("de", "Straße"), 3: ("de", "Wald")}
    words = reader(tmp_path, passages)
    keys, scores = words.search("companies", 9)
    assert keys.tolist() == [1]
    # One word in one of three passages, all of the average length: tf / (tf + k1) of the bound.
    assert scores.tolist() == pytest.approx([1 / 2.2], rel=1e-4)
    bound = 2.2 * math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert words._max_score([("compani", "companies")]) == pytest.approx(bound)


def test_matched_words_as_they_stand(many: TantivyReader) -> None:
    """Whole words, and pairs of letters put together again."""
    assert many.analysis.matched("Haus Muller", PASSAGES[2][1]) == ("Häuser", "Müller")
    assert many.analysis.matched("東京都の猫", PASSAGES[3][1]) == ("東京都",)
    assert many.analysis.matched("猫", PASSAGES[3][1]) == ("猫",)
    assert many.analysis.matched("ประเทศไทย", PASSAGES[4][1]) == ("ไทย", "ประเทศไทย")


def test_slips_in_any_language(many: TantivyReader) -> None:
    """What is known in one language is no slip, and what is not is looked for in all."""
    assert many.respellings("Häuser companies zamki die") == ()
    assert [(one.asked, one.found) for one in many.respellings("Strasse Mueler compny")] == [
        ("Mueler", "muller"),
        ("compny", "company"),
    ]


def test_languages_that_went(tmp_path: Path) -> None:
    """When the last German passage is gone, so is its analysis, once tantivy has merged it away;
    until then nothing is found by it.
    """
    index = TantivyIndex.create(tmp_path / "words")
    index.update([], [Entry(1, "Die Häuser", "", "de"), Entry(2, "Two houses", "", "en")])
    index.update([1], [])
    assert found(index.reader(), "Haus house") == [2]


def test_empty_index(tmp_path: Path) -> None:
    """Nothing is found, in any language."""
    assert found(TantivyIndex.create(tmp_path / "words").reader(), "Haus 東京 house") == []


@pytest.mark.parametrize("kind", ["en", "de", "hu", "ar", PLAIN])
@given(text=st.text(alphabet="aßÜé ไ่ท東カー猫x-'\u0301\u0130\n.9हि्"))
def test_terms_stand_where_they_say(kind: str, text: str) -> None:
    """Every term is a stretch of the text with a letter or digit in it, in order; what a question
    looks for is among what a text is found by, and no stop word is.
    """
    stemmer = Stemmer(kind)
    terms = stemmer.terms(text)
    assert terms == sorted(terms, key=lambda term: term.span)
    assert set(stemmer.asked(text)) <= set(terms)
    assert {term.span for term in terms}.isdisjoint(stop_words(text, [kind])[kind])
    for term in terms:
        assert all(term.stems)
        assert term.span.of(text).strip() == term.span.of(text) != ""


def test_documents_language_reaches_the_index(tmp_path: Path) -> None:
    """From the language that a file names, or that is found, to the words of its passages."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "haus.txt").write_text(
        "Die Häuser am Fluss wurden nach dem Krieg neu gebaut. Niemand weiß, wem sie gehören."
    )
    (folder / "house.txt").write_text("The company built a new turret for the old castle.")
    (folder / "named.json").write_text(json.dumps({"text": "Krakow zamki", "language": "pl"}))
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(folder)
        assert library.engine.reader.counts().languages == {"de": 1, "en": 1, "pl": 1}
        assert [Path(one.source).name for one in library.find("Haus").matches] == ["haus.txt"]
        assert [one.why.matched for one in library.search("Krieg Haus", k=1)] == [
            ("Häuser", "Krieg")
        ]
