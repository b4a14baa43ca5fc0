"""Tokenization of texts, with a model's prompts and window."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.models import pooling
from rag.types.arrays import Offsets

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


UNREADABLE, READABLE = 0.5, 0.85
"""Share of a text's letters in meaningful word pieces: at the first value or below, the model can't
read the text at all; at the second or above, it can."""

_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


class Tokenization:
    """A model's tokenization. Thread-safe.

    Attributes
    ----------
    query_prompt, document_prompt
        Prepended to a query or passage; may be empty.
    longest
        Maximum number of tokens per text, including special tokens and the prompt; longer texts are
        truncated.
    window
        Maximum number of tokens per passage, excluding special tokens and the prompt.
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
        """Give either ``window`` or ``longest``; the other is derived.

        Parameters
        ----------
        as_json
            The tokenizer as serialised by the tokenizers package. We build our own from it: the one
            inside transformers changes its truncation and padding on every call, which is not
            thread-safe.
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

    def offsets(self, text: str) -> Offsets:
        """Character offsets of the tokens of ``text``, in order, without special tokens."""
        return pooling.offsets(self._tokenizer.encode(text, add_special_tokens=False), text)

    def legibility(self, text: str) -> float:
        """How well the model can read a text, in [0, 1], judged by how its words are split.

        A model learns meaning from word pieces of several letters. Words in a script its vocabulary
        barely covers break into single letters or the unknown token, and their vectors carry next
        to no meaning. The measure is the share of letters in known pieces that have two letters or
        more, are a whole word, or are an ideograph, minus the share of unknown letters, which show
        that the vocabulary covers the script only by chance. It is rescaled so that
        :data:`UNREADABLE` maps to 0 and :data:`READABLE` to 1. A text without letters gets 0: a
        number is found where it is written, not where something alike is.
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
        share = meaningful / sum(letters) if any(letters) else 0.0
        return min(max((share - UNREADABLE) / (READABLE - UNREADABLE), 0.0), 1.0)

    def length(self, prompt: str) -> int:
        """Number of tokens before a text with this prompt, including leading special tokens."""
        if not prompt:
            return 0
        encoding = self._tokenizer.encode(prompt)
        return len(encoding.ids) - sum(encoding.special_tokens_mask[-1:])

    def encode(self, texts: Sequence[str], most: int | None = None) -> list[Encoding]:
        """Tokenise texts, with special tokens, truncated to ``most`` tokens or what the model
        reads.
        """
        limit = min(most or self.longest, self.longest)
        found: list[Encoding] = self._tokenizer.encode_batch(list(texts))
        return [
            one if len(one.ids) <= limit else self._truncated(text, limit)
            for one, text in zip(found, texts, strict=True)
        ]

    def same_as(self, other: Tokenization) -> bool:
        """Whether both tokenise every text identically."""
        return (
            self._tokenizer.to_str() == other._tokenizer.to_str()
            and self.longest == other.longest
            and self.query_prompt == other.query_prompt
            and self.document_prompt == other.document_prompt
        )

    def _truncated(self, text: str, limit: int) -> Encoding:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(limit - self._tokenizer.num_special_tokens_to_add(is_pair=False))
        return self._tokenizer.post_process(encoding)


def prompts(named: Mapping[str, str | None]) -> tuple[str, str]:
    """The prompts for queries and for passages, from a model's named prompts.

    encode_document stops at an empty "document", which sentence-transformers adds itself, and so
    would miss the "passage" prompt of models that only have that.
    """
    return _first(named, "query"), _first(named, "document", "passage", "corpus")


def _first(named: Mapping[str, str | None], *names: str) -> str:
    """The first non-empty prompt with one of these names."""
    return next((found for name in names if (found := named.get(name))), "")
