"""Example questions taken from the articles themselves, without a language model. Pure.

A proper name in mid-sentence ("… supplied by John Cockerill Defence, …") is something that the
article makes a statement about, so a question that names it is answered by a sentence of that
article. Without a name the title is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest

from rag import Document
from ui import strings

LIMIT = 4

_FORMS = (
    "What is said about {}?",
    "What do we learn about {}?",
    "What is there to know about {}?",
)

_READ = 20_000  # characters of an article: enough to find names in, and quick on a book
_SHORTEST_NAME = 3
_LONGEST_NAME = 45
_LONGEST_TITLE = 80
_OFTEN = 2

_WORD = r"[^\W\d_][^\W\d_-]*(?:-[^\W\d_]+)*"
_CAPITAL = rf"(?=[A-ZÀ-Þ]){_WORD}"
_SMALL = r"[a-z]+"

# A name begins after a function word, so its capital isn't just that of a sentence. It ends before
# punctuation or one of the words below, so it isn't half of "the Belgian government".
_ENDS = (
    "and|as|at|but|by|can|for|from|had|has|have|in|into|is|of|on|or|said|says|that|to|was|were|"
    "where|which|while|who|will|with|would"
)
_NAME = re.compile(
    rf"(?P<before>\b{_SMALL},?)[ ]"
    rf"(?P<name>(?:{_CAPITAL})(?:(?: (?:of|de|der|la|van|von)){{0,2}} {_CAPITAL})*)"
    rf"(?P<noun>(?: (?!(?:{_ENDS})\b){_SMALL}){{0,3}})"
    rf"(?=[,.;:?!)]|\s(?:{_ENDS})\b)"
)
# Such a word after a name is a verb or an adverb, not part of what is named.
_VERBAL = re.compile(r"(?:ed|ing|ly)\b|s (?=.)")
_NOT_BEFORE = frozenset(
    {
        *("any", "each", "every", "her", "his", "its", "my"),
        *("no", "our", "some", "their", "this", "your"),
    }
)
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_CALENDAR = frozenset((*strings.MONTHS, *_WEEKDAYS.split()))


def questions(documents: Sequence[Document], limit: int = LIMIT) -> tuple[str, ...]:
    """Make up to ``limit`` short questions that these articles answer, taking turns among them."""
    rounds = zip_longest(*(_subjects(document) for document in documents))
    found = dict.fromkeys(subject for subject in chain.from_iterable(rounds) if subject)
    return tuple(
        subject if subject.endswith("?") else _FORMS[number % len(_FORMS)].format(subject)
        for number, subject in enumerate(islice(found, limit))
    )


def _subjects(document: Document) -> Sequence[str]:
    """The most specific names of an article, best first, or a question about its title."""
    text = document.text[:_READ]
    names = list(_names(text))
    # Names of several words are more specific, and so are names that do not recur throughout. The
    # sort is stable: ties stay in text order.
    names.sort(key=lambda name: (" " not in name[1], text.count(name[0]) > _OFTEN))
    return list(dict.fromkeys(said for _, said in names)) or _titled(document.title)


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Iterate over names, each with its form in a question, article and head noun included."""
    for match in _NAME.finditer(text):
        before, name, noun = match["before"], match["name"], match["noun"]
        article = f"{before} " if before in ("the", "a", "an") else ""
        said = f"{article}{name}{noun}"
        if (
            before in _NOT_BEFORE
            or name in _CALENDAR
            or not _SHORTEST_NAME <= len(said) <= _LONGEST_NAME
            or (noun and (not article or _VERBAL.search(noun)))
        ):
            continue
        yield name, said


def _titled(title: str) -> Sequence[str]:
    short = title.strip().rstrip(".?!…")
    if len(short) > _LONGEST_TITLE:
        short = short[:_LONGEST_TITLE].rsplit(" ", 1)[0] + "…"
    return [f"What is “{short}” about?"] if short else []
