from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from landrules.engine.ledger.entry import CHECKPOINT, MASK, Head
from landrules.engine.ledger.errors import EntryError, LedgerError
from landrules.engine.ledger.export import export
from landrules.engine.ledger.mask import mask, spellings
from landrules.engine.ledger.retain import retain
from landrules.engine.ledger.sealing import Masked, plain
from landrules.engine.ledger.store import (
    Query,
    Store,
    append,
    append_all,
    append_once,
    entries,
    find,
    head,
    open_store,
)
from landrules.engine.ledger.tables import SEALED
from landrules.engine.ledger.verify import verify, verify_export
from landrules.facts.vocabulary import load_vocabulary
from ledger.making import MORNING, an_entry, input_hash, noted_entry
from ledger.server import Server

NOON = MORNING + timedelta(days=400)


def test_masking_deletes_values_and_the_chain_stays(store: Store) -> None:
    append_all(store, [an_entry(number) for number in range(1, 4)])
    before = head(store)
    done = mask(store, ["权利人"], at=NOON, who="王", reason="本人申请")
    # Each has an owner and the hash of an input that the owner was part of.
    assert (done.values, done.entries, done.record.seq) == (6, 3, 4)
    first, *_, record = entries(store)
    assert first.masked == 2
    assert first.entry.input_hash == ""
    assert first.entry.input == {"records": [{"id": "WH-1", "owner": Masked(("权利人",), 4)}]}
    assert plain(first.entry.input)["records"][0]["owner"] == {"masked": ["权利人"], "by": 4}
    assert first.entry.outcome["message"] == "超出 5 年"
    assert (record.entry.kind, record.entry.input["reason"]) == (MASK, "本人申请")
    result = verify(store, before)
    assert result.intact
    assert result.masked == 6
    assert "6 个值已遮蔽" in result.describe()
    assert list(find(store, Query(input_hash=input_hash(1)))) == []


def test_what_may_quote_a_masked_value_goes_with_it(store: Store) -> None:
    append_all(store, [noted_entry(1), an_entry(2), noted_entry(3)])
    mask(store, ["权利人"], at=NOON, who="王", reason="申请", only=[3])
    one, two, three, _ = entries(store)
    assert (one.masked, two.masked, three.masked) == (0, 0, 3)
    assert three.entry.outcome == {"notes": [Masked(("*",), 4)]}
    assert verify(store).intact


def test_wording_goes_with_any_fact_it_was_made_of(store: Store) -> None:
    append(store, an_entry(1))
    mask(store, ["行为日期"], at=NOON, who="王", reason="申请")
    (one, _) = entries(store)
    assert one.entry.outcome["message"] == Masked(("lease_term", "行为日期"), 2)
    assert one.entry.input["records"][0]["owner"] == "李四1"


def test_masking_one_case(store: Store) -> None:
    append_all(store, [an_entry(number, case=f"案{number % 2}") for number in range(1, 5)])
    assert mask(store, ["权利人"], at=NOON, who="王", reason="申请", case="案1").entries == 2
    assert [stored.masked for stored in entries(store)] == [2, 0, 2, 0, 0]
    # The same again: nothing is left. The others: they are.
    with pytest.raises(LedgerError, match="没有尚未遮蔽的“权利人”"):
        mask(store, ["权利人"], at=NOON, who="王", reason="申请", case="案1")
    mask(store, ["权利人"], at=NOON, who="王", reason="申请")
    assert verify(store).masked == 8


def test_names_are_taken_exactly(store: Store) -> None:
    append(store, an_entry(1))
    for name in ("LEASE_TERM", "lease_ter_", "%", "权利", '"', "*"):
        with pytest.raises(LedgerError):
            mask(store, [name], at=NOON, who="王", reason="申请")
    with pytest.raises(EntryError, match="理由"):
        mask(store, ["权利人"], at=NOON, who="王", reason=" ")
    assert len(list(entries(store))) == 1


def test_masked_values_are_gone_from_the_table_of_the_server(server: Server) -> None:
    with closing(open_store(server.new_store())) as store:
        append_all(store, [an_entry(number) for number in range(1, 30)])

        def content() -> bytes:
            with store.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
                named = connection.exec_driver_sql(f"SELECT pg_relation_filepath('{SEALED.name}')")
                return (server.folder / "data" / str(named.scalar())).read_bytes()

        assert "李四7".encode() in content()
        assert mask(store, ["权利人"], at=NOON, who="王", reason="申请").erased
        assert "李四".encode() not in content()


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
def test_masked_values_are_gone_from_the_file(tmp_path: Path, store: Store) -> None:
    append_all(store, [an_entry(number) for number in range(1, 30)])
    files = lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: E731
    assert "李四7".encode() in files()
    assert mask(store, ["权利人"], at=NOON, who="王", reason="申请").erased
    assert "李四".encode() not in files()
    assert input_hash(7).encode() not in files()
    store.close()
    assert "李四".encode() not in files()


