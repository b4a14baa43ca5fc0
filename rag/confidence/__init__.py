"""Whether a library answers a question, how sure that is, and whether what is in it is found.

- A library calibrates itself: 128 synthetic queries from its own sentences, some words replaced by
  words from elsewhere, and 95 out-of-domain questions, of which the tenth that scores highest is
  left out, since the library may be about just that. A logistic curve through the scores of the
  first hits (Platt 1999, both kinds weighing one half) gives the confidence; below 1/2 the question
  counts as not answered. A question about the documents' subject that they don't answer looks like
  an answered one.
- The curve depends on documents and ranking alone, is kept with the library, and is measured again
  when it grows or shrinks by a quarter. With fewer than 30 usable sentences a general curve, from
  four development sets, stands in for it, and answers say so.
- In a library that is mostly not English the out-of-domain questions are words of its own put
  together at random, which is stricter, and more words of the synthetic queries are replaced.
- A hit's confidence is the same curve at its score: there is no second scale.
- Ratings are kept apart from all indexes, with the marked sentence as it was: after a document was
  read again, the passage is found by that. Only what was found could be rated, so as labels they
  favour the ranking of the time.
"""
