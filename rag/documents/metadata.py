"""Metadata of documents: title, author, date, language and named fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rag.documents.dates import parse_date
from rag.documents.loaded import Block, Loaded, first_title, in_parts, join_blocks
from rag.documents.whitespace import one_line
from rag.types import Heading
from rag.types.parts import READ_AS

_NO_TITLES = frozenset(
    {
        *("untitled", "powerpoint presentation", "powerpoint-präsentation"),
        *("présentation powerpoint", "presentación de powerpoint", "powerpoint-presentatie"),
        *("presentazione standard di powerpoint", "apresentação do powerpoint"),
        *("презентация powerpoint", "powerpoint 演示文稿", "powerpoint プレゼンテーション"),
    }
)
"""Placeholder titles inserted by programs."""

# In each list the first non-empty field wins, whatever its case.
_DATE = (
    *("date", "published", "published_at", "publishedat", "publication_date", "datepublished"),
    *("date_published", "publishdate", "publish_date", "pubdate", "pub_date", "created"),
    *("created_at", "createdat", "timestamp", "time"),
)
_AUTHOR = ("author", "authors", "creator", "byline", "by")
_LANGUAGE = ("language", "lang", "locale")

_OURS = frozenset({"title_from", "author_from", "date_from", "language_from", READ_AS})
"""Reserved metadata names for the origins of facts; a file's field of that name is renamed."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says about itself: title and date, None if missing, and all other fields,
    including ``author`` and ``language`` and the origin of each of the four.
    """

    title: str | None = None
    date: dt.date | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def of_text(
        self,
        text: str,
        headings: tuple[Heading, ...],
        *,
        notes: Mapping[str, str] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Loaded:
        """Combine a text and this metadata, with ``notes`` as further fields; a missing title is
        taken from a heading.
        """
        return Loaded(
            text=text,
            title=self.title or first_title(text, headings),
            date=self.date,
            metadata={**self.fields, **(notes or {})},
            headings=headings,
            warnings=warnings,
        )

    def of_blocks(self, blocks: Iterable[Block], warnings: tuple[str, ...] = ()) -> Loaded:
        """As :meth:`of_text`, from blocks."""
        return self.of_text(*join_blocks(blocks), warnings=warnings)

    def in_parts(
        self,
        blocks: Iterable[Block],
        warnings: Callable[[], tuple[str, ...]] = tuple,
        notes: Mapping[str, str] | None = None,
    ) -> Iterator[Loaded]:
        """As :meth:`of_blocks`, in parts; ``warnings`` is called after each part for its
        warnings.
        """
        for text, headings in in_parts(blocks):
            yield self.of_text(text, headings, notes=notes, warnings=warnings())


def file_metadata(
    *, title: str = "", author: str = "", date: str = "", language: str = ""
) -> Metadata:
    """A file's own properties, as written; empty strings where missing."""
    title = one_line(title)
    title = "" if title.lower() in _NO_TITLES else title
    own = {"author": one_line(author), "language": one_line(language)}
    day = parse_date(date)
    origins = {
        f"{name}_from": "file"
        for name, value in {"title": title, "date": day, **own}.items()
        if value
    }
    return Metadata(title or None, day, {name: v for name, v in own.items() if v} | origins)


def from_fields(fields: Mapping[str, object], titles: tuple[str, ...] = ("title",)) -> Metadata:
    """Interpret named fields: front matter, a field list, a record. ``titles`` are the names of
    possible title fields, in lower case.

    A date that is not a single day stays among the fields, under its own name.
    """
    names = by_lower_case(fields)
    texts = {
        key: words for key, value in fields.items() if (words := one_line(format_value(value)))
    }

    def first(wanted: tuple[str, ...]) -> str:
        return next((names[name] for name in wanted if names.get(name) in texts), "")

    dates = {names[name]: parse_date(fields[names[name]]) for name in _DATE if name in names}
    dated = next((key for key, date in dates.items() if date), "")
    used = {"title": first(titles), "author": first(_AUTHOR), "language": first(_LANGUAGE)}
    metadata = {
        f"{name}_" if (name := one_line(key)) in _OURS else name: words
        for key, words in texts.items()
        if key not in (dated, *used.values())
    }
    for name in ("author", "language"):
        if used[name]:
            metadata[name] = texts[used[name]]
    origins = {**used, "date": dated}
    metadata |= {f"{name}_from": "file" for name, key in origins.items() if key}
    return Metadata(texts.get(used["title"]), dates.get(dated), metadata)


def by_lower_case(fields: Mapping[str, object]) -> dict[str, str]:
    """Map lower-case field names to their original spelling; the first of duplicates wins."""
    names: dict[str, str] = {}
    for name in fields:
        names.setdefault(name.lower(), name)
    return names


def format_value(value: object) -> str:
    """Format a scalar, or a list of scalars joined; empty for anything nested deeper.

    An object, such as an author with an address, is represented by its name.
    """
    values = value if isinstance(value, list) else [value]
    named = (one.get("name") if isinstance(one, dict) else one for one in values)
    return ", ".join(filter(None, map(scalar, named)))


def scalar(value: object) -> str:
    """Format a string, number, date or boolean; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, str | int | float) else ""
