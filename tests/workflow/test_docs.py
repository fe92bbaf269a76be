from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

BUILDERS = Path(__file__).parents[2] / "docs" / "builders"


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("workflow.md", ["补正 ['", "'取得方式'"]),
        ("webhooks.md", ['"type":"case.violated"', "case.next_step delivered"]),
    ],
)
def test_the_examples_run(
    page: str, printed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = BUILDERS / page
    if not path.is_file():
        pytest.skip("docs/ 不在此处")
    (example,) = re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(example, str(path), "exec"), {})  # noqa: S102 - our own documentation
    for text in printed:
        assert text in out.getvalue()
