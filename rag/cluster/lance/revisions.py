"""Where a document of a shared library was found, and how it is changed by many at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.cluster.lance.filter_sql import located
from rag.index.sqlite import Source


@dataclass(frozen=True, slots=True)
class Held:
    """Where a document was found: its sources, in order of their paths.

    ``revision`` rises with each change of that, and ``seen`` is the one that was changed: who
    changes it writes only if it is what was looked at.
    """

    sources: tuple[Source, ...]
    revision: int = field(default=0, compare=False)
    seen: int = field(default=0, compare=False)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Held:
        """From a document's row."""
        return cls(
            tuple(
                Source(path, file, row["id"])
                for path, file in zip(row["paths"], row["files"], strict=True)
            ),
            row.get("revision", 0),
            row.get("seen", 0),
        )

    def changed(self, sources: Iterable[Source]) -> Held:
        """The next revision, with these sources."""
        ordered = tuple(sorted(set(sources), key=lambda one: one.path))
        # By the clock: a document that went and came back goes on counting.
        later = max(self.revision + 1, time.time_ns() // 1000)
        return Held(ordered, later, self.revision)

    def columns(self) -> dict[str, object]:
        """As the table of documents has it."""
        paths = [one.path for one in self.sources]
        files = [one.file for one in self.sources]
        return {
            "paths": paths,
            "files": files,
            "located": located(paths),
            "revision": self.revision,
            "seen": self.seen,
        }

    def of_passages(self) -> dict[str, object]:
        """As the table of passages has it."""
        paths = [one.path for one in self.sources]
        return {"sources": paths, "located": located(paths), "revision": self.revision}
