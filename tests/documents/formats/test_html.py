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
