"""Three cases through the process, told in Chinese: `python -m landrules.engine.workflow.example`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from landrules.engine.rulebook import Rulebook
from landrules.engine.workflow.errors import MissingExtraError

try:
    from landrules.engine.workflow.review import Review, decide, start_review, supply_material
except MissingExtraError as error:
    sys.exit(str(error))

__all__ = ["main", "tell"]

FACTS = {
    "行政区": "海勃湾区",
    "地级市": "乌海市",
    "行为日期": "2023-06-01",
    "供应方式": "长期租赁",
    "出租年期": "15年",
    "能源项目类别": "非能源",
    "土地所有权性质": "国有",
    "是否产业用地": "是",
    "是否房地产用地": "否",
    "是否社会资本参与修复": "否",
    "是否建设项目用地": "是",
    "压占永久基本农田面积": "0亩",
    "压占生态保护红线面积": "0亩",
    "是否位于城镇开发边界内": "是",
}
"""An imaginary lease in 乌海, without what the applicant still has to bring."""

MATERIAL = {
    "取得方式": "挂牌",
    "意向用地者数": 2,
    "是否依法须招拍挂": "是",
    "是否签订书面租赁合同": "是",
    "是否约定租金条款": "是",
    "是否约定供后开发利用": "是",
}
"""What is missing from `FACTS`."""

_SHOWN = 8


def tell(rulebook: Rulebook, folder: Path) -> Iterator[str]:
    """Run the three cases and tell line by line what happened; waiting ones are kept in `folder`."""
    yield "一、期限过长"
    yield from _describe(start_review({**FACTS, "出租年期": "25年"}, rulebook, case="WH-01"))

    yield "二、缺资料，补正后会审"
    review = start_review(FACTS, rulebook, case="WH-02")
    yield from _describe(review)
    saved = folder / f"{review.case}.json"
    saved.write_text(review.state, encoding="utf-8")
    yield "  流程已存盘；三周后资料补来，取出接着办。"
    review = supply_material(saved.read_text(encoding="utf-8"), MATERIAL, rulebook)
    yield from _describe(review)
    yield from _describe(decide(review.state, "上报", rulebook, by="会审组"), brief=True)

    yield "三、资料齐全，会审后上报"
    review = start_review(FACTS | MATERIAL, rulebook, case="WH-03")
    yield from _describe(review)
    yield from _describe(decide(review.state, "上报", rulebook, by="会审组"), brief=True)


def _describe(review: Review, *, brief: bool = False) -> Iterator[str]:
    opinion = review.opinion
    if not brief:
        counts = "，".join(f"{verdict} {count}" for verdict, count in opinion["verdicts"].items() if count)
        yield f"  {review.case} 第 {len(review.rounds)} 次预审，预审意见：{opinion['conclusion']}（{counts}）"
        for violation in opinion["violations"]:
            yield f"    违反〔{violation['level']}〕{violation['title']}（{violation['clause']}）：{violation['message']}"
        if review.step == "补正":
            labels = [item.label for item in review.missing]
            more = "等" if len(labels) > _SHOWN else ""
            yield f"    还缺：{'、'.join(labels[:_SHOWN])}{more}"
    yield f"  {review.case} → {review.step}{'（等待）' if review.waiting else '（流程结束）'}"


def main() -> None:
    """Run the example."""
    with tempfile.TemporaryDirectory() as folder:
        for line in tell(Rulebook.load(), Path(folder)):
            click.echo(line)


if __name__ == "__main__":
    main()
