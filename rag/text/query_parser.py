"""Parse a query: words for the model, and filters.

Five forms are syntax, each only at the start of a word; everything else is plain words:

``"red shoes"``
    an exact phrase, in straight or curly quotes (``“…”``, ``„…“``, ``«…»``, ``»…«``);
``-blue``, ``-"dark blue"``
    excludes a word or phrase. Without quotes it must be three letters or more and nothing else, so
    that ``-5``, ``-O2`` and ``rm -rf`` stay plain words;
``+Telsa``
    disables spelling correction for this word, of three letters or more;
``title:tanks``, ``source:*.pdf``, ``language:en`` or ``lang:en``, ``author:"Ada Lovelace"``
    a filter on documents, with no space after the colon. Other names are not syntax, or “10:30” and
    “http://…” would be;
``since:2024-05-01``, ``until:2024``
    a date range; a year or month counts from its first day, or to its last.

Any text can be parsed, in any Unicode normalization form. Invalid syntax, such as a single
quotation mark or an impossible date, stays plain words; so does anything after the first
``MOST_CONDITIONS`` conditions.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from rag.errors import InputError
from rag.runtime.settings import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH, MAX_SEARCHED_LENGTH
from rag.text.unicode import plain
from rag.types import Clauses, Respelling
from rag.types.filters import Filter

# Guillemets point outwards in French and inwards in German: the first one decides.
_DIRECTED = r"“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|»[^«»]*«"
_SYNTAX = re.compile(
    rf"""
    (?P<directed>{_DIRECTED})
    | (?<![^\s(\[])  # not inside a word: 5" is no quote, well-known excludes nothing
    (?:
        "(?P<straight>[^"]*)"(?!\w)
        | -(?P<without>"[^"]*"(?!\w)|{_DIRECTED})
        | -(?P<word>[^\W\d_]{{3,}})(?=[.,;:!?)\]]*(?:\s|$))
        | \+(?P<exact>[^\W\d_]{{3,}})(?=[.,;:!?)\]]*(?:\s|$))
        | (?P<name>title|source|language|lang|author|since|until):
          (?P<value>"[^"]*"(?!\w)|{_DIRECTED}|[^\s"“„«»]\S*)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
MOST_CONDITIONS = 20
"""Maximum number of phrases, excluded words and filters in a query. Each costs a search, and
queries are untrusted input."""

