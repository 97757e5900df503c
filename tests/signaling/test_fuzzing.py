"""Whatever is sent to any path of the document, the server answers as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.server import serving
from tests.support.threaded import in_a_thread

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    status_code_conformance,
    response_schema_conformance,
]

Operation = schemathesis.APIOperation[Any, Any, Any, Any]


@pytest.fixture(scope="module")
def surface() -> Iterator[schemathesis.BaseSchema]:
    with in_a_thread(serving()) as server:
        document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=server.url)
        yield schema


MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_no_request_ends_in_an_error_of_the_server(
    surface: schemathesis.BaseSchema, mode: GenerationMode
) -> None:
    """As the document wants them, and otherwise."""
    failures = {}
    for found in surface.get_all_operations():
        operation: Operation = found.ok()  # type: ignore[union-attr]  # an error fails the test
        try:
            _fuzz(operation, mode)
        except FailureGroup as found_group:
            failures[operation.label] = [str(one) for one in found_group.exceptions]
    assert failures == {}


def _fuzz(operation: Operation, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any]) -> None:
        response = case.call(timeout=10)
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable):  # it takes nothing that could be wrong
        ask()
