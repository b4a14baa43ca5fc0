"""Words → passages. The only module that knows tantivy.

BM25 over stems, each text's by its own language, stop words left out, accents folded. A score is
given as a share of the best that any passage could reach for the question, so that it lies in
[0, 1] and means the same in every library and for every question.

All languages share one field, so that names and numbers are found across them, and a word is as
rare as it is in the library. A word of the question that has several stems counts once, by the
one that a passage meets best.

What must stand in a passage word for word is looked up in a field of its own, which has every
word of the passage as it is written, with its position.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from rag.errors import LibraryDamaged
from rag.text import spelling
from rag.text.analyzers import Analysis, Stems
from rag.text.stemmer import ENGLISH, kind_of
from rag.types import Clauses, Respelling, Span
from rag.types.arrays import Keys, Scores

if TYPE_CHECKING:
    import tantivy

CONTEXT_WEIGHT = 0.3
"""What a word in the title or the headings above a passage counts, beside one in the passage."""

SATURATION = 2.2
"""The most that BM25 gives a word beyond its rarity: k1 + 1, where tantivy has k1 = 1.2."""

WRITER_MEMORY = 64_000_000
"""Bytes that the writer fills before it flushes."""


NOTHING_ASKED = Clauses()


class Entry(NamedTuple):
    """A passage as the index takes it: ``context`` is its title and headings, ``language`` the ISO
    code of its document's.
    """

    key: int
    text: str
    context: str
    language: str | None = None


class LexicalIndex(Protocol):
    """Finds the passages that share words with a question."""

    def __len__(self) -> int:
        """The number of passages."""
        ...

    def search(
        self,
        question: str,
        count: int,
        among: Keys | None = None,
        clauses: Clauses = NOTHING_ASKED,
    ) -> tuple[Keys, Scores]:
        """The keys of the best ``count`` passages, best first, with scores in [0, 1].

        Only passages that share a word with the question, so there may be fewer or none;
        ``among`` limits the search to the passages of those keys, ``clauses`` to those that meet
        them.
        """
        ...

    def score(self, question: str, keys: Sequence[int]) -> Scores:
        """The scores of given passages, in [0, 1]; 0 for one that shares no word."""
        ...

    def matching(self, words: str, clauses: Clauses, among: Keys | None = None) -> Keys:
        """The keys, ascending, of every passage that has all of the words in some form and meets
        the clauses.
        """
        ...

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """The question's words that no passage and no title has, where a known one is near."""
        ...

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as they stand there, that the question's words find."""
        ...

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """For each text the share of the question's words in it, weighted by rarity; in [0, 1]."""
        ...

    def places(self, words: str, phrases: Sequence[str], text: str) -> tuple[Span, ...]:
        """Where in ``text`` the words stand, in some form, and the phrases, as they are."""
        ...


class TantivyIndex:
    """An index in a folder. What was committed is seen by :meth:`reader`."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._analysis = Analysis()
        index.register_tokenizer("words", self._analysis.stemmed)
        index.register_tokenizer("literal", self._analysis.literal)

    @classmethod
    def create(cls, folder: Path) -> TantivyIndex:
        """An empty index in a folder, in place of whatever is there."""
        import tantivy

        shutil.rmtree(folder, ignore_errors=True)
        # There may be a folder still: a thread of the writer before, which removes what that had
        # replaced, writes down that it did (.managed.json) while all else goes.
        folder.mkdir(exist_ok=True)
        return cls(tantivy.Index(_schema(), path=str(folder)))

    @classmethod
    def open(cls, folder: Path) -> TantivyIndex:
        """The index in a folder.

        Raises
        ------
        LibraryDamaged
            If there is none, or one that can't be read.
        """
        import tantivy

        try:
            return cls(tantivy.Index.open(str(folder)))
        except ValueError as error:
            raise LibraryDamaged(f"the word index can't be read: {error}") from error

    def update(self, removed: Iterable[int], added: Iterable[Entry]) -> None:
        """Take out passages and put others in, all of it or nothing.

        Parameters
        ----------
        removed
            Keys; unknown ones are passed over.
        added
            One that is in the index already is replaced, so an update may be repeated after a
            crash.
        """
        import tantivy

        writer = self._index.writer(WRITER_MEMORY, 1)
        try:
            for key in removed:
                writer.delete_documents_by_term("key", key)
            for entry in added:
                writer.delete_documents_by_term("key", entry.key)
                document = tantivy.Document(literal=entry.text, kind=kind_of(entry.language))
                self._add_stems(document, "text", entry.text, entry.language)
                self._add_stems(document, "context", entry.context, entry.language)
                document.add_integer("key", entry.key)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        finally:
            # The writer holds tantivy's lock. After an error the traceback would keep both alive.
            del writer

    def _add_stems(
        self, document: tantivy.Document, field: str, text: str, language: str | None
    ) -> None:
        stems = self._analysis.indexed(text, language)
        if stems is None:
            document.add_text(field, text)
        else:
            document.add_pre_tokenized_text(field, stems)

    def reader(self) -> TantivyReader:
        """What is committed now; later updates don't change it."""
        self._index.reload()
        searcher = self._index.searcher()
        kinds = [kind for kind, _ in searcher.terms_with_prefix("kind", "")]
        return TantivyReader(searcher, self._index.schema, Analysis(kinds or [ENGLISH]))


