"""Takes the pictures in the README: the page answering a question, and a document beside the hits.

Run by hand from the top of the tree, after the page has changed::

    python tests/browser/take_screenshots.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from queue import Queue

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
QUESTION = "Which company supplies the turret of the Zorawar light tank?"
WIDTH, WIDE, HEIGHT = 1280, 1440, 880


def main(target: Path) -> None:
    """Index the seed articles, serve them, ask, and save the pictures in a folder."""
    sys.path.insert(0, str(ROOT))
    from rag import Library
    from ui.server import serve

    ready: Queue[str] = Queue()
    with tempfile.TemporaryDirectory() as folder, Library.open(folder) as library:
        library.index([ROOT / "seeds"])
        threading.Thread(
            target=serve, args=(library,), kwargs={"port": 0, "on_ready": ready.put}, daemon=True
        ).start()
        shoot(ready.get(timeout=120), folder=target)


def shoot(address: str, folder: Path) -> None:
    """Ask the question at ``address``, open the document, and save what is seen each time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(address)
        page.get_by_label("Your question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator("article.hit").first.wait_for()
        page.get_by_label("Your question").blur()
        page.screenshot(path=folder / "screenshot.png")
        page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        page.get_by_role("link", name="Open the document").first.click()
        page.frame_locator("#reading iframe").locator("mark#answer").wait_for()
        page.wait_for_timeout(500)  # until it has scrolled there
        page.screenshot(path=folder / "reading.png")
        browser.close()


if __name__ == "__main__":
    main(ROOT / "ui")
