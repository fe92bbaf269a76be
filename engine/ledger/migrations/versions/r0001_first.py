"""The first schema: three tables, and triggers that keep them append-only.

What triggers allow: appending after the head; masking a sealed item by a mask entry; deleting what a checkpoint lets go of.
The triggers stop mistakes and casual changes. Whoever may drop them can still not change anything unnoticed: that is
what the hash chain is for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GENESIS = "0" * 64
ENTRY, SEALED, HEAD = "landrules_ledger_entry", "landrules_ledger_sealed", "landrules_ledger_head"

# Each is the condition under which a change is allowed, in SQL that both databases understand.
# SQLite's REPLACE deletes rows without asking delete triggers, so insert triggers look for the rows it would delete.
_ENTRY_INSERT = f"""EXISTS (SELECT 1 FROM {HEAD} WHERE NEW.seq = seq + 1 AND NEW.previous = hash)
  AND NOT EXISTS (SELECT 1 FROM {ENTRY} WHERE seq = NEW.seq OR id = NEW.id OR key = NEW.key)"""
_SEALED_INSERT = f"""EXISTS (SELECT 1 FROM {HEAD} WHERE NEW.seq = seq)
  AND NEW.masked_by IS NULL AND NEW.salt IS NOT NULL AND NEW.body IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM {SEALED} WHERE seq = NEW.seq AND item = NEW.item)"""
_SEALED_UPDATE = f"""NEW.seq = OLD.seq AND NEW.item = OLD.item AND NEW.names = OLD.names
  AND OLD.masked_by IS NULL AND NEW.salt IS NULL AND NEW.body IS NULL
  AND EXISTS (SELECT 1 FROM {ENTRY} WHERE seq = NEW.masked_by AND kind = 'mask')"""
_LET_GO = f"EXISTS (SELECT 1 FROM {ENTRY} WHERE kind = 'checkpoint' AND through >= OLD.seq)"
_HEAD_INSERT = f"NOT EXISTS (SELECT 1 FROM {HEAD})"
_HEAD_UPDATE = f"""NEW.one = OLD.one AND NEW.seq = OLD.seq + 1
  AND EXISTS (SELECT 1 FROM {ENTRY} WHERE seq = NEW.seq AND hash = NEW.hash)"""
_NEVER = "1 = 0"

_RULES = (
    (ENTRY, "INSERT", _ENTRY_INSERT),
    (ENTRY, "UPDATE", _NEVER),
    (ENTRY, "DELETE", _LET_GO),
    (SEALED, "INSERT", _SEALED_INSERT),
    (SEALED, "UPDATE", _SEALED_UPDATE),
    (SEALED, "DELETE", _LET_GO),
    (HEAD, "INSERT", _HEAD_INSERT),
    (HEAD, "UPDATE", _HEAD_UPDATE),
    (HEAD, "DELETE", _NEVER),
)


def upgrade() -> None:
    """Create tables, the first head and the triggers."""
    _tables()
    op.execute(f"INSERT INTO {HEAD} (one, seq, hash) VALUES (1, 0, '{GENESIS}')")
    if op.get_bind().dialect.name == "sqlite":
        for table, action, allowed in _RULES:
            op.execute(
                f"CREATE TRIGGER {table}_{action.lower()} BEFORE {action} ON {table} WHEN NOT ({allowed}) "
                f"BEGIN SELECT RAISE(ABORT, 'landrules ledger is append-only: {action} refused'); END"
            )
        return
    for table, action, allowed in _RULES:
        name = f"{table}_{action.lower()}"
        row = "OLD" if action == "DELETE" else "NEW"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ({allowed}) THEN "
            f"RAISE EXCEPTION 'landrules ledger is append-only: {action} refused'; END IF; RETURN {row}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    op.execute(
        "CREATE FUNCTION landrules_ledger_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'landrules ledger is append-only: TRUNCATE refused'; END $$"
    )
    for table in (ENTRY, SEALED, HEAD):
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION landrules_ledger_truncate()"
        )


def _tables() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        ENTRY,
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=True, unique=True),
        sa.Column("through", number, nullable=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index(f"{ENTRY}_at", ENTRY, ["at"])
    op.create_index(f"{ENTRY}_case", ENTRY, ["case_id", "seq"])
    op.create_index(f"{ENTRY}_kind", ENTRY, ["kind", "through"])
    op.create_table(
        SEALED,
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=True),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("masked_by", number, nullable=True),
    )
    searched = sa.text("""names = '["*","input_hash"]'""")
    op.create_index(f"{SEALED}_input", SEALED, ["body"], postgresql_where=searched, sqlite_where=searched)
    op.create_table(
        HEAD,
        sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
        sa.Column("seq", number, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
