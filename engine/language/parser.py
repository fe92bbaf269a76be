"""Tokens to raw nodes with places (Lark, LALR): shape only, no meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from landrules.engine.language.errors import Problem, RuleTextError, Span, locate
from landrules.engine.language.lexer import Lexeme, scan
from landrules.engine.language.words import Names

if TYPE_CHECKING:
    from lark import Lark, Token

__all__ = ["MAX_DEPTH", "MAX_NODES", "Raw", "read"]

MAX_DEPTH = 40
MAX_NODES = 500

_RULES = (
    "choose",
    "either",
    "both",
    "negate",
    "compare",
    "membership",
    "contains",
    "add",
    "subtract",
    "multiply",
    "divide",
    "minus",
    "group",
    "call",
    "lookup",
    "aggregate",
    "aggregate_rows",
    "columns",
    "members",
)
_BRACKETS = ("OPEN", "CLOSE", "LBRACE", "RBRACE")


@dataclass(frozen=True, slots=True)
class Raw:
    """A node as read: `rule` is a rule or terminal of the grammar, `text` that of a terminal.

    `depth` counts levels without brackets, `size` counts nodes.
    """

    rule: str
    span: Span
    text: str = ""
    parts: tuple[Raw, ...] = ()
    depth: int = 1
    size: int = 1


def read(text: str, names: Names) -> Raw:
    """The raw node of a rule text.

    Raises:
        RuleTextError: for unknown words, for a form the grammar does not have, and for a text past the limits.
    """
    from lark import UnexpectedToken  # noqa: PLC0415 - importing the package must not cost a parser

    lexemes = scan(text, names)
    if not lexemes:
        raise RuleTextError(
            (locate(text, Span(0, 0), "这里是空的；请写一个表达式，如 宗地面积 不超过 100 亩"),)
        )
    try:
        raw = cast("Raw", _parser().parse(cast("Any", lexemes)))
    except UnexpectedToken as error:
        raise RuleTextError(
            (_unexpected(text, lexemes, error.token, error.accepts or error.expected),)
        ) from None
    if raw.depth > MAX_DEPTH:
        message = f"表达式嵌套 {raw.depth} 层，超过上限 {MAX_DEPTH}；请用“定义”拆成几个有名称的部分"
        raise RuleTextError((locate(text, raw.span, message),))
    if raw.size > MAX_NODES:
        message = f"表达式有 {raw.size} 个部分，超过上限 {MAX_NODES}；请用“定义”拆成几个有名称的部分"
        raise RuleTextError((locate(text, raw.span, message),))
    return raw


@cache
def _parser() -> Lark:
    from lark import Lark, Token  # noqa: PLC0415 - importing the package must not cost a parser
    from lark.lexer import Lexer  # noqa: PLC0415

    class Tokens(Lexer):
        """Hands Lark the tokens of `lexer.scan`."""

        def __init__(self, lexer_conf: object) -> None:
            pass

        def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:  # noqa: ARG002
            for item in lexer_state:
                yield Token(item.type, item.text, item.span.start, end_pos=item.span.end)

    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    shapes: dict[str, Callable[[list[Any]], Raw]] = {rule: partial(_shape, rule) for rule in _RULES}
    shapes["start"] = _root
    return Lark(grammar, parser="lalr", lexer=Tokens, transformer=cast("Any", SimpleNamespace(**shapes)))


def _shape(rule: str, children: list[Raw | Token]) -> Raw:
    leaves = tuple(map(_leaf, children))
    parts = tuple(leaf for leaf in leaves if leaf.rule not in _BRACKETS)
    depth = max(part.depth for part in parts) + (rule not in ("group", "members", "columns"))
    size = sum(part.size for part in parts) + (rule != "group")
    return Raw(rule, leaves[0].span.to(leaves[-1].span), "", parts, depth, size)


def _leaf(child: Raw | Token) -> Raw:
    if isinstance(child, Raw):
        return child
    return Raw(child.type, Span(child.start_pos or 0, child.end_pos or 0), str(child))


def _root(children: list[Raw | Token]) -> Raw:
    return _leaf(children[0])


_OPERAND = {"NAME", "NUMBER", "FUNCTION", "YES"}
_EXPECTED = (
    ({"UNIT"}, "表达式或单位"),
    (_OPERAND, "名称、数、日期或括号"),
    ({"SIGN"}, "比较词（如 不超过、等于、属于）"),
    ({"_PLUS"}, "+ − × ÷"),
    ({"_AND", "_OR"}, "“且”“或”"),
    ({"_THEN"}, "“则”"),
    ({"_ELSE"}, "“否则”"),
    ({"_BY"}, "“按”"),
    ({"_COMMA"}, "“、”"),
    ({"CLOSE"}, "右括号“）”"),
    ({"OPEN"}, "左括号“（”"),
    ({"RBRACE"}, "右花括号“}”"),
    ({"$END"}, "结束"),
)


def _unexpected(text: str, lexemes: list[Lexeme], token: Token, accepted: Iterable[str]) -> Problem:
    accepted = set(accepted)
    expected = _expected(accepted)
    if token.type == "$END":
        end = len(text.rstrip())
        return locate(
            text, Span(end, end), f"写到“{_source(text, lexemes[-1])}”就没有了；后面应当是{expected}"
        )
    span = Span(token.start_pos or 0, token.end_pos or 0)
    index = next(place for place, item in enumerate(lexemes) if item.span == span)
    found = _source(text, lexemes[index])
    where = f"“{_source(text, lexemes[index - 1])}”后面" if index else "开头"
    return locate(text, span, f"{where}不能接“{found}”；应当是{expected}{_hint(lexemes, index, accepted)}")


def _source(text: str, lexeme: Lexeme) -> str:
    return text[lexeme.span.start : lexeme.span.end]


def _expected(accepted: set[str]) -> str:
    if accepted <= {"NAME", "STRING", "MONTH"}:
        return "取值或列名"
    if accepted == {"LBRACE"}:
        return "花括号里的取值，如 {长期租赁、短期租赁}"
    names: list[str] = []
    for group, name in _EXPECTED:
        if group <= accepted:
            names.append(name)
            # What an operand may begin with is said already.
            accepted = accepted - {"OPEN", *_OPERAND} if group <= _OPERAND | {"UNIT"} else accepted
    return "、".join(names) or "别的写法"


def _hint(lexemes: list[Lexeme], index: int, accepted: set[str]) -> str:
    found = lexemes[index].type
    if found == "LBRACE" and index and lexemes[index - 1].type == "CONTAINS":
        return "。几个取值都要有，写 包含全部 {…}"
    if found == "UNIT" and "NUMBER" in accepted:
        return "。单位跟在数的后面，如 100 亩"
    if found in ("NAME", "NUMBER", "UNIT") and "_AND" in accepted:
        return "。若这是一个整体的取值，请加引号"
    return ""
