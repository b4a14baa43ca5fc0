"""The page of documents in a real browser: index a folder, ask it, remove it, on any screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from ask_page import FITS, OpenPage, ask, holding, until
from playwright.sync_api import Page, expect

TITLE = 'The heron of Aldmoor <img src=x onerror="window.__pwned = 1">'
HERON = "The heron of Aldmoor counts exactly seventeen frogs each morning."
QUESTION = "How many frogs does the heron of Aldmoor count?"


def written(folder: Path) -> Path:
    """A folder with an article, a note, and a PDF that is damaged."""
    folder.mkdir()
    (folder / "heron.txt").write_text(f"{TITLE}\n\n{HERON}\n")
    (folder / "well.txt").write_text("The well of the village was dug by hand.\n")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    return folder


def to_documents(page: Page) -> None:
    """From the asking page, once Gradio has nothing under way: it complains of what is cut off."""
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Documents", exact=True).click()


def test_before_there_is_a_script(open_page: OpenPage, empty_address: str) -> None:
    """Enter does nothing, where it would load the page again and put the path in its address."""
    page = open_page(empty_address)
    with holding(page, "library.js") as script:
        page.goto(f"{empty_address}/library", wait_until="commit")
        until(page, script)
        field = page.get_by_label("Index a folder or file on this machine")
        field.fill("/nowhere")
        field.press("Enter")
        page.wait_for_timeout(500)  # in which it would be gone
        expect(field).to_have_value("/nowhere")
    expect(page.get_by_role("button", name="Index", exact=True)).to_be_enabled()
    expect(field).to_have_value("/nowhere")


def test_index_ask_and_remove(open_page: OpenPage, empty_address: str, tmp_path: Path) -> None:
    """From an empty library by keyboard: a folder is read, its answer found, and lost again."""
    page = open_page(empty_address)
    to_documents(page)
    expect(page.get_by_text("Nothing is indexed yet")).to_be_visible()
    expect(page.get_by_role("button", name="Index", exact=True)).to_be_enabled()
    page.get_by_label("Index a folder or file on this machine").fill(str(written(tmp_path / "new")))
    page.keyboard.press("Enter")
    job = page.locator(".job")
    expect(job.locator(".names")).to_contain_text("new · ")
    page.reload()  # the job is the server's
    expect(job.get_by_role("status")).to_have_text(
        "Done: 2 added, 1 could not be read.", timeout=60_000
    )
    expect(job.locator("progress")).to_be_hidden()
    job.get_by_text("What could not be read, and why").click()
    expect(job.locator("li")).to_contain_text("scan.pdf")
    expect(page.get_by_role("heading", name="2 documents")).to_be_visible()
    expect(page.locator(".unread li b")).to_have_text("scan.pdf")
    assert str(tmp_path) not in page.content()

    row = page.get_by_role("row", name="heron.txt")
    expect(row.get_by_role("rowheader")).to_have_text(TITLE)
    page.get_by_label("Words in the title").fill("HERON")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 document")).to_be_visible()
    page.get_by_role("link", name="Title").press("Enter")
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute(
        "aria-sort", "ascending"
    )

    page.get_by_role("link", name="Go to the search").click()
    expect(ask(page, QUESTION).locator("mark")).to_have_text(HERON)
    to_documents(page)
    expect(job).to_be_visible()  # the script is there
    row.get_by_role("button", name="Remove").press("Enter")
    expect(page.get_by_text(f"Removed “{TITLE}”. Its file stays as it is.")).to_be_visible()
    expect(row).to_have_count(0)
    expect(page.get_by_role("heading", name="1 document")).to_be_visible()
    assert page.evaluate("window.__pwned") is None
    page.get_by_role("link", name="Go to the search").click()
    expect(page.locator(".masthead")).to_contain_text("1 article")
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("#results section")).to_be_visible()
    expect(page.get_by_text(HERON)).to_have_count(0)


def test_a_job_is_cancelled_and_a_phone_is_wide_enough(
    open_page: OpenPage, address: str, tmp_path: Path
) -> None:
    """Progress is told while it runs; nothing needs scrolling sideways on a narrow screen."""
    page = open_page(f"{address}/library", width=360, height=740, scheme="dark")
    expect(page.get_by_role("heading", name="3 documents")).to_be_visible()
    assert page.evaluate(FITS)
    for number in range(600):
        towers = " ".join(f"Tower {number}-{one} has {one} bells." for one in range(40))
        (tmp_path / f"{number}-{'long' * 12}.txt").write_text(towers)
    page.get_by_label("Index a folder or file on this machine").fill(str(tmp_path))
    page.get_by_role("button", name="Index", exact=True).click()
    job = page.locator(".job")
    expect(job.locator(".numbers")).to_contain_text("of 600 files read, ", timeout=60_000)
    expect(job.get_by_role("progressbar", name="Progress")).to_be_visible()
    assert page.evaluate(FITS)
    job.get_by_role("button", name="Cancel").click()
    expect(job.get_by_role("status")).to_contain_text("Cancelled.", timeout=60_000)
    expect(job.get_by_role("button")).to_be_hidden()
    assert page.evaluate(FITS)
    row = page.get_by_role("row", name="Bridges of Geneva")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert page.evaluate(FITS)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(1, timeout=60_000)
    assert page.evaluate(FITS)


@pytest.mark.parametrize("width", [360, 641, 801, 1089])
def test_documents_fit_any_screen(open_page: OpenPage, address: str, width: int) -> None:
    """What can be done with a document is in sight on a tablet, too."""
    page = open_page(f"{address}/library", width=width)
    buttons = page.locator("td.changing button")
    expect(buttons).to_have_count(6)  # of three documents
    ends = buttons.evaluate_all("all => all.map((one) => one.getBoundingClientRect().right)")
    assert max(ends) <= width
    assert page.evaluate(FITS)
