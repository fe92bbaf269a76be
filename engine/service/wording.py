"""Says pydantic's complaints in Chinese, with a path to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["chinese", "pointer", "where"]

_SIMPLE = {
    "missing": "缺这一项",
    "extra_forbidden": "不认识这一项",
    "string_type": "应是文字",
    "int_type": "应是整数",
    "int_parsing": "应是整数",
    "int_from_float": "应是整数",
    "float_type": "应是数字",
    "float_parsing": "应是数字",
    "finite_number": "应是有限的数",
    "bool_type": "应是 true 或 false",
    "bool_parsing": "应是 true 或 false",
    "date_type": "应是日期，如 2023-06-01",
    "date_parsing": "应是日期，如 2023-06-01",
    "date_from_datetime_parsing": "应是日期，如 2023-06-01",
    "date_from_datetime_inexact": "应是日期，如 2023-06-01，不带时刻",
    "datetime_type": "应是时间，如 2023-06-01T09:00:00+08:00",
    "datetime_parsing": "应是时间，如 2023-06-01T09:00:00+08:00",
    "datetime_from_date_parsing": "应是时间，如 2023-06-01T09:00:00+08:00",
    "timezone_aware": "时间应带时区，如 2023-06-01T09:00:00+08:00",
    "dict_type": "应是 {名称: 值} 的映射",
    "list_type": "应是列表",
    "tuple_type": "应是列表",
    "model_type": "应是 {名称: 值} 的映射",
    "model_attributes_type": "应是 {名称: 值} 的映射",
    "path_type": "应是路径",
    "string_unicode": "含有无法写出的字符（半个代理对）",
    "string_pattern_mismatch": "写法不合要求",
    "json_invalid": "不是有效的 JSON",
}


def chinese(problem: Any) -> str:
    """One problem of `ValidationError.errors()` as a Chinese sentence; the value itself is not repeated."""
    kind, context = problem["type"], problem.get("ctx", {})
    match kind:
        case "value_error" | "assertion_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"应是 {context['expected']} 之一".replace(" or ", "、")
        case "greater_than_equal":
            return f"不能小于 {context['ge']}"
        case "greater_than":
            return f"应大于 {context['gt']}"
        case "less_than_equal":
            return f"不能大于 {context['le']}"
        case "less_than":
            return f"应小于 {context['lt']}"
        case "string_too_short" | "too_short":
            return "不能是空的" if context["min_length"] == 1 else f"至少 {context['min_length']} 个"
        case "string_too_long" | "too_long":
            return f"太长，至多 {context['max_length']} 个"
        case _:
            return _SIMPLE.get(kind, "写法不对")


def where(location: Sequence[int | str]) -> str:
    """`rulesets 第 2 项`."""
    return " ".join(f"第 {part + 1} 项" if isinstance(part, int) else str(part) for part in location)


def pointer(location: Sequence[int | str]) -> str:
    """The location as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
