from __future__ import annotations

import datetime as dt
import logging
import socket
import time

import pytest
from whole import whole

from rag.documents.formats.html import load_html as html_parts
from rag.documents.loaded import Loaded
from rag.errors import LoadError

load_html = whole(html_parts)


def _load(markup: str) -> Loaded:
    return load_html(markup.encode())


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


_MENU = "".join(f"<li><a href='/{i}'>Section number {i} of the paper</a></li>" for i in range(12))
_MORE = "".join(
    f"<div class='teaser'><a href='/story-{i}'>Another story by somebody, part {i}</a></div>"
    for i in range(12)
)

NEWS = f"""<!DOCTYPE html>
<html lang="en-IN"><head>
<title>India and Belgium talk - The Daily Example</title>
<meta property="og:title" content="India and Belgium talk about defence">
<meta property="article:published_time" content="2025-03-05T18:30:00+05:30">
<meta name="author" content="Jane Doe">
<script type="application/ld+json">{{"@type": "Article", "datePublished": "2025-03-04"}}</script>
<style>p {{ color: red }}</style>
</head><body>
<nav><ul>{_MENU}</ul></nav>
<main><article>
<h1>India and Belgium talk about defence</h1>
<p>India and Belgium are actively exploring defence cooperation in the Indo-Pacific region, marking
a significant expansion of their bilateral ties. The talks took place in New Delhi on Tuesday.</p>
<h2>The light tank</h2>
<p>A key focus area is the <b>Zorawar</b> light tank project, where a Belgian company is involved in
supplying critical components like the 105mm gun turret. Trials are to begin before the winter.</p>
<ul><li>Components are made in two places.</li><li>Trials begin in the mountains.</li></ul>
<h2>What it costs</h2>
<table><tr><th>Year</th><th>Sum</th></tr><tr><td>2024</td><td>3.5 million</td></tr></table>
<p>The ministers agreed to meet again in the spring, when the results of the trials are known and
the next contracts are to be signed. Until then the work on the turret goes on as planned.</p>
</article></main>
<aside><h3>Read this too</h3>{_MORE}</aside>
<div class="comments"><p>I don't believe a word of it, said a reader.</p></div>
<footer><p>All rights reserved by the publishers of the Daily Example.</p></footer>
<script>var words = "not text";</script>
</body></html>"""

ARTICLE = """\
India and Belgium talk about defence

India and Belgium are actively exploring defence cooperation in the Indo-Pacific region, marking \
a significant expansion of their bilateral ties. The talks took place in New Delhi on Tuesday.

The light tank

A key focus area is the Zorawar light tank project, where a Belgian company is involved in \
supplying critical components like the 105mm gun turret. Trials are to begin before the winter.

- Components are made in two places.
- Trials begin in the mountains.

What it costs

Year | Sum
2024 | 3.5 million

The ministers agreed to meet again in the spring, when the results of the trials are known and \
the next contracts are to be signed. Until then the work on the turret goes on as planned."""


def test_an_article_among_menus_and_teasers() -> None:
    """The article is taken, with its headings, lists and tables; what is around it is not."""
    loaded = _load(NEWS)
    assert loaded.text == ARTICLE
    assert _headings(loaded) == [
        (1, "India and Belgium talk about defence"),
        (2, "The light tank"),
        (2, "What it costs"),
    ]
    assert loaded.title == "India and Belgium talk about defence"
    assert loaded.date == dt.date(2025, 3, 5)
    assert loaded.metadata == {
        "extraction": "article",
        "author": "Jane Doe",
        "language": "en-IN",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
        "language_from": "file",
    }


def test_a_page_without_an_article() -> None:
    """All that is seen is read: nothing is lost of a short page, a list or a table."""
    loaded = _load(
        """<html><head><title>Opening hours</title></head><body><nav>Home</nav>
        <h1>Hours</h1><p>Open<br>daily &amp; late.<!-- not this --></p>
        <dl><dt>Monday</dt><dd>8 to 5</dd></dl>
        <ol start="3"><li>Ring<ul><li>once</li><li><p>or</p><p>twice</p></li></ul></li>
        <li>Wait</li></ol>
        <pre>  a
    b</pre>
        <table><caption>Rooms</caption><tr><th>No</th><th>Floor</th></tr><tr><td>1<td></tr>
        <tr><td>2</td><td>top</td></tr></table>
        <footer>Tel. <a href="x">12&nbsp;34</a></footer>
        <div style="display: none">secret</div><select><option>en</select></body></html>"""
    )
    assert (
        loaded.text
        == """\
Hours

Open
daily & late.

Monday
8 to 5

3. Ring
  - once
  - or

    twice
4. Wait

  a
    b

Rooms

No | Floor
1
2 | top

Tel. 12 34"""
    )
    assert _headings(loaded) == [(1, "Hours")]
    assert (loaded.title, loaded.date) == ("Opening hours", None)
    assert loaded.metadata == {"extraction": "page", "title_from": "file"}


