"""Spelling corrections for a query: which are applied, and which are only suggested."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rag.index.engine import Searcher
from rag.text import spelling
from rag.text.stemmer import ENGLISH, WITH_STOP_WORDS, stop_words
from rag.types import Clauses, Respelling
from rag.types.protocols import QuestionEncoder

LOOKED_AT = 5
"""Passages sampled to tell whether a word is a name."""

CAPITALS_SAY_NOTHING = 0.4
"""Share of capitalized words above which capitals don't mark names: German capitalizes nouns."""

_WORD = re.compile(r"[^\W\d_]{3,}")


def corrections(
    question: str,
    exact: frozenset[str],
    library: Searcher,
    encoder: QuestionEncoder,
    *,
    leave_words: bool,
) -> tuple[tuple[Respelling, ...], tuple[Respelling, ...]]:
    """Replacements for query words that occur in no document: those to apply, and those to suggest.

    A capitalized word may be a name, so its only replacement is another name. That is merely
    suggested if capitals don't distinguish names, or if it may be somebody else's name: if the
    difference is not a slip inside a long word (see :func:`rag.text.spelling.is_plain_slip`), or
    the model knows one of the two. Well-known names have variants: *Hartman* and *Hartmann*,
    *Schmitt* and *Schmidt*.

    In a question that isn't in English, all of them are only suggested: what protects names and
    words there, capitals and the model's vocabulary, says little about other languages.

    Parameters
    ----------
    exact
        Words to leave alone.
    encoder
        The model: a word that is a single token of its vocabulary counts as known, even if it
        occurs in no document.
    leave_words
        Whether to leave such words alone, too, unless they are names.
    """
    applied: list[Respelling] = []
    offered: list[Respelling] = []
    is_certain = _may_be_english(question)
    for one in library.respellings(question):
        if one.asked in exact:
            continue
        if one.asked[0].isupper():
            certainty = _certainty_of_name(one, library, encoder)
        else:
            certainty = None if leave_words and _is_word(one.asked, encoder) else True
        if certainty is not None:
            (applied if certainty and is_certain else offered).append(one)
    return tuple(applied), tuple(offered)


def alternative(
    question: str, applied: Sequence[Respelling], offered: Sequence[Respelling]
) -> str | None:
    """The question as it was spelled if corrections were applied, else with those suggested."""
    as_asked = [Respelling(one.asked, f"+{one.asked}") for one in applied]
    return spelling.correct(question, as_asked or offered) if applied or offered else None


def _may_be_english(question: str) -> bool:
    """Whether a question is in Latin script, and no language has more stop words in it."""
    letters = filter(str.isalpha, question)
    if not all("LATIN" in unicodedata.name(letter, "") for letter in letters):
        return False
    found = stop_words(question, WITH_STOP_WORDS)
    return len(found[ENGLISH]) == max(map(len, found.values()))


def _is_word(text: str, encoder: QuestionEncoder) -> bool:
    return len(encoder.tokens(text)) == 1


def _certainty_of_name(one: Respelling, library: Searcher, encoder: QuestionEncoder) -> bool | None:
    """Whether a correction is certain enough to be applied; None if not even to be suggested."""
    keys = library.filtered((), Clauses((one.found,))).matching("").tolist()[:LOOKED_AT]
    texts = [stored.passage.text for stored in library.passages(keys).values()]
    places = library.analysis.places
    written = [place.of(text) for text in texts for place in places("", [one.found], text)]
    if not all(word[0].isupper() for word in written):
        return None
    others = [word for text in texts for word in _WORD.findall(text) if word not in written]
    capitals = sum(one[0].isupper() for one in others)
    return (
        capitals <= CAPITALS_SAY_NOTHING * len(others)
        and spelling.is_plain_slip(one.asked, one.found)
        and not any(_is_word(name, encoder) for name in (one.asked, one.found.capitalize()))
    )
