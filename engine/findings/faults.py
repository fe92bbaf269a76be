"""What makes a requirement fail: the comparisons and conditions that decide it, by how much, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.evaluate.judge import Parts, judge
from landrules.engine.evaluate.reference import ExecutionError, Situation, evaluate, evaluate_truth
from landrules.engine.findings.model import Limit, Margin, Remedy
from landrules.engine.findings.wording import DATE_WORDS, SIGN_WORDS, fact_text, phrase, unit_for, value_text
from landrules.engine.language import tree as t
from landrules.engine.rulebook.model import Rule
from landrules.facts.quantities import Unit, format_fraction
from landrules.facts.records import Value
from landrules.facts.vocabulary import Subject

__all__ = ["Atom", "Group", "describe_fault", "faults", "limit_and_margin", "remedies"]

_OPPOSITE: dict[str, t.ComparisonSign] = {"=": "≠", "≠": "=", "<": "≥", "≤": ">", ">": "≤", "≥": "<"}
_MIRRORED: dict[str, t.ComparisonSign] = {"=": "=", "≠": "≠", "<": ">", "≤": "≥", ">": "<", "≥": "≤"}
_DIGITS = 6
_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(frozen=True, slots=True)
class Atom:
    """A condition that is not as it should be: `wanted` is the truth that it should have."""

    node: t.Expression
    wanted: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Several faults: `all` must be mended, or `any` one of them."""

    manner: Literal["all", "any"]
    parts: tuple[Fault, ...]


Fault = Atom | Group


def faults(node: t.Expression, situation: Situation, *, wanted: bool = True) -> Fault | None:
    """Why `node` is not `wanted`; None where it is, or where that is unknown."""
    if evaluate_truth(node, situation) is not (not wanted):
        return None
    match node:
        case t.And(parts=parts) | t.Or(parts=parts):
            every = isinstance(node, t.And) is wanted
            found = tuple(fault for part in parts if (fault := faults(part, situation, wanted=wanted)))
            if not every:
                # “Nothing was filled in” is no way of putting a thing right, unless it is the only one.
                found = tuple(fault for fault in found if not _asks_for_blanks(fault)) or found
            if len(found) == 1:
                return found[0]
            return Group("all" if every else "any", found)
        case t.Not(part=part):
            return faults(part, situation, wanted=not wanted)
        case t.Defined(body=body):
            return faults(body, situation, wanted=wanted)
        case t.Coalesce(value=value, fallback=fallback):
            known = evaluate(value, situation) is not None
            return faults(value if known else fallback, situation, wanted=wanted) or Atom(node, wanted)
        case t.Choose(condition=condition, yes=yes, no=no):
            chosen = yes if evaluate_truth(condition, situation) else no
            return faults(chosen, situation, wanted=wanted)
        case t.Deadline(due=due, done=done, flag=flag):
            today = t.FactValue("as_of_date", "评价基准日")
            finished = (
                evaluate(done, situation) is not None
                if flag is None
                else evaluate_truth(flag, situation) is True
            )
            return Atom(t.Compare(done if finished else today, "≤", due), wanted)
        case t.NotYetDue(due=due):
            return Atom(t.Compare(t.FactValue("as_of_date", "评价基准日"), "≤", due), wanted)
        case t.TruthConstant():
            return None
        case _:
            return Atom(node, wanted)


def _asks_for_blanks(fault: Fault) -> bool:
    match fault:
        case Atom(node=node):
            return isinstance(node, t.AnyKnown | t.IsKnown)
        case Group(parts=parts):
            return any(_asks_for_blanks(part) for part in parts)


