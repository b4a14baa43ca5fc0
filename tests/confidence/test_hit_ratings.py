"""What readers say of hits: kept, replaced, taken back, and found again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import DocumentNotFound, EmptyQuestion, Hit, Library, Quote, Rating
from rag.confidence.ratings import LocatedRating, locate
from rag.index.folder import locked
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Span

TURRET = "The turret of the tank comes from Ghent."
QUESTION = "Where does the turret come from?"


@pytest.fixture
def library(tmp_path: Path, articles: Path) -> Iterator[Library]:
    """A library of the three articles, without a model."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(articles)
        yield opened


def hit_of(library: Library, answer: str) -> Hit:
    """The hit with this sentence, whatever the sentence that is marked in it."""
    (hit,) = [one for one in library.search(answer) if answer in one.text]
    at = hit.start + hit.text.index(answer)
    return replace(hit, answer=Quote(answer, at, at + len(answer)))


def found_again(library: Library) -> list[LocatedRating]:
    """The ratings whose passages are there."""
    return locate(library.ratings(), library.engine.reader)


def test_rating_is_kept_replaced_and_taken_back(library: Library) -> None:
    """One for a question and a passage: the last. Blanks in the question make no difference."""
    hit = hit_of(library, TURRET)
    generation = library.status().generation
    before = dt.datetime.now(dt.UTC)
    library.rate(f"  {QUESTION}\n", hit, good=True)
    library.rate("Another question?", hit, good=True)
    library.rate(QUESTION, hit, good=False)
    other, rating = library.ratings()
    assert (other.question, other.good) == ("Another question?", True)
    assert before <= rating.time <= dt.datetime.now(dt.UTC)
    assert rating == Rating(
        question=QUESTION,
        passage_id=hit.passage_id,
        document_id=hit.document_id,
        source=hit.source,
        answer=hit.answer,
        good=False,
        score=hit.score,
        time=rating.time,
    )
    library.rate(QUESTION, hit, good=None)
    assert library.ratings() == [other]
    assert library.ratings(f"Another   question?{chr(10)}") == [other]
    assert library.ratings(QUESTION) == []
    assert library.status().ratings == 1
    # No index has to follow.
    assert library.status().generation == generation


def test_rating_while_another_process_indexes(library: Library) -> None:
    """The writer's lock is for documents."""
    hit = hit_of(library, TURRET)
    with locked(library.path):
        library.rate(QUESTION, hit, good=True)
    with Library.open(library.engine.location, embedder=HashingEmbedder()) as other:
        assert [one.passage_id for one in other.ratings()] == [hit.passage_id]


def test_edited_file(library: Library, articles: Path) -> None:
    """Its document is another one, and so are the passage and where the sentence stands."""
    hit = hit_of(library, TURRET)
    library.rate(QUESTION, hit, good=True)
    file = articles / "tanks.txt"
    file.write_text(
        file.read_text().replace("The turret", "It is new.\n\nThe  turret\nis here: the")
    )
    library.index(articles)
    assert found_again(library) == []
    file.write_text(f"date 2024-01-02\n\nIt is new. {TURRET} It weighs four tons.")
    library.index(articles)
    (again,) = found_again(library)
    assert again.rating == library.ratings()[0]
    assert again.passage.document_id != hit.document_id
    assert again.answer.of(library.document(again.passage.document_id).text) == TURRET
    # The same passage, rated as it is now, is not rated twice.
    library.rate(QUESTION, hit_of(library, TURRET), good=False)
    assert [one.good for one in library.ratings()] == [False]


def test_document_that_goes_and_comes_back(library: Library, articles: Path) -> None:
    """Meanwhile its rating is kept and of no use."""
    library.rate(QUESTION, hit_of(library, TURRET), good=True)
    library.remove([articles / "tanks.txt"])
    assert found_again(library) == []
    assert len(library.ratings()) == 1
    # Found by its content, not by its name.
    (articles / "tanks.txt").rename(articles / "moved.txt")
    library.index(articles)
    assert [one.answer for one in found_again(library)] == [Span(0, len(TURRET))]


def test_quotation_that_stands_twice(library: Library, tmp_path: Path) -> None:
    """The nearer one is meant; and a reader that sets blanks otherwise changes nothing."""
    file = tmp_path / "songs.txt"
    file.write_text("Whales sing. They rest. Whales sing. They dive.")
    library.index(file)
    (hit,) = [one for one in library.search("Whales sing") if one.source == str(file)]
    for start, expected in ((3, 0), (16, 24), (99, 24)):
        answer = Quote("Whales \n sing.", start, start + 14)
        library.rate(f"Who sings {start}?", replace(hit, answer=answer), good=True)
        assert found_again(library)[-1].answer == Span(expected, expected + 12)


def test_two_ratings_of_one_passage_are_the_later(library: Library) -> None:
    """As when one was made of an earlier reading, whose passage had another id."""
    hit = hit_of(library, TURRET)
    library.rate(QUESTION, replace(hit, passage_id="earlier"), good=True)
    weighs = "It weighs three tons."
    library.rate(QUESTION, hit_of(library, weighs), good=False)
    assert [one.good for one in library.ratings()] == [True, False]
    (only,) = found_again(library)
    assert (only.rating.good, only.rating.answer.text) == (False, weighs)


def test_what_cannot_be_rated(library: Library) -> None:
    """A question without a word, and a hit from elsewhere."""
    hit = hit_of(library, TURRET)
    with pytest.raises(EmptyQuestion, match="the question is empty"):
        library.rate(" ?! ", hit, good=True)
    with pytest.raises(DocumentNotFound, match="no document elsewhere in this library; ask again"):
        library.rate(QUESTION, replace(hit, document_id="elsewhere"), good=True)
    assert library.ratings() == []


def test_ratings_of_the_real_marks(
    articles: Path, tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """From a search to a place, with nothing made by hand."""
    with Library.open(tmp_path / "real", embedder=embedder) as library:
        library.index(articles)
        first = library.search(QUESTION)[0]
        library.rate(QUESTION, first, good=True)
        (again,) = found_again(library)
        assert (again.passage.id, again.rating.answer.text) == (first.passage_id, TURRET)
