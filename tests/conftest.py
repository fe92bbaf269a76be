"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The machine that tests run on is shared, so no example has a time limit; the examples are the same in every run.
settings.register_profile("landrules", deadline=None, derandomize=True)
settings.load_profile("landrules")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of source documents, provisions and published tables beside the checkout."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip(
            "the folder ../shared (source documents and published tables) is not beside this checkout"
        )
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_bound_texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What whoever runs the tests has bound with `landrules source add` stays out of the reports of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDRULES_HOME", str(tmp_path_factory.mktemp("home")))
        yield
