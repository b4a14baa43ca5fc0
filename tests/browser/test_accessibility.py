"""Every view against the Web Content Accessibility Guidelines, as far as axe-core can tell.

Deque's axe-core finds what a program can find of WCAG 2.2 AA: contrast, names, roles, order.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ask_page import BACKGROUND, QUESTION, OpenPage, ask
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PRINTED = "Who built the bridge of Vessy?"
FOREIGN = "How do I bake sourdough bread?"


def first_view(page: Page) -> None:
    """What stands there before anything is asked."""
    page.get_by_text("Newest articles").wait_for()


def results(page: Page) -> None:
    """Hits, with the reasons of the first and all that can be done with it unfolded."""
    ask(page, QUESTION)
    for summary in page.locator("article.hit").first.locator("summary").all():
        summary.click()


def not_found(page: Page) -> None:
    """The nearest passages to what isn't there."""
    ask(page, FOREIGN)
    page.get_by_text("This is probably not in your documents").wait_for()


def narrowed(page: Page) -> None:
    """With the fields to limit a question by."""
    page.get_by_text("Look only in some documents").click()
    page.get_by_label("Type", exact=True).wait_for()


def beside(page: Page) -> None:
    """A document beside the hits."""
    page.set_viewport_size({"width": 1440, "height": 900})
    ask(page, QUESTION)
    page.get_by_role("link", name="Open the document").first.click()
    page.frame_locator("#reading iframe").locator("mark#answer").wait_for()


def text(page: Page) -> None:
    """The text of a document."""
    ask(page, QUESTION)
    page.get_by_role("link", name="Open the document").first.click()
    page.locator("mark#answer").wait_for()


def printed(page: Page) -> None:
    """A page of a PDF, as it is printed, with the sentence boxed."""
    ask(page, PRINTED)
    page.get_by_role("link", name="Open the document").first.click()
    page.locator("img").first.wait_for()


def citation(page: Page) -> None:
    """Where a permanent link leads."""
    ask(page, QUESTION)
    first = page.locator("article.hit").first
    first.get_by_text("Cite", exact=True).click()
    first.get_by_role("link", name="Permalink").click()
    page.get_by_text("is where it was when it was cited").wait_for()


def documents(page: Page) -> None:
    """What is in the library, and what can be done with it."""
    page.get_by_role("link", name="Documents", exact=True).click()
    page.get_by_role("heading", name="3 documents").wait_for()


def insight(page: Page) -> None:
    """How good the library is: all diagrams, with their tables unfolded."""
    documents(page)
    page.get_by_role("link", name="How good is this library").click()
    page.locator(".insight").wait_for()
    for summary in page.locator("summary").all():
        summary.click()


def neighbours(page: Page) -> None:
    """Passages like the first hit."""
    ask(page, QUESTION)
    page.get_by_role("link", name="Similar passages").first.click()
    page.get_by_role("heading", name="Similar passages").wait_for()


VIEWS = (
    *(first_view, results, not_found, narrowed, beside, text, printed, citation, documents),
    *(insight, neighbours),
)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious(open_page: OpenPage, address: str, view: Callable[[Page], None]) -> None:
    """No serious and no critical violation, by day and by night."""
    page = open_page(address, width=900)
    view(page)
    assert_accessible(page)


def test_nothing_serious_where_nothing_is(open_page: OpenPage, empty_address: str) -> None:
    """On a phone, in an empty library."""
    page = open_page(empty_address, width=390)
    for address in (empty_address, f"{empty_address}/library"):
        page.goto(address)
        page.get_by_text("Nothing is indexed yet").wait_for()
        assert_accessible(page)


def assert_accessible(page: Page) -> None:
    """In either scheme of colours, which are those of the page then."""
    backgrounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
        backgrounds.add(page.evaluate(BACKGROUND))
    assert len(backgrounds) == 2


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical, with the elements."""
    page.wait_for_timeout(300)  # transitions blend colours
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
