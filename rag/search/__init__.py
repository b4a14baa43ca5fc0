"""A question to hits: candidates, scoring, late interaction, phrases and neighbours.

- Each index proposes 100 passages, and every candidate gets its score from both. The fusion is half
  the best cosine of a sentence, half BM25 as a share of its upper bound for the question.
- The 50 best are re-ordered by late interaction over token bits (MaxSim; a question's token weighs
  its IDF in the library, a mark such as "?" nothing): 65 % the whole passage, 35 % its best
  sentence. A document's title stands with each of its passages. Score = 1/4 fusion + 3/4 late
  interaction. Equal scores go by document and place.
- The answering sentence is the one that meets the question best by itself (60 %) and together with
  the one before (40 %), less .01 of the logarithm of its length; only tokens that begin a word
  count.
- All of this weighs by the question's *legibility* in [0, 1], how far the model can read it
  (:meth:`rag.models.tokenizer.Tokenization.legibility`). At 0, as for Cyrillic, Arabic or Chinese
  with the packaged model, BM25 orders, and words mark the sentence.
- Passages with the same words fold into one hit, which shows the copy that stands first.
- A question reads whole only the hits it shows; of the 50 it reads tokens, of all candidates their
  vectors.
- A citation's link carries its sentence's beginning and hash (``citations``), so no table can be
  lost. In a changed document the sentence is looked for word for word, then by similarity; the
  threshold lies above 999 of 1,000 pairs of neighbouring sentences.

tests/bench/RESULTS.md says what each part is worth, and what was rejected.
"""
