"""Passages and questions → vectors, by a sentence-transformers model.

A pass of the model feeds two grains: vectors of sentences, which find, and one bit a dimension
for each token, which orders and marks by late interaction (Khattab and Zaharia, "ColBERT",
SIGIR 2020). Two kinds of models are read in two ways:

- One that takes the plain mean over its tokens reads a passage at once. The token embeddings of
  each sentence, made in the context of the whole passage, are averaged (late pooling: Günther et
  al., "Late chunking", arXiv:2409.04701).
- Any other (first token, last token, layers on top) makes a vector from what it was given as a
  whole, so it is given each sentence on its own. A token's vector is then what the layers after the
  transformer make of that token alone: it lies in the space of the sentence vectors.

Either way vectors have length one and are compared by cosine. Prompts of the model lead
questions and passages; no sentence and no token bit is made of them.

Several ways to run a model give one kind of vector, which golden tests hold to
sentence-transformers within 1e-5, so the fingerprint is the same:

- Questions of a plain BERT run on NumPy (``bert``), over weights mapped from the model's own file,
  because importing PyTorch costs far more than a question.
- Its passages run on OpenVINO where that is installed (``openvino_bert``), else on PyTorch alone
  (``torch_bert``). Each pack of passages has a core of its own: no padding, and no core waits for
  another inside a product.
- Other models, and all on a GPU, run in sentence-transformers (``sentence_transformer``), on a GPU
  in half precision and batches of 16,000 tokens and more. OpenVINO goes first where it is
  installed.

A named model counts as a plain BERT only after its tokenizer and a probe agreed. Passages and
questions are encoded by two methods, because models with prompts need that and questions keep float
tokens. Questions that arrive together share a pass (``micro_batch``).

Nothing here asks the network: a model is a folder, or a name under which it lies in the cache of
Hugging Face on this machine.
"""
