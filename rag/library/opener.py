"""Opening a library: its engine, and its model: the one named, the one remembered, or the packaged
one.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from rag.errors import InputError, LibraryDamaged, LibraryNotFound
from rag.index.engine import Engine
from rag.index.folder import make
from rag.index.local_engine import EmbeddedEngine
from rag.index.sqlite import Database
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import MINILM
from rag.runtime.files import SPECIAL, absolute, is_url, special_in
from rag.types.protocols import Embedder

NAME = "model"
"""Under which a library keeps what it must know to be opened with its model again."""


def opened(
    path: str | Path,
    *,
    create: bool,
    model: str | Path | None,
    dimensions: int | None,
    embedder: Embedder | None,
) -> tuple[Engine, Embedder]:
    """The engine of the library in a folder or at a URL, and its model.

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
        return shared.opened(
            str(path), create=create, model=model, dimensions=dimensions, embedder=embedder
        )
    folder = absolute(path)
    if special := special_in(chain([folder], folder.glob("*"), folder.glob("words/*"))):
        raise LibraryDamaged(f"{special}: {SPECIAL}; name another library: --library DIR")
    embedder = embedder or embedder_for(folder, model, dimensions)
    made = made_sure(folder, embedder, create=create)
    engine = EmbeddedEngine(folder, embedder.dimension)
    try:
        checked(engine.database, embedder)
        if made:  # so that a search finds nothing, at once, while the first documents come
            engine.searcher()
    except BaseException:
        engine.close()
        raise
    return engine, embedder


def embedder_for(
    folder: Path, model: str | Path | None, dimensions: int | None
) -> SentenceTransformerEmbedder:
    """The embedder for the library in a folder, or for one that will be there.

    Parameters
    ----------
    model
        The name of a model or its folder; None for the one that the library remembers, and the
        packaged one where there is no library yet.
    dimensions
        How many dimensions of its vectors to keep; None for as many as the library has, or the
        model says.

    Raises
    ------
    ModelError, InputError
        If a model is named that can't be used.
    LibraryDamaged
        If there is a library that can't be read.
    """
    if model is not None:
        return SentenceTransformerEmbedder.named(str(model), dimensions)
    path = folder / "library.db"
    remembered = SentenceTransformerEmbedder()
    if path.exists():
        database = Database(path, MINILM.dimension)
        try:
            remembered = SentenceTransformerEmbedder.remembered(database.note(NAME))
            see_that_model_is_outside(remembered.name, folder)
        finally:
            database.close()
    if dimensions in {None, remembered.dimension}:
        return remembered
    return SentenceTransformerEmbedder.named(remembered.name, dimensions)


def see_that_model_is_outside(name: str, folder: Path) -> None:
    """Refuse a model that lies in the library's own folder: loading one may run code that comes
    with it, and whoever may send files to a library must not bring a model along.

    Raises
    ------
    LibraryDamaged
        If it does.
    """
    place = Path(name).expanduser()
    is_path = place.is_absolute() or place.is_dir()
    if is_path and place.resolve().is_relative_to(folder.resolve()):
        raise LibraryDamaged(
            f"{folder} names a model that lies in the library's own folder; put the model "
            "elsewhere, and index into a new library: --model DIR --library DIR"
        )


def made_sure(folder: Path, embedder: Embedder, *, create: bool) -> bool:
    """Make the library where there is none, if that is wanted; whether that was done.

    Raises
    ------
    LibraryNotFound
        If there is none and ``create`` is false, or the folder holds something else.
    """
    if (folder / "library.db").exists():
        return False
    if not create:
        raise LibraryNotFound(
            f"there is no library in {folder}; make one: rag index PATH --library {folder}"
        )
    make(folder, embedder.fingerprint)
    return True


def checked(database: Database, embedder: Embedder) -> None:
    """See that the library is of this model and version, and let it remember the model.

    A model that moved is remembered where it is now.

    Raises
    ------
    LibraryMismatch
        If it was made by another model or another version's format.
    LibraryDamaged
        If its store can't be read.
    """
    database.check(embedder.fingerprint)
    if isinstance(embedder, SentenceTransformerEmbedder):
        kept = embedder.to_remember
        if database.note(NAME) != kept and database.writable:
            database.keep(NAME, kept)