def test_nothing_is_taken_from_a_page_without_boilerplate() -> None:
    """What looks like an article would lack the heading, and text that stands in no paragraph."""
    table = (
        "<table><tr><td>North</td><td>South</td></tr><tr><td>1815</td><td>1820</td></tr></table>"
    )
    loaded = _load(
        "<html><body><h1>Harbour</h1><p>The lamp is lit at dusk.</p>"
        f"{table}End of table</body></html>"
    )
    assert loaded.text == (
        "Harbour\n\nThe lamp is lit at dusk.\n\nNorth | South\n1815 | 1820\n\nEnd of table"
    )


def test_tables_that_arrange_a_page() -> None:
    """Cells with headings, with tables or with much in them are paragraphs, not a row."""
    loaded = _load(
        "<table><tr><td>Left</td><td><h2>Title</h2><p>One.</p><p>Two.</p></td></tr>"
        "<tr><td>Before<table><tr><td>a</td><td>b</td></tr></table>after</td></tr>"
        f"<tr><td>{'long ' * 200}</td><td>short</td></tr></table>"
    )
    assert loaded.text == (
        "Left\n\nTitle\n\nOne.\n\nTwo.\n\nBefore\n\na | b\n\nafter\n\n"
        + ("long " * 200).strip()
        + "\n\nshort"
    )
    assert _headings(loaded) == [(2, "Title")]


NO_CHARSETS = (b"undefined", b"idna", b"punycode", b"rot13", b"hex", b"unicode_escape")
"""Names that Python has for something else; a script writes "undefined" where it knows none."""

FRENCH = "<p>Le café est fermé à Noël, même en été.</p>"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (FRENCH.encode(), None),
        (FRENCH.encode("utf-16"), "utf-16"),
        (b'<meta charset="iso-8859-1">' + FRENCH.encode("cp1252"), "cp1252"),
        (b'<meta charset="mac-roman">' + FRENCH.encode("mac-roman"), "mac_roman"),
        (b'<?xml version="1.0" encoding="cp850"?>' + FRENCH.encode("cp850"), "cp850"),
        (b'<meta charset="nonsense">' + FRENCH.encode("cp1252"), "cp1252"),
        (b'<meta charset="utf-16">' + FRENCH.encode(), None),
        (b'<meta charset="latin-1">' + FRENCH.encode(), None),
        *(
            (b'<meta charset="%b">' % name + FRENCH.encode("cp1252"), "cp1252")
            for name in NO_CHARSETS
        ),
    ],
)
def test_encodings(data: bytes, encoding: str | None) -> None:
    """Byte order mark, UTF-8, the page's own word, a guess, in that order."""
    loaded = load_html(data)
    assert loaded.text == "Le café est fermé à Noël, même en été."
    assert loaded.metadata.get("encoding") == encoding


def test_japanese_in_seven_bits() -> None:
    """An encoding that looks like ASCII is believed when it is declared."""
    loaded = load_html(
        b'<meta charset="iso-2022-jp">' + "<p>これはテストです。".encode("iso2022_jp")
    )
    assert loaded.text == "これはテストです。"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<div>" * 100_000 + "deep</div>" * 100_000 + "<p>after</p>", "deep"),
        ("<b>" * 100_000 + "deep words", "deep words"),
        ("<table><tr><td>" * 20_000 + "deep words", "deep words"),
        ("<ul><li>" * 20_000 + "deep words", "deep words"),
        ("<p>" + "&amp;" * 3 + "&lt;script&gt; &#xD800;&#0;&nope;", "&&&<script> "),
        ('<!DOCTYPE a [<!ENTITY x "y">]><p>&x; words', "words"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x; words', "words"),
        ("<p>unclosed <b>tags <i>everywhere</p> and </more>", "unclosed tags everywhere"),
        ("no tag at all", "no tag at all"),
        ("<nav><a href='/'>only a menu</a></nav>", "only a menu"),
        ("<p>words" + "<?xml" * 200_000, "words"),
        ("<ul><li>x" * 20_000 + "deep words", "deep words"),
        ("<frameset><frame src=x><noframes>no frames</noframes></frameset>", "no frames"),
        ("<body style='display:none'>shown by a script", "shown by a script"),
        ("<p>tiny</p><div hidden>but all the words are here</div>", "words are here"),
        ('<?xml version="1.0" encoding="utf-8"?><html xmlns="x"><p>é</p></html>', "é"),
    ],
)
def test_hostile_and_broken_pages(markup: str, text: str) -> None:
    """Whatever the markup, the words come out, and in seconds."""
    start = time.perf_counter()
    loaded = _load(markup)
    assert text in loaded.text
    assert "root:" not in loaded.text
    assert len(loaded.text) < 50 * len(markup)
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("markup", ["", "<html></html>", "<!-- word", "<script>word", "<p> "])
def test_pages_without_words(markup: str) -> None:
    """There is no text, and the registry will say so."""
    assert _load(markup).text == ""


