"""A question reads no more than it needs, and what it finds is as if it had read everything."""

from __future__ import annotations

import pytest

from rag import Library

QUESTION = "Who led the mission to India?"


def test_word_scores_are_those_of_the_index(seeds: Library) -> None:
    """Whether the words proposed a passage, or its vectors alone."""
    searcher = seeds.engine.searcher()
    hits = seeds.search(QUESTION, 20)
    stored = filter(None, (seeds.engine.reader.passage(hit.passage_id) for hit in hits))
    keys = {one.passage.id: one.key for one in stored}
    found, scores = searcher.lexical(QUESTION, len(keys), [*keys.values()])
    expected = dict(zip(found.tolist(), scores.tolist(), strict=True))
    assert {hit.passage_id: hit.why.words for hit in hits} == pytest.approx(
        {id_: expected.get(key, 0.0) for id_, key in keys.items()}
    )


def test_what_goes_meanwhile_is_no_hit(seeds: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passage may go after it was scored, and before it is read whole."""
    best, *others = seeds.search(QUESTION, 3)
    passages = seeds.engine.reader.passages

    def without_best(keys: list[int]) -> object:
        return {
            key: one for key, one in passages(keys).items() if one.passage.id != best.passage_id
        }

    monkeypatch.setattr(seeds.engine.reader, "passages", without_best)
    hits = seeds.search(QUESTION, 3)
    assert [hit.passage_id for hit in hits] == [hit.passage_id for hit in others]
    assert [hit.rank for hit in hits] == [1, 2]
