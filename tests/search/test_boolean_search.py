"""Conditions hold over the whole library: listings are whole, and searches miss nothing."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import tantivy
from engines import ENGINES, place
from hashing_embedder import HashingEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import EmptyQuestion, InputError, Library
from rag.cli.main import main
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import DocumentCount, Respelling

FILES, PASSAGES_EACH = 60, 5
WORDS = [f"word{number}" for number in range(40)]


@pytest.fixture(scope="module", params=ENGINES)
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """300 passages of 45 words of 40, in 60 documents."""
    folder = tmp_path_factory.mktemp("find")
    chance = random.Random(1)  # noqa: S311 (the same every time)
    (folder / "texts").mkdir()
    for number in range(FILES):
        paragraphs = [" ".join(chance.choices(WORDS, k=45)) + "." for _ in range(PASSAGES_EACH)]
        name = f"{'odd' if number % 2 else 'even'} {number:02}.txt"
        (folder / "texts" / name).write_text("\n\n".join(paragraphs))
    with Library.open(place(request.param, folder), embedder=HashingEmbedder()) as library:
        library.index(folder / "texts")
        assert library.status().passages == FILES * PASSAGES_EACH
        yield library


@pytest.fixture(scope="module")
def everything(library: Library) -> list[tuple[str, str, list[str]]]:
    """Every passage: source, id of the passage, words; in the order of the documents' names."""
    found = library.find("source:*.txt", limit=FILES * PASSAGES_EACH).matches
    return [(one.source, one.passage_id, one.text.rstrip(".").split()) for one in found]


def stands_in(phrase: list[str], words: list[str]) -> bool:
    """Whether the words of the phrase follow one another somewhere."""
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words)))


word = st.sampled_from(WORDS)
phrase = st.lists(word, min_size=1, max_size=2)


@settings(deadline=None, max_examples=40)
@given(st.lists(word, max_size=2), st.lists(phrase, max_size=2), st.lists(phrase, max_size=4))
def test_find_and_search_equal_a_scan(
    library: Library,
    everything: list[tuple[str, str, list[str]]],
    words: list[str],
    must: list[list[str]],
    without: list[list[str]],
) -> None:
    """The listing has what a loop over all passages keeps; so has a search that asks for all."""
    parts = [f'"{" ".join(one)}"' for one in must] + [f'-"{" ".join(one)}"' for one in without]
    kept = [
        (source, passage)
        for source, passage, held in everything
        if all(stands_in(one, held) for one in must)
        and not any(stands_in(one, held) for one in without)
        and "odd" in source
    ]
    listed = library.find(" ".join(["source:odd*", *parts]), limit=1000)
    assert [(one.source, one.passage_id) for one in listed.matches] == kept
    assert listed.passages == len(kept)
    assert {one.source: one.passages for one in listed.documents} == Counter(
        source for source, _ in kept
    )
    question = " ".join(["word1", *words, "source:odd*", *parts])
    hits = library.search(question, 1000)
    assert {(one.source, one.passage_id) for one in hits} == set(kept)
    everywhere = library.search(question.replace("source:odd*", ""), 1000)
    assert {one.passage_id for one in everywhere if "odd" in one.source} == {
        passage for _, passage in kept
    }


def test_a_page_at_a_time(library: Library) -> None:
    """Pages put together are the whole list; each knows what there is besides it."""
    whole = library.find("word1 word2", limit=1000)
    assert 60 < whole.passages == len(whole.matches) < 200
    pages = [library.find("word1 word2", offset=at, limit=20) for at in range(0, 200, 20)]
    assert [one for page in pages for one in page.matches] == list(whole.matches)
    assert all(page.passages == whole.passages for page in pages)
    assert all(page.documents == whole.documents for page in pages)
    assert [page.offset for page in pages] == list(range(0, 200, 20))
    for match in whole.matches:
        assert {quote.text for quote in match.matched} == {"word1", "word2"}
        for quote in match.matched:
            assert quote.text == match.text[quote.start - match.start : quote.end - match.start]


@pytest.mark.parametrize("question", ["", " ?! ", "the", "is it -"])
def test_nothing_to_look_for(library: Library, question: str) -> None:
    """An error that says how to look for small words."""
    with pytest.raises(EmptyQuestion, match="no word to look for"):
        library.find(question)


def test_only_conditions_are_no_question(library: Library) -> None:
    """A search can't rank by them; the error names what can list them."""
    with pytest.raises(EmptyQuestion, match="rag ask --all"):
        library.search('source:odd* -"word1"')


@pytest.mark.parametrize(("offset", "limit"), [(-1, 20), (0, 0)])
def test_no_such_page(library: Library, offset: int, limit: int) -> None:
    """An error, before anything is looked up."""
    with pytest.raises(InputError, match="a page begins at 0"):
        library.find("word1", offset=offset, limit=limit)


@pytest.mark.parametrize("others", [0, 1500])
def test_excluded_however_near(tmp_path: Path, others: int) -> None:
    """What remains is found although hundreds of better passages are excluded: when they are
    most of the library and when they are not.
    """
    texts = tmp_path / "texts"
    texts.mkdir()
    near = [f"The jaguar drives fast {number}, a car." for number in range(700)]
    (texts / "cars.txt").write_text("\n\n".join(line * 9 for line in near))
    far = [f"Nothing of that kind {number}. " for number in range(others)]
    (texts / "far.txt").write_text("\n\n".join(line * 9 for line in far) or "Empty.")
    (texts / "cat.txt").write_text("Somewhere in a long text without much of it, a jaguar sleeps.")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(texts)
        assert library.search("the jaguar drives fast", 1)[0].title != "cat"
        found = library.search("the jaguar drives fast -car", 1)
        assert [Path(hit.source).name for hit in found] == ["cat.txt"]
        listed = library.find("jaguar -car")
        assert [Path(one.source).name for one in listed.documents] == ["cat.txt"]
        assert library.find("jaguar").passages > 600


