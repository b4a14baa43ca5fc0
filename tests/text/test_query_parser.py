"""A question taken apart: what is syntax, and above all what is not."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.query_parser import Query, parse
from rag.text.unicode import plain
from rag.types import Clauses
from rag.types.filters import Filter


def test_the_parts_of_a_question() -> None:
    """Phrases stay in what the model reads; what is excluded and what is a condition does not."""
    text = 'who wears "red shoes" -blue -"dark green" title:"The great war" since:2024-05-01?'
    assert parse(text) == Query(
        question="who wears red shoes?",
        words="who wears?",
        clauses=Clauses(phrases=("red shoes",), without=("blue", "dark green")),
        conditions=(Filter(since=dt.date(2024, 5, 1), title="The great war"),),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Note: what is it?",
        "Is it open at 10:30?",
        "what does http://example.org/title:x say",
        "C++ with the -O2 flag",
        "what does rm -rf do, and -5 degrees?",
        "gcc --verbose -Wno-unused",
        "a well-known fact - or not",
        'a 5" pipe and a 6" pipe',
        'a lone " quote',
        "a lone ” quote, then a lone “ one",
        'nothing in "" or " ?! "',
        "rock 'n' roll isn't 'dead'",
        "title: the colon stands apart",
        "subtitle:tanks and e-title:x",
        "since:yesterday until:2024-13 since:2023-02-29 since:24",
        'title:"" source:?',
        "std::vector<int> title",
        "key=value; a:b; python:3.11",
        "",
        " \n",
    ],
)
def test_plain_words_stay_as_they_are(text: str) -> None:
    """Not a blank is changed where nothing is syntax."""
    assert parse(text) == Query(text, text)


@pytest.mark.parametrize(
    ("text", "phrases", "question"),
    [
        ("“curly quotes” too", ("curly quotes",), "curly quotes too"),
        ("was heißt „auf Deutsch“?", ("auf Deutsch",), "was heißt auf Deutsch?"),
        ("« en français »", ("en français",), "en français"),
        ("»A« oder »B«", ("A", "B"), "A oder B"),
        ("我说“人工智能”吧", ("人工智能",), "我说人工智能吧"),
        ('("in brackets")', ("in brackets",), "(in brackets)"),
        ('the "float?" of currencies', ("float?",), "the float? of currencies"),
        ('"one" "two"', ("one", "two"), "one two"),
        ('he said "title:x -y"', ("title:x -y",), "he said title:x -y"),
    ],
)
def test_phrases(text: str, phrases: tuple[str, ...], question: str) -> None:
    """Straight and curly quotes of several languages; nothing inside is syntax again."""
    found = parse(text)
    assert (found.clauses, found.question) == (Clauses(phrases=phrases), question)


@pytest.mark.parametrize(
    ("text", "without", "question"),
    [
        ("jaguar -car", ("car",), "jaguar"),
        ("-car jaguar", ("car",), "jaguar"),
        ("jaguar -car?", ("car",), "jaguar?"),
        ("jaguar (big -Auto)", ("Auto",), "jaguar (big)"),
        ('flags -"O2"', ("O2",), "flags"),
        ("-“zu zweit” und -„zu dritt“", ("zu zweit", "zu dritt"), "und"),
        ("thé -élevé", ("élevé",), "thé"),
    ],
)
def test_excluded(text: str, without: tuple[str, ...], question: str) -> None:
    """A word of letters after a hyphen that begins a word; anything else in quotes."""
    found = parse(text)
    assert (found.clauses, found.question) == (Clauses(without=without), question)


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("x title:tanks", Filter(title="tanks")),
        ("x Title:tanks.", Filter(title="tanks")),
        ("x source:letters/*.pdf", Filter(source="letters/*.pdf")),
        ("x source:“note [draft].txt”", Filter(source="note [draft].txt")),
        ("x lang:EN", Filter(language="en")),
        ("x language:de", Filter(language="de")),
        ('x author:"Ada Lovelace"', Filter(where={"author": "Ada Lovelace"})),
        ("x since:2024", Filter(since=dt.date(2024, 1, 1))),
        ("x until:2024", Filter(until=dt.date(2024, 12, 31))),
        ("x since:2024-02", Filter(since=dt.date(2024, 2, 1))),
        ("x until:2024-02", Filter(until=dt.date(2024, 2, 29))),
        ("x until:2024-2-3", Filter(until=dt.date(2024, 2, 3))),
        (
            "x since:2023 lang:en until:2024",
            Filter(dt.date(2023, 1, 1), dt.date(2024, 12, 31), language="en"),
        ),
    ],
)
def test_conditions(text: str, conditions: Filter) -> None:
    """Known names with a value; together they are one filter."""
    assert parse(text).conditions == (conditions,)


def test_words_spelled_as_they_are_meant() -> None:
    """A plus before a word; numbers, C++ and sums stay what they are."""
    query = parse("who was +Telsa, +Müller?")
    assert (query.question, query.words) == ("who was Telsa, Müller?",) * 2
    assert query.exact == {"Telsa", "Müller"}
    for text in ("+49 30 1234", "is C++ hard", "a+bcd", "x + y", "+ab", "+abc1"):
        assert (parse(text).question, parse(text).exact) == (text, frozenset())


def test_one_name_twice() -> None:
    """Both conditions must hold, so both are kept."""
    assert parse("title:a title:b author:c x").conditions == (
        Filter(title="a"),
        Filter(title="b", where={"author": "c"}),
    )


# Characters that syntax is made of, often.
hostile = st.text(
    st.sampled_from('"“”„«»-:.?( )ab1é人\n') | st.characters(), max_size=40
) | st.lists(
    st.sampled_from(
        [
            "title:",
            "+red",
            "since:",
            "2024",
            "-",
            '"',
            "“",
            "”",
            "«",
            "»",
            " ",
            "red",
            "until:9999-99",
        ]
    ),
    max_size=12,
).map("".join)


@given(hostile)
def test_any_text_can_be_read(text: str) -> None:
    """And only what is there comes out: no character is made up, none changes its place."""
    found = parse(text)
    text = plain(text)
    rest = iter(text)
    assert all(letter in rest for letter in found.question if not letter.isspace())
    rest = iter(found.question)
    assert all(letter in rest for letter in found.words if not letter.isspace())
    for clause in (*found.clauses.phrases, *found.clauses.without):
        assert clause in text
        assert any(map(str.isalnum, clause))
    assert all(found.conditions)
    if not (found.clauses or found.conditions or found.exact):
        assert found.question == found.words == text


word = st.text(st.sampled_from("abcdeé"), min_size=3, max_size=6)
phrase = st.lists(word, min_size=1, max_size=3).map(" ".join)


@given(
    st.lists(word, max_size=4),
    st.lists(phrase, max_size=3),
    st.lists(phrase, max_size=3),
    st.data(),
)
def test_what_was_put_together_is_taken_apart(
    words: list[str], phrases: list[str], without: list[str], data: st.DataObject
) -> None:
    """In any order of the parts."""
    parts = [*words, *(f'"{one}"' for one in phrases), *(f'-"{one}"' for one in without)]
    order = data.draw(st.permutations(parts))
    found = parse(" ".join(order))
    assert found.words == " ".join(part for part in order if part in words)
    assert sorted(found.clauses.phrases) == sorted(phrases)
    assert sorted(found.clauses.without) == sorted(without)
    kept = [part.strip('"') for part in order if not part.startswith("-")]
    assert found.question == " ".join(kept)
