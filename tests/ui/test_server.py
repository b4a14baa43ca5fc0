"""The web application: its routes, its headers, its doors, and how it starts and fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served import Broken, application, here

from rag import InputError, Library, LibraryDamaged
from ui import server
from ui.pages import answers
from ui.security.policy import decide

HTML = {"accept": "text/html"}
SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture(scope="module")
def library(seeds: Library) -> Library:
    """The seed articles, indexed."""
    return seeds


def built(library: Library) -> TestClient:
    """A client of the application."""
    return TestClient(here(application(library), may_change=False), base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[TestClient]:
    """The application over them, without a network."""
    with built(library) as opened:
        yield opened


def first_id(library: Library) -> str:
    """The id of the seed article."""
    return library.documents()[0].id


def test_the_page_is_served_with_a_policy(client: TestClient) -> None:
    """The page may load from its own server only, whatever runs in it."""
    response = client.get("/")
    policy = response.headers["content-security-policy"]
    assert response.status_code == 200
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_an_article_is_served_without_scripts(client: TestClient, library: Library) -> None:
    """The reading page marks what its address names, and forbids scripts."""
    document = library.document(first_id(library))
    at = document.text.index("A key focus area")
    response = client.get(
        f"/documents/{document.id}",
        params={"passage": f"{at}-{at + 160}", "answer": f"{at}-{at + 10}", "q": "?"},
    )
    assert response.status_code == 200
    assert '<mark id="answer">A key focu</mark>' in response.text
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script-src" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "query", ["", "?passage=x-y", "?passage=9-3", "?passage=-1-5", "?passage=5", "?page=99999999"]
)
def test_a_wrong_range_shows_the_article_anyway(
    client: TestClient, library: Library, query: str
) -> None:
    """Offsets that make no range are as good as none."""
    response = client.get(f"/documents/{first_id(library)}{query}")
    assert response.status_code == 200
    assert "in-passage" not in response.text


def test_health_counts_and_tells_no_path(client: TestClient, library: Library) -> None:
    """Health is a line of JSON with counts, and without the library's folder."""
    status = library.status()
    told = client.get("/health").json()
    assert told.pop("model") in {"loading", "ready"}
    assert told == {
        "status": "ok",
        "documents": 1,
        "passages": status.passages,
        "generation": status.generation,
    }


@pytest.mark.parametrize("path", ["/documents/none", "/nowhere", "/a/b/c"])
def test_people_get_a_page_and_programs_a_line(client: TestClient, path: str) -> None:
    """What isn't there is a designed page in a browser and JSON elsewhere."""
    page = client.get(path, headers=HTML)
    assert page.status_code == 404
    assert "<h1>There is no such page</h1>" in page.text
    line = client.get(path)
    assert (line.status_code, line.json()) == (404, {"detail": "There is no such page"})


def test_the_config_names_no_other_server(client: TestClient) -> None:
    """Gradio is told to record nothing, and to load no font."""
    config = client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []
    assert "http" not in "".join(config.get("stylesheets") or [])
    assert "@font-face" not in client.get("/theme.css").text


def test_only_search_is_named_in_the_api(client: TestClient) -> None:
    """Programs see one endpoint, and it answers like the page."""
    assert list(client.get("/gradio_api/info").json()["named_endpoints"]) == ["/search"]

    def asked(*data: str) -> str:
        event = client.post("/gradio_api/call/search", json={"data": [*data, []]}).json()[
            "event_id"
        ]
        return client.get(f"/gradio_api/call/search/{event}").text

    assert "Princess Astrid" in asked("Who led the mission?", "", "", "", "", "")
    assert "No document matches these" in asked(
        "Who led the mission?", "", "2020-01-01", "", "", ""
    )
    assert "is not a date; write it like 2025-03-05" in asked("Who?", "soon", "", "", "", "")


