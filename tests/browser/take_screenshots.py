"""Takes the pictures of the page, those in the README among them. Run by hand after a change::

    make screenshots

Look at each of them afterwards.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Literal, TypeAlias

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "seeds", ROOT / "CHANGELOG.md", ROOT / "ARCHITECTURE.md")
QUESTION = "Which company supplies the turret of the Zorawar light tank?"
HEIGHT = 880
Scheme: TypeAlias = Literal["light", "dark"]


def main(target: Path) -> None:
    """Index the seed articles and this project's own pages, serve them, and save the pictures."""
    sys.path.insert(0, str(ROOT))
    from rag import Library
    from ui.server import serve

    ready: Queue[str] = Queue()
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Library.open(folder) as library:
        library.index(SOURCES)
        threading.Thread(
            target=serve, args=(library,), kwargs={"port": 0, "on_ready": ready.put}, daemon=True
        ).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu"],
            )
            shoot(browser, ready.get(timeout=120), target)
            browser.close()


def shoot(browser: Browser, address: str, folder: Path) -> None:
    """Go to each view, and save what is seen."""
    views: tuple[tuple[str, Scheme, int], ...] = (
        ("ask", "light", 1280),
        ("ask-dark", "dark", 1280),
        ("ask-phone", "light", 390),
    )
    for name, scheme, width in views:
        with opened(browser, address, width, scheme) as page:
            ask(page, QUESTION)
            page.screenshot(path=folder / f"{name}.png")
    with opened(browser, address) as page:
        page.get_by_text("Newest articles").wait_for()
        page.screenshot(path=folder / "first.png")
        page.goto(f"{address}/documents/none")
        page.screenshot(path=folder / "error.png")
    with opened(browser, address, 1440) as page:
        ask(page, QUESTION)
        page.get_by_role("link", name="Open the document").first.click()
        page.frame_locator("#reading iframe").locator("mark#answer").wait_for()
        page.wait_for_timeout(500)  # until it has scrolled there
        page.screenshot(path=folder / "reading.png")
    with opened(browser, f"{address}/library") as page:
        page.screenshot(path=folder / "documents.png")
        page.goto(f"{address}/insight")
        page.locator(".insight svg").first.wait_for()
        page.screenshot(path=folder / "insight.png", full_page=True)


@contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, scheme: Scheme = "light"
) -> Iterator[Page]:
    """A page of its own."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.goto(address)
    yield page
    page.close()


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the hits; the field's frame is gone then."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.locator("article.hit").first.wait_for()
    page.get_by_label("Your question").blur()


if __name__ == "__main__":
    main(ROOT / "ui" / "pictures")