def test_indexes_of_another_format_are_made_again(tmp_path: Path) -> None:
    """A word index without positions is replaced by the next question, without the model."""
    (tmp_path / "one.txt").write_text("The red shoes are blue.")
    folder = tmp_path / "library"
    with Library.open(folder, embedder=HashingEmbedder()) as library:
        library.index(tmp_path / "one.txt")
    published = folder / "published.json"
    published.write_text(json.dumps(json.loads(published.read_text()) | {"format": 0}))
    shutil.rmtree(folder / "words")
    (folder / "words").mkdir()
    old = tantivy.SchemaBuilder().add_integer_field("key", indexed=True, fast=True)
    tantivy.Index(old.add_text_field("text", index_option="freq").build(), str(folder / "words"))
    with Library.open(folder, embedder=HashingEmbedder()) as library:
        assert library.find('"red shoes"').passages == 1
        assert library.search('who wears "red shoes"?')[0].text == "The red shoes are blue."
        assert library.search('who wears "shoes red"?') == []


@pytest.fixture
def people(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Library]:
    """Two texts and the real model."""
    (tmp_path / "mark.txt").write_text("Mark Zuckerberg founded the company in his room.")
    (tmp_path / "sky.txt").write_text("Some planes were over the city. They flew low.")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index([tmp_path / "mark.txt", tmp_path / "sky.txt"])
        yield library


def test_spelling_slips_still_find(people: Library) -> None:
    """The nearest word is looked for, in a search and in a list, and both say so."""
    instead = (Respelling("Zuckerbrg", "zuckerberg"),)
    hit = people.search("What did Zuckerbrg found?", 1)[0]
    assert hit.text.startswith("Mark Zuckerberg")
    assert hit.why.instead == instead
    assert "Zuckerberg" in hit.why.matched
    found = people.find("Zuckerbrg")
    assert (found.passages, found.instead) == (1, instead)
    assert [quote.text for quote in found.matches[0].matched] == ["Zuckerberg"]


def test_a_word_that_the_model_knows_is_no_slip(people: Library) -> None:
    """A question about a planet does not find planes by the word; a list, which has nothing else
    to offer, does.
    """
    for hit in people.search("Is there a planet?"):
        assert (hit.why.instead, hit.why.words) == ((), 0.0)
    assert people.find("planet").instead == (Respelling("planet", "planes"),)


def test_somebody_with_a_like_name_is_only_offered(people: Library, tmp_path: Path) -> None:
    """In a search and in a list, whichever of the two names the model knows."""
    (tmp_path / "ice.txt").write_text("Maria Schmidt led the expedition to the ice in 1931.")
    (tmp_path / "mill.txt").write_text("The turbine by Hartmann supplies power to a village.")
    people.index([tmp_path / "ice.txt", tmp_path / "mill.txt"])
    for asked, near in (("Maria Schmitt", "Maria schmidt"), ("Hartman", "hartmann")):
        answer, listed = people.ask(f"Who is {asked}?"), people.find(asked)
        assert answer.reading == listed.reading == listed.matches == ()
        assert answer.alternative == f"Who is {near}?"
        assert listed.alternative == near


def test_the_command(people: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How the question was read, counts, the page with what matched marked, and the next page."""
    (tmp_path / "more.txt").write_text("Zuckerberg again.")
    people.index(tmp_path / "more.txt")
    rag = ["ask", "--library", str(people.path), "--all", "-k", "1", 'Zuckerbrg -"planes"']
    with pytest.raises(SystemExit):
        main(rag)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "Only passages without “planes”.",
        "No document has “Zuckerbrg”; looked for “zuckerberg”.",
        'Search instead: +Zuckerbrg -"planes"',
        "2 passages in 2 documents",
    ]
    assert any(line.strip().startswith("Mark »Zuckerberg« founded") for line in lines)
    assert lines[-1] == "These are 1 to 1 of 2; the next ones: --offset 1"
    with pytest.raises(SystemExit):
        main([*rag, "--offset", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["passages"], found["offset"]) == (2, 1)
    assert [match["text"] for match in found["matches"]] == ["Zuckerberg again."]
    assert [one["passages"] for one in found["documents"]] == [1, 1]
    assert found["instead"] == [{"asked": "Zuckerbrg", "found": "zuckerberg"}]
    with pytest.raises(SystemExit):
        main(["ask", "--library", str(people.path), "-k", "1", "who founded the company? -planes"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Only passages without “planes”."
    assert any("»Mark Zuckerberg founded" in line for line in lines)


def test_counts_name_the_document(people: Library) -> None:
    """Its id, title and source, in the order in which they came."""
    mark, sky = people.find("source:*.txt").documents
    assert mark == DocumentCount(mark.document_id, mark.title, mark.source, 1)
    assert people.document(mark.document_id).source == mark.source
    assert (Path(mark.source).name, Path(sky.source).name) == ("mark.txt", "sky.txt")
