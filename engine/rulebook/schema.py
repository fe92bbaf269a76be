"""What each file of a ruleset folder may hold, as pydantic models; errors in Chinese, with their place.

Files are read as text (`reading`), so every field here starts from text, a list, a mapping or None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from landrules.engine.rulebook.model import Kind, Modality, Strength
from landrules.engine.rulebook.reading import Source
from landrules.facts.notes import Note
from landrules.facts.values import suggest

__all__ = [
    "AmbiguityForm",
    "ClauseForm",
    "ClausesFile",
    "ConfigurationFile",
    "ConfiguredForm",
    "DeadlineForm",
    "DistrictForm",
    "DocumentFile",
    "EffectiveForm",
    "ParameterForm",
    "ParametersFile",
    "PeriodForm",
    "RuleForm",
    "RulesFile",
    "check",
]


def _day(value: object) -> object:
    if value is None or isinstance(value, date):
        return value
    text = str(value)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise PydanticCustomError("day", "应是 2023-06-01 样式的日期", {})


def _truth(value: object) -> object:
    if isinstance(value, bool):
        return value
    if value in ("true", "是"):
        return True
    if value in ("false", "否"):
        return False
    raise PydanticCustomError("truth", "应填 true 或 false", {})


def _present(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "不能是空白", {})
    return value.strip()


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", value):
        raise PydanticCustomError("identifier", "应是小写英文字母、数字和连字符，如 lease-term-max-20y", {})
    return value


def _code(value: str) -> str:
    if value and not re.fullmatch(r"\d{6}", value):
        raise PydanticCustomError("code", "应是 6 位行政区划代码，不知道的留空", {})
    return value


def _blank_as_text(value: object) -> object:
    return "" if value is None else value


def _blank_as_list(value: object) -> object:
    return [] if value is None else value


def _blank_as_mapping(value: object) -> object:
    return {} if value is None else value


def _dated(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) else {"value": item} for item in items]


_DAY_SCHEMA = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$"}
Text = Annotated[str, AfterValidator(_present)]
OptionalText = Annotated[str, BeforeValidator(_blank_as_text)]
Texts = Annotated[list[Text], BeforeValidator(_blank_as_list)]
Day = Annotated[date | None, BeforeValidator(_day), WithJsonSchema(_DAY_SCHEMA)]
RequiredDay = Annotated[date, BeforeValidator(_day), WithJsonSchema({**_DAY_SCHEMA, "type": "string"})]
Truth = Annotated[bool, BeforeValidator(_truth), WithJsonSchema({"type": "boolean"})]
Identifier = Annotated[str, AfterValidator(_identifier)]
Code = Annotated[
    str,
    BeforeValidator(_blank_as_text),
    AfterValidator(_code),
    WithJsonSchema({"type": ["string", "integer", "null"], "pattern": r"^(\d{6})?$"}),
]


class _Form(BaseModel):
    # Built when first used: building them at import costs a tenth of a second in every command.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PeriodForm(_Form):
    """A period with the reason for it."""

    from_: Day = Field(None, alias="from", description="第一天（含），不限的留空")
    to: Day = Field(None, description="最后一天（含），不限的留空")
    why: OptionalText = Field("", description="为什么这段时间的效力不确定")


class EffectiveForm(_Form):
    """From when to when a document is in force, and what of that is our presumption."""

    from_: Day = Field(None, alias="from", description="施行日（含），不限的留空")
    to: Day = Field(None, description="失效日（含），不限的留空")
    basis: OptionalText = Field("", description="起止日的依据")
    presumed: OptionalText = Field("", description="起止日中哪些是推定的；条文写明的留空")
    uncertain: Annotated[list[PeriodForm], BeforeValidator(_blank_as_list)] = Field(
        default_factory=list, description="效力不确定的时段，落入的一律待补充"
    )


class DistrictForm(_Form):
    """A county-level place that the document binds."""

    name: Text = Field(description="县级行政区全称")
    code: Code = Field("", description="6 位行政区划代码，不知道的留空")
    aliases: Texts = Field(default_factory=list, description="旧名、简称、按本地处理的功能区")


class JurisdictionForm(_Form):
    """The places a document binds."""

    province: Text = Field(description="省、自治区、直辖市全称")
    city: Text = Field(description="地级市全称")
    city_code: Code = Field("", description="地级市的 6 位代码")
    districts: list[DistrictForm] = Field(min_length=1, description="本文件约束的县级行政区，市本级也列出")


class DocumentFile(_Form):
    """`document.yaml`: what the document is, when and where it binds."""

    id: Identifier = Field(description="规则集标识，与文件夹同名")
    title: Text = Field(description="文件标题")
    number: Text | None = Field(description="文号，没有的填 null")
    issuer: Text = Field(description="发文机关")
    issue_date: Day = Field(description="印发日，没有的填 null")
    effective: EffectiveForm
    jurisdiction: JurisdictionForm
    doc_type: OptionalText = Field("", description="文件类型和约束力")
    source: OptionalText = Field("", description="文本来源")
    references: Texts = Field(default_factory=list, description="所依据、引用的文件")
    notes: Texts = Field(default_factory=list, description="使用者须知道的事")


class ClauseForm(_Form):
    """One entry of the clause index."""

    id: Identifier = Field(description="条目标识，有规则的与规则同名")
    clause: Text = Field(description="条号，如 二（三）2")
    topic: Text = Field(description="事项")
    summary: Text = Field(description="转述，不抄原文")
    actor: OptionalText = Field("", description="责任主体")
    subject: OptionalText = Field("", description="填报表")
    modality: Modality
    strength: Strength
    checkable: Kind = Field(description="rule 单件、aggregate 统计、deadline 期限、process 程序、none 不可判")
    reason: OptionalText = Field("", description="没有规则的原因")
    related: Texts = Field(default_factory=list, description="关联条目")


class ClausesFile(_Form):
    """`clauses.yaml`: the index of all clauses of the document."""

    entries: list[ClauseForm] = Field(min_length=1)


class ParameterForm(_Form):
    """A value of a parameter in a period."""

    value: Annotated[str | None, WithJsonSchema({"type": ["string", "number", "boolean", "null"]})] = Field(
        description="数值连单位、日期、是否或文字；文件留空的填 null"
    )
    unit: OptionalText = Field("", description="留空数值的单位，如 亩；有数值的写在数值后面")
    from_: Day = Field(None, alias="from", description="这个值从哪天起（含）")
    to: Day = Field(None, description="这个值到哪天止（含）")
    basis: OptionalText = Field("", description="依据的条款或文件")
    meaning: OptionalText = Field("", description="参数说明")


Parameters = Annotated[
    dict[str, Annotated[list[ParameterForm], BeforeValidator(_dated)]], BeforeValidator(_blank_as_mapping)
]


class ParametersFile(_Form):
    """`parameters.yaml`: parameters and definitions that several rules of the document share."""

    parameters: Parameters = Field(default_factory=dict, description="共用参数：名称 → 数值")
    definitions: Annotated[dict[str, dict[str, Text]], BeforeValidator(_blank_as_mapping)] = Field(
        default_factory=dict, description="共用说法：填报表 → 名称 → 表达式"
    )


class DeadlineForm(_Form):
    """期限: by when what has to be done."""

    due: Text = Field(description="期限末日，表达式")
    done: Text = Field(description="办结日，日期事实")
    done_flag: OptionalText = Field("", description="是否已办结，是否类事实")


class RuleEffectiveForm(_Form):
    """The days of one version of a rule, where they differ from the document's."""

    from_: Day = Field(None, alias="from", description="本版本第一天（含），缺省同文件")
    to: Day = Field(None, description="本版本最后一天（含），缺省同文件")
    basis: OptionalText = Field("", description="起止日的依据")


