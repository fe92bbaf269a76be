"""Texts cut at their numbering, and clauses found by the notations of the clause indexes. The texts are our own."""

from __future__ import annotations

import io
import zipfile

import pytest

from landrules.engine.source_text import locate, number_of, parse_document, read_document
from landrules.facts.notes import InputError

PLAN = """\
某市人民政府文件
某政发〔2023〕1号
各县区人民政府，市政府各部门：
现将《某市供地办法》印发给你们。请认真执行。
本通知自印发之日起施行。
某市人民政府
2023年3月2日
某市供地办法
为了规范供地，制定本办法。
一、目标
让土地用得其所。
二、措施
以下各项，一并落实。
（一）供应。
1.长期租赁不超过20年。
其中工业用地优先。
2．弹性年期出让不超过三十年。
- 3 -
(二)存量
1、清理闲置土地。
四、阶段
活动分两个阶段。
第一阶段：动员（3月底前）。开会。
第二阶段：总结（12月）。写报告。
附件：工作机制
附件
工作机制
一、总则
按清单办。
二、机制
（一）分工。各负其责。
（二）清单。按月报送。
抄送：省自然资源厅。
"""
ARTICLES = """\
第一章 总则
第一条 为了规范供地，制定本办法。
第二条 供地方式
产业用地可以长期租赁。
租赁的不超过20年。
第二章 附则
第三条 有下列情形之一的，可以延期：
（一）不可抗力；
（二）政府原因。
"""


@pytest.mark.parametrize(
    ("clause", "start", "end"),
    [
        ("序言", "为了规范供地", "制定本办法。"),
        ("通知正文", "现将", "施行。"),
        ("通知正文第一段", "现将", "认真执行。"),
        ("通知正文第二段", "本通知自", "施行。"),
        ("一", "一、目标", "用得其所。"),
        ("二（导语）", "以下各项", "一并落实。"),
        ("二（各项）", "二、措施", "清理闲置土地。"),
        ("二（一）1", "1.长期租赁", "工业用地优先。"),
        ("二（一）2", "2．弹性", "三十年。"),
        ("二(二)1", "1、清理", "闲置土地。"),
        ("四第一阶段", "第一阶段", "开会。"),
        ("四（导语）", "活动分", "两个阶段。"),
        ("四第二阶段", "第二阶段", "写报告。"),
        ("附件", "附件", "按月报送。"),
        ("附件一", "一、总则", "按清单办。"),
        ("附件二（二）", "（二）清单", "按月报送。"),
        ("抄送", "抄送", "自然资源厅。"),
        ("二（一）、二（二）", "（一）供应", "清理闲置土地。"),
    ],
)
def test_clauses_of_a_plan_are_found(clause: str, start: str, end: str) -> None:
    found = locate(parse_document(PLAN), clause)
    assert found is not None
    assert found.startswith(start)
    assert found.endswith(end)


@pytest.mark.parametrize(
    "clause", ["三", "二（一）3", "二（三）1", "第一条", "通知正文第三段", "附件三", "乙", ""]
)
def test_what_is_not_there_is_not_found(clause: str) -> None:
    assert locate(parse_document(PLAN), clause) is None


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("第一条", "第一条 为了规范供地，制定本办法。"),
        ("第1条第1款", "第一条 为了规范供地，制定本办法。"),
        ("第二条标题", "第二条 供地方式"),
        ("第二条第一款", "产业用地可以长期租赁。"),
        ("第2条第二款", "租赁的不超过20年。"),
        ("第三条第（二）项", None),
        ("第三条第二项", "（二）政府原因。"),
        ("第三条第一款", "第三条 有下列情形之一的，可以延期：\n（一）不可抗力；\n（二）政府原因。"),
    ],
)
def test_articles_have_paragraphs_and_points(clause: str, expected: str | None) -> None:
    assert locate(parse_document(ARTICLES), clause) == expected


def wrapped(text: str, width: int = 40) -> str:
    """The text as it comes from a page: every paragraph indented by two characters and cut into lines."""
    lines = []
    for paragraph in text.splitlines():
        line = "　　"
        for char in paragraph:
            if sum(1 if known.isascii() else 2 for known in line) >= width:
                lines.append(line)
                line = ""
            line += char
        lines.append(line)
    return "\n\n".join(lines)


def test_lines_cut_to_fit_a_page_are_put_together() -> None:
    article = "市县两级应当在每年年初编制年度供地计划并报上一级备案后向社会公布执行情况"
    first = (
        "计划应当与国土空间规划相衔接，优先保障重点项目，兼顾民生需要和生态保护的要求。" * 3
        + "未列入的不供地。"
    )
    second = "调整计划的程序与编制相同，经原机关批准后公布，并说明调整的理由和依据以及影响。" * 3
    text = wrapped("\n".join([f"第一条 {article}", first, second, f"第二条 {article}", second, first] * 4))
    parsed = parse_document(text)
    assert parsed.width == 40
    assert locate(parsed, "第一条第一款") == first
    assert locate(parsed, "第一条第二款") == second
    assert locate(parsed, "第二条第三款") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("一", 1),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("九十九", 99),
        ("一百零三", 103),
        ("两", 2),
        ("17", 17),
    ],
)
def test_numbers_of_clauses(text: str, number: int) -> None:
    assert number_of(text) == number


# --- files ----------------------------------------------------------------------------------------------------


def docx(*paragraphs: str, head: str = "") -> bytes:
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    content = f'<?xml version="1.0"?>{head}<w:document xmlns:w="{name}"><w:body>{body}</w:body></w:document>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data", [PLAN.encode(), PLAN.encode("gb18030"), PLAN.encode("utf-8-sig"), docx(*PLAN.splitlines())]
)
def test_the_same_text_in_several_files(data: bytes) -> None:
    assert locate(parse_document(read_document(data, "办法")), "二（一）2") == "2．弹性年期出让不超过三十年。"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7 ...", "source-kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "source-kind"),
        (b"PK\x03\x04 not an archive", "source-kind"),
        (docx("一、目标", head="<!DOCTYPE x>"), "source-entities"),
    ],
    ids=["pdf", "doc", "archive", "entities"],
)
def test_what_is_no_text_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_document(data, "办法")
    assert caught.value.notes[0].code == code
