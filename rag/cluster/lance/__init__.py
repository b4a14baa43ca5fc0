"""A library that many machines share: Lance tables in object storage.

``Library.open("s3://bucket/prefix")`` opens one, or any URL that Lance knows: ``gs://``, ``az://``,
``file:///``. It takes the extra ``cluster``. Credentials come from the environment alone; for S3:
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, and ``AWS_ENDPOINT_URL`` for a
server of one's own.
"""

from __future__ import annotations

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.tables import Tables

__all__ = ["SharedEngine", "Tables"]
