"""A server of several libraries: their page, their API, and each library below its own address."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from served import ADDRESS, Pausing, here

from rag import Shelf
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types.protocols import Embedder
from ui.libraries.application import Libraries
from ui.libraries.library_strings import CLOSING

HTML = {"accept": "text/html"}
ODD = "C# 100%?é <b>{{7*7}}"
ODD_ADDRESS = "/libraries/C%23%20100%25%3F%C3%A9%20%3Cb%3E%7B%7B7%2A7%7D%7D"


@pytest.fixture
def shelf(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Shelf:
    """Two libraries, one with three articles and one empty, of the model that tests share."""
    return made(tmp_path / "shelf", embedder)


def made(folder: Path, embedder: Embedder) -> Shelf:
    """A shelf in a new folder with the libraries “letters” and, with odd characters, another."""
    folder.mkdir()
    shelf = Shelf(folder)
    shelf._embedders[embedder.fingerprint] = embedder
    for name in ("letters", ODD):
        shelf.create(name)
    return shelf


@asynccontextmanager
async def served(shelf: Shelf, *, may_change: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server, without a network."""
    service = Libraries(shelf)
    transport = httpx.ASGITransport(app=here(service, may_change=may_change))
    async with (
        service.running(),
        httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client,
    ):
        yield client


def test_the_page(shelf: Shelf, articles: Path) -> None:
    """Each library with what it holds, as text and as an address; no script may run."""
    with shelf.open("letters") as library:
        library.index(articles)

    async def look() -> None:
        async with served(shelf) as client:
            response = await client.get("/")
            assert response.status_code == 200
            assert "script-src" not in response.headers["content-security-policy"]
            assert "default-src 'none'" in response.headers["content-security-policy"]
            html = response.text
            assert f'<a href="{ODD_ADDRESS[1:]}/"><bdi>C# 100%?é &lt;b&gt;{{{{7*7}}}}</bdi>' in html
            assert '<bdi>letters</bdi></a></th><td class="documents number">3</td>' in html
            assert '<time datetime="2024-01-02">' in html
            assert html.count('<form method="post"') == 2
            assert (await client.get("/health")).json() == {"status": "ok", "libraries": 2}
            assert (await client.get("/style.css")).status_code == 200
            assert (await client.get("/docs")).status_code == 200
            assert (await client.get("/elsewhere")).json() == {"detail": "There is no such page"}

    asyncio.run(look())


def test_the_shelf_vanishes(shelf: Shelf) -> None:
    """It is said wherever it is looked at, and nothing is made in its place."""

    async def look() -> None:
        async with served(shelf) as client:
            shelf.folder.rename(shelf.folder.with_name("away"))
            for answer in [
                await client.get("/", headers=HTML),
                *[
                    await client.get(path)
                    for path in ("/", "/health", "/api/v1/libraries", "/libraries/letters/")
                ],
                await client.post("/", data={"name": "new"}),
                await client.post("/api/v1/libraries", json={"name": "new"}),
                await client.patch("/api/v1/libraries/letters", json={"name": "new"}),
            ]:
                assert answer.status_code == 503, answer.url
                assert "library is gone" in answer.text
            assert not shelf.folder.exists()

    asyncio.run(look())


def test_a_library_below_its_own_address(shelf: Shelf, articles: Path) -> None:
    """The whole application is there, knows where it is, and leads back."""
    with shelf.open(ODD) as library:
        library.index(articles)

    async def look() -> None:
        async with served(shelf) as client:
            redirected = await client.get(ODD_ADDRESS)
            assert redirected.headers["location"] == f"{ODD_ADDRESS}/"
            first = await client.get(f"{ODD_ADDRESS}/")
            assert 'src="starting.js"' in first.text  # at once; everything else waits
            asked = await client.get(f"{ODD_ADDRESS}/api/v1/search?q=blue+whale&k=1")
            assert "whale" in asked.json()["hits"][0]["text"].lower()
            page = (await client.get(f"{ODD_ADDRESS}/")).text
            assert f'"root":"{ADDRESS}{ODD_ADDRESS.replace("%2A", "*")}"' in page.replace(
                "%2A", "*"
            )
            config = (await client.get(f"{ODD_ADDRESS}/config")).json()
            assert config["title"] == f"{ODD}: Ask your documents"
            for path in ("library", "insight"):
                text = (await client.get(f"{ODD_ADDRESS}/{path}")).text
                assert '<a href="../../">Libraries</a>' in text
                assert "<bdi>C# 100%?é &lt;b&gt;{{7*7}}</bdi>" in text
            assert (await client.get(f"{ODD_ADDRESS}/gradio_api/upload")).status_code == 404
            description = (await client.get(f"{ODD_ADDRESS}/api/v1/openapi.json")).json()
            assert description["servers"] == [{"url": f"{ODD_ADDRESS}/api/v1"}]
            problem = (await client.get(f"{ODD_ADDRESS}/api/v1/nothing")).json()
            assert problem["instance"] == f"{ODD_ADDRESS}/api/v1/nothing"
            missing = await client.get(f"{ODD_ADDRESS}/nothing/here", headers=HTML)
            assert missing.status_code == 404
            assert f'href="{ODD_ADDRESS}/style.css"' in missing.text
            other = await client.get("/libraries/letters/api/v1/search?q=blue+whale")
            assert other.json()["hits"] == []

    asyncio.run(look())


