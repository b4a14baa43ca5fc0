"""The chooser of collections, in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ask_page import OpenPage, ask
from one_process import OneProcess
from playwright.sync_api import Browser, expect

EVIL = "<img src=x onerror='window.__pwned = 1'>"


def test_some_are_chosen(
    browser: Browser, open_page: OpenPage, process: OneProcess, tmp_path: Path
) -> None:
    """By ticks with counts, kept in the address; one alone leaves no choice, so there is none."""
    assert browser.is_connected()
    for name, text in (("tea", "Tea is grown in Assam."), (EVIL, "Coffee is grown in Kenya.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.txt").write_text(text)
    process.index(tmp_path / "library", [tmp_path / "tea"])
    with process.serving(tmp_path / "library") as address:
        page = open_page(address)
        page.get_by_text("Look only in some documents").click()
        expect(page.get_by_label("Until")).to_be_visible()
        expect(page.get_by_label("tea (1)")).to_be_hidden()
        page.close()  # before its server: it would complain
    process.index(tmp_path / "library", [tmp_path / EVIL])
    with process.serving(tmp_path / "library") as address:
        page = open_page(address)
        page.get_by_text("Look only in some documents").click()
        page.get_by_label("tea (1)").check()
        expect(ask(page, "What is grown?")).to_contain_text("Assam")
        expect(page.locator("article.hit")).to_have_count(1)
        assert parse_qs(urlsplit(page.url).query) == {"q": ["What is grown?"], "in": ["tea"]}
        page.reload()
        expect(page.get_by_label("tea (1)")).to_be_checked()
        expect(page.locator("article.hit")).to_have_count(1)
        page.get_by_label(f"{EVIL} (1)").check()
        page.get_by_label("Your question").press("Enter")
        expect(page.locator("article.hit")).to_have_count(2)
        assert parse_qs(urlsplit(page.url).query)["in"] == ["tea", EVIL]
        page.goto(f"{address}/?q=tea&in=none")
        expect(page.locator(".notice.problem")).to_contain_text("There is no collection “none”")
        assert page.evaluate("window.__pwned") is None
        page.close()
