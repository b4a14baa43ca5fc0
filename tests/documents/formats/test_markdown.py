from __future__ import annotations

import datetime as dt
import time

import pytest

from rag.documents.formats.markdown import load_markdown
from rag.documents.loaded import Loaded


def _load(source: str) -> Loaded:
    (loaded,) = load_markdown(source.encode())
    return loaded


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


def test_a_whole_page() -> None:
    """Headings, emphasis, links, lists, tables, quotes and code become readable text."""
    loaded = _load(
        """\
# The *first* heading

Some **bold** and _thin_ ~~struck~~ words with a [link](https://example.org "title"),
an ![image of a cat](cat.png) and `inline  code`.\\
A new line.

Second heading
--------------

- one
- two
  with more
    1. deep
    2. deeper

       and a paragraph
- three

7. seven
8. eight

| year | sum |
|------|----:|
| 2009 | **3.5** |
| 2010 | |

> A quote
> goes on.

```python
def f():
    return 1


x = 2
```
"""
    )
    assert (
        loaded.text
        == """\
The first heading

Some bold and thin struck words with a link, an image of a cat and inline code.
A new line.

Second heading

- one
- two with more
  1. deep
  2. deeper

    and a paragraph
- three

7. seven
8. eight

year | sum
2009 | 3.5
2010

A quote goes on.

def f():
    return 1

x = 2"""
    )
    assert _headings(loaded) == [(1, "The first heading"), (2, "Second heading")]
    assert loaded.title == "The first heading"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a <b>bold</b> word<br>and <!-- no --> more", "a bold word\nand more"),
        ("List<T> of <name> and 1 < 2", "List<T> of <name> and 1 < 2"),
        ("a <script>alert(1)</script> b <script> c", "a b c"),
        ("<div>\n<p>in a <i>block</i></p>\n<style>x</style></div>\n\nafter", "in a block\n\nafter"),
        ("<script>\nalert(1)\n\n</script>\n\nafter", "after"),
        ("<!-- a\n\ncomment -->\n\nafter", "after"),
        ("&amp; &copy; &#0; \\*", "& © \ufffd *"),
        ("[a][1] and <https://example.org>\n\n[1]: /x", "a and https://example.org"),
        ("    code\n      more", "code\n  more"),
        ("* * *\n\nword", "word"),
    ],
)
def test_markup_goes_and_words_stay(source: str, text: str) -> None:
    """HTML tags, scripts, comments, entities, references."""
    assert _load(source).text == text


def test_headings_in_html_count() -> None:
    """Many a README begins with a centred heading in HTML."""
    loaded = _load('<h1 align="center">The\nName</h1>\n\nWords.\n\n## Next')
    assert _headings(loaded) == [(1, "The Name"), (2, "Next")]
    assert loaded.text == "The Name\n\nWords.\n\nNext"


def test_front_matter() -> None:
    """Title, date, author and language are taken, the rest is metadata, all as strings."""
    loaded = _load(
        "---\ntitle: 'My  title'\ndate: 2025-03-05\nauthors: [Jane, {name: Bob}]\nlang: en-GB\n"
        "tags: [a, b, 3]\n2: two\n"
        "draft: true\nempty:\nupdated: 2025-03-06 10:00:00\nnested: {a: b}\n---\n"
        "# Heading\n\nWords."
    )
    assert loaded.title == "My title"
    assert loaded.date == dt.date(2025, 3, 5)
    assert loaded.metadata == {
        "author": "Jane, Bob",
        "language": "en-GB",
        "tags": "a, b, 3",
        "2": "two",
        "draft": "true",
        "updated": "2025-03-06T10:00:00",
        "title_from": "file",
        "date_from": "file",
        "author_from": "file",
        "language_from": "file",
    }
    assert loaded.text == "Heading\n\nWords."


def test_an_ambiguous_date_is_metadata() -> None:
    """What names no single day is kept as it was written."""
    loaded = _load("---\ndate: 03/04/2025\n---\nWords.")
    assert loaded.date is None
    assert loaded.metadata == {"date": "03/04/2025"}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("---\ntitle: [x\n---\nWords.", "title: [x\n\nWords."),
        ("---\ndate: 2025-13-45\n---\nWords.", "date: 2025-13-45\n\nWords."),
        ("---\n!!python/object/apply:os.getcwd []\n---\nWords.", None),
        ("---\n" + "[" * 100_000 + "\n---\nWords.", None),
        ("---\n" + "[" * 20_000 + "\n---\nWords.", None),
        ("---\n" + "? " * 20_000 + "\n---\nWords.", None),
        ("---\nA text between rules.\n\n---\n\nWords.", "A text between rules.\n\nWords."),
        ("---\ntitle: never closed\n\nWords.", "title: never closed\n\nWords."),
        ("---\n---\nWords.", "Words."),
    ],
)
def test_broken_front_matter_is_text(source: str, text: str | None) -> None:
    """It never costs the document, nor any of its words."""
    loaded = _load(source)
    assert loaded.title is None
    assert loaded.text.endswith("Words.")
    if text is not None:
        assert loaded.text == text


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("## Second\n\n# First\n\ntext", "First"),
        ("text\n\n### Third\n\n## Second", "Third"),
        ("text", None),
        ("---\ntitle: 2025\n---\n# H", "2025"),
    ],
)
def test_titles(source: str, title: str | None) -> None:
    """Front matter, then the first heading of level 1, then the first heading, then none."""
    assert _load(source).title == title


def test_script_tags_that_are_never_closed() -> None:
    """Ten thousand of them take a second; their words stay."""
    start = time.perf_counter()
    assert _load("a <script> " * 10_000).text == ("a " * 10_000).strip()
    assert time.perf_counter() - start < 10
    assert _load("a <script>b</SCRIPT> c <style>d</style> e").text == "a c e"


@pytest.mark.parametrize("unit", ["> ", "- ", ">"])
def test_nesting_beyond_reason_costs_no_words(unit: str) -> None:
    """Where the parser would drop words, the source is taken as it is, and that is noted."""
    loaded = _load(unit * 5000 + "deep words")
    assert loaded.text.endswith("deep words")
    assert loaded.metadata == {"extraction": "source"}
    assert _load(unit * 10 + "deep words").metadata == {}
