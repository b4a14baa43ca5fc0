from __future__ import annotations

import time
from collections import deque

import pytest
import sentencex
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.sentences import LONGEST_SENTENCE, paragraphs, sentences
from rag.types import Span

_HARD = st.sampled_from(
    [
        *("Dr. ", "J. ", "U.S. ", "e.g. ", "3.5", "1. ", "\n2) ", "\n- ", "\n• ", " | ", "\n\n"),
        *("\r\n", "\r\n\r\n", "\n \n", "\u2028", "\u00a0", "\u3000", "\x00", "\x1c", "\ud800"),
        *("“", "”", '"', "(", ")", "(A) ", "Yes. ", "No! ", "क।", "好。", "😀", "e\u0301", "…"),
    ]
)
texts = st.one_of(
    st.text(st.characters()),  # surrogates too
    st.lists(_HARD, max_size=30).map("".join),
    st.lists(st.one_of(_HARD, st.text(max_size=5)), max_size=20).map("".join),
)


def _split(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


@given(texts)
@example("D\u00a0.D")  # on this, sentencex itself panics
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    """Sentences are in order, don't overlap, are trimmed, and leave only blanks out."""
    spans = [*sentences(text)]
    at = 0
    for span in spans:
        assert not text[at : span.start].strip()
        content = span.of(text)
        assert content
        assert content == content.strip()
        at = span.end
    assert not text[at:].strip()


@given(texts)
def test_paragraphs_are_what_empty_lines_separate(text: str) -> None:
    """Paragraphs are trimmed, hold no blank line, and leave only blanks out."""
    at = 0
    for span in paragraphs(text):
        assert not text[at : span.start].strip()
        assert at == 0 or text[at : span.start].count("\n") > 1
        content = span.of(text)
        assert content == content.strip()
        assert all(line.strip() for line in content.split("\n"))
        at = span.end
    assert not text[at:].strip()


@given(texts)
def test_no_sentence_reaches_into_another_paragraph(text: str) -> None:
    """The sentences of a text are those of its paragraphs, one after the other."""
    assert [*sentences(text)] == [
        sentence for paragraph in paragraphs(text) for sentence in sentences(text, paragraph)
    ]


@given(texts, texts, texts)
def test_a_part_of_a_text_splits_like_that_part_alone(before: str, part: str, after: str) -> None:
    """``within`` limits what is looked at, and the spans count from the text's beginning."""
    within = Span(len(before), len(before) + len(part))
    assert [*sentences(before + part + after, within)] == [
        span.shifted(len(before)) for span in sentences(part)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        (
            "Das Konzert ist am 3. Juni. Der 2. Weltkrieg begann 1939. Am 1. 4. 2020 war Ruhe.",
            [
                "Das Konzert ist am 3. Juni.",
                "Der 2. Weltkrieg begann 1939.",
                "Am 1. 4. 2020 war Ruhe.",
            ],
        ),
        ("They came on 3. June. Jane left.", ["They came on 3. June.", "Jane left."]),
        ("I am 3. He is 5.", ["I am 3.", "He is 5."]),
        (
            "We counted 12. Maria left. It was 30. 2019 was hot.",
            ["We counted 12.", "Maria left.", "It was 30.", "2019 was hot."],
        ),
        ("Il était de 12. Il augmente.", ["Il était de 12.", "Il augmente."]),
        ("Véase la pág. 5. Nació en 1990.", ["Véase la pág. 5.", "Nació en 1990."]),
        (
            "Он жил на ул. Ленина до 1990 г. Потом уехал. Да, в 1991 г. он умер. См. рис. 5.",  # noqa: RUF001 (Cyrillic)
            [
                "Он жил на ул. Ленина до 1990 г.",  # noqa: RUF001
                *("Потом уехал.", "Да, в 1991 г. он умер.", "См. рис. 5."),  # noqa: RUF001
            ],
        ),
        (
            "Dr. Smith met J. R. Smith in the U.S. yesterday. It cost 3.5 million, e.g. there.",
            [
                "Dr. Smith met J. R. Smith in the U.S. yesterday.",
                "It cost 3.5 million, e.g. there.",
            ],
        ),
        ("He lives in the U.S. She doesn't.", ["He lives in the U.S.", "She doesn't."]),
        ("Ms. Rao met Smt. Devi. See vol. 2.", ["Ms. Rao met Smt. Devi.", "See vol. 2."]),
        ("“Is it?” he asked. “No.” She left.", ["“Is it?” he asked.", "“No.”", "She left."]),
        ("(A) One thing. Two (1%) things.", ["(A) One thing.", "Two (1%) things."]),
        ("It ended. (B) One thing. Two.", ["It ended.", "(B) One thing.", "Two."]),
        (
            "भारत एक देश है। डॉ. सिंह ने कहा। ठीक है?",
            ["भारत एक देश है।", "डॉ. सिंह ने कहा।", "ठीक है?"],
        ),
        ("今天天气很好。我们去公园吧。好。", ["今天天气很好。", "我们去公园吧。", "好。"]),
        ("A line\nthat goes on. Another\nline.", ["A line\nthat goes on.", "Another\nline."]),
        # List items and table rows begin sentences, and a number never stands alone.
        (
            "It says\n- one thing\n* another. And more\n• a third",
            ["It says", "- one thing", "* another.", "And more", "• a third"],
        ),
        ("1. First. Second.\n2) Third", ["1. First.", "Second.", "2) Third"]),
        ("1. First. 2. Second. 3. Third.", ["1. First.", "2. Second.", "3. Third."]),
        ("1.\nFirst", ["1.\nFirst"]),
        ("See the list\n1.", ["See the list\n1."]),
        ("1.\n\nFirst", ["1.", "First"]),
        (
            "year | sum\n2009 | 3.5 Mr. X. Yes.\nThat is all. Really",
            ["year | sum", "2009 | 3.5 Mr. X. Yes.", "That is all.", "Really"],
        ),
        # Notes follow the full stop at once; after a blank, brackets are of the next sentence.
        ("It fell.[citation needed] It rose.", ["It fell.[citation needed]", "It rose."]),
        ("It fell.[3][note 1] It rose.[c]", ["It fell.[3][note 1]", "It rose.[c]"]),
        ("It fell.:4\u20135:24 It rose.:19-1", ["It fell.:4\u20135:24", "It rose.:19-1"]),
        ("It fell. [Laughter] It rose.", ["It fell.", "[Laughter] It rose."]),
        # Brackets and dots that were split off are no sentences.
        ("Really. ... \n- !\n- yes", ["Really. ... \n- !", "- yes"]),
        ("...", ["..."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    """Abbreviations, initials, decimals, quotes, labels, danda and ideographic stops."""
    assert _split(text) == expected


def test_a_long_speech_is_split_too() -> None:
    """Quotes hold sentences together only while that makes no monster."""
    speech = "We go there. " + "They stay here for a good long while. " * 8
    assert _split(f'He said: "{speech.strip()}" "Next," he said.') == [
        'He said: "We go there.',
        *["They stay here for a good long while."] * 7,
        'They stay here for a good long while."',
        '"Next," he said.',
    ]


def test_sentences_without_an_end_are_cut_at_blanks() -> None:
    """No sentence is longer than the limit."""
    parts = _split("word " * 1000)
    assert [len(part) for part in parts] == [1999, 1999, 999]
    assert LONGEST_SENTENCE == 2000


def test_a_panic_of_the_library_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should sentencex panic, the piece is one sentence; other errors pass through."""
    panic = type("PanicException", (BaseException,), {})

    def raising(error: type[BaseException]) -> None:
        def boundaries(_language: str, _text: str) -> list[dict[str, int]]:
            raise error

        monkeypatch.setattr(sentencex, "get_sentence_boundaries", boundaries)

    raising(panic)
    assert _split("One. Two.") == ["One. Two."]
    raising(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        _split("One. Two.")


@pytest.mark.parametrize("unit", ["a", ".", "\n", " ", "“", "“ab 'c\" (g [ ", "1. ", "\u0301"])
def test_the_time_needed_grows_with_the_length_only(unit: str) -> None:
    """A quarter of a million characters of nothing much take a second, not many minutes."""
    text = unit * (250_000 // len(unit))
    start = time.process_time()
    deque(sentences(text), 0)
    assert time.process_time() - start < 5  # .5 s at most on the machine it was written on


def test_many_notes_take_no_time() -> None:
    """What looks like a note for long, and is none in the end."""
    text = "It fell." + ":1" * 500 + "[1]" * 300 + "x"
    began = time.process_time()
    assert "".join(_split(text)) == text
    assert time.process_time() - began < 2.0
