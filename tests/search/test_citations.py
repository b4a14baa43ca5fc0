"""Citations: the sentence is found again, whatever became of its document."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Citation, Document, Library, Quote, cited
from rag.search.citations import LONGEST_BEGINNING, follow

ARTICLE = (
    "The lighthouse was built in 1861.\n\n"
    "Its lamp burnt whale oil until the spring of 1871, and paraffin from then on. "
    "The keeper kept a log of every ship.\n\n"
    "In 1924 the lamp was replaced by an electric one."
)
SENTENCE = "Its lamp burnt whale oil until the spring of 1871, and paraffin from then on."
OTHERS = {
    "harbour.txt": "The harbour has room for forty boats. Its crane dates from 1902.",
    "whales.txt": "Whale oil was traded in Bergen. Nobody burns it in lamps today.",
}


def document(text: str, name: str = "doc") -> Document:
    """A document with this text."""
    return Document(name, f"/{name}.txt", name, text, "0" * 64)


def of_sentence(document: Document) -> Citation:
    """A citation of the article's sentence."""
    start = document.text.index(SENTENCE)
    return cited(document.id, Quote(SENTENCE, start, start + len(SENTENCE)))


@pytest.fixture
def article(library: Library, tmp_path: Path) -> Path:
    """The article's file, indexed among others."""
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / "lighthouse.txt"
    path.write_text(ARTICLE)
    library.index(tmp_path)
    return path


@pytest.fixture
def citation(library: Library, article: Path) -> Citation:
    """What a link to the sentence names."""
    summary = next(one for one in library.documents() if one.source == str(article))
    return of_sentence(library.document(summary.id))


def test_what_a_citation_says(citation: Citation) -> None:
    """Place, hash and beginning, as documented."""
    assert (citation.start, citation.end) == (35, 35 + len(SENTENCE))
    assert citation.digest == hashlib.sha256(SENTENCE.encode()).hexdigest()[:16]
    assert citation.beginning == SENTENCE


def test_unchanged(library: Library, citation: Citation) -> None:
    """The sentence stands where it stood."""
    found = library.follow(citation)
    assert (found.state, found.document_id) == ("unchanged", citation.document_id)
    assert found.quote
    assert (found.quote.text, found.quote.start) == (SENTENCE, citation.start)


def test_moved(library: Library, article: Path, citation: Citation) -> None:
    """The document was edited around it: another document by its content, with the sentence."""
    article.write_text("A new first paragraph came in.\n\n" + ARTICLE.replace("ship.", "boat."))
    library.index(article)
    found = library.follow(citation)
    assert found.state == "moved"
    assert found.document_id
    assert found.document_id != citation.document_id
    assert found.quote
    assert found.quote.text == SENTENCE
    text = library.document(found.document_id).text
    assert text[found.quote.start : found.quote.end] == SENTENCE


def test_changed(library: Library, article: Path, citation: Citation) -> None:
    """The sentence itself was edited: the one in its place is shown as such."""
    edited = SENTENCE.replace("spring of 1871", "autumn of 1872")
    article.write_text(ARTICLE.replace(SENTENCE, edited))
    library.index(article)
    found = library.follow(citation)
    assert found.state == "changed"
    assert found.quote
    assert found.quote.text == edited


@pytest.mark.parametrize("whole", [True, False])
def test_gone(library: Library, article: Path, citation: Citation, *, whole: bool) -> None:
    """The sentence, or the whole document, was taken out: nothing else is passed off as it."""
    if whole:
        library.remove([article])
    else:
        article.write_text(ARTICLE.replace(SENTENCE, ""))
        library.index(article)
    found = library.follow(citation)
    assert (found.state, found.document_id, found.quote) == ("gone", None, None)


def test_marks_in_a_sentence_are_no_conditions(library: Library, tmp_path: Path) -> None:
    """Quotation marks, minus signs and colons in it mean nothing to the search."""
    said = 'He wrote "whale oil" -not paraffin- under title:lamps in the log.'
    path = tmp_path / "log.txt"
    path.write_text(f"{said} Then he slept.")
    library.index(path)
    (summary,) = library.documents()
    citation = cited(summary.id, Quote(said, 0, len(said)))
    path.write_text(f"Rain fell all night. {said} Then he slept.")
    library.index(path)
    found = library.follow(citation)
    assert found.state == "moved"
    assert found.quote
    assert found.quote.text == said


def nothing(_text: str, _k: int) -> list[object]:
    """A search without hits."""
    return []


@given(
    before=st.text(alphabet="ab .\n", max_size=40),
    words=st.lists(st.text(alphabet="abcxyz.,", min_size=1, max_size=9), min_size=1, max_size=80),
    blanks=st.lists(st.sampled_from([" ", "\n", "  \t"]), min_size=80, max_size=80),
    new=st.text(alphabet="ab .\n", max_size=40),
)
def test_found_again_after_it_moved(
    before: str, words: list[str], blanks: list[str], new: str
) -> None:
    """Whatever stands before it now, and whatever became of its blanks: its words are found."""
    sentence = "zq" + " ".join(words) + "qz"  # so that it stands there once
    old = document(before + sentence + " The end.")
    start, end = len(before), len(before) + len(sentence)
    citation = cited(old.id, Quote(old.text[start:end], start, end))
    assert len(citation.beginning) <= LONGEST_BEGINNING
    spaced = "".join(
        part for pair in zip(sentence.split(), blanks, strict=False) for part in pair
    ).rstrip()
    now = document(new + " " + spaced + " The end.")
    found = follow(citation, {"doc": now}.get, nothing)
    assert found.state in {"unchanged", "moved"}
    assert found.quote
    assert now.text[found.quote.start : found.quote.end] == found.quote.text
    assert re.sub(r"\s+", " ", found.quote.text).strip() == sentence