def test_creating_by_the_form(shelf: Shelf) -> None:
    """A new library is on the page; what can't be is said there, with what was written kept."""

    async def create() -> None:
        async with served(shelf) as client:
            sent = await client.post("/", data={"name": " Été "}, headers={"origin": ADDRESS})
            assert (sent.status_code, sent.headers["location"]) == (303, "./")
            assert "<bdi>Été</bdi>" in (await client.get("/")).text
            for name, status, said in (
                ("Été", 422, "There is something named “Été” already; choose another name."),
                ('a/"b', 422, "A name has no slash"),
                ("", 422, "A library needs a name"),
                ("a" * 20_000, 413, "That is too long for a name."),
            ):
                refused = await client.post("/", data={"name": name})
                assert (refused.status_code, said in refused.text) == (status, True), refused.text
            assert 'value="a/&quot;b"' in (await client.post("/", data={"name": 'a/"b'})).text
            for origin in ("http://elsewhere.example", "null"):
                foreign = await client.post("/", data={"name": "x"}, headers={"origin": origin})
                assert foreign.status_code == 403
            elsewhere = await client.get("/", headers={"host": "elsewhere.example"})
            assert elsewhere.status_code == 400

    asyncio.run(create())
    assert shelf.names() == [ODD, "letters", "Été"]


def test_the_api(shelf: Shelf) -> None:
    """Programs list, create and rename, and are told every error as a problem."""

    async def call() -> None:
        async with served(shelf) as client:
            at = "/api/v1/libraries"
            created = await client.post(at, json={"name": "日本"})
            assert created.status_code == 201
            assert created.headers["location"] == "/libraries/%E6%97%A5%E6%9C%AC/"
            assert created.json() == {
                "name": "日本",
                "address": "/libraries/%E6%97%A5%E6%9C%AC/",
                "documents": 0,
                "passages": 0,
                "newest": None,
                "trouble": None,
            }
            listed = (await client.get(at)).json()["libraries"]
            assert [one["name"] for one in listed] == [ODD, "letters", "日本"]
            renamed = await client.patch(f"{at}/%E6%97%A5%E6%9C%AC", json={"name": "Japan"})
            assert (renamed.status_code, renamed.json()["name"]) == (200, "Japan")
            assert renamed.json()["address"] == "/libraries/Japan/"
            problems = [
                (await client.post(at, json={"name": "Japan"}), 409, "name-taken"),
                (await client.post(at, json={"name": ".."}), 422, "impossible"),
                (await client.post(at, json={"nome": "x"}), 422, "invalid-request"),
                (
                    await client.post(at, content="{}", headers={"content-type": "text/plain"}),
                    415,
                    "not-json",
                ),
                (
                    await client.post(
                        at, json={"name": "x"}, headers={"origin": "http://elsewhere.example"}
                    ),
                    403,
                    "not-from-here",
                ),
                (await client.patch(f"{at}/nobody", json={"name": "x"}), 404, "not-found"),
                (await client.patch(f"{at}/Japan", json={"name": "letters"}), 409, "name-taken"),
            ]
            for response, status, kind in problems:
                assert response.status_code == status
                assert response.json()["type"] == f"/api/v1/problems/{kind}"
                assert (await client.get(response.json()["type"])).json()["status"] == status
            described = (await client.get("/api/v1/openapi.json")).json()
            assert set(described["paths"]) == {
                "/libraries",
                "/libraries/{name}",
                "/problems/{name}",
            }

    asyncio.run(call())
    assert shelf.names() == [ODD, "Japan", "letters"]


def test_where_others_can_reach_it_nothing_can_be_changed(shelf: Shelf) -> None:
    """The page says why there is no form."""

    async def look() -> None:
        async with served(shelf, may_change=False) as client:
            page = (await client.get("/")).text
            assert "<form" not in page
            assert "This server answers other machines, too" in page
            assert (await client.post("/", data={"name": "x"})).status_code == 403
            refused = await client.post("/api/v1/libraries", json={"name": "x"})
            assert refused.json()["type"] == "/api/v1/problems/read-only"
            jobs = await client.post("/libraries/letters/api/v1/jobs", json={"paths": ["/x"]})
            assert jobs.status_code == 403

    asyncio.run(look())
    assert shelf.names() == [ODD, "letters"]


