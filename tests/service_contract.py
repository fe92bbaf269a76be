"""Schemathesis against the application in this process: for the tests (few examples) and for benchmarks (many)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

CONFIG = {
    "checks": {
        # Names of rules, places, cases and moments are known to the service, not to the schema: what is well formed may
        # still be unknown or taken (404, 409, 422).
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]},
    }
}


def try_operations(app: FastAPI, examples: int, number: int = 1) -> Iterator[tuple[str, int]]:
    """Try every operation with well-formed and malformed requests; raises with the request that shows a failure.

    Yields each operation with the number of requests made.
    """
    schema: Any = schemathesis.openapi.from_asgi(
        "/v1/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG)
    )
    for found in schema.get_all_operations():
        operation = found.ok()
        made = 0
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(number)
            @settings(
                max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def attempt(case: Any) -> None:
                nonlocal made
                made += 1
                case.call_and_validate()

            try:
                attempt()
            except BaseException as error:
                if type(error).__name__ != "Unsatisfiable" and "Skipped" not in type(error).__name__:
                    raise
        yield operation.label, made
