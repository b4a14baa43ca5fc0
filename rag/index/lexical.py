"""The lexical index. The only module that imports tantivy.

BM25 over stems by the language of each text, without stop words, with accents folded. A score is
given as a share of its upper bound for the query, so that it lies in [0, 1] and means the same in
every library and for every query.

All languages share one field, so that names and numbers match across them, and IDF is that of the
whole library. A query word with several stems counts once, by its best-matching stem.

Exact phrases are searched in a field of their own, which has every word of the passage as written,
with its position.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rag.errors import LibraryDamaged
from rag.runtime import files
from rag.runtime.files import may_write
from rag.text import spelling
from rag.text.analyzers import Analysis, Stems
from rag.text.stemmer import ENGLISH, kind_of, without_marks
from rag.types import Clauses, Respelling
from rag.types.arrays import Keys, Scores

if TYPE_CHECKING:
    import tantivy

CONTEXT_WEIGHT = 0.3
"""Weight of a match in the title or the headings above a passage, relative to one in its text."""

SATURATION = 2.2
"""Upper bound of BM25's term-frequency factor: k1 + 1, where tantivy has k1 = 1.2."""

WRITER_MEMORY = 64_000_000
"""Bytes that the writer buffers before it flushes."""

META = "meta.json"
"""Lists the files that belong together. It alone is ever replaced; others are written once."""

NOTHING_ASKED = Clauses()


class Entry(NamedTuple):
    """A passage to be indexed: ``context`` is its title and headings, ``language`` its document's
    ISO code.
    """

    key: int
    text: str
    context: str
    language: str | None = None


