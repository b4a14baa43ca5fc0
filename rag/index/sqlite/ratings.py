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
            connection.execute(_FORGET, _names(rating))
            connection.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    rating.question,
                    rating.passage_id,
                    rating.document_id,
                    rating.source,
                    rating.answer.text,
                    rating.answer.start,
                    rating.answer.end,
                    rating.good,
                    rating.score,
                    rating.time.isoformat(),
                ),
            )

    def remove(self, rating: Rating) -> None:
        """Delete the rating of this passage for this question, if any."""
        with self._database.change() as connection:
            connection.execute(_FORGET, _names(rating))

    def __len__(self) -> int:
        (found,) = self._database.connection.execute("SELECT count(*) FROM feedback").fetchone()
        return int(found)

    @sound
    def all(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, oldest first."""
        where, values = ("", ()) if question is None else ("WHERE question = ?", (question,))
        rows = self._database.connection.execute(
            "SELECT question, passage, document, source, quotation, start,"  # noqa: S608
            ' "end", good, score,'
            f" time FROM feedback {where} ORDER BY time, question, passage",
            values,
        )
        return [
            Rating(
                question=row[0],
                passage_id=row[1],
                document_id=row[2],
                source=row[3],
                answer=Quote(*row[4:7]),
                good=bool(row[7]),
                score=row[8],
                time=dt.datetime.fromisoformat(row[9]),
            )
            for row in rows
        ]


def _names(rating: Rating) -> dict[str, str]:
    return {
        "question": rating.question,
        "passage": rating.passage_id,
        "quotation": rating.answer.text,
        "document": rating.document_id,
        "source": rating.source,
    }
