"""Pages as they are printed, boxes on them, and files: by id, and never a path of the machine."""

from __future__ import annotations

import gzip
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from many_files import pdf
from pdf_files import LEFT, RIGHT, WHOLE
from PIL import Image

import rag.documents.sandbox.page_viewer
from rag import Library
from rag.documents.sandbox import processes
from rag.documents.sandbox.page_viewer import PageViewer
from ui.pages import error_pages, pdf_pages, reader
from ui.pages.pdf_pages import PdfPages
from ui.security import headers
from ui.security.middleware import protect
from ui.security.policy import LOCAL

SENTENCE = " ".join([*LEFT[2:], RIGHT[0]])
NAMES = ("survey.pdf", "note.txt", "bank.pdf", "old.zip/deep/1999.pdf", "packed.pdf.gz")

EVIL = """
import ctypes, time
from rag.documents.pdf import rendering
from rag.documents.sandbox import worker

honest = rendering.page_image

def page_image(pdf, index, width):
    if width == 501:
        time.sleep(1000)
    if width == 502:
        ctypes.string_at(0)
    if width == 503:
        hoard = []
        while True:
            hoard.append(bytearray(100_000_000))
    if width == 504:
        raise ZeroDivisionError("a parser's own mistake")
    if width == 505:
        print("what a parser has to say")
    return honest(pdf, index, width)

rendering.page_image = page_image
worker.MEMORY_BYTES = 1 << 29
worker.main()
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A library of some files, and a client of the routes to them."""

    client: TestClient
    library: Library
    folder: Path
    pages: PdfPages

    def address(self, name: str, rest: str) -> str:
        """Where something of a file's document is."""
        source = str(self.folder / name)
        (found,) = [one.id for one in self.library.documents() if one.source == source]
        return f"/documents/{found}/{rest}"


def written(folder: Path) -> Path:
    """A folder of PDFs, one of them protected, one in an archive and one compressed, and a text."""
    folder.mkdir()
    (folder / "survey.pdf").write_bytes(WHOLE)
    (folder / "note.txt").write_text("Nothing of this is printed.")
    (folder / "bank.pdf").write_bytes(pdf(2, password="swordfish"))
    (folder / "packed.pdf.gz").write_bytes(gzip.compress(pdf(3)))
    with zipfile.ZipFile(folder / "old.zip", "w") as archive:
        archive.writestr("deep/1999.pdf", pdf(4))
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The routes over a library of those files; to be left as they are."""
    folder = written(tmp_path_factory.mktemp("served") / "files")
    with Library.open(folder.parent / "library", embedder=HashingEmbedder()) as library:
        library.index(folder, passwords=["swordfish"])
        assert {Path(one.source).relative_to(folder).as_posix() for one in library.documents()} == {
            *NAMES
        }
        app = FastAPI()
        error_pages.add_handlers(app)
        pages = PdfPages(library)
        pdf_pages.add_routes(app, library, pages)
        reader.add_routes(app, library, pages)
        client = TestClient(protect(app, LOCAL), base_url="http://127.0.0.1:7860")
        yield Served(client, library, folder, pages)
        pages.close()
        assert pages._viewer._worker.process is None


@pytest.fixture
def kept(served: Served) -> Iterator[Path]:
    """The file of the survey, put back afterwards as it was."""
    path = served.folder / "survey.pdf"
    before = path.stat()
    yield path
    path.write_bytes(WHOLE)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def refusal(served: Served, address: str) -> tuple[int, str]:
    """The status and words with which a request is answered; they never name a folder."""
    response = served.client.get(address)
    assert response.headers["content-type"] == "application/json"
    page = served.client.get(address, headers={"accept": "text/html"})
    assert page.status_code == response.status_code
    assert page.headers["content-security-policy"] == headers.STILL["content-security-policy"]
    for one in (response, page):
        assert str(served.folder.parent) not in one.text + str(one.headers)
        assert "/files" not in one.text
    return response.status_code, response.json()["detail"]


def test_picture(served: Served) -> None:
    """A PNG of the width asked for, which runs nothing and is kept by the reader's browser."""
    response = served.client.get(served.address("survey.pdf", "pages/1.png?width=595"))
    assert response.status_code == 200
    shown = Image.open(io.BytesIO(response.content))
    assert (shown.format, shown.size) == ("PNG", (595, 842))
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert response.headers["cache-control"] == "private, max-age=3600"
    usual = served.client.get(served.address("survey.pdf", "pages/3.png"))
    assert Image.open(io.BytesIO(usual.content)).width == 1200


def test_boxes(served: Served) -> None:
    """Five lines of the left column and the first of the right one, in shares of the page."""
    document = served.library.document(served.address("survey.pdf", "").split("/")[2])
    start = document.text.index(SENTENCE)
    answer = f"answer={start}-{start + len(SENTENCE)}"

    def found(page: int) -> list[tuple[float, float, float]]:
        html = served.client.get(f"/documents/{document.id}?page={page}&{answer}").text
        assert f'src="{document.id}/pages/{page}.png' in html
        boxes = re.findall(
            r'<rect x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', html
        )
        return [(float(x), float(y), float(height)) for x, y, height in boxes]

    lefts, tops, heights = zip(*found(1), strict=True)
    assert lefts == pytest.approx([60 / 595] * 5 + [310 / 595], abs=1 / 595)
    ys = [(842 - 700 + 12 * line - 8.5) / 842 for line in (2, 3, 4, 5, 6, 0)]
    assert tops == pytest.approx(ys, abs=1 / 842)
    assert heights == pytest.approx([11 / 842] * 6, abs=1e-5)
    # On the second page the words are printed again, but there the sentence is another.
    assert found(2) == []