def test_a_new_name_while_pages_are_open(shelf: Shelf, articles: Path) -> None:
    """The library goes on under it; what is open under the old one ends and is told so."""
    with shelf.open("letters") as library:
        library.index(articles)

    async def rename() -> None:
        async with served(shelf) as client:
            old = "/libraries/letters"
            await client.get(f"{old}/api/v1/health")
            beating = asyncio.create_task(client.get(f"{old}/gradio_api/heartbeat/abc"))
            await asyncio.sleep(0.2)
            form = {"library": "letters", "name": "mail"}
            renaming = asyncio.create_task(client.post("/", data=form, headers={"origin": ADDRESS}))
            # While what is under way comes to its end, nothing more is begun.
            while (asked := await client.get(f"{old}/api/v1/health")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert (asked.status_code, asked.json()) == (503, {"detail": CLOSING})
            assert (await renaming).status_code == 303
            assert (await beating).text.startswith("data: ALIVE")
            gone = await client.get(f"{old}/library", headers=HTML)
            assert gone.status_code == 404
            assert "The library “letters” is called “mail” now" in gone.text
            assert '<a class="back" href="/">Go to the libraries</a>' in gone.text
            told = await client.get(f"{old}/api/v1/search?q=whale")
            assert told.json() == {"detail": "The library “letters” is called “mail” now"}
            found = await client.get("/libraries/mail/api/v1/search?q=blue+whale")
            assert found.json()["hits"] != []
            again = await client.post("/", data=form)
            assert (again.status_code, "“letters”" in again.text) == (404, True)

    asyncio.run(rename())


def test_while_something_is_indexed_the_name_stays(
    tmp_path: Path, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """It says so, and what is indexed goes on; afterwards it can be renamed."""
    pausing = Pausing(embedder, after=0)
    shelf = made(tmp_path / "shelf", pausing)  # type: ignore[arg-type]

    async def index() -> None:
        async with served(shelf) as client:
            api = "/libraries/letters/api/v1"
            job = (await client.post(f"{api}/jobs", json={"paths": [str(articles)]})).json()
            await asyncio.to_thread(pausing.reached.wait, 60)
            refused = await client.patch("/api/v1/libraries/letters", json={"name": "mail"})
            assert refused.status_code == 409
            assert refused.json()["type"] == "/api/v1/problems/indexing"
            assert "rename it when that is done" in refused.json()["detail"]
            form = await client.post("/", data={"library": "letters", "name": "mail"})
            assert (form.status_code, "rename it when that is done" in form.text) == (409, True)
            pausing.go.set()
            while (await client.get(f"{api}/jobs/{job['id']}")).json()["state"] != "done":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            renamed = await client.patch("/api/v1/libraries/letters", json={"name": "mail"})
            assert renamed.json()["documents"] == 3

    asyncio.run(index())


def test_trouble_of_one_is_no_trouble_of_others(shelf: Shelf) -> None:
    """It is listed and answers with the reason, without a path of this machine; put right, it is
    opened.
    """
    store = shelf.folder / "letters" / "library.db"
    whole = store.read_bytes()
    store.write_bytes(b"no database" * 1000)

    async def look() -> None:
        async with served(shelf) as client:
            page = (await client.get("/")).text
            assert "It can&#x27;t be opened: something is wrong with" in page
            assert str(shelf.folder) not in page
            broken = await client.get("/libraries/letters/", headers=HTML)
            assert broken.status_code == 503
            assert "something is wrong" in broken.text
            assert (await client.get("/libraries/letters/api/v1/ask?q=x")).status_code == 503
            assert (await client.get(f"{ODD_ADDRESS}/api/v1/health")).status_code == 200
            store.write_bytes(whole)
            assert (await client.get("/libraries/letters/api/v1/health")).status_code == 200

    asyncio.run(look())


def test_no_name_leads_out_of_the_folder(shelf: Shelf) -> None:
    """Whatever is written into the address."""
    Shelf(shelf.folder.parent).create("outside")

    async def look() -> None:
        async with served(shelf) as client:
            for name in ("%2e%2e", "..%2foutside", "%2e%2e%5Coutside", "", "%00"):
                url = httpx.URL(ADDRESS).copy_with(raw_path=f"/libraries/{name}/".encode())
                response = await client.get(url)
                assert response.status_code == 404, name

    asyncio.run(look())


def test_one_library_or_several(tmp_path: Path) -> None:
    """Both can't be served; nor a folder that is not there."""

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "rag", "serve", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert ended.returncode == 2
        return " ".join(ended.stderr.split())

    assert "give one of the two" in said("--library", "a", "--libraries", "b")
    assert "there is no folder" in said("--libraries", "b")
