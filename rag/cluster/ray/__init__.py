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
"""
