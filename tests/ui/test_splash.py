"""The first seconds of the server."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from served import ADDRESS, here

from ui.ops.splash import Splash


@pytest.fixture
def starting() -> Splash:
    """One that nothing was handed over from yet."""
    return Splash()


def client_of(starting: Splash) -> TestClient:
    """A client of it, behind its gate."""
    return TestClient(here(starting), base_url=ADDRESS)


def test_a_page_at_once(starting: Splash) -> None:
    """With the field for a question, its own script, and the headers of every other page."""
    client = client_of(starting)
    response = client.get("/")
    assert response.status_code == 200
    assert '<input name="q" value=""' in response.text
    assert "Starting" in response.text
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert response.headers["referrer-policy"] == "no-referrer"
    assert client.get("/starting.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/style.css").headers["content-type"].startswith("text/css")
    assert client.get("/favicon.ico").text.startswith("<svg")


def test_the_question_of_the_address_is_kept(starting: Splash) -> None:
    """As text, whatever it says."""
    hostile = '"><script>alert(1)</script>'
    response = client_of(starting).get("/", params={"q": hostile})
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in response.text
    assert "<script>" not in response.text


def test_what_is_not_there_yet(starting: Splash) -> None:
    """Programs are told to come again; health says how it stands."""
    client = client_of(starting)
    assert client.get("/health").json() == {"status": "starting"}
    assert client.get("/api/v1/health").json()["status"] == "ok"  # it lives
    ready = client.get("/api/v1/ready")
    assert (ready.status_code, ready.json()["type"]) == (503, "/api/v1/problems/not-ready")
    gradio = ("/gradio_api/call/search", "/gradio_api/upload")
    for path in ("/api/v1/search?q=tea", "/library", "/mcp", *gradio):
        response = client.get(path)
        assert response.status_code == 503, path
        assert response.headers["retry-after"] == "1"


def test_handing_over(starting: Splash) -> None:
    """All is the other application's, but for the script of a page that was sent before."""
    app = FastAPI()

    @app.get("/health")
    def health() -> str:
        return "the other"

    starting.hand_over(app)
    client = client_of(starting)
    assert client.get("/health").json() == "the other"
    assert client.get("/").status_code == 404
    assert "location.replace" in client.get("/starting.js").text
