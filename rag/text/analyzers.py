"""Analyzers of the lexical index.

There are two: stems in the text's language, for ranking, and literal words, for exact phrases.
Literal words are folded for case and accents, too, and in scripts without spaces between words each
character is a word.

A query is too short for language identification, so it is analysed for every language in the
library: a word matches by any of its stems.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.text import spelling
from rag.text.stemmer import (
    ENGLISH,
    LONGEST_WORD,
    WITH_STOP_WORDS,
    english,
    is_plain,
    kind_of,
    stemmer,
    stop_words,
    tokens,
    without_marks,
)
from rag.types import Span

if TYPE_CHECKING:
    import tantivy

Stems = tuple[str, ...]
"""The stems of one word, any of which matches it."""

SCRIPTS_WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"

CACHED_QUERIES = 1_000
"""Queries whose words are kept: each index operation asks for those of the same query."""


class Analysis:
    """Both analyzers, for texts of the given kinds; tantivy uses :attr:`stemmed`,
    :attr:`literal`.
    """

    def __init__(self, kinds: Iterable[str] = (ENGLISH,)) -> None:
        self.stemmed = english()
        self.literal = _literal()
        self._stemmers = {kind: stemmer(kind) for kind in sorted(kinds)}
        self.words = lru_cache(CACHED_QUERIES)(self._words)

    def indexed(self, text: str, language: str | None) -> tantivy.PreTokenizedString | None:
        """The stems of a text in a language; None if :attr:`stemmed` gives the same."""
        import tantivy

        kind = kind_of(language)
        if kind == ENGLISH and is_plain(text):
            return None
        stems = [
            tantivy.Token(stem, position, term.span.start, term.span.end)
            for position, term in enumerate(stemmer(kind).terms(text))
            for stem in term.stems
        ]
        return tantivy.PreTokenizedString(text, stems)

    def stems(self, text: str, language: str | None) -> list[str]:
        """The stems of a text in a language, in order, as indexed."""
        own = self.indexed(text, language)
        return [token.text for token in (own or self.stemmed.pre_tokenize(text)).tokens]

    def _words(self, text: str) -> tuple[Stems, ...]:
        """The unique query words in order, each as all of its stems.

        Leaves out stop words of the query's own language, which is the one of the library's
        languages, or several, in which it has the most stop words.
        """
        by_language = stop_words(text, self._stemmers).values()
        most = max(map(len, by_language))
        left_out = {span for some in by_language if len(some) == most for span in some}
        stems: dict[Span, set[str]] = {}
        for one in self._stemmers.values():
            for term in one.asked(text):
                if term.span not in left_out:
                    stems.setdefault(term.span, set()).update(term.stems)
        return tuple(sorted({tuple(sorted(some)) for some in stems.values()}))

    def phrase(self, text: str) -> list[tuple[int, str]]:
        """The literal words of a phrase, each with its position."""
        # Documents are in NFC; queries may not be.
        text = without_marks(unicodedata.normalize("NFC", text))
        return [(token.position, token.text) for token in self.literal.pre_tokenize(text).tokens]

    def spellings(self, text: str) -> dict[str, str]:
        """The words of a text as written, and in their index form."""
        return {span.of(text): word for span, word in tokens(self.literal, text)}

    def suspects(self, question: str, is_known: Callable[[str], bool]) -> dict[str, str]:
        """The query words that may be misspelt, as written and in their index form.

        Leaves out words that are stop words in any language. Returns none at all if the stop words
        are of a language not in the library.

        Parameters
        ----------
        is_known
            Whether a word, in its index form, occurs in the library in any inflected form.
        """
        unknown = {
            written: word
            for written, word in self.spellings(question).items()
            if spelling.slips_allowed(word) and not is_known(word)
        }
        if not unknown:
            return {}
        by_language = stop_words(question, WITH_STOP_WORDS)
        ours = [len(some) for kind, some in by_language.items() if kind in self._stemmers]
        if any(len(some) > max(ours, default=0) + 1 for some in by_language.values()):
            return {}
        everyday = {span.of(question) for some in by_language.values() for span in some}
        return {written: word for written, word in unknown.items() if written not in everyday}

    def forms(self, words: str, text: str) -> list[Span]:
        """Spans in ``text`` where any form of the words occurs, in order."""
        asked = frozenset(stem for stems in self.words(words) for stem in stems)
        found = sorted(
            {
                term.span
                for one in self._stemmers.values()
                for term in one.terms(text)
                if not asked.isdisjoint(term.stems)
            }
        )
        merged: list[Span] = []
        for span in found:
            # Bigrams overlap: together they are the word.
            if merged and span.start < merged[-1].end:
                merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
            else:
                merged.append(span)
        return merged

    def coverage(
        self, question: str, texts: Iterable[str], rarity: Callable[[Stems], float]
    ) -> list[float]:
        """Share of the query words that each text has in any form, in [0, 1], weighted by
        ``rarity``.
        """
        weights = {stems: rarity(stems) for stems in self.words(question)}
        total = sum(weights.values()) or 1.0
        covered = []
        for text in texts:
            terms = [term for one in self._stemmers.values() for term in one.terms(text)]
            present = {stem for term in terms for stem in term.stems}
            met = (weight for stems, weight in weights.items() if not present.isdisjoint(stems))
            covered.append(sum(met) / total)
        return covered

    def matched(self, words: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as written there, that are a form of the words."""
        return tuple(dict.fromkeys(span.of(text) for span in self.forms(words, text)))

    def places(self, words: str, phrases: Sequence[str], text: str) -> tuple[Span, ...]:
        """Spans in ``text`` of the words, in some form, and of the literal phrases, in order."""
        words_there = tokens(self.literal, text)
        written = [word for _, word in words_there]
        found = set(self.forms(words, text))
        for phrase in phrases:
            asked = [word for _, word in self.phrase(phrase)]
            starts = range(len(written) - len(asked) + 1) if asked else range(0)
            found |= {
                Span(words_there[at][0].start, words_there[at + len(asked) - 1][0].end)
                for at in starts
                if written[at : at + len(asked)] == asked
            }
        return tuple(sorted(found))


def _literal() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    word = rf"[{SCRIPTS_WITHOUT_BLANKS}]|[\p{{L}}\p{{N}}\p{{M}}--[{SCRIPTS_WITHOUT_BLANKS}]]+"
    return (
        TextAnalyzerBuilder(Tokenizer.regex(word))
        .filter(Filter.remove_long(LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .build()
    )
