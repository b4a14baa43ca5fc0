"""Evaluate modes on a labelled set: from the set and a library to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rag.errors import InputError
from rag.evaluation import corpus
from rag.evaluation.configured_search import Searcher
from rag.evaluation.labelled_sets import LabelledSet, Question, spread
from rag.evaluation.modes import Mode
from rag.evaluation.offsets import Places
from rag.evaluation.query_run import ask
from rag.evaluation.questions import check_files, is_in_file
from rag.evaluation.rated_set import NAME, rated_set
from rag.evaluation.relevance import Judge, Judged, SpanJudge, TextJudge, judge
from rag.evaluation.results import Report, differences, result
from rag.library.library import Library
from rag.models.cross_encoder import CrossEncoderReranker
from rag.types import Hit
from rag.types.protocols import Embedder
from rag.types.reports import Status


@dataclass(frozen=True, slots=True)
class Opened:
    """A library that is ready for the queries of a set.

    ``names`` returns the set's ids of the documents that contain a hit, and ``judge`` decides which
    hits are relevant.
    """

    status: Status
    searcher: Searcher
    names: Callable[[Hit], Sequence[str]]
    judge: Judge


@contextmanager
def opened(
    labelled: LabelledSet,
    place: str | Path,
    *,
    progress: bool = False,
    embedder: Embedder | None = None,
) -> Iterator[Opened]:
    """Open the library for a set; if the set has documents, index them first.

    Parameters
    ----------
    labelled
        The set.
    place
        The folder of the library, or its URL. If the set has documents it must be a folder, new or
        already with that set, in which the documents are stored.
    progress
        Whether to show progress bars while indexing.
    embedder
        The embedder; by default that of the library, or the packaged one for a new library.

    Raises
    ------
    InputError
        If there are other documents in the library, or the set names files that it doesn't have.
    LibraryError
        If the library can't be used.
    """
    with Library.open(place, create=labelled.documents is not None, embedder=embedder) as library:
        names: Callable[[Hit], Sequence[str]]
        by: Judge
        if labelled.documents is None:
            _check_filled(library)
            check_files(labelled.questions, [one.source for one in library.report()])
            names = _files_named(labelled.questions)
            by = TextJudge(names)
        else:
            documents = corpus.index(labelled.documents, library, progress=progress)
            names = documents.names
            by = SpanJudge(Places(documents, library.document, library.parts))
        # The first query loads the model, and publishes what a killed writer left.
        library.search(labelled.questions[0].text, 1)
        searcher = Searcher(library.engine, library.embedder)
        yield Opened(library.status(), searcher, names, by)


@contextmanager
def opened_with_ratings(
    place: str | Path, *, embedder: Embedder | None = None
) -> Iterator[tuple[LabelledSet, Opened]]:
    """Open a library for evaluation on its users' ratings.

    Raises
    ------
    InputError
        If the library is empty, or none of its passages was rated good.
    LibraryError
        If the library can't be used.
    """
    with Library.open(place, create=False, embedder=embedder) as library:
        _check_filled(library)
        library.search(NAME, 1)  # publishes what a killed writer left
        searcher = Searcher(library.engine, library.embedder)
        labelled, by = rated_set(library.ratings(), library.engine.reader)
        yield labelled, Opened(library.status(), searcher, _sources, by)


def evaluate(
    labelled: LabelledSet,
    library: Opened,
    modes: Sequence[Mode],
    *,
    on_progress: Callable[[str, int, int], None],
    rerank: str | None = None,
    most: int | None = None,
) -> tuple[Report, list[Judged]]:
    """Run the set's queries in each mode.

    Parameters
    ----------
    labelled
        The set.
    library
        The library to search.
    modes
        One mode, or two to compare.
    on_progress
        Called after each query with the mode, the number done and the total.
    rerank
        The cross-encoder, for modes that need one.
    most
        Maximum number of queries, spread over the set; None for all.

    Returns
    -------
    report, judged
        The report, and the judged queries of the first mode.

    Raises
    ------
    ModelError
        If the cross-encoder can't be loaded.
    """
    reranker = CrossEncoderReranker(rerank) if rerank is not None else None
    questions = spread(labelled.questions, most)
    judged = []
    for mode in modes:

        def search(question: Question, k: int, mode: Mode = mode) -> list[Hit]:
            used = reranker if mode.reranks else None
            return library.searcher.search(question, k, mode.settings, used)

        def show(done: int, mode: Mode = mode) -> None:
            on_progress(mode.name, done, len(questions))

        judged.append(judge(ask(questions, search, library.names, show), library.judge))
    report = Report(
        set=labelled.name,
        questions=len(questions),
        unlabelled=labelled.unlabelled,
        documents=library.status.documents,
        passages=library.status.passages,
        model=library.status.model,
        version=version("rag"),
        results=tuple(result(mode.name, one) for mode, one in zip(modes, judged, strict=True)),
        differences=differences(*judged) if len(judged) > 1 else {},
    )
    return report, judged[0]


def _check_filled(library: Library) -> None:
    if not library.status().documents:
        raise InputError(
            f"the library in {library.engine.location} is empty; fill it first: rag index PATH"
        )


def _sources(hit: Hit) -> Sequence[str]:
    return (hit.source, *hit.also_in)


def _files_named(questions: Sequence[Question]) -> Callable[[Hit], Sequence[str]]:
    """Map a hit to the files containing it that the questions name, or else to its own source."""
    named = list(dict.fromkeys(file for question in questions for file in question.documents))

    def names(hit: Hit) -> list[str]:
        sources = (hit.source, *hit.also_in)
        found = [file for file in named if any(is_in_file(source, file) for source in sources)]
        return found or [hit.source]

    return names
