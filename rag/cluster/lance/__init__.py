"""A library shared by many machines: Lance tables in object storage.

``Library.open("s3://bucket/prefix")`` opens one, or any URL that Lance supports: ``gs://``,
``az://``, ``file:///``. Requires the extra ``cluster``. Credentials come from the environment only;
for S3: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, and ``AWS_ENDPOINT_URL``
for a self-hosted server.

- Five tables (``tables``): ``passages``, denormalised with the document fields a search needs, so
  that a query reads one table at one version; ``documents``; ``files``; ``notes``, which includes
  ratings; and the derived ``terms``. A passage's key is its stable Lance row id.
- Lance retrieves candidates, the library scores them. Up to 200,000 sentence vectors, search is
  exact (IVF_FLAT with a single list); above that it uses RaBitQ with IVF lists and probes an eighth
  of them, or all if there are filters. Lance's full-text index retrieves passages, which
  ``statistics`` scores as tantivy does.
- There is no lock. ``merge_insert`` matches on a declared primary key, without which two concurrent
  inserts of one id would both succeed. With conditions it can't use the key's index (pylance 14),
  so a commit scans 20 bytes per row. If two runs end at the same time, the second retries; removing
  a document while another writer adds a source for it raises LibraryBusy in that writer.
- A run ends with compaction (more than 16 files that are not full, or a fifth of the rows deleted),
  index updates for new rows, recounted ``terms``, and a version (``versions``): the last ten are
  kept, unnamed ones for a day. ``rag restore`` commits a version again table by table, passages
  last, so nobody may write meanwhile; if interrupted, run it again.
- ``rag verify`` checks apparent problems three times, two seconds apart, because a document is
  written a moment before its passages. An import names its model last, so an interrupted import is
  not a library.
- Limitations: there is no positional index, so phrases are matched by scanning a text column, and
  uploads are not stored.
"""