def test_a_citation_is_followed(client: TestClient, library: Library) -> None:
    """Ready to be copied, it leads to its sentence; one whose sentence is gone says so."""
    document = library.document(first_id(library))
    start = document.text.index("A key focus area")
    end = document.text.index(".", start) + 1
    place = {"start": start, "end": end, "base": "http://127.0.0.1/"}
    said = client.get(f"/documents/{document.id}/citation", params=place).json()
    assert said["plain"].startswith("“A key focus area is the Zorawar light tank project")
    assert said["link"] in said["markdown"]
    page = client.get(said["link"])
    assert page.status_code == 200
    assert "is where it was when" in page.text
    assert f'<mark id="answer">{escape(document.text[start:end])}</mark>' in page.text
    gone = {"document": "d0", "start": 0, "end": 9, "hash": "0" * 16, "words": "Zebras <i>fly</i>."}
    page = client.get("/cite", params=gone)
    assert page.status_code == 404
    assert "This sentence is gone" in page.text
    assert "<blockquote>Zebras &lt;i&gt;fly&lt;/i&gt;.</blockquote>" in page.text
    assert 'href="style.css"' in page.text
    assert client.get(f"/documents/{document.id}/citation?start=9&end=3").status_code == 404
    assert client.get("/documents/none/citation?start=0&end=3").status_code == 404


def test_a_port_in_use_says_what_to_do(library: Library) -> None:
    """No traceback and no exit: an error that names the port and the option."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} \(.*\); choose another: --port"):
            server.serve(library, port=port)


def test_an_address_of_no_one_says_what_to_do(library: Library) -> None:
    """A host that isn't this machine's is an error with the option to change."""
    with pytest.raises(InputError, match=r"--(host|port)"):
        server.serve(library, "256.0.0.1", 0, access=decide("256.0.0.1", insecure=True))


def test_every_example_is_answered(library: Library) -> None:
    """The first hit for each example question holds the name it asks about."""
    asked = answers.first_view(library).examples
    assert len(asked) == 4
    for question in asked:
        name = question.removesuffix("?").split("about ")[1]
        assert name.removeprefix("the ") in library.search(question, k=1)[0].text


def test_the_first_view_counts_and_lists(library: Library) -> None:
    """The head says what is indexed, the list leads to each article."""
    view = answers.first_view(library)
    assert "1 article, from <time" in view.masthead
    assert f'href="documents/{first_id(library)}"' in view.body


def test_a_damaged_library_tells_so_in_one_line() -> None:
    """A person reads a line as a page, a program as JSON; never a traceback, and no place on this
    machine, which the error's own words may name: those are logged.
    """
    library = Broken(LibraryDamaged("/home/ada/library.db is damaged"))
    with built(library) as opened:
        page = opened.get("/documents/any", headers=HTML)
        assert page.status_code == 503
        assert "Something is wrong with the library's files" in unescape(page.text)
        health = opened.get("/health").json()
        assert health["status"] == "error"
        assert "wrong with the library's files" in health["detail"]
        assert "ada" not in page.text + health["detail"]


def test_nothing_found(tmp_path: Path) -> None:
    """Conditions are spoken of only where they leave nothing, and what may be meant is offered."""
    (tmp_path / "ru.txt").write_text("Мост через реку построил инженер Сидоров весной того года.")
    with Library.open(tmp_path / "library") as library:
        library.index(tmp_path / "ru.txt")
        for question in ("Сидорова", "Сидорова source:ru.txt"):
            html = answers.answer(library, question)
            assert "No passage is related to this question." in html
            assert ">сидоров" in html
        assert "No document matches these filters" in answers.answer(
            library, "Сидорова source:no.txt"
        )


def test_answers_to_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it is, it is logged, and shown as one line that says no more than it may."""
    damaged = Broken(LibraryDamaged("/home/ada/library.db is damaged"))
    matter = "Something is wrong with the library's files"
    assert matter in unescape(answers.answer(damaged, "q"))
    assert matter in unescape(answers.first_view(damaged).body)
    assert "/home/ada/library.db is damaged" in caplog.text
    html = answers.answer(Broken(ZeroDivisionError("secret detail")), "q")
    assert "Something went wrong while searching." in html
    assert "secret detail" not in html
    assert "secret detail" in caplog.text
