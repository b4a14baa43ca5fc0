"""Whether the right paper is found, page and all. Run by hand:

    python tests/bench/papers.py ../shared/data/aragog

Indexes the PDFs in the set's ``files``, asks its questions, and prints the share whose right
paper is first and among the first three, the time and the peak memory. Then some hits with their
pages, to be compared with the papers by eye.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from rag import Hit, Library


def main() -> None:
    """Measure."""
    data = Path(sys.argv[1])
    questions = [json.loads(line) for line in (data / "queries.jsonl").open(encoding="utf-8")]
    right: dict[str, set[str]] = {}
    for line in (data / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        question, document, gain = line.split("\t")
        if int(gain) > 0:
            right.setdefault(question, set()).add(document)
    with tempfile.TemporaryDirectory() as folder, Library.open(folder) as library:
        report = library.index(data / "files")
        print(f"{len(report.added)} papers, {report.embedded} passages, {report.seconds:.1f} s")
        for one in library.report():
            print(
                f"  {Path(one.source).name}: {one.pages} pages, {one.passages} passages,"
                f" {one.languages}, {one.warnings} {one.failures}"
            )
        ranks = []
        shown: list[tuple[str, Hit]] = []
        began = time.monotonic()
        for question in questions:
            hits = library.search(question["text"], 20)
            papers = list(dict.fromkeys(Path(hit.source).stem for hit in hits))
            found = [n for n, name in enumerate(papers) if name in right[question["_id"]]]
            ranks.append(found[0] if found else 99)
            shown.append((question["text"], hits[0]))
        seconds = time.monotonic() - began
    print(f"{len(ranks)} questions in {seconds:.1f} s")
    print(f"right paper first: {sum(rank == 0 for rank in ranks) / len(ranks):.3f}")
    print(f"right paper in the first three: {sum(rank < 3 for rank in ranks) / len(ranks):.3f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    readers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {memory:.0f} MB, of a reader {readers:.0f} MB")
    for question, hit in shown[::10]:
        print(
            f"\n{question}\n  {Path(hit.source).name}, page {hit.page} ({hit.page_label}):"
            f" {hit.answer.text}"
        )


if __name__ == "__main__":
    main()
