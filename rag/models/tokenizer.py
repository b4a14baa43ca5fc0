"""Text → tokens, with the prompts of a model and its bound on their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.models import pooling
from rag.models.lazy import Once
from rag.types.arrays import Offsets

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


UNREADABLE, READABLE = 0.5, 0.85
"""Shares of a text's letters in meaningful pieces: up to the first a model can't read it at all,
from the second on it can."""

_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


class Tokenization:
    """How a model's texts become tokens. Any number of threads may use it.

    Attributes
    ----------
    query_prompt, document_prompt
        What leads a question, and a passage; may be empty.
    longest
        Most tokens of one text, special ones and the prompt counted; what lies beyond is cut.
    window
        Most tokens of one passage, special ones and the prompt not counted.
    """

    def __init__(
        self,
        as_json: str,
        query_prompt: str,
        document_prompt: str,
        *,
        window: int | None = None,
        longest: int | None = None,
    ) -> None:
        """One of ``window`` and ``longest`` is given; the other follows.

        Parameters
        ----------
        as_json
            The tokenizer as the package tokenizers writes it. One of our own is made of it: the
            one inside transformers changes its truncation and padding at every call, which other
            threads would notice.
        """
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_str(as_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._special = frozenset(self._tokenizer.get_added_tokens_decoder())
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        prompt = self._tokenizer.encode(document_prompt, add_special_tokens=False)
        around = self._tokenizer.num_special_tokens_to_add(is_pair=False) + len(prompt.ids)
        self.longest = longest if longest is not None else (window or 0) + around
        self.window = self.longest - around
        # Few texts are too long, and a tokenizer takes a tenth of a second to make.
        self._cutting = Once(self._make_cutting)

    def offsets(self, text: str) -> Offsets:
        """Where the tokens of ``text`` lie, in order, special tokens left out."""
        return pooling.offsets(self._tokenizer.encode(text, add_special_tokens=False), text)

    def legibility(self, text: str) -> float:
        """How far the model can read a text, in [0, 1], judged by how its words are split.

        A model learns meanings from pieces of several letters. Words in a script that its
        vocabulary hardly covers fall apart into single letters or the unknown piece, and their
        vectors say next to nothing. So the measure is the share of letters in known pieces that
        have two letters or more, are a word by themselves, or are an ideograph, less that of
        unknown letters, which show that the vocabulary knows others only by chance. It is stretched
        so that :data:`UNREADABLE` gives 0 and :data:`READABLE` gives 1. Text without letters gives
        1.
        """
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        pieces = [text[start:end] for start, end in encoding.offsets]
        letters = [sum(map(str.isalpha, piece)) for piece in pieces]
        in_word = Counter(encoding.word_ids)
        meaningful = 0
        for piece, count, word, number in zip(
            pieces, letters, encoding.word_ids, encoding.ids, strict=True
        ):
            if number in self._special:
                meaningful -= count
            elif count > 1 or in_word[word] == 1 or _IDEOGRAPH.search(piece):
                meaningful += count
        share = meaningful / sum(letters) if any(letters) else 1.0
        return min(max((share - UNREADABLE) / (READABLE - UNREADABLE), 0.0), 1.0)

    def length(self, prompt: str) -> int:
        """How many tokens lead a text with this prompt, opening ones included."""
        if not prompt:
            return 0
        encoding = self._tokenizer.encode(prompt)
        return len(encoding.ids) - sum(encoding.special_tokens_mask[-1:])

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """The tokens of texts, special ones around them, none longer than the model reads."""
        found: list[Encoding] = self._tokenizer.encode_batch(list(texts))
        return [
            one if len(one.ids) <= self.longest else self._cutting().encode(text)
            for one, text in zip(found, texts, strict=True)
        ]

    def same_as(self, other: Tokenization) -> bool:
        """Whether both make the same tokens of every text."""
        return (
            self._tokenizer.to_str() == other._tokenizer.to_str()
            and self.longest == other.longest
            and self.query_prompt == other.query_prompt
            and self.document_prompt == other.document_prompt
        )

    def _make_cutting(self) -> Tokenizer:
        from tokenizers import Tokenizer

        cutting: Tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        cutting.enable_truncation(self.longest)
        return cutting


def prompts(named: Mapping[str, str | None]) -> tuple[str, str]:
    """What leads questions and what leads passages, of a model's prompts by name.

    encode_document stops at an empty "document", which sentence-transformers puts there itself,
    and so would miss the "passage" of models that have only that.
    """
    return _first(named, "query"), _first(named, "document", "passage", "corpus")


def _first(named: Mapping[str, str | None], *names: str) -> str:
    """The first of these prompts that says anything."""
    return next((found for name in names if (found := named.get(name))), "")
