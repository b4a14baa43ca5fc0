"""Several libraries in one server, the way a person goes: create, open, fill, ask, rename, ask."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from test_accessibility import violations

OpenPage = Callable[..., Page]

HERON = "The heron of Aldmoor counts exactly seventeen frogs each morning."
QUESTION = "How many frogs does the heron of Aldmoor count?"
SECONDS = 60_000
"""In milliseconds: how long the model and the page may take on a busy machine."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    """``rag serve --libraries`` over a folder with a library that is damaged; ended by Ctrl-C."""
    assert browser.is_connected()  # nothing is started where there is no browser
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "Torn").mkdir()
    (folder / "Torn" / "library.db").write_bytes(b"no database" * 1000)
    log = folder.parent / "log"
    command = [sys.executable, "-m", "rag", "serve", "--libraries", str(folder), "--port", "0"]
    # A file, not a pipe: nobody reads on, and a full pipe would stop the server.
    with log.open("w") as said, subprocess.Popen(command, stderr=said) as server:
        while not (found := re.search(r'"address": ?"([^"]+)"', log.read_text())):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found[1]
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0
    assert "Traceback" not in log.read_text()


def ask(page: Page) -> None:
    """Asks about the heron, and finds it."""
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("article.hit mark").first).to_have_text(HERON, timeout=SECONDS)


def ask_in_vain(page: Page) -> None:
    """Asks where there is nothing yet, and is told so."""
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_contain_text("Nothing is indexed yet", timeout=SECONDS)


def original(page: Page) -> str:
    """The text of the file that the document on the page was read from."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Original file").click()
    return download.value.path().read_text()


def test_from_a_new_library_to_a_new_name(open_page: OpenPage, shelf: str, tmp_path: Path) -> None:
    """A library with a name of odd characters is made, filled, asked, renamed, and asked again."""
    (tmp_path / "heron.txt").write_text(f"The heron of Aldmoor\n\n{HERON}\n")
    page = open_page(shelf, width=900)  # documents open on pages of their own
    expect(page.get_by_role("row", name="Torn")).to_contain_text("It can't be opened")
    page.get_by_label("New library").fill("Birds & 100% <frogs>?")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="Birds & 100% <frogs>?").click()

    expect(page.locator(".shelved bdi")).to_have_text("Birds & 100% <frogs>?", timeout=SECONDS)
    ask_in_vain(page)
    page.get_by_role("link", name="Documents", exact=True).click()
    expect(page.locator(".shelved bdi")).to_have_text("Birds & 100% <frogs>?")
    page.wait_for_load_state()  # with the script that sends
    page.locator("#files").set_input_files(tmp_path / "heron.txt")
    expect(page.locator(".job").first.get_by_role("status")).to_have_text(
        "Done: 1 added.", timeout=SECONDS
    )
    page.get_by_role("link", name="Go to the search").click()
    ask(page)
    page.get_by_role("link", name="Open the document").first.click()
    expect(page.locator("mark#answer")).to_have_text(HERON)
    assert HERON in original(page)
    page.get_by_role("link", name="Back to the results").click()
    page.get_by_role("link", name="Libraries").click()

    row = page.get_by_role("row", name="Birds")
    expect(row.get_by_role("cell").first).to_have_text("1")
    row.get_by_text("Rename", exact=True).first.click()
    row.get_by_label("New name of").fill("Vögel")
    row.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("row", name="Birds")).to_have_count(0)

    page.get_by_role("link", name="Vögel").click()
    expect(page.locator(".shelved bdi")).to_have_text("Vögel", timeout=SECONDS)
    ask(page)
    asked = page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('asked '))")
    assert len(asked) == 2  # each library remembers for itself what was asked there
    page.get_by_role("link", name="Open the document").first.click()
    assert HERON in original(page)


def test_a_name_that_is_taken(browser: Browser, shelf: str) -> None:
    """It is said on the page, what was written stays, and nothing is made."""
    page = browser.new_page()  # which may complain of the status of the answer
    page.goto(shelf)
    page.get_by_label("New library").fill("Torn")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_have_text(
        "There is something named “Torn” already; choose another name."
    )
    expect(page.get_by_label("New library")).to_have_value("Torn")
    expect(page.get_by_role("row", name="Torn")).to_have_count(1)
    page.close()


def test_a_page_that_was_open_is_told(browser: Browser, shelf: str) -> None:
    """Who asks on a page of a library that was renamed meanwhile sees that it was."""
    page = browser.new_page()  # which may complain of an address that is gone
    assert page.request.post(f"{shelf}/api/v1/libraries", data={"name": "Owls"}).ok
    page.goto(f"{shelf}/libraries/Owls/")
    expect(page.locator(".shelved bdi")).to_have_text("Owls", timeout=SECONDS)
    ask_in_vain(page)  # what Gradio has to do at first is done then
    renamed = page.request.patch(f"{shelf}/api/v1/libraries/Owls", data={"name": "Eulen"})
    assert renamed.ok
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The library “Owls” is called “Eulen” now")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading")).to_have_text("The library “Owls” is called “Eulen” now")
    page.get_by_role("link", name="Go to the libraries").click()
    expect(page.get_by_role("link", name="Eulen")).to_be_visible()
    page.close()


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_the_shelf(
    open_page: OpenPage, shelf: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """No serious violation, with a library that is broken and the form for a new name open."""
    page = open_page(shelf, width=width, scheme=scheme)
    if page.get_by_role("link", name="Cranes").count() == 0:
        page.get_by_label("New library").fill("Cranes")
        page.get_by_role("button", name="Create").click()
    page.get_by_role("row", name="Cranes").get_by_text("Rename", exact=True).first.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{shelf}/libraries/Cranes/")
    expect(page.locator(".shelved bdi")).to_have_text("Cranes", timeout=SECONDS)
    assert violations(page) == []