def describe_fault(fault: Fault, rule: Rule, subject: Subject, situation: Situation) -> str:
    """The fault in Chinese: what was read, what it should be, by how much."""
    match fault:
        case Group(manner=manner, parts=parts):
            texts = [describe_fault(part, rule, subject, situation) for part in parts]
            if manner == "all":
                return "；".join(texts)
            listed = zip(_NUMBERS, texts, strict=False)
            return "；".join(f"{number}{text}" for number, text in listed) + "（满足其一即可）"
        case Atom(node=t.Compare() as comparison, wanted=wanted):
            return _describe_comparison(_oriented(comparison, wanted), rule, subject, situation)
        case Atom(node=t.FactValue(key=key, label=label), wanted=wanted):
            return f"{label} 为 {_read(key, subject, situation)}，应为 {'是' if wanted else '否'}"
        case Atom(node=t.OneOf(item=item, members=members), wanted=wanted):
            value = evaluate(item, situation)
            word = "应属于" if wanted else "不应属于"
            return f"{phrase(item, rule, situation)} 为 {value}，{word} {'、'.join(members.values)}"
        case Atom(node=t.ContainsAll(group=group, members=members), wanted=True):
            present = evaluate(group, situation)
            lacking = [
                item for item in members.values if not isinstance(present, frozenset) or item not in present
            ]
            return f"{phrase(group, rule, situation)} 缺少 {'、'.join(lacking)}"
        case Atom(node=t.Subset(group=group, members=members), wanted=True):
            present = evaluate(group, situation)
            beyond = sorted(present - set(members.values)) if isinstance(present, frozenset) else []
            return (
                f"{phrase(group, rule, situation)} 含 {'、'.join(beyond)}，仅限于 {'、'.join(members.values)}"
            )
        case Atom(node=t.Coalesce(value=t.FactValue(label=label)), wanted=wanted):
            return f"{label} 未填，按 {'否' if wanted else '是'} 判断"
        case Atom(node=node, wanted=wanted):
            return f"{'未满足' if wanted else '不应有'}：{phrase(node, rule, situation)}"


def limit_and_margin(
    fault: Fault | None, rule: Rule, subject: Subject, situation: Situation
) -> tuple[Limit | None, Margin | None]:
    """Bound and distance of the decisive comparison: of a fault, or of the tightest comparison that is met."""
    comparison = _first_comparison(fault) if fault else _tightest(rule.require, situation)
    if comparison is None:
        return None, None
    return _limit(comparison, rule, subject, situation), _margin(comparison, rule, subject, situation)


def remedies(fault: Fault, parts: Parts, subject: Subject, situation: Situation) -> tuple[Remedy, ...]:
    """Changes that would make the verdict no longer 违反, each checked by evaluating the rule with it."""
    result = []
    for changes in _mends(fault, subject, situation):
        changed = situation.with_values(
            {**situation.values, **{key: value for key, (value, _) in changes.items()}}
        )
        try:
            mended = judge(parts, changed).verdict is not Verdict.VIOLATED
        except ExecutionError:
            continue
        if mended and changes:
            text = "，且".join(text for _, text in changes.values())
            remedy = Remedy(next(iter(changes)), text)
            if remedy not in result:
                result.append(remedy)
    return tuple(result[:4])


Changes = dict[str, tuple[Value, str]]


def _mends(fault: Fault, subject: Subject, situation: Situation) -> list[Changes]:
    if isinstance(fault, Atom):
        return _atom_mends(fault, subject, situation)
    if fault.manner == "any":
        return [changes for part in fault.parts for changes in _mends(part, subject, situation)]
    together: Changes = {}
    for part in fault.parts:
        options = _mends(part, subject, situation)
        if not options:
            return []
        together = {**together, **options[0]}
    return [together]


def _atom_mends(atom: Atom, subject: Subject, situation: Situation) -> list[Changes]:
    match atom:
        case Atom(node=t.Compare() as comparison, wanted=wanted):
            oriented = _oriented(comparison, wanted)
            return [
                changes
                for key in t.facts_of(oriented.left)
                if key in situation.values
                and key != "as_of_date"
                and (changes := _bound(oriented, key, subject, situation))
            ]
        case Atom(node=t.FactValue(key=key, label=label), wanted=wanted):
            return [{key: (wanted, f"“{label}”办理到“{'是' if wanted else '否'}”（以事实为准）")}]
        case Atom(node=t.OneOf(item=t.FactValue(key=key, label=label), members=members), wanted=True):
            return [{key: (members.values[0], f"{label}改为{'、'.join(members.values)}之一")}]
        case Atom(node=t.ContainsAll(group=t.FactValue(key=key, label=label), members=members), wanted=True):
            present = situation.values.get(key)
            have = present if isinstance(present, frozenset) else frozenset[str]()
            lacking = [item for item in members.values if item not in have]
            return [{key: (have | set(members.values), f"{label}补齐{'、'.join(lacking)}")}]
        case Atom(node=t.Subset(group=t.FactValue(key=key, label=label), members=members), wanted=True):
            present = situation.values.get(key)
            have = present if isinstance(present, frozenset) else frozenset[str]()
            beyond = sorted(have - set(members.values))
            return [{key: (have & set(members.values), f"{label}去掉{'、'.join(beyond)}")}]
        case _:
            return []