def test_original(served: Served) -> None:
    """The file as it is, to be kept and not shown."""
    response = served.client.get(served.address("survey.pdf", "original"))
    assert (response.status_code, response.content) == (200, WHOLE)
    assert response.headers["content-disposition"] == 'attachment; filename="survey.pdf"'
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert str(served.folder.parent) not in str(response.headers)
    text = served.client.get(served.address("note.txt", "original"))
    assert text.content == b"Nothing of this is printed."


@pytest.mark.parametrize("rest", ["original", "pages/1.png"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("old.zip/deep/1999.pdf", "It is inside old.zip, as deep/1999.pdf; open it there."),
        ("packed.pdf.gz", "It is inside packed.pdf.gz; unpack that file to open it."),
    ],
)
def test_inside_another_file(served: Served, name: str, line: str, rest: str) -> None:
    """Where it lies is said."""
    assert refusal(served, served.address(name, rest)) == (404, line)


@pytest.mark.parametrize("rest", ["original", "pages/1.png"])
def test_changed_and_gone(served: Served, kept: Path, rest: str) -> None:
    """Another file of the same name is not the document; nor is none, or one nobody may read."""
    address = served.address("survey.pdf", rest)
    assert served.client.get(address).status_code == 200
    kept.write_bytes(pdf(1))
    changed = "Its file survey.pdf has changed since it was read; index it again."
    assert refusal(served, address) == (410, changed)
    kept.unlink()
    gone = "Its file survey.pdf no longer exists; index its folder again."
    assert refusal(served, address) == (410, gone)
    kept.mkdir()
    assert refusal(served, address) == (410, gone)
    kept.rmdir()
    kept.write_bytes(WHOLE)
    assert served.client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("rest", "status", "line"),
    [
        ("pages/4.png", 404, "This document has no page 4."),
        ("pages/0.png", 422, "Look at path.number: Input should be greater than or equal to 1."),
        (
            "pages/1.png?width=20",
            400,
            "A page is drawn 50 to 3000 pixels wide, not 20; choose a width between these.",
        ),
    ],
)
def test_bad_numbers(served: Served, rest: str, status: int, line: str) -> None:
    """What is wrong with the address is said."""
    assert refusal(served, served.address("survey.pdf", rest)) == (status, line)


@pytest.mark.parametrize("rest", ["-1.png", "one.png", f"{'9' * 5000}.png", "1.png?width=1e3"])
def test_no_numbers(served: Served, rest: str) -> None:
    """They are refused before anything is rendered."""
    assert served.client.get(served.address("survey.pdf", f"pages/{rest}")).status_code == 422


@pytest.mark.parametrize("rest", ["original", "pages/1.png"])
@pytest.mark.parametrize("unknown", ["none", "%2e%2e", "..%2f..%2fetc%2fpasswd"])
def test_no_such_document(served: Served, unknown: str, rest: str) -> None:
    """Only ids of documents lead anywhere."""
    assert served.client.get(f"/documents/{unknown}/{rest}").status_code == 404


def test_not_a_pdf(served: Served) -> None:
    """A text has no pages."""
    line = "This document has no page 1."
    assert refusal(served, served.address("note.txt", "pages/1.png")) == (404, line)


def test_protected(served: Served) -> None:
    """Its password is kept nowhere, so the reader is sent to the file."""
    line = (
        "This PDF is protected by a password, and passwords are not stored: "
        "open the file itself to see its pages."
    )
    assert refusal(served, served.address("bank.pdf", "pages/1.png")) == (422, line)


@pytest.fixture
def evil(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The routes with a process that can be led astray, and little patience with it."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", EVIL))
    monkeypatch.setattr(rag.documents.sandbox.page_viewer, "SECONDS", 2.0)
    monkeypatch.setattr(served.pages, "_viewer", PageViewer())
    yield served
    served.pages.close()


def test_bad_pages_cost_only_themselves(evil: Served) -> None:
    """One hangs, one crashes, one allocates without end, …: each is told, the next is drawn."""
    told = {
        501: "It took more than 2 s and was aborted.",
        502: "The PDF crashed the renderer (exit code -11).",
        503: "Drawing it takes too much memory; open the file itself.",
        504: "Its page can't be drawn (ZeroDivisionError: a parser's own mistake).",
    }
    for width, line in told.items():
        address = evil.address("survey.pdf", f"pages/1.png?width={width}")
        response = evil.client.get(address)
        assert (response.status_code, response.json()["detail"]) == (422, line)
        good = evil.client.get(evil.address("survey.pdf", f"pages/2.png?width={width - 100}"))
        assert good.status_code == 200
    printing = evil.client.get(evil.address("survey.pdf", "pages/1.png?width=505"))
    assert printing.status_code == 200
    # A server that is killed closes nothing itself; its pipes close, and that is enough.
    process = evil.pages._viewer._worker.process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    again = evil.client.get(evil.address("survey.pdf", "pages/1.png?width=506"))
    assert again.status_code == 200


def test_many_at_once(served: Served) -> None:
    """Pages that are asked for at the same time come one after the other, each as it is."""
    numbers = [1, 2, 3] * 4

    def picture(number: int) -> bytes:
        address = served.address("survey.pdf", f"pages/{number}.png?width={200 + number}")
        return served.client.get(address).content

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(picture, numbers))
    assert [Image.open(io.BytesIO(one)).width for one in found] == [200 + n for n in numbers]
    assert len(set(found)) == 3
