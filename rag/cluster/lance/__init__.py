"""A library that many machines share: Lance tables in object storage.

``Library.open("s3://bucket/prefix")`` opens one, or any URL that Lance knows: ``gs://``, ``az://``,
``file:///``. It takes the extra ``cluster``. Credentials come from the environment alone; for S3:
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, and ``AWS_ENDPOINT_URL`` for a
server of one's own.

- Five tables (``schemas``): ``passages``, with all that a search needs of a passage and of its
  document, so that a question reads one table at one version; ``documents``; ``files``; ``notes``,
  ratings among them; and the derived ``terms``. A passage's key is Lance's stable row id.
- Lance proposes, the library scores. Up to 200,000 sentences vectors are one list (IVF_FLAT,
  exact), beyond that RaBitQ in lists, an eighth of which is looked at, or all where conditions
  hold. Its text index proposes passages, which ``bm25`` scores as tantivy does.
- There is no lock. ``merge_insert`` goes by id, whose key is declared: without that two that insert
  the same id at once would both succeed. Conditions can't use the key's index (pylance 14), so a
  commit scans 20 bytes a row. When two end a run at once, the second begins once more; a document
  that is removed while another writer points at it raises LibraryBusy there.
- A run ends by compaction (more than 16 files that are not full, or a fifth of the rows deleted),
  indexes that take in new rows, recounted ``terms``, and a version (``versions``): the last ten are
  kept, others for a day. ``rag restore`` commits a version again table by table, passages last, so
  nobody may write meanwhile; one that was interrupted is run again.
- ``rag verify`` looks three times, two seconds apart, at what seems wrong, since a document is
  written a moment before its passages. An import names its model at its very end, so one that was
  cut off is no library.
- It can't look words up by position (it scans a column of texts), and keeps no uploads.
"""

from __future__ import annotations

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.tables import Tables

__all__ = ["SharedEngine", "Tables"]
