"""Documents in several languages, asked in each of them: the table in RESULTS.md. Run by hand:

    python tests/bench/languages.py ../shared/data/xquad_ru ../shared/data/xquad_zh

The sets hold the same documents and questions, translated, and an article's paragraphs have ids
such as ``7-0``. One library has each article in one language, in turns; there are also libraries in
a single language. Every fourth article is in none of them: its questions have no answer.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from quality import circumstances

from rag import Library
from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import LabelledSet, Question, spread

LEFT_OUT = 4
DEPTH = 10
HEAD = (
    *("library", "asked in", "MRR@10 same language", "MRR@10 other languages"),
    *("likely", "unsure", "not found", "unanswerable likely", "unanswerable unsure"),
)

Articles = Mapping[str, str]
"""The set from which a paragraph is taken, by the paragraph's id."""


def main() -> None:
    """Index and ask, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--questions", type=int, default=240, help="of each set")
    arguments = parser.parse_args()
    sets = {one.name: read_beir(one) for one in arguments.sets}
    print(f"| {' | '.join(HEAD)} |")
    print(f"| {' | '.join(['---', '---', *['---:'] * (len(HEAD) - 2)])} |")
    libraries: dict[str, Callable[[int], str]] = {
        "all": lambda article: [*sets][(article - article // LEFT_OUT) % len(sets)]
    }
    libraries |= {name: lambda _, name=name: name for name in sets}
    for name, choose in libraries.items():
        with tempfile.TemporaryDirectory() as folder:
            articles = written(sets, choose, Path(folder) / "documents")
            with Library.open(Path(folder) / "library", model="multilingual") as library:
                library.index(Path(folder) / "documents")
                for asked, labelled in sets.items():
                    questions = spread(labelled.questions, arguments.questions)
                    print(row(library, name, asked, questions, articles), flush=True)
    print(f"\n{circumstances()}")


def written(
    sets: Mapping[str, LabelledSet], choose: Callable[[int], str], folder: Path
) -> Articles:
    """Write the paragraphs of all but every fourth article; returns the set that each is from."""
    folder.mkdir()
    found = {}
    for name, labelled in sets.items():
        for document in labelled.documents or ():
            article = int(document.id.partition("-")[0])
            if article % LEFT_OUT < LEFT_OUT - 1 and choose(article) == name:
                (folder / f"{document.id}.txt").write_text(document.text, encoding="utf-8")
                found[document.id] = name
    return found


def row(
    library: Library, name: str, asked: str, questions: Sequence[Question], articles: Articles
) -> str:
    """Ranks of the right paragraphs, and what the answers call themselves."""
    ranks: dict[bool, list[float]] = {True: [], False: []}
    states: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for one in questions:
        (right,) = one.documents
        answer = library.ask(one.text, DEPTH)
        found = [Path(hit.source).stem for hit in answer.hits]
        states[right in articles][answer.state] += 1
        if right in articles:
            reciprocal = 1 / (found.index(right) + 1) if right in found else 0.0
            ranks[articles[right] == asked].append(reciprocal)
    means = [f"{np.mean(ranks[same]):.3f}" if ranks[same] else "" for same in (True, False)]
    shares = [
        f"{states[is_there][state] / max(states[is_there].total(), 1):.2f}"
        for is_there, state in (
            *((True, "likely"), (True, "unsure"), (True, "not found")),
            *((False, "likely"), (False, "unsure")),
        )
    ]
    return f"| {' | '.join([name, asked, *means, *shares])} |"


if __name__ == "__main__":
    main()
