"""What reaches Gradio: which of its routes answer at all, and what may be posted to those."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import cast

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from served import application
from starlette.routing import Mount
from test_every_route import walked

from rag import MAX_QUESTION_LENGTH, Library
from ui.security.gradio_routes import MOST_ANSWERS, MOST_SESSIONS, OPEN, Events
from ui.security.policy import MOST_BODY_BYTES

CLOSED = """
GET /favicon.ico
GET /logout
GET /manifest.json
GET /monitoring
GET /monitoring/summary
GET /monitoring/{key}
GET /openapi.json
GET /pwa_icon
GET /pwa_icon/{size}
GET /robots.txt
GET /gradio_api/app_id
GET /gradio_api/call/v2/{api_name}/{event_id}
GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
GET /gradio_api/deep_link
GET /gradio_api/dev/reload
GET /gradio_api/file/{path:path}
GET /gradio_api/file={path_or_url:path}
GET /gradio_api/login_check
GET /gradio_api/openapi.json
GET /gradio_api/proxy={url_path:path}
GET /gradio_api/queue/status
GET /gradio_api/runs
GET /gradio_api/startup-events
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
GET /gradio_api/theme.css
GET /gradio_api/token
GET /gradio_api/upload_progress
GET /gradio_api/user
GET /gradio_api/vibe-code
HEAD /openapi.json
HEAD /gradio_api/file={path_or_url:path}
HEAD /gradio_api/proxy={url_path:path}
POST /login
POST /gradio_api/api/{api_name}
POST /gradio_api/call/v2/{api_name}
POST /gradio_api/cancel
POST /gradio_api/component_server
POST /gradio_api/process_recording
POST /gradio_api/reset
POST /gradio_api/run/{api_name}
POST /gradio_api/stream/{event_id}
POST /gradio_api/stream/{event_id}/close
POST /gradio_api/undo-vibe-edit
POST /gradio_api/upload
POST /gradio_api/vibe-code
POST /gradio_api/vibe-edit
POST /gradio_api/vibe-starter-queries
"""
"""What Gradio registers besides, each with a slash at its end, too, or without."""

CALL, JOIN = "/gradio_api/call/search", "/gradio_api/queue/join"
DATA: list[object] = ["turret", "", "", "", "", "", []]
FILE = {"path": "/dev/zero", "meta": {"_type": "gradio.FileData"}}
BODIES: dict[str, object] = {
    "a file": {"data": [FILE, *DATA[1:]]},
    "a file in a list": {"data": [[FILE], *DATA[1:]]},
    "an address": {"data": [{"url": "http://127.0.0.1:9/x", **FILE}, *DATA[1:]]},
    "null": {"data": [None, *DATA[1:]]},
    "a list for a text": {"data": [["turret"], *DATA[1:]]},
    "a text for a list": {"data": [*DATA[:-1], "x"]},
    "a file for a list": {"data": [*DATA[:-1], FILE]},
    "a file in the list": {"data": [*DATA[:-1], [FILE]]},
    "too long a list": {"data": [*DATA[:-1], ["x"] * 101]},
    "a number": {"data": [1, *DATA[1:]]},
    "true": {"data": [True, *DATA[1:]]},
    "too few": {"data": DATA[1:]},
    "too many": {"data": [*DATA, ""]},
    "too long": {"data": ["x" * (MAX_QUESTION_LENGTH + 1), *DATA[1:]]},
    "no list": {"data": {"0": "turret"}},
    "no data": {},
    "a list": [DATA],
    "a text": "turret",
    "another field": {"data": DATA, "oauth_token": "x"},
    "half a character": {"data": ["\ud800", *DATA[1:]]},
    "an odd session": {"data": DATA, "session_hash": "../../x"},
    "a long session": {"data": DATA, "session_hash": "x" * 65},
    "a session that is a file": {"data": DATA, "session_hash": FILE},
}
"""Posted to either route: there is no such event."""

QUEUED: dict[str, object] = {
    "no event": {"fn_index": 999},
    "an event before the first": {"fn_index": -1},
    "an event by name": {"fn_index": "0"},
    "true for an event": {"fn_index": True},
    "a fraction": {"fn_index": 0.0},
    "a huge number": {"fn_index": 10**4000},
    "a script's event": {"fn_index": 1, "data": []},
    "no session": {"session_hash": None},
    "another's trigger": {"trigger_id": 99},
    "a trigger that is a file": {"trigger_id": FILE},
    "data of the event": {"event_data": FILE},
    "an id": {"event_id": "x"},
    "a batch": {"batched": True},
    "the simple format": {"simple_format": True},
}
"""Put into what the page posts."""

RAW = {
    "nothing": b"",
    "no JSON": b"data=turret",
    "no UTF-8": b'{"data":["\xff","","","","","",[]]}',
    "UTF-16": json.dumps({"data": DATA}).encode("utf-16"),
    "a field twice": b'{"data":["a","","","","","",[]],"data":["b","","","","","",[]]}',
    "NaN": b'{"data":[NaN,"","","","","",[]]}',
    "infinity": b'{"data":[1e999,"","","","","",[]]}',
    "endless digits": b'{"data":[' + b"9" * 50_000 + b"]}",
    "nested": b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "open brackets": b"[" * 200_000,
    "objects in objects": b'{"a":' * 30_000,
    "large": b'{"data":["' + b"x" * MOST_BODY_BYTES + b'","","","","","",[]]}',
    "blanks": b" " * MOST_BODY_BYTES + json.dumps({"data": DATA}).encode(),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The application over a library of one sentence."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "turret.txt").write_text("Cockerill supplies the turret of the tank.")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(folder)
        yield application(library)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of it."""
    with TestClient(app, base_url="http://127.0.0.1:7860") as found:
        yield found


