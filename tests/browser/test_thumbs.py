"""Thumbs in a real browser: by mouse and by keyboard, kept over a reload."""

from __future__ import annotations

from ask_page import QUESTION, OpenPage, ask
from playwright.sync_api import expect


def test_thumbs(open_page: OpenPage, address: str) -> None:
    """One is pressed or none; what was said is there when the question is asked again."""
    page = open_page(address)
    first = ask(page, QUESTION)
    right = first.get_by_role("button", name="This passage is right")
    wrong = first.get_by_role("button", name="This passage is wrong")
    expect(right).to_have_attribute("aria-pressed", "false")
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    expect(first.get_by_role("status")).to_have_text("Stored in this library only")
    right.focus()
    page.keyboard.press("Enter")
    expect(right).to_have_attribute("aria-pressed", "true")
    expect(wrong).to_have_attribute("aria-pressed", "false")
    page.reload()
    right = page.locator("article.hit").first.get_by_role("button", name="This passage is right")
    expect(right).to_have_attribute("aria-pressed", "true")
    right.press("Space")
    expect(right).to_have_attribute("aria-pressed", "false")
    expect(page.locator("article.hit").first.get_by_role("status")).to_have_text("Rating removed")
