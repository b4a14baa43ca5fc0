"""The gate: who gets in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from argon2 import extract_parameters
from behind_middleware import FORM, HTML, PASSWORD, behind
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from rag import InputError
from ui.security import accounts, policy
from ui.security.accounts import EMPTY, Accounts
from ui.security.login import Sessions
from ui.security.middleware import protect
from ui.security.policy import FREE_ATTEMPTS, LOCAL, LOOPBACK, SESSION_SECONDS, decide
from ui.security.rate_limit import Backoff


@pytest.mark.parametrize("host", ["192.0.2.7", "::", "docs.example.org"])
def test_it_does_not_start_for_others_without_being_told_who(host: str) -> None:
    """The refusal names both ways out."""
    with pytest.raises(InputError, match=r"--auth FILE.*rag password.*--insecure"):
        decide(host)
    with pytest.raises(InputError, match="--auth FILE"):  # whom a proxy lets through is anybody
        decide("127.0.0.1", proxy="127.0.0.1")
    assert not decide(host, insecure=True).may_be_changed


@pytest.mark.parametrize("host", [*LOOPBACK, "127.0.0.2", "[::1]"])
def test_this_machine_alone_may_do_everything(host: str) -> None:
    """Nobody else can reach it."""
    assert decide(host) == LOCAL
    assert behind(LOCAL, "http://127.0.0.1").get("/").json()["role"] == "owner"


def test_anybody_reads_and_changes_nothing() -> None:
    """With --insecure, also on this machine."""
    for access in (decide("192.0.2.7", insecure=True), decide("127.0.0.1", insecure=True)):
        assert behind(access, "http://127.0.0.1").get("/").json()["role"] == "reader"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"insecure": True, "accounts": EMPTY}, "give one of the two"),
        ({"root": "/docs"}, "--behind-proxy"),
        ({"proxy": "nginx", "insecure": True}, "takes the IP address"),
        ({"names": ["docs.example.org:80"], "insecure": True}, "without a port"),
        ({"proxy": "127.0.0.1", "root": "/a/../b", "insecure": True}, "a path like"),
    ],
)
def test_what_can_not_be_meant(options: dict[str, object], said: str) -> None:
    """Words that say what to do."""
    with pytest.raises(InputError, match=said):
        decide("127.0.0.1", **options)  # type: ignore[arg-type]


NO_HOSTS = (
    *("x@127.0.0.1", "127.0.0.1:7860@evil.example", "127.0.0.1, evil.example"),
    *("127.0.0.1 evil.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:7860x"),
    *("127.0.0.1:-1", "127.0.0.1/x", "127.0.0.1?x", "127.0.0.1#x", "http://127.0.0.1"),
    *("127.0.0.1\\evil", "[::1", "[::1]x", "::1", "%31%32", "", "[]", "127.0.0.1\t"),
    *("127.0.0.1:\N{FULLWIDTH DIGIT SEVEN}", "\N{FULLWIDTH DIGIT ONE}27.0.0.1"),
    *("localhost;x", "localhost:123456"),
)
NO_ORIGINS = (
    *("http://x@127.0.0.1", "http://127.0.0.1/x", "http://127.0.0.1?x", "", "http://"),
    *("http://127.0.0.1 http://evil.example", "http://127.0.0.1:99999", "NULL", "//x y"),
)


@pytest.mark.parametrize(
    "headers",
    [
        *([("host", host)] for host in NO_HOSTS),
        [],
        [("host", "127.0.0.1"), ("host", "127.0.0.1")],
        [("host", "127.0.0.1"), ("host", "evil.example")],
        *([("host", "127.0.0.1"), ("origin", origin)] for origin in NO_ORIGINS),
        [("host", "127.0.0.1"), ("origin", "http://127.0.0.1"), ("origin", "http://127.0.0.1")],
        [("host", "127.0.0.1"), ("origin", "null"), ("origin", "http://127.0.0.1")],
    ],
)
def test_hosts_and_origins_that_are_none(headers: list[tuple[str, str]]) -> None:
    """They are refused as malformed, whatever else reads them may make of them."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw}
    asyncio.run(protect(app, LOCAL)(scope, receive, send))
    assert sent[0]["status"] == 400
    assert b"malformed" in sent[1]["body"]
    assert reached == []


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:7860", "[::1]:7860", "localhost.:65535"])
def test_hosts_as_browsers_write_them(host: str) -> None:
    """In upper case, with a port, with the dot that ends a name."""
    client = behind(LOCAL, "http://127.0.0.1")
    origin = f"http://{host}"
    assert client.get("/", headers={"host": host, "origin": origin}).status_code == 200
    assert client.get("/", headers={"host": host, "origin": "null"}).status_code == 403


