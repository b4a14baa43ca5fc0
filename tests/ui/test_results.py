"""The hits of a question: what is shown, what is marked, and that all of it stays text."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from normalized_html import normalized

from rag import Library, file_name
from rag.types import Answer, Hit, Quote
from ui import strings
from ui.pages import answers, highlights
from ui.pages.filter_form import FilterForm
from ui.templates import render


class Tags(HTMLParser):
    """Collects the tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def told(*hits: Hit, confidence: float = 0.9, reading: tuple[str, ...] = ()) -> Answer:
    """An answer with these hits."""
    sure = tuple(replace(hit, confidence=confidence) for hit in hits)
    return Answer(confidence >= 0.5, confidence, sure, reading=reading)


def results(*hits: Hit, confidence: float = 0.9) -> str:
    """The page's HTML for these hits."""
    return normalized(answers.results("q", told(*hits, confidence=confidence)))


def quotation(hit: Hit) -> str:
    """What stands in a hit's quotation."""
    return results(hit).split("<blockquote>")[1].split("</blockquote>")[0]


def words_of(html: str) -> str:
    """What a person reads."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_the_answer_is_marked_and_nothing_else(hit: Hit) -> None:
    """The mark holds the answering sentence, word for word."""
    marks = re.findall(r"<mark>(.*?)</mark>", quotation(hit))
    assert [words_of(mark) for mark in marks] == ["Cockerill supplies its turret."]


def test_the_passage_is_shown_whole_with_its_paragraphs(hit: Hit) -> None:
    """Each paragraph is a <p>, and together they are the passage."""
    whole = replace(hit, text="Opening words.\n\nIndia buys.\n \n\nIt is light.", start=0, end=43)
    html = quotation(whole)
    assert [words_of(p) for p in re.findall(r"<p>(.*?)</p>", html)] == [
        "Opening words.",
        "India buys.",
        "It is light.",
    ]


def test_an_answer_across_paragraphs_is_marked_in_both(hit: Hit) -> None:
    """A mark never crosses a paragraph: each has its own part."""
    crossing = replace(
        hit, text="One two.\n\nThree four.", start=0, answer=replace(hit.answer, start=4, end=15)
    )
    html = quotation(crossing)
    assert html == "<p>One <mark>two.</mark></p><p><mark>Three</mark> four.</p>"


def test_matched_words_are_marked_in_text_only(hit: Hit) -> None:
    """Matched words are underlined as whole words in any case, never inside tags."""
    html = quotation(hit)
    assert '<span class="word">Zorawar</span>' in html
    assert html.count('class="word"') == 2
    tagged = replace(hit, why=replace(hit.why, matched=("class", "span", "mark", "word")))
    assert 'class="word"' not in quotation(tagged)


def test_a_word_inside_another_is_not_matched() -> None:
    """A "tank" isn't marked in "tanker", and regular expression signs are only signs."""
    found = highlights.pattern(["tank", "C++", "a.b"])
    assert highlights.pieces("tanker TANK axb", (0, 15), found) == [
        (0, "tanker ", False),
        (7, "TANK", True),
        (11, " axb", False),
    ]


def test_facts_are_in_words_without_a_path(hit: Hit) -> None:
    """The date is written out, the source is the file's name, the page has its number."""
    html = results(replace(hit, page=3, headings=("Arms", "Tanks")))
    assert '<time datetime="2025-03-05">5 March 2025</time>' in html
    assert "turret.txt" in html
    assert "/home" not in html
    assert "private" not in html
    assert "page 3" in html
    assert "<li>Arms</li><li>Tanks</li>" in html


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/a/b/c.txt", "c.txt"),
        (r"C:\a\b c.md", "b c.md"),
        ("c.html", "c.html"),
        ("https://a.example/b/", "b"),
    ],
)
def test_file_names(source: str, name: str) -> None:
    """The last part of a path of either kind, or of an address."""
    assert file_name(source) == name


def test_no_date_no_trail_no_duplicates(hit: Hit) -> None:
    """What a hit doesn't have leaves no empty shell behind."""
    html = results(replace(hit, date=None))
    assert "<time" not in html
    assert "trail" not in html
    assert "The same passage" not in html


def test_duplicates_are_named_by_file(hit: Hit) -> None:
    """Folded duplicates are listed, without their folders."""
    html = results(replace(hit, also_in=("/x/one.txt", "/y/two.txt")))
    assert "The same passage in 2 other files: one.txt, two.txt" in html


def test_the_link_opens_the_article_at_the_answer(hit: Hit) -> None:
    """The address is relative and carries the passage, the answer and the question."""
    assert answers.address(hit, "a & b?") == (
        "documents/d1?passage=16-88&answer=45-75&q=a+%26+b%3F#answer"
    )
    assert results(hit).count("documents/d1?passage=16-88&amp;answer=45-75") == 2


