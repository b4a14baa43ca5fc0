"""Thumbs: what the page shows, and what the server keeps."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from served import pages

from rag import Answer, Hit, Library
from ui.pages import answers

QUESTION = "Where does the turret come from?"


@pytest.fixture
def client(library: Library) -> TestClient:
    """The address for ratings."""
    return pages(library, answers)


def pressed(html: str) -> list[tuple[str, str]]:
    """The thumbs of a piece of HTML: which one, and whether it is pressed."""
    return re.findall(r'value="(good|bad)"[^>]* aria-pressed="(true|false)"', html)


@pytest.mark.parametrize(
    ("good", "states"),
    [(None, ("false", "false")), (True, ("true", "false")), (False, ("false", "true"))],
)
def test_thumbs_show_what_was_said(hit: Hit, good: bool | None, states: tuple[str, str]) -> None:  # noqa: FBT001
    """Two buttons with names; one that is pressed says where that is kept."""
    answer = Answer(answered=True, confidence=0.9, hits=(hit,))
    html = answers.results("q", answer, {} if good is None else {"p1": good})
    assert pressed(html) == list(zip(("good", "bad"), states, strict=True))
    assert re.findall(r'<button type="button" class="thumb"[^>]*aria-label="([^"]+)"', html) == [
        "This passage is right",
        "This passage is wrong",
    ]
    assert ("Stored in this library only" in html) == (good is not None)
    assert 'data-passage="p1"' in html


def test_rating_from_the_page(client: TestClient, library: Library) -> None:
    """It is kept, shown when the question is asked again, and taken back."""
    hit = library.search(QUESTION)[0]
    said = {"question": QUESTION, "passage": hit.passage_id, "good": True}
    origin = {"origin": "http://127.0.0.1:7860"}
    response = client.put("/ratings", json=said, headers=origin)
    assert (response.status_code, response.json()) == (200, {"said": "Stored in this library only"})
    (kept,) = library.ratings()
    assert (kept.question, kept.passage_id, kept.good) == (QUESTION, hit.passage_id, True)
    assert (kept.answer, kept.score) == (hit.answer, hit.score)
    assert pressed(answers.answer(library, QUESTION))[:2] == [("good", "true"), ("bad", "false")]
    response = client.put("/ratings", json=said | {"good": None})
    assert (response.status_code, response.json()) == (200, {"said": "Rating removed"})
    assert library.ratings() == []


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"passage": "none"}, 409, "The library has changed: ask again"),
        ({"question": "?"}, 422, "The question is empty: ask in plain words"),
        ({"good": "perhaps"}, 422, "valid boolean"),
    ],
)
def test_what_is_not_kept(
    client: TestClient, library: Library, changes: dict[str, str], status: int, reason: str
) -> None:
    """What was not found here, and what is no rating."""
    hit = library.search(QUESTION)[0]
    said = {"question": QUESTION, "passage": hit.passage_id, "good": True} | changes
    response = client.put("/ratings", json=said)
    assert response.status_code == status
    assert reason in response.text
    assert library.ratings() == []


def test_form_of_another_page_is_no_rating(client: TestClient, library: Library) -> None:
    """A page elsewhere can send plain text without asking first; nobody reads it as JSON."""
    body = f'{{"question": "{QUESTION}", "passage": "x", "good": true}}'
    assert client.put("/ratings", content=body).status_code == 422
    assert library.ratings() == []
