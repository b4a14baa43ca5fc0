"""Text → words, as the word index takes them.

In two ways: stemmed, without stop words, for what a question is about; and as they are written,
for what must stand there word for word. Either way case and accents are folded. Scripts that put
no blanks between words give, as written, one word a character.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.types import Span

if TYPE_CHECKING:
    import tantivy

LONGEST_WORD = 64
"""Letters; what is longer (an encoded file, a line of dashes) is no word."""

SCRIPTS_WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"


class Analysis:
    """Both ways; :attr:`stemmed` and :attr:`literal` are what tantivy indexes with."""

    def __init__(self) -> None:
        self.stemmed = _stemmed()
        self.literal = _literal()

    def words(self, text: str) -> list[str]:
        """The stems of a text's words, each once, in alphabetical order."""
        return sorted(set(self.stemmed.analyze(text)))

    def phrase(self, text: str) -> list[tuple[int, str]]:
        """The words of a phrase as they are written, each with its position."""
        # Documents come composed; what is typed or pasted may not.
        tokens = self.literal.pre_tokenize(unicodedata.normalize("NFC", text)).tokens
        return [(token.position, token.text) for token in tokens]

    def spellings(self, text: str) -> dict[str, str]:
        """The words of a text as they stand there, and as they are looked up."""
        tokens = self.literal.pre_tokenize(text).tokens
        return {text[t.char_offset_from : t.char_offset_to]: t.text for t in tokens}

    def forms(self, words: str, text: str) -> list[Span]:
        """Where in ``text`` any form of the words stands, in order."""
        asked = set(self.words(words))
        tokens = self.stemmed.pre_tokenize(text).tokens
        return [Span(t.char_offset_from, t.char_offset_to) for t in tokens if t.text in asked]

    def places(self, phrases: Sequence[str], text: str) -> list[Span]:
        """Where in ``text`` the phrases stand as they are, phrase by phrase."""
        tokens = self.literal.pre_tokenize(text).tokens
        written = [token.text for token in tokens]
        found = []
        for phrase in phrases:
            asked = [word for _, word in self.phrase(phrase)]
            starts = range(len(written) - len(asked) + 1) if asked else range(0)
            found += [
                Span(tokens[at].char_offset_from, tokens[at + len(asked) - 1].char_offset_to)
                for at in starts
                if written[at : at + len(asked)] == asked
            ]
        return found


def _stemmed() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stopword("english"))
        .filter(Filter.stemmer("english"))
        .build()
    )


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
