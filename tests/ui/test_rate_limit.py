"""The gate: under which name, from where, how often, and with how much one may ask."""

from __future__ import annotations

import asyncio

import pytest
from behind_middleware import FORM, HOST, HTML, behind, told
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Scope

from ui.api import problems
from ui.security import policy
from ui.security.accounts import Accounts
from ui.security.middleware import protect
from ui.security.policy import LOCAL, decide
from ui.security.rate_limit import RateLimit, Recent, TokenBuckets, client_key

# ---- under which name, and from where ----


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("127.0.0.1", 200), ("localhost:7860", 200), ("[::1]:7860", 200), ("LOCALHOST", 200)),
        *(("evil.example", 400), ("127.0.0.1.evil.example", 400), ("192.0.2.7", 400), ("", 400)),
        *(("localhost@evil.example", 400), ("[::1", 400), ("127.0.0.1:x@y", 400)),
    ],
)
def test_names_of_this_machine(host: str, status: int) -> None:
    """A name that somebody else can have is not answered."""
    answer = behind(LOCAL, "http://127.0.0.1").get("/config", headers={"host": host})
    assert answer.status_code == status


def test_names_where_others_can_reach_it() -> None:
    """Addresses in numbers, which no page can point elsewhere, and the names that were given."""
    names = decide("192.0.2.7", insecure=True, names=["Docs.example.org"]).hosts
    for host in ("192.0.2.7:7860", "[2001:db8::1]", "docs.example.org:443", "docs.example.org."):
        assert host in names, host
    for host in ("evil.example", "example.org", "docs.example.org.evil.example", "0x7f.1"):
        assert host not in names, host


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "http://127.0.0.1:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 400),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 403),
    ],
)
def test_other_pages_get_nothing(headers: dict[str, str], status: int) -> None:
    """Neither read nor changed, by whatever method and at whatever address."""
    here = behind(LOCAL, "http://127.0.0.1:7860")
    for path in ("/", "/gradio_api/queue/join", "/mcp", "/api/v1/ask", "/ratings"):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = here.request(method, path, headers=headers)
            assert answer.status_code == status, (method, path)


def test_another_page_may_lead_here() -> None:
    """A link that a person follows; but it shows nothing in a frame, and sends no form."""
    here = behind(LOCAL, "http://127.0.0.1:7860")
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert here.get("/cite", headers=link | {"sec-fetch-dest": "document"}).status_code == 200
    assert here.get("/cite", headers=link | {"sec-fetch-dest": "iframe"}).status_code == 403
    assert here.post("/", headers=link | {"sec-fetch-dest": "document"}).status_code == 403


