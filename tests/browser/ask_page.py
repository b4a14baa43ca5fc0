"""Let what a page asks for wait, so that a test sees what the page does meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route


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
