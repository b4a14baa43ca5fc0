"""Passages and questions → vectors, by a sentence-transformers model.

A pass of the model feeds two grains: vectors of sentences, which find, and one bit a dimension
for each token, which orders and marks by late interaction (Khattab and Zaharia, "ColBERT",
SIGIR 2020). Two kinds of models are read in two ways:

- One that takes the plain mean over its tokens reads a passage at once. The token embeddings of
  each sentence, made in the context of the whole passage, are averaged (late pooling: Günther et
  al., "Late chunking", arXiv:2409.04701).
- Any other (first token, last token, layers on top) makes a vector from what it was given as a
  whole, so it is given each sentence on its own. A token's vector is then what the layers after
  the transformer make of that token alone: it lies in the space of the sentence vectors.

Either way vectors have length one and are compared by cosine. Prompts of the model lead
questions and passages; no sentence and no token bit is made of them.

Nothing here asks the network: a model is a folder, or a name under which it lies in the cache of
Hugging Face on this machine.
"""