def test_a_link_from_elsewhere_finds_who_is_logged_in(asked: TestClient) -> None:
    """A browser keeps the cookie back for such a link: the page leads to itself once more."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    page = asked.get("/cite?hash=x", headers=HTML | link | {"sec-fetch-dest": "document"})
    assert 'content="0;url=/cite?hash=x"' in page.text
    away = f"{HOST}//evil.example/"
    page = asked.get(away, headers=HTML | link | {"sec-fetch-dest": "document"})
    assert 'content="0;url=/"' in page.text  # “//evil.example/” would be another server
    assert "evil" not in page.text


# ---- a reverse proxy ----


SAID = {
    "x-forwarded-for": "203.0.113.9, 198.51.100.4",
    "x-forwarded-host": "docs.example.org",
    "x-forwarded-proto": "https",
}


def test_who_knows_of_no_proxy_answers_none() -> None:
    """Everybody would seem to sit at this machine."""
    here = behind(LOCAL, "http://127.0.0.1:7860")
    for name, value in {**SAID, "forwarded": "for=203.0.113.9", "x-real-ip": "x"}.items():
        answer = here.get("/", headers={name: value})
        assert answer.status_code == 400
        assert "--behind-proxy" in answer.text


def test_what_a_proxy_says_is_believed(known: tuple[Accounts, str]) -> None:
    """From its address: who asks, by which name, how, and where; nothing of it goes further."""
    access = decide(
        *("127.0.0.1",),
        accounts=known[0],
        proxy="127.0.0.1",
        names=["docs.example.org"],
        root="/docs-search/",
    )
    asked = behind(access, "http://127.0.0.1:7860", "127.0.0.1")
    token = SAID | {"authorization": f"Bearer {known[1]}"}
    for path in ("/docs-search/library", "/library"):  # the prefix kept, or taken away
        heard = asked.get(path, headers=token).json()
        assert heard["url"] == "https://docs.example.org/docs-search/library"
        assert (heard["root"], heard["client"]) == ("/docs-search", "198.51.100.4")
        assert not any(name.startswith("x-forwarded") for name in heard["headers"])
    assert asked.get("/docs-search", headers=token).headers["location"] == "/docs-search/"
    cookie = asked.post("/docs-search/login", data=FORM, headers=SAID).headers["set-cookie"]
    assert "path=/docs-search/" in cookie.lower()
    assert "secure" in cookie.lower()
    stranger = behind(access, "http://127.0.0.1:7860", "198.51.100.4")
    heard = stranger.get("/library", headers=token).json()
    assert (heard["client"], heard["url"]) == (
        "198.51.100.4",
        "http://127.0.0.1:7860/docs-search/library",
    )
    assert not any(name.startswith("x-forwarded") for name in heard["headers"])


def test_only_the_proxy_itself_is_believed() -> None:
    """Nobody beside it, though in IPv6 a whole network counts as one client; in any spelling."""
    access = decide("127.0.0.1", insecure=True, proxy="2001:db8::1", names=["docs.example.org"])
    for peer, seen in (
        ("2001:db8::2", "2001:db8::2"),
        ("2001:DB8:0:0:0:0:0:1", "198.51.100.4"),
    ):
        asked = behind(access, "http://127.0.0.1:7860", peer)
        assert asked.get("/", headers=SAID).json()["client"] == seen


# ---- how much ----


@pytest.mark.parametrize("chunked", [False, True])
def test_no_more_than_there_may_be_is_taken(*, chunked: bool) -> None:
    """Announced or not; the application never sees it."""
    here = behind(LOCAL, "http://127.0.0.1:7860")
    piece = b"x" * 1024
    count = policy.MOST_BODY_BYTES // len(piece)

    def sent(pieces: int) -> object:
        return (piece for _ in range(pieces)) if chunked else piece * pieces

    taken = here.post("/api/v1/jobs", content=sent(count))  # type: ignore[arg-type]
    assert taken.json()["bytes"] == policy.MOST_BODY_BYTES
    refused = here.post("/api/v1/jobs", content=sent(count + 1))  # type: ignore[arg-type]
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert here.post("/mcp", content=sent(count + 1)).status_code == 413  # type: ignore[arg-type]
    file = here.put("/api/v1/files/a", content=sent(count + 1))  # type: ignore[arg-type]
    assert file.status_code == 200  # it has a limit of its own


def test_who_asks_too_often_is_told_when(monkeypatch: pytest.MonkeyPatch) -> None:
    """One client; another is answered, and so is the first after a while."""
    monkeypatch.setattr(policy, "REQUESTS_PER_SECOND", 0.5)
    monkeypatch.setattr(policy, "BURST", 3.0)
    now = [0.0]
    rate_limit = RateLimit(lambda: now[0])

    def waits(peer: str) -> str | None:
        try:
            with rate_limit.slot(scope_of(peer, "/")):
                return None
        except problems.Refused as error:
            return error.headers["retry-after"]

    assert [waits("192.0.2.1") for _ in range(4)] == [None, None, None, "2"]
    assert waits("192.0.2.2") is None
    now[0] += 1.0
    assert waits("192.0.2.1") == "1"
    now[0] += 1.0
    assert waits("192.0.2.1") is None


def test_the_gate_refuses_who_asks_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, but for how the server is."""
    monkeypatch.setattr(policy, "BURST", 3.0)
    monkeypatch.setattr(policy, "REQUESTS_PER_SECOND", 1e-6)
    here = behind(LOCAL, "http://127.0.0.1:7860", "127.0.0.1")
    statuses = [here.get(path).status_code for path in ("/", "/mcp", "/a", "/documents/x")]
    assert statuses == [200, 200, 200, 429]
    late = here.get("/api/v1/ask")
    assert int(late.headers["retry-after"]) > 1
    assert late.headers["content-type"] == "application/problem+json"
    assert here.get("/metrics").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/ready", "/metrics"])
