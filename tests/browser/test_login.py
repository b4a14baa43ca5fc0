"""A server that others can reach, in a real browser: logging in, reading, and the page's policy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ask_page import OpenPage
from one_process import OneProcess
from playwright.sync_api import Browser, expect

from ui.security import accounts

PASSWORD = "a tank, a whale and bread"  # noqa: S105 (of nobody)


@pytest.fixture(scope="module")
def asking(
    process: OneProcess,
    browser: Browser,
    template: Callable[[], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A server that asks who somebody is."""
    assert browser.is_connected()
    process.may_say.add("A password was wrong, from 127.0.0.1.")
    folder = tmp_path_factory.mktemp("asking")
    known = accounts.EMPTY.with_person("ada", "owner", PASSWORD)
    known = known.with_person("bob", "reader", PASSWORD)
    accounts.save(known, folder / "people.json")
    library = shutil.copytree(template(), folder / "library")
    with process.serving(library, people=folder / "people.json") as address:
        yield address


@pytest.mark.parametrize(("name", "thumbs"), [("ada", 2), ("bob", 0)])
def test_logging_in_and_out(open_page: OpenPage, asking: str, name: str, thumbs: int) -> None:
    """By a form without a script; then the page is there, with what somebody may do.

    Whatever the page's policy forbids is told on the console, which makes ``open_page`` fail.
    """
    page = open_page("about:blank")
    page.goto(f"{asking}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("another password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Your question").fill("Who led the Belgian Economic Mission to India?")
    page.keyboard.press("Enter")
    first = page.locator("article.hit").first
    expect(first).to_contain_text("Princess Astrid")
    expect(first.locator("button.thumb")).to_have_count(thumbs)
    assert page.evaluate("document.cookie") == ""
    page.goto(f"{asking}/docs")
    expect(page.locator("#operations-questions-search")).to_be_visible()
    page.goto(f"{asking}/login")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_nothing_in_the_page_becomes_a_script(browser: Browser, address: str) -> None:
    """Should a document's text ever get into the page as markup, it would not run."""
    page = browser.new_page()  # not by open_page: Chromium says on its console what it forbids
    page.goto(address)
    page.get_by_label("Your question").wait_for()
    forbidden: list[str] = page.evaluate(
        """async () => {
            const found = [];
            document.addEventListener("securitypolicyviolation", (event) =>
                found.push(event.effectiveDirective));
            const smuggled = document.createElement("div");
            smuggled.innerHTML = '<img src="data:," onerror="window.__pwned = 1">';
            document.body.append(smuggled);
            await fetch("http://127.0.0.1:1/").catch(() => {});
            await new Promise((done) => setTimeout(done, 500));
            return [...found, String(window.__pwned)];
        }"""
    )
    page.close()
    assert sorted(forbidden) == ["connect-src", "script-src-attr", "undefined"]
