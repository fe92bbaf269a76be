"""The sentences that a step may say, whatever the facts: read from text into what is meant, nothing carried out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from landrules.engine.bdd.reading import Kind

__all__ = [
    "SENTENCES",
    "About",
    "Expectation",
    "Expected",
    "FactTable",
    "Judge",
    "Precheck",
    "Rows",
    "Said",
    "Sentence",
    "State",
    "understand",
    "unquote",
]


@dataclass(frozen=True, slots=True)
class About:
    """`一宗供地宗地`: what the facts are about; `facts` may follow after a comma."""

    subject: str
    facts: str = ""


@dataclass(frozen=True, slots=True)
class FactTable:
    """`下列事实:` with a table of facts and values."""


@dataclass(frozen=True, slots=True)
class Rows:
    """`同一计划中有下列宗地:` with a table of records, one a row."""

    subject: str


@dataclass(frozen=True, slots=True)
class State:
    """`供应方式 为 长期租赁`, `出租年期 未填`: one or several facts."""

    text: str


@dataclass(frozen=True, slots=True)
class Judge:
    """`按“…”判断`; with `gate`, place and date are judged as given and nothing is supplied."""

    rule: str
    gate: bool


@dataclass(frozen=True, slots=True)
class Precheck:
    """`预审`: every rule of the fact type, place and date as given; `on` as if done that day."""

    on: str = ""


Expected = Literal[
    "verdict", "stage", "missing", "margin", "limit", "marks", "no marks", "remedy", "reason", "level", "message",
    "derived", "violated", "open", "nothing applies",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should have come out: of the rule and the row named, or of those judged where none is named."""

    what: Expected
    value: str = ""
    rule: str = ""
    row: int | None = None
    fact: str = ""


Said = About | FactTable | Rows | State | Judge | Precheck | Expectation
Name = Literal["about", "facts", "rows", "state", "judge", "precheck"] | Expected


@dataclass(frozen=True, slots=True)
class Sentence:
    """A form of sentence: the whole text of a step of this kind matches `pattern`."""

    kind: Kind
    name: Name
    pattern: re.Pattern[str]
    example: str


_COUNTED = r"(?:有)?(?:一|1)\s*[宗个条件份项块笔处起户批]"
_IS = r"(?:应)?(?:为|是|：|:)"
_QUOTED = r"[“\"「『](?P<rule>[^”\"」』]+)[”\"」』]|(?P<bare>[A-Za-z0-9][\w.-]*/[\w.-]+)"
_ROW = r"(?:第\s*(?P<row>\d+)\s*[行宗条个件项]\s*的?\s*)?"
_OF = rf"(?:(?:规则)?\s*(?:{_QUOTED})\s*的?\s*)?{_ROW}"
_VALUE = r"\s*(?P<value>.+)"
_SEVERAL = r"(?:下列|以下|如下)(?:各)?"


def _sentence(kind: Kind, name: Name, pattern: str, example: str) -> Sentence:
    return Sentence(kind, name, re.compile(pattern), example)


