"""The base of the API's schemas, and the filters that several requests share."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH, Filter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST_CONDITIONS = 20
FURTHEST = 10_000_000
"""The largest offset of a page, more than any library holds."""

RESPONSE = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)
"""The docstrings of the fields become their descriptions."""

T = TypeVar("T")


class Shape(BaseModel):
    """Base of the responses; dataclasses of :mod:`rag` in it are described in the same way."""

    model_config = RESPONSE


class Parameters(BaseModel):
    """Base of what requests contain."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def extend(kind: Callable[..., T], value: DataclassInstance, **more: object) -> T:
    """Make a dataclass of the fields of ``value``, which is of a base class, and of ``more``."""
    return kind(**{one.name: getattr(value, one.name) for one in fields(value)} | more)


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
    """Describe a parameter without the null alternative, which no request can express."""
    of_value, _ = cast("list[JsonDict]", schema.pop("anyOf"))
    schema.update(of_value)


OPTIONAL = Field(json_schema_extra=_given)
"""For optional parameters."""


class Filters(Parameters):
    """Document filters, named as in ``rag ask``; all of them must match."""

    since: Annotated[Day | None, OPTIONAL] = None
    """Documents from this day on."""
    until: Annotated[Day | None, OPTIONAL] = None
    """Documents up to this day."""
    source: Annotated[Condition | None, OPTIONAL] = None
    """Glob pattern for files, such as ``*.pdf`` or ``letters/*``."""
    title: Annotated[Condition | None, OPTIONAL] = None
    """Words in the title."""
    language: Annotated[Condition | None, OPTIONAL] = None
    """Language code, such as ``en``."""
    where: Annotated[list[Pair], Field(max_length=MOST_CONDITIONS)] = []
    """``NAME=VALUE``: documents with this metadata value; repeatable."""
    collections: Annotated[list[Condition], Field(max_length=MOST_CONDITIONS)] = []
    """Name of a collection: documents in any of those given; repeatable."""

    @property
    def filter(self) -> Filter:
        """All of them together."""
        pairs = (one.partition("=") for one in self.where)
        return Filter(
            self.since,
            self.until,
            self.source,
            self.title,
            self.language,
            {name: value for name, _, value in pairs},
            self.collections,
        )


Sort: TypeAlias = Literal["newest", "oldest", "title", "source", "language", "pages", "passages"]
"""Sort orders of :meth:`rag.Library.documents`."""

Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_LENGTH)]
Offset = Annotated[int, Field(ge=0, le=FURTHEST)]