def test_a_pdf_opens_at_its_printed_page(hit: Hit) -> None:
    """With the page's number; the places of other hits in it go along."""
    printed = replace(hit, source="/x/turret.PDF", page=7)
    beside = replace(hit, answer=Quote("Other.", 3, 9))
    assert answers.address(printed, "q", [printed, beside]) == (
        "documents/d1?passage=16-88&answer=45-75&others=3-9&q=q&page=7#answer"
    )
    html = results(hit, beside, replace(beside, document_id="d2"))
    assert html.count("others=3-9&amp;q=q") == 2  # the title's link and the open one
    assert html.count("others=45-75&amp;q=q") == 2


def test_a_hit_can_be_cited(hit: Hit) -> None:
    """Four forms to copy, fetched when asked for, and the lasting link."""
    html = results(hit)
    assert 'data-quoted="documents/d1/citation?start=45&amp;end=75"' in html
    assert re.findall(r'class="copy" value="(\w+)"', html) == [
        *("plain", "markdown", "apa", "bibtex"),
    ]
    assert "cite?document=d1&amp;start=45&amp;end=75&amp;hash=" in html


@pytest.mark.parametrize(
    ("confidence", "word", "percent"),
    [
        *((1.0, "strong match", "above 99 %"), (0.9, "strong match", "90 %")),
        *((0.899, "fair match", "90 %"), (0.5, "fair match", "50 %")),
        *((0.499, "weak match", "50 %"), (0.0, "weak match", "below 1 %")),
    ],
)
def test_confidence_is_a_bar_a_word_and_a_probability(
    hit: Hit, confidence: float, word: str, percent: str
) -> None:
    """The bar shows the probability, the word begins at its threshold, the tip says both."""
    html = results(hit, confidence=confidence)
    assert re.findall(r"--filled:([\d.]+)", html) == [str(confidence)]
    assert re.findall(r"</span></span>([^<]+)</span>", html) == [word]
    tip = f"{word.capitalize()}: a passage this good answers the question with a probability of "
    assert f'aria-label="{tip}{percent}."' in html


def test_without_a_calibrated_score_no_confidence_is_claimed(hit: Hit) -> None:
    """After a cross-encoder, say."""
    html = answers.results("q", Answer(answered=True, confidence=0.9, hits=(hit,)))
    assert hit.confidence is None
    assert "match" not in words_of(html)
    assert "strength" not in html


def test_why_says_it_in_plain_words(hit: Hit) -> None:
    """Three numbers, two ranks and the words found, folded away until asked for."""
    html = results(hit)
    assert '<details class="why"><summary>Why this passage</summary><dl>' in html
    assert re.findall(r"<dd>(\d\.\d\d)", html) == ["0.62", "0.80", "0.71"]
    assert "1st of all passages by meaning" in html
    assert "2nd of all passages by words" in html
    assert "%" not in html.split("<dl>")[1].split("</dl>")[0]
    unranked = replace(hit, why=replace(hit.why, words_rank=None))
    assert "not among the best by words" in results(unranked)


