"""Stemming by language.

Case and accents are folded, and the language's stop words left out. A word may have two stems, and
both count: folding accents before stemming makes *Müller* and *Muller* one word, but removes what
some stemmers rely on; folding them afterwards doesn't.

Marks that teach how to read a word, such as Russian stress marks and Hebrew vowels, are left out.

Scripts without spaces between words (Chinese, Japanese, Thai and the like), and Korean, which
attaches particles to words, are indexed as bigrams, as in Lucene's CJKBigramFilter, plus single
letters, for words of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING

from rag.types import Span

if TYPE_CHECKING:
    import tantivy

LONGEST_WORD = 192
"""Maximum bytes of a word, 64 letters of three bytes; anything longer, such as an encoded file, is
not a word.
"""

ENGLISH = "en"
"""The kind of texts of unknown language."""

PLAIN = "plain"
"""The kind of texts in a language without a stemmer: words are not stemmed."""

_SNOWBALL = MappingProxyType(
    {
        "ar": "arabic",
        "da": "danish",
        "de": "german",
        "el": "greek",
        "en": "english",
        "es": "spanish",
        "fi": "finnish",
        "fr": "french",
        "hu": "hungarian",
        "it": "italian",
        "nb": "norwegian",
        "nl": "dutch",
        "nn": "norwegian",
        "no": "norwegian",
        "pt": "portuguese",
        "ro": "romanian",
        "ru": "russian",
        "sv": "swedish",
        "ta": "tamil",
        "tr": "turkish",
    }
)
"""Snowball stemmers in tantivy (Porter, "Snowball", 2001), by ISO code."""

_WITHOUT_STOP_WORDS = frozenset({"arabic", "greek", "romanian", "tamil", "turkish"})

WITH_STOP_WORDS = tuple(
    {name: code for code, name in _SNOWBALL.items() if name not in _WITHOUT_STOP_WORDS}.values()
)
"""The kinds that have a list of stop words, one for each language."""

_WITHOUT_BLANKS = re.compile(
    "["
    "\u0e01-\u0e4e\u0e80-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17d3"  # Burmese, Khmer
    "\u3005\u3041-\u30ff\uff66-\uff9f"  # Japanese, 々 and ー included
    "\uac00-\ud7a3"  # Korean: spaces don't separate particles
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Chinese characters
    "]+"
)


_MARKS = re.compile(
    "["
    "\u0300-\u036f\u0483-\u0487\u1dc0-\u1dff\ufe20-\ufe2f"  # stress marks and other accents
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"  # Arabic
    "]"
)
"""Marks above and below letters that teach how to read a word, and are usually left out."""


def kind_of(language: str | None) -> str:
    """The kind of a language: its code if it has a stemmer, or :data:`PLAIN`.

    Parameters
    ----------
    language
        Its ISO code, or None if unknown.
    """
    if language is None:
        return ENGLISH
    return language if language in _SNOWBALL else PLAIN


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text with its span and its one or two stems."""

    span: Span
    stems: tuple[str, ...]


_PLACE = attrgetter("span.start", "span.end")


class Stemmer:
    """Stems texts of one kind: see :func:`kind_of`."""

    def __init__(self, kind: str) -> None:
        self._english = kind == ENGLISH
        language = _SNOWBALL.get(kind)
        self._folding_first = english() if self._english else _analyzer(language, fold_first=True)
        self._folding_last = _analyzer(language, fold_first=False)

    def terms(self, text: str) -> list[Term]:
        """All index terms of a text, in order."""
        words, runs = blank_out(text)
        if not runs:
            return self._words(words)
        letters = (Term(span, (span.of(text),)) for run in runs for span in _letters(text, run))
        return sorted([*self._words(words), *_pairs(text, runs), *letters], key=_PLACE)

    def asked(self, text: str) -> list[Term]:
        """The terms of a query: a single letter only if it is a whole word."""
        words, runs = blank_out(text)
        return sorted([*self._words(words), *_pairs(text, runs)], key=_PLACE)

    def without_stop_words(self, text: str) -> set[Span]:
        """Spans of the words that are not stop words, in a text with spaces between its words."""
        return {span for span, _ in tokens(self._folding_first, text)}

    def _words(self, text: str) -> list[Term]:
        first = tokens(self._folding_first, text)
        if self._english:
            return [Term(span, (stem,)) for span, stem in first]
        last = tokens(self._folding_last, text)
        return [
            Term(span, tuple(sorted({_dotless(one), _dotless(other)})))
            for (span, one), (_, other) in zip(first, last, strict=True)
        ]