def test_who_is_not_known_sees_nothing(asked: TestClient) -> None:
    """Whatever is asked for, and however; but for how the page to log in on looks."""
    for path in ("/", "/library", "/mcp", "/gradio_api/queue/join", "/api/v1/search", "/config"):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = asked.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="rag"'
            assert "role" not in answer.text
    assert asked.get("/api/v1/ask").headers["content-type"] == "application/problem+json"
    page = asked.get("/library?q=%22%3E%3Cscript%3E", headers=HTML)
    assert page.status_code == 401
    assert 'name="after" value="/library?q=%22%3E%3Cscript%3E"' in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    for path in ("/style.css", "/favicon.ico", "/api/v1/health"):
        assert asked.get(path).json()["role"] == "reader"


def test_a_person_logs_in_and_out(asked: TestClient) -> None:
    """By name and password; a cookie that no script reads and no other page sends."""
    answer = asked.post("/login", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/documents/x?q=y")
    cookie = answer.headers["set-cookie"].lower()
    for said in ("httponly", "samesite=strict", f"max-age={SESSION_SECONDS}", "path=/"):
        assert said in cookie
    heard = asked.get("/").json()
    assert (heard["name"], heard["role"]) == ("ada", "owner")
    assert "You are logged in as ada" in asked.get("/login").text
    kept = dict(asked.cookies)
    assert asked.post("/logout").headers["location"] == "/login"
    asked.cookies.update(kept)
    assert asked.get("/").status_code == 401  # the number is worth nothing any more


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example", "/\\evil", "\\", "/a\r\nx: y", ""]
)
def test_after_logging_in_nobody_is_led_away(asked: TestClient, after: str) -> None:
    """An address that is not of this server is as good as none."""
    assert asked.post("/login", data=FORM | {"after": after}).headers["location"] == "/"


def test_a_program_shows_a_token(asked: TestClient, known: tuple[Accounts, str]) -> None:
    """The right one, in the right way."""
    token = known[1]
    heard = asked.get("/mcp", headers={"authorization": f"Bearer {token}"}).json()
    assert (heard["name"], heard["role"]) == ("ci", "reader")
    for wrong in (f"Bearer {token}x", "Bearer ", f"Basic {token}", token, f"Bearer {PASSWORD}"):
        assert asked.get("/mcp", headers={"authorization": wrong}).status_code == 401
    assert asked.get(f"/mcp?token={token}").status_code == 401  # addresses are written into logs


def test_wrong_passwords_have_to_wait(
    known: tuple[Accounts, str], caplog: pytest.LogCaptureFixture
) -> None:
    """After some, the answer is how long; the right one waits, too. No secret is logged."""
    access = decide("192.0.2.7", accounts=known[0])
    asked = behind(access)
    for number in range(FREE_ATTEMPTS):
        wrong = asked.post("/login", data=FORM | {"password": f"guess {number} of them"})
        assert wrong.status_code == 401
        assert "guess" not in wrong.text
    late = asked.post("/login", data=FORM)
    assert late.status_code == 429
    assert 1 <= int(late.headers["retry-after"]) <= 30
    assert PASSWORD not in late.text
    assert "guess" not in caplog.text
    assert "198.51.100.4" in caplog.text


