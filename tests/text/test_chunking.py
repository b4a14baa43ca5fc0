"""Passages: whole sentences, exact offsets, nothing lost, never beyond the window."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.models.embedder import SentenceTransformerEmbedder
from rag.text import chunking
from rag.text.chunking import CHARACTERS_PER_TOKEN, passages
from rag.types import Document, Heading, Page, Passage, Span
from rag.types.arrays import Offsets

SEEDS = Path(__file__).parents[2] / "seeds"


class Words:
    """A tokenizer whose tokens are words of at most eight letters."""

    def __init__(self, window: int) -> None:
        self.window = window

    def tokens(self, text: str) -> Offsets:
        found = [match.span() for match in re.finditer(r"\w{1,8}|[^\w\s]", text)]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


def document(text: str, headings: tuple[str, ...] = (), pages: tuple[Span, ...] = ()) -> Document:
    """A document whose headings are the given paragraphs, each one level below the last."""
    found = [
        Heading(Span(text.index(one), text.index(one) + len(one)), level)
        for level, one in enumerate(headings, start=1)
    ]
    return Document("d", "d.txt", "D", text, "0", headings=tuple(found), pages=pages)


def check(doc: Document, found: list[Passage], tokenizer: Words) -> None:
    """What holds for any document."""
    end = 0
    for one in found:
        assert doc.text[one.start : one.end] == one.text
        assert one.start >= end
        assert len(tokenizer.tokens(one.text)) <= tokenizer.window
        assert one.sentences[0].start == one.start
        assert one.sentences[-1].end == one.end
        assert all(a.end <= b.start for a, b in zip(one.sentences, one.sentences[1:], strict=False))
        assert not doc.text[end : one.start].strip()
        inside = one.start
        for sentence in one.sentences:
            assert not doc.text[inside : sentence.start].strip()
            inside = sentence.end
        end = one.end
    assert not doc.text[end:].strip()


prose = st.lists(
    st.one_of(
        st.sampled_from(
            ["Tanks roll. ", "Who? ", "Dr. J. Smith paid 3.14 dollars. ", "\n\n", "- a\n"]
        ),
        st.text(max_size=30),
        st.text("abcdefgh", min_size=30, max_size=300),
    ),
    max_size=40,
).map("".join)


@given(prose, st.integers(4, 40), st.integers(2, 60))
def test_any_text(text: str, window: int, target: int) -> None:
    """Spans are exact and in order, cover every word once, and fit the window."""
    tokenizer = Words(window)
    doc = document(text)
    check(doc, passages(doc, tokenizer, target=target), tokenizer)


@given(st.data())
def test_any_headings(data: st.DataObject) -> None:
    """The same with some paragraphs as headings; no passage crosses one."""
    parts = data.draw(
        st.lists(st.tuples(st.booleans(), st.sampled_from(["One two.", "A b. C d!", "x " * 30])))
    )
    text, headings = "", []
    for heading, words in parts:
        if text:
            text += "\n\n"
        if heading:
            span = Span(len(text), len(text) + len(words.strip()))
            headings.append(Heading(span, data.draw(st.integers(1, 6))))
        text += words.strip()
    doc = Document("d", "d.md", "D", text, "0", headings=tuple(headings))
    tokenizer = Words(20)
    found = passages(doc, tokenizer, target=10)
    check(doc, found, tokenizer)
    spans = {heading.span for heading in headings}
    for one in found:
        assert set(one.sentences[: one.leading]) <= spans
        # Only a heading too long to lead is among the ordinary sentences.
        late = spans & set(one.sentences[one.leading :])
        assert all(len(tokenizer.tokens(span.of(text))) > 1 for span in late)


def test_short_text_is_one_passage() -> None:
    """A text within the target is not broken."""
    doc = document("One. Two.\n\nThree.")
    (found,) = passages(doc, Words(50), target=40)
    assert found.text == "One. Two.\n\nThree."
    assert [span.of(doc.text) for span in found.sentences] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    ("text", "window", "target", "expected"),
    [
        ("A b. C.\n\nD e.\n\nF g.", 6, 5, ["A b. C.", "D e.\n\nF g."]),
        ("a b c d e f g h i j", 4, 4, ["a b c d", "e f g h", "i j"]),
        ("x" * 80, 4, 4, ["x" * 32, "x" * 32, "x" * 16]),
    ],
    ids=["between paragraphs", "a long sentence between words", "a word where it must be"],
)
def test_breaks(text: str, window: int, target: int, expected: list[str]) -> None:
    """Worked by hand; nothing is lost."""
    found = passages(document(text), Words(window), target=target)
    assert [one.text for one in found] == expected


def test_headings_lead_their_passage() -> None:
    """They stand at its front, are no answer, and the trail names them outermost first."""
    doc = document("Army\n\nTanks\n\nThey roll. They shoot.", ("Army", "Tanks"))
    (found,) = passages(doc, Words(50))
    assert found.leading == 2
    assert found.headings == ("Army", "Tanks")
    assert found.text == doc.text


def test_trail_goes_on_without_the_heading() -> None:
    """The second passage of a section has the trail, though the heading is in the first."""
    doc = document("Army\n\nA b c d.\n\nE f g h.", ("Army",))
    found = passages(doc, Words(8), target=6)
    assert [(one.text, one.leading, one.headings) for one in found] == [
        ("Army\n\nA b c d.", 1, ("Army",)),
        ("E f g h.", 0, ("Army",)),
    ]


def test_heading_without_text_is_a_passage() -> None:
    """Its words can be found, too."""
    doc = document("Text here.\n\nThe end", ("The end",))
    assert [one.text for one in passages(doc, Words(50))] == ["Text here.", "The end"]


def test_huge_heading_is_text() -> None:
    """A heading that leaves no room for what it introduces becomes ordinary sentences."""
    long = "word " * 30
    doc = document(f"{long.strip()}\n\nText.", (long.strip(),))
    found = passages(doc, Words(20), target=10)
    assert {one.leading for one in found} == {0}
    check(doc, found, Words(20))


def test_pages_of_a_passage() -> None:
    """Those on which it stands, with their labels; a page without text has no part in it."""
    whole = "On one.\n\nOn two.\n\nOn four and five."
    pages = (Span(0, 9), Span(9, 18), Span(18, 18), Span(18, 26), Span(26, 35))
    labels = ("i", "ii", "1", "2", "3")
    doc = replace(document(whole, pages=pages), page_labels=labels)
    found = passages(doc, Words(7), target=5)
    assert [(one.text, one.pages) for one in found] == [
        ("On one.\n\nOn two.", (Page(1, "i", 0), Page(2, "ii", 9))),
        ("On four and five.", (Page(4, "2", 18), Page(5, "3", 26))),
    ]
    (whole_doc,) = passages(doc, Words(50), target=50)
    assert [one.number for one in whole_doc.pages] == [1, 2, 4, 5]
    assert passages(document(whole), Words(50))[0].pages == ()


def test_ids_depend_on_content_and_place() -> None:
    """The same document gives the same ids, and no two passages share one."""
    doc = document("A b c.\n\nA b c.\n\nA b c.")
    first = [one.id for one in passages(doc, Words(4), target=4)]
    assert first == [one.id for one in passages(doc, Words(4), target=4)]
    assert len(set(first)) == 3


blanks = st.sampled_from(
    ["Tanks roll. ", "Who? ", "Dr. J. Smith\n", "\n\n", "- a\n", "3.14, (b) ", "é ä "]
)


@given(st.lists(blanks, max_size=60).map("".join), st.integers(30, 90))
def test_stretches_make_no_difference(text: str, stretch: int) -> None:
    """A text is tokenised piece by piece, and its passages are those of the whole."""
    doc = document(text)
    whole = passages(doc, Words(20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "STRETCH_CHARACTERS", stretch)
        assert passages(doc, Words(20)) == whole


def test_unknown_words_fill_a_passage(embedder: SentenceTransformerEmbedder) -> None:
    """A long word that the model doesn't know is one token, and yet counts by its length."""
    found = passages(document("한" * 100_000), embedder)
    assert max(len(passage.text) for passage in found) <= embedder.window * CHARACTERS_PER_TOKEN


@pytest.mark.parametrize("stretch", [300, 2_000])
def test_stretches_make_no_difference_to_the_model(
    embedder: SentenceTransformerEmbedder, stretch: int
) -> None:
    """The same with the tokens of a real model, for real texts and for those without blanks."""
    texts = [one.read_text("utf-8") for one in SEEDS.iterdir()] + [
        "渡轮九点出发。" * 900,
        "a-b_c" * 900,
        "🏝️ 9" * 900,
    ]
    for text in texts:
        doc = document(text)
        whole = passages(doc, embedder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chunking, "STRETCH_CHARACTERS", stretch)
            assert passages(doc, embedder) == whole
