"""What was asked in this session: the way back, and the list that asks again."""

from __future__ import annotations

import re
import time

import pytest
from ask_page import OpenPage, holding, until
from playwright.sync_api import CDPSession, Error, Page, Route, expect

FIRST = "Who built the bridge of Vessy?"
SECOND = "Where does a quokka sleep?"


def ask(page: Page, question: str, answer: str) -> None:
    """Ask, and see that a sentence with ``answer`` is marked first."""
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator("article.hit mark").first).to_contain_text(answer)


def test_way_back_leads_to_the_question_before(open_page: OpenPage, address: str) -> None:
    """Each question has an address of its own, and the first view has the one without."""
    page = open_page(address)
    ask(page, FIRST, "Maillart")
    ask(page, SECOND, "sleeps in the shade")
    page.go_back()
    expect(page.get_by_label("Your question")).to_have_value(FIRST)
    expect(page.locator("article.hit mark").first).to_contain_text("Maillart")
    page.go_back()
    expect(page.get_by_role("heading", name="Newest articles")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("")
    page.go_forward()
    expect(page.locator("article.hit mark").first).to_contain_text("Maillart")


def step(browser: CDPSession, entry: int) -> None:
    """Go to an entry of the history at once; while one page leaves for another it is refused."""
    for _ in range(100):
        try:
            browser.send("Page.navigateToHistoryEntry", {"entryId": entry})
        except Error:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the browser takes no step")


def test_quick_steps(open_page: OpenPage, address: str) -> None:
    """Whoever goes back and forth before the page has followed sees what belongs to the address."""
    page = open_page(address)
    ask(page, FIRST, "Maillart")
    ask(page, SECOND, "sleeps in the shade")
    browser = page.context.new_cdp_session(page)  # Playwright's own steps wait for the page
    entries = browser.send("Page.getNavigationHistory")["entries"]
    before, first, _ = [entry["id"] for entry in entries[-3:]]
    for entry in (first, before, first):
        step(browser, entry)
        page.wait_for_timeout(150)
    # A page that loads again just then may keep the address that it had before the last step.
    page.wait_for_function(
        """(first) => {
        const asked = document.querySelector("#question textarea")?.value;
        const marked = document.querySelector("article.hit mark")?.textContent ?? "";
        return location.search.includes("bridge")
            ? asked === first && marked.includes("Maillart")
            : asked === "" && !marked && document.querySelector("#newest")?.checkVisibility();
    }""",
        arg=FIRST,
    )


def test_steps_while_the_page_is_built(open_page: OpenPage, address: str) -> None:
    """Gradio reads the address once: who was elsewhere then sees, once back, what belongs here."""
    page = open_page(address)
    ask(page, FIRST, "Maillart")
    with holding(page, r"/queue/join") as asking, holding(page, r":\d+/$"):
        with holding(page, r"/assets/Index-\w+\.js$") as building:  # Gradio's own program
            page.reload(wait_until="commit")
            until(page, building)
            browser = page.context.new_cdp_session(page)
            entries = browser.send("Page.getNavigationHistory")["entries"]
            before, first = [entry["id"] for entry in entries[-2:]]
            step(browser, before)
        until(page, asking)
        step(browser, first)
    expect(page.locator("article.hit mark").first).to_contain_text("Maillart")
    expect(page).to_have_url(re.compile("bridge"))


@pytest.mark.parametrize(
    "query",
    ["q=bridge&q=Vessy&until=", "q=bridge&x=%ff;y&&=z&__theme=dark", "q=+%26%3D~*'%00%0A%C3%BC"],
)
def test_any_address_is_loaded_once(open_page: OpenPage, address: str, query: str) -> None:
    """However it is written, it is the one that is shown."""
    page = open_page(address)
    loaded: list[str] = []
    page.on("framenavigated", lambda frame: loaded.append(frame.url))
    page.goto(f"{address}/?{query}")
    foot = page.locator("#foot [data-address]")
    expect(foot).to_be_visible()
    page.wait_for_timeout(1000)  # in which it would be loaded again
    assert len(loaded) == 1
    same = "(a) => `${new URLSearchParams(a)}` === `${new URLSearchParams(location.search)}`"
    assert page.evaluate(same, foot.get_attribute("data-address"))


def test_impatient_question(open_page: OpenPage, address: str) -> None:
    """A question asked before the last one is answered is answered too, and its answer stays."""
    page = open_page(address)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/queue/join*", hold_the_first)
    field = page.get_by_label("Your question")
    field.fill(FIRST)
    with page.expect_request("**/queue/join*"):
        field.press("Enter")
    field.fill(SECOND)
    field.press("Enter")
    held[0].continue_()
    expect(page.locator("article.hit mark").first).to_contain_text("sleeps in the shade")
    expect(page).to_have_url(re.compile("quokka"))


def test_list_of_what_was_asked(open_page: OpenPage, address: str) -> None:
    """The others are listed, the latest first and each once; another tab doesn't know them."""
    page = open_page(address)
    asked = page.get_by_role("navigation", name="Asked in this session")
    expect(asked).to_be_hidden()
    ask(page, FIRST, "Maillart")
    expect(asked).to_be_hidden()  # there is nothing else
    ask(page, SECOND, "sleeps in the shade")
    ask(page, FIRST, "Maillart")
    expect(asked.get_by_role("link")).to_have_text([SECOND])
    page.get_by_role("link", name="Ask your documents").click()
    expect(asked.get_by_role("link")).to_have_text([FIRST, SECOND])
    asked.get_by_role("link", name=SECOND).click()
    expect(page.locator("article.hit mark").first).to_contain_text("sleeps in the shade")
    asked.get_by_role("button", name="Forget these").click()
    expect(asked).to_be_hidden()
    page.reload()
    expect(page.locator("article.hit mark").first).to_contain_text("sleeps in the shade")
    expect(asked).to_be_hidden()  # but for this one, which is asked again
    other = page.context.new_page()
    other.goto(f"{address}/?q=bridge")
    expect(other.locator("article.hit mark").first).to_contain_text("Maillart")
    expect(other.get_by_text("Asked in this session")).to_be_hidden()
