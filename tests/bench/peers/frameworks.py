"""The peers, each as its documentation has it for text, with the same model in all of them.

Where a default needs a download or another model, the packaged all-MiniLM-L6-v2 takes its place;
nothing else differs from what each does by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from chunks import Chunk, Indexed


def langchain(documents: Mapping[str, str], model: str) -> Indexed:
    """The recursive splitter of its tutorials, 1,000 characters with overlap 200, into FAISS."""
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    found = splitter.split_documents(
        Document(text, metadata={"document": name}) for name, text in documents.items()
    )
    for number, one in enumerate(found):
        one.metadata["number"] = number
    store = FAISS.from_documents(found, HuggingFaceEmbeddings(model_name=model))

    def search(question: str, k: int) -> list[int]:
        return [one.metadata["number"] for one in store.similarity_search(question, k=k)]

    return Indexed([Chunk(one.metadata["document"], one.page_content) for one in found], search)


def llama_index(documents: Mapping[str, str], model: str) -> Indexed:
    """Its sentence splitter, 1,024 tokens with overlap 200, into its own vector store.

    The model reads the first 256 of its own tokens of a chunk: that is what comes by default.
    """
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    nodes = SentenceSplitter().get_nodes_from_documents(
        [Document(text=text, id_=name) for name, text in documents.items()]
    )
    index = VectorStoreIndex(nodes, embed_model=HuggingFaceEmbedding(model_name=model))
    numbers = {node.node_id: number for number, node in enumerate(nodes)}

    def search(question: str, k: int) -> list[int]:
        found = index.as_retriever(similarity_top_k=k).retrieve(question)
        return [numbers[one.node.node_id] for one in found]

    return Indexed([Chunk(node.ref_doc_id, node.get_content()) for node in nodes], search)


def haystack(documents: Mapping[str, str], model: str) -> Indexed:
    """Its document splitter, 200 words without overlap, into its store in memory."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    splitter = DocumentSplitter()
    splitter.warm_up()
    cut = splitter.run([Document(id=name, content=text) for name, text in documents.items()])
    embedder = SentenceTransformersDocumentEmbedder(model=model, progress_bar=False)
    embedder.warm_up()
    found = embedder.run(cut["documents"])["documents"]
    store = InMemoryDocumentStore()
    store.write_documents(found)
    retriever = InMemoryEmbeddingRetriever(store)
    asker = SentenceTransformersTextEmbedder(model=model, progress_bar=False)
    asker.warm_up()
    numbers = {one.id: number for number, one in enumerate(found)}

    def search(question: str, k: int) -> list[int]:
        vector = asker.run(question)["embedding"]
        hits = retriever.run(query_embedding=vector, top_k=k)["documents"]
        return [numbers[one.id] for one in hits]

    return Indexed([Chunk(one.meta["source_id"], one.content) for one in found], search)


def txtai_paragraphs(documents: Mapping[str, str], model: str) -> Indexed:
    """Its hybrid index, of paragraphs as its Segmentation cuts them."""
    return _txtai(documents, model, sentences=False)


def txtai_sentences(documents: Mapping[str, str], model: str) -> Indexed:
    """Its hybrid index, of sentences as its Segmentation cuts them."""
    return _txtai(documents, model, sentences=True)


def _txtai(documents: Mapping[str, str], model: str, *, sentences: bool) -> Indexed:
    from txtai import Embeddings
    from txtai.pipeline import Segmentation

    cut = Segmentation(sentences=sentences, paragraphs=not sentences)
    chunks = [Chunk(name, one) for name, text in documents.items() for one in cut(text)]
    embeddings = Embeddings(path=model, hybrid=True)
    embeddings.index((number, one.text, None) for number, one in enumerate(chunks))

    def search(question: str, k: int) -> list[int]:
        return [number for number, _ in embeddings.search(question, k)]

    return Indexed(chunks, search)


def chroma(documents: Mapping[str, str], model: str) -> Indexed:
    """A collection with default settings, of chunks as its guide to chunking cuts them."""
    import chromadb
    from chromadb.config import Settings
    from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=500, chunk_overlap=50, separators=["\n\n", "\n", ". ", " "]
    )
    chunks = [
        Chunk(name, one) for name, text in documents.items() for one in splitter.split_text(text)
    ]
    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    # A name of its own: all clients of a process share what is in memory.
    collection = client.create_collection(
        uuid.uuid4().hex, embedding_function=SentenceTransformerEmbeddingFunction(model_name=model)
    )
    most = client.get_max_batch_size()
    for begun in range(0, len(chunks), most):
        some = chunks[begun : begun + most]
        collection.add(
            ids=[str(begun + number) for number in range(len(some))],
            documents=[one.text for one in some],
        )

    def search(question: str, k: int) -> list[int]:
        most_there = min(k, len(chunks))
        found = collection.query(query_texts=[question], n_results=most_there)
        return [int(one) for one in found["ids"][0]]

    return Indexed(chunks, search)
