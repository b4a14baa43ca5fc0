"""The embedder that runs a sentence-transformers model on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import numpy as np

from rag.errors import ModelError
from rag.models import openvino_bert, pooling
from rag.models.bert_files import Plain
from rag.models.forward_pass import Runner
from rag.models.lazy import Once
from rag.models.micro_batch import Together
from rag.models.named_models import MINILM, NamedModel, PackagedModel, is_packaged
from rag.models.sentence_transformer import InBatches, Network, is_gpu_there
from rag.models.tokenizer import Tokenization
from rag.models.torch_bert import Packed
from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets, TokenVectors, Vector, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding

Backend: TypeAlias = Literal["OpenVINO", "PyTorch"]
"""What passages run on."""

PASSAGES_PER_SLICE = 64
"""Passages that go through the model before the next are taken: enough that no core waits long for
the others at the end, few enough that progress is seen and Ctrl-C heard."""

QUESTIONS_PER_RUN = 4
"""Questions that share a pass: four together take twice the time of one, and with more the
numbers between two layers no longer fit a core's cache."""


class SentenceTransformerEmbedder:
    """An embedder that runs a sentence-transformers model on this machine.

    Questions of a plain BERT, the packaged model say, run on NumPy, and its passages on OpenVINO
    where that is installed, else on PyTorch. Everything else runs in sentence-transformers. The
    vectors are the same. What takes seconds to load is loaded when it is first needed; after that
    any number of threads may use it.

    Parameters
    ----------
    model
        What to run.
    loaded
        The same, where sentence-transformers has loaded it already.
    backend
        What passages run on; by default OpenVINO where it is installed and runs the model.
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
        self._folder = Once(model.checked)
        self._plain = Once(self._read_plain)
        self._network = Once(lambda: loaded or Network.load(self._folder()))
        self._passages = Once(self._load_for_passages)
        self._asked = Together(
            self._run_questions,
            most=QUESTIONS_PER_RUN,
            # NumPy takes one core a run, and the rest of a search as much again; PyTorch all.
            at_once=max(1, (os.cpu_count() or 1) // 2) if model.plain else 1,
        )

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
        return self._tokenization.offsets(text)

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
        prompt = self._tokenization.query_prompt
        (encoding,) = self._tokenization.encode([prompt + question])
        tokens, vector = self._asked(encoding)
        return self._question(question, encoding, tokens, vector)

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """Encode many questions, as :meth:`query` does one: as passages are, on all cores.

        Raises
        ------
        ModelError
            If the model can't be loaded or is not the one it was.
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
        """The tokens of texts, the vectors of the tokens, and those of the texts."""
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

    def _read_plain(self) -> Plain | None:
        return Plain.read(self._folder(), self.window) if self._model.plain else None

    def _load_for_passages(self) -> Runner:
        plain = self._plain()
        if self.backend == "OpenVINO":
            if plain is None:
                raise ModelError(f"OpenVINO does not run {self.name}; leave the backend out")
            return openvino_bert.Graph(plain.bert)
        if plain is None or is_gpu_there():
            return InBatches(self._network())
        return Packed(plain.bert)
