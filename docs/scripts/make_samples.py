"""Makes the sample workbooks of this folder: `python docs/scripts/make_samples.py [FOLDER]`. All content is invented."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import yaml
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from landrules.facts.templates import Form, filled_bytes, workbook_bytes
from landrules.facts.vocabulary import load_vocabulary

TITLE = "乌海市2023年度国有建设用地供应计划宗地表（示例数据，项目、地块均为虚构）"
# A heading with a parent spans two rows, as in the plans that cities publish.
HEADINGS: tuple[tuple[str, str], ...] = (
    ("序号", ""),
    ("地块编号", ""),
    ("项目名称", ""),
    ("行政区", ""),
    ("位置", ""),
    ("面积", "公顷"),
    ("面积", "亩"),
    ("土地用途", ""),
    ("法定年限用途类别", ""),
    ("供应方式", ""),
    ("取得方式", ""),
    ("是否依法须招拍挂", ""),
    ("意向用地者数", ""),
    ("项目类型", ""),
    ("是否产业用地", ""),
    ("是否房地产用地", ""),
    ("租赁", "租赁期限(年)"),
    ("租赁", "租期起始日"),
    ("租赁", "租期届满日"),
    ("租赁", "约定续租年限（年）"),
    ("租赁", "此前已租年限（年）"),
    ("出让年限(年)", ""),
    ("出让底价", ""),
    ("土地成本", ""),
    ("等别标准（元/㎡）", ""),
    ("年期修正后最低价（元/㎡）", ""),
    ("是否自治区优先发展产业", ""),
    ("是否认定用地集约", ""),
    ("是否有其他减价依据", ""),
    ("供地安排", ""),
    ("地级市", ""),
    ("土地所有权性质", ""),
    ("是否建设项目用地", ""),
    ("压占永久基本农田面积（公顷）", ""),
    ("压占生态保护红线面积（公顷）", ""),
    ("是否位于城镇开发边界内", ""),
    ("能源项目类别", ""),
    ("是否社会资本参与修复", ""),
    ("是否签订书面租赁合同", ""),
    ("是否约定租金条款", ""),
    ("是否约定供后开发利用", ""),
    ("租赁环节取得方式", ""),
    ("年期确定是否考虑产业生命周期", ""),
    ("年期确定是否考虑土地市场供需", ""),
    ("备注", ""),
)
NAMES = tuple(child if child and parent == "租赁" else parent + child for parent, child in HEADINGS)

HAIBOWAN, WUDA, HAINAN = "海勃湾区", "乌达区", "海南区"
# What the surveys before a plan have found; rows that say 未核查 in their remarks have none of it.
SURVEYED = {
    "地级市": "乌海市",
    "土地所有权性质": "国有",
    "是否建设项目用地": "是",
    "压占永久基本农田面积（公顷）": 0,
    "压占生态保护红线面积（公顷）": 0,
    "是否位于城镇开发边界内": "是",
    "能源项目类别": "非能源",
    "是否社会资本参与修复": "否",
}
CONTRACT = {
    "是否签订书面租赁合同": "是",
    "是否约定租金条款": "是",
    "是否约定供后开发利用": "是",
    "意向用地者数": 1,
}
TERM_BASIS = {"年期确定是否考虑产业生命周期": "是", "年期确定是否考虑土地市场供需": "是"}
INDUSTRY = {
    "土地用途": "工业",
    "法定年限用途类别": "工业",
    "项目类型": "工业项目",
    "是否产业用地": "是",
    "是否房地产用地": "否",
    "是否依法须招拍挂": "是",
    "取得方式": "挂牌",
    "等别标准（元/㎡）": 84,
    "供地安排": "一次性供地",
}
GRANT = {**INDUSTRY, "供应方式": "出让", "出让年限(年)": 50}
LEASE = {**INDUSTRY, **CONTRACT, "供应方式": "长期租赁", "等别标准（元/㎡）": None}
LEASE_THEN_GRANT = {**INDUSTRY, "供应方式": "先租后让", "租赁环节取得方式": "挂牌"}
ELASTIC = {**INDUSTRY, **TERM_BASIS, "供应方式": "弹性年期出让"}
TOURISM = {
    "土地用途": "旅游",
    "法定年限用途类别": "商业旅游娱乐",
    "项目类型": "其他",
    "是否产业用地": "是",
    "是否房地产用地": "否",
    "是否依法须招拍挂": "是",
    "取得方式": "挂牌",
}
DISCOUNT = {"是否自治区优先发展产业": "是", "是否认定用地集约": "是"}

Row = dict[str, object]


def parcel(
    project: str, district: str, place: str, hectares: float, *facts: Mapping[str, object], **more: object
) -> Row:
    """One row; hectares with four decimals and 亩 with two, as published."""
    row: Row = {
        "项目名称": project,
        "行政区": district,
        "位置": place,
        "面积公顷": hectares,
        "面积亩": round(hectares * 15, 2),
    }
    for part in (SURVEYED, *facts, more):
        row.update(part)
    if "未核查" in str(row.get("备注", "")):
        row = {name: value for name, value in row.items() if name not in SURVEYED}
    return row


def parcels() -> list[Row]:
    """The invented plan: clean rows, violations, rows with missing facts, rows on the very limit, and awkward writing."""
    rows = [
        parcel("沙枣花储能电池项目", HAIBOWAN, "千里山片区A-01", 6.0, GRANT, 出让底价="84元/㎡", 土地成本="70元/㎡"),
        parcel("晨光光伏组件项目", HAIBOWAN, "千里山片区A-02", 5.3333, GRANT, 出让底价="5.60万元/亩", 土地成本="4.50万元/亩"),
        parcel("北斗山机械加工项目", HAIBOWAN, "千里山片区A-03", 3.2, GRANT, 出让底价="84.00万元/公顷", 土地成本="71.20万元/公顷"),
        parcel("云杉新型建材项目", HAIBOWAN, "千里山片区A-04", 4.5, GRANT, DISCOUNT, 出让底价="58.8元/㎡", 土地成本="55元/㎡", 备注="恰为标准的70%"),
        parcel("赤霞轻质墙材项目", HAIBOWAN, "千里山片区A-05", 2.4, GRANT, DISCOUNT, 出让底价="3.90万元/亩", 土地成本="3.50万元/亩"),
        parcel("河谷精密铸件项目", HAIBOWAN, "千里山片区A-06", 7.1, GRANT, DISCOUNT, 出让底价="60元/㎡", 土地成本="66.5元/㎡"),
        parcel(
            "白桦物流装备制造项目", HAIBOWAN, "千里山片区A-07", 3.9, GRANT,
            出让底价="76元/㎡", 土地成本="70元/㎡", 是否自治区优先发展产业="是", 是否认定用地集约="否",
        ),
        parcel(
            "青石板材加工项目", HAIBOWAN, "千里山片区A-08", 1.8, GRANT,
            出让底价="72元/㎡", 土地成本="60元/㎡", 是否有其他减价依据="是", 备注="使用国有未利用地，减价依据另附",
        ),
        parcel("长河智能仪表项目", HAIBOWAN, "千里山片区A-09", 6.6667, GRANT, 出让底价="90元/㎡", 土地成本=None, 备注="四至以勘测定界为准"),
        parcel("新芽生物基材料项目", HAIBOWAN, "千里山片区B-01", 4.2, LEASE, {"租赁期限(年)": 20}),
        parcel("新芽生物基材料二期项目", HAIBOWAN, "千里山片区B-02", 4.4, LEASE, {"租赁期限(年)": 20, "约定续租年限（年）": 5}),
        parcel(
            "雁归冷链装备项目", HAIBOWAN, "千里山片区B-03", 2.6, LEASE,
            {"租期起始日": "2023-07-01", "租期届满日": "2043年7月1日"},
        ),
        parcel(
            "金沙滩低空设备项目", HAIBOWAN, "千里山片区B-04", 3.0, LEASE,
            {"租期起始日": "2023/7/1", "租期届满日": "2043.7.2", "备注": "租期多一日"},
        ),
        parcel("滨河商务综合体", HAIBOWAN, "滨河新区C-01", 2.2, TOURISM, 土地用途="商服", 供应方式="弹性年期出让",
               项目类型="商业项目", 是否产业用地="否", 是否房地产用地="是", **{"出让年限(年)": 30}),
        parcel("湖畔雅居（住宅部分）", HAIBOWAN, "滨河新区C-02", 3.6, 土地用途="商品住宅", 法定年限用途类别="居住", 供应方式="出让",
               取得方式="挂牌", 项目类型="其他", 是否产业用地="否", 是否房地产用地="是", 备注="商住混合，按用途分行", **{"出让年限(年)": 70}),
        parcel("湖畔雅居（商业部分）", HAIBOWAN, "滨河新区C-02", 0.9, 土地用途="商服", 法定年限用途类别="商业旅游娱乐", 供应方式="出让",
               取得方式="挂牌", 项目类型="商业项目", 是否产业用地="否", 是否房地产用地="是", 备注="商住混合，按用途分行", **{"出让年限(年)": 40}),
        parcel("乌兰淖尔化工新材料项目", WUDA, "乌达园区D-01", 10.0, LEASE_THEN_GRANT, 出让底价="84元/㎡", 土地成本="70元/㎡",
               **{"租赁期限(年)": 10, "出让年限(年)": 40, "年期修正后最低价（元/㎡）": 70}),
        parcel("苏木精细化工项目", WUDA, "乌达园区D-02", 5.0, LEASE_THEN_GRANT, 出让底价="80元/㎡", 土地成本="70元/㎡",
               **{"租赁期限(年)": 20, "出让年限(年)": 31, "年期修正后最低价（元/㎡）": 68}),
        parcel("苏木精细化工技改项目", WUDA, "乌达园区D-03", 2.5, LEASE_THEN_GRANT, 出让底价="80元/㎡", 土地成本="70元/㎡",
               **{"租赁期限(年)": 5, "此前已租年限（年）": 6, "出让年限(年)": 40, "年期修正后最低价（元/㎡）": 76}),
        parcel("红柳循环利用项目", WUDA, "乌达园区D-04", 3.3, LEASE_THEN_GRANT, 出让底价="84元/㎡", 土地成本="70元/㎡",
               备注="出让年期待会议确定", **{"租赁期限(年)": 10, "出让年限(年)": "待定"}),
        parcel("戈壁红草本饮品项目", WUDA, "乌达园区D-05", 1.6, ELASTIC, 出让底价="5.00万元/亩", 土地成本="4.60万元/亩",
               **{"出让年限(年)": 20, "年期修正后最低价（元/㎡）": 62.5}),
        parcel("戈壁红葡萄酒庄", WUDA, "乌达园区D-06", 2.8, TOURISM, 供应方式="弹性年期出让", **{"出让年限(年)": 50}),
        parcel("沃野农机装备项目", WUDA, "乌达园区D-07", 4.0, ELASTIC, 出让底价="84元/㎡", 土地成本="70元/㎡"),
        parcel("五虎山氢能装备项目", WUDA, "乌达园区E-01", 4.6667, GRANT, 出让底价="85元/㎡", 土地成本="70元/㎡", 备注="同一项目拆为两宗"),
        parcel("五虎山氢能装备项目", WUDA, "乌达园区E-02", 3.3333, GRANT, 出让底价="85元/㎡", 土地成本="70元/㎡", 备注="同一项目拆为两宗"),
        parcel("西来岭特种合金项目", HAINAN, "西来岭园区F-01", 12.0, GRANT, 出让底价="8.40万元/亩", 土地成本="7.00万元/亩", 供地安排="分期供地"),
        parcel("西来岭铝材深加工项目", HAINAN, "西来岭园区F-02", 6.6666, GRANT, 出让底价="83.99元/㎡", 土地成本="70元/㎡", 备注="低于标准1分"),
        parcel("石嘴塔筒制造项目", HAINAN, "西来岭园区F-03", 8.0, LEASE, {"租赁期限(年)": 25}),
        parcel("拉僧山冷轧薄板项目", HAINAN, "西来岭园区F-04", 5.5, LEASE, 取得方式="协议", 是否依法须招拍挂="否", 意向用地者数=2,
               **{"租赁期限(年)": 15}),
        parcel("赛罕乌素骨料加工项目", HAINAN, "西来岭园区F-05", 2.0, LEASE, 备注="租期、起止日期未报，三区三线未核查"),
        parcel("甘草小镇康养旅居项目", HAINAN, "巴音陶亥片区G-01", 3.1, TOURISM, 供应方式="先租后让", 备注="年期按用途分列，需拆行",
               **{"租赁期限(年)": 10, "出让年限(年)": "70年、40年"}),
        parcel("黄河岸线驿站项目", HAINAN, "巴音陶亥片区G-02", 0.8, TOURISM, 供应方式="短期租赁", 是否房地产用地=None,
               **{"租赁期限(年)": 5}),
    ]  # fmt: skip
    for number, row in enumerate(rows, 1):
        prefix = {HAIBOWAN: "HB", WUDA: "WD", HAINAN: "HN"}[str(row["行政区"])]
        row["序号"] = number
        row["地块编号"] = f"{prefix}2023-{number:02d}"
    return rows


def plan_workbook() -> Workbook:
    """The plan as a city would hand it in: title, headings over two rows, subtotals a district, a total and remarks."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "供应计划宗地表"
    width = len(HEADINGS)
    sheet.append([TITLE])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    sheet.append([None] * (width - 1) + ["编制日期：2023年5月"])
    sheet.append([parent for parent, _ in HEADINGS])
    sheet.append([child or None for _, child in HEADINGS])
    _merge_headings(sheet)
    area = NAMES.index("面积公顷")
    rows = parcels()
    for district in (HAIBOWAN, WUDA, HAINAN):
        own = [row for row in rows if row["行政区"] == district]
        for row in own:
            sheet.append([row.get(name) for name in NAMES])
        sheet.append(_total(f"{district}小计", own, area))
    sheet.append(_total("合计", rows, area))
    sheet.append(
        ["注：1. 出让底价、土地成本的单位写在格内；2. 等别标准为示例，以公布的文件为准；3. 空白为未填。"]
    )
    _style(sheet, width)
    return book