def test_how_long_the_next_try_waits() -> None:
    """Twice as long each time, a quarter of an hour at most; others don't wait for it."""
    now = [0.0]
    backoff = Backoff(lambda: now[0])
    waits = []
    for _ in range(20):
        assert backoff.attempt("a") == 0
        waits.append(backoff.attempt("a") if len(waits) >= FREE_ATTEMPTS - 1 else 0)
        now[0] += waits[-1]
    assert waits[FREE_ATTEMPTS - 2 : FREE_ATTEMPTS + 3] == [0, 30, 60, 120, 240]
    assert max(waits) == 900
    assert backoff.attempt("b") == 0
    backoff.succeeded("a")
    assert backoff.attempt("a") == 0


def test_a_password_of_ones_own_buys_no_guesses() -> None:
    """Who may come in guesses at another's password no more often than others do."""
    backoff = Backoff(lambda: 0.0)
    guesses = 0
    while guesses < 20 and backoff.attempt("a") == 0:
        guesses += 1
        if backoff.attempt("a") == 0:
            backoff.succeeded("a")
    assert guesses == FREE_ATTEMPTS


def test_what_nobody_looked_at_is_no_try(
    known: tuple[Accounts, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is too busy to look does not take it for a wrong password."""
    asked = behind(decide("192.0.2.7", accounts=known[0]))
    monkeypatch.setattr(policy, "WAITING_PASSWORD_CHECKS", 0)
    assert {asked.post("/login", data=FORM).status_code for _ in range(2 * FREE_ATTEMPTS)} == {503}
    monkeypatch.undo()
    assert asked.post("/login", data=FORM).status_code == 303


def test_the_access_file(tmp_path: Path, known: tuple[Accounts, str]) -> None:
    """Only its owner can read it; no secret is in it; what others can use is refused."""
    file = tmp_path / "people.json"
    accounts.save(known[0], file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    assert known[1] not in file.read_text()
    assert accounts.load(file) == known[0]
    assert [path.name for path in tmp_path.iterdir()] == ["people.json"]
    file.chmod(0o640)
    with pytest.raises(InputError, match=f"chmod 600 {file}"):
        accounts.load(file)
    file.chmod(0o600)
    for content in (
        "",
        "[]",
        '{"ada": {"role": "admin"}}',
        '{"ci": {"role": "owner", "sha256": 1}}',
    ):
        file.write_text(content)
        with pytest.raises(InputError, match="not an access file"):
            accounts.load(file)


def test_names_and_passwords(known: tuple[Accounts, str]) -> None:
    """The same letters are the same, however they are written; a short password is none."""
    made = EMPTY.with_person("José", "reader", "müde Möwen über Meer")
    seen = made.person("José", "müde Möwen über Meer")
    assert seen == policy.Principal("José", "reader")
    assert known[0].person("ada", PASSWORD[:-1]) is None
    assert known[0].person("nobody", PASSWORD) is None
    with pytest.raises(InputError, match="12 characters"):
        EMPTY.with_person("ada", "owner", "short")
    with pytest.raises(InputError, match="1 to 64"):
        EMPTY.with_person("a\nb", "owner", PASSWORD)


def test_unknown_names_take_as_long() -> None:
    """As much is computed for them as for a wrong password."""
    made = EMPTY.with_person("ada", "owner", PASSWORD).root["ada"].argon2
    assert made is not None
    assert extract_parameters(made) == extract_parameters(accounts._NOBODY)


def test_sessions_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a working day, and when many others began."""
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    number = sessions.begin(policy.LOCAL_OWNER)
    now[0] = SESSION_SECONDS - 1.0
    assert sessions.find(number) == policy.LOCAL_OWNER
    now[0] = float(SESSION_SECONDS)
    assert sessions.find(number) is None
    monkeypatch.setattr(policy, "MOST_SESSIONS", 2)
    sessions = Sessions()
    first, *others = (sessions.begin(policy.LOCAL_OWNER) for _ in range(3))
    assert sessions.find(first) is None
    assert [sessions.find(one) for one in others] == [policy.LOCAL_OWNER] * 2
