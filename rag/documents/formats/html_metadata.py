"""Metadata of a web page: its head, JSON-LD, and marked-up elements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from rag.documents.dates import parse_date
from rag.documents.fields import Facts, format_value
from rag.documents.whitespace import one_line

_Element: TypeAlias = Any  # an lxml element (lxml ships no types)
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
"""JSON-LD properties to use."""

_MOST_SAID = 20
"""Maximum number of values per name, such as a paper's authors."""

_ADDRESS = re.compile(r"https?:|www\.|\S+@\S+$", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def page_facts(tree: _Element, byline: str | None) -> Facts:
    """Title, date, author and language of a page, from its machine-readable metadata.

    ``byline`` is the author named in the content, used if there is no other. The date is that of
    publication; none is guessed from the text.
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
    return next((tag.replace("_", "-") for tag in tags if _TAG.fullmatch(tag)), "")


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