def form_workbooks() -> dict[str, bytes]:
    """The samples of the other documents, by file name without suffix: a sheet a form, with the columns they use."""
    vocabulary = load_vocabulary()
    written = yaml.safe_load((Path(__file__).parent / "sample_rows.yaml").read_text(encoding="utf-8"))
    books = {}
    for name, sheets in written.items():
        forms = []
        for label, content in sheets.items():
            subject = vocabulary.subject(label)
            rows = [{**content["common"], **row} for row in content["rows"]]
            used = {column for row in rows for column in row}
            known = {fact.label for fact in subject.facts.values()} | {
                "序号",
                "项目名称",
                "地块编号",
                "位置",
                "备注",
            }
            if used - known:
                raise SystemExit(f"{name} {label}: no such columns: {sorted(used - known)}")
            facts = tuple(fact for fact in subject.facts.values() if fact.label in used)
            forms.append(Form(subject, facts, tuple(rows)))
        books[name] = filled_bytes(forms)
    return books


def _total(word: str, rows: list[Row], area: int) -> list[object]:
    line: list[object] = [None] * len(NAMES)
    line[0] = word
    line[area] = round(sum(float(str(row["面积公顷"])) for row in rows), 4)
    line[area + 1] = round(sum(float(str(row["面积亩"])) for row in rows), 2)
    return line


