"""A plain BERT (Devlin et al., 2019) loaded from its own files, with a forward pass in NumPy.

Used for queries: they are short, and importing PyTorch takes longer than answering a thousand of
them. Weights are memory-mapped, since the safetensors package would copy them all: those that a
query does not touch (most of the 30,000 word-piece vectors) are never read, and processes share the
rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.pooling import Forward
from rag.models.tokenizer import Tokenization, prompts
from rag.types.arrays import TokenVectors, Weights

if TYPE_CHECKING:
    from tokenizers import Encoding

    from rag.models.sentence_transformer import Network

Activations = NDArray[np.float32]
"""Shape (tokens, width), float32."""

PROBE = "Where does it say so? On the second page, third line: “so it goes”, 1969."
TOLERANCE = 1e-4
"""Of results of magnitude about 1, from two backends."""

WITHOUT_EFFECT = frozenset({"Normalize", "Dropout"})
"""Layers after pooling that don't change a vector's direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """``x @ weight.T + bias``; the weight has shape (outputs, inputs)."""

    weight: Weights
    bias: Weights

    def __call__(self, x: Activations) -> Activations:
        """Apply to each row."""
        y = x @ self.weight.T
        y += self.bias
        return y


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """Layer normalisation (Ba, Kiros and Hinton, 2016)."""

    weight: Weights
    bias: Weights
    epsilon: float

    def __call__(self, x: Activations) -> Activations:
        """Normalise each row to mean 0 and variance 1, then scale and shift it."""
        y: Activations = x - x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", y, y) / np.float32(x.shape[1])
        y *= (1 / np.sqrt(variance + np.float32(self.epsilon)))[:, None]
        y *= self.weight
        y += self.bias
        return y


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One transformer layer."""

    query: Linear
    key: Linear
    value: Linear
    attention_output: Linear
    attention_norm: Norm
    intermediate: Linear
    output: Linear
    output_norm: Norm


@dataclass(frozen=True, slots=True, eq=False)
class Bert:
    """A BERT with mean pooling. Thread-safe.

    Only the first of the segment embeddings is used.
    """

    word_embeddings: Weights
    position_embeddings: Weights
    segment_embeddings: Weights
    embedding_norm: Norm
    layers: tuple[Layer, ...]
    heads: int

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Load the model in a folder; None if it is not a plain BERT or its weights are not
        float32. Raises OSError or ValueError if a file can't be read.
        """
        if not _is_plain(folder):
            return None
        config = _json(folder / "config.json")
        epsilon = float(config.get("layer_norm_eps", 1e-12))
        tensors = map_tensors(folder / "model.safetensors")
        tensors = {name.removeprefix("bert."): values for name, values in tensors.items()}

        def linear(name: str) -> Linear:
            return Linear(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

        def norm(name: str) -> Norm:
            return Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"], epsilon)

        def layer(name: str) -> Layer:
            return Layer(
                query=linear(f"{name}.attention.self.query"),
                key=linear(f"{name}.attention.self.key"),
                value=linear(f"{name}.attention.self.value"),
                attention_output=linear(f"{name}.attention.output.dense"),
                attention_norm=norm(f"{name}.attention.output.LayerNorm"),
                intermediate=linear(f"{name}.intermediate.dense"),
                output=linear(f"{name}.output.dense"),
                output_norm=norm(f"{name}.output.LayerNorm"),
            )

        count = int(config["num_hidden_layers"])
        try:
            return cls(
                word_embeddings=tensors["embeddings.word_embeddings.weight"],
                position_embeddings=tensors["embeddings.position_embeddings.weight"],
                segment_embeddings=tensors["embeddings.token_type_embeddings.weight"],
                embedding_norm=norm("embeddings.LayerNorm"),
                layers=tuple(layer(f"encoder.layer.{n}") for n in range(count)),
                heads=int(config["num_attention_heads"]),
            )
        except KeyError:
            return None

    def forward(self, encodings: Sequence[Encoding], _prompt: str) -> Forward:
        """Run the model over tokenised texts.

        The tokens of all texts go through each matrix together, without padding; only attention is
        computed text by text.
        """
        ids = [np.array(one.ids) for one in encodings]
        bounds = [slice(*ends) for ends in pairwise(accumulate(map(len, ids), initial=0))]
        places = np.concatenate([np.arange(len(one)) for one in ids])
        x = (
            self.word_embeddings[np.concatenate(ids)]
            + self.position_embeddings[places]
            + self.segment_embeddings[0]
        )
        x = self.embedding_norm(x)
        for layer in self.layers:
            x = layer.attention_norm(x + layer.attention_output(self._attention(layer, x, bounds)))
            x = layer.output_norm(x + layer.output(_gelu(layer.intermediate(x))))
        tokens: list[TokenVectors] = [x[mine] for mine in bounds]
        return Forward(tokens, np.stack([one.mean(axis=0) for one in tokens]))

    def _attention(self, layer: Layer, x: Activations, bounds: Sequence[slice]) -> Activations:
        """Scaled dot-product self-attention within each text."""
        shape = (len(x), self.heads, -1)
        queries = layer.query(x).reshape(shape)
        keys = layer.key(x).reshape(shape)
        values = layer.value(x).reshape(shape)
        queries *= np.float32(1 / math.sqrt(queries.shape[2]))
        mixed = np.empty_like(values)
        for mine in bounds:
            scores = queries[mine].transpose(1, 0, 2) @ keys[mine].transpose(1, 2, 0)
            scores -= scores.max(axis=2, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=2, keepdims=True)
            mixed[mine] = (scores @ values[mine].transpose(1, 0, 2)).transpose(1, 0, 2)
        return mixed.reshape(len(x), -1)


@dataclass(frozen=True, slots=True, eq=False)
class PlainBert:
    """A plain BERT with its tokenization, free of PyTorch."""

    tokenization: Tokenization
    bert: Bert

    @classmethod
    def read(cls, folder: Path, window: int) -> Self | None:
        """Load the model in a folder, with ``window`` tokens per passage; None if it is no plain
        BERT. Raises ModelError if its files can't be read.
        """
        try:
            bert = Bert.read(folder)
            if bert is None:
                return None
            as_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
            settings = folder / "config_sentence_transformers.json"
            config = _json(settings) if settings.exists() else {}
        except (OSError, ValueError) as error:
            raise ModelError(
                f"the model in {folder} can't be read: {error}; get it again"
            ) from error
        found = prompts(config.get("prompts") or {})
        return cls(Tokenization(as_json, *found, window=window), bert)

    @classmethod
    def equals(cls, folder: Path, network: Network) -> bool:
        """Whether the model can be loaded as a plain BERT and gives the same tokens and vectors as
        in sentence-transformers.
        """
        plain = cls.read(folder, network.tokenization.window)
        if plain is None or not plain.tokenization.same_as(network.tokenization):
            return False
        prompt = plain.tokenization.query_prompt
        probe = plain.tokenization.encode([prompt + PROBE])
        ours, theirs = plain.bert.forward(probe, prompt), network.forward(probe, prompt)
        return np.allclose(ours.tokens[0], theirs.tokens[0], rtol=0, atol=TOLERANCE)


def map_tensors(path: Path) -> dict[str, Weights]:
    """Map the float32 tensors of a ``model.safetensors``, by name; others are skipped.

    File format: header length (8 bytes, little endian); header (JSON: dtype, shape and byte range
    of each tensor, relative to the end of the header); tensor data. Raises OSError or ValueError if
    it can't be read or is not in this format.
    """
    whole = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    length = int.from_bytes(whole[:8].tobytes(), "little")
    header: Mapping[str, Any] = json.loads(whole[8 : 8 + length].tobytes())
    behind = whole[8 + length :]
    return {
        name: behind[slice(*tensor["data_offsets"])].view("<f4").reshape(tensor["shape"])
        for name, tensor in header.items()
        if tensor.get("dtype") == "F32"
    }


def _gelu(x: Activations) -> Activations:
    """GELU activation x · Φ(x), where Φ is the normal CDF, computed from the error function.

    NumPy has no erf and importing SciPy's takes a third of a second, so this uses formula 7.1.26 of
    Abramowitz and Stegun, with an error of at most 1.5e-7, about float32 precision.
    """
    z = np.abs(x)
    z *= np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    rest = np.full_like(t, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0):
        rest *= t
        rest += np.float32(coefficient)
    np.square(z, out=z)
    rest *= np.exp(-z)
    erf = np.copysign(1 - rest, x)
    erf += 1
    erf *= x
    erf *= np.float32(0.5)
    return erf


def _is_plain(folder: Path) -> bool:
    """Whether a sentence-transformers model is a BERT followed by plain mean pooling."""
    names = ["config.json", "model.safetensors", "tokenizer.json"]
    if not all((folder / name).is_file() for name in names):
        return False
    modules = _json(folder / "modules.json")
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or not WITHOUT_EFFECT.issuperset(kinds[2:]):
        return False
    config = _json(folder / "config.json")
    return (
        modules[0]["path"] == ""
        and config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and _takes_the_mean(_json(folder / modules[1]["path"] / "config.json"))
    )


def _takes_the_mean(pooling: dict[str, Any]) -> bool:
    """Whether this config means pooling over all tokens, prompt included, in the old or the new
    format.
    """
    mode = pooling.get("pooling_mode")
    flags = {name for name, value in pooling.items() if name.startswith("pooling_mode_") and value}
    mean = mode == "mean" if mode is not None else flags == {"pooling_mode_mean_tokens"}
    return mean and bool(pooling.get("include_prompt", True))


def _json(path: Path) -> Any:  # noqa: ANN401 - what the file holds
    return json.loads(path.read_text(encoding="utf-8"))
