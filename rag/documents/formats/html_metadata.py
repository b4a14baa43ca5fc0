"""What a web page says of itself: in its head, in JSON-LD, in elements marked as such."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from rag.documents.dates import parse_date
from rag.documents.fields import Facts, in_words
from rag.documents.whitespace import one_line

_Element: TypeAlias = Any  # of lxml, which ships no types
_Declared: TypeAlias = Mapping[str, Sequence[str]]

_TITLE = (
    *("og:title", "headline", "citation_title", "dc.title", "dcterms.title", "twitter:title"),
)
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
"""What is wanted of JSON-LD."""

_MOST_SAID = 20
"""Values that one name may have, as with the authors of a paper."""

_ADDRESS = re.compile(r"https?:|www\.|\S+@\S+$", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def page_facts(tree: _Element, byline: str | None) -> Facts:
    """Title, date, author and language of a page, as it declares them for programs to read.

    ``byline`` is the author that its content seems to name, for want of another. The date is that
    of publication; none is guessed from the text.
    """
    declared = _declared(tree)
    author = _author(declared)
    language = _language(tree, declared)
    title = _title(tree, declared)
    date = next(filter(None, map(parse_date, _all(declared, _DATE))), None)
    origins = {
        "title": "file" if title else "",
        "author": "file" if author else "document" if byline else "",
        "date": "file" if date else "",
        "language": "file" if language else "",
    }
    if date is None:
        date = next(filter(None, map(parse_date, _marked_dates(tree))), None)
        origins["date"] = "document" if date else ""
    metadata = {"author": author or one_line(byline or ""), "language": language}
    metadata |= {f"{name}_from": origin for name, origin in origins.items()}
    return Facts(title or None, date, {name: words for name, words in metadata.items() if words})


def _all(declared: _Declared, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from declared.get(name, ())


def _title(tree: _Element, declared: _Declared) -> str:
    """The title that the page declares, without the site's name where that can be told."""
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
    """All that one name gives, unless these are addresses, as of the author's page."""
    for name in _AUTHOR:
        said = map(one_line, declared.get(name, ()))
        names = [words for words in said if words and not _ADDRESS.match(words)]
        if names:
            return "; ".join(dict.fromkeys(names))  # many are written "Doe, Jane"
    return ""


def _language(tree: _Element, declared: _Declared) -> str:
    root = tree.getroottree().getroot()
    said = (root.get("lang"), root.get("xml:lang"), *_all(declared, _LANGUAGE))
    tags = (words.strip() for words in said if words)
    return next((tag.replace("_", "-") for tag in tags if _TAG.fullmatch(tag)), "")


def _marked_dates(tree: _Element) -> Iterator[str]:
    marked = tree.xpath("//time[@pubdate] | //*[@itemprop = 'datePublished']")
    for element in islice(marked, _MOST_SAID):
        yield element.get("datetime") or element.get("content") or element.text_content()


def _declared(tree: _Element) -> _Declared:
    """What the page's meta elements and JSON-LD say, by name in lower case, in order."""
    said: dict[str, list[str]] = {}

    def say(name: str, value: str) -> None:
        values = said.setdefault(name.lower(), [])
        if len(values) < _MOST_SAID:
            values.append(value)

    for meta in tree.iter("meta"):
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            if meta.get(attribute) and meta.get("content"):
                say(meta.get(attribute), meta.get("content"))
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        for name, value in _linked_data(script.text or ""):
            say(name, value)
    return said


def _linked_data(source: str) -> Iterator[tuple[str, str]]:
    """What a piece of JSON-LD says of the page, outermost first."""
    try:
        nodes = [json.loads(source, strict=False)]
    except (ValueError, RecursionError):
        return
    for node in nodes:  # which grows meanwhile
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            yield from ((name, words) for name in _LINKED if (words := in_words(node.get(name))))
            nodes += node.values()
