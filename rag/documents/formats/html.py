"""Web pages."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from rag.documents.character_encoding import decoded_pieces, encoding_note
from rag.documents.content import Content
from rag.documents.dates import parse_date
from rag.documents.layout import MACHINERY, UNREADABLE, Layout, is_power
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata, file_metadata, format_value
from rag.documents.office_zip import is_out_of_memory
from rag.documents.whitespace import one_line

_Element: TypeAlias = Any  # an lxml element (lxml ships no types)
_Declared: TypeAlias = Mapping[str, Sequence[str]]
_Extract: TypeAlias = Any  # trafilatura's own Document

_LEAST_SHARE = 0.7
"""Minimum share of the page's text (outside navigation, margins and links) that the article must
cover. Below it, main text was lost, and the whole page is used instead."""

_MOST_SHARE = 0.8
"""Maximum share of the visible text that the article may cover: above it, there is hardly any
boilerplate, and the whole page keeps headings and lists better."""

_LEAST_MARGINS = 0.05
"""Minimum share of the visible text that navigation, margins and links hold on a page around an
article: exports of programs and handwritten pages have none."""

_MOST_ELEMENTS = 30_000
_DEEPEST = 250
"""Maximum nesting for article extraction: beyond it trafilatura would take minutes, and such a page
is a book rather than an article with boilerplate."""

_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_CHARSET_WITHIN = 4096
_DOCUMENT_MARKUP = re.compile(r"<\?xml[^>]{0,200}\?>|\x00")

_AS_HTML = {
    "list": "ul",
    "item": "li",
    "row": "tr",
    "cell": "td",
    "quote": "blockquote",
    "lb": "br",
}
"""HTML tags by trafilatura's names."""


_LARGE = 8 << 20
"""Size in bytes, without embedded images, from which a page is parsed in pieces."""
_PICTURE = re.compile(rb"data:[\w/+.-]{1,100};base64,[A-Za-z0-9+/=]+")
_PIECES_WITH_HEAD = 4
_WITHOUT_SCRIPTS = MACHINERY - {"noscript"}
_VIEWS = (
    partial(Layout, hidden=True),
    partial(Layout, _WITHOUT_SCRIPTS),
    partial(Layout, UNREADABLE),
)
"""What counts as page text, in order of preference. The second is for pages whose scripts would
reveal hidden elements, or write most of the text, the third for pages that are all navigation."""

_MARGINS = ("a", "aside", "footer", "form", "header", *sorted(_WITHOUT_SCRIPTS))

_NOTHING = Metadata()
_NOISY = ("trafilatura", "htmldate", "courlan", "justext")

_TITLE = ("og:title", "headline", "citation_title", "dc.title", "dcterms.title", "twitter:title")
_AUTHOR = (
    *("author", "article:author", "og:author", "citation_author", "dc.creator", "dc:creator"),
    *("dcterms.creator", "parsely-author", "sailthru.author", "byl", "creator"),
)
_DATE = (
    *("article:published_time", "datepublished", "citation_publication_date", "dc.date.issued"),
    *("dcterms.issued", "dcterms.date", "dc.date", "dc.date.created", "dcterms.created"),
    *("parsely-pub-date", "sailthru.date", "publication_date", "publish_date", "published_time"),
    *("pubdate", "publishdate", "article.published", "og:published_time", "date"),
)
_LANGUAGE = ("content-language", "og:locale", "dc.language", "inlanguage")

_LINKED = ("headline", "datePublished", "author", "inLanguage")
"""JSON-LD properties to use."""

_MOST_SAID = 20
"""Maximum number of values per name, such as a paper's authors."""

