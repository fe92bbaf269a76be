"""Tables of the national land-market site: every quirk of what is published, on rows of our own."""

from __future__ import annotations

import csv
import io
import time
from datetime import date
from fractions import Fraction

import pytest

from fact_files import LAND_MARKET_HEADINGS, LAND_MARKET_ROW, land_market_csv, xls
from landrules.facts.read_records import read_records

TABLES = {"supply-results-wuhai-2012-2016.csv": 279, "supply-results-xinzhou-2012-2016.csv": 1376}


@pytest.fixture
def row(read):
    """Reads one row of our own with these changes."""

    def read_row(**changes):
        return read(land_market_csv(changes)).records[0]

    return read_row


def codes(notes):
    return [note.code for note in notes]


def test_a_clean_row_gives_its_facts_and_carries_the_rest(row, shown):
    record = row()
    values = {key: shown(record, key) for key in record.entries}
    assert values == {
        "district": "乌达区",
        "land_area": "2.5 公顷",
        "land_use": "工业",
        "land_use_class": "工业",
        "supply_mode": "出让",
        "acquisition_method": "挂牌",
        "grant_term": "50 年",
        "deal_price": "210 万元",
        "contract_sign_date": "2013-02-01",
    }
    assert record.notes == ()
    assert record.carried["土地级别"] == "五级"
    assert record.carried["批准单位"] == "示例人民政府"