def test_what_is_no_page_is_refused() -> None:
    """A binary file with the suffix of a page is no page."""
    with pytest.raises(LoadError, match="it holds no text"):
        load_html(b"\x89PNG\r\n\x1a\n" + bytes(500))


def test_a_failing_extractor_costs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """If trafilatura trips over a page, the whole page is read."""
    import trafilatura

    def trip(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(trafilatura, "bare_extraction", trip)
    loaded = _load(NEWS)
    assert loaded.metadata["extraction"] == "page"
    assert "105mm gun turret" in loaded.text
    assert loaded.title == "India and Belgium talk about defence"


def test_silence(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No connection, no log record, nothing printed."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "socket", forbidden)
    with caplog.at_level(logging.DEBUG):
        for markup in (NEWS, "", "<p>x", "<nav>x</nav>", '<base href="http://a.b"><img src="/x">'):
            _load(markup)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def _with_head(
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
    loaded = _with_head(head)
    assert (loaded.title, loaded.metadata["title_from"]) == (title, "file")


def test_a_heading_stands_in_for_a_title() -> None:
    """It is of the content: nothing says that it is from the file."""
    loaded = _with_head("<meta name=robots content=all>")
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
    loaded = _with_head("", f"{markup}<p>Words.</p>")
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
    metadata = _with_head(head).metadata
    assert (metadata.get("author"), metadata.get("author_from")) == (author, origin)


def test_a_byline_in_the_article_is_of_the_content() -> None:
    """It counts where the head names nobody."""
    byline = "<span class='author'>Jane Doe</span><p>Words of the article.</p>"
    assert _with_head("", byline).metadata["author"] == "Jane Doe"
    assert _with_head("", byline).metadata["author_from"] == "document"
    head = '<meta name="author" content="Bob Roe">'
    assert _with_head(head, byline).metadata["author"] == "Bob Roe"
    assert _with_head(head, byline).metadata["author_from"] == "file"


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
    metadata = _with_head(head, html=html).metadata
    assert metadata.get("language") == language
    assert metadata.get("language_from") == ("file" if language else None)


def test_much_that_is_declared_costs_little() -> None:
    """Of ten thousand names twenty are kept."""
    head = "".join(f'<meta name="citation_author" content="A{n}">' for n in range(10_000))
    assert _with_head(head).metadata["author"] == "; ".join(f"A{n}" for n in range(20))


_POST = "<p>Attackers use better methods every year, which is why we write this.</p>"


@pytest.mark.parametrize(
    "body",
    [
        f"<script type='text/template'>{_POST}</script><noscript>{_POST}</noscript>",
        f"<div><template shadowrootmode='open'>{_POST}</template></div>",
    ],
)
def test_text_that_scripts_would_write(body: str) -> None:
    """It is read where most of a page is written by scripts, once; a request for them isn't."""
    page = f"<title>P</title><h3>Browsing</h3>{body}<div>Labels: x</div>"
    loaded = load_html(page.encode())
    assert loaded.text.split("\n\n") == ["Browsing", _POST[3:-4], "Labels: x"]
    loaded = load_html(f"{_POST}<noscript>Please switch on JavaScript.</noscript>".encode())
    assert loaded.text == _POST[3:-4]


def test_powers_in_articles() -> None:
    """They are told from their base in an article, as on a whole page."""
    lamps = (f"<p>Lamp {n} gives 10<sup>6</sup> lumen, and burns for years.</p>" for n in range(20))
    margin = "".join(f"<p>Word {n} of a margin</p>" for n in range(60))
    article = f"<article><h1>Lamps</h1>{''.join(lamps)}</article>"
    loaded = load_html(f"<html><body>{article}<footer>{margin}</footer></body></html>".encode())
    assert loaded.metadata["extraction"] == "article"
    assert "Lamp 7 gives 10^6 lumen" in loaded.text
