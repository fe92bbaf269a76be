"""Tables into records: headings, units, sheets, doubled columns, rows that are none, merged cells, formulas."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fact_files import xls, xlsx
from landrules.facts.read_records import read_bytes
from landrules.facts.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()


def codes(notes, *severities):
    return [note.code for note in notes if not severities or note.severity in severities]


# --- headings and units ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell", "expected"),
    [
        ("宗地面积", "6.5", "6.5 公顷"),
        ("land_area", "6.5", "6.5 公顷"),
        ("面积(公顷)", "6.5", "6.5 公顷"),
        ("面积", "6.5", "6.5 公顷"),
        ("面积（亩）", "100", "6.666667 公顷"),
        ("面积（单位：平方米）", "66,666.67", "6.666667 公顷"),
        ("面积[㎡]", "６６６６６．６７", "6.666667 公顷"),
        ("宗 地\n面 积*（必填）", "6.5", "6.5 公顷"),
        ("★宗地面积(亩)", "15", "1 公顷"),
        ("面积_公顷", "6.5", "6.5 公顷"),
        ("面积(公顷)", "15 亩", "1 公顷"),
        ("面积(亩)", "1 公顷", "1 公顷"),
    ],
)
def test_an_area_is_read_in_the_unit_of_its_cell_or_heading(read, shown, heading, cell, expected):
    quoted = heading.replace('"', '""')
    record = read(f'地块编号,"{quoted}","出让年限（年）"\nA,"{cell}",50\n').records[0]
    assert shown(record, "land_area") == expected


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("出让底价（万元/亩）", "5"),
        ("出让底价 万元/亩", "5"),
        ("出让底价万元/亩", "5"),
        ("出让底价(元/㎡)", "75"),
        ("出让底价（元／平方米）", "75"),
        ("出让底价", "75"),
        ("出让底价", "5万元/亩"),
        ("出让底价", "75 万元/公顷"),
        ("出让底价（单价）", "75"),
        ("底价（元/亩）", "50000"),
    ],
)
def test_a_price_is_read_in_three_units_to_the_same_value(read, shown, heading, cell):
    record = read(f"地块编号,{heading}\nA,{cell}\n").records[0]
    assert shown(record, "reserve_price") == "75 元/平方米"


def test_a_term_in_a_heading_with_a_slash_is_read(read, shown):
    assert shown(read("地块编号,租期/年\nA,20\n").records[0], "lease_term") == "20 年"
    assert shown(read("地块编号,租期/月\nA,240\n").records[0], "lease_term") == "20 年"


def test_a_bracket_that_changes_the_meaning_makes_the_column_unknown(read):
    reading = read("地块编号,宗地面积（含代征道路）,租期\nA,7,20\n")
    assert codes(reading.notes) == ["unknown-column"]
    assert reading.records[0].carried == {"地块编号": "A", "宗地面积（含代征道路）": "7"}
    assert "宗地面积" in reading.notes[0].message


def test_an_unknown_column_is_reported_with_its_place_and_a_suggestion_and_carried_along(read):
    reading = read("地块编号,租赁年数,出让年期\nA,20,50\n")
    (note,) = reading.notes
    assert note.severity == "warning"
    assert note.place.file == "计划.csv"
    assert note.place.column == "租赁年数"
    assert "是否指" in note.message
    assert reading.records[0].carried["租赁年数"] == "20"


def test_a_heading_row_further_down_is_found(read, shown):
    rows = [["某市供地计划"], [], ["编制单位：某局", None, "2023年5月"], *[[f"说明{n}"] for n in range(12)]]
    rows += [["地块编号", "面积(公顷)", "租赁期限(年)"], ["A", 3, 20]]
    record = read(xlsx(rows, merges=["A1:C1"]), "a.xlsx").records[0]
    assert shown(record, "lease_term") == "20 年"
    assert record.place.row == len(rows)


def test_headings_merged_over_two_rows_are_joined_with_their_parents(read, shown):
    rows = [
        ["供地计划"],
        ["地块编号", "面积", None, "租赁", None, "出让底价"],
        [None, "公顷", "亩", "期限（年）", "起始日", None],
        ["A", 6.6667, 100.0, 20, "2023-06-01", "84元/㎡"],
    ]
    merges = ["A1:F1", "A2:A3", "B2:C2", "D2:E2", "F2:F3"]
    reading = read(xlsx(rows, merges=merges), "a.xlsx")
    record = reading.records[0]
    assert shown(record, "land_area") == "6.6667 公顷"
    assert shown(record, "lease_term") == "20 年"
    assert shown(record, "reserve_price") == "84 元/平方米"
    assert record.carried["租赁起始日"] == "2023-06-01"
    assert codes(reading.notes) == ["unknown-column", "unit-read-as", "columns-agree"]


def test_a_row_of_units_below_the_headings_gives_the_units(read, shown):
    record = read("地块编号,面积,出让底价,租期\n,亩,（万元/亩）,年\nA,15,5,20\n").records[0]
    assert (shown(record, "land_area"), shown(record, "reserve_price")) == ("1 公顷", "75 元/平方米")


def test_a_unit_of_another_kind_is_an_error_that_says_what_to_do(read):
    record = read("地块编号,出让底价（万元）\nA,5\n").records[0]
    assert record.entries["reserve_price"].state == "invalid"
    (note,) = record.notes
    assert (note.place.row, note.place.column) == (2, "出让底价（万元）")
    assert "请改用" in note.message


# --- kinds of files -------------------------------------------------------------------------------------------------

TABLE = "地块编号,项目名称,租赁期限(年)\r\nA,甲、乙项目,20\r\nB,丙项目,25\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_a_text_table_is_read_in_each_encoding(read, encoding):
    records = read(TABLE.encode(encoding)).records
    assert [record.carried["项目名称"] for record in records] == ["甲、乙项目", "丙项目"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_text_table_is_read_with_each_separator(read, separator):
    records = read(TABLE.replace(",", separator), "a.txt").records
    assert [record.entries["lease_term"].value for record in records] == [240, 300]


def test_quoted_cells_may_hold_separators_quotation_marks_and_line_ends(read):
    reading = read('地块编号,项目名称,租期\nA,"甲, ""乙""\n丙",20\nB,5"管,21\nC,丁,22\n')
    assert [record.carried["项目名称"] for record in reading.records] == ['甲, "乙"\n丙', '5"管', "丁"]
    assert [record.place.row for record in reading.records] == [2, 4, 5]


def test_a_quotation_mark_never_closed_spoils_only_its_line(read):
    lines = [f"N{n},项目{n},{n}" for n in range(1, 80)]
    reading = read('地块编号,项目名称,租期\nA,"没有结束,20\n' + "\n".join(lines))
    assert len(reading.records) == 80
    assert codes(reading.notes) == ["unclosed-quote"]
    assert reading.notes[0].place.row == 2


def test_a_workbook_that_is_really_html_is_read_as_html_and_says_so(read, shown):
    page = """<html><head><meta charset="gb2312"></head><body><table border=1>
    <tr><th rowspan=2>地块编号</th><th colspan=2>面积</th><th rowspan=2>租期（年）</th></tr>
    <tr><td>公顷<td>亩</tr>
    <tr><td>A</td><td>1.0000</td><td>15.00</td><td>20&nbsp;</td></tr>
    </table></body></html>"""
    reading = read(page.encode("gb18030"), "计划.xls")
    assert shown(reading.records[0], "land_area") == "1 公顷"
    assert shown(reading.records[0], "lease_term") == "20 年"
    assert "kind-differs" in codes(reading.notes, "info")


def test_a_workbook_that_is_really_csv_is_read_as_csv_and_says_so(read):
    reading = read(TABLE.encode("gb18030"), "计划.xlsx")
    assert len(reading.records) == 2
    assert codes(reading.notes) == ["kind-differs"]


def test_an_old_xls_workbook_is_read(read, shown):
    data = xls([["地块编号", "面积(亩)", "租赁期限(年)"], ["A1", 15, 20], ["A2", 100.5, "25年"]])
    records = read(data, "a.xls").records
    assert [shown(record, "land_area") for record in records] == ["1 公顷", "6.7 公顷"]
    assert shown(records[1], "lease_term") == "25 年"


def test_a_share_in_an_old_workbook_that_may_be_a_formatted_percentage_is_questioned(read):
    record = read(xls([["地块编号", "最低折扣比例"], ["A", 0.7]]), "a.xls").records[0]
    assert codes(record.notes) == ["percent-unsure"]


# --- cells of workbooks -----------------------------------------------------------------------------------------------


def test_a_cell_number_is_what_excel_shows_not_its_binary_tail(read):
    rows = [["地块编号", "土地成本"], ["A", 0.1 + 0.2], ["B", 58.8], ["C", 1.1 * 1.1], ["D", 20]]
    records = read(xlsx(rows), "a.xlsx").records
    values = [record.entries["land_cost"].value for record in records]
    assert values == [Fraction(3, 10), Fraction("58.8"), Fraction("1.21"), 20]


def test_a_number_format_adds_the_decimals_that_were_meant(read):
    data = xlsx([["地块编号", "宗地面积", "租期"], ["A", 6.5, 20]], formats={"B2": "0.0000", "C2": '0.0"年"'})
    entries = read(data, "a.xlsx").records[0].entries
    assert entries["land_area"].text == "6.5000"
    assert entries["land_area"].half_step == Fraction(1, 2)
    assert entries["lease_term"].text == "20.0年"


def test_a_percentage_cell_is_a_percentage(read, shown):
    data = xlsx([["地块编号", "最低折扣比例"], ["A", 0.7], ["B", 70]], formats={"B2": "0%"})
    assert [shown(record, "price_discount_floor_pct") for record in read(data, "a.xlsx").records] == [
        "70%",
        "70%",
    ]


def test_a_formula_without_a_value_is_an_unusable_fact_with_its_place(read):
    rows = [["地块编号", "面积(公顷)", "租期"], ["A", "=B3*2", 20], ["B", 3, 21]]
    reading = read(xlsx(rows), "a.xlsx")
    first, second = reading.records
    assert first.entries["land_area"].state == "invalid"
    assert first.entries["lease_term"].value == 240
    assert second.entries["land_area"].value == 30000
    (note,) = first.notes
    assert (note.severity, note.code) == ("error", "formula-without-value")
    assert note.place.describe() == "a.xlsx〔Sheet〕第 2 行“面积(公顷)”"


def test_an_error_value_is_an_unusable_fact_with_its_place(read):
    record = read(xlsx([["地块编号", "租期"], ["A", "#REF!"]]), "a.xlsx").records[0]
    assert record.entries["lease_term"].state == "invalid"
    assert codes(record.notes) == ["formula-error"]


def test_text_merged_downwards_holds_for_every_row_but_a_number_for_none(read):
    rows = [
        ["项目名称", "地块编号", "面积(公顷)", "供应方式"],
        ["甲", "A", 9, "出让"],
        [None, "B", None, None],
        ["乙", "C", 1, "租赁"],
    ]
    reading = read(xlsx(rows, merges=["A2:A3", "C2:C3", "D2:D3"]), "a.xlsx")
    assert [record.carried["项目名称"] for record in reading.records] == ["甲", "甲", "乙"]
    assert [record.entries["supply_mode"].value for record in reading.records] == ["出让", "出让", "租赁"]
    assert [record.entries["land_area"].state for record in reading.records] == [
        "invalid",
        "invalid",
        "known",
    ]
    assert codes(reading.records[1].notes) == ["merged-number"]


def test_every_sheet_with_a_heading_is_read_and_the_others_are_named(read):
    data = xlsx(
        [["地块编号", "租期"], ["A", 20]],
        title="海勃湾",
        more={
            "乌达": [["地块编号", "租期"], ["B", 21]],
            "统计图": [["图一"], ["图二"]],
            "填表说明": [["列名"]],
            "空": [],
        },
    )
    reading = read(data, "a.xlsx")
    assert [(record.id, record.place.sheet) for record in reading.records] == [("A", "海勃湾"), ("B", "乌达")]
    assert {note.place.sheet: (note.severity, note.code) for note in reading.notes} == {
        "统计图": ("warning", "heading-not-found"),
        "填表说明": ("info", "heading-not-found"),
        "空": ("info", "sheet-empty"),
    }


def test_the_name_of_a_sheet_or_a_cell_above_the_table_says_the_fact_type(read):
    table = [["行政区", "是否分割转让"], ["乌达区", "是"]]
    assert read(xlsx(table, title="分割转让"), "a.xlsx").records[0].subject == "split_transfer"
    assert read(xlsx([["填报表：分割转让"], *table]), "a.xlsx").records[0].subject == "split_transfer"


def test_a_value_that_happens_to_be_the_name_of_a_type_does_not_change_the_type(read):
    table = "地块编号,项目名称,租期,供应方式\nA,分割转让,20,租赁\n"
    assert read(table).records[0].subject == "parcel_supply"


def test_progress_is_told_for_tables_and_lines():
    calls = []
    table = "地块编号,租期\n" + "".join(f"N{n},20\n" for n in range(1200))
    read_bytes(table.encode(), "a.csv", VOCABULARY, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (1200, 1200)
    assert len(calls) > 2


def test_a_plan_without_a_named_type_is_a_parcel_supply(read):
    assert read("地块编号,宗地面积,供应方式\nA,1,出让\n").records[0].subject == "parcel_supply"


# --- rows ---------------------------------------------------------------------------------------------------------------


def test_totals_blank_rows_repeated_headings_and_remarks_are_no_parcels_and_are_named(read):
    rows = [
        ["序号", "地块编号", "面积(公顷)", "租期"],
        [1, "A", 1, 20],
        ["小计", None, 1, None],
        [None, "海勃湾区小计", 1, None],
        [],
        ["序号", "地块编号", "面积(公顷)", "租期"],
        ["一、工业用地"],
        [2, "B", 2, 21],
        ["合  计", None, 3, None],
        ["总计（2宗）", None, 3, None],
        ["注：面积以勘测定界为准"],
        ["填表人：", None, "审核人：", "日期："],
        ["填表说明"],
        [],
    ]
    reading = read(xlsx(rows), "a.xlsx")
    assert [record.id for record in reading.records] == ["A", "B"]
    assert sorted(codes(reading.notes, "info")) == [
        "blank-rows", "heading-rows", "remark-rows", "section-rows", "total-rows",
    ]  # fmt: skip
    assert codes(reading.notes, "warning", "error") == []
    (total,) = [note for note in reading.notes if note.code == "total-rows"]
    assert "第 3、4、9、10 行" in total.message


def test_a_project_whose_name_speaks_of_totals_is_still_a_parcel(read):
    rows = "地块编号,项目名称,租期\nA,合计科技园项目,20\nB,统计信息中心,21\nC,共享工厂,22\n"
    assert len(read(rows).records) == 3


def test_a_row_is_named_by_its_parcel_number_or_else_by_its_row(read):
    records = read("序号,地块编号,租期\n1,A,20\n2,,21\n3,A,22\n4,B,23\n").records
    assert [record.id for record in records] == ["行2", "行3", "行4", "B"]
    assert [record.id for record in read("序号,租期\n1,20\n2,21\n").records] == ["1", "2"]
    assert [record.id for record in read("项目名称,租期\n甲,20\n乙,21\n").records] == ["行2", "行3"]


def test_rows_of_two_sheets_without_numbers_have_names_of_their_own(read):
    table = [["项目名称", "租期"], ["甲", 20]]
    reading = read(xlsx(table, title="一", more={"二": table}), "a.xlsx")
    assert len({record.id for record in reading.records}) == 2


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("二十年", "应是数字"),
        ("70年、40年", "多个数"),
        ("-5", "不能是负数"),
        ("20万元", "单位"),
        ("约20", "应是数字"),
    ],
)
def test_a_bad_cell_is_named_and_every_other_cell_and_row_is_still_read(read, cell, words):
    reading = read(f'地块编号,租期,出让年期\nA,"{cell}",50\nB,20,50\n')
    first, second = reading.records
    assert first.entries["lease_term"].state == "invalid"
    assert first.entries["grant_term"].value == 600
    assert second.entries["lease_term"].value == 240
    (note,) = first.notes
    assert (note.severity, note.code, note.place.row, note.place.column) == ("error", "bad-value", 2, "租期")
    assert words in note.message
    assert cell in note.message


def test_an_unknown_value_is_reported_with_a_suggestion(read):
    (note,) = read("地块编号,供应方式\nA,先租后卖\n").records[0].notes
    assert "是否指“先租后让”" in note.message


def test_content_in_a_column_without_a_heading_is_carried_along_and_reported(read):
    reading = read("地块编号,,租期\nA,别有内容,20\n")
    assert reading.records[0].carried == {"地块编号": "A", "B列": "别有内容"}
    assert codes(reading.notes) == ["unknown-column"]


@pytest.mark.parametrize(
    "written",
    [
        "2023-06-01",
        "2023/6/1",
        "2023.6.1",
        "2023年6月1日",
        "２０２３年０６月０１日",
        "20230601",
        "2023-06-01 08:30:00",
    ],
)
def test_a_date_is_read_in_each_form(read, written):
    assert read(f"地块编号,租期起始日\nA,{written}\n").records[0].entries["lease_start_date"].value == date(
        2023, 6, 1
    )


def test_date_cells_of_a_workbook_are_days(read):
    rows = [
        ["地块编号", "租期起始日"],
        ["A", date(2023, 6, 1)],
        ["B", datetime.fromisoformat("2023-06-01T09:30")],
        ["C", 45078],
    ]
    records = read(xlsx(rows), "a.xlsx").records
    assert [record.entries["lease_start_date"].value for record in records[:2]] == [date(2023, 6, 1)] * 2
    assert records[2].entries["lease_start_date"].state == "invalid"
    assert "相当于 2023-06-01" in records[2].notes[0].message


@pytest.mark.parametrize(
    "written", ["2023-02-30", "2023-13-01", "8014-05-01", "0000-00-00", "六月一日", "2023-06"]
)
def test_an_impossible_date_is_an_error_not_a_guess(read, written):
    record = read(f"地块编号,租期起始日\nA,{written}\n").records[0]
    assert record.entries["lease_start_date"].state == "invalid"
    assert codes(record.notes, "error") == ["bad-value"]


# --- two columns for one fact -------------------------------------------------------------------------------------------


def test_two_columns_with_the_same_value_are_one_fact(read):
    reading = read("地块编号,租期,出租年期\nA,20,20年\n")
    assert reading.records[0].entries["lease_term"].value == 240
    assert codes(reading.notes) == ["columns-agree"]


def test_two_columns_with_different_values_are_an_error_and_no_value(read):
    record = read("地块编号,租期,出租年期\nA,20,25\n").records[0]
    assert record.entries["lease_term"].state == "invalid"
    (note,) = record.notes
    assert (note.severity, note.code) == ("error", "columns-conflict")
    assert "20" in note.message
    assert "25" in note.message


def test_one_of_two_columns_may_be_empty(read):
    records = read("地块编号,租期,出租年期\nA,20,\nB,,21\nC,未知,22\n").records
    assert [record.entries["lease_term"].value for record in records] == [240, 252, 264]


def test_two_units_that_agree_within_rounding_give_the_more_precise_value(read, shown):
    reading = read("地块编号,面积(公顷),面积(亩)\nA,6.6667,100.00\nB,69.90,1048.54\nC,1,15\n")
    assert [shown(record, "land_area") for record in reading.records] == [
        "6.6667 公顷",
        "69.902667 公顷",
        "1 公顷",
    ]
    assert [record.notes for record in reading.records if codes(record.notes, "warning", "error")] == []
    assert codes(reading.notes) == ["unit-read-as", "columns-agree"]


def test_two_units_that_disagree_are_an_error_and_neither_counts(read):
    record = read("地块编号,面积(亩),面积(公顷)\nA,120.00,6.6667\n").records[0]
    assert record.entries["land_area"].state == "invalid"
    (note,) = [note for note in record.notes if note.severity == "error"]
    assert note.code == "columns-conflict"
    assert note.place.column == "面积(亩)”与“面积(公顷)"
    for part in ("120.00", "6.6667", "8 公顷"):
        assert part in note.message


# --- properties ---------------------------------------------------------------------------------------------------------

UNITS = {
    "公顷": Fraction(10000),
    "亩": Fraction(2000, 3),
    "平方米": Fraction(1),
    "平方公里": Fraction(1000000),
}


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(sorted(UNITS)), st.booleans())
def test_an_area_in_any_unit_is_exact_to_a_hundredth_of_a_square_metre(number, unit, in_heading):
    heading, cell = (f"面积({unit})", f"{number:f}") if in_heading else ("面积", f"{number:f} {unit}")
    data = f"地块编号,{heading}\nA,{cell}\n".encode()
    entry = read_bytes(data, "a.csv", VOCABULARY).records[0].entries["land_area"]
    exact = Fraction(number) * UNITS[unit]
    assert isinstance(entry.value, Fraction)
    assert abs(entry.value - exact) <= Fraction(1, 200)
    if unit != "亩" and exact.denominator in (1, 2, 4, 5, 10, 20, 25, 50, 100):
        assert entry.value == exact


@settings(deadline=None)
@given(
    st.dates(date(1950, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]),
)
def test_every_day_is_read_back_from_every_form(day, form):
    data = f"地块编号,租期起始日\nA,{day.strftime(form)}\n".encode()
    assert read_bytes(data, "a.csv", VOCABULARY).records[0].entries["lease_start_date"].value == day


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_any_text_in_a_cell_is_read_or_noted_and_never_lost(text):
    quoted = text.replace('"', '""')
    data = f'地块编号,"租期",出让年期\nA,"{quoted}",50\nB,20,50\n'.encode("utf-8", errors="replace")
    reading = read_bytes(data, "a.csv", VOCABULARY)
    assert reading.records[-1].entries["lease_term"].value == 240