@pytest.mark.parametrize("separator", [",", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_every_encoding_and_separator_of_the_site_is_read(read, shown, encoding, separator):
    record = read(land_market_csv({}, separator=separator).encode(encoding), "结果.txt").records[0]
    assert shown(record, "deal_price") == "210 万元"


def test_the_site_as_html_and_as_xls_is_read(read, shown):
    cells = [LAND_MARKET_ROW.get(name, "") for name in LAND_MARKET_HEADINGS]
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in (LAND_MARKET_HEADINGS, cells))
    page = "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
    for data in (page.encode("gb18030"), xls([LAND_MARKET_HEADINGS, cells])):
        assert shown(read(data, "结果.xls").records[0], "contract_sign_date") == "2013-02-01"


def test_the_table_is_recognised_once_a_file_with_its_unjudged_columns(read):
    reading = read(land_market_csv({}, {}, {}))
    (note,) = [note for note in reading.notes if note.code == "land-market-table"]
    assert note.severity == "info"
    for word in ("行业分类", "土地级别", "不是全国土地等别", "存量面积"):
        assert word in note.message


def test_a_fake_blank_date_is_missing_and_still_carried(row):
    record = row(合同签订日期="1900年01月01日")
    assert "contract_sign_date" not in record.entries
    assert record.carried["合同签订日期"] == "1900年01月01日"


@pytest.mark.parametrize("written", ["2017/1/3", "2017-01-03", "2017年01月03日"])
def test_dates_of_seven_and_ten_characters_are_days(row, written):
    assert row(合同签订日期=written).entries["contract_sign_date"].value == date(2017, 1, 3)


@pytest.mark.parametrize("written", ["8014年05月01日", "1188年05月01日"])
def test_an_incredible_year_is_an_error_of_that_fact(row, written):
    record = row(合同签订日期=written)
    assert record.entries["contract_sign_date"].state == "invalid"
    assert codes(record.notes) == ["bad-value"]


def test_an_incredible_year_in_a_carried_column_is_warned_of(row):
    record = row(约定竣工时间="8014年05月01日")
    assert codes(record.notes) == ["market-date"]
    assert record.carried["约定竣工时间"] == "8014年05月01日"


def test_a_price_of_four_zeros_is_missing(row):
    record = row(**{"成交价格(万元)": "0.0000"})
    assert "deal_price" not in record.entries
    assert record.carried["成交价格(万元)"] == "0.0000"


def test_a_grant_without_a_price_is_told_and_an_allocation_is_not(row):
    assert codes(row(**{"成交价格(万元)": ""}).notes) == ["market-no-price"]
    allocation = row(**{"成交价格(万元)": "", "供地方式": "划拨", "土地使用年限": ""})
    assert allocation.notes == ()
    assert allocation.entries["supply_mode"].value == "划拨"
    assert "grant_term" not in allocation.entries


@pytest.mark.parametrize(
    ("written", "months"), [("50", 600), ("50年", 600), ("17.8", "213.6"), ("39.5年", 474)]
)
def test_a_single_term_is_read_decimals_included(row, written, months):
    assert row(土地使用年限=written).entries["grant_term"].value == Fraction(months)


def test_a_term_of_zero_is_missing(row):
    record = row(土地使用年限="0")
    assert "grant_term" not in record.entries
    assert record.carried["土地使用年限"] == "0"
    assert codes(record.notes) == ["value-read-as"]


@pytest.mark.parametrize(
    "written",
    [
        "其他普通商品住房用地70年; 其他商服用地40",
        "其他商服用地40年; 其他普通商品住房用地70年;",
        "住宅70年，商业40年",
        "住宅70、商业40",
    ],
)
def test_terms_by_use_are_no_single_term_and_say_to_split_the_row(row, written):
    record = row(土地使用年限=written.replace(",", "，"))
    assert record.entries["grant_term"].state == "invalid"
    assert record.entries["grant_term"].text == written
    (note,) = record.notes
    assert (note.severity, note.code) == ("warning", "market-mixed-terms")
    assert "拆成多行" in note.message


@pytest.mark.parametrize(
    ("published", "mode", "method"),
    [
        ("划拨", "划拨", "划拨"),
        ("协议出让", "出让", "协议"),
        ("招标出让", "出让", "招标"),
        ("拍卖出让", "出让", "拍卖"),
        ("挂牌出让", "出让", "挂牌"),
    ],
)
def test_a_way_of_supply_is_split_into_mode_and_method(row, published, mode, method):
    entries = row(供地方式=published).entries
    assert (entries["supply_mode"].value, entries["acquisition_method"].value) == (mode, method)


def test_the_term_of_a_lease_is_not_taken_for_a_grant_term(row):
    record = row(供地方式="租赁", 土地使用年限="20")
    assert "grant_term" not in record.entries
    assert record.carried["土地使用年限"] == "20"
    assert codes(record.notes) == ["market-lease-term"]


def test_values_without_a_certain_meaning_are_carried_and_told_once_a_file(read):
    reading = read(land_market_csv({"土地用途": "科教用地"}, {"土地用途": "科教用地"}, {"供地方式": "其他"}))
    first, _, third = reading.records
    assert "land_use" not in first.entries
    assert first.carried["土地用途"] == "科教用地"
    assert third.carried["供地方式"] == "其他"
    messages = [note.message for note in reading.notes if note.code == "values-unmapped"]
    assert len(messages) == 2
    assert any("科教用地（2）" in message for message in messages)
    assert all(record.notes == () for record in reading.records)


@pytest.mark.parametrize(
    ("stock", "kind"),
    [
        ("2.500000", "现有建设用地"),
        ("0.000000", "新增建设用地"),
        ("1.000000", "新增建设用地（来自存量库）"),
        ("", None),
        ("3.000000", None),
    ],
)
def test_the_source_of_land_given_as_an_area_tells_its_kind(row, stock, kind):
    assert row(土地来源=stock).carried.get("土地来源（判读）") == kind


def test_the_local_price_grade_is_no_national_grade(row):
    record = row(土地级别="十三等级")
    assert record.carried["土地级别"] == "十三等级"
    assert "industrial_min_price" not in record.entries


@pytest.mark.parametrize(
    ("lower", "upper", "warned"),
    [
        ("2.00", "1.00", True),
        ("2.00", "0.00", False),
        ("0.00", "1.00", False),
        ("1.00", "1.00", False),
        ("", "1.00", False),
    ],
)
def test_plot_ratios_the_wrong_way_round_are_warned_of(row, lower, upper, warned):
    assert codes(row(约定容积率下限=lower, 约定容积率上限=upper).notes) == (
        ["market-far-bounds"] if warned else []
    )


def test_a_start_after_completion_is_warned_of_unless_a_date_is_a_placeholder(row):
    assert codes(row(约定开工时间="2015年06月02日").notes) == ["market-start-after-end"]
    assert row(约定竣工时间="1900年01月01日").notes == ()


def test_supervision_numbers_name_a_row_only_where_they_are_unique(read):
    numbers = ["1503042013B00007", "1503042013B00007", "1503042013B00007-1", ""]
    reading = read(land_market_csv(*({"电子监管号": number} for number in numbers)))
    assert [record.id for record in reading.records] == ["行2", "行3", "1503042013B00007-1", "行5"]
    assert [record.carried.get("电子监管号", "") for record in reading.records] == numbers
    assert "ids-repeated" in codes(reading.notes)


def test_columns_that_people_add_to_the_table_keep_the_meaning_of_the_vocabulary(read, shown):
    text = (
        land_market_csv({})
        .replace("合同签订日期\r\n", "合同签订日期,行为日期,项目类型\r\n")
        .replace("2013年02月01日\r\n", "2013年02月01日,2023-06-01,工业项目\r\n")
    )
    record = read(text).records[0]
    assert shown(record, "action_date") == "2023-06-01"
    assert shown(record, "project_type") == "工业项目"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_published_tables_are_read_without_loss(shared, vocabulary, name):
    path = shared / "data" / "landchina" / name
    started = time.process_time()
    reading = read_records(path, vocabulary)
    took = time.process_time() - started
    assert took < 1.5
    source = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(reading.records) == len(source) == TABLES[name]
    assert len({record.id for record in reading.records}) == len(source)
    for record, published in zip(reading.records, source, strict=True):
        kept = [*(entry.text for entry in record.entries.values()), *record.carried.values()]
        for heading, cell in published.items():
            assert not cell or cell.strip() in kept, (record.place, heading, cell)
    assert not [note for note in reading.all_notes() if note.severity == "error"]
