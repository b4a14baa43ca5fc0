"""The embedder that runs a sentence-transformers model on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from rag.arrays import Offsets, TokenVectors, Vector, Vectors
from rag.embedding import pooling
from rag.embedding.models import MINILM, NamedModel, PackagedModel, is_packaged
from rag.embedding.network import Network
from rag.types import Passage, PassageEncoding, QueryEncoding

if TYPE_CHECKING:
    from tokenizers import Encoding

TOKENS_PER_BATCH = 1024
"""Tokens, padding counted, that go through the model at once: on a CPU the sweet spot between
overhead and cache misses."""

PASSAGES_PER_SLICE = 128
"""Passages that are sorted by length together: enough that batches have next to no padding, few
enough that progress is seen and Ctrl-C heard."""


class SentenceTransformerEmbedder:
    """An embedder that runs a sentence-transformers model on this machine.

    The model is loaded when it is first needed, since that takes seconds; after that any number
    of threads may use it.
    """

    def __init__(
        self, model: PackagedModel | NamedModel = MINILM, loaded: Network | None = None
    ) -> None:
        self._model = model
        self._loaded = loaded
        self._loading = threading.Lock()

    @classmethod
    def named(cls, name: str, dimensions: int | None = None) -> Self:
        """The embedder for a model on this machine, which is loaded now, to see what it is.

        Parameters
        ----------
        name
            A folder, or a name on the Hugging Face hub; the packaged model's, too.
        dimensions
            How many of its vectors' dimensions to keep, for a model that was trained so that the
            first ones say most (Kusupati et al., "Matryoshka representation learning", NeurIPS
            2022). By default as many as the model says.

        Raises
        ------
        ModelError
            If it is not on this machine, or can't be used.
        InputError
            If it has fewer dimensions than are to be kept.
        """
        if is_packaged(name) and dimensions in {None, MINILM.dimension}:
            return cls()
        return cls(*NamedModel.described(name, dimensions))

    @classmethod
    def remembered(cls, kept: str | None) -> Self:
        """The embedder of a library that remembers its model so; of None: the packaged one.

        Raises
        ------
        LibraryDamaged
            If it remembers something else.
        """
        return cls() if kept is None else cls(NamedModel.from_json(kept))

    @property
    def to_remember(self) -> str | None:
        """What a library must remember, to be opened with this model again."""
        return self._model.as_json() if isinstance(self._model, NamedModel) else None

    @property
    def name(self) -> str:
        """The model's name, for people."""
        return self._model.name

    @property
    def fingerprint(self) -> str:
        """Names everything that vectors depend on: weights, window, pooling, bits."""
        return self._model.fingerprint

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._model.dimension

    @property
    def window(self) -> int:
        """Most tokens that the model reads of one text, special ones and its prompt not counted."""
        return self._model.window

    @property
    def late(self) -> bool:
        """Whether sentences are read in the context of their passage, or each on its own."""
        return self._model.late

    @property
    def languages(self) -> frozenset[str]:
        """ISO codes of the languages that it was trained on; none where that is not known."""
        return self._model.languages

    def tokens(self, text: str) -> Offsets:
        """Where the tokens of ``text`` lie, in order, special tokens left out."""
        encoding = self._network.tokenizer.encode(text, add_special_tokens=False)
        return pooling.offsets(encoding, text)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Encode passages, a pass of the model each, or one for each sentence.

        Lazily, slice by slice: memory does not grow with the number of passages.

        Yields
        ------
        PassageEncoding
            One a passage, in the same order. A sentence in which the model sees no token at all
            has the vector of its passage.

        Raises
        ------
        ModelError
            If the model can't be loaded or is not the one it was.
        """
        for first in range(0, len(passages), PASSAGES_PER_SLICE):
            some = passages[first : first + PASSAGES_PER_SLICE]
            yield from self._late(some) if self.late else self._alone(some)

    def query(self, question: str) -> QueryEncoding:
        """Encode a question; what lies beyond the window is cut.

        Returns
        -------
        QueryEncoding
            ``vector`` equals that of ``SentenceTransformer.encode_query``, cut and normalised.

        Raises
        ------
        ModelError
            If the model can't be loaded or is not the one it was.
        """
        network = self._network
        prompt = network.query_prompt
        encoding = network.cutting_tokenizer.encode(prompt + question)
        ran = network.forward([encoding], prompt)
        tokens, vector = self._cut(ran.tokens[0]), self._cut(ran.texts[0])
        return pooling.question(question, encoding, prompt, tokens, vector)

    def _late(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        prompt = self._network.document_prompt
        encodings, tokens, _ = self._run([one.text for one in passages])
        return [
            pooling.late(passage, encoding, prompt, mine)
            for passage, encoding, mine in zip(passages, encodings, tokens, strict=True)
        ]

    def _alone(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        texts = [pooling.sentence_texts(one) for one in passages]
        encodings, tokens, vectors = self._run([text for some in texts for text in some])
        ends = accumulate((len(some) for some in texts), initial=0)
        return [
            pooling.alone(
                passage,
                encodings[first:last],
                self._network.document_prompt,
                tokens[first:last],
                np.stack(vectors[first:last]),
            )
            for passage, (first, last) in zip(passages, pairwise(ends), strict=True)
        ]

    def _run(self, texts: Sequence[str]) -> tuple[list[Encoding], list[TokenVectors], list[Vector]]:
        """The tokens of texts, the vectors of the tokens, and those of the texts.

        The longest go first, together with others of about their length.
        """
        network = self._network
        prompt = network.document_prompt
        encodings = network.cutting_tokenizer.encode_batch([prompt + text for text in texts])
        order = sorted(range(len(texts)), key=lambda i: -len(encodings[i].ids))
        done: dict[int, tuple[TokenVectors, Vector]] = {}
        while order:
            size = max(1, TOKENS_PER_BATCH // max(1, len(encodings[order[0]].ids)))
            batch, order = order[:size], order[size:]
            ran = network.forward([encodings[i] for i in batch], prompt)
            for i, tokens, vector in zip(batch, ran.tokens, ran.texts, strict=True):
                done[i] = self._cut(tokens), self._cut(vector)
        found = [done[i] for i in range(len(texts))]
        return encodings, [tokens for tokens, _ in found], [vector for _, vector in found]

    def _cut(self, vectors: Vectors) -> Vectors:
        return vectors[..., : self.dimension]

    @property
    def _network(self) -> Network:
        # Two threads may ask at once.
        with self._loading:
            if self._loaded is None:
                self._loaded = self._model.load()
            return self._loaded
