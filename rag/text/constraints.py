"""What an answer must share with its question: numbers, codes, months and names.

A passage on the right subject answers a question about 2019 only if it is about 2019, and one about
Hydrantis only if it is about Hydrantis. Words for anything else can be put in many ways, so they
are left to the scores.

A name is a word with a capital letter inside a sentence, in scripts that have them. German writes
all nouns with one, and so do titles: there, no word counts as a name.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rag.text.stemmer import blank_out, stop_words

MOST = 20
"""Maximum number of constraints of a question; each is looked for in every hit."""

LONGEST = 2000
"""Characters of a question that are read for constraints: its beginning says what a pasted page is
asked about.
"""

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
# A code, which has Latin letters and digits ("QW-150", "F28", "v2.5", "70B"), a number, or a word.
_PIECE = re.compile(
    rf"(?:\d+\.)*(?:[A-Za-z]+-?\d|\d+[A-Za-z])[A-Za-z\d]*(?:[-.]\d+(?![A-Za-z\d]))*"
    rf"|{_NUMBER.pattern}|{_WORD.pattern}"
)
# Of "28/8/1970" and "1970-08-28" the year counts, as the month may be a word elsewhere.
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}([./-])\d{1,2}\1(\d{4})|(\d{4})([./-])\d{1,2}\4\d{1,2})(?!\d)"
)
_DOTTED_DATE = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.]*\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?!\d)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|s|er|e)")
_THOUSANDS = re.compile(r"(?<=\d)[,'\u2019\u00a0\u202f](?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_STARTS = '.?!:…¿¡“«"(-–—•*'  # noqa: RUF001 (dashes)
"""What stands before the first word of a sentence."""

_HYPHENS = "-–"  # noqa: RUF001 (dashes)
"""What joins names: "Baden-Württemberg"."""

_DAYS = frozenset(map(str.lower, calendar.day_name))
_MONTHS = {
    "january": "jan|ene|gen",
    "february": "feb|fev",
    "march": "mar",
    "april": "apr|avr|abr",
    "may": "ma[iyg]",
    "june": "jun|juin|giu",
    "july": "jul|juil|lug",
    "august": "aug|aou|ago",
    "september": "sep|set",
    "october": "o[ckt]t|out",
    "november": "nov",
    "december": "de[cz]|dic",
}
"""The months, and how they begin in English, German, French, Spanish, Italian and Portuguese."""

_TITLE_CASE = 0.6
"""Share of words with a capital letter from which on a question is taken for a title."""

_ENDING = 2
"""Letters that inflection may add to a name, or change at its end in other than Latin letters."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A number, code, month or name, as the question has it, and a pattern for folded text."""

    asked: str
    pattern: re.Pattern[str]

    @property
    def is_name(self) -> bool:
        """Whether it is a name or a month, which later passages of a document seldom repeat."""
        return not any(map(str.isdigit, self.asked))

    @property
    def is_code(self) -> bool:
        """Whether it has letters and digits."""
        return not self.is_name and any(map(str.isalpha, self.asked))


def constraints(question: str) -> tuple[Constraint, ...]:
    """The numbers, codes, months and names at the beginning of a question, in order and without
    repetition.
    """
    found: dict[str, Constraint] = {}
    question = question[:LONGEST]
    question = _DATE.sub(lambda date: date[2] or date[3], _one_notation(_with_blanks(question)))
    question = _TIME.sub(r"\1.\2", question)
    names = _names(question)
    for match in _PIECE.finditer(question):
        word = fold(match[0])
        if (pattern := _pattern(word, is_name=match.start() in names)) is not None:
            found.setdefault(word, Constraint(match[0], re.compile(pattern)))
        if len(found) == MOST:
            break
    return tuple(found.values())


def unmet(
    wanted: Iterable[Constraint], texts: Iterable[str], document: Iterable[str] = ()
) -> tuple[str, ...]:
    """The constraints that none of the texts meets, as the question has them.

    Parameters
    ----------
    texts
        A passage, and what says what it is about.
    document
        Other passages of its document: they count for names.
    """
    lacking = _unmet(wanted, texts)
    names = [one for one in lacking if one.is_name]
    absent = _unmet(names, document) if names else names
    return tuple(one.asked for one in lacking if not one.is_name or one in absent)


