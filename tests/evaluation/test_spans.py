"""Overlap of gold and retrieved text, and offsets before and after a text was tidied."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_hits import hit

from rag import Document, Hit, InputError, Span
from rag.documents.whitespace import tidy
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, SetDocument
from rag.evaluation.relevance import passage
from rag.evaluation.spans import SpanJudge, TextRange, overlap


@pytest.mark.parametrize(
    ("gold", "found", "recall", "precision", "iou"),
    [
        # 10 of 20 gold characters were retrieved, among 140; together they are 150 characters.
        (
            [TextRange("a", 10, 20), TextRange("a", 30, 40)],
            [TextRange("a", 0, 15), TextRange("b", 0, 100), TextRange("a", 35, 60)],
            *(10 / 20, 10 / 140, 10 / 150),
        ),
        # What is retrieved twice counts twice against it.
        ([TextRange("a", 0, 10)], [TextRange("a", 0, 10), TextRange("a", 5, 10)], 1, 2 / 3, 2 / 3),
        # Two answers that say the same, one with an article in front, are 8 characters.
        ([TextRange("a", 2, 10), TextRange("a", 5, 10)], [TextRange("a", 6, 10)], 0.5, 1, 0.5),
        ([TextRange("a", 0, 10)], [], 0, 0, 0),
    ],
)
def test_overlap_by_hand(
    gold: list[TextRange], found: list[TextRange], recall: float, precision: float, iou: float
) -> None:
    """As in the report."""
    assert overlap(gold, found) == pytest.approx((recall, precision, iou))


def test_holding() -> None:
    """Both ends count, and so does the document."""
    outer = TextRange("a", 5, 10)
    assert outer.contains(TextRange("a", 5, 10))
    assert not outer.contains(TextRange("a", 4, 10))
    assert not outer.contains(TextRange("a", 5, 11))
    assert not outer.contains(TextRange("b", 6, 7))


def judge(*texts: str) -> SpanJudge:
    """Of documents 0, 1, … in the sources s0, s1, …, as the library would hold them."""
    documents = {str(n): SetDocument(str(n), "", text, {}) for n, text in enumerate(texts)}
    corpus = Corpus(documents, {f"s{name}": name for name in documents})

    def document(source: str) -> Document:
        return Document(source, source, "", tidy(corpus.of_source(source).text), "")

    return SpanJudge(corpus, document)


def answer(found: SpanJudge, one: Hit) -> TextRange:
    """Where the highlighted sentence of a hit lies."""
    return found.locate(one, one.answer)


def passage_of(found: SpanJudge, one: Hit) -> TextRange:
    """Where the passage of a hit lies."""
    return found.locate(one, passage(one))


def gold(text: str, answer: str) -> GoldSpan:
    """The first place of an answer in document 0."""
    start = text.index(answer)
    return GoldSpan("0", Span(start, start + len(answer)), answer)


@pytest.mark.parametrize(
    "text",
    [
        "One two three four.",
        "One\r\n\r\n\r\n  two\u00a0three   four.",
        "Cafe\u0301 one\u00ad two \ufeffthree\x07 four.",
        "e\u0301e\u0301e\u0301 two three e\u0301 four.",
        "\u1112\u1161\u11ab\u1100\u1173\u11af two three four.",
    ],
)
def test_span_is_found_again(text: str) -> None:
    """Line ends, hard blanks, soft hyphens, controls, loose accents and parts of letters."""
    found = judge(text)
    library = tidy(text)
    start = library.index("two three")
    first, last = text.index("two"), text.index("three") + len("three")
    wanted = found.gold(GoldSpan("0", Span(first, last), text[first:last]))
    passage = library[start : start + len("two three")]
    assert passage_of(found, hit("s0", library[start:], passage, start=start)).contains(wanted)
    assert answer(found, hit("s0", library[start:], passage, start=start)) == wanted


def test_counting_by_hand() -> None:
    """Before ``two`` stand three characters that are no blanks, and it has three."""
    assert judge("One  two.").gold(gold("One  two.", "two")) == TextRange("0", 3, 6)


def test_documents_with_the_same_text_are_one() -> None:
    """A passage of either is as right."""
    found = judge("One two.", "Other.", "One two.")
    wanted = found.gold(gold("One two.", "two"))
    assert answer(found, hit("s2", "One two.", "two")) == wanted
    assert answer(found, hit("s1", "Other.", "Other")) != wanted


def test_title_above_the_text() -> None:
    """Reading put it there; the answer is where it was, and the title lies before the text."""
    documents = {"0": SetDocument("0", "The title", "One  two.", {})}
    text = "The title\n\nOne  two."
    found = SpanJudge(
        Corpus(documents, {"s0": "0"}), lambda name: Document(name, name, "", text, "")
    )
    one = hit("s0", text, "two")
    assert answer(found, one) == found.gold(gold("One  two.", "two")) == TextRange("0", 3, 6)
    assert passage_of(found, one) == TextRange("0", -8, 7)


def test_further_part() -> None:
    """A hit in the second part of a document lies behind all of the first; both lead with the
    title.
    """
    whole = "One two.\n\nThree four."
    parts = {"a": "The title\n\nOne two.", "b": "The title\n\nThree four."}
    found = SpanJudge(
        Corpus({"0": SetDocument("0", "The title", whole, {})}, {"s0": "0"}),
        lambda name: Document(name, name, "", parts[name], ""),
        lambda _: ("a", "b"),
    )
    second = replace(hit("s0", parts["b"], "four"), document_id="b")
    assert answer(found, second) == found.gold(gold(whole, "four")) == TextRange("0", 12, 16)
    first = replace(hit("s0", parts["a"], "two"), document_id="a")
    assert answer(found, first) == found.gold(gold(whole, "two")) == TextRange("0", 3, 6)


def test_span_of_blanks() -> None:
    """Nothing could be right about it."""
    with pytest.raises(InputError, match="the answer span 3-5 of document 0 covers only blanks"):
        judge("One  two.").gold(GoldSpan("0", Span(3, 5), "  "))


LETTERS = st.text(
    st.sampled_from("abé \n\t\r\u00a0\u00ad\u0301\u0308\x07\u2028.") | st.characters(codec="utf-8"),
    max_size=40,
)


@given(LETTERS, LETTERS)
def test_places_before_and_after_a_letter(before: str, after: str) -> None:
    """A capital X, wherever it lies, is at the same place in both texts."""
    text = f"{before} X {after}"
    at, tidied = len(before) + 1, tidy(text)
    found = judge(text)
    place = found.gold(GoldSpan("0", Span(at, at + 1), "X"))
    solid = "".join(tidied.split())
    assert solid[place.start : place.end] == "X"
    assert solid[: place.start] == "".join(tidy(before).split())
    assert unicodedata.is_normalized("NFC", solid[: place.start])
