"""One real server over a real library, one real browser, and a page that tells on itself."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from lacking import skip_unless_in_ci
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from reportlab.pdfgen.canvas import Canvas

expect.set_options(timeout=20_000)  # these tests ask what the page does, not how soon

SEEDS = Path(__file__).parents[2] / "seeds"
CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

# A page that is left while Gradio talks with the server: Gradio hangs up, and calls that an error.
# And who is not known gets the page to log in with 401, which Chromium calls one.
LEFT = (
    "AbortError: signal is aborted without reason",
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

# Both servers in one process, so that Gradio and the model are loaded once; one after the other,
# since Gradio builds one page at a time. Each prints its name and address when it answers.
LAUNCH = """
import sys, threading
from rag import Library
from ui.server import serve

answering = threading.Event()

def start(name, library):
    def ready(address):
        print(name, address, flush=True)
        answering.set()
    serve(library, port=0, on_ready=ready)

empty, full, *articles = sys.argv[1:]
with Library.open(full) as library, Library.open(empty) as nothing:
    library.index(articles)
    threading.Thread(target=start, args=("empty", nothing), daemon=True).start()
    answering.wait()
    start("full", library)
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where pages are served: over articles, and over an empty library."""

    full: str
    empty: str


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


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Servers]:
    """The seed articles and a hostile one, served; stopped the way a person stops it."""
    assert browser.is_connected()  # nothing is started where there is no browser
    folder = tmp_path_factory.mktemp("served")
    hostile = folder / "hostile.txt"
    hostile.write_text(HOSTILE, encoding="utf-8")
    bridge = folder / "bridge.pdf"
    bridge.write_bytes(printed())
    arguments = [folder / "empty", folder / "full", SEEDS, hostile, bridge]
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *map(str, arguments)],
        cwd=SEEDS.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().split() for _ in range(2)]
        if [] in lines:  # it ended instead: say why
            pytest.fail(server.communicate()[1])
        yield Servers(**dict(lines))
        server.send_signal(signal.SIGINT)
        output, complaints = server.communicate(timeout=60)
    assert (server.returncode, output, complaints) == (0, "", "")


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


@pytest.fixture
def address(servers: Servers) -> str:
    """The page over the seed articles."""
    return servers.full


@pytest.fixture
def empty_address(servers: Servers) -> str:
    """The page over an empty library."""
    return servers.empty


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

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(LEFT):
                trouble.append(f"console: {message.text}")

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
