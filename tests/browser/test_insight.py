"""How good the library is, in a real browser: the map's marks tell and lead, on any screen."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from test_page import FITS

OpenPage = Callable[..., Page]


def test_the_map_leads_to_neighbours(open_page: OpenPage, address: str) -> None:
    """From the documents to the map, from a mark to passages like it, from there to the text."""
    page = open_page(f"{address}/library")
    page.get_by_role("link", name="How good is this library").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How good is this library")
    drawn = page.locator(".map")
    expect(drawn).to_be_visible(timeout=60_000)
    expect(page.locator(".drawing")).to_be_hidden()
    marks = drawn.locator("a")
    passages = re.search(r"(\d+) passages", page.locator(".insight header p").inner_text())
    assert passages
    assert marks.count() == int(passages[1])
    mark = marks.filter(has_text="The bridge of Vessy")
    expect(mark.locator("title")).to_contain_text("It spans the river Arve.")
    mark.locator("use").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Passages like this one")
    first, second = page.locator("article").nth(0), page.locator("article").nth(1)
    expect(first).to_contain_text("The bridge of Vessy was built by Maillart in 1936.")
    expect(second).to_contain_text("Likeness 0.")
    second.get_by_role("link", name="Passages like it").click()
    expect(first).not_to_contain_text("Maillart")
    page.get_by_role("link", name="Back to the map").click()
    expect(drawn).to_be_visible()
    assert page.evaluate("window.__pwned") is None


def test_the_page_is_for_keys_too(open_page: OpenPage, address: str) -> None:
    """No mark is a stop of the Tab key; the list below the map leads to the same page."""
    page = open_page(f"{address}/insight")
    stops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('.map') !== null"))
        if page.evaluate("document.activeElement.matches('#map summary')"):
            break
    assert stops
    assert not any(stops)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Passages like this one")


def test_it_fits_a_phone_and_the_dark(open_page: OpenPage, address: str) -> None:
    """Nothing is wider than the screen, and marks have their colours."""
    page = open_page(f"{address}/insight", width=390, height=844, scheme="dark")
    expect(page.locator(".map")).to_be_visible(timeout=60_000)
    assert page.evaluate(FITS)
    fill = page.locator(".map use").first.evaluate("mark => getComputedStyle(mark).fill")
    assert fill == "rgb(111, 180, 242)"
    page.locator(".map use").first.click(force=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("Passages like this one")
    assert page.evaluate(FITS)


def test_an_empty_library_says_so(open_page: OpenPage, empty_address: str) -> None:
    """There is neither a diagram nor a map."""
    page = open_page(f"{empty_address}/insight")
    expect(page.get_by_text("There is nothing to look at yet")).to_be_visible()
    expect(page.locator("svg")).to_have_count(0)