@cache
def stemmer(kind: str) -> Stemmer:
    """The stemmer of a kind, shared in the process."""
    return Stemmer(kind)


def stop_words(text: str, kinds: Iterable[str]) -> dict[str, set[Span]]:
    """Spans of the stop words in a text, for each kind of text."""
    words, _ = blank_out(text)
    everything = stemmer(PLAIN).without_stop_words(words)
    return {kind: everything - stemmer(kind).without_stop_words(words) for kind in kinds}


def is_plain(text: str) -> bool:
    """Whether an analyzer alone finds the words of a text: it has spaces between them, and no marks
    that :func:`tokens` leaves out.
    """
    return _WITHOUT_BLANKS.search(text) is None and _MARKS.search(text) is None


def tokens(analyzer: tantivy.TextAnalyzer, text: str) -> list[tuple[Span, str]]:
    """The tokens of a text, without the marks in it, and their spans with them."""
    if _MARKS.search(text) is None:
        return [_token(one) for one in analyzer.pre_tokenize(text).tokens]
    kept = [at for at, letter in enumerate(text) if not _MARKS.match(letter)]
    found = map(_token, analyzer.pre_tokenize("".join(text[at] for at in kept)).tokens)
    kept.append(len(text))
    return [(Span(kept[span.start], kept[span.end]), word) for span, word in found]


def without_marks(text: str) -> str:
    """A text without the marks that :func:`tokens` leaves out."""
    return _MARKS.sub("", text)


def english() -> tantivy.TextAnalyzer:
    """The analyzer for English, with which tantivy can index most texts by itself."""
    return _analyzer("english", fold_first=True)


def _analyzer(language: str | None, *, fold_first: bool) -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    # Keeps combining marks, which in Indic scripts are vowels and join consonants. All analyzers
    # must find the same words: a stop word is one that an analyzer leaves out.
    building = (
        TextAnalyzerBuilder(Tokenizer.regex(r"[\p{L}\p{N}\p{M}]+"))
        .filter(Filter.remove_long(LONGEST_WORD))
        .filter(Filter.lowercase())
    )
    if language and language not in _WITHOUT_STOP_WORDS:
        building = building.filter(Filter.stopword(language))
    if fold_first:
        building = building.filter(Filter.ascii_fold())
    if language:
        building = building.filter(Filter.stemmer(language))
    if not fold_first:
        building = building.filter(Filter.ascii_fold())
    return building.build()


def blank_out(text: str) -> tuple[str, list[Span]]:
    """Blank out scripts without spaces; returns the text and the spans blanked out."""
    runs = [Span(*match.span()) for match in _WITHOUT_BLANKS.finditer(text)]
    return (_WITHOUT_BLANKS.sub(lambda match: " " * len(match[0]), text) if runs else text), runs


def _pairs(text: str, runs: Iterable[Span]) -> Iterator[Term]:
    """The bigrams of each run, or its single letter."""
    for run in runs:
        letters = list(_letters(text, run))
        together = [Span(one.start, other.end) for one, other in pairwise(letters)]
        for span in together or letters:
            yield Term(span, (span.of(text),))


def _letters(text: str, run: Span) -> Iterator[Span]:
    """The letters of a run, each with its combining marks."""
    start = run.start
    for at in range(run.start + 1, run.end + 1):
        if at == run.end or not unicodedata.category(text[at]).startswith("M"):
            yield Span(start, at)
            start = at


def _dotless(stem: str) -> str:
    """Remove the combining dot left over from lowercasing a Turkish capital İ."""
    return stem.replace("i\u0307", "i")


def _token(token: tantivy.Token) -> tuple[Span, str]:
    return Span(token.char_offset_from, token.char_offset_to), token.text