class TantivyIndex:
    """A tantivy index in a folder. :meth:`reader` sees what was committed."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._analysis = Analysis()
        index.register_tokenizer("words", self._analysis.stemmed)
        index.register_tokenizer("literal", self._analysis.literal)

    @classmethod
    def create(cls, folder: Path) -> TantivyIndex:
        """Create an empty index in a folder, replacing whatever is there."""
        import tantivy

        shutil.rmtree(folder, ignore_errors=True)
        # The folder may still exist: a background thread of the previous writer, which deletes
        # obsolete files, may have written .managed.json while everything else was being deleted.
        folder.mkdir(exist_ok=True)
        return cls(tantivy.Index(_schema(), path=str(folder)))

    @classmethod
    def open(cls, folder: Path) -> TantivyIndex:
        """Open the index in a folder; raises LibraryDamaged if there is none that can be read."""
        import tantivy

        try:
            return cls(tantivy.Index.open(str(folder)))
        except ValueError as error:
            raise LibraryDamaged(f"the word index can't be read: {error}") from error

    def update(self, removed: Iterable[int], added: Iterable[Entry]) -> None:
        """Remove and add passages, atomically. Unknown keys are ignored, and known ones replaced,
        so an update may be repeated after a crash.
        """
        import tantivy

        writer = self._index.writer(WRITER_MEMORY, 1)
        before = self._index.searcher()
        try:
            for key in removed:
                writer.delete_documents_by_term("key", key)
            for entry in added:
                # The writer keeps a kilobyte for each deletion until it commits.
                if self._has(before, entry.key):
                    writer.delete_documents_by_term("key", entry.key)
                document = tantivy.Document(
                    literal=without_marks(entry.text), kind=kind_of(entry.language)
                )
                self._add_stems(document, "text", entry.text, entry.language)
                self._add_stems(document, "context", entry.context, entry.language)
                document.add_integer("key", entry.key)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        finally:
            # The writer holds tantivy's lock. After an error the traceback would keep both alive.
            del writer

    def _has(self, searcher: tantivy.Searcher, key: int) -> bool:
        import tantivy

        if not searcher.num_docs:
            return False
        query = tantivy.Query.term_query(self._index.schema, "key", key)
        return bool(searcher.search(query, 1).hits)

    def _add_stems(
        self, document: tantivy.Document, field: str, text: str, language: str | None
    ) -> None:
        stems = self._analysis.indexed(text, language)
        if stems is None:
            document.add_text(field, text)
        else:
            document.add_pre_tokenized_text(field, stems)

    def reader(self) -> TantivyReader:
        """A snapshot of what is committed now."""
        self._index.reload()
        searcher = self._index.searcher()
        kinds = [kind for kind, _ in searcher.terms_with_prefix("kind", "")]
        return TantivyReader(searcher, self._index.schema, Analysis(kinds or [ENGLISH]))


class TantivyReader:
    """A snapshot of a :class:`TantivyIndex`, which ranks passages by the words that they share with
    a query.
    """

    def __init__(
        self, searcher: tantivy.Searcher, schema: tantivy.Schema, analysis: Analysis
    ) -> None:
        self._searcher = searcher
        self._schema = schema
        self.analysis = analysis

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self, question: str, count: int, among: Keys | None = None, clauses: Clauses = NOTHING_ASKED
    ) -> tuple[Keys, Scores]:
        """The keys of the best ``count`` passages, best first, with scores in [0, 1].

        Returns only passages that share a word with the query, so there may be fewer or none.
        ``among`` limits the search to passages with those keys, ``clauses`` to those that meet
        them.
        """
        from tantivy import Occur, Query

        words = self.analysis.words(question)
        if not words or count < 1 or (among is not None and not len(among)):
            return np.zeros(0, np.int64), np.zeros(0)
        limits = self._limits(clauses, among)
        query = self._any_of(words)
        if limits:
            query = Query.boolean_query([(Occur.Must, query), *limits])
        hits = self._searcher.search(query, limit=count, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        scores = np.array([score for score, _ in hits], dtype=np.float64)
        # A context that repeats the passage's words can lift it above the bound.
        return np.array(keys, dtype=np.int64), np.minimum(scores / self._max_score(words), 1.0)

    def matching(self, words: str, clauses: Clauses, among: Keys | None = None) -> Keys:
        """Keys of every passage that has all words in some form and meets the clauses,
        ascending.
        """
        from tantivy import Occur, Query

        if not len(self) or (among is not None and not len(among)):
            return np.zeros(0, np.int64)
        all_of = [self._any_stem("text", stems) for stems in self.analysis.words(words)]
        # A Boolean query of exclusions alone matches nothing: there must be a positive clause.
        must = [(Occur.Must, query) for query in [Query.all_query(), *all_of]]
        query = Query.boolean_query([*must, *self._limits(clauses, among)])
        hits = self._searcher.search(query, limit=len(self), count=False).hits
        addresses = [address for _, address in hits]
        keys = self._searcher.fast_field_values("key", addresses)
        return np.sort(np.array(keys, dtype=np.int64))

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """Spelling corrections of query words that occur in no passage and no title.

        :mod:`rag.text.spelling` defines the distance; the first letter must be right, as in
        Lucene's DirectSpellChecker, because slips seldom affect it.
        """
        from tantivy import Query

        found = []
        suspects = self.analysis.suspects(question, self._is_known)
        for asked, word in islice(suspects.items(), spelling.MOST_WORDS):
            slips = spelling.slips_allowed(word)
            near = Query.fuzzy_term_query(self._schema, "literal", word, slips)
            known = self._searcher.terms_with_prefix("literal", word[0], near)
            meant = spelling.nearest(word, known)
            if meant:
                found.append(Respelling(asked, meant))
        return tuple(found)

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """IDF-weighted share of the query words that each text has in some form, in [0, 1]."""
        return np.array(self.analysis.coverage(question, texts, self._idf))

    def _is_known(self, word: str) -> bool:
        """Whether a word occurs in a passage or a title, as written or inflected."""
        stems = {stem for stems in self.analysis.words(word) for stem in stems}
        places = [("literal", word), *product(("text", "context"), stems)]
        return any(self._searcher.doc_freq(field, term) for field, term in places)

    def _any_of(self, words: Sequence[Stems]) -> tantivy.Query:
        from tantivy import Occur, Query

        text = [self._any_stem("text", stems) for stems in words]
        context = [
            Query.boost_query(self._any_stem("context", stems), CONTEXT_WEIGHT) for stems in words
        ]
        return Query.boolean_query([(Occur.Should, query) for query in text + context])

    def _any_stem(self, field: str, stems: Stems) -> tantivy.Query:
        """Passages with one of the stems, scored by the best of them."""
        from tantivy import Query

        # Built from terms rather than by tantivy's query parser: a question must not be parsed as
        # syntax.
        terms = [Query.term_query(self._schema, field, stem) for stem in stems]
        return terms[0] if len(terms) == 1 else Query.disjunction_max_query(terms)

    def _limits(
        self, clauses: Clauses, among: Keys | None
    ) -> list[tuple[tantivy.Occur, tantivy.Query]]:
        """Required and excluded queries, none of which affects the score."""
        from tantivy import Occur, Query

        must = [self._phrase_query(phrase) for phrase in clauses.phrases]
        if among is not None:
            must.append(Query.term_set_query(self._schema, "key", among.tolist()))
        limits = [(Occur.Must, Query.const_score_query(query, 0.0)) for query in must]
        return limits + [(Occur.MustNot, self._phrase_query(phrase)) for phrase in clauses.without]

    def _phrase_query(self, phrase: str) -> tantivy.Query:
        """Passages with the exact phrase; none for a phrase without a word."""
        from tantivy import Query

        words = self.analysis.phrase(phrase)
        if len(words) > 1:
            return Query.phrase_query(self._schema, "literal", [*words])
        # tantivy panics at a phrase query of one word.
        return Query.term_set_query(self._schema, "literal", [word for _, word in words])

    def _max_score(self, words: Sequence[Stems]) -> float:
        """Upper bound of BM25 for this query: saturated term frequency, length zero."""
        return SATURATION * sum(map(self._idf, words))

    def _idf(self, stems: Stems) -> float:
        """IDF of a word's most frequent stem: the others are accidental, or misspelt."""
        found = max(self._searcher.doc_freq("text", stem) for stem in stems)
        return math.log1p(max(self._searcher.num_docs - found + 0.5, 0.0) / (found + 0.5))


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    # Signed: delete_documents_by_term takes a Python int for a signed term, and on an unsigned
    # field would silently delete nothing.
    builder.add_integer_field("key", indexed=True, fast=True)
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    builder.add_text_field("context", tokenizer_name="words", index_option="freq")
    builder.add_text_field("literal", tokenizer_name="literal", index_option="position")
    return builder.build()


