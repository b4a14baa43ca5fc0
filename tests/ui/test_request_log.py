"""What is seen of requests from outside: ids, routes, counts, and answers without an end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from prometheus_client.parser import text_string_to_metric_families
from served import ADDRESS, here, over

from rag import Library
from ui.api import problems
from ui.jobs import Jobs
from ui.ops import metrics, request_log
from ui.ops.metrics import LibraryState, Metrics
from ui.ops.request_log import RequestLog
from ui.ops.warm_up import WarmUp

NONE = Metrics()


def application(counted: Metrics) -> FastAPI:
    """Some routes, and one that fails."""
    app, api = FastAPI(), FastAPI()
    problems.add_handlers(api)
    metrics.add_routes(app, counted)

    @app.get("/documents/{document_id}")
    def document(document_id: str) -> str:
        return document_id

    @api.get("/broken/{name}")
    def broken(name: str) -> str:
        raise KeyError(name)

    app.mount(problems.PREFIX, api)
    app.add_middleware(request_log.routed)
    return app


def asked(counted: Metrics, *, given: bool = True) -> TestClient:
    """A client of it, seen from outside."""
    seen = RequestLog(here(application(counted), may_change=given), counted)
    return TestClient(seen, base_url=ADDRESS, raise_server_exceptions=False)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """The values that Prometheus reads, by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_request_keeps_its_id_and_gets_one() -> None:
    """That of whoever asks if it may stand in a log, or one of our own, in problems, too."""
    client = asked(NONE)
    given = client.get("/documents/1", headers={"x-request-id": "proxy-7.a_B"})
    assert given.headers["x-request-id"] == "proxy-7.a_B"
    for hostile in ("", "a b", 'a"}', "é", "x" * 65):
        answer = client.get("/documents/1", headers={"x-request-id": hostile.encode("latin-1")})
        assert len(answer.headers["x-request-id"]) == 32
    problem = client.get("/api/v1/nothing", headers={"x-request-id": "7"}).json()
    assert problem["request_id"] == "7"
    failed = client.get("/api/v1/broken/x")
    assert failed.status_code == 500
    assert failed.json()["request_id"] == failed.headers["x-request-id"]


def test_the_log_names_routes_and_no_paths(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each request, with what Prometheus counts, and nothing of what was asked."""
    caplog.set_level(logging.DEBUG, logger="ui.ops.request_log")
    client = asked(NONE)
    client.get("/documents/secret?q=secret")
    client.get("/secret")
    client.get("/api/v1/broken/secret")
    lines = [record for record in caplog.records if record.name == "ui.ops.request_log"]
    assert [vars(line)["route"] for line in lines] == [
        "/documents/{document_id}",
        "unmatched",
        "/api/v1/broken/{name}",
    ]
    assert [vars(line)["status"] for line in lines] == [200, 404, 500]
    assert [line.levelname for line in lines] == ["INFO", "INFO", "WARNING"]
    assert "secret" not in str([vars(line) for line in lines])


def test_who_left_before_the_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """An application that begins no answer, as they do for a page that was closed, did not fail."""
    caplog.set_level(logging.DEBUG, logger="ui.ops.request_log")
    counted = Metrics()

    async def nothing(*_: object) -> None:
        """Answer nothing, or fail."""

    async def failing(*_: object) -> None:
        raise KeyError

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(RequestLog(nothing, counted)(dict(scope), nothing, nothing))
    with pytest.raises(KeyError):
        asyncio.run(RequestLog(failing, counted)(dict(scope), nothing, nothing))
    told = [(vars(line)["status"], line.levelname) for line in caplog.records]
    assert told == [(499, "INFO"), (500, "WARNING")]


def test_what_prometheus_reads(tmp_path: object, library: Library) -> None:
    """Requests by route and status, what the library holds, jobs by their end, the process."""
    with Library.open(f"{tmp_path}/small", embedder=HashingEmbedder()) as small:
        jobs, warming = Jobs(small), WarmUp(small)
        (library.path.parent / "tea.txt").write_text("Tea is grown in Assam.")
        job = jobs.start([library.path.parent / "tea.txt"])
        assert over(jobs, job).state == "done"
        jobs.close()
        counted = Metrics(LibraryState(small, jobs, warming))
        client = asked(counted)
        client.get("/documents/1")
        client.get("/documents/2")
        client.request("BREW", "/documents/1")
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(answer.text)
    route = "/documents/{document_id}"
    assert found["rag_http_requests_total", "GET", route, "200"] == 2
    assert found["rag_http_requests_total", "other", route, "405"] == 1
    assert found["rag_http_request_seconds_count", route] == 3
    assert found["rag_http_requests_open",] == 1  # this one
    assert found["rag_documents",] == 1
    assert found["rag_passages",] == 1
    assert found["rag_ready",] == 0  # nobody warmed it
    assert found["rag_readable",] == 1
    assert found["rag_index_jobs", "running"] == 0
    assert found["rag_index_jobs_ended_total", "done"] == 1


def test_metrics_are_not_for_others() -> None:
    """Where other machines reach the server it tells them nothing."""
    refused = asked(NONE, given=False).get("/metrics")
    assert (refused.status_code, refused.text) == (403, metrics.NOT_FOR_OTHERS)


def test_a_stream_is_ended_in_order() -> None:
    """An answer that would never end is finished when the server is told to stop; others stay."""

    async def beats() -> AsyncIterator[str]:
        while True:
            yield "data: beat\n\n"
            await asyncio.sleep(0.01)

    app = FastAPI()

    @app.get("/beats")
    def stream() -> StreamingResponse:
        return StreamingResponse(beats(), media_type="text/event-stream")

    async def run() -> list[dict[str, object]]:
        seen, sent = RequestLog(app, NONE), []

        async def receive() -> dict[str, object]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/beats",
            "query_string": b"",
            "headers": [],
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }
        answering = asyncio.create_task(seen(scope, receive, send))  # type: ignore[arg-type]
        while len(sent) < 3:  # noqa: ASYNC110 — there is no event for it
            await asyncio.sleep(0.01)
        assert seen.open_streams == 1
        seen.end_streams()
        await asyncio.wait_for(answering, 5)
        assert seen.open_streams == 0
        return sent

    sent = asyncio.run(run())
    assert sent[0]["status"] == 200
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