SENTENCES: tuple[Sentence, ...] = (
    _sentence(
        "given",
        "about",
        rf"{_COUNTED}\s*(?P<subject>[^，,：:|]+?)\s*(?:[，,：:]\s*(?P<facts>.*))?",
        "一宗供地宗地，供应方式 为 长期租赁",
    ),
    _sentence("given", "facts", rf"有?{_SEVERAL}的?(?:事实|情况|资料)(?:如下)?\s*[:：]?", "下列事实:"),
    _sentence(
        "given",
        "rows",
        rf"(?:同一?份?(?:计划|项目|批次?|表)\s*[中里内]?\s*)?(?:还)?有?{_SEVERAL}\s*(?P<subject>[^:：|]+?)\s*[:：]?",
        "同一计划中有下列宗地:",
    ),
    _sentence(
        "given",
        "state",
        r"(?P<text>\S.*(?:为|等于|[=＝：:]|是|否|未填|空白|未知|无|不涉及).*)",
        "出租年期 为 20 年",
    ),
    _sentence(
        "when",
        "judge",
        r"(?:按照?|依照?|根据|对照)\s*(?:规则)?\s*[“\"「『‘']?(?P<rule>[^“”\"「」『』‘’']+?)[”\"」』’']?\s*"
        r"(?P<gate>在?(?:地域|地点)[和、与](?:日期|时间)(?:范围)?内)?\s*(?:判断|判定|检查)",
        "按“wuhai-2023-5/lease-term-max-20y”判断",
    ),
    _sentence(
        "when", "precheck", r"(?:按|以|视同)?\s*(?P<on>\d{4}\D.*?)?\s*(?:办理)?\s*(?:预审|预检)", "预审"
    ),
    _sentence("then", "violated", r"没有违反(?:任何规则|的规则)?", "没有违反"),
    _sentence("then", "nothing applies", r"(?:结论为)?\s*无适用规则", "无适用规则"),
    _sentence(
        "then", "violated", rf"违反的规则(?:有|{_IS}){_VALUE}", "违反的规则为 wuhai-2023-5/lease-term-max-20y"
    ),
    _sentence("then", "open", r"没有待补充(?:的规则)?", "没有待补充"),
    _sentence(
        "then", "open", rf"待补充的规则(?:有|{_IS}){_VALUE}", "待补充的规则为 wuhai-2023-5/flexible-term-max"
    ),
    _sentence("then", "stage", rf"{_OF}结论阶段\s*{_IS}{_VALUE}", "结论阶段为 适用缺资料"),
    _sentence("then", "verdict", rf"{_OF}(?:结论\s*{_IS}|判为){_VALUE}", "结论为 符合"),
    _sentence("then", "missing", rf"{_OF}不缺少?(?:任何)?(?:资料|事实)?", "不缺资料"),
    _sentence("then", "missing", rf"{_OF}只?缺少?\s*[:：]?{_VALUE}", "缺 出租年期、租期起始日、租期届满日"),
    _sentence("then", "margin", rf"{_OF}差额\s*{_IS}{_VALUE}", "差额为 “超出 5 年”"),
    _sentence("then", "limit", rf"{_OF}限值\s*{_IS}{_VALUE}", "限值为 “不超过 20 年”"),
    _sentence("then", "no marks", rf"{_OF}(?:没有|无)标记\s*(?P<value>.*)", "没有标记 临界"),
    _sentence("then", "marks", rf"{_OF}有?标记\s*(?:有|{_IS})?{_VALUE}", "标记 临界"),
    _sentence("then", "remedy", rf"{_OF}可行的改法\s*(?:有|{_IS})?{_VALUE}", "可行的改法 “出租年期”"),
    _sentence("then", "reason", rf"{_OF}不适用的?原因\s*{_IS}{_VALUE}", "不适用的原因是 辖区外"),
    _sentence("then", "level", rf"{_OF}等级\s*{_IS}{_VALUE}", "等级为 错误"),
    _sentence("then", "message", rf"{_OF}说明[中里]?(?:有|含|包含){_VALUE}", "说明里有 “20 年”"),
    _sentence("then", "derived", rf"{_ROW}(?P<fact>\S.*?)\s*推导{_IS}{_VALUE}", "关联拆分面积 推导为 4 公顷"),
)
"""Every form of sentence, the first that matches holds."""


def understand(kind: Kind, text: str) -> Said | None:
    """What a step says, None where it is none of the sentences."""
    cleaned = re.sub(r"[ \t\u3000]+", " ", text).strip()
    for sentence in SENTENCES:
        if sentence.kind == kind and (match := sentence.pattern.fullmatch(cleaned)):
            return _said(sentence.name, match.groupdict())
    return None


def unquote(text: str) -> str:
    """Text without the quotation marks around it."""
    stripped = text.strip()
    for left, right in ("“”", '""', "「」", "『』", "‘’", "''"):
        if len(stripped) > 1 and stripped[0] == left and stripped[-1] == right:
            return stripped[1:-1].strip()
    return stripped


def _said(name: Name, parts: dict[str, str | None]) -> Said:
    def part(key: str) -> str:
        return (parts.get(key) or "").strip()

    match name:
        case "about":
            return About(part("subject"), part("facts"))
        case "facts":
            return FactTable()
        case "rows":
            return Rows(part("subject"))
        case "state":
            return State(part("text"))
        case "judge":
            return Judge(part("rule"), gate=bool(part("gate")))
        case "precheck":
            return Precheck(part("on"))
        case _:
            row = int(part("row")) if part("row") else None
            return Expectation(name, unquote(part("value")), part("rule") or part("bare"), row, part("fact"))
