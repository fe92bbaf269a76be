"""durable-rules, and nothing but durable-rules: what is compiled for it, and the engine that runs it.

What durable-rules evaluates
    For every version of a rule, four conditions over one fact that describes the case as it stands:

    * `n` certainly not applicable: 适用条件 is false, or 适用除外 is true;
    * `a` certainly applicable: the gate is open, 适用条件 is true and 适用除外 is false;
    * `s` certainly satisfied: the gate is open, 适用条件 is true and the requirement is met;
    * `v` certainly violated: certainly applicable, and the requirement is not met.

    They are the rule's own 且/或/非/若 structure, turned into positive normal forms (an 或 of 且s of equalities), because
    in durable-rules a missing operand makes every comparison false and there is no expression-level not. Whether an
    allowed value or text of the case is the one a rule names (供应方式 等于 先租后让, 属于 {…}) is matched there too, on
    encoded words. No condition firing means that the rule is open. `verdict_of` reads the verdict from what fired.

What is computed exactly before it, by the reference evaluator
    Everything else, as named *atoms* that are `t`, `f` or absent: comparisons of money, areas, ratios, terms and days;
    dates and working days; sets; rounding; presumptions (缺省, 已知, 任一已知, 适用最低价, 未到期, 期限); parameters and
    tables in force; aggregates. Also before it: place and date of the document (a rule that they shut out is not asked;
    an unknown gate is an absent `g`), and the choice of the version. A structure whose normal form would have more than
    `_TERMS` alternatives is an atom as well: durable-rules multiplies alternatives out, and a fact that matches 64 of
    them is rejected.

Safety (measured; see docs/builders/cases.md)
    Only strings made here reach it: property names `a0`, `e0`, `g0`, values `t`, `f`, `w0`, rule names `u0v`. Facts have
    the ids `__open` and `f0`; every match uses a fresh sequential sid, the sentinel first, and deletes the state, so that
    nothing outlives a request and an answer never depends on the one before. Rulesets are shards within the limits below.
    A rule `__seen` fires on every case fact: where it does not, the fact was not matched and that is an error. `Engine`
    imports the C extension and belongs into a process of its own (`landrules.engine.case.worker`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from landrules.engine.case.questions import Asked, Question, Said
from landrules.engine.evaluate.algebra import Stage, Verdict
from landrules.engine.evaluate.judge import DEVIATION, parts_of
from landrules.engine.evaluate.reference import evaluate, evaluate_truth
from landrules.engine.language import tree as t
from landrules.engine.rulebook.model import Rule
from landrules.facts.records import Value

__all__ = ["Definition", "Engine", "EngineError", "Program", "Shard", "ask", "program", "verdict_of"]

_RULES = 40
"""Rules of a ruleset, sentinel and `__seen` among them."""
_PATHS = 60
"""Alternatives of a ruleset that could all match one fact; 64 are rejected with error 303."""
_KEYS = 190
"""Properties of a fact besides kind, id and sid; 252 at most are accepted."""
_CONDITIONS = 400
"""Distinct equalities on the one node of a ruleset; 511 hang it."""
_TERMS = 14
"""Alternatives of one condition; four conditions a rule stay below `_PATHS`."""

_OPEN = "__open"
_SEEN = "__seen"
_OTHER = "x"

Definition = Mapping[str, Any]
"""Rule name → condition on the case fact, as plain JSON."""


@dataclass(frozen=True, slots=True, order=True)
class Literal:
    """A property is (or is known and is not) a word."""

    key: str
    word: str
    equal: bool = True


Term = frozenset[Literal]
Normal = tuple[Term, ...]
"""Alternatives of which one must hold; none is false, an empty one is true."""

_FALSE: Normal = ()
_TRUE: Normal = (frozenset(),)


@dataclass(frozen=True, slots=True)
class _Word:
    """A property matched on the words of a fact: known words by their text."""

    fact: str
    words: dict[str, str]


@dataclass(slots=True)
class Shard:
    """One ruleset of durable-rules: its units `(rule, version)`, its conditions, and how its properties are computed."""

    name: str
    definition: dict[str, Any] = field(default_factory=dict)
    units: dict[tuple[str, int], str] = field(default_factory=dict)
    keys_of: dict[str, frozenset[str]] = field(default_factory=dict)
    atoms: dict[str, t.Expression] = field(default_factory=dict)
    words: dict[str, _Word] = field(default_factory=dict)
    paths: int = 1
    conditions: set[Literal] = field(default_factory=set)
    names: dict[object, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """All shards of the rules of one subject, and the shard of each unit."""

    shards: tuple[Shard, ...]
    shard_of: Mapping[tuple[str, int], Shard]


# --- compiling ------------------------------------------------------------------------------------------------


def program(name: str, rules: Iterable[Sequence[Rule]], texts: frozenset[str]) -> Program:
    """Compile rules (each as its versions, in the order of ids) into shards, never two documents in one.

    `texts` are the keys of facts whose values are single texts: those are matched as words.
    """
    shards: list[Shard] = []
    shard_of: dict[tuple[str, int], Shard] = {}
    document = ""
    for versions in rules:
        for number, rule in enumerate(versions):
            if rule.document != document or not _add(shards[-1], rule, number, texts):
                document = rule.document
                shards.append(_shard(f"{name}{len(shards)}"))
                if not _add(shards[-1], rule, number, texts):
                    raise EngineError(f"规则 {rule.id} 超出 durable-rules 的限度")
            shard_of[rule.id, number] = shards[-1]
    return Program(tuple(shards), shard_of)


def _shard(name: str) -> Shard:
    return Shard(name, definition={_SEEN: {"kind": "case"}})


def _add(shard: Shard, rule: Rule, number: int, texts: frozenset[str]) -> bool:
    """Add one version of a rule, unless the shard would leave its limits."""
    draft = Shard(
        shard.name,
        atoms=dict(shard.atoms),
        words={key: _Word(word.fact, dict(word.words)) for key, word in shard.words.items()},
        names=dict(shard.names),
    )
    unit = f"u{len(shard.units)}"
    conditions = _conditions(_Compiler(draft, texts, (rule.id, number)), rule, f"g{len(shard.units)}")
    used = {literal for normal in conditions.values() for term in normal for literal in term}
    paths = shard.paths + sum(map(len, conditions.values()))
    rules = len(shard.definition) + len(conditions) + 1
    keys = len(draft.atoms) + len(draft.words) + len(shard.units) + 1
    if paths > _PATHS or rules > _RULES or keys > _KEYS or len(shard.conditions | used) > _CONDITIONS:
        return False
    shard.atoms, shard.words, shard.names = draft.atoms, draft.words, draft.names
    shard.conditions |= used
    shard.paths = paths
    shard.definition.update({unit + sign: _match(normal) for sign, normal in conditions.items()})
    shard.units[rule.id, number] = unit
    shard.keys_of[unit] = frozenset(literal.key for literal in used)
    return True


def _conditions(compiler: _Compiler, rule: Rule, gate: str) -> dict[str, Normal]:
    """The four conditions, those that can never hold left out."""
    parts = parts_of(rule)
    met = t.Or((parts.met, DEVIATION)) if parts.deviation else parts.met
    nodes = {"when": parts.when, "exclude": parts.exclude, "met": met}
    passed: Normal = (frozenset((Literal(gate, "t"),)),)
    # Where a product would be too large, the largest of the three becomes an atom, and so on.
    whole: tuple[str, ...] = ()
    for whole in ((), ("met",), ("met", "exclude"), ("met", "exclude", "when")):
        when, excluded, done = (
            {
                truth: (compiler.atom if name in whole else compiler.normal)(node, truth)
                for truth in (True, False)
            }
            for name, node in nodes.items()
        )
        applies = _product((passed, when[True], excluded[False]))
        found = {
            "n": _sum((when[False], excluded[True])),
            "a": applies,
            "s": _product((passed, when[True], done[True])),
            "v": _product((applies, done[False])) if applies is not None else None,
        }
        conditions = {sign: normal for sign, normal in found.items() if normal is not None}
        if len(conditions) == len(found):
            return {sign: normal for sign, normal in conditions.items() if normal}
    raise EngineError(f"规则 {rule.id} 无法编译为 durable-rules 的条件")


@dataclass(slots=True)
class _Compiler:
    """Turns conditions of one version of a rule into normal forms, naming atoms in its shard."""

    shard: Shard
    texts: frozenset[str]
    unit: tuple[str, int]

    def normal(self, node: t.Expression, wanted: bool) -> Normal:
        """The normal form of `node` being certainly `wanted`."""
        found = self._structure(node, wanted)
        return self.atom(node, wanted) if found is None else found

    def atom(self, node: t.Expression, wanted: bool) -> Normal:
        """The whole node computed before, as one property."""
        if isinstance(node, t.TruthConstant):
            return _TRUE if node.value is wanted else _FALSE
        # What reads parameters or tables depends on the rule; anything else is shared between rules.
        own = any(isinstance(part, t.ParameterValue | t.Lookup) for part in t.walk(node))
        key = self._key((node, self.unit if own else None), "a", self.shard.atoms)
        self.shard.atoms[key] = node
        return (frozenset((Literal(key, "t" if wanted else "f"),)),)

    def _structure(self, node: t.Expression, wanted: bool) -> Normal | None:
        match node:
            case t.And(parts=parts) | t.Or(parts=parts):
                every = isinstance(node, t.And) is wanted
                return (_product if every else _sum)([self.normal(part, wanted) for part in parts])
            case t.Not(part=part):
                return self.normal(part, not wanted)
            case t.Defined(body=body):
                return self.normal(body, wanted)
            case t.Choose(condition=condition, yes=yes, no=no):
                first = _product((self.normal(condition, True), self.normal(yes, wanted)))
                second = _product((self.normal(condition, False), self.normal(no, wanted)))
                return None if first is None or second is None else _sum((first, second))
            case t.Compare(
                left=t.FactValue(key=key), sign="=" | "≠" as sign, right=t.TextConstant(value=text)
            ):
                return self._words(key, (text,), (sign == "=") is wanted)
            case t.OneOf(item=t.FactValue(key=key), members=members) if members.values:
                return self._words(key, members.values, wanted)
            case _:
                return None

    def _words(self, fact: str, texts: Sequence[str], wanted: bool) -> Normal | None:
        if fact not in self.texts:
            return None
        key = self._key(("word", fact), "e", self.shard.words)
        word = self.shard.words.setdefault(key, _Word(fact, {}))
        names = [word.words.setdefault(text, f"w{len(word.words)}") for text in texts]
        if wanted:
            return _sum([(frozenset((Literal(key, name),)),) for name in names])
        return (frozenset(Literal(key, name, equal=False) for name in names),)

    def _key(self, what: object, letter: str, taken: Mapping[str, object]) -> str:
        return self.shard.names.setdefault(what, f"{letter}{len(taken)}")


def _sum(parts: Iterable[Normal]) -> Normal | None:
    terms = {term for part in parts for term in part}
    return _reduced(terms)


def _product(parts: Iterable[Normal]) -> Normal | None:
    product: Normal = _TRUE
    for part in parts:
        joined = {first | second for first in product for second in part}
        reduced = _reduced({term for term in joined if not _contradicts(term)})
        if reduced is None:
            return None
        product = reduced
    return product


def _reduced(terms: set[Term]) -> Normal | None:
    """Without alternatives that another one covers, in a fixed order; None where too many remain."""
    kept = [term for term in terms if not any(other < term for other in terms)]
    return tuple(sorted(kept, key=sorted)) if len(kept) <= _TERMS else None


def _contradicts(term: Term) -> bool:
    words: dict[str, str] = {}
    for literal in term:
        if literal.equal and words.setdefault(literal.key, literal.word) != literal.word:
            return True
    return any(not literal.equal and words.get(literal.key) == literal.word for literal in term)


def _match(normal: Normal) -> dict[str, Any]:
    """A normal form in the notation of durable-rules: one property a condition, always under `kind`."""
    alternatives = [_joined("$and", [_equality(literal) for literal in sorted(term)]) for term in normal]
    if not all(alternatives):
        return {"kind": "case"}
    return {"$and": [{"kind": "case"}, _joined("$or", alternatives)]}


def _joined(sign: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return ({} if not parts else parts[0]) if len(parts) <= 1 else {sign: parts}


def _equality(literal: Literal) -> dict[str, Any]:
    return {literal.key: literal.word} if literal.equal else {"$neq": {literal.key: literal.word}}


# --- asking and reading ---------------------------------------------------------------------------------------


def ask(
    compiled: Program, asked: Iterable[Question]
) -> tuple[dict[str, dict[str, str]], frozenset[tuple[str, int]]]:
    """The case fact for each shard that has something to answer, and the units whose atoms could not be computed.

    Such a unit is left out of the fact: what it comes to is for the reference evaluator to say.
    """
    facts: dict[str, dict[str, str]] = {}
    failed: set[tuple[str, int]] = set()
    for question in asked:
        for version in question.asked:
            unit = (version.rule.id, version.version)
            shard = compiled.shard_of[unit]
            fact = facts.setdefault(shard.name, {})
            try:
                found = _properties(shard, shard.keys_of[shard.units[unit]], version, fact)
            except Exception:  # noqa: BLE001 - whatever it is, the reference evaluator will say it for this rule
                failed.add(unit)
                continue
            fact.update(found)
            if question.gate is True:
                fact["g" + shard.units[unit][1:]] = "t"
    return facts, frozenset(failed)


def _properties(
    shard: Shard, keys: frozenset[str], version: Asked, known: Mapping[str, str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in sorted(keys - known.keys()):
        if key in shard.atoms:
            truth = evaluate_truth(shard.atoms[key], version.situation)
            if truth is not None:
                found[key] = "t" if truth else "f"
        elif key in shard.words:
            word = shard.words[key]
            value: Value | None = evaluate(t.FactValue(word.fact, ""), version.situation)
            if value is None:
                continue
            if not isinstance(value, str):
                raise EngineError(f"事实 {word.fact} 不是文字")
            found[key] = word.words.get(value, _OTHER)
    return found


def verdict_of(compiled: Program, fired: Mapping[str, frozenset[str]], version: Asked) -> Said:
    """The verdict that the fired conditions of one version mean (the table of CONVENTIONS §3, before the gate)."""
    unit = (version.rule.id, version.version)
    shard = compiled.shard_of[unit]
    signs = {name[-1] for name in fired.get(shard.name, ()) if name[:-1] == shard.units[unit]}
    if "n" in signs:
        return Said(Verdict.NOT_APPLICABLE)
    if "s" in signs:
        return Said(Verdict.MET)
    if "v" in signs:
        return Said(Verdict.VIOLATED)
    stage: Stage = "requirement" if "a" in signs else "applicability"
    return Said(Verdict.OPEN, stage)


# --- the engine, in the worker process only -------------------------------------------------------------------


class EngineError(Exception):
    """durable-rules did not do what it was asked; nothing may be concluded from this match."""


class Engine:
    """The rulesets of one process. One match at a time.

    Raises:
        ImportError: where durable-rules cannot be imported (Python 3.13 and later, no C compiler at installation).
    """

    def __init__(self) -> None:
        from durable import engine  # noqa: PLC0415 - the C extension is loaded where it is used, and nowhere else

        class QuietHost(engine.Host):  # type: ignore[misc]  # durable-rules has no types
            """A host without its background threads, which touch freed state."""

            def _run(self) -> None:
                pass

        self._host = QuietHost()
        self._unhandled: type[Exception] = engine.MessageNotHandledException
        self._fired: list[str] = []
        self._sids = 0

    def define(self, shard: str, definition: Definition) -> None:
        """Compile one shard."""
        rules: dict[str, Any] = {_OPEN: {"all": [{"m": {"kind": _OPEN}}], "run": self._recorder(_OPEN)}}
        for name, condition in definition.items():
            rules[name] = {"all": [{"m": condition}], "run": self._recorder(name)}
        self._host.set_rulesets({shard: rules})

    def match(self, facts: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
        """The names of the rules that each shard fires on its fact, each once, sorted.

        Raises:
            EngineError: where the engine reports an error, or did not see the fact.
        """
        return {shard: self._match(shard, fact) for shard, fact in facts.items()}

    def _match(self, shard: str, fact: Mapping[str, str]) -> list[str]:
        self._sids += 1
        sid = f"s{self._sids}"
        self._fired.clear()
        self._assert(shard, {"kind": _OPEN, "id": _OPEN, "sid": sid})
        self._assert(shard, {**fact, "kind": "case", "id": "f0", "sid": sid})
        self._host.delete_state(shard, sid)
        fired = set(self._fired)
        if not {_OPEN, _SEEN} <= fired:
            raise EngineError("事实未被匹配")
        return sorted(fired - {_OPEN, _SEEN})

    def _assert(self, shard: str, fact: dict[str, str]) -> None:
        try:
            state = self._host.assert_fact(shard, fact)
        except self._unhandled:
            return  # no rule matched; `_match` knows which must
        except Exception as error:
            raise EngineError(f"{type(error).__name__}：{error}") from error
        if not isinstance(state, dict) or state.get("exception"):
            raise EngineError(f"状态异常：{state!r}")

    def _recorder(self, name: str) -> Callable[[Any], None]:
        fired = self._fired

        def run(_: Any) -> None:
            fired.append(name)

        return run
