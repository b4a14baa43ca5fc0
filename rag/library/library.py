"""A library: the composition root, where store, model and indexes come together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, cast

import numpy as np

from rag.cluster.ray import Fleet
from rag.confidence import ratings as feedback
from rag.confidence.answerability import Calibrations
from rag.confidence.calibration import Calibration, Reliability, reliability
from rag.errors import DocumentNotFound, InputError, LibraryError
from rag.index.engine import Engine
from rag.index.records import Order, Source
from rag.library import opener
from rag.library.collections import Collections, validate_new_name
from rag.models import query_cache
from rag.models.cross_encoder import Reranker
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.files import local_path
from rag.runtime.heartbeat import Heartbeat, run
from rag.runtime.progress import progress_callback
from rag.search import boolean_search, citations, neighbours, pipeline
from rag.search.citations import Citation, Followed
from rag.search.neighbours import Neighbour
from rag.search.pipeline import SearchResult
from rag.text import language, query_parser
from rag.types import Answer, Document, DocumentSummary, Failure, Found, Hit, Passage, Rating
from rag.types.arrays import Scores
from rag.types.filters import Filter, FilterConditions
from rag.types.parts import all_part_ids, is_further_part, whole_source
from rag.types.protocols import Embedder, QuestionEncoder
from rag.types.reports import (
    Collection,
    Dates,
    Facets,
    FileReport,
    IndexReport,
    Progress,
    QueryOutcome,
    SelfTest,
    Status,
    Verification,
    Version,
)

if TYPE_CHECKING:  # a library in a folder needs no Lance
    from rag.cluster.lance.engine import SharedEngine

T = TypeVar("T")

NEWEST_KEPT = 100
"""Documents in the list that is kept for a generation, since every visit begins with it."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A library's engine and model, which belong together, and what goes with them."""

    engine: Engine
    embedder: Embedder
    collections: Collections
    calibrations: Calibrations


