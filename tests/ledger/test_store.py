from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from landrules.engine.ledger import migrate
from landrules.engine.ledger.canonical import canonical, parse
from landrules.engine.ledger.entry import GENESIS, Head, instant, instant_of
from landrules.engine.ledger.errors import EntryError, KeyConflictError, StoreError
from landrules.engine.ledger.mask import mask
from landrules.engine.ledger.sealing import Private, plain, seal, unseal
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
from landrules.engine.ledger.tables import METADATA, VERSION_TABLE
from landrules.engine.ledger.verify import verify
from ledger.making import MORNING, an_entry, input_hash


def test_what_is_appended_is_read_back(store: Store) -> None:
    given = an_entry(1, id="我的编号", key="k1", case="案1")
    stored = append(store, given)
    (read,) = entries(store)
    assert read == stored
    assert (read.seq, read.previous, read.masked) == (1, GENESIS, 0)
    expected = replace(given, input=plain(given.input), outcome=plain(given.outcome))
    assert read.entry == expected


def test_each_entry_carries_the_hash_of_the_one_before(store: Store) -> None:
    stored = [append(store, an_entry(number)) for number in range(1, 4)]
    assert [item.seq for item in stored] == [1, 2, 3]
    assert [item.previous for item in stored] == [GENESIS, stored[0].hash, stored[1].hash]
    assert head(store) == Head(3, stored[2].hash)


def test_private_values_are_not_in_the_chained_content(store: Store) -> None:
    append(store, an_entry(1))
    with store.engine.connect() as connection:
        content = connection.exec_driver_sql("SELECT content FROM landrules_ledger_entry").scalar_one()
    for private in ("李四1", "超出 5 年", input_hash(1)):
        assert private not in content


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    append(store, an_entry(1, id="a"))
    with pytest.raises(EntryError, match="编号“a”已用于台账第 1 条"):
        append_all(store, [an_entry(2), an_entry(3, id="a")])
    assert [stored.seq for stored in entries(store)] == [1]
    assert [stored.seq for stored in append_all(store, [an_entry(2), an_entry(3)])] == [2, 3]
    assert append_all(store, []) == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"at": datetime(2026, 1, 1)}, "时间没有时区"),  # noqa: DTZ001 - that is the point
        ({"kind": "mask"}, "不能作为条目的种类"),
        ({"kind": ""}, "不能作为条目的种类"),
        ({"who": "a\0b"}, "who 含有控制字符"),
        ({"case": "\ud800"}, "case 含有控制字符"),
        ({"input": {"x": float("nan")}}, "不能写成 JSON"),
        ({"outcome": {"x": {1, 2}}}, "不能写成 JSON"),
        ({"outcome": Private(Private(1, ("a",)), ("b",))}, "不能写成 JSON"),
    ],
)
def test_what_cannot_be_an_entry(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with closing(open_store(tmp_path / "a.sqlite3")) as store:
        with pytest.raises(EntryError, match=message):
            append(store, an_entry(1, **changes))
        assert list(entries(store)) == []


def test_strange_but_valid_content(store: Store) -> None:
    strange = {"$": [0, 1], "a": {"$": {"$": None}}, "半个代理对": "\ud800", "空字符": "\0", "大数": 10**30}
    given = an_entry(1, input=strange, outcome=Private(strange, ("x",)), who="王 审查\u3000甲")
    append(store, given)
    (read,) = entries(store)
    assert (read.entry.input, read.entry.outcome, read.entry.who) == (strange, strange, "王 审查\u3000甲")
    assert verify(store).intact


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("$ab") | st.text(), inner),
    max_leaves=20,
)


@given(_json)
def test_canonical_text_and_sealing_lose_nothing(tree: object) -> None:
    assert parse(canonical(tree)) == tree
    assert canonical(parse(canonical(tree))) == canonical(tree)
    canonical(tree).encode()
    skeleton, items, _ = seal({"a": tree, "b": [Private(tree, ("x", "y")), Private(1, ("y", "x"))]})
    assert len(items) == 1
    assert unseal(parse(canonical(skeleton)), items) == {"a": tree, "b": [tree, 1]}


def test_moments_are_utc_and_order_as_text() -> None:
    beijing = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    assert instant(beijing) == "2026-03-02T01:30:00.000000Z"
    assert instant_of(instant(beijing)) == beijing
    assert instant(datetime(999, 1, 1, tzinfo=UTC)) < instant(beijing)


# --- idempotency ---


def test_the_same_request_twice_is_stored_once(store: Store) -> None:
    first = append_once(store, an_entry(1, key="k"))
    later = an_entry(1, key="k", at=MORNING + timedelta(days=9), engine="landrules 9", outcome="另一结果")
    assert append_once(store, later) == first
    assert len(list(entries(store))) == 1


@pytest.mark.parametrize(
    "changes", [{"who": "别人"}, {"input": {"x": 1}}, {"options": {}}, {"case": "c"}, {"input_hash": "00"}]
)
def test_a_key_for_another_request_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with closing(open_store(tmp_path / "a.sqlite3")) as store:
        append_once(store, an_entry(1, key="k"))
        with pytest.raises(KeyConflictError, match="幂等键“k”已用于另一项请求（台账第 1 条）"):
            append_once(store, an_entry(1, key="k", **changes))
        with pytest.raises(KeyConflictError, match="幂等键“k”已用过"):
            append(store, an_entry(1, key="k"))
        with pytest.raises(EntryError, match="缺少幂等键"):
            append_once(store, an_entry(1))
        assert len(list(entries(store))) == 1


