"""A library: the composition root, where store, model and indexes come together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.cluster.ray.fleet import Fleet
from rag.confidence import ratings as feedback
from rag.errors import InputError
from rag.index.engine import Engine
from rag.ingest import removal
from rag.library import opener
from rag.library.searchable import Searchable
from rag.models import language_coverage
from rag.models.cross_encoder import Reranker
from rag.runtime.files import on_this_machine
from rag.runtime.heartbeat import Heartbeat, run
from rag.runtime.progress import shown
from rag.types import Hit, Rating
from rag.types.filters import Filter
from rag.types.parts import is_further_part
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress, SelfTest, Sought, Status, Verification, Version


class Library(Searchable):
    """Documents that can be asked questions; use :meth:`open` to get one.

    Any number of threads and processes may search at once. One at a time may write, and
    searches go on meanwhile: they see what was there when the last write ended.
    """

    def __init__(
        self, engine: Engine, embedder: Embedder, reranker: Reranker | None = None
    ) -> None:
        super().__init__(engine, embedder, reranker)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        create: bool = True,
        model: str | Path | None = None,
        dimensions: int | None = None,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
    ) -> Self:
        """Open the library in a folder, or a shared one.

        Parameters
        ----------
        path
            The folder, or the URL of a place in object storage: ``s3://bucket/prefix``.
            :mod:`rag.cluster.lance` says what that takes.
        create
            Make the library where there is none.
        model, dimensions
            A sentence-transformers model by its name or folder, and how many dimensions of its
            vectors to keep; by default what the library has, a new one all-MiniLM-L6-v2.
        embedder
            Something else that makes the vectors, in place of a model.
        reranker
            A cross-encoder that has the last word on the best passages of every search.

        Raises
        ------
        LibraryNotFound
            If there is none and ``create`` is false, or the folder holds something else.
        LibraryMismatch
            If it was made by another model or another version's format.
        LibraryDamaged
            If its store can't be read.
        ModelError, InputError
            If a model is named that can't be used, or shared libraries can't be used here.
        """
        engine, embedder = opener.opened(
            path, create=create, model=model, dimensions=dimensions, embedder=embedder
        )
        return cls(engine, embedder, reranker)

    @property
    def engine(self) -> Engine:
        """What it stands on: for what is built on libraries, and asks them otherwise."""
        return self._engine

    @property
    def folder(self) -> Path | None:
        """The library's folder; None for a shared one."""
        return self._engine.location if isinstance(self._engine.location, Path) else None

    @property
    def path(self) -> Path:
        """The library's folder.

        Raises
        ------
        InputError
            If it is a shared one, which has none.
        """
        if self.folder:
            return self.folder
        raise InputError(
            f"{self._engine.location} is a shared library, and has no folder on this machine; this "
            "takes a library in a folder: --library DIR"
        )

    def close(self) -> None:
        """Let go of files and connections; the library can't be used afterwards."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def index(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        exclude: Sequence[str] = (),
        ocr: bool | str = False,
        retry: bool = False,
        again: bool = False,
        passwords: Sequence[str] = (),
        max_document: int | str | None = None,
        progress: bool | Callable[[Progress], None] = False,
        ray: Fleet | str | None = None,
    ) -> IndexReport:
        """Make the library follow files and folders.

        What is new or changed is read and encoded, what is unchanged is left as it is, and what
        vanished from the folders is removed. Each document is committed as soon as it is
        encoded; interrupt at any time, and call again to go on. At the end of the first run, and
        when the library has grown or shrunk by a quarter, :meth:`ask` is calibrated: some two
        hundred questions are asked, which takes seconds.

        Parameters
        ----------
        paths
            Files and folders.
        exclude
            Patterns, as in a ``.gitignore``, for what to leave out of the folders.
        ocr
            Read pages of PDFs that are only pictures with the program tesseract, and those of
            earlier runs, too; in English, or the languages given as it names them: ``deu+eng``.
        retry
            Read files again that failed, or were read with warnings, though they did not change.
        again
            Read every file again, though it did not change, and with OCR where that was used
            before. What is read as before stays untouched, and so does what can't be read now.
        passwords
            Tried on each PDF that is protected by one, those that failed in earlier runs
            included. They are kept nowhere: a protected PDF that changes needs its password again.
        max_document
            The memory that reading one file may take, in bytes or like ``"1GB"``; by default
            ``$RAG_MAX_DOCUMENT``, or 256 MB. What needs more fails, and is read again as soon as
            more is allowed.
        progress
            True shows bars on standard error; a function is called with each step.
        ray
            Have the machines of a Ray cluster read and embed for a shared library: its address, or
            ``local`` for one on this machine, or a :class:`rag.cluster.ray.fleet.Fleet`. Paths are
            those that all of its machines can see, and may be URLs.

        Raises
        ------
        SourceNotFound
            If one of the paths does not exist; nothing is done then.
        InputError
            If OCR is asked for and tesseract, or one of the languages, is not installed,
            ``max_document`` is no size, or there is no such cluster;
            nothing is done then, either.
        LibraryBusy
            If another process goes on writing.
        """
        # All that reads files; who only asks does not wait for its import.
        from rag.documents.discovery import discover
        from rag.documents.pdf.tesseract import ENGLISH, checked
        from rag.documents.read_options import max_document_of
        from rag.documents.registry import Means
        from rag.ingest.run import Ingestion

        languages = checked(ENGLISH if ocr is True else ocr) if ocr else None
        listed = [paths] if isinstance(paths, str | Path) else list(paths)
        means = Means(languages, tuple(passwords), max_document_of(max_document))
        with shown(progress) as on_progress:
            beat = Heartbeat(on_progress)
            if ray is not None:
                from rag.cluster.ray.job import index_on

                report = index_on(
                    Fleet(ray) if isinstance(ray, str) else ray,
                    self._engine,
                    self._embedder,
                    listed,
                    beat.relay,
                    exclude=exclude,
                    means=means,
                    retry=retry,
                    again=again,
                )
            else:
                left_out = on_this_machine(self._engine.location)
                discovery = discover(listed, leave_out=left_out, exclude=exclude, beat=beat)
                with self._engine.writing(beat):
                    ingestion = Ingestion(
                        discovery,
                        self._embedder,
                        self._reader,
                        self._engine.writer,
                        beat,
                        means=means,
                        retry=retry,
                        again=again,
                    )
                    try:
                        ingestion.run()
                    finally:
                        beat.enter("publishing")
                report = ingestion.report()
            beat.enter("calibrating")
            run(self._calibrations.refresh, beat)
        return report

    def remove(self, sources: Sequence[str | Path]) -> list[str]:
        """Forget files, or all files in a folder, whether they still exist or not.

        Returns
        -------
        list of str
            The sources that were removed.

        Raises
        ------
        SourceNotFound
            If nothing is indexed under one of the names; nothing is removed then.
        """
        with self._engine.writing():
            removed, files = removal.named(sources, self._reader)
            self._engine.writer.remove(removed, files)
        return [one for one in removed if not is_further_part(one)]

    def rate(self, question: str, hit: Hit, *, good: bool | None) -> None:
        """Keep what a reader says of a hit: whether it is right for the question.

        The same passage rated again replaces what was said; None takes it back. Ratings stay when
        files are read anew or go; :mod:`rag.confidence.ratings` says which are of use then.

        Raises
        ------
        EmptyQuestion
            If there is no letter and no digit in the question.
        DocumentNotFound
            If the hit's document is not in this library.
        """
        feedback.rate(question, hit, good=good, ratings=self._engine.ratings, store=self._reader)

    def ratings(self, question: str | None = None) -> list[Rating]:
        """What readers said of hits, the earliest first: all of it, or that for one question."""
        found = self._engine.ratings.all()
        wanted = None if question is None else feedback.asked(question)
        return [one for one in found if wanted in {None, one.question}]

    def check(
        self, queries: int = 200, *, on_progress: Callable[[int, int], None] | None = None
    ) -> SelfTest:
        """Look for things that are known to be there, and compare with the last time.

        :mod:`rag.confidence.self_test` says for what. ``on_progress`` is told after each query how
        many are done, of how many.

        Raises
        ------
        InputError
            If ``queries`` is below 1.
        """
        from rag.confidence import self_test

        def search(query: str, k: int) -> list[Hit]:
            return self._found(query, k, Filter(), self._reranker).hits

        return self_test.check(self._engine, search, queries, on_progress or (lambda *_: None))

    def verify(
        self,
        *,
        repair: bool = False,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> Verification:
        """Hold everything in the library's folder against everything else.

        Without ``repair`` nothing is written, and others may write meanwhile. With it, what is
        derived is made again: SQLite's indexes, sums, the search indexes, and what the model made
        of texts. ``on_progress`` is told what is being looked at, how much of it is done, of how
        much.

        Raises
        ------
        LibraryBusy
            If it is to be repaired, and another process goes on writing.
        LibraryError
            If it is to be repaired, and can't be written.
        """
        tell = on_progress or (lambda *_: None)
        return self._engine.verify(self._embedder, tell, repair=repair)

    def versions(self) -> tuple[Version, ...]:
        """How a shared library was at the ends of the latest runs, the newest first.

        Raises
        ------
        InputError
            If it is one in a folder, which keeps none.
        """
        return tuple(self._engine.versions())

    def restore(self, number: int) -> None:
        """Let a shared library be as it was in one of its :meth:`versions`.

        What came since is gone from it, but not its own version: that can be gone back to, too.
        Nobody may write meanwhile. If it is interrupted, do it again.

        Raises
        ------
        InputError
            If there is no such version, or it is a library in a folder, which keeps none.
        """
        self._engine.restore(number)

    def last_check(self) -> tuple[Sought, ...]:
        """What :meth:`check` asked, in all runs, and what became of each when it was last asked."""
        from rag.confidence import self_test

        return self_test.last(self._engine)

    def ensure_available(self) -> None:
        """Do nothing where the library is still there and can be read.

        Raises
        ------
        LibraryNotFound
            If its folder was moved or removed, or its disk unmounted.
        LibraryError
            If it can't be read.
        """
        _ = self._reader.generation

    def status(self) -> Status:
        """What is in the library."""
        documents, passages, sentences = self._reader.counts()
        return Status(
            path=self._engine.location,
            documents=documents,
            passages=passages,
            sentences=sentences,
            model=self._embedder.name,
            generation=self._reader.generation,
            bytes=self._engine.size(),
            dimension=self._embedder.dimension,
            late=self._embedder.late,
            recall=self._engine.recall,
            untrained=language_coverage.untrained(
                self._reader.languages(), self._embedder.languages
            ),
            backend=self._embedder.backend,
            ratings=len(self._engine.ratings.all()),
        )
