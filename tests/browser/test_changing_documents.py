"""Files being uploaded from the page, and documents that go, come back, and are read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ask_page import FITS, OpenPage
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

HERON = "The heron of Aldmoor counts exactly seventeen frogs each morning."
SLOW = 400_000
"""Bytes a second, so that there is time to look."""

PREVENTED = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"


@pytest.fixture
def page(open_page: OpenPage, empty_address: str) -> Page:
    """The documents of a library that the tests fill, one after the other."""
    return open_page(f"{empty_address}/library")


@pytest.fixture
def left_alone(browser: Browser, empty_address: str) -> Iterator[Page]:
    """The same, on a page that may complain and ask: it is always let go."""
    context = browser.new_context()
    opened = context.new_page()
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.goto(f"{empty_address}/library")
    yield opened
    context.close()


def slowed(page: Page, upload: int) -> None:
    """Let the page send so many bytes a second; -1 is no limit."""
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload},
    )


def row(page: Page, name: str) -> Locator:
    """The row of the document in a file of that name."""
    return page.get_by_role("row").filter(has=page.get_by_role("cell", name=name, exact=True))


def done(page: Page, text: str) -> Locator:
    """The card of the job that was asked for last, once it says so."""
    job = page.locator(".job").first
    expect(job.get_by_role("status")).to_have_text(text, timeout=60_000)
    return job


def test_chosen_files_are_sent_and_indexed(page: Page, tmp_path: Path) -> None:
    """By keyboard; each file tells how much of it was sent, and leaving is asked about."""
    (tmp_path / "heron.txt").write_text(f"The heron of Aldmoor\n\n{HERON}\n")
    (tmp_path / "log.txt").write_text("Fog over Aldmoor." + "\n" * 1_500_000)
    with page.expect_file_chooser() as choosing:
        page.get_by_label("choose files").press("Enter")
    assert not page.evaluate(PREVENTED)
    slowed(page, SLOW)
    choosing.value.set_files([tmp_path / "log.txt", tmp_path / "heron.txt"])
    sending = page.locator("#sending")
    expect(sending.get_by_role("status")).to_have_text("Uploading 1 of 2.")
    bar = sending.get_by_role("progressbar", name="log.txt")
    expect(sending.get_by_role("progressbar")).to_have_count(2)
    page.wait_for_function(
        "(bar) => bar.value > 0.1 && bar.value < 0.9", arg=bar.element_handle(), timeout=60_000
    )
    assert page.evaluate(PREVENTED)
    assert page.evaluate(FITS)
    slowed(page, -1)
    expect(sending).to_be_hidden(timeout=60_000)
    assert not page.evaluate(PREVENTED)
    job = done(page, "Done: 2 added.")
    expect(job.locator(".names")).to_contain_text("log.txt, heron.txt · ")
    expect(row(page, "heron.txt").get_by_role("rowheader")).to_have_text("The heron of Aldmoor")
    expect(row(page, "heron.txt").get_by_role("cell", name="Read", exact=True)).to_be_visible()
    # The same file again is the same document.
    page.get_by_label("choose files").set_input_files(tmp_path / "heron.txt")
    done(page, "Done: 1 unchanged.")
    expect(page.get_by_role("heading", name="2 documents")).to_be_visible()


def test_leaving_loses_only_what_is_not_sent(left_alone: Page, tmp_path: Path) -> None:
    """The browser asks; what was sent is indexed, though the page goes before it has said so."""
    page = left_alone
    (tmp_path / "owl.txt").write_text("The owl of Aldmoor hunts by day.")
    (tmp_path / "big.txt").write_bytes(b"fog " * 500_000)
    slowed(page, SLOW)
    page.get_by_label("choose files").set_input_files([tmp_path / "owl.txt", tmp_path / "big.txt"])
    state = page.locator("#sending").get_by_role("status")
    expect(state).to_have_text("Uploading 2 of 2.", timeout=60_000)
    asked: list[Dialog] = []
    page.on("dialog", lambda dialog: asked.append(dialog))  # noqa: PLW0108 (it is marked)
    page.reload()
    assert [dialog.type for dialog in asked] == ["beforeunload"]
    expect(row(page, "owl.txt")).to_have_count(1, timeout=60_000)
    expect(row(page, "big.txt")).to_have_count(0)


def test_what_is_stopped_is_not_indexed(page: Page, tmp_path: Path) -> None:
    """What was sent before is."""
    (tmp_path / "otter.txt").write_text("The otter of Aldmoor sleeps on its back.")
    for name in ("big.txt", "never.txt"):
        (tmp_path / name).write_bytes(b"fog " * 500_000)
    sending = page.locator("#sending")
    slowed(page, SLOW)
    files = [tmp_path / name for name in ("otter.txt", "big.txt", "never.txt")]
    page.get_by_label("choose files").set_input_files(files)
    expect(sending.get_by_role("status")).to_have_text("Uploading 2 of 3.", timeout=60_000)
    sending.get_by_role("button", name="Stop").click()
    expect(sending).to_be_hidden()
    expect(row(page, "otter.txt")).to_have_count(1, timeout=60_000)
    expect(row(page, "big.txt")).to_have_count(0)


def test_dropped_folders_are_sent(page: Page, tmp_path: Path) -> None:
    """Dropped from outside, as a person does: files, and what lies in folders and is not hidden."""
    folder = tmp_path / "nested"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "badger.txt").write_text("The badger of Aldmoor digs at night.")
    (folder / ".hidden.txt").write_text("Nobody reads this.")
    (tmp_path / "stoat.txt").write_text("The stoat of Aldmoor turns white in winter.")
    session = page.context.new_cdp_session(page)

    def drag(kind: str) -> None:
        data = {
            "items": [],
            "files": [str(folder), str(tmp_path / "stoat.txt")],
            "dragOperationsMask": 1,
        }
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 500, "data": data})

    here = page.get_by_text("Drop to index")
    expect(here).to_be_hidden()
    drag("dragEnter")
    for _ in range(100):  # as a mouse does as long as it is over the page: the words don't linger
        drag("dragOver")
        if here.is_visible():
            break
    else:
        pytest.fail("nothing says that files may be dropped")
    drag("drop")
    expect(here).to_be_hidden()
    done(page, "Done: 2 added.")
    expect(row(page, "badger.txt")).to_have_count(1)
    expect(row(page, "stoat.txt")).to_have_count(1)
    expect(row(page, ".hidden.txt")).to_have_count(0)


def test_what_cant_be_sent_is_named(left_alone: Page, tmp_path: Path) -> None:
    """With its reason, until the next files; the others are indexed all the same."""
    page = left_alone
    (tmp_path / "…").write_text("A name without a letter.")
    (tmp_path / "newt.txt").write_text("The newt of Aldmoor has a crest.")
    page.get_by_label("choose files").set_input_files([tmp_path / "…", tmp_path / "newt.txt"])
    done(page, "Done: 1 added.")
    sending = page.locator("#sending")
    expect(sending.get_by_role("status")).to_have_text("1 could not be uploaded.")
    expect(sending.locator("li")).to_contain_text("A file needs a name of letters or digits")
    expect(sending.get_by_role("button")).to_be_hidden()


def test_removing_is_undone(page: Page, tmp_path: Path) -> None:
    """By the button and by the keyboard; where the file has gone, it is asked first."""
    (tmp_path / "crane.txt").write_text("The crane of Aldmoor dances in spring.")
    page.get_by_label("Index a folder or file on this machine").fill(str(tmp_path / "crane.txt"))
    page.keyboard.press("Enter")
    done(page, "Done: 1 added.")
    crane = row(page, "crane.txt")
    told = page.locator("#told")
    for undo in (
        lambda: told.get_by_role("button", name="Undo").click(),
        lambda: page.keyboard.press("Control+z"),
    ):
        crane.get_by_role("button", name="Remove").press("Enter")
        expect(told.get_by_role("status")).to_contain_text("Removed “The crane of Aldmoor")
        expect(crane).to_have_count(0)
        expect(page.locator("button.remove").first).to_be_visible()
        undo()
        expect(crane).to_have_count(1, timeout=60_000)
        expect(told.get_by_role("button")).to_be_hidden()
    (tmp_path / "crane.txt").unlink()
    crane.get_by_role("button", name="Remove").press("Enter")
    question = page.get_by_role("dialog", name="from the library?")
    expect(question).to_contain_text("Its file no longer exists, so this can't be undone.")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(crane.get_by_role("button", name="Remove")).to_be_focused()
    crane.get_by_role("button", name="Remove").press("Enter")
    question.get_by_role("button", name="Remove").press("Enter")
    expect(crane).to_have_count(0)
    expect(told.get_by_role("status")).to_contain_text("Removed “The crane of Aldmoor")
    expect(told.get_by_role("button")).to_be_hidden()


def test_one_is_read_again(page: Page, tmp_path: Path) -> None:
    """What is no longer as it was is a doubt in its row, which the keyboard unfolds."""
    (tmp_path / "toad.txt").write_text("The toad of Aldmoor sings in the rain.")
    page.get_by_label("Index a folder or file on this machine").fill(str(tmp_path / "toad.txt"))
    page.keyboard.press("Enter")
    done(page, "Done: 1 added.")
    toad = row(page, "toad.txt")
    toad.get_by_role("button", name="again").press("Enter")
    expect(page.locator("#told")).to_contain_text("is being read again.")
    done(page, "Done: 1 unchanged.")
    expect(toad.get_by_role("button", name="again")).to_be_focused()
    (tmp_path / "toad.txt").write_bytes(b"%PDF-1.7 and nothing else")
    toad.get_by_role("button", name="again").press("Enter")
    done(page, "Done: 1 could not be read.")
    doubts = toad.get_by_text("With warnings")
    expect(doubts).to_be_visible()
    doubts.press("Enter")
    expect(toad.locator("details li")).to_contain_text("damaged")


def test_what_cant_be_read_again_is_said(left_alone: Page, tmp_path: Path) -> None:
    """Its file has gone: the row stays, and a line at the foot says why."""
    page = left_alone
    (tmp_path / "vole.txt").write_text("The vole of Aldmoor swims at dusk.")
    page.get_by_label("Index a folder or file on this machine").fill(str(tmp_path / "vole.txt"))
    page.keyboard.press("Enter")
    expect(row(page, "vole.txt")).to_have_count(1, timeout=60_000)
    (tmp_path / "vole.txt").unlink()
    row(page, "vole.txt").get_by_role("button", name="again").press("Enter")
    expect(page.locator("#told")).to_contain_text("Its file no longer exists")
    expect(row(page, "vole.txt")).to_have_count(1)
