"""Which runner encodes passages fastest, in float32 and in bfloat16, and how near to float32.

::

    python tests/bench/runners.py ../shared/data/squad_dev [--passages N] [--rounds N]

The runners take turns in one process. ``wall`` and ``CPU`` are milliseconds a passage, medians over
the rounds; CPU is that of all threads, and hardly depends on what else the machine is doing.
Cosines are those of sentence vectors with the same in PyTorch and float32; the last column is the
share of token signs that are equal.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from bench_texts import first_texts
from quality import circumstances

from rag.models import openvino_bert, pooling, torch_bert
from rag.models.bert import Bert
from rag.models.bert_files import PlainBert
from rag.models.forward_pass import Forward, Runner
from rag.models.named_models import MINILM
from rag.models.openvino_bert import OpenVinoBert
from rag.runtime.threads import limit_blas_to_one_thread
from rag.text.chunking import passages
from rag.types import Document, Passage, PassageEncoding

TARGET = 200
"""Tokens a passage, about."""


class BfloatWeights(torch_bert.PackedBert):
    """Packed passages in PyTorch, all weights and activations in bfloat16."""

    def __init__(self, bert: Bert) -> None:
        super().__init__(bert)
        parts = [self, self._first]
        for layer in self._layers:
            parts += vars(layer).values()
        for part in parts:
            for name, value in vars(part).items() if hasattr(part, "__dict__") else ():
                if isinstance(value, torch.Tensor):
                    setattr(part, name, value.bfloat16())

    def _run(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        lengths = [len(one) for one in ids]
        with torch.inference_mode():
            places = torch.cat([self._places[:length] for length in lengths])
            flat = torch.tensor([token for one in ids for token in one])
            x = self._first(self._words[flat] + places + self._kind)
            for layer in self._layers:
                x = layer(x, lengths)
            return [one.numpy() for one in x.float().split_with_sizes(lengths)]


class BfloatProducts(torch_bert.PackedBert):
    """Packed passages in PyTorch, matrix products in bfloat16 (autocast)."""

    def _run(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super()._run(ids)


class Precision(OpenVinoBert):
    """OpenVINO at a precision."""

    def __init__(self, bert: Bert, precision: str) -> None:
        super().__init__(bert)  # which keeps its telemetry out
        import openvino

        hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        compiled = openvino.Core().compile_model(openvino_bert._model(bert), "CPU", hints)
        self._queue = openvino.AsyncInferQueue(compiled)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--passages", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    limit_blas_to_one_thread()
    plain = PlainBert.read(MINILM.folder(), MINILM.window)
    assert plain
    some = prose(arguments.data, arguments.passages, plain)
    encodings = plain.tokenization.encode([one.text for one in some])
    runners = made(plain)
    encoded = {name: vectors(some, encodings, one) for name, one in runners.items()}
    walls = {name: [] for name in runners}
    cpus = {name: [] for name in runners}
    for _ in range(arguments.rounds):
        for name, runner in runners.items():
            wall, cpu = time.perf_counter(), time.process_time()
            runner.forward(encodings, "")
            walls[name].append((time.perf_counter() - wall) / len(some) * 1000)
            cpus[name].append((time.process_time() - cpu) / len(some) * 1000)
    print(f"{len(some)} passages, {np.mean([len(one.ids) for one in encodings]):.0f} tokens")
    print(f"{os.cpu_count()} cores, torch {torch.get_num_threads()} threads")
    print("| runner | wall | CPU | all CPU | cosine, least | mean | equal signs |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, found in encoded.items():
        cosines, equal = compared(found, encoded["PyTorch, float32"])
        rounds = " ".join(f"{one:.1f}" for one in cpus[name])
        print(
            f"| {name} | {median(walls[name]):.1f} | {median(cpus[name]):.1f} | {rounds} | "
            f"{cosines.min():.6f} | {cosines.mean():.6f} | {equal:.5f} |"
        )
    print(circumstances())


def made(plain: PlainBert) -> dict[str, Runner]:
    """The runners by name; loading is timed and printed."""
    makers: dict[str, Callable[[], Runner]] = {
        "PyTorch, float32": lambda: torch_bert.PackedBert(plain.bert),
        "PyTorch, bfloat16 weights": lambda: BfloatWeights(plain.bert),
        "PyTorch, bfloat16 products": lambda: BfloatProducts(plain.bert),
        "OpenVINO, float32": lambda: Precision(plain.bert, "f32"),
        "OpenVINO, bfloat16": lambda: Precision(plain.bert, "bf16"),
    }
    found = {}
    for name, make in makers.items():
        began = time.perf_counter()
        found[name] = make()
        print(f"{name}: made in {time.perf_counter() - began:.2f} s")
    return found


def vectors(some: Sequence[Passage], encodings: Sequence[object], runner: Runner) -> list:
    """The passages' encodings by a runner."""
    ran: Forward = runner.forward(encodings, "")
    return [
        pooling.late(one, encoding, "", tokens)
        for one, encoding, tokens in zip(some, encodings, ran.tokens, strict=True)
    ]


def compared(
    ours: Sequence[PassageEncoding], theirs: Sequence[PassageEncoding]
) -> tuple[np.ndarray, float]:
    """The cosine of each sentence in the two, and the share of equal signs."""
    cosines = np.concatenate(
        [np.vecdot(a.sentences, b.sentences) for a, b in zip(ours, theirs, strict=True)]
    )
    differing = [np.unpackbits(a.bits ^ b.bits).mean() for a, b in zip(ours, theirs, strict=True)]
    return cosines, 1.0 - float(np.mean(differing))


def prose(data: Path, number: int, plain: PlainBert) -> list[Passage]:
    """Passages of the set's documents, as the chunker breaks them at that length."""

    class Counter:
        window = plain.tokenization.window

        @staticmethod
        def tokens(text: str) -> np.ndarray:
            return plain.tokenization.offsets(text)

    found: list[Passage] = []
    for text in first_texts(data, 2_000_000).values():
        found += passages(Document("d", "d.txt", "d", text, "0"), Counter(), target=TARGET)
        if len(found) >= number:
            break
    return found[:number]


if __name__ == "__main__":
    main()
