"""The page in a real browser: ask, read the marked sentence, open the article.

Every page here is watched by ``open_page``: whatever it asks of another machine, writes to the
console, throws or pops up fails the test.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ask_page import BACKGROUND, FITS, QUESTION, OpenPage, ask
from PIL import Image
from playwright.sync_api import expect

ANSWER = (
    "A key focus area is the Zorawar light tank project, where Belgian company John Cockerill "
    "Defence is involved in supplying critical components like the 105mm gun turret."
)


def test_enter_asks_and_the_answer_is_marked(open_page: OpenPage, address: str) -> None:
    """The field has the focus; a question typed there marks the sentence that answers it."""
    page = open_page(address)
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    first = page.locator("article.hit").first
    expect(first.locator("mark")).to_have_text(ANSWER)
    expect(first.locator("mark .word").first).to_be_visible()
    expect(first.locator("time")).to_have_text("5 March 2025")
    strength = first.get_by_label("a passage this good answers the question with a probability of")
    expect(strength).to_have_text("strong match")


def test_why_this_passage_opens(open_page: OpenPage, address: str) -> None:
    """The reasons are folded away until asked for."""
    first = ask(open_page(address), QUESTION)
    reason = first.get_by_text("1st of all passages by meaning")
    expect(reason).to_be_hidden()
    first.get_by_text("Why this passage").click()
    expect(reason).to_be_visible()


def test_the_button_searches_too(open_page: OpenPage, address: str) -> None:
    """Search does what Enter does."""
    page = open_page(address)
    page.get_by_label("Your question").fill(QUESTION)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("article.hit mark").first).to_have_text(ANSWER)


def test_an_example_asks_itself(open_page: OpenPage, address: str) -> None:
    """A click on an example fills the field and brings a passage that names what it asks about."""
    page = open_page(address)
    expect(page.locator(".masthead")).to_contain_text("3 articles, newest from 5 March 2025")
    page.get_by_role("button", name="the Belgian Economic Mission").click()
    expect(page.get_by_label("Your question")).to_have_value(re.compile("Belgian Economic Mission"))
    first = page.locator("article.hit").first
    expect(first.locator("blockquote")).to_contain_text("Belgian Economic Mission")
    expect(first.locator("mark")).not_to_be_empty()
    expect(page.get_by_text("Newest articles")).to_be_hidden()


def test_where_there_is_no_room_the_document_takes_the_page(
    open_page: OpenPage, address: str
) -> None:
    """The whole text opens with the sentence marked and in sight; the way back remembers."""
    page = open_page(address, width=900)
    ask(page, QUESTION).get_by_role("link", name="Open the document").click()
    mark = page.locator("mark#answer")
    expect(mark).to_have_text(ANSWER)
    expect(mark).to_be_in_viewport(ratio=1)
    expect(page.locator("article")).to_contain_text("manufacturing ecosystem.")
    page.get_by_role("link", name="Back to the results").click()
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    expect(page.locator("article.hit mark").first).to_have_text(ANSWER)


def test_no_question_gets_a_hint(open_page: OpenPage, address: str) -> None:
    """Enter in an empty field asks for a question, gently."""
    page = open_page(address)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".notice.hint")).to_contain_text("Type a question first")


def test_an_empty_library_says_what_to_do(open_page: OpenPage, empty_address: str) -> None:
    """With nothing indexed the page names the command, before and after a question."""
    page = open_page(empty_address)
    expect(page.locator(".notice.empty code")).to_have_text("rag index PATH")
    expect(page.locator("#examples button:visible")).to_have_count(0)
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".notice.empty")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_scrolling_sideways(
    open_page: OpenPage, address: str, scheme: str
) -> None:
    """First view, results and article fit a phone's width."""
    page = open_page(address, width=390, height=844, scheme=scheme)
    expect(page.locator("#examples button").first).to_be_visible()
    assert page.evaluate(FITS)
    first = ask(page, QUESTION)
    first.get_by_text("Why this passage").click()
    assert page.evaluate(FITS)
    first.get_by_role("link", name="Open the document").click()
    page.locator("mark#answer").wait_for()
    assert page.evaluate(FITS)


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(251, 250, 247)"), ("dark", "rgb(22, 24, 28)")]
)
def test_the_system_chooses_light_or_dark(
    open_page: OpenPage, address: str, tmp_path: Path, scheme: str, paper: str
) -> None:
    """Both pages follow the system's choice, in the style and in the picture."""
    page = open_page(address, width=900, scheme=scheme)
    ask(page, QUESTION)
    assert page.evaluate(BACKGROUND) == paper
    picture = tmp_path / f"{scheme}.png"
    page.screenshot(path=picture)
    with Image.open(picture) as image:
        assert "rgb({}, {}, {})".format(*image.convert("RGB").getpixel((5, 5))) == paper
    page.get_by_role("link", name="Open the document").first.click()
    page.wait_for_load_state()  # with its style
    assert page.evaluate(BACKGROUND) == paper