_QUOTES = '"“”„«»'
_ENDS_A_SENTENCE = ".,;:!?"
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    ``question`` is for the model: without filters and excluded words, with phrases unquoted;
    without any syntax it is the query, normalized as in :mod:`rag.text.unicode`. ``words`` is the
    same without the phrases. Both are truncated after the last whole word within
    ``MAX_SEARCHED_LENGTH`` characters; ``is_cut`` says whether they were.
    All of ``conditions`` must hold; there are several if one field was given several values.
    ``exact`` are the words exempt from spelling correction.
    """

    question: str
    words: str
    clauses: Clauses = field(default_factory=Clauses)
    conditions: tuple[Filter, ...] = ()
    exact: frozenset[str] = frozenset()
    is_cut: bool = False


def check_length(text: str) -> None:
    """Refuse a query that is too long.

    Raises
    ------
    InputError
        If it has more than ``MAX_QUESTION_LENGTH`` characters.
    """
    if len(text) > MAX_QUESTION_LENGTH:
        raise InputError(
            f"the question has {len(text):,} characters, but the limit is {MAX_QUESTION_LENGTH:,};"
            " ask a shorter one"
        )


def parse(text: str) -> Query:
    """Parse a query; any text is valid."""
    text = plain(text)
    phrases: list[str] = []
    without: list[str] = []
    conditions: tuple[Filter, ...] = ()
    exact: set[str] = set()
    question: list[str] = []
    words: list[str] = []
    end = 0
    for form in islice(_SYNTAX.finditer(text), MOST_CONDITIONS):
        phrase = form["directed"] or form["straight"]
        excluded = form["without"] or form["word"]
        rest = form["exact"] or ""
        if rest:
            exact.add(rest)
        elif phrase and _has_words(phrase):
            phrases.append(phrase.strip(_QUOTES).strip())
        elif excluded and _has_words(excluded):
            without.append(excluded.strip(_QUOTES).strip())
        elif form["name"]:
            value, rest = _value(form["value"])
            condition = _condition(form["name"].lower(), value)
            if condition is None:
                continue
            conditions = _merge(conditions, condition)
        else:
            continue
        before = text[end : form.start()]
        question += [before, phrases[-1] if phrase else "", rest]
        words += [before, rest]
        end = form.end()
    whole = _join([*question, text[end:]]) if end else text
    searched = _cut(whole)
    return Query(
        question=searched,
        words=_cut(_join([*words, text[end:]])) if end else searched,
        clauses=Clauses(tuple(phrases), tuple(without)),
        conditions=conditions,
        exact=frozenset(exact),
        is_cut=len(searched) < len(whole.strip()),
    )


def describe(query: Query, instead: Sequence[Respelling]) -> tuple[str, ...]:
    """Explain how a query was interpreted, in sentences for the user; empty for plain words.

    Parameters
    ----------
    instead
        Spelling corrections.
    """
    restrictions = [f"with “{phrase}”" for phrase in query.clauses.phrases]
    restrictions += [f"without “{phrase}”" for phrase in query.clauses.without]
    for condition in query.conditions:
        given = {name: value for name, value in asdict(condition).items() if value}
        given |= given.pop("where", {})
        restrictions += [f"{name} {value}" for name, value in given.items()]
    only = [f"Only passages {', '.join(restrictions)}."] if restrictions else []
    cut = [f"Only the first {len(query.question)} characters were used."] * query.is_cut
    return (
        *only,
        *cut,
        *(f"No document has “{i.asked}”; looked for “{i.found}”." for i in instead),
    )


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _value(written: str) -> tuple[str, str]:
    """Split trailing punctuation, which belongs to the sentence, from a filter's value."""
    if written[0] in _QUOTES:
        return written.strip(_QUOTES).strip(), ""
    value = written.rstrip(_ENDS_A_SENTENCE)
    return value, written[len(value) :]


def _condition(name: str, value: str) -> Filter | None:
    """The filter of that name, or None if the value is invalid."""
    if not _has_words(value) or len(value) > MAX_FILTER_LENGTH:
        return None
    if name in {"since", "until"}:
        day = _day(value, last=name == "until")
        if day is None:
            return None
        return Filter(since=day) if name == "since" else Filter(until=day)
    if name == "author":
        return Filter(where={"author": value})
    if name in {"language", "lang"}:
        return Filter(language=value.lower())
    return Filter(title=value) if name == "title" else Filter(source=value)


def _day(written: str, *, last: bool) -> dt.date | None:
    """The first or last day of a year, month or day, or None if the date is invalid."""
    parts = _DATE.fullmatch(written)
    if parts is None:
        return None
    year = int(parts[1])
    try:
        month = int(parts[2] or (12 if last else 1))
        day = int(parts[3] or (calendar.monthrange(year, month)[1] if last else 1))
        return dt.date(year, month, day)
    except ValueError:  # month 13, say
        return None


def _merge(conditions: tuple[Filter, ...], added: Filter) -> tuple[Filter, ...]:
    """Add a filter, merged with the others as far as possible."""
    *before, last = conditions or (Filter(),)
    given = {
        name: value
        for name in ("since", "until", "source", "title", "language", "where")
        if (value := getattr(added, name))
    }
    if any(getattr(last, name) for name in given):
        return (*conditions, added)
    return (*before, replace(last, **given))


def _cut(text: str) -> str:
    """Truncate a text to the maximum length, at a word boundary if it has spaces."""
    if len(text) <= MAX_SEARCHED_LENGTH:
        return text
    words = re.match(rf"(?s)(.{{1,{MAX_SEARCHED_LENGTH}}})(?=\s)", text.lstrip())
    return words[0] if words else text[:MAX_SEARCHED_LENGTH]


def _join(parts: list[str]) -> str:
    """Join the parts into one line, with whitespace collapsed."""
    line = " ".join("".join(parts).split())
    return re.sub(rf"(?<=\w) (?=[{_ENDS_A_SENTENCE})\]]+(?: |$))", "", line)