class Library:
    """A searchable collection of documents; call :meth:`open` to get one.

    In the examples, the folder ``articles`` holds three short texts: on bread, a tank and whales.

    Any number of threads and processes may search at once. Only one may write at a time; searches
    carry on meanwhile, and see the state after the last completed write.
    """

    def __init__(
        self, engine: Engine, embedder: Embedder, reranker: Reranker | None = None
    ) -> None:
        self._reranker = reranker
        self._opening = threading.Lock()
        self._opened = self._open_with(engine, embedder)
        self._coming: Embedder | None = None
        self._computed: tuple[int, dict[str, object]] = -1, {}

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
        """Open a library in a folder, or a shared one.

        >>> library = Library.open("my-library")

        Parameters
        ----------
        path
            The folder, or a URL in object storage: ``s3://bucket/prefix``; see
            :mod:`rag.cluster.lance` for its requirements.
        create
            Create the library if there is none.
        model, dimensions
            Name or folder of a sentence-transformers model, and how many dimensions of its vectors
            to keep; by default those of the library. The model of a new library is then chosen when
            documents are first indexed, by their languages: see :mod:`rag.library.model_choice`.
        embedder
            A custom embedder, instead of a model.
        reranker
            A cross-encoder that reranks the best passages of every search.

        Raises
        ------
        LibraryNotFound
            If there is none and ``create`` is false, or the folder holds something else.
        LibraryMismatch
            If it was made by another model or has another version's format.
        LibraryDamaged, ModelError, InputError
            If its store can't be read, or the model or a shared library can't be used here.
        """
        engine, embedder = opener.open_library(
            path, create=create, model=model, dimensions=dimensions, embedder=embedder
        )
        return cls(engine, embedder, reranker)

    @property
    def engine(self) -> Engine:
        """The storage engine, for code built on top of libraries that needs more than searches."""
        return self._current().engine

    @property
    def embedder(self) -> Embedder:
        """The model that encodes passages and questions."""
        return self._current().embedder

    @property
    def folder(self) -> Path | None:
        """The library's folder; None for a shared one."""
        location = self._opened.engine.location
        return location if isinstance(location, Path) else None

    @property
    def path(self) -> Path:
        """The library's folder; raises InputError for a shared one, which has none."""
        if self.folder:
            return self.folder
        raise InputError(
            f"{self._opened.engine.location} is a shared library, and has no folder on this "
            "machine; this takes a library in a folder: --library DIR"
        )

    def close(self) -> None:
        """Release files and connections; the library can't be used afterwards."""
        self._opened.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def status(self) -> Status:
        """Size, model and settings of the library.

        >>> status = library.status()
        >>> status.documents, status.sentences, status.model
        (3, 6, 'all-MiniLM-L6-v2')
        """
        counts = self._once("counts", self.engine.reader.counts)
        return Status(
            path=self.engine.location,
            documents=counts.documents,
            passages=counts.passages,
            sentences=counts.sentences,
            model=self.embedder.name,
            generation=self.engine.reader.generation,
            bytes=self.engine.size(),
            dimension=self.embedder.dimension,
            late=self.embedder.late,
            recall=self.engine.recall,
            untrained=language.untrained(counts.languages, self.embedder.languages),
            ratings=len(self.engine.ratings),
            collections=self.collections(),
        )

    @property
    def backend(self) -> str:
        """What encodes its passages, and in which precision; raises InputError if
        ``$RAG_PRECISION`` is invalid.
        """
        return self.embedder.backend

    def ensure_available(self) -> None:
        """Raise LibraryError unless the library is still there and can be read."""
        _ = self.engine.reader.generation

    def index(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        collection: str | None = None,
        exclude: Sequence[str] = (),
        ocr: bool | str | None = None,
        retry: bool = False,
        again: bool = False,
        passwords: Sequence[str] = (),
        max_document: int | str | None = None,
        progress: bool | Callable[[Progress], None] = False,
        ray: Fleet | str | None = None,
    ) -> IndexReport:
        """Bring the library up to date with files and folders.

        >>> report = library.index("articles")
        >>> [Path(source).name for source in report.added]
        ['bread.txt', 'tank.txt', 'whales.txt']
        >>> len(library.index("articles").unchanged)
        3

        New and changed files are read and encoded, unchanged ones are skipped, and files that
        disappeared from the folders are removed. Each document is committed as soon as it is
        encoded: interrupt at any time, and call again to resume. At the end of the first run, and
        whenever the library has grown or shrunk by a quarter, :meth:`ask` is calibrated with some
        two hundred queries, which takes seconds.

        Parameters
        ----------
        paths
            Files and folders.
        collection
            Name of the collection to which they belong from now on. By default a folder has one
            named after it: ``reports``, or ``2024/reports`` if another folder has that name; files
            given by name have none.
        exclude
            Patterns of paths in the folders to exclude, as in a ``.gitignore``.
        ocr
            Run OCR on pictures, and on pages of PDFs that are only images, including those that
            earlier runs left out. By default that is done if tesseract or the extra ``ocr``
            (RapidOCR) is installed, in the languages that tesseract has, or English if it has more
            than three. True requires it, and False leaves it out. Languages in tesseract's
            notation, such as ``deu+eng``, or ``rapidocr``, replace those of an earlier run.
        retry
            Read unchanged files again that failed or had warnings.
        again
            Read every file again, even if unchanged, with OCR where it was used before. Documents
            that come out the same are left alone, and so are those that can't be read any more.
        passwords
            Tried on each encrypted PDF, including those that failed in earlier runs. They aren't
            stored: an encrypted PDF that changes needs its password again.
        max_document
            Maximum memory for reading one file, in bytes or like ``"1GB"``; by default
            ``$RAG_MAX_DOCUMENT``, or 256 MB. A file that needs more fails, and is read again once
            the limit is raised.
        progress
            True shows progress bars on standard error; a function is called with each step.
        ray
            Read and embed on a Ray cluster, for a shared library: its address, ``local`` for one on
            this machine, or a :class:`rag.cluster.ray.Fleet`. The paths must be visible to
            all of its machines, and may be URLs.

        Raises
        ------
        SourceNotFound
            If one of the paths does not exist; nothing is done then.
        InputError
            If OCR is requested and no program for it, or not one of the languages, is installed,
            ``max_document`` is not a valid size, ``collection`` not a valid name, or there is no
            such cluster; nothing is done then, either.
        LibraryBusy
            If another process keeps writing.
        """
        # Imported here, so that programs that only search don't load the file readers.
        from rag.documents.discovery import discover
        from rag.documents.pdf.ocr import check_languages, default_languages, require_languages
        from rag.documents.read_options import max_document_of
        from rag.documents.registry import ReadOptions
        from rag.ingest.run import Ingestion

        if isinstance(ocr, str):
            languages: str | None = check_languages(ocr)
        elif ocr is None:
            languages = default_languages()
        else:
            languages = require_languages() if ocr else None
        name = None if collection is None else validate_new_name(collection)
        listed = [paths] if isinstance(paths, str | Path) else list(paths)
        most = max_document_of(max_document)
        options = ReadOptions(languages, ocr is not None, tuple(passwords), most)
        with progress_callback(progress) as on_progress:
            beat = Heartbeat(on_progress)
            if ray is not None:
                from rag.cluster.ray.driver import index_on

                report = index_on(
                    Fleet(ray) if isinstance(ray, str) else ray,
                    self.engine,
                    self.embedder,
                    listed,
                    beat.relay,
                    exclude=exclude,
                    options=options,
                    retry=retry,
                    again=again,
                )
                self._current().collections.add(listed, name)
            else:
                discovery = discover(
                    listed,
                    leave_out=local_path(self.engine.location),
                    exclude=exclude,
                    pictures=languages is not None,
                    beat=beat,
                )
                model_note = self._choose_model(discovery.files, beat)
                opened = self._current()
                with opened.engine.writing(beat):
                    opened.collections.add(listed, name)
                    ingestion = Ingestion(
                        discovery,
                        opened.embedder,
                        opened.engine,
                        beat,
                        options=options,
                        retry=retry,
                        again=again,
                    )
                    try:
                        ingestion.run()
                    finally:
                        beat.enter("publishing")
                report = replace(ingestion.report(), model_note=model_note)
            beat.enter("calibrating")
            run(self._current().calibrations.refresh, beat)
        return report

    def reencode(
        self,
        model: str | Path | None = None,
        *,
        dimensions: int | None = None,
        embedder: Embedder | None = None,
        progress: bool | Callable[[Progress], None] = False,
    ) -> bool:
        """Change the library's model: encode all of its documents with another one, in place.

        Returns whether it had another one. No file is read again; documents, collections and
        ratings stay. Searches go on with the former model until all is done, also in other
        processes, which then follow. Takes as much disk space again as the library. Interrupt at
        any time, and call it again to resume.

        Parameters
        ----------
        model, dimensions, embedder
            As in :meth:`open`; without ``model`` and ``embedder`` that of the library, with other
            ``dimensions``.
        progress
            As in :meth:`index`.

        Raises
        ------
        InputError
            If this is a shared library, or the model has fewer dimensions.
        ModelError
            If the model can't be used here.
        LibraryBusy
            If another process keeps writing.
        """
        with progress_callback(progress) as on_progress:
            beat = Heartbeat(on_progress)
            name = str(model or self._opened.embedder.name)
            changed = self._reencode(embedder or opener.load(name, dimensions, beat), beat)
            beat.enter("calibrating")
            run(self._current().calibrations.refresh, beat)
        return changed

    def remove(
        self, sources: Sequence[str | Path] = (), *, collections: Sequence[str] = ()
    ) -> list[str]:
        """Remove files, folders or collections from the library, whether they still exist or not.

        Returns the sources removed. Documents that are also in a collection that stays are kept.
        Raises SourceNotFound or InputError, before anything is removed, if nothing is indexed under
        one of the names, or there is no such collection.

        >>> [Path(source).name for source in library.remove(["articles/tank.txt"])]
        ['tank.txt']
        """
        opened = self._current()
        with opened.engine.writing():
            removed, files = opened.collections.contents(collections, sources)
            opened.engine.writer.remove(removed, files)
            opened.collections.forget(collections, sources)
        return [one for one in removed if not is_further_part(one)]

    def search(
        self,
        question: str,
        k: int = 5,
        filter: Filter | None = None,
        **conditions: Unpack[FilterConditions],
    ) -> list[Hit]:
        """Find the ``k`` passages that best answer a question, best first.

        >>> hits = library.search("Where does the turret come from?", k=2)
        >>> hits[0].answer.text
        'The turret of the tank comes from Ghent.'
        >>> [hit.rank for hit in library.search("turret", language="fr")]
        []

        Parameters
        ----------
        question
            Plain words; ``"exact phrases"``, ``-excluded`` words and ``title:value`` are filters,
            see :mod:`rag.text.query_parser`.
        k
            How many hits, at least 1.
        filter, conditions
            Only documents that meet these conditions: a :class:`rag.Filter`, its fields as keyword
            arguments, or both; a keyword overrides the filter's field.

        Raises
        ------
        EmptyQuestion
            If the question has no letter or digit.
        InputError
            If the question has more than :data:`rag.MAX_QUESTION_LENGTH` characters, a filter more
            than :data:`rag.MAX_FILTER_LENGTH`, or ``k`` is below 1.
        """
        query_parser.check_length(question)
        return self._found(question, k, self._filter(filter, conditions)).hits

    def ask(
        self,
        question: str,
        k: int = 5,
        filter: Filter | None = None,
        **conditions: Unpack[FilterConditions],
    ) -> Answer:
        """Search, and estimate the probability that the library answers the question.

        >>> answer = library.ask("How long does the bread have to bake?")
        >>> answer.answered, answer.hits[0].answer.text
        (True, 'Bake the sourdough bread for forty minutes.')
        >>> library.ask("Who won the election?").answered
        False

        See :mod:`rag.confidence.calibration` for the method. A library without a calibration gets
        one at the first question, which takes seconds.

        Parameters and errors are those of :meth:`search`.
        """
        query_parser.check_length(question)
        result = self._found(question, k, self._filter(filter, conditions))
        return self._current().calibrations.answer(result)

    def find(
        self,
        query: str,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        limit: int = 20,
        **conditions: Unpack[FilterConditions],
    ) -> Found:
        """List every passage that contains all of the words, with counts, page by page.

        >>> found = library.find("song")
        >>> found.passages, found.matches[0].matched[0].text
        (1, 'songs')

        Parameters
        ----------
        query
            Words, all of which a passage must contain in some inflected form, and the filters that
            :meth:`search` takes. Stop words are ignored except in quotes.
        offset, limit
            How many passages to skip, and how many to return at most, at least 1.
        filter, conditions
            As in :meth:`search`, and so are the errors.
        """
        limits = self._filter(filter, conditions)
        return self._call(
            lambda opened: boolean_search.find(
                query,
                limits,
                offset,
                limit,
                encoder=opened.embedder,
                library=opened.engine.searcher(),
            )
        )

    def follow(self, citation: Citation) -> Followed:
        """Resolve a permalink to a sentence, even if its document has changed.

        :func:`rag.search.citations.cited` makes citations.
        """
        return citations.follow(citation, self.engine.reader.document, self.search)

    def documents(
        self,
        limit: int | None = None,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        order: Order = "newest",
        **conditions: Unpack[FilterConditions],
    ) -> list[DocumentSummary]:
        """List the documents, by default newest first, all of them or one page.

        >>> for document in library.documents(2, order="title"):
        ...     print(document.title, document.passages)
        Bake the sourdough bread for forty minutes. 1
        Blue whales sing at twenty hertz. 1

        Parameters
        ----------
        limit, offset
            How many to return at most, and how many to skip.
        order
            ``newest`` or ``oldest`` by date, with those last that have only their file's
            modification time; ``title``, ``source``, ``language``; or ``pages`` or ``passages``,
            most first.
        filter, conditions
            As in :meth:`search`.
        """
        if offset < 0 or (limit is not None and limit < 1):
            raise InputError(
                f"a page begins at 0 or later and has 1 document or more, not {offset} and {limit}"
            )
        limits = self._filter(filter, conditions)
        end = NEWEST_KEPT + 1 if limit is None else offset + limit
        if limits or order != "newest" or end > NEWEST_KEPT:
            return self.engine.catalogue.documents(limits, order, offset, limit)
        newest = self._once(
            "newest", lambda: self.engine.catalogue.documents(limits, order, 0, NEWEST_KEPT)
        )
        return newest[offset:end]

    def count_documents(
        self, filter: Filter | None = None, **conditions: Unpack[FilterConditions]
    ) -> int:
        """Number of documents that meet the filters, which are those of :meth:`search`."""
        limits = self._filter(filter, conditions)
        if limits:
            return self.engine.catalogue.count(limits)
        return self._once("counts", self.engine.reader.counts).documents

    def document(self, document_id: str) -> Document:
        """The document with that id; raises DocumentNotFound if there is none.

        >>> hit = library.search("whales")[0]
        >>> document = library.document(hit.document_id)
        >>> document.text[hit.answer.start : hit.answer.end] == hit.answer.text
        True
        """
        if document := self.engine.reader.document(document_id):
            return document
        raise _missing("document", document_id)

    def parts(self, document: Document) -> tuple[str, ...]:
        """The ids of all parts of a document, in order, including its own; just one for most."""
        return all_part_ids(document, self.engine.reader.has_document)

    def sources(self, document_id: str) -> list[str]:
        """Every source of a document, in order; raises DocumentNotFound if there is none."""
        return [whole_source(one.path) for one in self._sources(document_id)]

    def files(self, document_id: str) -> list[Path]:
        """The files that contain a document, in order: its own, or the archives that hold it;
        raises DocumentNotFound if there is none.
        """
        return [Path(file) for file in sorted({one.file for one in self._sources(document_id)})]

    def passage(self, passage_id: str) -> Passage:
        """The passage with that id; raises DocumentNotFound if no document has it any more."""
        if found := self.engine.reader.passage(passage_id):
            return found.passage
        raise _missing("passage", passage_id)

    def around(self, passage: Passage) -> tuple[Passage | None, Passage | None]:
        """The previous and next passage in the document; None at its beginning or end."""
        found = [None, *self.engine.reader.passages_of(passage.document_id), None]
        at = next((n for n, one in enumerate(found) if one and one.id == passage.id), None)
        return (found[at - 1], found[at + 1]) if at else (None, None)

    def neighbours(self, passage_id: str, k: int = 10) -> tuple[Neighbour, ...]:
        """More like this: the ``k`` passages most similar to one, best first; raises
        DocumentNotFound if there is no passage with that id.
        """
        if k < 1:
            raise InputError(f"the number of passages must be at least 1, not {k}")
        engine = self.engine
        if found := engine.reader.passage(passage_id):
            return neighbours.neighbours(found.key, k, library=engine.searcher())
        raise _missing("passage", passage_id)

    def collections(self) -> tuple[Collection, ...]:
        """The collections, by name, with the number of documents in each."""
        return self._current().collections.all()

    def facets(self) -> Facets:
        """Number of documents by language and type, and the range of their dates."""
        return self._once("facets", self.engine.catalogue.facets)

    def dates(self) -> Dates:
        """Number of documents by month."""
        return self._once("dates", self.engine.catalogue.dates)

    def report(
        self, status: str | None = None, *, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """The outcome for every file that was read, by path: all of them, or one page.

        ``status`` limits it to files that were ``indexed``, ``partly`` read, ``skipped``, or
        ``failed``.
        """
        return self.engine.reader.file_reports(status, offset, limit)

    def count_files(self, status: str | None = None) -> int:
        """Number of files that were read, or of those with this status."""
        return self.engine.reader.count_files(status)

    def unread(self) -> tuple[Sequence[Failure], Sequence[Failure]]:
        """What could not be read, and what was read with doubts, by file, each with the reason."""
        return self._once("unread", self.engine.reader.unread)

    def rate(self, question: str, hit: Hit, *, good: bool | None) -> None:
        """Record a reader's judgement of whether a hit is right for the question.

        Rating the same passage again replaces the rating; None deletes it. Ratings survive when
        files are read again or removed; see :mod:`rag.confidence.ratings` for which can still be
        used. Raises EmptyQuestion, or DocumentNotFound if the hit's document is not here.
        """
        self._call(
            lambda opened: feedback.rate(
                question,
                hit,
                good=good,
                ratings=opened.engine.ratings,
                store=opened.engine.reader,
            )
        )

    def ratings(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, oldest first."""
        wanted = None if question is None else feedback.normalize_question(question)
        return self.engine.ratings.all(wanted)

    def calibration(self) -> Calibration | None:
        """The curve from scores to probabilities that :meth:`ask` uses; None before calibration."""
        return self._current().calibrations.kept()

    def reliability(self) -> Reliability | None:
        """How well calibrated the confidence is; None if too little was measured to tell."""
        found = self.calibration()
        return reliability(found) if found else None

    def check(
        self, queries: int = 200, *, on_progress: Callable[[int, int], None] | None = None
    ) -> SelfTest:
        """Run the self-test: known-item queries, compared with the previous run.

        See :mod:`rag.confidence.self_test`. ``on_progress`` is called after each query with the
        number done and the total.
        """
        from rag.confidence import self_test

        def search(query: str, k: int) -> list[Hit]:
            return self._found(query, k, Filter()).hits

        return self_test.check(self.engine, search, queries, on_progress or (lambda *_: None))

    def last_check(self) -> tuple[QueryOutcome, ...]:
        """The latest result of each query that :meth:`check` has run."""
        from rag.confidence import self_test

        return self_test.last(self.engine)

    def verify(
        self, *, repair: bool = False, on_progress: Callable[[str, int, int], None] | None = None
    ) -> Verification:
        """Check the integrity of everything in the library's folder.

        Without ``repair`` nothing is written, and others may write meanwhile. With it, derived data
        is rebuilt: SQLite's indexes, checksums, the search indexes, and the model's encodings.
        ``on_progress`` is called with what is being checked, how much of it is done, and the total.
        Raises LibraryError if a repair can't be written, or another process keeps writing.
        """
        report_progress = on_progress or (lambda *_: None)
        return self.engine.verify(self.embedder, report_progress, repair=repair)

    def versions(self) -> tuple[Version, ...]:
        """The versions of a shared library after its latest runs, newest first; raises InputError
        for a library in a folder, which keeps none.
        """
        return tuple(self._shared_engine().versions())

    def restore(self, number: int) -> None:
        """Roll a shared library back to one of its :meth:`versions`.

        Later changes disappear from it, but their version can still be restored. Nobody may write
        meanwhile. If interrupted, run it again. Raises InputError if there is no such version.
        """
        self._shared_engine().restore(number)

    def _choose_model(self, files: Sequence[Path], beat: Heartbeat) -> str:
        """Choose the model by the files about to be indexed, if nobody has and the library is still
        empty; returns a note for the user if that changes it.
        """
        opened = self._current()
        if not opener.may_choose(opened.engine, opened.embedder):
            return ""
        # It loads the file readers.
        from rag.library.model_choice import choose_model

        beat.enter("choosing")
        choice = choose_model(files, beat)
        if choice.model.fingerprint == opened.embedder.fingerprint:
            return ""
        self._reencode(opener.load(choice.model.name, None, beat), beat)
        return choice.note

    def _reencode(self, embedder: Embedder, beat: Heartbeat) -> bool:
        # It loads what writes a library.
        from rag.index.local_engine import EmbeddedEngine
        from rag.ingest.reencoding import reencode

        engine = self._opened.engine  # of whatever model
        if not isinstance(engine, EmbeddedEngine):
            raise InputError(
                f"{engine.location} is a shared library, and keeps its model; index your documents"
                " into a new one: rag index --library URL --model NAME PATH"
            )
        self._coming = embedder
        try:
            changed = reencode(engine, embedder, opener.notes_for(embedder), beat)
            self.engine.searcher()  # opens it again, so that searches return at once
        finally:
            self._coming = None
        return changed

    def _open_with(self, engine: Engine, embedder: Embedder) -> _Opened:
        return _Opened(
            engine, embedder, Collections(engine), Calibrations(engine, self._first_scores)
        )

    def _current(self) -> _Opened:
        """The engine and the model, opened again if the library was re-encoded, by this process or
        another one. Raises LibraryMismatch if that was with a custom embedder of another process.
        """
        opened = self._opened
        if opened.engine.has_model(opened.embedder.fingerprint):
            return opened
        with self._opening:
            if self._opened is opened:
                embedder = self._coming
                if not (embedder or isinstance(opened.embedder, SentenceTransformerEmbedder)):
                    embedder = opened.embedder  # the library can't name a custom one
                self._opened = self._open_with(
                    *opener.open_library(
                        opened.engine.location,
                        create=False,
                        model=None,
                        dimensions=None,
                        embedder=embedder,
                    )
                )
            return self._opened

    def _call(self, call: Callable[[_Opened], T]) -> T:
        """Make a call with the engine and the model, and again if the library was re-encoded
        meanwhile: the earlier engine's files may have been deleted under it.
        """
        while True:
            opened = self._current()
            try:
                return call(opened)
            except LibraryError:
                if self._current() is opened:
                    raise

    def _shared_engine(self) -> SharedEngine:
        """The engine that keeps versions."""
        if self.folder:
            raise InputError(
                f"{self.folder} is a library in a folder, and keeps no versions; make backups:"
                " rag export FILE, and restore them: rag import FILE"
            )
        return cast("SharedEngine", self.engine)

    def _once(self, name: str, compute: Callable[[], T]) -> T:
        """What grows with the library, computed once a generation."""
        generation = self.engine.reader.generation
        if self._computed[0] != generation:
            self._computed = generation, {}
        values = self._computed[1]
        if name not in values:
            values[name] = compute()
        return cast("T", values[name])

    def _filter(self, filter: Filter | None, conditions: FilterConditions) -> Filter:
        """Combine conditions, and replace collections by their folders, which engines know."""
        combined = Filter.of(filter, conditions)
        folders = self._current().collections.folders(combined.collections)
        return replace(combined, collections=(), folders=(*combined.folders, *folders))

    def _found(self, question: str, k: int, limits: Filter) -> SearchResult:
        return self._call(
            lambda opened: pipeline.search(
                question,
                k,
                limits,
                embedder=opened.embedder,
                library=opened.engine.searcher(),
                reranker=self._reranker,
            )
        )

    def _first_scores(self, questions: Sequence[str]) -> Scores:
        """Score of the top hit for each question, without the cross-encoder."""
        opened = self._current()

        def score(question: str, encoder: QuestionEncoder) -> float:
            library = opened.engine.searcher()
            hits = pipeline.search(question, 1, Filter(), embedder=encoder, library=library).hits
            return hits[0].score if hits else 0.0

        return np.array(query_cache.for_each_query(questions, opened.embedder, score))

    def _sources(self, document_id: str) -> list[Source]:
        if found := self.engine.catalogue.sources(document_id):
            return found
        raise _missing("document", document_id)


def _missing(kind: str, given: str) -> DocumentNotFound:
    return DocumentNotFound(f"there is no {kind} {given} in this library")
