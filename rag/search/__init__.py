"""From a query to hits: corrections, candidates, scoring, late interaction; Boolean search,
neighbours and citations.

- Each index proposes 100 passages, and every candidate is scored by both. The fused score is the
  mean of the best sentence's cosine and of BM25 as a share of its upper bound for the query.
- The top 50 are reranked by late interaction over token bits (MaxSim; each query token is weighted
  by its IDF in the library, punctuation by zero): 65 % the whole passage, 35 % its best sentence. A
  document's title counts as part of each of its passages. Score = 1/4 fusion + 3/4 late
  interaction. Ties are broken by document and position.
- The answering sentence is the one that best matches the query alone (60 %) and together with the
  sentence before it (40 %), minus 0.01 times the logarithm of its length; only tokens that start a
  word count. Headings, questions and heads of tables are selected only if there is nothing else.
- A hit names the numbers, codes and names of the query that it lacks (:mod:`rag.text.constraints`).
  That has no say in the ranking.
- All of this is weighted by the query's *legibility* in [0, 1], how well the model can read it
  (:meth:`rag.models.tokenizer.Tokenization.legibility`). At 0, as for Cyrillic, Arabic or Chinese
  with the packaged model, BM25 ranks the passages and lexical matches select the sentence.
- Passages with the same text are merged into one hit, which shows the first copy.
- A query reads the full text only of the hits shown, token bits of the passages reranked (in large
  libraries also of BM25's top 50), and sentence vectors of every candidate.
- A permalink carries the beginning of its sentence and a hash (``citations``), so it depends on no
  table that might get lost. In a changed document the sentence is searched for verbatim, then by
  similarity; the threshold exceeds the similarity of 99.9 % of adjacent sentence pairs.

tests/bench/RESULTS.md has the contribution of each part, and what was rejected.
"""
