from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from landrules.engine.ledger.canonical import canonical, digest
from landrules.engine.ledger.entry import Head
from landrules.engine.ledger.errors import LedgerError
from landrules.engine.ledger.export import export
from landrules.engine.ledger.mask import mask
from landrules.engine.ledger.store import Store, append, append_all, head
from landrules.engine.ledger.verify import parse_head, verify, verify_export
from ledger.making import MORNING, an_entry, noted_entry


def test_an_empty_and_a_full_store(store: Store) -> None:
    assert verify(store).describe() == "台账为空，没有条目"
    last = append_all(store, [an_entry(number) for number in range(1, 121)])[-1]
    result = verify(store)
    assert result.intact
    assert result.describe() == f"台账完整：共 120 条（第 1 至 120 条）；末条 120:{last.hash}"


@pytest.mark.parametrize(
    ("statement", "seq", "message"),
    [
        (
            "UPDATE ENTRY SET content = replace(content, '违反', '符合') WHERE seq = 3",
            3,
            "内容与其哈希不一致",
        ),
        ("UPDATE ENTRY SET hash = '00' WHERE seq = 5", 5, "内容与其哈希不一致"),
        ("UPDATE ENTRY SET content = '{' WHERE seq = 2", 2, "内容与其哈希不一致"),
        ("DELETE FROM ENTRY WHERE seq = 4", 4, "缺第 4 条（其后是第 5 条）"),
        ("DELETE FROM ENTRY WHERE seq = 1", 1, "缺第 1 条"),
        ("UPDATE ENTRY SET who = 'x' WHERE seq = 2", 2, "经手人列与其内容不一致"),
        ("UPDATE ENTRY SET at = '2020' WHERE seq = 2", 2, "时间列与其内容不一致"),
        ("UPDATE ENTRY SET kind = 'mask' WHERE seq = 2", 2, "种类列与其内容不一致"),
        ("UPDATE ENTRY SET key = 'k' WHERE seq = 2", 2, "幂等键列与其内容不一致"),
        ("UPDATE ENTRY SET through = 4 WHERE seq = 2", 2, "归档范围列与其内容不一致"),
        ("UPDATE SEALED SET body = '[\"王五\"]' WHERE seq = 6 AND item = 0", 6, "事实“权利人”的值被改动"),
        ("UPDATE SEALED SET names = '[\"x\"]' WHERE seq = 6 AND item = 0", 6, "事实“权利人”的名称被改动"),
        ("DELETE FROM SEALED WHERE seq = 3 AND item = 0", 3, "缺少事实“权利人”的值，而没有遮蔽记录"),
        ("UPDATE SEALED SET body = NULL WHERE seq = 3", 3, "的值不完整，而没有遮蔽记录"),
        (
            "UPDATE SEALED SET body = NULL, salt = NULL, masked_by = 5 WHERE seq = 3",
            3,
            "第 5 条不是包含它的遮蔽记录",
        ),
        ("INSERT INTO SEALED VALUES (2, 9, '[]', '', '[]', NULL)", 2, "多出了没有登记的事实值"),
        (
            "INSERT INTO SEALED VALUES (99, 0, '[]', '', '[]', NULL)",
            99,
            "属于第 99 条的事实值，而没有第 99 条",
        ),
        ("DELETE FROM ENTRY WHERE seq = 7", 7, "首行记的末条是第 7 条，实际末条是第 6 条，末尾可能被截断"),
        ("UPDATE HEAD SET hash = 'x'", 8, "首行记的第 7 条哈希与该条不一致"),
    ],
)
@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_the_first_broken_place_is_named(
    store: Store, tamper: Callable[..., None], statement: str, seq: int, message: str
) -> None:
    append_all(store, [an_entry(number) for number in range(1, 8)])
    tamper(statement)
    result = verify(store)
    assert result.problem is not None
    assert (result.problem.seq, message in result.problem.message) == (seq, True), result.problem


def test_an_entry_rewritten_with_its_hash_breaks_the_next(store: Store, tamper: Callable[..., None]) -> None:
    append_all(store, [an_entry(number) for number in range(1, 5)])
    with store.engine.connect() as connection:
        text = connection.exec_driver_sql(
            "SELECT content FROM landrules_ledger_entry WHERE seq = 2"
        ).scalar_one()
    content = json.loads(text)
    content["verdicts"] = {"符合": 4}
    forged = canonical(content)
    tamper(
        "UPDATE ENTRY SET content = 'FORGED', hash = 'HASH' WHERE seq = 2", FORGED=forged, HASH=digest(forged)
    )
    result = verify(store)
    assert result.problem is not None
    assert result.problem.message == "第 3 条没有接上第 2 条（前一条哈希不一致），链在此断开"


