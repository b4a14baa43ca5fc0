"""The embedder: runs a local sentence-transformers model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import numpy as np

from rag.errors import ModelError
from rag.models import openvino_bert, pooling
from rag.models.bert_files import PlainBert
from rag.models.forward_pass import Runner
from rag.models.lazy import Lazy
from rag.models.micro_batch import MicroBatcher
from rag.models.named_models import MINILM, NamedModel, PackagedModel, is_packaged
from rag.models.sentence_transformer import BatchedRunner, Network, has_gpu
from rag.models.tokenizer import Tokenization
from rag.models.torch_bert import PackedBert
from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets, TokenVectors, Vector, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding

Backend: TypeAlias = Literal["OpenVINO", "PyTorch"]
"""Backend for passages."""

PASSAGES_PER_SLICE = 64
"""Passages per slice: enough that cores rarely idle at the end of a slice, few enough that progress
shows and Ctrl-C is prompt."""

QUESTIONS_PER_RUN = 4
"""Queries per forward pass: four take twice as long as one, and beyond that the activations between
two layers no longer fit in a core's cache."""


class SentenceTransformerEmbedder:
    """Runs a sentence-transformers model on this machine. Thread-safe once loaded.

    A plain BERT, such as the packaged model, encodes queries in NumPy and passages in OpenVINO if
    that is installed, otherwise in PyTorch. Any other model runs in sentence-transformers. The
    vectors are the same. Whatever takes seconds to load is loaded on first use.

    Parameters
    ----------
    model
        The model to run.
    loaded
        The same model, if sentence-transformers has already loaded it.
    backend
        Backend for passages; by default OpenVINO if it is installed and can run the model.
    """

    def __init__(
        self,
        model: PackagedModel | NamedModel = MINILM,
        loaded: Network | None = None,
        *,
        backend: Backend | None = None,
    ) -> None:
        self._model = model
        self.backend: Backend = backend or (
            "OpenVINO" if model.plain and openvino_bert.is_installed() else "PyTorch"
        )
        self._folder = Lazy(model.verified_folder)
        self._plain = Lazy(self._read_plain)
        self._network = Lazy(lambda: loaded or Network.load(self._folder()))
        self._passages = Lazy(self._load_for_passages)
        self._asked = MicroBatcher(
            self._run_questions,
            most=QUESTIONS_PER_RUN,
            # NumPy uses one core per run, and the rest of a search about as much again; PyTorch
            # uses all.
            at_once=max(1, (os.cpu_count() or 1) // 2) if model.plain else 1,
        )

    @classmethod
    def named(cls, name: str, dimensions: int | None = None) -> Self:
        """Load a model on this machine and return its embedder.

        Parameters
        ----------
        name
            A folder, or a name on the Hugging Face hub, including that of the packaged model.
        dimensions
            Number of leading dimensions to keep, for models trained to be truncated (Kusupati et
            al., "Matryoshka representation learning", NeurIPS 2022). Defaults to the model's own
            setting.

        Raises
        ------
        ModelError
            If the model is not on this machine or can't be used.
        InputError
            If it has fewer than ``dimensions`` dimensions.
        """
        if is_packaged(name) and dimensions in {None, MINILM.dimension}:
            return cls()
        return cls(*NamedModel.inspect(name, dimensions))

    @classmethod
    def from_record(cls, record: str | None) -> Self:
        """Restore the embedder from a library's record of its model; None means the packaged model.

        Raises
        ------
        LibraryDamaged
            If the record is invalid.
        """
        return cls() if record is None else cls(NamedModel.from_json(record))

    @property
    def record(self) -> str | None:
        """The record a library stores so that it can be reopened with this model."""
        return self._model.as_json() if isinstance(self._model, NamedModel) else None

    @property
    def name(self) -> str:
        """The model's display name."""
        return self._model.name

    @property
    def fingerprint(self) -> str:
        """Identifies everything the vectors depend on: weights, window, pooling, bits."""
        return self._model.fingerprint

    @property
    def dimension(self) -> int:
        """Vector length."""
        return self._model.dimension

    @property
    def window(self) -> int:
        """Maximum number of tokens read per text, excluding special tokens and the prompt."""
        return self._model.window

    @property
    def late(self) -> bool:
        """Whether sentences are encoded in the context of their passage (late pooling) or one by
        one.
        """
        return self._model.late

    @property
    def languages(self) -> frozenset[str]:
        """ISO codes of the model's training languages; empty if unknown."""
        return self._model.languages

    def tokens(self, text: str) -> Offsets:
        """Character offsets of the tokens of ``text``, in order, without special tokens."""
        return self._tokenization.offsets(text)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Encode passages, with one forward pass per passage or per sentence.

        Lazy, slice by slice, so memory does not grow with the number of passages.

        Yields
        ------
        PassageEncoding
            One per passage, in order. A sentence without any token gets the vector of its passage.

        Raises
        ------
        ModelError
            If the model can't be loaded or has changed.
        """
        for first in range(0, len(passages), PASSAGES_PER_SLICE):
            some = passages[first : first + PASSAGES_PER_SLICE]
            yield from self._late(some) if self.late else self._alone(some)

    def query(self, question: str) -> QueryEncoding:
        """Encode a query, truncated to the model's window.

        Returns
        -------
        QueryEncoding
            ``vector`` equals that of ``SentenceTransformer.encode_query``, truncated to the
            dimension and normalised.

        Raises
        ------
        ModelError
            If the model can't be loaded or has changed.
        """
        prompt = self._tokenization.query_prompt
        (encoding,) = self._tokenization.encode([prompt + question])
        tokens, vector = self._asked(encoding)
        return self._question(question, encoding, tokens, vector)

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """Encode many queries as :meth:`query` does, batched over all cores like passages.

        Raises
        ------
        ModelError
            If the model can't be loaded or has changed.
        """
        if not questions:
            return []
        prompt = self._tokenization.query_prompt
        encodings = self._tokenization.encode([prompt + question for question in questions])
        ran = self._passages().forward(encodings, prompt)
        return [
            self._question(question, encoding, tokens, vector)
            for question, encoding, tokens, vector in zip(
                questions, encodings, ran.tokens, ran.texts, strict=True
            )
        ]

    def _question(
        self, question: str, encoding: Encoding, tokens: TokenVectors, vector: Vector
    ) -> QueryEncoding:
        return pooling.question(
            question,
            encoding,
            self._tokenization.query_prompt,
            self._cut(tokens),
            self._cut(vector),
            legibility=self._tokenization.legibility(question),
        )

    def _late(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        prompt = self._tokenization.document_prompt
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
                self._tokenization.document_prompt,
                tokens[first:last],
                np.stack(vectors[first:last]),
            )
            for passage, (first, last) in zip(passages, pairwise(ends), strict=True)
        ]

    def _run(self, texts: Sequence[str]) -> tuple[list[Encoding], list[TokenVectors], list[Vector]]:
        """Token encodings, token vectors and text vectors of each text."""
        prompt = self._tokenization.document_prompt
        encodings = self._tokenization.encode([prompt + text for text in texts])
        ran = self._passages().forward(encodings, prompt)
        return encodings, [self._cut(one) for one in ran.tokens], list(self._cut(ran.texts))

    def _run_questions(self, encodings: Sequence[Encoding]) -> list[tuple[TokenVectors, Vector]]:
        plain = self._plain()
        runner: Runner = plain.bert if plain else self._network()
        ran = runner.forward(encodings, self._tokenization.query_prompt)
        return list(zip(ran.tokens, ran.texts, strict=True))

    def _cut(self, vectors: Vectors) -> Vectors:
        return vectors[..., : self.dimension]

    @property
    def _tokenization(self) -> Tokenization:
        plain = self._plain()
        return plain.tokenization if plain else self._network().tokenization

    def _read_plain(self) -> PlainBert | None:
        return PlainBert.read(self._folder(), self.window) if self._model.plain else None

    def _load_for_passages(self) -> Runner:
        plain = self._plain()
        if self.backend == "OpenVINO":
            if plain is None:
                raise ModelError(f"OpenVINO does not run {self.name}; leave the backend out")
            return openvino_bert.OpenVinoBert(plain.bert)
        if plain is None or has_gpu():
            return BatchedRunner(self._network())
        return PackedBert(plain.bert)
