"""Open a library: its engine, and a given model, the library's own or the packaged one."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

from rag.confidence import answerability
from rag.errors import InputError, LibraryDamaged, LibraryNotFound
from rag.index.engine import Engine
from rag.index.folder import STORE, create_library, store_folder
from rag.index.local_engine import EmbeddedEngine
from rag.models import multilingual
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import MINILM, MULTILINGUAL, packaged
from rag.runtime.files import SPECIAL, absolute, is_url, special_in
from rag.runtime.heartbeat import Heartbeat, run
from rag.types.protocols import Embedder

NAME = "model"
"""Key under which a library stores what it takes to load its model again."""


def open_library(
    path: str | Path,
    *,
    create: bool,
    model: str | Path | None,
    dimensions: int | None,
    embedder: Embedder | None,
) -> tuple[Engine, Embedder]:
    """Open the library in a folder or at a URL; returns its engine and its model.

    Parameters and errors are those of :meth:`rag.Library.open`.
    """
    if is_url(path):
        try:
            from rag.cluster.lance import opener as shared
        except ImportError as error:
            raise InputError(
                f"{path} is a shared library, which takes more packages: pip install 'rag[cluster]'"
                f" ({error})"
            ) from error
        return shared.open_library(
            str(path), create=create, model=model, dimensions=dimensions, embedder=embedder
        )
    folder = absolute(path)
    _refuse_special(folder)
    named = model is not None or dimensions is not None or embedder is not None
    embedder = embedder or embedder_for(folder, model, dimensions)
    made = not exists(folder)
    if made and not create:
        raise LibraryNotFound(
            f"there is no library in {folder}; make one: rag index PATH --library {folder}"
        )
    if made:
        create_library(folder, embedder.fingerprint)
    engine = EmbeddedEngine(folder, embedder.dimension)
    try:
        check_model(engine, embedder, named=named)
        if made:  # so that searches during the first run return at once
            engine.searcher()
    except BaseException:
        engine.close()
        raise
    return engine, embedder


def load(name: str, dimensions: int | None, beat: Heartbeat) -> SentenceTransformerEmbedder:
    """Load a model by its name, with progress; arguments and errors are those of
    :meth:`SentenceTransformerEmbedder.named`.
    """
    beat.enter("loading")
    if packaged(name) is MULTILINGUAL:
        multilingual.folder(beat)
    return run(partial(SentenceTransformerEmbedder.named, name, dimensions), beat)


def open_to_reencode(folder: Path) -> tuple[Engine, Embedder]:
    """Open the library in a folder whatever model it was made with, even one that isn't to be had
    any more; for :meth:`rag.Library.reencode` alone.

    Raises LibraryNotFound, LibraryDamaged, or LibraryMismatch for another format.
    """
    _refuse_special(folder)
    embedder = embedder_for(folder, None, None)
    engine = EmbeddedEngine(folder, embedder.dimension)
    try:
        engine.database.check(engine.database.fact("fingerprint"))
    except BaseException:
        engine.close()
        raise
    return engine, embedder


def _refuse_special(folder: Path) -> None:
    """Raise LibraryDamaged if one of a library's files is a device, say, which must not be read."""
    places = dict.fromkeys([folder, store_folder(folder)])
    inside = (one for at in places for one in chain(at.glob("*"), at.glob("words/*")))
    if special := special_in(chain([folder], inside)):
        raise LibraryDamaged(f"{special}: {SPECIAL}; name another library: --library DIR")


def exists(folder: str | Path) -> bool:
    """Whether there is a library in a folder."""
    return (store_folder(absolute(folder)) / STORE).exists()


def embedder_for(
    folder: Path, model: str | Path | None, dimensions: int | None
) -> SentenceTransformerEmbedder:
    """The embedder for a library in a folder, which need not exist yet.

    ``model`` and ``dimensions`` are as in :meth:`rag.Library.open`.
    """
    if model is not None:
        return SentenceTransformerEmbedder.named(str(model), dimensions)
    recorded = SentenceTransformerEmbedder()
    if exists(folder):
        with closing(EmbeddedEngine(folder, MINILM.dimension)) as engine:
            recorded = SentenceTransformerEmbedder.from_record(engine.notes.note(NAME))
            require_model_outside(recorded.name, folder)
    if dimensions in {None, recorded.dimension}:
        return recorded
    return SentenceTransformerEmbedder.named(recorded.name, dimensions)


def require_model_outside(name: str, folder: Path) -> None:
    """Raise LibraryDamaged for a model inside the library's own folder: loading a model may run
    code that comes with it, and users who may upload files must not be able to upload a model.
    """
    place = Path(name).expanduser()
    is_path = place.is_absolute() or place.is_dir()
    if is_path and place.resolve().is_relative_to(folder.resolve()):
        raise LibraryDamaged(
            f"{folder} names a model that lies in the library's own folder; put the model "
            "elsewhere, and index into a new library: --model DIR --library DIR"
        )


def check_model(engine: EmbeddedEngine, embedder: Embedder, *, named: bool = False) -> None:
    """Raise LibraryMismatch unless the library has this model and version. Store the model's name
    and location, which may have changed, if it was ``named``.
    """
    database = engine.database
    database.check(embedder.fingerprint)
    record = notes_for(embedder)[NAME]
    if named and record and database.note(NAME) != record and database.writable:
        database.keep(NAME, record)


def may_choose(engine: Engine, embedder: Embedder) -> bool:
    """Whether nobody has named the model of a library in a folder, and it is still empty."""
    return (
        isinstance(engine.location, Path)
        and embedder.fingerprint == MINILM.fingerprint
        and engine.notes.note(NAME) is None
        and not engine.reader.counts().documents
    )


def notes_for(embedder: Embedder) -> dict[str, str | None]:
    """What a library notes that depends on its model; None is what it has yet to measure, or can't
    note of a custom embedder.
    """
    record = embedder.record if isinstance(embedder, SentenceTransformerEmbedder) else None
    return {NAME: record, answerability.NAME: None}
