"""How good the library is, and passages like a hit, in a real browser, on any screen."""

from __future__ import annotations

from ask_page import FITS, OpenPage
from playwright.sync_api import expect


def test_a_hit_leads_to_passages_like_it(open_page: OpenPage, address: str) -> None:
    """From an answer to passages like it, from there to more of them, and back to the question."""
    page = open_page(f"{address}/?q=Who+built+the+bridge+of+Vessy")
    page.get_by_role("link", name="Similar passages").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Similar passages")
    first, second = page.locator("article").nth(0), page.locator("article").nth(1)
    expect(first).to_contain_text("The bridge of Vessy was built by Maillart in 1936.")
    expect(second).to_contain_text("Similarity 0.")
    second.get_by_role("link", name="Similar passages").click()
    expect(first).not_to_contain_text("Maillart")
    page.get_by_role("link", name="Go to the search").click()
    expect(page.locator("#search")).to_be_visible()
    assert page.evaluate("window.__pwned") is None


def test_it_fits_a_phone_and_the_dark(open_page: OpenPage, address: str) -> None:
    """Nothing is wider than the screen."""
    page = open_page(f"{address}/library", width=390, height=844, scheme="dark")
    page.get_by_role("link", name="How good is this library").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How good is this library")
    assert page.evaluate(FITS)
