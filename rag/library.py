"""A library: the composition root, where store, model and indexes come together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rag import finding, retrieval
from rag.discovery import discover
from rag.embedding import SentenceTransformerEmbedder
from rag.errors import (
    DocumentNotFound,
    LibraryNotFound,
    SourceNotFound,
)
from rag.files import absolute
from rag.filters import Filter
from rag.folder import locked, make
from rag.ingestion import Ingestion
from rag.loaders.pdf.tesseract import ENGLISH, checked
from rag.progress import shown
from rag.protocols import Embedder
from rag.reports import FileReport, IndexReport, Progress, Status
from rag.snapshots import Snapshots
from rag.store import Database, StoreReader, StoreWriter
from rag.types import Document, DocumentSummary, Found, Hit


class Library:
    """Documents that can be asked questions; use :meth:`open` to get one.

    Any number of threads and processes may search at once. One at a time may write, and
    searches go on meanwhile: they see what was there when the last write ended.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self.path = path
        self._embedder = embedder
        self._database = Database(path / "library.db", embedder.dimension)
        self._reader = StoreReader(self._database)
        self._writer = StoreWriter(self._database)
        self._snapshots = Snapshots(path, self._reader, embedder.dimension)

    @classmethod
    def open(
        cls, path: str | Path, *, create: bool = True, embedder: Embedder | None = None
    ) -> Self:
        """Open the library in a folder.

        Parameters
        ----------
        path
            The folder.
        create
            Make the library where there is none.
        embedder
            The model; by default the packaged all-MiniLM-L6-v2, loaded when first needed.

        Raises
        ------
        LibraryNotFound
            If there is none and ``create`` is false, or the folder holds something else.
        LibraryMismatch
            If it was made by another model or another version's format.
        LibraryDamaged
            If its store can't be read.
        """
        folder = absolute(path)
        embedder = embedder or SentenceTransformerEmbedder()
        if not (folder / "library.db").exists():
            if not create:
                raise LibraryNotFound(
                    f"there is no library in {folder}; make one: rag index PATH --library {path}"
                )
            make(folder, embedder.fingerprint)
        library = cls(folder, embedder)
        try:
            library._database.check(embedder.fingerprint)
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Let go of files and connections; the library can't be used afterwards."""
        self._snapshots.close()
        self._database.close()

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
        progress: bool | Callable[[Progress], None] = False,
    ) -> IndexReport:
        """Make the library follow files and folders.

        What is new or changed is read and encoded, what is unchanged is left as it is, and what
        vanished from the folders is removed. Each document is committed as soon as it is
        encoded; interrupt at any time, and call again to go on.

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
        progress
            True shows bars on standard error; a function is called with each step.

        Raises
        ------
        SourceNotFound
            If one of the paths does not exist; nothing is done then.
        InputError
            If OCR is asked for and tesseract, or one of the languages, is not installed; nothing
            is done then, either.
        LibraryBusy
            If another process goes on writing.
        """
        languages = checked(ENGLISH if ocr is True else ocr) if ocr else None
        listed = [paths] if isinstance(paths, str | Path) else list(paths)
        discovery = discover(listed, leave_out=self.path, exclude=exclude)
        with locked(self.path), shown(progress) as on_progress:
            ingestion = Ingestion(
                discovery,
                self._embedder,
                self._reader,
                self._writer,
                on_progress,
                ocr=languages,
                retry=retry,
            )
            try:
                ingestion.run()
            finally:
                # After Ctrl-C too: what was committed can be found at once.
                self._snapshots.publish()
            return ingestion.report()

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
        with locked(self.path):
            files = list(self._reader.files())
            known = [source.path for source in self._reader.sources()]
            removed: dict[str, None] = {}
            forgotten: list[str] = []
            for given in sources:
                path = absolute(given)
                found = [one for one in known if Path(one).is_relative_to(path)]
                if not found:
                    raise SourceNotFound(
                        f"nothing is indexed under {given}; rag report lists what is"
                    )
                removed.update(dict.fromkeys(found))
                forgotten += [one for one in files if Path(one).is_relative_to(path)]
            self._writer.remove(list(removed), forgotten)
            self._snapshots.publish()
        return list(removed)

    def search(
        self,
        question: str,
        k: int = 5,
        *,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> list[Hit]:
        """Find the ``k`` passages that best answer a question, best first.

        Parameters
        ----------
        question
            In plain words; ``"quoted words"``, ``-excluded`` ones and ``title:value`` are
            conditions, as :mod:`rag.asking` says.
        k
            How many hits, at least 1.
        since, until
            Look only in documents with a date in that range, both ends included.
        source
            … only in those whose path, or its end, matches: ``*.pdf``, ``letters/*``.
        title
            … only in those with these words in their title.
        language
            … only in those in this language, ``en`` say.
        where
            … only in those whose metadata have these values.

        Raises
        ------
        EmptyQuestion
            If there is no letter and no digit in the question.
        InputError
            If ``k`` is below 1.
        """
        return retrieval.search(
            question,
            k,
            Filter(since, until, source, title, language, where or {}),
            embedder=self._embedder,
            store=self._reader,
            snapshot=self._snapshots.current(),
        )

    def find(
        self,
        query: str,
        *,
        offset: int = 0,
        limit: int = 20,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Found:
        """List every passage that has all of the words, counted by document, a page at a time.

        Parameters
        ----------
        query
            Words, all of which must stand in a passage, in this form or another, and the
            conditions that :meth:`search` takes. Small words like “the” don't count, but within
            quotes they do.
        offset
            How many passages come before the page.
        limit
            How many passages it has at most, at least 1.
        since, until, source, title, language, where
            As in :meth:`search`.

        Raises
        ------
        EmptyQuestion
            If there is nothing to look for.
        InputError
            If ``offset`` is below 0 or ``limit`` below 1.
        """
        return finding.find(
            query,
            Filter(since, until, source, title, language, where or {}),
            offset,
            limit,
            store=self._reader,
            snapshot=self._snapshots.current(),
        )

    def report(self) -> list[FileReport]:
        """What came of every file that was read, by path."""
        return self._reader.file_reports()

    def document(self, document_id: str) -> Document:
        """The document of that id.

        Raises
        ------
        DocumentNotFound
            If there is none.
        """
        document = self._reader.document(document_id)
        if document is None:
            raise DocumentNotFound(f"there is no document {document_id} in this library")
        return document

    def documents(self, limit: int | None = None) -> list[DocumentSummary]:
        """The documents, the newest date first: all of them, or the first ``limit``."""
        return self._reader.documents(limit)

    def status(self) -> Status:
        """What is in the library."""
        documents, passages, sentences = self._reader.counts()
        return Status(
            path=self.path,
            documents=documents,
            passages=passages,
            sentences=sentences,
            model=self._embedder.name,
            generation=self._reader.generation,
            bytes=sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()),
        )
