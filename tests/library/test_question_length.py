"""One limit for questions and their conditions, at every door, and what is made of a long one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import rag
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from mcp import Client
from served import ADDRESS, application

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH, InputError, Library
from rag.runtime.settings import MAX_SEARCHED_LENGTH
from rag.text import query_parser, spelling
from rag.types.protocols import Embedder
from ui.mcp.tools import mcp_server

LONG = "turret " * (MAX_QUESTION_LENGTH // 7) + "tank"
TOO_LONG = LONG.ljust(MAX_QUESTION_LENGTH + 1, "x")
ARTICLE = "Cockerill supplies the turret of the tank. Its armour is light. Belgium makes it."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of one article."""
    folder = tmp_path_factory.mktemp("length")
    (folder / "turret.txt").write_text(ARTICLE)
    with Library.open(folder / "library", embedder=HashingEmbedder()) as opened:
        opened.index(folder)
        yield opened


def rate(library: Library, question: str) -> object:
    """Rate the best hit for another question."""
    return library.rate(question, library.search("turret")[0], good=True)


@pytest.mark.parametrize("door", [Library.search, Library.ask, Library.find, rate])
def test_the_limit_in_python(library: Library, door: Callable[[Library, str], object]) -> None:
    """What is as long as it may be is answered; one more character is refused in words."""
    door(library, LONG)
    with pytest.raises(InputError, match=r"10,001 characters, but the limit is 10,000"):
        door(library, TOO_LONG)


def test_the_limit_for_conditions(library: Library) -> None:
    """Each has one; within a question what is longer is no condition, but words."""
    most = "x" * MAX_FILTER_LENGTH
    for name in ("source", "title", "language"):
        assert library.search("turret", **{name: most}) == []
        with pytest.raises(InputError, match="up to 500 characters"):
            library.search("turret", **{name: most + "x"})
    with pytest.raises(InputError, match="up to 500 characters"):
        library.documents(where={"author": most + "x"})
    assert query_parser.parse(f"turret title:{most}").conditions
    assert not query_parser.parse(f"turret title:{most}x").conditions


def test_the_limit_of_the_command(seeds: Library) -> None:
    """As an error of the command's own, without a traceback."""
    for more in ([], ["--all"]):
        ran = rag("ask", TOO_LONG, *more, folder=seeds.path.parent, library=seeds.path)
        assert ran.returncode != 0
        assert "the limit is 10,000" in " ".join(ran.stderr.split())
        assert "Traceback" not in ran.stderr


def test_the_limit_of_the_server(library: Library) -> None:
    """For programs and on the page, whose address says the question, too."""
    with TestClient(application(library), base_url=ADDRESS) as client:
        for way in ("search", "ask", "find"):
            assert client.get(f"/api/v1/{way}", params={"q": LONG}).status_code == 200
            refused = client.get(f"/api/v1/{way}", params={"q": TOO_LONG})
            assert refused.status_code == 422
            assert "10000 characters" in refused.text
        refused = client.get("/library", params={"title": TOO_LONG[:MAX_FILTER_LENGTH] + "xx"})
        assert refused.status_code == 422
        assert "up to 500 characters" in refused.text
        document = library.documents()[0].id
        whole = client.get(f"/documents/{document}").text
        long = {"find": "turret " * MAX_FILTER_LENGTH}
        assert client.get(f"/documents/{document}", params=long).text == whole
        (loading,) = (
            one["id"]
            for one in client.get("/config").json()["dependencies"]
            if not one["inputs"] and one["backend_fn"]
        )
        body = {"data": [], "fn_index": loading, "session_hash": "abc"}
        joined = client.post("/gradio_api/queue/join", params={"q": TOO_LONG}, json=body)
        assert joined.status_code == 200
        page = client.get("/gradio_api/queue/data", params={"session_hash": "abc"}).text
        assert "the limit is 10,000" in page


def test_the_limit_for_assistants(library: Library) -> None:
    """As an error that the assistant can read."""

    async def ask() -> None:
        async with Client(mcp_server(library)) as client:
            for tool, name in (("search", "question"), ("find", "query")):
                assert not (await client.call_tool(tool, {name: LONG})).is_error
                refused = await client.call_tool(tool, {name: TOO_LONG})
                assert refused.is_error
                assert "10000 characters" in str(refused.content)

    asyncio.run(ask())


@pytest.mark.parametrize(
    "text",
    [
        *("word " * 2000, "x" * 10_000, "漢字" * 5000, "a\n" * 5000, "a" + " " * 9_998 + "b"),
        *(
            "e\u0301\u0323" * 3333,
            '"a b" ' * 1600 + "end " * 90,
            "-blue " * 1600,
            "title:a " * 1200,
        ),
    ],
)
def test_what_is_searched_for(text: str) -> None:
    """The first thousand characters, to the end of a word, and it is said that there were more."""
    query = query_parser.parse(text)
    assert len(query.question) <= MAX_SEARCHED_LENGTH
    assert len(query.words) <= MAX_SEARCHED_LENGTH
    assert query.is_cut == any("Only the first" in one for one in query_parser.describe(query, ()))


def test_where_a_question_is_cut() -> None:
    """Never inside a word, unless it is one; ordinary questions stay as they are."""
    whole = " ".join(["turret"] * 200)
    assert query_parser.parse(whole).question == " ".join(["turret"] * 143)
    assert query_parser.parse(whole[:1000]) == query_parser.Query(whole[:1000], whole[:1000])
    assert not query_parser.parse("a" + " " * 5000).is_cut


def test_words_that_are_longer_than_a_question(tmp_path: Path, embedder: Embedder) -> None:
    """The library asks itself about its own sentences, whatever they are made of."""
    for number in range(40):
        word = chr(97 + number % 26) * (MAX_QUESTION_LENGTH + number)
        text = f"The turret {number} of the tank supplies {word} armour from Belgium light."
        (tmp_path / f"{number}.txt").write_text(text)
    with Library.open(tmp_path / "library", embedder=embedder) as opened:
        assert opened.index(tmp_path).failed == ()
        opened.check(20)
        assert opened.search("turret")


def test_slips_of_spelling_in_a_long_question(library: Library) -> None:
    """As many words are looked up as a person may misspell; others are taken as they are."""
    slips = [f"turre{letter}" for letter in "abcdefghijklmnopqrsuvwxyz"]
    found = library.find(" ".join(slips)).instead
    assert [one.asked for one in found] == slips[: spelling.MOST_WORDS]
    assert {one.found for one in found} == {"turret"}


def test_many_conditions(library: Library) -> None:
    """Those beyond the twentieth are words."""
    assert len(query_parser.parse("source:*a* " * 900).conditions) == query_parser.MOST_CONDITIONS
    assert library.find("turret source:*.txt title:turret").passages == 1
