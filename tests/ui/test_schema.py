"""The API keeps to its own OpenAPI document, whatever it is asked: schemathesis asks.

It asks within this process, and reaches no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.openapi import from_dict
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)
from served import ADDRESS, application, here

from rag import IndexReport, Library
from ui.api import problems
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp
from ui.server import Background

EXAMPLES = 12
"""For each operation, of requests that are valid and of requests that are not."""

NOT_TOLD_BY_A_SCHEMA = {problems.EMPTY.type, problems.IMPOSSIBLE.type, problems.INVALID.type}
"""What may be said of a valid request all the same: that a question has no word, say."""


class Reluctant:
    """A library that indexes nothing: among paths that are made up may be real ones."""

    def index(self, paths: Sequence[str], **_: object) -> IndexReport:
        """A run that found nothing to do."""
        return IndexReport((), (), tuple(paths), (), (), (), 0, 0, 0.0)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The whole server over two articles, by the document that it gives of itself."""
    folder = tmp_path_factory.mktemp("schema")
    for name in ("turret", "whales"):
        (folder / f"{name}.md").write_text(f"# About {name}\n\nWhat is said of {name} here.")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(folder)
        background = Background(WarmUp(library), Jobs(Reluctant()))
        client = TestClient(here(application(library, background)))
        document = client.get(f"{ADDRESS}/api/v1/openapi.json")
        found = from_dict(document.json())
        found.app = client.app
        yield found


def test_the_api_is_as_described(schema: BaseSchema) -> None:
    """Statuses, media types and shapes are declared; what is not valid is refused, and no more.

    One test for all operations, since each would start and stop the server anew.
    """
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 20
    for operation in operations:
        _ask(operation, GenerationMode.POSITIVE)
    # An id may be anything, and so may the bytes of a file: only these can be asked wrongly.
    asked = [one for one in operations if len(one.query) or len(one.body)]
    refusing = [one for one in asked if one.label != "PUT /files/{name}"]
    assert len(refusing) == 8
    for operation in refusing:
        _ask(operation, GenerationMode.NEGATIVE)


def _ask(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Case) -> None:
        answer = case.call(f"{ADDRESS}/api/v1")
        excluded = [positive_data_acceptance]
        if answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            excluded.append(negative_data_rejection)  # which doesn't count it as a rejection
        case.validate_response(answer, excluded_checks=excluded)
        if mode is GenerationMode.POSITIVE and answer.status_code == 422:
            assert answer.json()["type"] in NOT_TOLD_BY_A_SCHEMA

    asked()
