"""Carries out a scenario step by step: gathers facts, has them judged, compares what came out with what should have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from landrules.engine.bdd.expecting import compare
from landrules.engine.bdd.reading import Kind, Table
from landrules.engine.bdd.sentences import (
    SENTENCES,
    About,
    Expectation,
    FactTable,
    Judge,
    Precheck,
    Rows,
    State,
    understand,
    unquote,
)
from landrules.engine.bdd.stopped import Stopped
from landrules.engine.checking import check
from landrules.engine.findings.finding import rule_in_use
from landrules.engine.findings.model import CheckOptions, Finding, RecordFindings
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import Document, Rule
from landrules.facts.calendar import Workdays, load_workdays
from landrules.facts.notes import Place
from landrules.facts.quantities import Unit
from landrules.facts.read_headings import names_of, resolve
from landrules.facts.records import Entry, Record
from landrules.facts.values import parse_date, read_value, suggest
from landrules.facts.vocabulary import Fact, Subject

__all__ = ["Bench", "Course", "perform", "rule_named"]

_LINK = re.compile(r"\s*(?:为|等于|是|[=＝：:])\s*")
_BLANK = ("未填", "空白", "没有填", "缺失")
_STATES = ("未知", "无", "不涉及")
_NOT_A_FACT = "请检查名称；事实的名称见词表（docs/authors/vocabulary.md），写法如“供应方式 为 长期租赁”"


@dataclass(frozen=True, slots=True)
class Bench:
    """What every scenario is judged with."""

    rulebook: Rulebook
    workdays: Workdays = field(default_factory=lambda: load_workdays(None))


@dataclass(slots=True)
class _Row:
    """One record while a scenario says what it is."""

    entries: dict[str, Entry] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Course:
    """What a scenario has said so far, and what was judged of it.

    `own` is the record the scenario is about, `rows` are those of its tables; where nothing is said of `own`, the
    first row is the one judged.
    """

    bench: Bench
    subject: Subject | None = None
    own: _Row = field(default_factory=_Row)
    rows: list[_Row] = field(default_factory=list)
    asked: str = ""
    judged: tuple[RecordFindings, ...] = ()


def perform(course: Course, kind: Kind, text: str, table: Table = ()) -> None:
    """Carry out one step.

    Raises:
        Stopped: with a Chinese message, where the step cannot be understood or what it expects did not come out.
    """
    said = understand(kind, text)
    if table and not isinstance(said, About | FactTable | Rows):
        raise Stopped(f"这一步下面不能有表格；表格用在“下列事实:”“同一计划中有下列宗地:”下面，现为“{text}”")
    match said:
        case None:
            raise Stopped(_unknown_step(course, kind, text))
        case About():
            _begin(course, said, table)
        case FactTable():
            _facts_from_table(course, table)
        case Rows():
            _rows_from_table(course, said.subject, table)
        case State():
            _state(course, said.text)
        case Judge():
            _judge(course, said)
        case Precheck():
            _precheck(course, said)
        case Expectation():
            _expect(course, said)


def _unknown_step(course: Course, kind: Kind, text: str) -> str:
    if kind == "given" and course.subject is not None:
        name = next((name for name in _names(course, course.subject) if text.startswith(name)), "")
        if name:
            return f"看不懂“{name}”后面写的“{text[len(name) :].strip()}”；请写成“{name} 为 …”，没有填的写“{name} 未填”"
    near = suggest(text, [sentence.example for sentence in SENTENCES if sentence.kind == kind])
    hint = f"是否想写{near}？" if near else ""
    examples = {
        "given": "“一宗供地宗地”“出租年期 为 20 年”“出租年期 未填”",
        "when": "“按“wuhai-2023-5/lease-term-max-20y”判断”“预审”",
        "then": "“结论为 违反”“缺 出租年期”“差额为 “超出 5 年””",
    }
    return f"看不懂这一步“{text}”；{hint}这里可以写 {examples[kind]} 等，全部写法见 docs/authors/scenarios.md"


def rule_named(rulebook: Rulebook, name: str) -> str:
    """The id of the rule called so: by full id, by id without document, or by title, where that is one rule.

    Raises:
        Stopped: where it is none, or several.
    """
    wanted = unquote(name)
    if wanted in rulebook.rules:
        return wanted
    found = [
        rule
        for rule, versions in rulebook.rules.items()
        if rule.endswith(f"/{wanted}") or wanted in {version.title for version in versions}
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise Stopped(f"“{wanted}”有几条：{'、'.join(found)}；请写出其中一条的完整编号")
    known = [*rulebook.rules, *(versions[0].title for versions in rulebook.rules.values())]
    near = suggest(wanted, known)
    hint = f"是否指{near}？" if near else ""
    raise Stopped(f"没有规则“{wanted}”；{hint}规则编号写成“文件/规则”，可用 landrules list 查看")


# --- facts ----------------------------------------------------------------------------------------------------


def _begin(course: Course, said: About, table: Table) -> None:
    subject = _subject(course, said.subject)
    if course.subject is not None and course.subject is not subject and (course.own.entries or course.rows):
        raise Stopped(
            f"前面说的是“{course.subject.label}”，这里又说“{subject.label}”；一个场景只说一种填报表，请拆成两个场景"
        )
    course.subject = subject
    if said.facts:
        _state(course, said.facts)
    if table:
        _facts_from_table(course, table)


def _subject(course: Course, name: str) -> Subject:
    vocabulary = course.bench.rulebook.vocabulary
    found = vocabulary.subject(unquote(name))
    if found is None:
        labels = [subject.label for subject in vocabulary.subjects.values()]
        near = suggest(name, labels)
        hint = f"是否指{near}？" if near else ""
        raise Stopped(f"没有“{name}”这种填报表；{hint}可写：{'、'.join(labels)}")
    return found


def _known_subject(course: Course) -> Subject:
    if course.subject is None:
        raise Stopped("还没有说明是哪种填报表；请先写“假如 一宗供地宗地”（或 一个分割转让 等），再写事实")
    return course.subject


def _facts_from_table(course: Course, table: Table) -> None:
    subject = _known_subject(course)
    if not table:
        raise Stopped("下面应有表格，第一行为“| 事实 | 值 |”，以下每行一个事实；请补上")
    rows = table[1:] if tuple(cell.strip() for cell in table[0]) in _HEADINGS else table
    for row in rows:
        if len(row) != 2:  # noqa: PLR2004 - a fact and its value
            raise Stopped(f"事实表每行应是两格（事实、值），这一行有 {len(row)} 格：“{' | '.join(row)}”")
        _set(course.own, subject, row[0], row[1], course)


_HEADINGS = {("事实", "值"), ("名称", "值"), ("事实", "内容"), ("项目", "值")}


def _rows_from_table(course: Course, name: str, table: Table) -> None:
    vocabulary = course.bench.rulebook.vocabulary
    if course.subject is None:
        found = vocabulary.subject(name)
        course.subject = found or (vocabulary.subject("parcel_supply") if name in ("宗地", "地块") else None)
    elif name not in (course.subject.label, course.subject.key, "宗地", "地块", "记录", "事项"):
        _subject(course, name)
    subject = course.subject or _subject(course, name)
    course.subject = subject
    if len(table) < 2:  # noqa: PLR2004 - headings and one row
        raise Stopped("下面应有表格，第一行为事实的名称，以下每行一宗；请补上")
    for cells in table[1:]:
        row = _Row()
        for heading, cell in zip(table[0], cells, strict=True):
            _set(row, subject, heading, cell, course)
        course.rows.append(row)


def _state(course: Course, text: str) -> None:
    subject = _known_subject(course)
    names = _names(course, subject)
    for part in _parts(text, names):
        name, value = _split(part, names)
        if not name:
            raise Stopped(_unknown_fact(_name_in(part), subject, course))
        _set(course.own, subject, name, value, course)


def _names(course: Course, subject: Subject) -> tuple[str, ...]:
    columns = course.bench.rulebook.vocabulary.identifying
    known = {*subject.facts, *subject.names, *columns}
    return tuple(sorted(known, key=lambda name: (-len(name), name)))


def _parts(text: str, names: Sequence[str]) -> list[str]:
    """The facts in one step: a comma parts them only where the name of a fact follows."""
    parts: list[str] = []
    for piece in re.split(r"([，,；;])", text):
        stripped = piece.strip()
        if parts and not (stripped and _split(stripped, names)[0]):
            parts[-1] += piece
        else:
            parts.append(stripped)
    return [part.rstrip("，,；;。 ") for part in parts]


def _split(text: str, names: Sequence[str]) -> tuple[str, str]:
    """The longest known name at the start, and the value behind it; empty where there is none."""
    for name in names:
        if not text.startswith(name):
            continue
        rest = text[len(name) :]
        if rest.strip() in (*_BLANK, *_STATES, "是", "否"):
            return name, rest.strip()
        if link := _LINK.match(rest):
            return name, rest[link.end() :]
    return "", ""


def _name_in(text: str) -> str:
    """What the writer took for the name of a fact, in a text that starts with none."""
    for link in (r"\s+为\s+", r"\s*(?:为|等于|[=＝：:])\s*", r"\s+", rf"(?:{'|'.join(_BLANK)})"):
        parts = re.split(link, text, maxsplit=1)
        if len(parts) > 1 and parts[0]:
            return parts[0]
    return text


def _set(row: _Row, subject: Subject, name: str, value: str, course: Course) -> None:
    fact, unit, column = _meaning(name.strip(), subject, course)
    text = unquote(value)
    if fact is None:
        row.carried[column] = text
        return
    row.entries.pop(fact.key, None)
    if text in _BLANK or not text:
        row.blank.add(fact.key)
        return
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    reading = read_value(fact, text, unit)
    if reading.problem:
        raise Stopped(reading.problem.replace("；请拆成多行", "；请写成几个场景"))
    if reading.entry is not None:
        row.blank.discard(fact.key)
        row.entries[fact.key] = reading.entry


def _meaning(name: str, subject: Subject, course: Course) -> tuple[Fact | None, Unit | None, str]:
    """The fact that a name means, with the unit beside it (`宗地面积（亩）`), or the column that identifies."""
    fact = subject.fact(name)
    if fact is not None:
        return fact, None, ""
    vocabulary = course.bench.rulebook.vocabulary
    fact, unit, column = resolve(name, names_of(vocabulary, subject))
    if fact is None and not column:
        raise Stopped(_unknown_fact(name, subject, course))
    return fact, unit, column


def _unknown_fact(name: str, subject: Subject, course: Course) -> str:
    near = suggest(name, [fact.label for fact in subject.facts.values()])
    hint = f"是否指{near}？" if near else ""
    elsewhere = [
        other.label
        for other in course.bench.rulebook.vocabulary.subjects.values()
        if other.fact(name) is not None
    ]
    where = f"它在{'、'.join(elsewhere)}里；" if elsewhere else ""
    return f"“{subject.label}”没有事实“{name}”；{where}{hint}{_NOT_A_FACT}"


# --- judging --------------------------------------------------------------------------------------------------


def _judge(course: Course, said: Judge) -> None:
    rulebook = course.bench.rulebook
    course.asked = rule_named(rulebook, said.rule)
    versions = rulebook.rules[course.asked]
    wanted = rulebook.vocabulary.subjects[versions[0].subject]
    if course.subject is not wanted:
        told = f"本场景说的是“{course.subject.label}”" if course.subject else "本场景没有说明填报表"
        raise Stopped(
            f"规则“{course.asked}”判断的是“{wanted.label}”，{told}；请写“假如 一宗{wanted.label}”，或换一条规则"
        )
    document = rulebook.documents[versions[0].document]
    records = []
    for number, row in enumerate(_judged_rows(course), 1):
        supplied = {} if said.gate else _supplied(row, versions, document)
        records.append(_record(row, wanted, number, supplied))
    course.judged = check(
        rulebook, records, CheckOptions(select=(course.asked,)), workdays=course.bench.workdays
    ).records


def _precheck(course: Course, said: Precheck) -> None:
    subject = _known_subject(course)
    on = parse_date(said.on) if said.on else None
    if said.on and on is None:
        raise Stopped(f"“{said.on}”不是有效日期；请写成“按 2023-06-01 预审”")
    course.asked = ""
    records = [_record(row, subject, number, {}) for number, row in enumerate(_judged_rows(course), 1)]
    course.judged = check(
        course.bench.rulebook, records, CheckOptions(on=on), workdays=course.bench.workdays
    ).records


def _judged_rows(course: Course) -> list[_Row]:
    own = course.own
    mentioned = own.entries or own.carried or own.blank or not course.rows
    return [own, *course.rows] if mentioned else list(course.rows)


def _record(row: _Row, subject: Subject, number: int, supplied: Mapping[str, Entry]) -> Record:
    entries = {**row.entries, **supplied}
    return Record(str(number), subject.key, entries, dict(row.carried), Place(row=number))


def _supplied(row: _Row, versions: Sequence[Rule], document: Document) -> dict[str, Entry]:
    """A place and a day inside the rule's, where the scenario says neither: a boundary case tests the rule alone.

    Nothing is supplied that the rule itself reads, or that the scenario leaves blank in so many words.
    """
    rule = versions[-1]
    said = {*row.entries, *row.blank, *rule_in_use(rule).facts}
    supplied: dict[str, Entry] = {}
    if not said & {"district", "city"} and document.places:
        basis = "场景未写行政区，视为在文件的辖区内"
        supplied["district"] = Entry(document.places[0].name, origin="option", basis=basis)
    if rule.gate_fact is not None and rule.gate_fact not in said:
        basis = "场景未写行为日期，视为在规则的有效期内"
        supplied[rule.gate_fact] = Entry(_certain_day(rule, document), origin="option", basis=basis)
    return supplied


def _certain_day(rule: Rule, document: Document) -> date:
    """The first day on which the rule is certainly in force."""
    ends = (
        rule.period.start,
        document.period.start,
        rule.period.end,
        document.period.end,
        document.issue_date,
    )
    day = next((end for end in ends if end is not None), date(2023, 6, 1))
    for period in sorted(document.uncertain, key=lambda period: period.start or date.min):
        if period.holds(day) and period.end is not None:
            day = period.end + timedelta(days=1)
    return day


# --- comparing ------------------------------------------------------------------------------------------------


def _expect(course: Course, said: Expectation) -> None:
    if not course.judged:
        raise Stopped("还没有判断；请先写“当 按“…”判断”，再写“那么”")
    record = _row_meant(course, said.row)
    if said.what in ("violated", "open", "nothing applies", "derived"):
        wanted = said
        if said.what in ("violated", "open"):
            names = [
                rule_named(course.bench.rulebook, name)
                for name in re.split("[、，,；;]", said.value)
                if name.strip()
            ]
            wanted = replace(said, value="、".join(names))
        compare(wanted, record.findings, _known_subject(course))
        return
    compare(said, (_finding_meant(course, record, said.rule),), _known_subject(course))


def _row_meant(course: Course, number: int | None) -> RecordFindings:
    if number is None:
        return course.judged[0]
    rows = course.judged[len(course.judged) - len(course.rows) :]
    if not 1 <= number <= len(rows):
        raise Stopped(f"没有第 {number} 行；本场景的表格有 {len(rows)} 行")
    return rows[number - 1]


def _finding_meant(course: Course, record: RecordFindings, name: str) -> Finding:
    rule = rule_named(course.bench.rulebook, name) if name else course.asked
    if not rule:
        raise Stopped("“预审”有许多条规则，不知道说的是哪一条；请写成“那么 “文件/规则” 结论为 …”")
    for finding in record.findings:
        if finding.rule == rule:
            return finding
    raise Stopped(f"没有判断规则“{rule}”；本场景判断的是“{course.asked or record.subject_label}”，请改成一致")
