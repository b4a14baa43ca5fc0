"""Confidence: whether a library answers a query, and whether its documents can be found.

- A library calibrates itself with 128 synthetic queries made from its own sentences, with some
  words replaced by words from elsewhere, and 95 out-of-domain queries, of which the top-scoring
  tenth is left out, since the library may be about just that. A logistic curve through the scores
  of the top hits (Platt 1999, each kind weighing one half) gives the confidence. An answer is
  likely from 0.7 on, possible (unsure) from 0.15 on, and otherwise not found.
- To the curve an in-domain query that the documents don't answer looks like an answered one. So a
  quarter of the confidence is left if the top hit lacks a number, code, month or name of the
  query, and for a query of a single word, which asks nothing.
- The curve depends only on the documents and the ranking. It is stored with the library, and
  measured again when that grows or shrinks by a quarter. With fewer than 30 usable sentences a
  default curve, from four development sets, is used instead, and answers say so.
- If most of a library is not in English, the out-of-domain queries are random combinations of its
  own words, which is stricter, and more words of the synthetic queries are replaced.
- A hit's confidence is made in the same way from its own score: there is no second scale.
- Ratings are stored apart from all indexes, with the highlighted sentence as it was; it identifies
  the passage after a document was read again. Only retrieved passages can be rated, so as labels
  they are biased towards the ranking of the time.
"""