def test_a_full_server_tells_how_it_is(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor would restart it otherwise, and everybody's answers would be lost."""
    monkeypatch.setattr(policy, "BURST", 1.0)
    monkeypatch.setattr(policy, "REQUESTS_PER_SECOND", 1e-6)
    here = behind(LOCAL, "http://127.0.0.1:7860", "127.0.0.1")
    assert [here.get("/").status_code for _ in range(2)] == [200, 429]
    assert here.get(path).status_code == 200
    assert here.get(f"{path}/more").status_code == 429


def test_who_counts_as_one_client() -> None:
    """An address, or a network of IPv6 that one household has."""

    def client(peer: str) -> str:
        return client_key(scope_of(peer, "/"))

    assert client("2001:db8:1:2:3:4:5:6") == client("2001:db8:1:2::1") != client("2001:db8:1:3::1")
    assert client("::ffff:192.0.2.1") == client("192.0.2.1") != client("192.0.2.2")


def test_clients_without_end_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has been quiet for longest is forgotten, and begins again."""
    monkeypatch.setattr(policy, "MOST_CLIENTS", 2)
    buckets = TokenBuckets(1e-6, 1.0, lambda: 0.0)
    refused = [buckets.take(client) > 0 for client in ("a", "b", "a", "c", "b", "a")]
    assert refused == [False, False, True, False, False, False]


def test_only_the_latest_are_remembered() -> None:
    """One that is set again counts as new."""
    recent: Recent[str, int] = Recent(2)
    for name in ("a", "b", "a", "c"):
        recent[name] = len(recent)
    assert list(recent) == ["a", "c"]


def scope_of(peer: str, path: str, *headers: tuple[bytes, bytes]) -> Scope:
    """A request as a server hands it on."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": (peer, 1),
        "http_version": "1.1",
    }


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/slow", "REQUESTS"),
        ("/gradio_api/heartbeat/x", "STREAMS"),
        ("/api/v1/files/a", "STREAMS"),
        ("/metrics", "PROBES"),
    ],
)
def test_what_can_not_be_answered_now_is_refused_at_once(
    path: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 for all when the server is full, 429 for a client that has its share of it; streams and
    files on their way have limits of their own.
    """
    monkeypatch.setattr(policy, limit, policy.Concurrency(3, 2))
    go = asyncio.Event()

    async def slow(_: Request) -> JSONResponse:
        await go.wait()
        return JSONResponse({})

    app = protect(Starlette(routes=[Route("/{path:path}", slow, methods=["POST"])]), LOCAL)

    async def statuses(*peers: str) -> list[int]:
        found: list[int] = []

        async def ask(peer: str) -> None:
            async def send(message: dict[str, object]) -> None:  # type: ignore[misc]
                if message["type"] == "http.response.start":
                    found.append(message["status"])  # type: ignore[arg-type]

            async def receive() -> dict[str, object]:
                return {"type": "http.request", "body": b""}

            await app(scope_of(peer, path), receive, send)  # type: ignore[arg-type]

        tasks = [asyncio.create_task(ask(peer)) for peer in peers]
        await asyncio.sleep(0.1)
        refused = list(found)
        go.set()
        await asyncio.gather(*tasks)
        return refused

    assert asyncio.run(statuses("a", "a", "a", "b", "c")) == [429, 503]


def test_what_does_not_come_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends next to nothing keeps no place for long."""
    monkeypatch.setattr(policy, "BODY_SECONDS", 0.05)
    found: list[object] = []
    more = iter([True] * 100)

    async def send(message: dict[str, object]) -> None:  # type: ignore[misc]
        found.append(message.get("status"))

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": next(more, False)}

    app = protect(Starlette(routes=[Route("/{path:path}", told, methods=["POST"])]), LOCAL)
    scope = scope_of("192.0.2.1", "/api/v1/jobs", (b"content-length", b"1000"))
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert found[0] == 408


# ---- what every answer carries ----


def test_every_answer_is_headed(asked: TestClient) -> None:
    """Also the refusals, and the page to log in on."""
    answers = [
        asked.get("/"),
        asked.get("/", headers=HTML),
        asked.get("/", headers={"host": "evil.example"}),
        asked.get("/", headers={"origin": "null"}),
        asked.get("/", headers={"x-real-ip": "x"}),
        behind(LOCAL, "http://127.0.0.1").get("/"),
    ]
    assert [one.status_code for one in answers] == [401, 401, 400, 403, 400, 200]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors" in policy