# --- a head kept elsewhere ---


def test_cutting_off_the_end_is_found_by_a_head_kept_elsewhere(
    store: Store, tamper: Callable[..., None]
) -> None:
    stored = append_all(store, [an_entry(number) for number in range(1, 6)])
    kept = head(store)
    tamper(
        "DELETE FROM ENTRY WHERE seq > 3",
        "DELETE FROM SEALED WHERE seq > 3",
        "UPDATE HEAD SET seq = 3, hash = 'HASH'",
        HASH=stored[2].hash,
    )
    assert verify(store).intact
    problem = verify(store, kept).problem
    assert problem is not None
    assert (problem.seq, problem.message) == (4, "另存的末条是第 5 条，而台账只到第 3 条，末尾被截断")
    problem = verify(store, Head(0, kept.hash)).problem
    assert problem is not None
    assert "链上没有另存的末条哈希" in problem.message


def test_an_older_head_is_still_in_the_chain(store: Store) -> None:
    append(store, an_entry(1))
    kept = head(store)
    append(store, an_entry(2))
    assert verify(store, kept).intact
    assert verify(store, Head(0, kept.hash)).intact
    problem = verify(store, Head(1, "0" * 63 + "1")).problem
    assert problem is not None
    assert problem.message == "第 1 条的哈希与另存的不一致，台账在此条或之前被改写"


def test_spellings_of_a_head() -> None:
    value = "ab" * 32
    assert parse_head(f" 12:{value.upper()}\n") == Head(12, value)
    assert parse_head(value) == Head(0, value)
    for wrong in ("", "12:", "x:" + value, value[1:], "12:" + "g" * 64):
        with pytest.raises(LedgerError, match="末条哈希写得不对"):
            parse_head(wrong)


# --- export ---


def test_an_export_is_the_same_each_time_and_can_be_verified(store: Store, tmp_path: Path) -> None:
    append_all(store, [noted_entry(number) for number in range(1, 60)])
    mask(store, ["权利人"], at=MORNING, who="王", reason="申请", only=[5])
    first, second = tmp_path / "a.jsonl", io.StringIO()
    assert export(store, first) == 60
    assert export(store, second) == 60
    assert first.read_text(encoding="utf-8") == second.getvalue()
    in_store, in_file = verify(store), verify_export(first)
    assert in_file.intact
    assert (in_file.entries, in_file.last, in_file.masked) == (60, in_store.last, in_store.masked)
    assert verify_export(first, head(store)).intact
    with pytest.raises(LedgerError, match="已存在，没有覆盖"):
        export(store, first)


def test_part_of_an_export_can_be_verified(store: Store, tmp_path: Path) -> None:
    append_all(store, [an_entry(number) for number in range(1, 8)])
    mask(store, ["权利人"], at=MORNING, who="王", reason="申请", only=[5])
    path = tmp_path / "部分.jsonl"
    assert export(store, path, after=3, through=6) == 3
    result = verify_export(path)
    assert (result.intact, result.first, result.last.seq, result.masked) == (True, 4, 6, 2)
    lines = path.read_text(encoding="utf-8").splitlines()
    for changed, message in [
        ([lines[0], lines[2]], "缺第 5 条"),
        ([lines[0].replace("李四4", "李四9"), lines[1]], "第 4 条事实“权利人”的值被改动"),
        ([lines[0].replace("王审查", "王某"), lines[1]], "第 4 条的内容与其哈希不一致"),
    ]:
        path.write_text("\n".join(changed), encoding="utf-8")
        assert message in verify_export(path).describe()
    for text in ("{}", "[", '{"content": 1}', "\x00"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LedgerError, match="第 1 行不是台账导出的内容"):
            verify_export(path)


def test_an_export_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    append(store, an_entry(1))
    with pytest.raises(LedgerError, match="无法写入"):
        export(store, tmp_path / "没有的文件夹" / "a.jsonl")
    with pytest.raises(LedgerError, match="无法读取"):
        verify_export(tmp_path / "没有.jsonl")