def test_all_spellings_of_a_fact_are_masked() -> None:
    vocabulary = load_vocabulary()
    fact = next(iter(vocabulary.subjects["parcel_supply"].facts.values()))
    assert {fact.key, fact.label} <= set(spellings(vocabulary, fact.label))
    assert "权利人" in spellings(vocabulary, "权利人")
    assert spellings(vocabulary, "没有这个事实") == ("没有这个事实",)


# --- retention ---


def test_old_entries_are_archived_and_the_rest_stays_verifiable(store: Store, tmp_path: Path) -> None:
    stored = append_all(store, [an_entry(number, key=f"k{number}") for number in range(1, 11)])
    whole = tmp_path / "全部.jsonl"
    export(store, whole)
    archive = tmp_path / "归档.jsonl"
    done = retain(store, MORNING + timedelta(days=7), archive, at=NOON, who="王")
    assert (done.entries, done.last) == (6, Head(6, stored[5].hash))
    assert done.checkpoint.entry.kind == CHECKPOINT
    assert [item.seq for item in entries(store)] == [7, 8, 9, 10, 11]
    assert archive.read_text(encoding="utf-8") == "".join(
        whole.read_text(encoding="utf-8").splitlines(keepends=True)[:6]
    )
    assert verify_export(archive, done.last).intact
    result = verify(store, head(store))
    assert "共 5 条（第 7 至 11 条），第 6 条及以前已归档" in result.describe()
    assert verify(store, done.last).intact
    older = verify(store, Head(2, stored[1].hash)).problem
    assert older is not None
    assert "在已归档的部分" in older.message
    assert append_once(store, an_entry(10, key="k10")).seq == 10
    assert append(store, an_entry(12)).seq == 12


def test_archiving_again_and_everything(store: Store, tmp_path: Path) -> None:
    append_all(store, [an_entry(number) for number in range(1, 6)])
    mask(store, ["权利人"], at=MORNING + timedelta(days=6), who="王", reason="申请", only=[2, 5])
    retain(store, MORNING + timedelta(days=3), tmp_path / "1.jsonl", at=MORNING + timedelta(days=8), who="王")
    assert verify(store).masked == 2
    done = retain(store, NOON, tmp_path / "2.jsonl", at=NOON, who="王")
    assert (done.entries, done.last.seq) == (5, 7)
    assert [item.entry.kind for item in entries(store)] == [CHECKPOINT]
    assert verify(store).intact
    # The masking is in the second archive; the first says only by which entry values were masked.
    assert (verify_export(tmp_path / "1.jsonl").masked, verify_export(tmp_path / "2.jsonl").masked) == (2, 2)
    with pytest.raises(LedgerError, match="没有早于"):
        retain(store, NOON, tmp_path / "3.jsonl", at=NOON, who="王")
    assert not (tmp_path / "3.jsonl").exists()


def test_archiving_stops_at_the_first_entry_that_is_kept(store: Store, tmp_path: Path) -> None:
    append_all(store, [an_entry(number) for number in (1, 9, 2)])
    assert retain(store, MORNING + timedelta(days=5), tmp_path / "a", at=NOON, who="王").entries == 1
    assert [item.seq for item in entries(store)] == [2, 3, 4]


def test_a_broken_store_is_not_archived(store: Store, tamper: Callable[..., None], tmp_path: Path) -> None:
    append_all(store, [an_entry(number) for number in range(1, 4)])
    tamper("UPDATE ENTRY SET who = 'x' WHERE seq = 2")
    with pytest.raises(LedgerError, match="没有归档；请先查明原因"):
        retain(store, NOON, tmp_path / "a.jsonl", at=NOON, who="王")
    assert not (tmp_path / "a.jsonl").exists()


def test_an_archive_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    append(store, an_entry(1))
    path = tmp_path / "a.jsonl"
    path.write_text("重要", encoding="utf-8")
    with pytest.raises(LedgerError, match="已存在，没有覆盖"):
        retain(store, NOON, path, at=NOON, who="王")
    assert path.read_text(encoding="utf-8") == "重要"
    assert len(list(entries(store))) == 1


def test_pruning_without_a_checkpoint_is_found(store: Store, tamper: Callable[..., None]) -> None:
    append_all(store, [an_entry(number) for number in range(1, 5)])
    tamper(
        "DELETE FROM ENTRY WHERE seq < 3",
        "DELETE FROM SEALED WHERE seq < 3",
    )
    assert "缺第 1 条" in verify(store).describe()
