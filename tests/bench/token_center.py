"""Measure the mean token vector of the multilingual model, and write it where rag loads it.

::

    python tests/bench/token_center.py ../shared/data/xquad_ru ../shared/data/xquad_zh …

Takes forty paragraphs of each set. Run only for another version of the model.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np

from rag.evaluation.beir import read_beir
from rag.models import multilingual
from rag.models.bert import PlainBert
from rag.models.named_models import MULTILINGUAL

PARAGRAPHS = 40
CHARACTERS = 500


def main() -> None:
    """Read, encode, average, write."""
    chance = random.Random(0)  # noqa: S311
    model = PlainBert.read(multilingual.folder(), MULTILINGUAL.window)
    if model is None:
        raise SystemExit("the model can't be read")
    prompt = model.tokenization.document_prompt
    total, count = np.zeros(MULTILINGUAL.dimension), 0
    for name in sys.argv[1:]:
        for document in chance.sample(list(read_beir(Path(name)).documents or ()), PARAGRAPHS):
            encodings = model.tokenization.encode([prompt + document.text[:CHARACTERS]])
            (tokens,) = model.bert.forward(encodings, prompt).tokens
            inside = tokens[model.tokenization.length(prompt) : -1]
            total, count = total + inside.sum(axis=0), count + len(inside)
    target = Path(multilingual.__file__).with_name("multilingual_center.npy")
    np.save(target, (total / count).astype(np.float32))


if __name__ == "__main__":
    main()
