"""A model loaded by sentence-transformers: text → tokens → vectors. The only module that imports
it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rag.errors import ModelError
from rag.models.forward_pass import Forward
from rag.models.tokenizer import Tokenization, prompts
from rag.models.transformers_log import quiet_transformers
from rag.types.arrays import TokenVectors, Vectors

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding

UNKNOWN_WINDOW = 512
"""Window of a model that specifies none, in tokens."""

LONGEST_WINDOW = 8192
"""Largest window used, in tokens, even if a model could read more."""

_WITHOUT_EFFECT = frozenset({"Normalize", "Dropout"})
"""Layers after pooling that don't change a vector's direction."""

_KNOWN = _WITHOUT_EFFECT | {"Pooling", "Dense", "LayerNorm"}


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How passages are batched on a type of device.

    ``tokens`` is the batch size, padding included; ``half`` selects float16. With
    ``one_core_each``, one batch per core runs at a time, each on a single core: by default PyTorch
    splits every matrix product over all cores, which then wait for the slowest, hundreds of times
    per passage.
    """

    tokens: int
    half: bool
    one_core_each: bool


PLANS = {
    "cpu": BatchPlan(tokens=256, half=False, one_core_each=True),
    "cuda": BatchPlan(tokens=65536, half=True, one_core_each=False),
    "mps": BatchPlan(tokens=16384, half=True, one_core_each=False),
}
"""By PyTorch device type. The GPU settings have not been measured."""


class Network:
    """A loaded model. Thread-safe.

    Attributes
    ----------
    tokenization
        How texts become tokens.
    plan
        How passages are batched on its device.
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
        self.plan = PLANS.get(kind or model.device.type, PLANS["cpu"])
        self._model = model.half() if self.plan.half else model
        after = [type(module).__name__ for module in list(model)[1:]]
        mode: Any = model[1].pooling_mode
        modes = [mode] if isinstance(mode, str) else list(mode)
        layers = [one for one in after[1:] if one not in _WITHOUT_EFFECT]
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
        """Load the model in a folder.

        Raises
        ------
        ModelError
            If it can't be loaded, or is of an unsupported kind.
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
            texts = self._pooled(features, prompt)
            vectors = _as_numpy(tokens if self.late else self._tokens_alone(tokens))
        return Forward(
            tokens=[vectors[row, : len(one.ids)] for row, one in enumerate(encodings)],
            texts=_as_numpy(texts),
        )

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

    def _pooled(self, features: dict[str, Any], prompt: str) -> torch.Tensor:
        """Apply the layers after the transformer."""
        # Some models exclude the prompt from pooling.
        length = self.tokenization.length(prompt)
        return self._after_transformer(features | {"prompt_length": length})

    def _tokens_alone(self, tokens: torch.Tensor) -> torch.Tensor:
        """Apply those layers to each token alone; shape (texts, tokens, full dimension)."""
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
    """Whether PyTorch finds a GPU of any vendor."""
    import torch

    return torch.accelerator.is_available()


class BatchedRunner:
    """Runs a network over any number of passages. Runs are serialised across threads.

    Texts are batched by length, longest first, so that there is little padding and all cores finish
    at about the same time.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._running = threading.Lock()

    def forward(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run the model over tokenised texts, each preceded by the prompt."""
        plan, network = self._network.plan, self._network
        batches = _batches([len(one.ids) for one in encodings], plan.tokens)

        def run(batch: Sequence[int]) -> Forward:
            return network.forward([encodings[i] for i in batch], prompt)

        with self._running:
            if plan.one_core_each:
                with one_thread_each() as cores, ThreadPoolExecutor(cores) as pool:
                    ran = list(pool.map(run, batches))
            else:
                ran = [run(batch) for batch in batches]
        tokens: dict[int, TokenVectors] = {}
        texts = np.empty((len(encodings), network.full_dimension), dtype=np.float32)
        for batch, found in zip(batches, ran, strict=True):
            tokens |= zip(batch, found.tokens, strict=True)
            texts[batch] = found.texts
        return Forward([tokens[i] for i in range(len(encodings))], texts)


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
def one_thread_each() -> Iterator[int]:
    """Run threads that start using PyTorch inside this block on one core each; yields the previous
    number of threads.
    """
    import torch

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)


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