_ADDRESS = re.compile(r"https?:|www\.|\S+@\S+$", re.IGNORECASE)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def load_html(content: Content) -> Iterator[Loaded]:
    """Load a web page: its article, or all its text if no article is found; in parts if long.

    ``metadata["extraction"]`` is "article" or "page" accordingly. Title, author, date and language
    are those declared in the head, in JSON-LD or in marked-up elements; otherwise the title may be
    a heading, and the author a byline. No date is guessed from the text. Pages of many megabytes
    are parsed in pieces, without article extraction.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content, declared_encoding(content))
    if len(content) > _LARGE:
        pictures = sum(len(picture[0]) for picture in _PICTURE.finditer(content))
        if len(content) - pictures > _LARGE:
            yield from _load_in_pieces(content, encoding)
            return
        pieces, encoding = decoded_pieces(_PICTURE.sub(b"", content), declared_encoding(content))
    markup = _DOCUMENT_MARKUP.sub("", "".join(pieces))
    page = _whole_page(markup)
    tree = _tree(markup)
    if tree is None:
        yield from _to_loaded(page, encoding=encoding, extraction="page")
        return
    _mark_powers(tree)
    found = _trafilatura(tree) if _is_tractable(tree) else None
    article = _article(found) if found is not None else []
    is_article = bool(article) and _is_good_extraction(article, page, tree)
    yield from _to_loaded(
        article if is_article else page,
        stated=_page_facts(tree, found.author if found is not None else None),
        encoding=encoding,
        extraction="article" if is_article else "page",
    )


def _load_in_pieces(content: Content, encoding: str) -> Iterator[Loaded]:
    """Load all text of a page, keeping only one piece and one part in memory."""

    def pieces() -> Iterator[str]:
        decoded, _ = decoded_pieces(content, declared_encoding(content))
        return (_DOCUMENT_MARKUP.sub("", piece) for piece in decoded)

    head = _tree("".join(islice(pieces(), _PIECES_WITH_HEAD)))
    for view in _VIEWS:
        layout = view()
        letters = _count_letters(_stream_blocks(pieces(), layout))
        if layout.unseen <= letters > 0:
            break
    stated = _NOTHING if head is None else _page_facts(head, None)
    yield from _to_loaded(
        _stream_blocks(pieces(), view()), stated=stated, encoding=encoding, extraction="page"
    )


def _stream_blocks(pieces: Iterable[str], layout: Layout) -> Iterator[Block]:
    """Yield the blocks of a page that comes in pieces."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    parser = etree.HTMLParser(target=layout, encoding="utf-8", huge_tree=True)
    try:
        for piece in pieces:
            parser.feed(piece.encode("utf-8", "replace"))
            yield from layout.finished()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise MemoryError from error  # once there are elements, HTML has no other errors
    yield from layout.blocks()


def feed(markup: str, layout: Layout) -> None:
    """Feed ``markup``, nested to any depth, to ``layout``."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    parser = etree.HTMLParser(target=layout, encoding="utf-8", huge_tree=True)
    try:
        etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        if is_out_of_memory(error):
            raise MemoryError from error
        layout.data(markup)  # no elements at all


def blocks_of(markup: str) -> list[Block]:
    """The blocks of a page or a piece of one, as other formats hold them."""
    layout = Layout(UNREADABLE)
    feed(markup, layout)
    return layout.blocks()


def _to_loaded(
    blocks: Iterable[Block], *, stated: Metadata = _NOTHING, encoding: str, extraction: str
) -> Iterator[Loaded]:
    notes = {"extraction": extraction} | encoding_note(encoding)
    return stated.in_parts(blocks, notes=notes)


def declared_encoding(data: Content) -> str | None:
    """The encoding that a page declares near its beginning."""
    declared = _CHARSET.search(data[:_CHARSET_WITHIN])
    return declared[1].decode("ascii", "replace") if declared else None


def _whole_page(markup: str) -> list[Block]:
    """Blocks of all visible text, or of all text if none is visible."""
    for view in _VIEWS:
        layout = view()
        feed(markup, layout)
        blocks = layout.blocks()
        if layout.unseen <= _count_letters(blocks) > 0:
            break
    return blocks


def _count_letters(blocks: Iterable[Block]) -> int:
    return sum(len("".join(block.text.split())) for block in blocks)


def _is_good_extraction(article: list[Block], page: list[Block], tree: _Element) -> bool:
    """Whether the article kept nearly all main text and dropped much boilerplate."""
    main, whole = _count_page_letters(tree), _count_letters(page)
    if main > (1 - _LEAST_MARGINS) * whole:
        return False
    return _LEAST_SHARE * main < _count_letters(article) < _MOST_SHARE * whole


def _count_page_letters(tree: _Element) -> int:
    outside = " or ".join(f"ancestor::{tag}" for tag in _MARGINS)
    return sum(len("".join(words.split())) for words in tree.xpath(f"//text()[not({outside})]"))


def _tree(markup: str) -> _Element | None:
    from lxml import etree, html  # type: ignore[import-untyped,unused-ignore]

    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        return html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except etree.LxmlError as error:
        if is_out_of_memory(error):
            raise MemoryError from error
        return None  # unparseable


def _mark_powers(tree: _Element) -> None:
    """Tell superscripts from what they follow, as the layout does: trafilatura drops their tags."""
    for raised in tree.iter("sup"):
        before = raised.getprevious()
        base = raised.getparent().text if before is None else before.tail
        if is_power(base or "", raised.text_content()):
            raised.text = f"^{raised.text or ''}"


def _is_tractable(tree: _Element) -> bool:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    elements = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        elements += event == "start"
        depth += 1 if event == "start" else -1
        if elements > _MOST_ELEMENTS or depth > _DEEPEST:
            return False
    return True


def _trafilatura(tree: _Element) -> _Extract | None:
    import trafilatura
    from trafilatura.settings import use_config

    for name in _NOISY:  # it logs every page; what matters to the user is in the metadata
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    config = use_config()
    # Below this size trafilatura would return all paragraphs without headings; we use the whole
    # page.
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "0")
    try:
        return trafilatura.bare_extraction(
            tree,
            fast=True,  # no fallback extractors, which lose headings
            favor_recall=True,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"extensive_search": False},  # its date is not used
            config=config,
        )
    except Exception:  # noqa: BLE001 - whatever a broken page trips, its words are read anyway
        return None


def _article(found: _Extract) -> list[Block]:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    layout = Layout(frozenset())
    for event, element in etree.iterwalk(found.body, events=("start", "end")):
        tag = _html_tag(element)
        if event == "start":
            layout.start(tag, {})
            layout.data(element.text or "")
        else:
            layout.end(tag)
            layout.data(element.tail or "")
    return layout.blocks()


def _html_tag(element: _Element) -> str:
    if element.tag == "head":
        return str(element.get("rend") or "h3")
    if element.tag == "list" and element.get("rend") == "ol":
        return "ol"
    if element.tag == "code" and "\n" in "".join(element.itertext()):
        return "pre"
    return _AS_HTML.get(element.tag, str(element.tag))


def _page_facts(tree: _Element, byline: str | None) -> Metadata:
    """Title, date, author and language of a page, from its machine-readable metadata.

    ``byline`` is the author named in the content, used if there is no other. The date is that of
    publication; none is guessed from the text.
    """
    declared = _declared(tree)
    stated = file_metadata(
        title=_title(tree, declared),
        author=_author(declared),
        date=next(filter(parse_date, _all(declared, _DATE)), ""),
        language=_language(tree, declared),
    )
    found: dict[str, str] = {}
    if byline and "author" not in stated.fields:
        found = {"author": one_line(byline), "author_from": "document"}
    date = stated.date or next(filter(None, map(parse_date, _marked_dates(tree))), None)
    if date != stated.date:
        found["date_from"] = "document"
    return replace(stated, date=date, fields={**stated.fields, **found})


def _all(declared: _Declared, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from declared.get(name, ())


def _title(tree: _Element, declared: _Declared) -> str:
    """The declared title, without the site's name if that can be recognised."""
    named = next(filter(None, map(one_line, _all(declared, _TITLE))), "")
    title = one_line(tree.findtext(".//title") or "")
    if named or not title:
        return named
    for heading in tree.iter("h1"):
        words = one_line(heading.text_content())
        if words and title.startswith(words):
            return words
    return title


