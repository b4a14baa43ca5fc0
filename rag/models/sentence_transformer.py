"""A model loaded by sentence-transformers: text → tokens → vectors. The only module that imports
it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rag.errors import ModelError
from rag.models.bert import WITHOUT_EFFECT
from rag.models.pooling import Forward
from rag.models.tokenizer import Tokenization, prompts
from rag.types.arrays import TokenVectors, Vectors

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding

UNKNOWN_WINDOW = 512
"""Window of a model that specifies none, in tokens."""

LONGEST_WINDOW = 8192
"""Largest window used, in tokens, even if a model could read more."""

_KNOWN = WITHOUT_EFFECT | {"Pooling", "Dense", "LayerNorm"}


BATCH_TOKENS = {"cpu": 256, "cuda": 65536, "mps": 16384}
"""Tokens per batch of passages, padding included, by PyTorch device type. Those of the GPUs have
not been measured."""


class Network:
    """A loaded model. Thread-safe.

    Attributes
    ----------
    tokenization
        How texts become tokens.
    device
        Type of its device. On any but ``cpu`` it runs in half precision.
    full_dimension
        Length of the vectors it outputs.
    dimension
        Length to which its authors truncate them, otherwise the same.
    late
        Whether it uses plain mean pooling.
    pooling
        Short description of its pooling.
    """

    def __init__(self, model: SentenceTransformer, name: str, kind: str | None = None) -> None:
        """Wrap a model loaded by sentence-transformers, batching for a ``kind`` of device; by
        default the one it is on.
        """
        _check(model, name)
        self._running = threading.Lock()
        found = kind or model.device.type
        self.device = found if found in BATCH_TOKENS else "cpu"
        self._model = model if self.device == "cpu" else model.half()
        after = [type(module).__name__ for module in list(model)[1:]]
        mode: Any = model[1].pooling_mode
        modes = [mode] if isinstance(mode, str) else list(mode)
        layers = [one for one in after[1:] if one not in WITHOUT_EFFECT]
        self.pooling = "+".join([*modes, *layers])
        self.late = self.pooling == "mean"
        shortened = model.get_embedding_dimension()
        with model.truncate_embeddings(None):
            self.full_dimension = int(cast("int", model.get_embedding_dimension()))
        self.dimension = int(shortened or self.full_dimension)
        longest = _longest(model)
        as_json = model.tokenizer.backend_tokenizer.to_str()
        self.tokenization = Tokenization(as_json, *prompts(model.prompts), longest=longest)
        if self.tokenization.window < 1:
            raise ModelError(
                f"{name} reads {longest} tokens at once, but its prompt and special tokens "
                f"take {longest - self.tokenization.window}; use another model"
            )

    @classmethod
    def load(cls, folder: Path) -> Network:
        """Load the model in a folder; raises ModelError if that fails or it is of an unsupported
        kind.
        """
        with quiet_transformers():
            from sentence_transformers import SentenceTransformer

            try:
                model = SentenceTransformer(str(folder), local_files_only=True)
            except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
                reason = str(error).strip().partition("\n")[0]
                raise ModelError(
                    f"the model in {folder} can't be loaded: {reason}; name another one, or get "
                    "it again"
                ) from error
        return cls(model.eval(), folder.name)

    def forward(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run the model over tokenised texts in one batch, each preceded by the prompt."""
        import torch

        with torch.inference_mode():
            features = self._model[0](self._features(encodings))
            tokens = features["token_embeddings"]
            # Some models exclude the prompt from pooling.
            features["prompt_length"] = self.tokenization.length(prompt)
            texts = self._after_transformer(features)
            vectors = _as_numpy(tokens if self.late else self._tokens_alone(tokens))
        return Forward(
            tokens=[vectors[row, : len(one.ids)] for row, one in enumerate(encodings)],
            texts=_as_numpy(texts),
        )

    def forward_all(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run the model over any number of tokenised texts, one caller at a time.

        Texts are batched by length, longest first, so that there is little padding and all cores
        finish at about the same time.
        """
        batches = _batches([len(one.ids) for one in encodings], BATCH_TOKENS[self.device])

        def run(batch: Sequence[int]) -> Forward:
            return self.forward([encodings[i] for i in batch], prompt)

        with self._running:
            if self.device == "cpu":
                with _one_thread_each() as cores, ThreadPoolExecutor(cores) as pool:
                    ran = list(pool.map(run, batches))
            else:
                ran = [run(batch) for batch in batches]
        tokens: dict[int, TokenVectors] = {}
        texts = np.empty((len(encodings), self.full_dimension), dtype=np.float32)
        for batch, found in zip(batches, ran, strict=True):
            tokens |= zip(batch, found.tokens, strict=True)
            texts[batch] = found.texts
        return Forward([tokens[i] for i in range(len(encodings))], texts)

    def _features(self, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
        import torch

        longest = max(len(encoding.ids) for encoding in encodings)
        tokenizer = self._model.tokenizer
        ids = torch.full((len(encodings), longest), tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
        features = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(ids)
        return {name: values.to(self._model.device) for name, values in features.items()}

    def _tokens_alone(self, tokens: torch.Tensor) -> torch.Tensor:
        """Apply the layers after the transformer to each token alone; shape (texts, tokens, full
        dimension).
        """
        import torch

        texts, count, width = tokens.shape
        each = tokens.reshape(texts * count, 1, width)
        mask = torch.ones(each.shape[:2], dtype=torch.int64, device=tokens.device)
        alone = {"token_embeddings": each, "attention_mask": mask}
        return self._after_transformer(alone).reshape(texts, count, -1)

    def _after_transformer(self, features: dict[str, Any]) -> torch.Tensor:
        for module in list(self._model)[1:]:
            features = module(features)
        return cast("torch.Tensor", features["sentence_embedding"])


def has_gpu() -> bool:
    """Whether PyTorch finds a GPU of any vendor. A build for CPUs is not imported to find out."""
    if version("torch").endswith("+cpu"):
        return False
    import torch

    return torch.accelerator.is_available()


def _batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Group texts into batches, longest first, of at most ``tokens`` tokens unless a single text
    has more.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batches = []
    while order:
        size = max(1, tokens // max(1, lengths[order[0]]))
        batches.append(order[:size])
        order = order[size:]
    return batches


@contextmanager
def _one_thread_each() -> Iterator[int]:
    """Run threads that start using PyTorch inside this block on one core each; yields the previous
    number of threads.

    By default PyTorch splits every matrix product over all cores, which then wait for the slowest,
    hundreds of times per passage.
    """
    import torch

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Suppress the progress bar and load report that transformers prints while loading a model."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _check(model: SentenceTransformer, name: str) -> None:
    """Raise ModelError for an unsupported kind of model, saying why."""
    kinds = [type(module).__name__ for module in model]
    strange = [kind for kind in kinds[1:] if kind not in _KNOWN]
    if kinds[0] != "Transformer" or kinds[1:2] != ["Pooling"] or strange:
        raise ModelError(
            f"{name} is made of {', '.join(kinds)}; rag supports models made of a Transformer, a "
            "Pooling, and Dense, LayerNorm or Normalize layers"
        )
    modalities: Any = model[0].modality_config
    if "text" not in modalities or "message" in modalities:
        raise ModelError(f"{name} does not take plain text; use a model for text")
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelError(
            f"the tokenizer of {name} gives no token offsets; use a model with a tokenizer.json"
        )


def _longest(model: SentenceTransformer) -> int:
    """Maximum number of tokens per text, including special tokens."""
    # If unspecified, transformers reports 10 to the power of 30.
    declared = model.max_seq_length or UNKNOWN_WINDOW
    return UNKNOWN_WINDOW if declared > 10**9 else min(int(declared), LONGEST_WINDOW)


def _as_numpy(values: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return cast("Vectors", values.float().cpu().numpy())
