"""Reading beside the hits, the keyboard, citations, and limits, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ask_page import QUESTION, OpenPage, ask
from conftest import PRINTED
from playwright.sync_api import expect
from test_page import ANSWER


def test_the_document_opens_beside_the_hits(open_page: OpenPage, address: str) -> None:
    """The marked sentence is in sight there, and the hits stay; Escape closes it."""
    page = open_page(address)
    hit = ask(page, QUESTION)
    hit.get_by_role("link", name="Open the document").click()
    document = page.frame_locator("#reading iframe")
    expect(document.locator("mark#answer")).to_have_text(ANSWER)
    expect(document.locator("mark#answer")).to_be_in_viewport(ratio=1)
    expect(document.get_by_role("link", name="Back to the results")).to_have_count(0)
    expect(hit).to_be_visible()
    document.get_by_label("Find in the text").fill("gun  TURRET")
    document.get_by_label("Find in the text").press("Enter")
    expect(document.get_by_role("status")).to_have_text("Once in this text.")
    page.get_by_role("button", name="Close the document").click()
    expect(page.locator("#reading")).to_have_count(0)


def test_a_pdf_opens_at_its_printed_page(open_page: OpenPage, address: str) -> None:
    """The page is drawn, and the box lies around the sentence; pages turn; the text is a click
    away.
    """
    page = open_page(address)
    ask(page, "Who built the bridge of Vessy?").get_by_role("link", name="Open").click()
    document = page.frame_locator("#reading iframe")
    expect(document.get_by_text("page 2 / 3")).to_be_visible()
    picture = document.get_by_role("img", name="Page 2 of “Bridges of Geneva”")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") == 1400
    box = document.locator(".sheet rect")
    expect(box).to_have_count(1)
    x, y = (float(box.get_attribute(name) or "nan") for name in ("x", "y"))
    assert abs(x - 72 / 595.3) < 0.01
    assert abs(y - (841.9 - 700 - 12) / 841.9) < 0.02
    document.get_by_role("link", name="Next page").click()
    expect(document.get_by_text("page 3 / 3")).to_be_visible()
    expect(document.locator(".sheet rect")).to_have_count(0)
    document.get_by_role("link", name="As text").click()
    expect(document.locator("mark#answer")).to_have_text(PRINTED[0])


def test_limits_are_kept_in_the_address(open_page: OpenPage, address: str) -> None:
    """Only what fits is searched; a reload, or a link that was sent, asks the same."""
    page = open_page(address)
    page.get_by_text("Look only in some documents").click()
    expect(page.get_by_label("Until")).to_have_attribute("type", "date")  # now it's ready
    page.get_by_label("Until").fill("2010-12-31")
    hit = ask(page, QUESTION)
    expect(hit.get_by_text("bridge.pdf")).to_be_visible()
    expect(page.locator("article.hit blockquote", has_text="Zorawar")).to_have_count(0)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"q": [QUESTION], "until": ["2010-12-31"]}
    page.reload()
    expect(page.get_by_label("Until")).to_have_value("2010-12-31")
    expect(page.locator("article.hit").first.get_by_text("bridge.pdf")).to_be_visible()
    page.get_by_label("Until").fill("1990-01-01")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".notice.nothing")).to_contain_text("No document matches these filters")


def test_more_around_a_passage(open_page: OpenPage, address: str) -> None:
    """The passages before and after come in place, as text; then the button goes."""
    page = open_page(address)
    hit = ask(page, QUESTION)
    short = hit.locator("blockquote").inner_text()
    hit.get_by_role("button", name="More context").click()
    context = hit.locator("blockquote .context")
    expect(context.first).to_be_visible()
    expect(hit.get_by_role("button", name="More context")).to_have_count(0)
    around = context.all_inner_texts()
    assert around[0].startswith("India and Belgium are actively exploring")
    assert around[-1].endswith("robust defence manufacturing ecosystem.")
    whole = hit.locator("blockquote").inner_text()
    assert whole.startswith(around[0])
    assert short in whole
    assert whole.endswith(around[-1])
