"""FAISS indexes: exact for small libraries, compressed for large ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamaged
from rag.runtime.files import digest, draft_of
from rag.types.arrays import Keys, Scores, Vector, Vectors, are_unit

if TYPE_CHECKING:
    import faiss

MOST_PROBED = 8
"""At most one in this many lists is probed."""

PER_LIST = 40
"""Minimum number of training sentences per list."""

QUESTION_BITS = 4
"""Bits per dimension of the quantized query, for compressed indexes: twice as fast as 8 bits, with
the same recall to one in a thousand (tests/bench/RESULTS.md)."""

TOGETHER = 16_384
"""Sentences added to FAISS per batch: it copies and assigns a batch much faster than single
vectors, and memory stays bounded."""

NONE: Keys = np.zeros(0, np.int64)


class FaissIndex:
    """Sentences, each with the key of its passage as its id.

    Thread-safe for searches as long as nothing changes it.
    """

    def __init__(self, index: faiss.Index) -> None:
        import faiss

        self._index = index
        inner = faiss.try_extract_index_ivf(index)
        self.lists = int(inner.nlist) if inner else 0
        """Number of inverted lists; 0 if the search is exhaustive."""
        self.probed = -(-self.lists // MOST_PROBED)
        """Number of lists to probe (nprobe), as chosen by
        :func:`rag.index.vectors.segment.tune_probes`."""

    @classmethod
    def exact(cls, dimension: int) -> FaissIndex:
        """An empty index of half-precision vectors with exhaustive search."""
        import faiss

        half, inner_product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        flat = faiss.IndexScalarQuantizer(dimension, half, inner_product)
        return cls(faiss.IndexIDMap(flat))

    @classmethod
    def compressed(cls, sample: Vectors, lists: int) -> FaissIndex:
        """An empty index with one bit per dimension, in ``lists`` trained on a sample. With more
        lists, fewer sentences are compared at the same recall, and training takes longer.

        The sample, shape (sentences, dimension), unit norm, float32, is overwritten: it is rotated
        in place, because FAISS's own training needs three copies of it.
        """
        import faiss

        dimension = sample.shape[1]
        # RaBitQ works best if no dimension stands out, so vectors are randomly rotated.
        kind = f"RR{dimension},IVF{lists},RaBitQ"
        index: Any = faiss.index_factory(dimension, kind, faiss.METRIC_INNER_PRODUCT)
        rotation = faiss.downcast_VectorTransform(index.chain.at(0))
        rotation.train(sample[:1])  # a random rotation, with a fixed seed
        for start in range(0, len(sample), TOGETHER):
            rows = sample[start : start + TOGETHER]
            rows[:] = rotation.apply(rows)
        inner = faiss.extract_index_ivf(index)
        inner.cp.niter = 8
        inner.cp.spherical = True
        inner.cp.min_points_per_centroid = PER_LIST
        faiss.Clustering(dimension, lists, inner.cp).train(sample, inner.quantizer)
        index.train(sample[:lists])  # already trained; sets is_trained
        return cls(index)

    @classmethod
    def load(cls, path: Path, sha256: str, probed: int = 0, *, mapped: bool = True) -> FaissIndex:
        """Load an index written by :meth:`save`; raises LibraryDamaged if the file is missing, or
        differs from the one that was written.

        ``probed`` is the number of lists to probe, which is not in the file; 0 for the maximum. A
        ``mapped`` file is for searches only; otherwise the index can be changed, too.
        """
        import faiss

        # FAISS doesn't validate its input; a damaged file must never reach it.
        try:
            found = digest(path)
        except OSError as error:
            raise LibraryDamaged(f"the vector index can't be read: {error.strerror}") from error
        if found != sha256:
            raise LibraryDamaged("the vector index doesn't match its checksum")
        try:
            index = cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0))
        except RuntimeError as error:  # just deleted by a writer
            raise LibraryDamaged("the vector index is gone") from error
        index.probed = probed or index.probed
        return index

    def save(self, path: Path) -> str:
        """Write the index atomically; returns its SHA-256."""
        import faiss

        # Straight to disk: serializing in memory would take twice the space.
        with draft_of(path) as draft:
            try:
                faiss.write_index(self._index, str(draft))
            except RuntimeError as error:
                raise OSError(f"the vector index can't be written: {error}") from error
            with draft.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256

    def __len__(self) -> int:
        """Number of sentences."""
        return int(self._index.ntotal)

    def add(self, passages: Iterable[tuple[int, Vectors]]) -> None:
        """Add the sentences of passages whose keys are not in the index yet; raises ValueError
        unless they are finite rows of unit norm and of this index's dimension.
        """
        for batch in batched(passages, TOGETHER):
            rows = np.concatenate([self._validate(sentences) for _, sentences in batch])
            self._index.add_with_ids(rows, keys_of_sentences(batch))

    def _validate(self, sentences: Vectors) -> Vectors:
        if sentences.ndim != 2 or sentences.shape[1] != self._index.d:  # noqa: PLR2004
            raise ValueError(f"sentences must be (n, {self._index.d}), not {sentences.shape}")
        if not are_unit(sentences):
            raise ValueError("sentence vectors must have unit norm")
        return np.asarray(sentences, dtype=np.float32)

    def remove(self, keys: Sequence[int]) -> None:
        """Remove passages by key; unknown keys are ignored."""
        import faiss

        if keys:
            self._index.remove_ids(faiss.IDSelectorBatch(np.array(keys, dtype=np.int64)))

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages and their
        cosines, which are approximate if the index is compressed.

        Searches the keys ``among``, None for all, without those in ``but``. Raises ValueError if
        the question's vector is not finite or of another dimension.
        """
        if question.shape != (self._index.d,):
            raise ValueError(f"the question must be ({self._index.d},), not {question.shape}")
        if not np.isfinite(question).all():
            raise ValueError("the question's vector must be finite")
        count = min(count, len(self))
        if count == 0 or (among is not None and not len(among)):
            return NONE, np.zeros(0)
        import faiss

        bits = _bits(among, but)
        # FAISS keeps only pointers to selectors and their bitmaps, so they must live until this
        # returns.
        marked = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)) if len(bits) else None
        selector = faiss.IDSelectorNot(marked) if marked and among is None else marked
        asked = question[np.newaxis].astype(np.float32)
        how = self._how(selector, everywhere=among is not None)
        with _one_thread():
            scores, keys = self._index.search(asked, count, params=how)
        # FAISS pads with -1 if there are too few results.
        found = keys[0] >= 0
        return cast("Keys", keys[0][found]), scores[0][found].astype(np.float64)

    def _how(self, selector: object, *, everywhere: bool) -> faiss.SearchParameters:
        """Search parameters; probes all lists if the search is limited to few passages."""
        import faiss

        # FAISS adds these keyword arguments at import, and keeps references to their values.
        parameters: Any = faiss
        if not self.lists:
            return cast("faiss.SearchParameters", parameters.SearchParameters(sel=selector))
        probed = self.lists if everywhere else self.probed
        inside = parameters.IVFRaBitQSearchParameters(sel=selector, nprobe=probed, qb=QUESTION_BITS)
        rotated = parameters.SearchParametersPreTransform(index_params=inside)
        return cast("faiss.SearchParameters", rotated)