@pytest.mark.parametrize(
    ("rank", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st")],
)
def test_ordinals(rank: int, said: str) -> None:
    """Ranks as people say them."""
    assert strings.ordinal(rank) == said


def test_dates_do_not_depend_on_the_locale() -> None:
    """Every month has its English name."""
    assert [strings.day(dt.date(2024, month, 1)) for month in (1, 5, 12)] == [
        "1 January 2024",
        "1 May 2024",
        "1 December 2024",
    ]


def test_hostile_text_stays_text(hostile: Hit) -> None:
    """No tag and no attribute comes from a document, a title, a path or a question."""
    seen = Tags(answers.results('"><script>', told(hostile, reading=('<script>"',))))
    assert set(seen.tags) <= {
        *("section", "article", "header", "footer", "blockquote", "details", "summary"),
        *("h2", "p", "div", "span", "a", "ol", "ul", "li", "dl", "dt", "dd", "mark", "time"),
        *("button", "svg", "path"),
    }
    assert set(seen.attributes) <= {
        *("class", "href", "datetime", "role", "title", "aria-label", "style"),
        *("type", "value", "aria-pressed", "aria-hidden", "viewbox", "d"),
        *("data-question", "data-passage", "data-quoted", "data-document", "data-close"),
        *("data-copied", "data-not-copied"),
    }
    assert "<script>window.__pwned=1</script> {{7*7}} {% raw %} <img src=x" in seen.text


@given(
    text=st.text(),
    start=st.integers(0, 30),
    length=st.integers(0, 30),
    found=st.lists(st.text(max_size=4), max_size=3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the hit never changes
def test_marking_loses_and_adds_no_text(
    hit: Hit, text: str, start: int, length: int, found: list[str]
) -> None:
    """Whatever is marked, what a person reads is the text, character for character."""
    sought = replace(
        hit,
        text=text,
        start=0,
        end=len(text),
        answer=Quote("", start, start + length),
        why=replace(hit.why, matched=tuple(found)),
    )
    html = answers.results("q", told(sought)).split("<blockquote>")[1].split("</blockquote>")[0]
    blocks = [text[slice(*block)] for block in highlights.paragraphs(text)]
    shown = re.findall(r"<p[^>]*>(.*?)</p>", html, re.DOTALL)
    assert [words_of(paragraph) for paragraph in shown] == blocks
    marks = "".join(re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL))
    assert words_of(marks).split() == text[start : start + length].split() or len(blocks) > 1


@given(st.text(alphabet="ab \n\t."))
def test_paragraphs_keep_every_word(text: str) -> None:
    """Paragraphs lie in order, are trimmed, hold no empty line, and leave no word out."""
    blocks = [text[slice(*block)] for block in highlights.paragraphs(text)]
    assert "".join(blocks).split() == "".join(text.split("\n\n")).split() or len(blocks) > 1
    assert "".join("".join(blocks).split()) == "".join(text.split())
    assert all(block == block.strip() and block for block in blocks)


@pytest.mark.parametrize(
    ("paragraph", "lined"),
    [
        ("One line, however it ends.", False),
        (
            "Prose that was broken to fit a width has\nlines that are nearly full, all but\nlast.",
            False,
        ),
        ("Things to buy:\n- bread\n- butter", True),
        ("1. First one opens the lid of the box.\n2. Then one closes it.", True),
        ("Name | Height | Built in\nEiffel | 330 | 1889", True),
        ("if cold:\n    light(the_stove_in_the_corner)", True),
        ("The year was 2020\n2019 was better - by far", False),
    ],
)
def test_lines_that_mean_something(paragraph: str, *, lined: bool) -> None:
    """Lists, tables and programs keep their lines, and prose flows."""
    assert highlights.lined(paragraph) is lined


def test_lines_are_shown(hit: Hit) -> None:
    """A list in a passage is one."""
    text = "To buy:\n- bread\n- butter"
    listed = replace(hit, text=text, start=0, end=len(text), answer=Quote("To buy:", 0, 7))
    assert quotation(listed).startswith('<p class="lines"><mark>To buy:</mark>\n- bread\n')


def test_date_of_a_file_is_called_so(hit: Hit) -> None:
    """A date that is only that of the file says so; one from the document stands alone."""
    told = '<time datetime="2025-03-05">5 March 2025</time>'
    assert f"file of {told}" in results(replace(hit, date_from="file time"))
    own = results(replace(hit, date_from="document"))
    assert told in own
    assert "file of" not in own


def test_one_passage_is_not_counted_as_many(hit: Hit) -> None:
    """The line above the results speaks of one passage as one."""
    assert "One passage found." in results(hit)
    assert "2 passages found, best first." in results(hit, hit)


def test_doubt_is_said(hit: Hit) -> None:
    """Where the question is probably not answered, the page says so, and calls no match strong."""
    html = results(hit, confidence=0.066)
    assert (
        '<p class="summary">This is probably not in your documents (confidence 7 %). '
        "The nearest passages:</p>"
    ) in html
    assert "strong match" not in html
    assert "weak match" in html
    assert "strong match" in results(hit)


def test_how_the_question_was_read_is_said(hit: Hit) -> None:
    """Each line stands above the passages; a plain question has none, and no empty list."""
    reading = ("Only passages with “a<b”.", "No document …")
    html = normalized(answers.results("q", told(hit, reading=reading)))
    assert '<ul class="reading"><li>Only passages with “a&lt;b”.</li><li>No document …' in html
    assert "reading" not in results(hit)


def test_the_other_question_is_a_link(hit: Hit) -> None:
    """Where words were corrected, or may have been meant otherwise; it keeps its plus."""
    html = answers.results("q", replace(told(hit), alternative="Who was +Telsa & <b>?"))
    assert (
        '<a href=".?q=Who+was+%2BTelsa+%26+%3Cb%3E%3F">Who was +Telsa &amp; &lt;b&gt;?</a>' in html
    )


def test_every_state_has_its_own_words(tmp_path: Path) -> None:
    """Empty, no question, and an error, whose line is escaped."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as empty:
        for html in (answers.first_view(empty).body, answers.answer(empty, "Why?")):
            assert "<p><code>rag index PATH</code></p>" in html
        assert "Type a question first" in answers.answer(empty, " ")
        html = answers.answer(empty, "Why?", FilterForm(since="<b>"))
        assert '<section class="notice problem">' in html
        assert "<p>“&lt;b&gt;” is not a date; write it like 2025-03-05.</p>" in html


def test_languages_that_the_model_was_not_trained_on() -> None:
    """What the library says of them stands there; where it says nothing, nothing does."""
    html = render("masthead", articles=3, newest=None, note="de <12>")
    assert '<p class="untrained">de &lt;12&gt;</p>' in html
    assert "untrained" not in render("masthead", articles=3, newest=None, note="")