def queued(client: TestClient, **fields: object) -> dict[str, object]:
    """What the page posts when somebody presses Enter."""
    (event,) = (one for one in client.get("/config").json()["dependencies"] if one["id"] == 0)
    session, trigger = {"session_hash": "9wenq9suy2b"}, {"trigger_id": event["targets"][0][0]}
    return {"data": DATA, "fn_index": 0, **session, **trigger, **fields}


def is_refused(client: TestClient, path: str, body: bytes) -> bool:
    """Whether it is answered by 422 with the words for it."""
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    said = answer.json().get("detail", "")
    return answer.status_code == 422 and "up to 10,000 characters" in said


def test_every_route_is_open_or_closed(app: FastAPI) -> None:
    """A version of Gradio that adds a route, or gives one another name, is looked at here."""
    (mount,) = (one for one in app.routes if isinstance(one, Mount) and one.path == "")
    found = {f"{method} {path}".removesuffix("/") for method, path in walked(mount.routes)}
    opened = {f"{method} {path}".removesuffix("/") for method, path in OPEN}
    assert found == opened | set(CLOSED.strip().splitlines())


@pytest.mark.parametrize("folder", ["static", "assets", "svelte"])
def test_names_that_no_disk_can_have(client: TestClient, folder: str) -> None:
    """They are no such page, rather than an error."""
    assert client.get(f"/{folder}/{'a' * 5_000}").status_code == 404


def test_closed_routes_answer_like_no_route(client: TestClient) -> None:
    """With or without a slash at the end, and whatever stands for a name."""
    for line in CLOSED.strip().splitlines():
        method, _, path = line.partition(" ")
        if path in {"/favicon.ico", "/openapi.json"}:  # ours
            continue
        address = path.replace("{path:path}", "etc/passwd").replace("{", "").replace("}", "")
        for end in ("", "/"):
            answer = client.request(method, address + end, json={"data": DATA})
            assert answer.status_code == 404, line
            assert method == "HEAD" or answer.json() == {"detail": "There is no such page"}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_event(client: TestClient, name: str) -> None:
    """It is refused by either route, before Gradio sees it."""
    body = BODIES[name]
    assert is_refused(client, CALL, json.dumps(body).encode())
    if isinstance(body, dict):
        body = queued(client, **{"data": None, **body})
    assert is_refused(client, JOIN, json.dumps(body).encode())