def batched(
    passages: Iterable[tuple[int, Vectors]], sentences: int
) -> Iterator[list[tuple[int, Vectors]]]:
    """Split passages into batches of that many sentences or a few more; the last may have fewer."""
    batch: list[tuple[int, Vectors]] = []
    size = 0
    for passage in passages:
        batch.append(passage)
        size += len(passage[1])
        if size >= sentences:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def keys_of_sentences(passages: Sequence[tuple[int, Vectors]]) -> Keys:
    """The key of its passage for each sentence."""
    keys = np.array([key for key, _ in passages], dtype=np.int64)
    return np.repeat(keys, [len(rows) for _, rows in passages])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS search in the calling thread.

    A single query has nothing to parallelize, but would still wake OpenMP's other threads, and spin
    until each of them has had a core: with 9,000 sentences that takes 7 ms instead of 1 if other
    work needs the cores. The number of threads is set per thread.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _bits(among: Keys | None, but: Keys) -> NDArray[np.uint8]:
    """A bitmap of the keys to search, or, if ``among`` is None, to exclude; empty without
    limits.
    """
    listed = but if among is None else among
    if not len(listed):
        return np.zeros(0, np.uint8)
    marked = np.zeros(int(listed.max()) + 1, dtype=bool)
    marked[listed] = True
    if among is not None:
        marked[but[but < len(marked)]] = False
    return np.packbits(marked, bitorder="little")
