"""A labelled set and some modes → a report: the parts of this package put together."""

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
    """A library that is ready for the questions of a set.

    ``names`` are what the set calls the documents that hold a hit, and ``judge`` knows which
    hits are right.
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
    """Open the library for a set; made of the set's documents, where it comes with any.

    Parameters
    ----------
    labelled
        The set.
    place
        The folder of the library, or its URL. For a set with documents it may be new, or one of
        that set, and is a folder: that is where the documents are kept.
    progress
        Whether to show bars while it is made.
    embedder
        The model; by default that of the library, and of a new one the packaged one.

    Raises
    ------
    InputError
        If there are other documents in the library, or the set names files that it has not.
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
        # The first question loads the model, and publishes what a killed writer left.
        library.search(labelled.questions[0].text, 1)
        searcher = Searcher(library.engine, library.embedder)
        yield Opened(library.status(), searcher, names, by)


@contextmanager
def opened_with_ratings(
    place: str | Path, *, embedder: Embedder | None = None
) -> Iterator[tuple[LabelledSet, Opened]]:
    """Open a library for the questions that its readers rated.

    Raises
    ------
    InputError
        If there is nothing in the library, or no passage of it was called good.
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
    """Ask the set's questions in each mode.

    Parameters
    ----------
    labelled
        The set.
    library
        The library to ask.
    modes
        One, or two that are compared.
    on_progress
        Told after each question: the mode, how many are done, of how many.
    rerank
        The cross-encoder, for modes that need one.
    most
        How many questions, spread over the set; None for all.

    Returns
    -------
    report, judged
        The figures, and the questions of the first mode one by one.

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
    """Which of the files that the questions name hold a hit; a document of no name has its own."""
    named = list(dict.fromkeys(file for question in questions for file in question.documents))

    def names(hit: Hit) -> list[str]:
        sources = (hit.source, *hit.also_in)
        found = [file for file in named if any(is_in_file(source, file) for source in sources)]
        return found or [hit.source]

    return names
