"""What the shapes of the API have in common, and the conditions that several requests take."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, TypedDict, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH
from ui.pages.hit_html import file_name

MOST_CONDITIONS = 20
FURTHEST = 10_000_000
"""The greatest offset of a page; no library has as much."""

Source = Annotated[str, AfterValidator(file_name)]
"""Where a document was found, as everything shows it: the last part of the path, and never where
on this machine that is."""


class Shape(BaseModel):
    """A shape of the API, whose descriptions are the docstrings of its fields."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


def _day(given: object) -> object:
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        raise ValueError("a date is written like 2024-12-31")
    return given


def _condition(given: str) -> str:
    name, equals, _ = given.partition("=")
    if not (name and equals):
        raise ValueError("a condition is written NAME=VALUE, like author=Ada")
    return given


Day = Annotated[dt.date, BeforeValidator(_day)]

Pair = Annotated[
    str,
    AfterValidator(_condition),
    Field(max_length=MAX_FILTER_LENGTH, json_schema_extra={"pattern": "^[^=]+="}),
]


Condition = Annotated[str, Field(max_length=MAX_FILTER_LENGTH)]


def _given(schema: JsonDict) -> None:
    """Say of a parameter what it is when it is given: no request can say null."""
    of_value, _ = cast("list[JsonDict]", schema.pop("anyOf"))
    schema.update(of_value)


OPTIONAL = Field(json_schema_extra=_given)
"""Of a parameter that may be left out."""


class Conditions(TypedDict):
    """Conditions as the methods of a library take them."""

    since: dt.date | None
    until: dt.date | None
    source: str | None
    title: str | None
    language: str | None
    where: dict[str, str]


class Filters(BaseModel):
    """Which documents to look in, in the words of ``rag ask``; all that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    since: Annotated[Day | None, OPTIONAL] = None
    """Documents of that day or later."""
    until: Annotated[Day | None, OPTIONAL] = None
    """Documents of that day or earlier."""
    source: Annotated[Condition | None, OPTIONAL] = None
    """Files like ``*.pdf`` or ``letters/*``."""
    title: Annotated[Condition | None, OPTIONAL] = None
    """Documents with this in the title."""
    language: Annotated[Condition | None, OPTIONAL] = None
    """Documents in a language, ``en`` say."""
    where: Annotated[list[Pair], Field(max_length=MOST_CONDITIONS)] = []
    """``NAME=VALUE``: documents whose metadata say so; may be repeated."""

    @property
    def conditions(self) -> Conditions:
        """The same, as a library takes it."""
        return Conditions(
            since=self.since,
            until=self.until,
            source=self.source,
            title=self.title,
            language=self.language,
            where=dict(self._pair(one) for one in self.where),
        )

    @staticmethod
    def _pair(given: str) -> tuple[str, str]:
        name, _, value = given.partition("=")
        return name, value


Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_LENGTH)]
Offset = Annotated[int, Field(ge=0, le=FURTHEST)]
