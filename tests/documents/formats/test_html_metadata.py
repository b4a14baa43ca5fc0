from __future__ import annotations

import datetime as dt

import pytest
from whole import whole

from rag.documents.formats.html import load_html as html_parts
from rag.documents.loaded import Loaded

load_html = whole(html_parts)


def _load(
    head: str, body: str = "<h1>The heading</h1><p>Words.</p>", html: str = "<html>"
) -> Loaded:
    return load_html(f"{html}<head>{head}</head><body>{body}</body></html>".encode())


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ('<title>T - Site</title><meta property="og:title" content="Real">', "Real"),
        ('<script type="application/ld+json">{"@graph": [{"headline": "L"}]}</script>', "L"),
        ("<title>The heading | Site</title>", "The heading"),
        ("<title> Other\n title </title>", "Other title"),
        ('<meta property="og:title" content=" "><title>Real</title>', "Real"),
    ],
)
def test_titles(head: str, title: str) -> None:
    """What the head declares; the site's name goes where a heading shows which part it is."""
    loaded = _load(head)
    assert (loaded.title, loaded.metadata["title_from"]) == (title, "file")


def test_a_heading_stands_in_for_a_title() -> None:
    """It is of the content: nothing says that it is from the file."""
    loaded = _load("<meta name=robots content=all>")
    assert (loaded.title, loaded.metadata) == ("The heading", {"extraction": "page"})


@pytest.mark.parametrize(
    ("markup", "date", "origin"),
    [
        ('<meta name="DC.date.issued" content="5 March 2025">', dt.date(2025, 3, 5), "file"),
        ('<meta name="date" content="03/04/2025">', None, None),
        (
            '<script type="application/ld+json">[{"a": {"datePublished": "2025-03-05"}}]</script>',
            dt.date(2025, 3, 5),
            "file",
        ),
        ('<script type="application/ld+json">{"datePublished": </script>', None, None),
        ('<script type="application/ld+json">' + "[" * 100_000 + "</script>", None, None),
        ('<time pubdate datetime="2025-03-05">today</time>', dt.date(2025, 3, 5), "document"),
        ('<span itemprop="datePublished">March 5, 2025</span>', dt.date(2025, 3, 5), "document"),
        ("<p>Copyright 2019. Last seen on 2020-02-02.</p>", None, None),
        ('<meta property="article:modified_time" content="2025-03-05">', None, None),
    ],
)
def test_dates(markup: str, date: dt.date | None, origin: str | None) -> None:
    """Only what is marked as the date of publication counts; text is never searched."""
    loaded = _load("", f"{markup}<p>Words.</p>")
    assert (loaded.date, loaded.metadata.get("date_from")) == (date, origin)


def _linked(said: str) -> str:
    return f'<script type="application/ld+json">{said}</script>'


@pytest.mark.parametrize(
    ("head", "author", "origin"),
    [
        ('<meta name="author" content=" Jane  Doe ">', "Jane Doe", "file"),
        ('<meta name="DC.creator" content="Jane Doe">', "Jane Doe", "file"),
        (
            '<meta name="citation_author" content="Doe, J.">' * 2
            + '<meta name="citation_author" content="Roe, R.">',
            "Doe, J.; Roe, R.",
            "file",
        ),
        (
            """<meta property="article:author" content="https://example.org/jane">
            <meta name="byl" content="By Jane Doe">""",
            "By Jane Doe",
            "file",
        ),
        (_linked('{"author": {"@type": "Person", "name": "Jane Doe"}}'), "Jane Doe", "file"),
        (_linked('{"author": [{"name": "J. Doe"}, {"name": "R. Roe"}]}'), "J. Doe, R. Roe", "file"),
        (_linked('{"@graph": [{"author": {"@id": "#jane"}}]}'), None, None),
        ('<meta name="author" content="jane@example.org">', None, None),
        ("", None, None),
    ],
)
def test_authors(head: str, author: str | None, origin: str | None) -> None:
    """Those whom the head names; an address is no name."""
    metadata = _load(head).metadata
    assert (metadata.get("author"), metadata.get("author_from")) == (author, origin)


def test_a_byline_in_the_article_is_of_the_content() -> None:
    """It counts where the head names nobody."""
    byline = "<span class='author'>Jane Doe</span><p>Words of the article.</p>"
    assert _load("", byline).metadata["author"] == "Jane Doe"
    assert _load("", byline).metadata["author_from"] == "document"
    head = '<meta name="author" content="Bob Roe">'
    assert _load(head, byline).metadata["author"] == "Bob Roe"
    assert _load(head, byline).metadata["author_from"] == "file"


@pytest.mark.parametrize(
    ("html", "head", "language"),
    [
        ('<html lang="en-IN">', "", "en-IN"),
        ('<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de">', "", "de"),
        ('<html lang="">', '<meta http-equiv="Content-Language" content="fr">', "fr"),
        ("<html>", '<meta property="og:locale" content="pt_BR">', "pt-BR"),
        ("<html>", _linked('{"inLanguage": "hi"}'), "hi"),
        ('<html lang="de">', '<meta property="og:locale" content="en_US">', "de"),
        ('<html lang="{{ lang }}">', "", None),
        ("<html>", '<meta http-equiv="content-language" content="en, fr">', None),
    ],
)
def test_languages(html: str, head: str, language: str | None) -> None:
    """The page's own tag first; what is no tag is none."""
    metadata = _load(head, html=html).metadata
    assert metadata.get("language") == language
    assert metadata.get("language_from") == ("file" if language else None)


def test_much_that_is_declared_costs_little() -> None:
    """Of ten thousand names twenty are kept."""
    head = "".join(f'<meta name="citation_author" content="A{n}">' for n in range(10_000))
    assert _load(head).metadata["author"] == "; ".join(f"A{n}" for n in range(20))