class TantivyReader:
    """A snapshot of a :class:`TantivyIndex`."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        schema: tantivy.Schema,
        analysis: Analysis,
    ) -> None:
        self._searcher = searcher
        self._schema = schema
        self._analysis = analysis

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self,
        question: str,
        count: int,
        among: Keys | None = None,
        clauses: Clauses = NOTHING_ASKED,
    ) -> tuple[Keys, Scores]:
        """The keys of the best ``count`` passages, best first, with scores in [0, 1]."""
        from tantivy import Occur, Query

        words = self._analysis.words(question)
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
        return np.array(keys, dtype=np.int64), np.minimum(scores / self._bound(words), 1.0)

    def score(self, question: str, keys: Sequence[int]) -> Scores:
        """The scores of given passages, in [0, 1]; 0 for one that shares no word."""
        found, scores = self.search(question, len(keys), np.array(keys, dtype=np.int64))
        by_key = dict(zip(found.tolist(), scores.tolist(), strict=True))
        return np.array([by_key.get(int(key), 0.0) for key in keys])

    def matching(self, words: str, clauses: Clauses, among: Keys | None = None) -> Keys:
        """The keys, ascending, of every passage that has all of the words and meets the clauses."""
        from tantivy import Occur, Query

        if not len(self) or (among is not None and not len(among)):
            return np.zeros(0, np.int64)
        all_of = [self._any_stem("text", stems) for stems in self._analysis.words(words)]
        # Excluding alone would find nothing: there is always something that must be.
        must = [(Occur.Must, query) for query in [Query.all_query(), *all_of]]
        query = Query.boolean_query([*must, *self._limits(clauses, among)])
        hits = self._searcher.search(query, limit=len(self), count=False).hits
        addresses = [address for _, address in hits]
        keys = self._searcher.fast_field_values("key", addresses)
        return np.sort(np.array(keys, dtype=np.int64))

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """The question's words that no passage and no title has, where a known one is near.

        Near is what :mod:`rag.text.spelling` says; the first letter must be right, as in Lucene's
        DirectSpellChecker, because slips seldom touch it.
        """
        from tantivy import Query

        found = []
        suspects = self._analysis.suspects(question, self._is_known)
        for asked, word in islice(suspects.items(), spelling.MOST_WORDS):
            slips = spelling.slips_allowed(word)
            near = Query.fuzzy_term_query(self._schema, "literal", word, slips)
            known = self._searcher.terms_with_prefix("literal", word[0], near)
            meant = spelling.nearest(word, known)
            if meant:
                found.append(Respelling(asked, meant))
        return tuple(found)

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as they stand there, that the question's words find."""
        return tuple(dict.fromkeys(span.of(text) for span in self._analysis.forms(question, text)))

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """For each text the share of the question's words in it, weighted by rarity; in [0, 1]."""
        return np.array(self._analysis.coverage(question, texts, self._rarity))

    def places(self, words: str, phrases: Sequence[str], text: str) -> tuple[Span, ...]:
        """Where in ``text`` the words stand, in some form, and the phrases, as they are."""
        found = [*self._analysis.forms(words, text), *self._analysis.places(phrases, text)]
        return tuple(sorted(set(found)))

    def _is_known(self, word: str) -> bool:
        """Whether a passage or a title has a word, as it is written or in another form."""
        stems = {stem for stems in self._analysis.words(word) for stem in stems}
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
        """The passages with one of the stems; the best of them counts."""
        from tantivy import Query

        # Term by term, not through the query parser: a question is no query language.
        terms = [Query.term_query(self._schema, field, stem) for stem in stems]
        return terms[0] if len(terms) == 1 else Query.disjunction_max_query(terms)

    def _limits(
        self, clauses: Clauses, among: Keys | None
    ) -> list[tuple[tantivy.Occur, tantivy.Query]]:
        """What must be and what must not, none of which counts for the score."""
        from tantivy import Occur, Query

        must = [self._literally(phrase) for phrase in clauses.phrases]
        if among is not None:
            must.append(Query.term_set_query(self._schema, "key", among.tolist()))
        limits = [(Occur.Must, Query.const_score_query(query, 0.0)) for query in must]
        return limits + [(Occur.MustNot, self._literally(phrase)) for phrase in clauses.without]

    def _literally(self, phrase: str) -> tantivy.Query:
        """The passages where the phrase stands as it is; none for one without a word."""
        from tantivy import Query

        words = self._analysis.phrase(phrase)
        if len(words) > 1:
            return Query.phrase_query(self._schema, "literal", [*words])
        # tantivy panics at a phrase of one word.
        return Query.term_set_query(self._schema, "literal", [word for _, word in words])

    def _bound(self, words: Sequence[Stems]) -> float:
        """What a passage would score that is full of every word and next to nothing else."""
        return SATURATION * sum(map(self._rarity, words))

    def _rarity(self, stems: Stems) -> float:
        """A word is as rare as its most frequent stem: the others are chance, or misspelt."""
        found = max(self._searcher.doc_freq("text", stem) for stem in stems)
        return math.log1p(max(self._searcher.num_docs - found + 0.5, 0.0) / (found + 0.5))


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    # Signed: delete_documents_by_term takes a Python int for a signed term, and on an unsigned
    # field would delete nothing, without a word.
    builder.add_integer_field("key", indexed=True, fast=True)
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    builder.add_text_field("context", tokenizer_name="words", index_option="freq")
    builder.add_text_field("literal", tokenizer_name="literal", index_option="position")
    return builder.build()