def digests(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each file of the index, by name.

    Files in ``known`` that are written only once are not read again.
    """
    return {
        path.name: known[path.name] if path.name in known and path.name != META else _digest(path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")  # locks, and a list of files to delete
    }


def copy_permissions(folder: Path, like: Path) -> None:
    """Copy another file's read permissions to the index, whose files only their owner can read."""
    (folder / META).chmod(like.stat().st_mode & 0o666)


def _digest(path: Path) -> str:
    """SHA-256 of a file; raises LibraryDamaged if it can't be read."""
    try:
        return files.digest(path)
    except OSError as error:
        raise LibraryDamaged(f"{path} can't be read ({error.strerror})") from error


def changed_files(folder: Path, published: Mapping[str, str]) -> list[str]:
    """Names of the files that differ from their published checksums, or can't be read."""

    def is_as_published(name: str) -> bool:
        with suppress(LibraryDamaged):
            return _digest(folder / name) == published[name]
        return False

    return [name for name in published if not is_as_published(name)]


@contextmanager
def writable_view(folder: Path) -> Iterator[Path]:
    """The folder itself, or, if it is read-only, a temporary one with links to its files, since
    tantivy creates a lock file even to read. The links are not needed once tantivy has opened the
    files.
    """
    if may_write(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="rag-") as name:
        try:
            for path in folder.iterdir():
                if not path.name.startswith("."):
                    os.symlink(path, Path(name) / path.name)  # noqa: PTH211 (as absolute as it is)
        except OSError as error:
            raise LibraryDamaged(f"{folder} can't be read ({error.strerror})") from error
        yield Path(name)
