"""The title that leads a document stands with every passage of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag import Library
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.models.embedder import SentenceTransformerEmbedder

TITLE = "The voyage of the Aurora"

LOG = "\n\n".join(
    f"In the month number {n} the ship had {n + 11} sailors on board, and the cook counted"
    f" {n * 7} barrels of salted cod. " * 3
    for n in range(1, 13)
)


def test_tokens_of_the_title_with_every_passage(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Those of the heading that leads the first passage; none where a text begins at once."""
    (tmp_path / "titled.md").write_text(f"# {TITLE}\n\n{LOG}")
    (tmp_path / "plain.txt").write_text(LOG)
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index(tmp_path)
        database = Database(library.path / "library.db", embedder.dimension)
        store = StoreReader(database)
        rows = database.connection.execute(
            "SELECT passage.key, path, leading FROM passage"
            " JOIN source ON source.document = passage.document ORDER BY path, start"
        ).fetchall()
        plain = [key for key, path, _ in rows if path.endswith("plain.txt")]
        titled = [key for key, path, _ in rows if path.endswith("titled.md")]
        assert [leading for *_, leading in rows] == [0] * len(plain) + [1] + [0] * len(titled[1:])
        assert min(len(plain), len(titled)) > 2
        found = store.tokens([*plain, *titled])
        words = len(embedder.tokens(TITLE))
        for key in titled:
            assert np.array_equal(found[key].title, found[titled[0]].bits[:words])
        assert [found[key].title.shape for key in plain] == [(0, 48)] * len(plain)


def test_title_is_met_far_below_it(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    """The same passage meets a question that names the title better below that title."""
    question = "How many barrels of cod were on the Aurora in the month number 9?"
    scores = []
    for name, text in (("plain", LOG), ("titled", f"# {TITLE}\n\n{LOG}")):
        (tmp_path / f"{name}.md").write_text(text)
        with Library.open(tmp_path / name, embedder=embedder) as library:
            library.index(tmp_path / f"{name}.md")
            hits = library.search(question)
            scores.append(next(hit.why.tokens for hit in hits if "month number 9 " in hit.text))
    assert scores[1] > scores[0] + 0.05
