"""Hits and documents to draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from behind_middleware import PASSWORD, behind
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder

from rag import Library
from rag.types import Document, Explanation, Hit, Quote
from ui.security.accounts import EMPTY, Accounts
from ui.security.policy import decide

TEXT = "Opening words.\n\nIndia buys the Zorawar tank. Cockerill supplies its turret. It is light."
ANSWER = "Cockerill supplies its turret."


@pytest.fixture
def document() -> Document:
    """A short article with a date."""
    return Document(
        id="d1",
        source="/home/someone/private/turret.txt",
        title="The turret",
        text=TEXT,
        digest="d1",
        date=dt.date(2025, 3, 5),
    )


@pytest.fixture
def hit(document: Document) -> Hit:
    """The second paragraph of that article, its second sentence answering."""
    start, at = TEXT.index("India"), TEXT.index(ANSWER)
    return Hit(
        rank=1,
        score=0.5,
        text=TEXT[start:],
        title=document.title,
        source=document.source,
        date=document.date,
        page=None,
        headings=(),
        document_id=document.id,
        passage_id="p1",
        start=start,
        end=len(TEXT),
        answer=Quote(ANSWER, at, at + len(ANSWER)),
        why=Explanation(0.62, 0.8, 0.71, 1, 2, ("Zorawar", "turret")),
    )


@pytest.fixture
def hostile(hit: Hit) -> Hit:
    """A hit in which every text tries to become markup."""
    text = "<script>window.__pwned=1</script> {{7*7}} {% raw %} <img src=x onerror=alert(1)>"
    evil = '"><script>alert(1)</script>'
    return replace(
        hit,
        text=text,
        title=evil,
        source=f"/home/x/{evil}".replace("</", "<\\/"),
        headings=(evil,),
        document_id=evil,
        start=0,
        end=len(text),
        answer=Quote(text[:33], 0, 33),
        why=replace(hit.why, matched=("script", "onerror", evil)),
        also_in=(evil,),
    )


@pytest.fixture
def library(tmp_path: Path, articles: Path) -> Iterator[Library]:
    """Three articles, without a model."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(articles)
        yield opened


@pytest.fixture(scope="module")
def known() -> tuple[Accounts, str]:
    """An owner with a password, and a reader with a token."""
    return EMPTY.with_person("ada", "owner", PASSWORD).with_program("ci", "reader")


@pytest.fixture
def asked(known: tuple[Accounts, str]) -> TestClient:
    """A server that others can reach, and that asks who they are."""
    return behind(decide("192.0.2.7", accounts=known[0]))
