"""Cases from cases.yaml, read over the small form."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from landrules.engine.language import Scope
from landrules.facts.vocabulary import Vocabulary, load_vocabulary
from language.small_form import SCOPE

CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="session")
def scope() -> Scope:
    return SCOPE


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `<section>_case` runs once for each entry of that section of cases.yaml."""
    for name in metafunc.fixturenames:
        section = name.removesuffix("_case")
        if name != section and section in CASES:
            cases = CASES[section]
            # A comma that YAML took for its own would silently cut a text.
            assert all(None not in case.values() for case in cases), section
            metafunc.parametrize(name, cases, ids=[str(case["text"])[:40] for case in cases])