def _unmet(wanted: Iterable[Constraint], texts: Iterable[str]) -> list[Constraint]:
    folded = list(map(_searchable, texts))
    return [one for one in wanted if not any(map(one.pattern.search, folded))]


@lru_cache(maxsize=256)  # several hits of a document are compared with its other passages
def _searchable(text: str) -> str:
    return fold(_with_blanks(text))


def fold(text: str) -> str:
    """A text without case and accents, and with numbers in one notation."""
    plain = _without_marks(unicodedata.normalize("NFKD", text))
    return _one_notation(_DOTTED_DATE.sub(r"\1 \2 \3", plain.casefold()))


def _with_blanks(text: str) -> str:
    """A text without the scripts in which no blanks, and no capitals, show what is a name."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2010", "-")  # U+2011 is that now
    return blank_out(_without_marks(plain))[0]


def _without_marks(text: str) -> str:
    marks = {ord(one): None for one in set(text) if unicodedata.combining(one)}
    return text.translate(marks) if marks else text


def _one_notation(text: str) -> str:
    """Numbers in 0 to 9, without separators of thousands, and with a decimal point."""
    text = _FOREIGN_DIGIT.sub(lambda digit: str(int(digit[0])), text)
    return _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", text))


def _pattern(word: str, *, is_name: bool) -> str | None:
    """What meets a constraint in folded text; None if the word is none."""
    if ordinal := _ORDINAL.fullmatch(word):
        word = ordinal[1]
    if _NUMBER.fullmatch(word):
        digits = word.replace(".", "[.:]")  # 10.30 may be a time
        return rf"(?<!\d)0*{digits}(?!\.?\d)"
    if re.search(r"\d", word):
        pieces = r"[\W_]*".join(
            map(re.escape, re.findall(rf"{_NUMBER.pattern}|{_WORD.pattern}", word))
        )
        before = r"\d" if word[0].isdigit() else r"[a-z\d]"
        return rf"(?<!{before}){pieces}(?!\d)"
    if not is_name:
        return None
    if word in _MONTHS:
        month = 1 + [*_MONTHS].index(word)
        return (
            rf"(?<![^\W\d_])(?:{_MONTHS[word]})|(?<!\d)0?{month}(?:/\d+/|\s?月)"
            rf"|\d[./ -]\s?0?{month}[./ -]\s?\d{{4}}|\d{{4}}[./-]0?{month}(?!\d)"
            rf"|\d\.\s?0?{month}\.(?!\d)"
        )
    if word.isascii():
        return rf"(?<![^\W\d_]){word.removesuffix('s')}[^\W\d_]{{0,{_ENDING}}}(?![^\W\d_])"
    stem = re.escape(word[: max(4, len(word) - _ENDING)])
    return rf"(?<![^\W\d_]){stem}[^\W\d_]{{0,{2 * _ENDING}}}(?![^\W\d_])"


def _names(question: str) -> set[int]:
    """Where the names in a question start."""
    words = list(_WORD.finditer(question))
    capitals = [one for one in words if one[0][0].isupper()]
    german, english = (len(some) for some in stop_words(question, ("de", "en")).values())
    if german > english or len(capitals) > max(1, _TITLE_CASE * len(words)):
        return set()
    return {
        one.start()
        for one in capitals
        if len(one[0]) > 1
        and fold(one[0]) not in _DAYS
        and (before := question[: one.start()].rstrip())
        and (before[-1] not in _STARTS or _is_joined(question, one.start()))
        and "\n" not in question[len(before) : one.start()]
    }


def _is_joined(question: str, start: int) -> bool:
    """Whether a hyphen joins the word that begins there to the one before."""
    return question[start - 1] in _HYPHENS and question[max(start - 2, 0)].isalpha()
