"""Sources of a document in a shared library, with optimistic concurrency control."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.cluster.lance.filter_sql import fold_paths
from rag.index.records import Source


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """A document's sources, sorted by path.

    ``revision`` increases with each change, and ``seen`` is the revision that was changed: a writer
    commits only if the stored revision is still the one it read.
    """

    sources: tuple[Source, ...]
    revision: int = field(default=0, compare=False)
    seen: int = field(default=0, compare=False)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> DocumentSources:
        """Build from a document's row."""
        return cls(
            tuple(
                Source(path, file, row["id"])
                for path, file in zip(row["paths"], row["files"], strict=True)
            ),
            row.get("revision", 0),
            row.get("seen", 0),
        )

    def changed(self, sources: Iterable[Source]) -> DocumentSources:
        """The next revision, with these sources."""
        ordered = tuple(sorted(set(sources), key=lambda one: one.path))
        # Clock-based: a document that was deleted and added again continues to count up.
        later = max(self.revision + 1, time.time_ns() // 1000)
        return DocumentSources(ordered, later, self.revision)

    def columns(self) -> dict[str, object]:
        """Columns for the documents table."""
        paths = [one.path for one in self.sources]
        files = [one.file for one in self.sources]
        return {
            "paths": paths,
            "files": files,
            "located": fold_paths(paths),
            "revision": self.revision,
            "seen": self.seen,
        }

    def of_passages(self) -> dict[str, object]:
        """Columns for the passages table."""
        paths = [one.path for one in self.sources]
        return {"sources": paths, "located": fold_paths(paths), "revision": self.revision}
