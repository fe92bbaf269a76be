"""Creates the tables and brings them up to this version, by the Alembic revisions in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from landrules.engine.ledger.database import connect, locate, reading, writing
from landrules.engine.ledger.errors import StoreError, missing
from landrules.engine.ledger.tables import VERSION_TABLE

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["REVISIONS", "ensure_current", "revision_of", "upgrade"]

REVISIONS = ("0001",)
"""All revisions, oldest first: opening a store needs only these names, not Alembic."""

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number will do that nobody else in the database uses for an advisory lock.
_LOCK = 0x6C616E64


def upgrade(where: str | Path) -> None:
    """Create the tables of a store, or bring them up to this version. Several processes may try at once.

    Raises:
        StoreError: when the database refuses, or is of a newer version.
        MissingExtraError: when Alembic or the database driver is not installed.
    """
    engine = connect(locate(where))
    try:
        upgrade_engine(engine)
    finally:
        engine.dispose()


def upgrade_engine(engine: sa.Engine) -> None:
    """As `upgrade`, on an engine that is there."""
    try:
        from alembic import command  # noqa: PLC0415 - most runs open a store that is up to date, and never need it
        from alembic.config import Config  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise missing("alembic") from error
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    if engine.dialect.name == "sqlite":
        _to_wal(engine)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        _check_revision(_revision(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _to_wal(engine: sa.Engine) -> None:
    # Not possible inside a transaction, and remembered by the file.
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None  # noqa: S101 - it has just been opened
        cursor = raw.cursor()
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        finally:
            cursor.close()


def revision_of(engine: sa.Engine) -> str | None:
    """The revision of the store's tables, None where there are none."""
    with reading(engine) as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    table = sa.table(VERSION_TABLE, sa.column("version_num"))
    return connection.execute(sa.select(table.c.version_num)).scalar()


def ensure_current(engine: sa.Engine, *, create: bool) -> None:
    """Make or upgrade the tables where that is needed, and `create` allows it.

    Raises:
        StoreError: when it is needed and not allowed, or the store is of a newer version.
    """
    revision = revision_of(engine)
    _check_revision(revision)
    if revision == REVISIONS[-1]:
        return
    if not create:
        raise StoreError("这个数据库里没有台账，或台账的结构较旧；请用写入台账的程序打开一次，由它建立或升级")
    upgrade_engine(engine)


def _check_revision(revision: str | None) -> None:
    """Refuse a store that was made by a newer version.

    Raises:
        StoreError: when this version does not know the revision.
    """
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"台账由更新版本的 landrules 建立（结构版本 {revision}，本程序只认识到 {REVISIONS[-1]}）；"
            "请升级 landrules 后再用，台账没有改动"
        )