def test_a_masked_entry_still_answers_its_key(store: Store) -> None:
    first = append_once(store, an_entry(1, key="k"))
    mask(store, ["权利人"], at=MORNING, who="王", reason="申请")
    assert append_once(store, an_entry(1, key="k")).seq == first.seq
    with pytest.raises(KeyConflictError):
        append_once(store, an_entry(1, key="k", who="别人"))


# --- finding ---


def test_finding(store: Store) -> None:
    kinds = ("case-event", "check")
    given = [an_entry(n, case=f"案{n % 3}", id=f"n{n}", kind=kinds[n % 2]) for n in range(1, 121)]
    append_all(store, given)
    numbers = lambda query, **more: [stored.seq for stored in find(store, query, **more)]  # noqa: E731
    assert numbers(Query()) == list(range(1, 121))
    assert numbers(Query(), after=118) == [119, 120]
    assert numbers(Query(), after=10, limit=60) == list(range(11, 71))
    assert numbers(Query(case="案1", kind="check"), limit=2) == [1, 7]
    assert numbers(Query(id="n5")) == [5]
    assert numbers(Query(input_hash=input_hash(77))) == [77]
    assert numbers(Query(since=MORNING + timedelta(days=3), until=MORNING + timedelta(days=5))) == [3, 4]
    assert numbers(Query(who="无此人")) == []
    assert numbers(Query(), limit=0) == []


# --- the database's own protection ---


_EVERYWHERE = (
    "UPDATE landrules_ledger_entry SET who = 'x'",
    "UPDATE landrules_ledger_entry SET content = content WHERE seq = 1",
    "DELETE FROM landrules_ledger_entry WHERE seq = 2",
    "UPDATE landrules_ledger_sealed SET body = '[1]' WHERE seq = 1",
    "UPDATE landrules_ledger_sealed SET salt = NULL, body = NULL, masked_by = 1",
    "DELETE FROM landrules_ledger_sealed",
    "UPDATE landrules_ledger_head SET seq = 1",
    "UPDATE landrules_ledger_head SET seq = 3",
    "DELETE FROM landrules_ledger_head",
    "INSERT INTO landrules_ledger_head (one, seq, hash) VALUES (1, 0, '')",
    """INSERT INTO landrules_ledger_entry (seq, id, at, who, kind, case_id, content, previous, hash)
       VALUES (9, 'x', '', '', 'check', '', '', '', '')""",
    "INSERT INTO landrules_ledger_sealed (seq, item, names, salt, body) VALUES (1, 99, '[]', '', '')",
)
_ONLY = {
    "postgresql": (
        "TRUNCATE landrules_ledger_entry",
        "TRUNCATE landrules_ledger_sealed",
        "TRUNCATE landrules_ledger_head",
    ),
    "sqlite": (
        """INSERT OR REPLACE INTO landrules_ledger_entry
           (seq, id, at, who, kind, case_id, content, previous, hash)
           SELECT 3, id, at, 'x', kind, case_id, content, hash, 'h' FROM landrules_ledger_entry WHERE seq = 2""",
        """INSERT OR REPLACE INTO landrules_ledger_sealed (seq, item, names, salt, body)
           VALUES (2, 0, '[]', '', '')""",
        "UPDATE OR REPLACE landrules_ledger_sealed SET seq = 2",
    ),
}


def test_the_database_refuses_changes(store: Store) -> None:
    append(store, an_entry(1))
    append(store, an_entry(2))
    for statement in (*_EVERYWHERE, *_ONLY[store.engine.dialect.name]):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert verify(store).intact
    assert len(list(entries(store))) == 2


# --- opening ---


def test_opening_again_finds_everything(where: str) -> None:
    with closing(open_store(where)) as store:
        stored = append(store, an_entry(1))
    with closing(open_store(where, create=False)) as store:
        assert list(entries(store)) == [stored]
        assert append(store, an_entry(2)).previous == stored.hash


def test_a_newer_schema_is_refused(store: Store, where: str) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE landrules_ledger_version SET version_num = '0042'")
    with pytest.raises(
        StoreError, match=r"由更新版本的 landrules 建立（结构版本 0042，本程序只认识到 0001）"
    ):
        open_store(where)


def test_nothing_is_created_unasked(where: str) -> None:
    with pytest.raises(StoreError, match="没有台账"):
        open_store(where, create=False)


def test_the_revisions_make_the_tables_that_the_program_uses(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == migrate.REVISIONS


def test_sqlite_is_set_up_for_durability(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "a.sqlite3")) as store, store.engine.connect() as connection:
        read = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731
        assert read("journal_mode") == "wal"
        assert read("synchronous") == 2
        assert read("busy_timeout") == 30_000
        assert read("secure_delete") == 1


def test_passwords_are_not_shown() -> None:
    address = "postgresql://u:geheim@127.0.0.1:1/x?connect_timeout=2"
    with pytest.raises(StoreError, match="连不上台账数据库") as caught:
        open_store(address)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("address", ["mysql://u@h/x", "http://x", "postgresql://[", "://"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(StoreError, match="台账"):
        open_store(address)