def _merge_headings(sheet: Worksheet) -> None:
    """Merge parents across their children, and headings without children downwards."""
    start = 0
    while start < len(HEADINGS):
        end = start
        while end + 1 < len(HEADINGS) and HEADINGS[start][1] and HEADINGS[end + 1][0] == HEADINGS[start][0]:
            end += 1
        down = 3 if HEADINGS[start][1] else 4
        if end > start or down > 3:  # noqa: PLR2004 - the two rows of the heading
            sheet.merge_cells(start_row=3, start_column=start + 1, end_row=down, end_column=end + 1)
        start = end + 1


def _style(sheet: Worksheet, width: int) -> None:
    thin = Side(style="thin", color="999999")
    for row in sheet.iter_rows(min_row=3, max_col=width):
        for cell in row:
            cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
            cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
            if int(cell.row or 0) <= 4:  # noqa: PLR2004 - the heading
                cell.font = Font(bold=True)
                cell.fill = PatternFill("solid", fgColor="DDE7F3")
            elif cell.column == NAMES.index("面积公顷") + 1:
                cell.number_format = "0.0000"
            elif cell.column == NAMES.index("面积亩") + 1:
                cell.number_format = "0.00"
    sheet["A1"].font = Font(bold=True, size=16)
    sheet["A1"].alignment = Alignment(horizontal="center")
    for index, name in enumerate(NAMES, 1):
        wide = name in ("项目名称", "位置", "备注")
        sheet.column_dimensions[get_column_letter(index)].width = 26 if wide else 12
    sheet.freeze_panes = "D5"


def main() -> None:
    """Write the samples into the folder given, else beside this file."""
    folder = (
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "facts" / "samples"
    )
    (folder / "wuhai-supply-plan.xlsx").write_bytes(workbook_bytes(plan_workbook()))
    for name, content in form_workbooks().items():
        (folder / f"{name}.xlsx").write_bytes(content)


if __name__ == "__main__":
    main()
