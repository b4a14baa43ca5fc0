"""What indexing again costs: nothing changed, and the same texts in a second library.

::

    python tests/bench/ingest_again.py SET [--characters N]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from bench_texts import first_texts, written
from quality import circumstances


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--characters", type=int, default=500_000)
    arguments = parser.parse_args()
    found = measured(first_texts(arguments.data, arguments.characters))
    print(json.dumps(found), circumstances(), sep="\n\n")


def measured(texts: dict[str, str]) -> dict[str, float]:
    """Seconds of a first run without and with a cache, of a second one over the same files, and
    of one that finds all encodings in the cache.
    """
    from rag import Library
    from rag.embedding import SentenceTransformerEmbedder
    from rag.threads import one_blas_thread

    one_blas_thread()  # as the command does
    embedder = SentenceTransformerEmbedder()
    embedder.query("the model is loaded before the clock runs")
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["XDG_CACHE_HOME"] = f"{temporary}/caches"
        os.environ.pop("RAG_CACHE_LIMIT", None)
        files = written(texts, Path(temporary) / "texts")
        found: dict[str, float] = {"characters": sum(map(len, texts.values()))}
        for name, keep in [("plain", False), ("first", True), ("second", True)]:
            with Library.open(Path(temporary) / name, embedder=embedder) as library:
                report = library.index(files, cache=keep)
                assert (report.embedded == 0) == (name == "second")
                found[f"{name}_s"] = report.seconds
                if name == "plain":
                    found["passages"] = report.embedded + report.reused
                    found["unchanged_s"] = library.index(files).seconds
        return found


def table(found: dict[str, float]) -> str:
    """A row for each run."""
    rows = {
        "first, without the cache": "plain_s",
        "first, with the cache": "first_s",
        "again, nothing changed": "unchanged_s",
        "a second library of the same texts": "second_s",
    }
    lines = [f"| {found['characters']:,.0f} characters | seconds |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {found[key]:.2f} |" for name, key in rows.items())])


if __name__ == "__main__":
    main()