def _bound(comparison: t.Compare, key: str, subject: Subject, situation: Situation) -> Changes | None:
    """The value of one fact at which the comparison just holds, found exactly where it is linear in the fact."""
    fact = subject.facts.get(key)
    current = situation.values[key]
    if fact is None or fact.parameter:
        return None
    if isinstance(current, date):
        return _day_bound(comparison, key, situation, fact.label)
    if not isinstance(current, Fraction) or comparison.sign == "≠":
        return None

    def difference(value: Fraction) -> Fraction | None:
        changed = situation.with_values({**situation.values, key: value})
        left, right = evaluate(comparison.left, changed), evaluate(comparison.right, changed)
        return left - right if isinstance(left, Fraction) and isinstance(right, Fraction) else None

    samples = [difference(current + step * fact.unit.factor) for step in (0, 1, 2)]
    first, second, third = samples
    if (
        first is None
        or second is None
        or third is None
        or second == first
        or third - second != second - first
    ):
        return None
    slope = (second - first) / fact.unit.factor
    bound = current - first / slope
    if bound < 0 and not fact.signed:
        return None
    upward = (comparison.sign in ("≥", ">")) is (slope > 0)
    shown = _rounded(bound / fact.unit.factor, upward=upward, whole=fact.type == "integer")
    value = shown * fact.unit.factor
    strict = comparison.sign in ("<", ">") and value == bound
    if strict:
        value += (
            (1 if upward else -1)
            * fact.unit.factor
            * (1 if fact.type == "integer" else Fraction(1, 10**_DIGITS))
        )
    if comparison.sign == "=":
        word = "调整为"
    elif upward:
        word = "提高到超过" if strict else "提高到不低于"
    else:
        word = "降到低于" if strict else "降到不超过"
    return {key: (value, f"{fact.label}{word} {value_text(shown * fact.unit.factor, fact.unit)}")}


def _day_bound(comparison: t.Compare, key: str, situation: Situation, label: str) -> Changes | None:
    match comparison:
        case t.Compare(left=t.FactValue(key=found), sign=sign, right=right) if found == key:
            bound = evaluate(right, situation)
            if isinstance(bound, date) and sign in ("≤", "<", "≥", ">"):
                shift = {"<": -1, ">": 1}.get(sign, 0)
                day = bound + timedelta(days=shift)
                word = "不晚于" if sign in ("≤", "<") else "不早于"
                return {key: (day, f"{label}{word} {day.isoformat()}")}
        case _:
            pass
    return None


def _rounded(value: Fraction, *, upward: bool, whole: bool) -> Fraction:
    scale = 1 if whole else 10**_DIGITS
    scaled = value * scale
    floor = scaled.numerator // scaled.denominator
    if upward and floor != scaled:
        floor += 1
    return Fraction(floor, scale)


def _oriented(comparison: t.Compare, wanted: bool) -> t.Compare:
    """The comparison that should hold, with the facts of the record on the left and the bound on the right."""
    sign: t.ComparisonSign = comparison.sign if wanted else _OPPOSITE[comparison.sign]
    if not t.facts_of(comparison.left) and t.facts_of(comparison.right):
        return t.Compare(comparison.right, _MIRRORED[sign], comparison.left)
    return t.Compare(comparison.left, sign, comparison.right)


def _describe_comparison(comparison: t.Compare, rule: Rule, subject: Subject, situation: Situation) -> str:
    left = evaluate(comparison.left, situation)
    limit = _limit(comparison, rule, subject, situation)
    margin = _margin(comparison, rule, subject, situation)
    unit = _comparison_unit(comparison, rule, subject)
    read = (
        f"{phrase(comparison.left, rule, situation)} 为 {value_text(left, unit)}"
        if left is not None
        else phrase(comparison.left, rule, situation)
    )
    text = f"{read}，应{limit.text if limit else ''}"
    return f"{text}，{margin.text}" if margin else text


