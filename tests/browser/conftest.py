"""Real servers over real libraries, one real browser, and a page that tells on itself."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from lacking import skip_unless_in_ci
from one_process import OneProcess
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from reportlab.pdfgen.canvas import Canvas

MILLISECONDS = 60_000
"""How long anything may take: these tests ask what the page does, not how soon."""

expect.set_options(timeout=MILLISECONDS)

SEEDS = Path(__file__).parents[2] / "seeds"
CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

# A page that is left while Gradio talks with the server: Gradio hangs up, and calls that an error.
# And who is not known gets the page to log in with 401, which Chromium calls one.
LEFT = (
    "AbortError: signal is aborted without reason",
    "AbortError: BodyStreamBuffer was aborted",
    "Unexpected error Connection errored out.",
    "Failed to load resource: the server responded with a status of 401 (Unauthorized)",
)

HOSTILE = """\
date 2024-01-02

The quokka of Rottnest <script>window.__pwned = 1; alert(1)</script> eats {{7*7}} leaves a day.

Every quokka <img src=x onerror="window.__pwned = 2"> sleeps in the shade of {% raw %} trees, \
and ${window.__pwned = 3} reads [the news](javascript:window.__pwned=4) </mark></article>.
"""

PRINTED = ("The bridge of Vessy was built by Maillart in 1936.", "It spans the river Arve.")


def chromium() -> str | None:
    """The browser to use: ``$CHROMIUM``, or the one that is installed."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


# Not for the whole session: while it is open, Playwright runs an event loop in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; without one they are skipped, but never in CI."""
    executable = chromium()
    if executable is None:
        skip_unless_in_ci("no chromium is installed: set CHROMIUM, or apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable, args=list(CHROMIUM_ARGUMENTS)
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    """What serves all libraries of the session."""
    started = OneProcess(tmp_path_factory.mktemp("process"))
    yield started
    started.end()


@pytest.fixture(scope="session")
def template(process: OneProcess, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives a library of the seed articles, a hostile one and a PDF; not to be changed."""
    folder = tmp_path_factory.mktemp("template")

    @cache
    def made() -> Path:
        hostile, bridge = folder / "hostile.txt", folder / "bridge.pdf"
        hostile.write_text(HOSTILE, encoding="utf-8")
        bridge.write_bytes(printed())
        process.index(folder / "library", [SEEDS, hostile, bridge])
        return folder / "library"

    return made


@pytest.fixture(scope="module")
def filled(
    browser: Browser, template: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The module's own copy of that library, for a server."""
    assert browser.is_connected()  # nothing is started where there is no browser
    return shutil.copytree(template(), tmp_path_factory.mktemp("filled") / "library")


def printed() -> bytes:
    """A PDF of three pages; the second has two sentences on a bridge."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)  # made on 1 January 2000, whatever the day
    canvas.setTitle("Bridges of Geneva")
    canvas.setAuthor("Ada Pont")
    for lines in (("A foreword on rivers.",), PRINTED, ("An index of names.",)):
        for row, line in enumerate(lines):
            canvas.drawString(72, 700 - 20 * row, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture(scope="module")
def address(process: OneProcess, filled: Path) -> Iterator[str]:
    """The page over the seed articles."""
    with process.serving(filled) as found:
        yield found


@pytest.fixture(scope="module")
def empty_address(
    browser: Browser, process: OneProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page over an empty library, which the tests of a module fill one after the other."""
    assert browser.is_connected()
    with process.serving(tmp_path_factory.mktemp("empty") / "library") as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, and fails the test if one asks anything of another machine, complains,
    throws, or shows a dialog.
    """
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def opened(
        address: str,
        width: int = 1280,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(LEFT):
                trouble.append(f"console: {message.text} at {message.location['url']}")

        def request(url: str) -> None:
            if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
                trouble.append(f"request: {url}")

        page.on("console", console)
        page.on("request", lambda sent: request(sent.url))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (trouble.append("dialog"), dialog.dismiss()))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []
