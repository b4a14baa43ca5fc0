"""What a new user does on the first day, from an empty folder to a document that is gone again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docx
from ask_page import OpenPage
from conftest import printed
from playwright.sync_api import Locator, Page, expect

QUESTION = "Who built the bridge of Vessy?"
ANSWER = "The bridge of Vessy was built by Maillart in 1936."

REPORT = """\
<!doctype html><html lang="en"><head><title>Ferries of Lake Geneva</title>
<meta name="date" content="2024-06-30"></head><body><nav>Home</nav><article>
<h1>Ferries of Lake Geneva</h1><p>The paddle steamer Rhône was launched in 1927 and still crosses
the lake every summer. It carries eight hundred and fifty passengers from Geneva to Yvoire.</p>
</article></body></html>
"""


def write_four(folder: Path) -> list[Path]:
    """Four documents of different formats; the bridges are of 2000, the ferries of 2024."""
    folder.mkdir()
    files = [folder / name for name in ("bridges.pdf", "ferries.html", "towers.docx", "fog.md")]
    files[0].write_bytes(printed())
    files[1].write_text(REPORT, encoding="utf-8")
    towers = docx.Document()
    towers.add_heading("Towers of Geneva", 1)
    towers.add_paragraph("The bell called La Clémence has hung in the north tower since 1407.")
    towers.save(str(files[2]))
    files[3].write_text("# Fog\n\nIn November the stratus lies on the lake for two weeks.\n")
    return files


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """``rag serve`` in a folder, as soon as it says where; ended by Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--port", "0"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        try:
            yield json.loads(server.stderr.readline())["address"]
        finally:
            server.send_signal(signal.SIGINT)
        complaints = server.communicate(timeout=120)[1]
    assert server.returncode == 0
    lines = [json.loads(line) for line in complaints.splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    assert any("Ready" in line["event"] for line in lines)


def test_the_whole_way(open_page: OpenPage, tmp_path: Path) -> None:
    """Start, drop, watch, ask, read, narrow, cite, follow, remove: nothing else is needed."""
    files = write_four(tmp_path / "mine")
    folder = tmp_path / "empty"
    folder.mkdir()
    with serving(folder) as address:
        page = open_page(address, width=900)
        expect(page.get_by_role("status")).to_contain_text("Starting")
        expect(page.get_by_text("Nothing is indexed yet")).to_be_visible(timeout=120_000)
        page.get_by_role("link", name="Documents", exact=True).click()
        expect(page.get_by_role("heading", name="0 documents")).to_be_visible()
        page.wait_for_load_state()  # with its script, which takes what is dropped
        drop(page, files)
        job = page.locator(".job").first
        expect(job.get_by_role("progressbar")).to_be_visible()
        expect(job.get_by_role("status")).to_have_text("Done: 4 added.", timeout=120_000)
        expect(page.get_by_role("heading", name="4 documents")).to_be_visible()

        page.get_by_role("link", name="Go to the search").click()
        ask(page, QUESTION)
        first = page.locator("article.hit").first
        expect(first.locator("mark")).to_have_text(ANSWER)
        first.get_by_role("link", name="Open the document").click()
        expect(page.locator(".sheet rect")).to_have_count(1)
        expect(page.locator(".sheet img")).to_be_visible()
        page.go_back()

        expect(first.locator("mark")).to_have_text(ANSWER)
        page.get_by_text("Look only in some documents").click()
        expect(page.get_by_label("From", exact=True)).to_have_attribute("type", "date")
        page.get_by_label("From", exact=True).fill("2020-01-01")
        ask(page, QUESTION)
        expect(page).to_have_url(re.compile("since=2020-01-01"))
        expect(page.locator("article.hit blockquote").filter(has_text="Vessy")).to_have_count(0)
        expect(page.locator("article.hit").filter(has_text="steamer")).to_have_count(1)
        page.get_by_label("From", exact=True).fill("")
        ask(page, QUESTION)
        expect(first.locator("mark")).to_have_text(ANSWER)

        followed(page, first)

        page.goto(f"{address}/library")
        page.get_by_role("button", name="Remove “Bridges of Geneva”").click()
        expect(page.locator("#told")).to_contain_text("Removed “Bridges of Geneva”")
        page.goto(address)
        ask(page, QUESTION)
        expect(page.locator("article.hit").first).to_be_visible()
        expect(page.locator("article.hit blockquote").filter(has_text="Vessy")).to_have_count(0)
        page.close()


def drop(page: Page, files: list[Path]) -> None:
    """Files from outside, let go over the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(one) for one in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 500, "data": data})


def ask(page: Page, question: str) -> None:
    """Types a question and presses Enter."""
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def followed(page: Page, first: Locator) -> None:
    """Copies the quotation with its source, and follows the link in it in another tab."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first.get_by_text("Cite", exact=True).click()
    first.get_by_role("button", name="Markdown").click()
    expect(first.locator(".cite .said")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ANSWER in copied
    tab = page.context.new_page()
    tab.goto(re.findall(r"\((http:[^)]+)\)", copied)[0])
    expect(tab.get_by_text("is where it was when it was cited")).to_be_visible()
    expect(tab.locator(".sheet rect, mark#answer")).to_have_count(1)
    tab.close()