def _limit(comparison: t.Compare, rule: Rule, subject: Subject, situation: Situation) -> Limit | None:
    bound = evaluate(comparison.right, situation)
    words = DATE_WORDS if isinstance(bound, date) else SIGN_WORDS
    right = comparison.right
    name = right.name if isinstance(right, t.ParameterValue) else phrase(right, rule, situation)
    if bound is None:
        return Limit(f"{words[comparison.sign]} {name}", "", "", name)
    unit = _comparison_unit(comparison, rule, subject)
    shown = value_text(bound, unit)
    plain = isinstance(comparison.right, t.NumberConstant | t.DateConstant | t.TextConstant | t.TruthConstant)
    text = f"{words[comparison.sign]} {shown}" if plain else f"{words[comparison.sign]} {name}（{shown}）"
    value = format_fraction(bound / unit.factor) if isinstance(bound, Fraction) else shown
    return Limit(text, value, _unit_name(unit) if isinstance(bound, Fraction) else "", "" if plain else name)


def _margin(comparison: t.Compare, rule: Rule, subject: Subject, situation: Situation) -> Margin | None:
    left, right = evaluate(comparison.left, situation), evaluate(comparison.right, situation)
    held = evaluate_truth(comparison, situation)
    if held is None:
        return None
    if isinstance(left, date) and isinstance(right, date):
        days = abs((left - right).days)
        if held:
            return Margin(str(days), "日", f"余 {days} 日")
        return Margin(str(days), "日", f"{'晚' if left > right else '早'} {days} 日")
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        return None
    unit = _comparison_unit(comparison, rule, subject)
    gap = abs(left - right)
    text = value_text(gap, unit)
    if held:
        words = f"余 {text}" if gap else "正好达到界限"
    elif left > right:
        words = f"超出 {text}"
    elif left < right:
        words = f"还差 {text}"
    else:
        words = "正好等于界限，须严格大于或小于"
    return Margin(format_fraction(gap / unit.factor), _unit_name(unit), words)


def _comparison_unit(comparison: t.Compare, rule: Rule, subject: Subject) -> Unit:
    return unit_for((comparison.left, comparison.right), subject, rule)


def _unit_name(unit: Unit) -> str:
    return "" if unit.name == "无" else unit.name


def _first_comparison(fault: Fault) -> t.Compare | None:
    match fault:
        case Atom(node=t.Compare() as comparison, wanted=wanted):
            return _oriented(comparison, wanted)
        case Group(parts=parts):
            return next((found for part in parts if (found := _first_comparison(part))), None)
        case _:
            return None


def _tightest(node: t.Expression, situation: Situation) -> t.Compare | None:
    """Of the comparisons of numbers or days that make `node` hold, the one with the least room, relative to its bound."""
    best: tuple[Fraction, t.Compare] | None = None
    for comparison in _held(node, situation, wanted=True):
        left, right = evaluate(comparison.left, situation), evaluate(comparison.right, situation)
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            room = abs(left - right) / (abs(right) or 1)
        elif isinstance(left, date) and isinstance(right, date):
            room = Fraction(abs((left - right).days), 365)
        else:
            continue
        if best is None or room < best[0]:
            best = (room, comparison)
    return best[1] if best else None


def _held(node: t.Expression, situation: Situation, *, wanted: bool) -> list[t.Compare]:
    if evaluate_truth(node, situation) is not wanted:
        return []
    match node:
        case t.And(parts=parts) | t.Or(parts=parts):
            return [found for part in parts for found in _held(part, situation, wanted=wanted)]
        case t.Not(part=part):
            return _held(part, situation, wanted=not wanted)
        case t.Defined(body=body):
            return _held(body, situation, wanted=wanted)
        case t.Compare():
            return [_oriented(node, wanted)]
        case t.Coalesce(value=value) if evaluate(value, situation) is not None:
            return _held(value, situation, wanted=wanted)
        case t.Deadline(due=due, done=done, flag=flag):
            finished = (
                evaluate(done, situation) is not None
                if flag is None
                else evaluate_truth(flag, situation) is True
            )
            today = t.FactValue("as_of_date", "评价基准日")
            return [t.Compare(done if finished else today, "≤", due)]
        case t.NotYetDue(due=due):
            return [t.Compare(t.FactValue("as_of_date", "评价基准日"), "≤", due)]
        case _:
            return []


def _read(key: str, subject: Subject, situation: Situation) -> str:
    value = situation.values.get(key)
    return "未填" if value is None else fact_text(subject.facts.get(key), value)
