"""How near embedding comes to what the machine's matrix multiplication allows.

::

    python tests/bench/bound.py [--passages N] [--rounds N]

The bound: floating-point operations that the tokens of the passages need, none for padding, by
the rate at which PyTorch multiplies matrices of 2048² float32 in the same run. The two take turns,
since a machine is never quite still; shares are medians over the rounds. Passages are sentences of
the seed article, shuffled, of the lengths that the chunker makes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from random import Random
from statistics import median

import torch
from quality import circumstances

from rag.documents.registry import load
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.threads import limit_blas_to_one_thread
from rag.text.chunking import passages
from rag.text.sentences import sentences
from rag.types import Document, Passage

LAYERS, WIDTH, WIDENED = 6, 384, 1536
SIZE = 2048
MULTIPLICATIONS = 6
SEED = next((Path(__file__).parent.parent.parent / "seeds").iterdir())


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    limit_blas_to_one_thread()  # as the command does
    print(json.dumps(measured(arguments.passages, arguments.rounds)))
    print(circumstances())


def measured(number: int, rounds: int) -> dict[str, object]:
    """The bound, passages a second, and the share of the bound."""
    embedder = SentenceTransformerEmbedder()
    some = shuffled(number, embedder)
    counts = [2 + len(embedder.tokens(one.text)) for one in some]
    needed = sum(map(operations, counts))
    list(embedder.passages(some[:8]))
    rate_of()
    rates, shares, speeds = [], [], []
    for _ in range(rounds):
        before = rate_of()
        began = time.perf_counter()
        list(embedder.passages(some))
        taken = time.perf_counter() - began
        rates.append((before + rate_of()) / 2)
        speeds.append(len(some) / taken)
        shares.append(needed / taken / rates[-1])
    return {
        "passages": len(some),
        "tokens_mean": sum(counts) / len(counts),
        "gflop_a_passage": needed / len(some) / 1e9,
        "gflop_a_second": median(rates) / 1e9,
        "bound_passages_a_second": median(rates) / needed * len(some),
        "backend": embedder.backend,
        "passages_a_second": median(speeds),
        "share_of_bound": median(shares),
        "shares": [round(one, 3) for one in shares],
    }


def operations(tokens: int) -> float:
    """Multiplications and additions for a text of so many tokens: matrices, and attention."""
    matrices = 2 * tokens * (4 * WIDTH * WIDTH + 2 * WIDTH * WIDENED)
    attention = 2 * 2 * tokens * tokens * WIDTH
    return float(LAYERS * (matrices + attention))


def rate_of() -> float:
    """Operations a second of a product of two square matrices."""
    one = torch.ones(SIZE, SIZE)
    began = time.perf_counter()
    for _ in range(MULTIPLICATIONS):
        one @ one
    return MULTIPLICATIONS * 2 * SIZE**3 / (time.perf_counter() - began)


def shuffled(number: int, embedder: SentenceTransformerEmbedder) -> list[Passage]:
    """Passages of the seed's sentences in other orders, as the chunker breaks them."""
    (document,) = load(SEED)
    text = document.text
    parts = [span.of(text) for span in sentences(text)]
    random = Random(0)  # noqa: S311 - the same passages each time
    found: list[Passage] = []
    while len(found) < number:
        text = " ".join(random.sample(parts, len(parts)))
        found += passages(Document("d", "d.txt", "d", text, "0"), embedder)
    return found[:number]


if __name__ == "__main__":
    main()
