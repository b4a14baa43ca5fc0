"""Encode passages and queries as vectors with a sentence-transformers model.

One forward pass yields two representations: sentence vectors for dense retrieval, and one-bit token
embeddings for late interaction (MaxSim; Khattab and Zaharia, "ColBERT", SIGIR 2020), which scores
candidates and highlights matches. A model is run in one of two ways, depending on its pooling:

- Mean pooling: the model reads a whole passage, and the token embeddings of each sentence, made in
  the context of the passage, are averaged (late pooling: Günther et al., "Late chunking",
  arXiv:2409.04701).
- Any other pooling (first token, last token, further layers): the model reads each sentence on its
  own. To get token embeddings, the layers after the transformer are applied to each token alone, so
  tokens lie in the same space as sentence vectors.

Two models come with rag (``named_models``): all-MiniLM-L6-v2, and for other languages than English
multilingual-e5-small (``multilingual``), whose vectors share a direction: its cosines are rescaled,
and its token bits are relative to the mean token vector.

All vectors have unit length and are compared by cosine similarity. The model's prompts are
prepended to queries and passages; prompt tokens contribute to no sentence vector and no token bits.

There are several backends. In float32, golden tests hold their vectors to those of
sentence-transformers within 1e-5, and in half precision within what ranks alike, so all share one
fingerprint: a library that two machines index may hold vectors that differ in their last digits.

- A plain BERT encodes queries in NumPy (``bert``), with weights memory-mapped from the model file,
  because importing PyTorch costs far more than encoding a query.
- It encodes passages in OpenVINO (``openvino_bert``), one passage per core: there is no padding,
  and no core waits for another inside a matrix product. Products are in bfloat16 where the
  processor has instructions for it.
- All other models, and every model on a GPU or where OpenVINO is not available, run in
  sentence-transformers (``sentence_transformer``); on a GPU in half precision, with batches of
  16,000 tokens or more.

A user's model counts as a plain BERT only once its tokenizer and a probe text give the same results
as sentence-transformers. Queries and passages have separate encoding methods, because some models
have prompts and because queries keep float token embeddings. Concurrent queries share a forward
pass (``micro_batch``).

Nothing here uses the network: a model is a local folder, or a name in the local Hugging Face cache.
"""
