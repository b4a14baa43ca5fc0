"""A plain BERT in PyTorch, for passages on a CPU without OpenVINO.

Neither sentence-transformers nor transformers is imported, which would take longer than embedding a
hundred passages. No text is padded: the tokens of several texts go through each matrix together,
and only attention is computed text by text.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rag.models.bert import Bert, Layer, Linear, Norm
from rag.models.forward_pass import Forward
from rag.models.sentence_transformer import one_thread_each
from rag.types.arrays import TokenVectors, Weights

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding

TOKENS = 1024
"""Approximate number of tokens per pack: with fewer, the overhead of each product dominates; with
more, the activations between two layers exceed a core's cache."""


class PackedBert:
    """A plain BERT in PyTorch, with one pack of passages per core. Runs are serialised across
    threads.
    """

    def __init__(self, bert: Bert) -> None:
        self._running = threading.Lock()
        self._words = _tensor(bert.words)
        self._places = _tensor(bert.places)
        self._kind = _tensor(bert.kinds[0])
        self._first = _Norm(bert.first)
        self._layers = [_Layer(layer, bert.heads) for layer in bert.layers]

    def forward(self, encodings: Sequence[Encoding], _prompt: str) -> Forward:
        """Run the model over tokenised texts."""
        ids = [one.ids for one in encodings]
        tokens: dict[int, TokenVectors] = {}
        with self._running, one_thread_each() as cores, ThreadPoolExecutor(cores) as pool:
            packs = _packs([len(one) for one in ids], cores)
            ran = pool.map(lambda pack: self._run([ids[text] for text in pack]), packs)
            for pack, found in zip(packs, ran, strict=True):
                tokens |= zip(pack, found, strict=True)
        in_order = [tokens[text] for text in range(len(ids))]
        return Forward(in_order, np.stack([one.mean(axis=0) for one in in_order]))

    def _run(self, ids: Sequence[Sequence[int]]) -> list[TokenVectors]:
        """Token vectors of one pack of texts."""
        import torch

        lengths = [len(one) for one in ids]
        with torch.inference_mode():
            places = torch.cat([self._places[:length] for length in lengths])
            x = self._words[torch.tensor(list(chain(*ids)))] + places + self._kind
            x = self._first(x)
            for layer in self._layers:
                x = layer(x, lengths)
            return [one.numpy() for one in x.split_with_sizes(lengths)]


class _Norm:
    """Layer normalisation (Ba, Kiros and Hinton, 2016)."""

    def __init__(self, norm: Norm) -> None:
        self._weight, self._bias = _tensor(norm.weight), _tensor(norm.bias)
        self._epsilon = norm.epsilon

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise each row to mean 0 and variance 1, then scale and shift it."""
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-1:], self._weight, self._bias, self._epsilon)


class _Linear:
    """``x @ weight.T + bias``, for one linear layer or several concatenated."""

    def __init__(self, *parts: Linear) -> None:
        self._weight = _tensor(np.concatenate([one.weight for one in parts]))
        self._bias = _tensor(np.concatenate([one.bias for one in parts]))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Apply to each row."""
        from torch.nn.functional import linear

        return linear(x, self._weight, self._bias)


class _Layer:
    """One transformer layer."""

    def __init__(self, layer: Layer, heads: int) -> None:
        self._heads = heads
        self._mixed = _Linear(layer.query, layer.key, layer.value)
        self._attended = _Linear(layer.attended)
        self._after_attention = _Norm(layer.after_attention)
        self._widened = _Linear(layer.widened)
        self._narrowed = _Linear(layer.narrowed)
        self._after = _Norm(layer.after)

    def __call__(self, x: torch.Tensor, lengths: list[int]) -> torch.Tensor:
        """Apply to the concatenated tokens of texts of these lengths."""
        from torch.nn.functional import gelu

        x = self._after_attention(x + self._attended(self._attention(x, lengths)))
        return self._after(x + self._narrowed(gelu(self._widened(x))))

    def _attention(self, x: torch.Tensor, lengths: list[int]) -> torch.Tensor:
        """Scaled dot-product self-attention within each text."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        mixed = self._mixed(x).view(len(x), 3, self._heads, -1)
        attended = []
        for text in mixed.split_with_sizes(lengths):
            query, key, value = text.permute(1, 2, 0, 3).unsqueeze(1)
            found = scaled_dot_product_attention(query, key, value)[0]
            attended.append(found.transpose(0, 1).flatten(1))
        return torch.cat(attended)


def _tensor(weights: Weights) -> torch.Tensor:
    """A copy: PyTorch does not accept read-only memory-mapped arrays."""
    import torch

    return torch.from_numpy(np.array(weights))


def _packs(lengths: Sequence[int], cores: int) -> list[list[int]]:
    """Group texts into packs of about equal size, the same number per core, so that all cores
    finish together.
    """
    rounds = -(-sum(lengths) // (TOKENS * cores))
    packs: list[tuple[int, int, list[int]]] = [(0, n, []) for n in range(rounds * cores)]
    for text in sorted(range(len(lengths)), key=lambda text: -lengths[text]):
        size, number, smallest = packs[0]
        heapq.heapreplace(packs, (size + lengths[text], number, [*smallest, text]))
    return [texts for _, _, texts in packs if texts]
