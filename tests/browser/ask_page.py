"""The ask page as tests use it: ask a question, or let what a page asks for wait."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Route

OpenPage = Callable[..., Page]

QUESTION = "Which company supplies the turret of the Zorawar light tank?"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def ask(page: Page, question: str) -> Locator:
    """Types a question, presses Enter, and waits for the first hit."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    first = page.locator("article.hit").first
    first.wait_for()
    return first


@contextmanager
def holding(page: Page, pattern: str) -> Iterator[list[Route]]:
    """What is asked of addresses that fit waits until the end."""
    held: list[Route] = []
    over = False

    def hold(route: Route) -> None:
        if over:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(pattern), hold)
    yield held
    over = True
    for route in held:
        route.continue_()


def until(page: Page, routes: list[Route]) -> None:
    """Wait for the first of them."""
    for _ in range(600):
        if routes:
            return
        page.wait_for_timeout(100)
    pytest.fail("nothing was asked")