class AmbiguityForm(_Form):
    """An open reading and the default taken."""

    issue: Text = Field(description="歧义")
    default: Text = Field(description="默认口径")


class RuleForm(_Form):
    """One rule, or one version of it."""

    id: Identifier = Field(description="规则标识，与条款索引的条目同名")
    title: Text = Field(description="规则名称")
    clause: Text = Field(description="条号")
    subject: Text = Field(description="填报表，名称或 key")
    modality: Modality
    strength: Strength
    checkable: Literal["rule", "aggregate", "deadline", "process"] = Field(description="判定方式")
    flagship: Truth = Field(False, description="重点条款")
    effective: RuleEffectiveForm = Field(
        default_factory=RuleEffectiveForm, description="本版本的起止日，缺省同文件"
    )
    gate_fact: OptionalText = Field(
        "", description="决定适用哪天法律的日期事实，缺省行为日期；none 为不看日期"
    )
    parameters: Parameters = Field(default_factory=dict, description="参数：名称 → 数值")
    when: Text = Field(description="适用条件")
    exclude: OptionalText = Field("", description="适用除外")
    require: OptionalText = Field("", description="合规要求")
    deadline: DeadlineForm | None = Field(None, description="期限要求，与合规要求同时成立")
    unless: OptionalText = Field("", description="条文写明的例外，与要求择一")
    deviation: Literal["closed"] | None = Field(None, description="closed：一般偏离理由不能放行")
    derived: OptionalText = Field("", description="超出条文字面的部分，展示结论时注明")
    boundary: OptionalText = Field("", description="边界说明")
    consequence: OptionalText = Field("", description="后果说明")
    ambiguity: Annotated[list[AmbiguityForm], BeforeValidator(_blank_as_list)] = Field(
        default_factory=list, description="歧义和默认口径"
    )
    related: Texts = Field(default_factory=list, description="关联规则")
    exception_to: Texts = Field(default_factory=list, description="本条适用并符合时，这些规则不再适用")
    conflicts: Texts = Field(default_factory=list, description="与其他规定不一致之处，结论旁并列展示")


