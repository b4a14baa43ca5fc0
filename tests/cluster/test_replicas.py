"""Two replicas answer for one library, and one of them is killed under load."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
import replicas
from engines import place
from lacking import skip_unless_in_ci
from made_documents import made

from rag import Library
from rag.models.embedder import SentenceTransformerEmbedder

pytestmark = pytest.mark.slow

pytest.importorskip("ray", reason="with all that make cluster installs and tries")

DOCUMENTS, QUESTIONS = 40, 120


def test_no_answer_is_lost_with_a_replica(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Every question is answered, and rightly, while a replica is killed; and what is written
    after that is found by the one that is left.
    """
    if replicas.nginx() is None:
        skip_unless_in_ci("nginx is not installed: apt-get install nginx-light")
    *listed, new = made(DOCUMENTS + 1)
    sources = tmp_path / "made"
    sources.mkdir()
    for one in listed:
        (sources / Path(one.name).name).write_text(one.text)
    url = str(place("shared", tmp_path))
    with Library.open(url, embedder=embedder) as library:
        library.index(sources)
        with replicas.served(url, tmp_path, 2) as served:
            asked = list(islice(cycle(listed), QUESTIONS))
            assert replicas.wrong_while_one_is_killed(served, asked) == []
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"{served.addresses[0]}/api/v1/health")
            (sources / "new.txt").write_text(new.text)
            library.index(sources)
            assert replicas.wrong(served.address, new) is None
