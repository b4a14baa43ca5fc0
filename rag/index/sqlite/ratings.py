"""Read and write readers' ratings. No index depends on them."""

from __future__ import annotations

import datetime as dt

from rag.index.records import sound
from rag.index.sqlite.database import Database
from rag.types import Quote, Rating

# A passage that was chunked differently has another id: ratings of its predecessor are deleted as
# well, if that is gone.
_FORGET = (
    "DELETE FROM feedback WHERE question = :question AND (passage = :passage OR ("
    "quotation = :quotation AND (document = :document OR source = :source)"
    " AND passage NOT IN (SELECT id FROM passage)))"
)


class RatingStore:
    """The table of ratings. Any process may write it at any time, even during an index run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, rating: Rating) -> None:
        """Store a rating, replacing an earlier one of this passage for this question."""
        with self._database.change() as connection:
            connection.execute(_FORGET, _columns(rating))
            connection.execute(
                "INSERT INTO feedback VALUES (:question, :passage, :document, :source, :quotation,"
                " :start, :end, :good, :score, :time)",
                _columns(rating),
            )

    def remove(self, rating: Rating) -> None:
        """Delete the rating of this passage for this question, if any."""
        with self._database.change() as connection:
            connection.execute(_FORGET, _columns(rating))

    def __len__(self) -> int:
        return int(self._database.value("SELECT count(*) FROM feedback"))

    @sound
    def all(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, oldest first."""
        where, values = ("", ()) if question is None else ("WHERE question = ?", (question,))
        rows = self._database.execute(
            f"SELECT * FROM feedback {where} ORDER BY time, question, passage",  # noqa: S608
            values,
        )
        found = []
        for asked, passage, document, source, text, start, end, good, score, time in rows:
            answer, when = Quote(text, start, end), dt.datetime.fromisoformat(time)
            found.append(Rating(asked, passage, document, source, answer, bool(good), score, when))
        return found


def _columns(rating: Rating) -> dict[str, str | int | float]:
    return {
        "question": rating.question,
        "passage": rating.passage_id,
        "document": rating.document_id,
        "source": rating.source,
        "quotation": rating.answer.text,
        "start": rating.answer.start,
        "end": rating.answer.end,
        "good": rating.good,
        "score": rating.score,
        "time": rating.time.isoformat(),
    }