class RulesFile(_Form):
    """`rules.yaml` or a file under `rules/`."""

    rules: list[RuleForm] = Field(min_length=1)


class ConfiguredForm(_Form):
    """A value that a place fixes by a document."""

    fact: Text = Field(description="事实，名称或 key")
    value: Text = Field(description="数值连单位")
    place: Text = Field(description="县级行政区或地级市")
    from_: RequiredDay = Field(alias="from", description="从哪天起（含）")
    to: Day = Field(None, description="到哪天止（含），不限的留空")
    document: Text = Field(description="依据文件的文号")
    confirmed_by: Text = Field(description="谁核对的")
    date: RequiredDay = Field(description="核对日期")
    note: OptionalText = Field("", description="说明")


class ConfigurationFile(_Form):
    """A place configuration: figures that documents leave to the place."""

    values: list[ConfiguredForm] = Field(min_length=1)


Form = TypeVar("Form", bound=_Form)


def check(source: Source, form: type[Form], problems: list[Note]) -> Form | None:
    """The file's content as a form; None, with every problem noted, when it does not fit."""
    try:
        return form.model_validate(source.content)
    except ValidationError as error:
        problems.extend(_note(source, form, detail) for detail in error.errors(include_url=False))
        return None


def _note(source: Source, form: type[_Form], detail: ErrorDetails) -> Note:
    where = tuple(step for step in detail["loc"] if step != "[key]")
    name = next((str(step) for step in reversed(where) if isinstance(step, str)), "")
    return Note(
        "error",
        f"schema-{_CODES.get(detail['type'], 'value')}",
        _message(form, detail, name),
        source.place(where),
    )


_CODES = {"missing": "missing", "extra_forbidden": "unknown-key", "literal_error": "choice"}


def _message(form: type[_Form], detail: ErrorDetails, name: str) -> str:
    context = detail.get("ctx") or {}
    match detail["type"]:
        case "missing":
            return f"缺少“{name}”（{_meaning(form, name)}）；请补上"
        case "extra_forbidden":
            near = suggest(name, sorted(_known_keys(form)))
            hint = f"是否指{near}？" if near else "请删去，或对照说明检查拼写。"
            return f"没有“{name}”这一项；{hint}"
        case "literal_error":
            allowed = (
                str(context.get("expected", "")).replace("'", "").replace(" or ", "、").replace(", ", "、")
            )
            return f"“{name}”不能是“{_shown(detail['input'])}”；可填：{allowed}"
        case "string_type":
            return f"“{name}”应是一段文字，现为{_shape(detail['input'])}；请改填，含“: ”或“ #”的文字加引号"
        case "list_type":
            return f"“{name}”应是列表（每项前写“- ”），现为{_shape(detail['input'])}；请改写"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"“{name or '文件'}”应是“键: 值”的映射，现为{_shape(detail['input'])}；请检查缩进"
        case "too_short":
            return f"“{name}”至少要有一项；请补上"
        case "day" | "truth" | "blank" | "identifier" | "code":
            return f"“{name}”{detail['msg']}，现为“{_shown(detail['input'])}”；请改填"
        case _:
            return f"“{name}”填写不当（{detail['msg']}）；请改填"


def _shown(value: object) -> str:
    return "空" if value is None else str(value)[:40]


def _shape(value: object) -> str:
    if value is None:
        return "空"
    if isinstance(value, dict):
        return "映射"
    return "列表" if isinstance(value, list) else f"“{_shown(value)}”"


def _known_keys(form: type[_Form]) -> set[str]:
    return {field for schema in _objects(form) for field in schema}


def _meaning(form: type[_Form], name: str) -> str:
    return next((schema[name] for schema in _objects(form) if schema.get(name)), "必填")


def _objects(form: type[_Form]) -> Iterable[Mapping[str, str]]:
    """The fields (as written) and their descriptions of the form and of all forms inside it."""
    schema: dict[str, Any] = form.model_json_schema()
    for part in [schema, *schema.get("$defs", {}).values()]:
        yield {name: field.get("description", "") for name, field in part.get("properties", {}).items()}
