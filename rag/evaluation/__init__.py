"""Evaluation of retrieval on labelled sets.

::

    files → LabelledSet → Library → Answered → Judged → Result → table, JSON, plot, losses
      beir, questions,     corpus    query_run  relevance results
      rated_set

``metrics`` is the only module that knows ir-measures, ``plot`` the only one that knows matplotlib.
"""
