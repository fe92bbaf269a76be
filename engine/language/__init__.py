"""The rule language: Chinese text to a typed immutable tree, the tree to text and to sentences.

    scope = Scope(subject, parameters={"最长租赁年限": Kind("number", Dimension(month=1))})
    tree = parse("出租年期 不超过 最长租赁年限", scope, TRUTH)

Everything wrong with a text is a `RuleTextError` whose problems have line, column and advice in Chinese.
"""

from landrules.engine.language.build import deadline, parse
from landrules.engine.language.errors import Problem, RuleTextError
from landrules.engine.language.scope import DATE, MONTH, TRUTH, Kind, Scope, TableKind, kind_of_fact
from landrules.engine.language.sentences import sentence
from landrules.engine.language.types import check_requirement, kind_of
from landrules.engine.language.writing import fmt, write

__all__ = [
    "DATE",
    "MONTH",
    "TRUTH",
    "Kind",
    "Problem",
    "RuleTextError",
    "Scope",
    "TableKind",
    "check_requirement",
    "deadline",
    "fmt",
    "kind_of",
    "kind_of_fact",
    "parse",
    "sentence",
    "write",
]
