"""Distributed indexing: Ray reads, chunks and embeds documents and writes them to a shared library.

::

    rag index s3://bucket/articles --library s3://bucket/library --ray ADDRESS

The driver process coordinates: it lists sources, detects changed files, counts, and records files
as read. File contents never pass through it. There are three stages, each on any machine with free
capacity::

    files ──→ reading: parsed, cut into passages ──→ embedding ──→ writing: committed
              tasks (stages.Reading)                 actors         an actor (stages.Writing)
                                                     (stages.Embedding)

``sources`` lists and fetches files, ``stages`` has the steps and what is passed between them,
``pipeline`` is the only module that imports Ray, and ``driver`` is the driver. Requires the extra
``rag[cluster]`` on every machine.

- A batch is up to 512 passages of whole documents: one pass of the model and one commit.
- Processing is at-least-once. Ray repeats work that a lost machine had not passed on; committed
  passages are not embedded again, and commits are idempotent. Transient failures (busy storage,
  busy machine) are retried four times. If files may have been moved, new and changed ones are
  hashed before anything is replaced, so they are fetched twice.
- The end of a run is distributed, too (:mod:`rag.cluster.lance.indexes`): compaction in parts of
  some 50,000 rows, counting ``terms``, and building an index from segments if it is missing, lacks
  more than half of the rows or has outgrown its lists. These are pylance's own functions; according
  to its documentation, Lance deletes abandoned segments after seven days.
- Not distributed: merging small files, small index updates, writing ``terms``, the single writer,
  and the driver's bookkeeping.
- Credentials come from the environment of each machine. Ray's usage reports are off, and
  ``--airgap`` refuses a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines to use.

    Parameters
    ----------
    address
        Ray cluster address: ``auto`` for the cluster this machine belongs to, or ``host:port``.
        ``local`` starts a cluster on this machine for the duration of the run.
    actors
        Number of model replicas; by default one per machine, or per GPU.
    gpus
        Number of GPUs per replica.
    """

    address: str
    actors: int | None = None
    gpus: float = 0.0
