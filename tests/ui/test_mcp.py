"""Assistants: the official client lists the tools and calls them, and nothing else is said."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rag import Library
from ui.mcp import tools as mcp_tools
from ui.security.middleware import protect
from ui.security.policy import LOCAL

QUESTION = "Who led the Belgian Economic Mission to India?"


def text(result: CallToolResult) -> str:
    """What is there to be read."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def structured(result: CallToolResult) -> dict[str, Any]:
    """What is there for programs."""
    assert not result.is_error
    assert result.structured_content is not None
    return result.structured_content


async def _tools_do_what_they_say(client: Client, library: Library) -> None:
    """All there is to one connection."""
    listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == ["search", "find", "read"]
    for tool in listed:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.output_schema is not None
        assert tool.description
    result = await client.call_tool("search", {"question": QUESTION, "passages": 2})
    found, expected = structured(result), library.ask(QUESTION, 2)
    assert found["answered"] is True
    assert found["confidence"] == pytest.approx(expected.confidence)
    hit = found["passages"][0]
    assert "Princess Astrid" in hit["answer"]
    assert hit["source"] == "000_b4b8cba14608a5c3.txt"
    said = text(result)
    assert said.startswith("Probably answered in these documents (confidence ")
    assert f"»{hit['answer']}«" in said
    where = f"[document {hit['document_id']}, characters {hit['start']} to {hit['end']}]"
    assert where in said
    assert str(library.path.parent) not in said + json.dumps(found)

    within = {"question": QUESTION, "collections": [library.collections()[0].name]}
    assert structured(await client.call_tool("search", within))["passages"][0] == hit
    refused = await client.call_tool("search", {"question": QUESTION, "collections": ["none"]})
    assert refused.is_error
    assert "there is no collection “none”" in text(refused)

    result = await client.call_tool("find", {"query": '"Princess Astrid"', "passages": 1})
    matches = structured(result)
    assert matches["total"] == library.find('"Princess Astrid"').passages
    assert len(matches["passages"]) == 1
    assert "Princess Astrid" in matches["passages"][0]["text"]

    document = library.document(hit["document_id"])
    stretch = {"document_id": document.id, "start": hit["start"], "characters": 100}
    result = await client.call_tool("read", stretch)
    read = structured(result)
    assert read["text"] == document.text[hit["start"] : hit["start"] + 100]
    assert (read["characters"], read["next_start"]) == (len(document.text), hit["start"] + 100)
    assert read["text"] in text(result)

    refused = await client.call_tool("read", {"document_id": "none"})
    assert refused.is_error
    assert text(refused).endswith("there is no document none in this library")


def test_over_standard_input_and_output(seeds: Library, tmp_path: Path) -> None:
    """As an assistant starts it, ``rag mcp``; the output carries the protocol and nothing else."""
    heard, said = tmp_path / "heard", tmp_path / "said"
    rag = shlex.join([sys.executable, "-m", "rag", "mcp", "--library", str(seeds.path)])
    tapped = ["-c", f"{rag} | tee {shlex.quote(str(heard))}"]

    async def talk() -> None:
        with said.open("w") as errors:
            server = StdioServerParameters(command="sh", args=tapped)
            async with Client(stdio_client(server, errors)) as client:
                await _tools_do_what_they_say(client, seeds)

    anyio.run(talk)
    lines = [json.loads(line) for line in heard.read_text().splitlines()]
    assert len(lines) >= 5  # a list, and four calls
    assert {line["jsonrpc"] for line in lines} == {"2.0"}
    assert said.read_text() == ""


@contextmanager
def mounted(library: Library) -> Iterator[TestClient]:
    """The tools over HTTP, without the page."""
    route, manager = mcp_tools.mounted(library)
    app = Starlette(routes=[route], lifespan=lambda _: manager.run())
    with TestClient(protect(app, LOCAL), base_url="http://127.0.0.1:7860") as client:
        yield client


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"accept": "application/json", "mcp-protocol-version": "2025-06-18"}


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, 200),
        ("POST", {"origin": "http://127.0.0.1:7860"}, 200),
        ("POST", {"origin": "http://127.0.0.1:8000"}, 403),
        ("POST", {"origin": "http://elsewhere.example"}, 403),
        ("POST", {"origin": "null"}, 403),
        ("POST", {"content-type": "text/plain"}, 400),
        ("GET", {"accept": "text/event-stream"}, 405),
        ("DELETE", {}, 405),
    ],
)
def test_who_is_answered_over_http(
    seeds: Library, method: str, headers: dict[str, str], status: int
) -> None:
    """Programs and the server's own page; no other page, not even one of this machine."""
    with mounted(seeds) as client:
        response = client.request(method, "/mcp", json=LIST, headers=ACCEPT | headers)
    assert response.status_code == status
    if status == 200:
        assert [tool["name"] for tool in response.json()["result"]["tools"]] == [
            *("search", "find", "read")
        ]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("search", {"question": "?"}, "the question is empty: ask in plain words"),
        ("search", {"question": QUESTION, "since": "lately"}, "a date is written like 2024-12-31"),
        ("search", {"question": QUESTION, "passages": 51}, "less than or equal to 50"),
        ("remove", {}, "Unknown tool"),
    ],
)
def test_what_cannot_be_done(
    seeds: Library, name: str, arguments: dict[str, object], said: str
) -> None:
    """In words that an assistant can act on."""
    call = {"id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    with mounted(seeds) as client:
        response = client.post("/mcp", json={"jsonrpc": "2.0"} | call, headers=ACCEPT)
    assert said in response.text


def test_conditions_hold(seeds: Library) -> None:
    """A filter leaves nothing, and that is said."""
    arguments = {"question": QUESTION, "until": "1900-01-01"}
    call = {"id": 1, "method": "tools/call", "params": {"name": "search", "arguments": arguments}}
    with mounted(seeds) as client:
        result = client.post("/mcp", json={"jsonrpc": "2.0"} | call, headers=ACCEPT).json()[
            "result"
        ]
    assert result["structuredContent"] == {
        "answered": False,
        "caution": "No document meets all of these conditions.",
        "confidence": 0.0,
        "reading": [],
        "alternative": None,
        "conditions_met": False,
        "passages": [],
    }
    assert result["content"][0]["text"] == "No document meets all of these conditions."


def test_a_list_says_what_was_looked_for_instead(seeds: Library) -> None:
    """Which word was corrected, and the way back, as a search does."""
    call = {"id": 1, "method": "tools/call"}
    call |= {"params": {"name": "find", "arguments": {"query": "Zorawor tank"}}}
    with mounted(seeds) as client:
        response = client.post("/mcp", json={"jsonrpc": "2.0"} | call, headers=ACCEPT)
    result = response.json()["result"]
    answer = seeds.ask("Zorawor tank")
    assert answer.reading == ("No document has “Zorawor”; looked for “zorawar”.",)
    assert result["structuredContent"]["reading"] == [*answer.reading]
    assert result["structuredContent"]["alternative"] == answer.alternative == "+Zorawor tank"
    assert all(line in result["content"][0]["text"] for line in (*answer.reading, "+Zorawor tank"))


def test_words_that_are_not_there(seeds: Library) -> None:
    """Without conditions nothing is said of them."""
    call = {"id": 1, "method": "tools/call"}
    call |= {"params": {"name": "search", "arguments": {"question": "גשר"}}}
    with mounted(seeds) as client:
        response = client.post("/mcp", json={"jsonrpc": "2.0"} | call, headers=ACCEPT)
    assert response.json()["result"]["content"][0]["text"] == (
        "This is probably not in your documents: no passage has any of these words."
    )
