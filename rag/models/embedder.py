"""The embedder: runs a local sentence-transformers model."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from rag.models import pooling
from rag.models.bert import PlainBert
from rag.models.micro_batch import MicroBatcher
from rag.models.named_models import MINILM, NamedModel, PackagedModel, from_record, packaged
from rag.models.openvino_bert import OpenVinoBert, is_installed, precision
from rag.models.pooling import Forward, RunModel
from rag.models.sentence_transformer import Network, has_gpu
from rag.models.tokenizer import Tokenization
from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets, TokenVectors, Vector

if TYPE_CHECKING:
    from tokenizers import Encoding

T = TypeVar("T")

FEWEST_PER_SLICE, MOST_PER_SLICE, SECONDS_PER_SLICE = 8, 64, 1.0
"""Passages per slice: enough that cores rarely idle at the end of a slice, few enough that progress
shows and Ctrl-C is prompt, however slow the machine."""

QUESTIONS_PER_RUN = 4
"""Queries per forward pass: four take twice as long as one, and beyond that the activations between
two layers no longer fit in a core's cache."""


QUERY_TOKENS = 128
"""Maximum number of tokens of a query, including special tokens and the prompt: the length that the
default model was trained with. It bounds what a pasted page costs."""


class SentenceTransformerEmbedder:
    """Runs a sentence-transformers model on this machine. Thread-safe once loaded.

    A plain BERT, such as either packaged model, encodes queries in NumPy and passages in OpenVINO,
    where that is installed and there is no GPU. Otherwise a model runs in sentence-transformers.
    The vectors are the same, up to rounding to bfloat16. Whatever takes seconds to load is loaded
    on first use, and may raise ModelError then.

    Parameters
    ----------
    model
        The model to run.
    loaded
        The same model, if sentence-transformers has already loaded it.

    Attributes
    ----------
    name, fingerprint, dimension, window, late, languages
        As in :class:`rag.types.protocols.Embedder` and :class:`rag.models.named_models.NamedModel`.
    record
        What a library stores so that it can be reopened with this model.
    """

    def __init__(
        self, model: PackagedModel | NamedModel = MINILM, loaded: Network | None = None
    ) -> None:
        self.name = model.name
        self.fingerprint = model.fingerprint
        self.dimension = model.dimension
        self.window = model.window
        self.late = model.late
        self.languages = model.languages
        self.record = model.record
        self._scale = model.scale
        self._center = model.token_center()
        self._is_plain = model.plain
        self._per_slice = FEWEST_PER_SLICE
        self._folder = _Lazy(model.verified_folder)
        self._plain = _Lazy(self._read_plain)
        self._network = _Lazy(lambda: loaded or Network.load(self._folder()))
        self._run_passages = _Lazy(self._load_for_passages)
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
            A folder, or a name on the Hugging Face hub, or that of a packaged model.
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
        model = packaged(name)
        if model and dimensions in {None, model.dimension}:
            model.folder()  # fails here rather than once a library was made for it
            return cls(model)
        return cls(*NamedModel.inspect(name, dimensions))

    @classmethod
    def from_record(cls, record: str | None) -> Self:
        """Restore the embedder from :attr:`record`; raises LibraryDamaged if that is invalid."""
        return cls(from_record(record))

    @property
    def backend(self) -> str:
        """Display name of the backend that encodes passages, with its precision."""
        return f"OpenVINO, {precision()}" if self._uses_openvino else "PyTorch"

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
        """
        first = 0
        while some := passages[first : first + self._per_slice]:
            began = time.monotonic()
            encoded = self._late(some) if self.late else self._alone(some)
            fitting = len(some) * SECONDS_PER_SLICE / (time.monotonic() - began + 1e-9)
            self._per_slice = int(min(max(fitting, FEWEST_PER_SLICE), MOST_PER_SLICE))
            first += len(some)
            yield from encoded

    def query(self, question: str) -> QueryEncoding:
        """Encode a query, truncated to :data:`QUERY_TOKENS` or the model's window.

        Returns
        -------
        QueryEncoding
            ``vector`` equals that of ``SentenceTransformer.encode_query`` for the truncated query,
            truncated to the dimension and normalised.
        """
        (encoding,) = self._encode_queries([question])
        tokens, vector = self._asked(encoding)
        return self._question(question, encoding, tokens, vector)

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """Encode many queries as :meth:`query` does, batched over all cores like passages."""
        if not questions:
            return []
        encodings = self._encode_queries(questions)
        ran = self._run_passages()(encodings, self._tokenization.query_prompt)
        return [
            self._question(*one)
            for one in zip(questions, encodings, ran.tokens, ran.texts, strict=True)
        ]

    def _question(
        self, question: str, encoding: Encoding, tokens: TokenVectors, vector: Vector
    ) -> QueryEncoding:
        return pooling.question(
            question,
            encoding,
            self._tokenization.query_prompt,
            tokens[:, : self.dimension],
            vector[: self.dimension],
            center=self._center,
            legibility=self._tokenization.legibility(question),
            scale=self._scale,
        )

    def _late(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        prompt = self._tokenization.document_prompt
        encodings, ran = self._forward([one.text for one in passages], prompt)
        return [
            pooling.late(passage, encoding, prompt, tokens[:, : self.dimension], self._center)
            for passage, encoding, tokens in zip(passages, encodings, ran.tokens, strict=True)
        ]

    def _alone(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        prompt = self._tokenization.document_prompt
        texts = [one.sentence_texts() for one in passages]
        encodings, ran = self._forward([text for some in texts for text in some], prompt)
        ends = accumulate(map(len, texts), initial=0)
        return [
            pooling.alone(
                passage,
                encodings[first:last],
                prompt,
                [tokens[:, : self.dimension] for tokens in ran.tokens[first:last]],
                ran.texts[first:last, : self.dimension],
                center=self._center,
            )
            for passage, (first, last) in zip(passages, pairwise(ends), strict=True)
        ]

    def _encode_queries(self, questions: Sequence[str]) -> list[Encoding]:
        prompt = self._tokenization.query_prompt
        return self._tokenization.encode([prompt + one for one in questions], QUERY_TOKENS)

    def _forward(self, texts: Sequence[str], prompt: str) -> tuple[list[Encoding], Forward]:
        """Tokenise many texts, and run the model over them on all cores."""
        encodings = self._tokenization.encode([prompt + text for text in texts])
        return encodings, self._run_passages()(encodings, prompt)

    def _run_questions(self, encodings: Sequence[Encoding]) -> list[tuple[TokenVectors, Vector]]:
        plain = self._plain()
        run = plain.bert.forward if plain else self._network().forward
        ran = run(encodings, self._tokenization.query_prompt)
        return list(zip(ran.tokens, ran.texts, strict=True))

    @property
    def _uses_openvino(self) -> bool:
        return self._is_plain and is_installed() and not has_gpu()

    @property
    def _tokenization(self) -> Tokenization:
        plain = self._plain()
        return plain.tokenization if plain else self._network().tokenization

    def _read_plain(self) -> PlainBert | None:
        return PlainBert.read(self._folder(), self.window) if self._is_plain else None

    def _load_for_passages(self) -> RunModel:
        plain = self._plain()
        if plain is None or not self._uses_openvino:
            return self._network().forward_all
        return OpenVinoBert(plain.bert).forward


class _Lazy(Generic[T]):
    """Computes a value on first access, once across threads; after an error the next access tries
    again.
    """

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._value: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """Return the value, computing it if necessary."""
        with self._lock:
            if not self._value:
                self._value.append(self._compute())
            return self._value[0]
