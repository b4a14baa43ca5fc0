"""Indexing on many machines: Ray reads, cuts and embeds, and what comes goes into a shared library.

::

    rag index s3://bucket/articles --library s3://bucket/library --ray ADDRESS

One process, the driver, keeps the books: it lists sources, knows which files changed, counts, and
records files as read. What is in the files never passes through it. They go through three stages,
each on whatever machine has room::

    files ──→ reading: parsed, cut into passages ──→ embedding ──→ writing: committed
              tasks (stages.Reading)                 actors         an actor (stages.Writing)
                                                     (stages.Embedding)

``sources`` lists, ``object_storage`` knows object storage, ``messages`` has what goes from stage to
stage, ``stages`` what is done with it, ``pipeline`` is the only module that knows Ray, and
``driver`` is the driver. It takes the extra ``rag[cluster]``, on every machine.

- A parcel is up to 512 passages of whole documents: one pass of the model and one commit.
- Everything may happen twice. Ray repeats what a lost machine had done and not handed on; what was
  committed is not embedded again, and a repeated commit changes nothing. Transient failures (a busy
  storage or machine) are retried four times. Where files may have changed places, new and changed
  ones are looked at before anything is replaced, so they are fetched twice.
- The end of a run is shared out, too (:mod:`rag.cluster.lance.workers`): compaction in parts of
  some 50,000 rows, counting ``terms``, and building an index as segments where it is missing, lacks
  more than half of the rows or has outgrown its lists. These are pylance's own calls; Lance clears
  away abandoned segments after seven days, by its documentation.
- Not distributed: joining small files and small index updates, writing ``terms``, the writer, of
  which there is one, and the driver's books.
- Credentials are in the environment of each machine. Ray's usage reports are off, and ``--airgap``
  refuses a cluster.
"""
