"""The tables. `content` is what is chained; the other columns of an entry repeat parts of it to be searched by."""

from __future__ import annotations

from landrules.engine.ledger.errors import missing

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["ENTRY", "HEAD", "METADATA", "SEALED", "VERSION_TABLE"]

VERSION_TABLE = "landrules_ledger_version"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

METADATA = sa.MetaData()

ENTRY = sa.Table(
    "landrules_ledger_entry",
    METADATA,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=True, unique=True),
    # Of a checkpoint: the last entry that it lets go of. Triggers need it where they can read it.
    sa.Column("through", _NUMBER, nullable=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("landrules_ledger_entry_at", "at"),
    sa.Index("landrules_ledger_entry_case", "case_id", "seq"),
    sa.Index("landrules_ledger_entry_kind", "kind", "through"),
)

SEALED = sa.Table(
    "landrules_ledger_sealed",
    METADATA,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("names", sa.Text, nullable=False),
    sa.Column("salt", sa.Text, nullable=True),
    sa.Column("body", sa.Text, nullable=True),
    sa.Column("masked_by", _NUMBER, nullable=True),
    # Long bodies do not fit into an index of PostgreSQL; the one kind that is searched for is short.
    sa.Index(
        "landrules_ledger_sealed_input",
        "body",
        postgresql_where=sa.text("""names = '["*","input_hash"]'"""),
        sqlite_where=sa.text("""names = '["*","input_hash"]'"""),
    ),
)

HEAD = sa.Table(
    "landrules_ledger_head",
    METADATA,
    sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    sa.Column("seq", _NUMBER, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
