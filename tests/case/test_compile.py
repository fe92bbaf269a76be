"""What is compiled for durable-rules means the same as the tree, and stays within its limits."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from case.random_cases import focuses
from landrules.engine.case import durable as d
from landrules.engine.evaluate.reference import Situation, evaluate_truth
from landrules.engine.language import tree as t
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays
from landrules.facts.records import Value

FACTS = ("p", "q", "r")
WORDS = ("甲", "乙", "丙")


def random_tree(rng: random.Random, depth: int) -> t.Expression:
    fact = t.FactValue(rng.choice(FACTS), "")
    word = t.FactValue("w", "")
    if depth == 0:
        return rng.choice(
            [
                fact,
                fact,
                t.TruthConstant(rng.random() < 0.5),
                t.Compare(word, rng.choice(["=", "≠"]), t.TextConstant(rng.choice(WORDS))),
                t.OneOf(word, t.Members(tuple(rng.sample(WORDS, 2)))),
                t.Coalesce(fact, t.TruthConstant(True)),
            ]
        )
    parts = tuple(random_tree(rng, depth - 1) for _ in range(rng.randint(2, 3)))
    return rng.choice(
        [
            t.And(parts),
            t.Or(parts),
            t.Not(parts[0]),
            t.Choose(parts[0], parts[1], parts[-1]),
            t.Defined("n", parts[0]),
        ]
    )


def holds(normal: d.Normal, fact: dict[str, str]) -> bool:
    """A normal form on a fact, as durable-rules reads it: a missing property makes every comparison false."""
    return any(
        all(literal.key in fact and (fact[literal.key] == literal.word) is literal.equal for literal in term)
        for term in normal
    )


def test_normal_forms_mean_the_tree_in_both_polarities() -> None:
    rng = random.Random(5)
    truths: tuple[Value | None, ...] = (True, False, None)
    for _ in range(150):
        node = random_tree(rng, 3)
        shard = d.Shard("s")
        compiler = d._Compiler(shard, frozenset({"w"}), ("doc/rule", 0))  # noqa: SLF001 - the unit under test
        normals = {wanted: compiler.normal(node, wanted=wanted) for wanted in (True, False)}
        assert all(len(normal) <= 14 for normal in normals.values())
        for values in itertools.product(truths, truths, truths, (*WORDS, "丁", None)):
            known = {
                key: value for key, value in zip((*FACTS, "w"), values, strict=True) if value is not None
            }
            situation = Situation(known, Workdays())
            fact = {}
            for key, atom in shard.atoms.items():
                truth = evaluate_truth(atom, situation)
                if truth is not None:
                    fact[key] = "t" if truth else "f"
            for key, word in shard.words.items():
                if "w" in known:
                    fact[key] = word.words.get(str(known["w"]), "x")
            truth = evaluate_truth(node, situation)
            assert (holds(normals[True], fact), holds(normals[False], fact)) == (
                truth is True,
                truth is False,
            )


def test_too_many_alternatives_become_an_atom() -> None:
    pairs = tuple(t.Or((t.FactValue(f"a{n}", ""), t.FactValue(f"b{n}", ""))) for n in range(6))
    shard = d.Shard("s")
    compiler = d._Compiler(shard, frozenset(), ("doc/rule", 0))  # noqa: SLF001 - the unit under test
    assert compiler.normal(t.And(pairs), wanted=True) == (frozenset({d.Literal("a12", "t")}),)
    assert shard.atoms["a12"] == t.And(pairs)


def test_every_shard_stays_within_the_limits_and_carries_no_input(rulebook: Rulebook) -> None:
    for number, subject in enumerate(rulebook.vocabulary.subjects.values()):
        texts = frozenset(fact.key for fact in subject.facts.values() if fact.type in ("enum", "text"))
        compiled = d.program(f"p{number}s", rulebook.rules_for(subject.key), texts)
        for shard in compiled.shards:
            text = json.dumps(shard.definition)
            assert text.isascii()
            assert len(shard.definition) + 1 <= 40
            assert len(shard.atoms) + len(shard.words) + len(shard.units) <= 200
            assert len(shard.conditions) <= 400
            assert shard.paths <= 60
            assert len({rule.partition("/")[0] for rule, _ in shard.units}) == 1
        asked = {
            (rule.id, version)
            for versions in rulebook.rules_for(subject.key)
            for version, rule in enumerate(versions)
        }
        assert set(compiled.shard_of) == asked


def test_every_rule_has_random_cases(rulebook: Rulebook) -> None:
    assert {focus.versions[0].id for focus in focuses(rulebook)} == set(rulebook.rules)


def test_structure_is_matched_by_durable_rules_and_leaves_are_not() -> None:
    supply = t.FactValue("supply_mode", "供应方式")
    term = t.Compare(t.FactValue("term", ""), "≤", t.FactValue("limit", ""))
    node = t.And((t.Compare(supply, "=", t.TextConstant("先租后让")), t.Not(term)))
    shard = d.Shard("s")
    compiler = d._Compiler(shard, frozenset({"supply_mode"}), ("doc/rule", 0))  # noqa: SLF001 - the unit under test
    assert compiler.normal(node, wanted=True) == (frozenset({d.Literal("e0", "w0"), d.Literal("a0", "f")}),)
    assert compiler.normal(node, wanted=False) == (
        frozenset({d.Literal("a0", "t")}),
        frozenset({d.Literal("e0", "w0", equal=False)}),
    )
    assert shard.atoms == {"a0": term}


@pytest.mark.parametrize("sign", ["n", "s", "v"])
def test_the_table_of_verdicts_reads_what_fired(sign: str, rulebook: Rulebook) -> None:
    rule = rulebook.rules["wuhai-2023-5/lease-term-max-20y"][0]
    compiled = d.program("p", [(rule,)], frozenset())
    asked = d.Asked(rule, 0, d.parts_of(rule), Situation({}, Workdays()))
    verdicts = {"n": "不适用", "s": "符合", "v": "违反"}
    fired = {"p0": frozenset({f"u0{sign}", *(("u0a",) if sign == "v" else ())})}
    assert d.verdict_of(compiled, fired, asked).verdict == verdicts[sign]
    assert d.verdict_of(compiled, {"p0": frozenset({"u0a"})}, asked).stage == "requirement"
    assert d.verdict_of(compiled, {}, asked).stage == "applicability"
