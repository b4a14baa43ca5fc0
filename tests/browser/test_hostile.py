"""Two hundred hits whose text was written to break the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from ask_page import OpenPage
from one_process import OneProcess
from playwright.sync_api import Browser, expect

SUBJECTS = (
    *("anchors", "barrels", "candles", "drums", "easels", "flutes", "gloves", "hammers"),
    *("inkwells", "jackets", "kettles", "lanterns", "mirrors", "needles", "ovens", "pillows"),
    *("quilts", "ropes", "saddles", "tables", "umbrellas", "violins", "wagons", "axes"),
    *("bells", "chisels", "dolls", "engines", "fans", "globes", "harps", "icons"),
    *("jars", "keys", "ladders", "masks", "nails", "oars", "pianos", "quivers"),
)
"""One question each, which finds five documents."""

ATTACKS = (
    "<script>window.__pwned = 1</script>",
    '<img src=x onerror="window.__pwned = 2">',
    "<svg onload=window.__pwned=3><animate onbegin=window.__pwned=3></svg>",
    "{{ 7 * 7 }} {% raw %} ${window.__pwned = 4} {@html '<b>'} #{7*7}",
    "[read](javascript:window.__pwned=5) <a href='javascript:window.__pwned=5'>me</a>",
    "\u202egnp.exe\u202c \u2066\u2067\u2069 \u200f\u061c\u200b\ufeff",
    "</mark></article></main><iframe srcdoc='<script>parent.__pwned = 6</script>'></iframe>",
    "&lt;script&gt; &#x3c;b&#62; ]]> --> <!-- <![CDATA[",
    "<style>*{display:none}</style><base href='http://example.org/'><meta http-equiv=refresh>",
    "\"'><form action=http://example.org><input autofocus onfocus=window.__pwned=7>`",
)
"""Every subject has a document with each of the first five, or with each of the others."""

HALVES = (ATTACKS[:5], ATTACKS[5:])

LONG = f"An endless line on zeppelins <b onclick=window.__pwned=8>{'x' * 1_000_000}"


@pytest.fixture(scope="module")
def hostile(
    process: OneProcess, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server over two hundred hostile documents and one of a million characters in one line."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("hostile")
    articles = folder / "articles"
    articles.mkdir()
    for subject, attacks in zip(SUBJECTS, itertools.cycle(HALVES), strict=False):
        for number, attack in enumerate(attacks):
            text = f"The {subject} of workshop {number} {attack} are kept in a shed.\n"
            (articles / f"{subject}-{number} <b> \u202e.txt").write_text(text, encoding="utf-8")
    (articles / f"{'l' * 200}.txt").write_text(LONG, encoding="utf-8")
    process.index(folder / "library", [articles])
    with process.serving(folder / "library") as address:
        yield address


def test_two_hundred_hostile_hits_stay_text(open_page: OpenPage, hostile: str) -> None:
    """All of them are shown letter for letter; nothing runs, loads or leaves its place."""
    page = open_page(hostile)
    shown: set[str] = set()
    for subject in SUBJECTS:
        page.get_by_label("Your question").fill(f'Who keeps "{subject} of workshop" where?')
        page.keyboard.press("Enter")
        hits = page.locator("article.hit").filter(has_text=f"The {subject} of workshop")
        expect(hits).to_have_count(5)
        shown.update(
            quotation.rstrip() for quotation in hits.locator("blockquote").all_inner_texts()
        )
        for inside in (
            "article.hit :is(script, img, iframe, style, base, meta, form, input)",
            "article.hit :is(h2, .where, blockquote) :is(svg, [onload], [onclick], [onerror])",
            "article.hit [href^=javascript]",
        ):
            assert page.locator(inside).count() == 0, inside
    assert len(shown) == 200
    for attack in ATTACKS:
        assert sum(attack.strip("\ufeff") in one for one in shown) == 20, attack
    assert page.evaluate("window.__pwned") is None


@pytest.mark.parametrize("width", [360, 1280])
def test_a_line_of_a_million_characters(open_page: OpenPage, hostile: str, width: int) -> None:
    """The page stays as wide as it is, reading the document too, and whatever names its file."""
    page = open_page(hostile, width=width)
    page.get_by_label("Your question").fill("endless line on zeppelins")
    page.keyboard.press("Enter")
    first = page.locator("article.hit").first
    expect(first).to_contain_text("<b onclick=window.__pwned=8>xxx")
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits)
    first.get_by_role("link", name="Open the document").click()
    expect(page.locator("article").first).to_contain_text("An endless line on zeppelins <b onclick")
    assert page.evaluate(fits)
    assert page.locator("article b").count() == 0
    assert page.evaluate("window.__pwned") is None

    for address in ("library", f"?q={'w' * 300}&source={'s' * 200}"):
        page.goto(f"{hostile}/{address}")
        assert page.evaluate(fits), address
