"""Everything can be done with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from ask_page import OpenPage
from playwright.sync_api import Page, expect
from test_accessibility import PRINTED, VIEWS

LIMIT = 400
"""More stops of the Tab key than any view has."""

NUMBER = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary"
)].filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
    .map((one, i) => {
        one.dataset.stop = i;
        return `${i}: ${one.outerHTML.slice(0, 120)}`;
    })"""
"""Numbers what can be acted on."""


def numbered(page: Page) -> list[str]:
    """What can be acted on, once nothing more comes. Not when the network is idle: a page in a
    frame that was left while it was loaded may count as loading for ever.
    """
    before, now = None, page.evaluate(NUMBER)
    while now != before:
        page.wait_for_timeout(500)
        before, now = now, page.evaluate(NUMBER)
    return now


@pytest.mark.parametrize("view", VIEWS)
def test_every_control_is_a_stop(
    open_page: OpenPage, address: str, view: Callable[[Page], None]
) -> None:
    """The Tab key comes by each link, button and field, and each shows that it is the one."""
    page = open_page(address, width=900)
    view(page)
    controls = numbered(page)
    assert controls
    reached, unseen = set(), []
    for _ in range(LIMIT):
        page.keyboard.press("Tab")
        at, seen = page.evaluate(
            """() => {
                const one = document.activeElement;
                const ringed = (e) => e && (getComputedStyle(e).outlineStyle !== "none"
                    || getComputedStyle(e).boxShadow !== "none");
                return [one.dataset.stop ?? "", ringed(one) || ringed(one.closest("#ask"))];
            }"""
        )
        if at and not seen:
            unseen.append(controls[int(at)])
        reached.add(at)
        if len(reached - {""}) == len(controls):
            break
    assert [one for i, one in enumerate(controls) if str(i) not in reached] == []
    assert unseen == []


def test_from_the_question_to_the_page(open_page: OpenPage, address: str) -> None:
    """Ask, walk down, open the printed page beside the hits, close it, and cite."""
    page = open_page(address, width=1440)
    page.get_by_text("Newest articles").wait_for()
    expect(page.get_by_label("Your question")).to_be_focused()  # from the start
    page.keyboard.type(PRINTED)
    page.keyboard.press("Enter")
    hits = page.locator("article.hit")
    expect(hits.first.locator("mark")).to_contain_text("Maillart")
    page.keyboard.press("ArrowDown")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("o")
    pane = page.frame_locator("#reading iframe")
    expect(pane.locator(".sheet rect")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#reading")).to_have_count(0)
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    cite = hits.first.get_by_text("Cite", exact=True)
    for _ in range(LIMIT):
        page.keyboard.press("Tab")
        if cite.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(hits.first.get_by_role("button", name="Markdown")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()


def test_limits_by_keys(open_page: OpenPage, address: str) -> None:
    """The fields unfold, and a type is chosen from the list, without a pointer."""
    page = open_page(address, width=900)
    page.get_by_text("Newest articles").wait_for()
    page.get_by_role("button", name="Look only in some documents").press("Enter")
    kind = page.get_by_label("Type", exact=True)
    kind.focus()
    for _ in range(4):  # "any", and the types of the three documents
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(200)
        if page.locator("[role=option].active", has_text="pdf").count():
            break
    page.keyboard.press("Enter")
    expect(kind).to_have_value("pdf (1)")
    page.get_by_label("Your question").focus()
    page.keyboard.type(PRINTED)
    page.keyboard.press("Enter")
    expect(page.locator("article.hit")).to_have_count(1)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_less_motion(
    open_page: OpenPage, address: str, motion: Literal["no-preference", "reduce"]
) -> None:
    """What shows that work is going on moves, but not for whoever asked for less motion."""
    page = open_page(address, width=900)
    page.emulate_media(reduced_motion=motion)
    page.locator("#ask").wait_for()
    page.evaluate("document.getElementById('ask').classList.add('busy')")
    moving = page.evaluate("document.getAnimations().some((one) => one.playState === 'running')")
    assert moving is (motion == "no-preference")