def _author(declared: _Declared) -> str:
    """All values of the first author name that has any, unless they are URLs of author pages."""
    for name in _AUTHOR:
        stated = map(one_line, declared.get(name, ()))
        names = [words for words in stated if words and not _ADDRESS.match(words)]
        if names:
            return "; ".join(dict.fromkeys(names))  # many are written "Doe, Jane"
    return ""


def _language(tree: _Element, declared: _Declared) -> str:
    root = tree.getroottree().getroot()
    stated = (root.get("lang"), root.get("xml:lang"), *_all(declared, _LANGUAGE))
    tags = (words.strip() for words in stated if words)
    return next((tag.replace("_", "-") for tag in tags if _LANGUAGE_TAG.fullmatch(tag)), "")


def _marked_dates(tree: _Element) -> Iterator[str]:
    marked = tree.xpath("//time[@pubdate] | //*[@itemprop = 'datePublished']")
    for element in islice(marked, _MOST_SAID):
        yield element.get("datetime") or element.get("content") or element.text_content()


def _declared(tree: _Element) -> _Declared:
    """Values of meta elements and JSON-LD, by lower-case name, in order."""
    stated: dict[str, list[str]] = {}

    def add(name: str, value: str) -> None:
        values = stated.setdefault(name.lower(), [])
        if len(values) < _MOST_SAID:
            values.append(value)

    for meta in tree.iter("meta"):
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            if meta.get(attribute) and meta.get("content"):
                add(meta.get(attribute), meta.get("content"))
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        for name, value in _linked_data(script.text or ""):
            add(name, value)
    return stated


def _linked_data(source: str) -> Iterator[tuple[str, str]]:
    """Properties of the page in a JSON-LD script, outermost first."""
    try:
        nodes = [json.loads(source, strict=False)]
    except (ValueError, RecursionError):
        return
    for node in nodes:  # the list grows during iteration
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            yield from (
                (name, words) for name in _LINKED if (words := format_value(node.get(name)))
            )
            nodes += node.values()