@pytest.mark.parametrize("name", QUEUED)
def test_a_field_that_no_event_has(client: TestClient, name: str) -> None:
    """Each is in its place, or there is no such event."""
    fields = cast("dict[str, object]", QUEUED[name])
    assert is_refused(client, JOIN, json.dumps(queued(client, **fields)).encode())


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("path", [CALL, JOIN])
def test_what_is_no_json_or_too_much(client: TestClient, path: str, name: str) -> None:
    """Neither depth, nor length, nor another encoding gets further."""
    assert is_refused(client, path, RAW[name])


@pytest.mark.parametrize("name", ["none", "search%00", "..%2fsearch", "js_fn", "x" * 65])
def test_events_that_have_no_such_name(client: TestClient, name: str) -> None:
    """They are not there, or not to be posted to."""
    answer = client.post(f"/gradio_api/call/{name}", json={"data": DATA})
    assert answer.status_code in {404, 422}


def test_what_the_page_posts_is_answered(client: TestClient) -> None:
    """As browsers and gradio_client send it, the largest question included, in any content type:
    what Gradio parses was written here.
    """
    said = queued(client, data=["🙂" * MAX_QUESTION_LENGTH, *DATA[1:]])
    said["data"] = ["turret", *DATA[1:]]
    session = {"session_hash": said["session_hash"]}
    for body in (said, {**said, "trigger_id": None, "event_data": None}):
        answer = client.post(f"{JOIN}?q=turret", content=json.dumps(body))
        assert answer.status_code == 200
        assert "Cockerill" in client.get("/gradio_api/queue/data", params=session).text
    event = client.post(CALL, json={"data": DATA, "session_hash": "abc"}).json()["event_id"]
    assert "Cockerill" in client.get(f"/gradio_api/call/search/{event}").text
    longest = {"data": ["🙂" * MAX_QUESTION_LENGTH, *DATA[1:]]}
    assert client.post(CALL, json=longest).status_code == 200


def test_answers_that_nobody_collects(client: TestClient) -> None:
    """Gradio keeps them: so many per session, and those of the newest sessions."""
    session = {"session_hash": "never"}
    statuses = [client.post(JOIN, json=queued(client, **session)).status_code for _ in range(30)]
    assert statuses == [200] * MOST_ANSWERS + [429] * (30 - MOST_ANSWERS)
    assert "Cockerill" in client.get("/gradio_api/queue/data", params=session).text
    first = client.post(CALL, json={"data": DATA}).json()["event_id"]
    assert client.get(f"/gradio_api/call/search/{first}").status_code == 200
    second = client.post(CALL, json={"data": DATA}).json()["event_id"]
    for _ in range(MOST_SESSIONS):
        client.post(CALL, json={"data": DATA})
    assert client.get(f"/gradio_api/call/search/{second}").status_code == 404


def test_nothing_to_collect(client: TestClient) -> None:
    """An unknown event or session is no such page, and not a stream that breaks off."""
    assert client.get("/gradio_api/call/search/abc").status_code == 404
    assert client.get("/gradio_api/queue/data?session_hash=abc").status_code == 404
    assert client.get("/gradio_api/queue/data").status_code == 404


def test_gradio_gets_no_query_that_it_would_follow(client: TestClient) -> None:
    """Pages and links that there are none of."""
    for query in ("page=none", "deep_link=../x", "page=%00", "q=turret"):
        assert client.get(f"/?{query}").status_code == 200
    assert client.get("/gradio_api/heartbeat/%00").status_code == 404


def test_a_page_with_a_file_is_no_page() -> None:
    """Whoever adds one is told so when the server starts, not by an attack."""

    async def build() -> gr.Blocks:
        with gr.Blocks() as page:
            gr.File().change(print, [gr.File()], None)
        return page

    with pytest.raises(TypeError, match="file"):
        Events(asyncio.run(build()))
