from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from landrules.engine.findings.model import Report, RulesetUsed
from landrules.engine.report.html import render_html
from sample_report import HOSTILE, clean_report, lease_violated, record, sample_report
from snapshots import matches

EXPECTED = Path(__file__).parent / "expected"
_VOID = {"meta", "input", "br", "link", "img", "hr"}


class _Outline(HTMLParser):
    """Notes every element and complains where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data


def outline(report: Report) -> _Outline:
    parser = _Outline()
    parser.feed(render_html(report))
    parser.close()
    assert parser.open == []
    return parser


def test_page_is_as_expected() -> None:
    matches(render_html(sample_report()), EXPECTED / "sample.html")


@pytest.mark.parametrize("report", [sample_report(), clean_report(), replace(sample_report(), records=())])
def test_tags_match_and_ids_are_unique(report: Report) -> None:
    ids = [attributes["id"] for _, attributes in outline(report).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_links_lead_somewhere() -> None:
    elements = outline(sample_report()).elements
    ids = {attributes.get("id") for _, attributes in elements}
    links = [attributes["href"] for tag, attributes in elements if tag == "a"]
    assert links
    assert all(link is not None and link.removeprefix("#") in ids for link in links)


def test_page_loads_nothing_from_elsewhere() -> None:
    page = render_html(sample_report())
    assert not re.search(r"\bsrc=|@import|url\(|https?://|<(?:link|img|iframe|object)\b", page)
    assert all(target.startswith("#") for target in re.findall(r"href=[\"']?([^\"'>]*)", page))


def test_only_the_script_of_the_page_may_run() -> None:
    page = render_html(sample_report())
    policy = re.search(r"script-src 'sha256-([^']+)'", page)
    assert policy is not None
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts] == [
        policy[1]
    ]


@pytest.mark.parametrize(
    "attack",
    [
        HOSTILE,
        "</details></table><img src=x onerror=alert(1)>",
        '"><svg onload=alert(1)>',
        "{{ 7*7 }}{% raw %}",
        "'--></style>",
    ],
)
def test_text_from_records_stays_text(attack: str) -> None:
    finding = replace(lease_violated(), message=attack, title=attack, clause=attack)
    hostile = replace(
        record(1, finding), id=attack, carried={"项目名称": attack, attack: attack}, error=attack
    )
    rulesets = (RulesetUsed("wuhai-2023-5", attack, attack, attack, attack, attack),)
    report = replace(sample_report(), records=(hostile,), rulesets=rulesets, engine=attack)
    harmless = outline(
        replace(report, records=(record(1, lease_violated()),), rulesets=sample_report().rulesets)
    )
    found = outline(report)
    tags = {tag for tag, _ in found.elements}
    assert tags <= {tag for tag, _ in harmless.elements} | {"p", "div"}
    assert not {name for _, attributes in found.elements for name in attributes if name.startswith("on")}
    assert "49" not in found.text or "{{ 7*7 }}" in found.text


def test_page_is_readable_by_assistive_technology() -> None:
    elements = outline(sample_report()).elements
    tags = [tag for tag, _ in elements]
    assert elements[0] == ("html", {"lang": "zh-CN"})
    assert tags.count("h1") == 1
    assert "main" in tags
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in elements if tag == "th")


def test_filter_is_hidden_until_the_script_runs() -> None:
    assert ("form", {"class": "filter", "hidden": None}) in outline(sample_report()).elements


def test_records_with_violations_come_first_and_open() -> None:
    records = [
        attributes
        for tag, attributes in outline(sample_report()).elements
        if tag == "details" and "id" in attributes
    ]
    assert [attributes["id"] for attributes in records[:3]] == ["r1", "r2", "r8"]
    assert ["open" in attributes for attributes in records] == [True] * 3 + [False] * 5


def test_many_records_stay_closed() -> None:
    report = replace(
        sample_report(), records=tuple(record(number, lease_violated()) for number in range(1, 200))
    )
    records = [
        attributes for tag, attributes in outline(report).elements if tag == "details" and "id" in attributes
    ]
    assert len(records) == 199
    assert not any("open" in attributes for attributes in records)


def test_every_printed_page_names_the_versions() -> None:
    page = render_html(sample_report())
    margin = re.search(r'@bottom-left \{ content: "([^"]*)"', page)
    assert margin is not None
    assert "landrules 0.1.0" in margin[1]
    assert "0123456789ab" in margin[1]
    assert "aaaabbbbcccc" in margin[1]


def test_signatures_are_left_blank() -> None:
    text = outline(sample_report()).text
    assert all(role in text for role in ("经办人", "科（股）长", "分管领导"))


def test_it_never_speaks_of_an_approval() -> None:
    assert not re.search("审批|批准|审查通过", outline(sample_report()).text)
