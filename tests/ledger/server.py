"""A PostgreSQL server of our own: in a temporary folder, on a socket there, as a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa


def programs() -> Path | None:
    """The folder of the server's programs, None where it is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


class Server:
    """A PostgreSQL server on a socket in its own folder."""

    def __init__(self, where: Path, folder: Path, user: dict[str, Any], settings: str) -> None:
        self.programs, self.folder, self.user, self.settings = where, folder, user, settings
        self.names = count(1)

    def run(self, program: str, *arguments: str) -> None:
        # The server inherits what it is given; a pipe would stay open as long as it runs.
        with (self.folder / "commands.log").open("ab") as log:
            command = [str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
            subprocess.run(command, check=True, cwd=self.folder, stdout=log, stderr=log, **self.user)

    def start(self) -> None:
        settings = f"-c max_connections=30 -c shared_buffers=16MB {self.settings}"
        options = f"-k {self.folder} -c listen_addresses='' {settings}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self, mode: str) -> None:
        self.run("pg_ctl", "-w", "-m", mode, "stop")

    def new_store(self) -> str:
        """The address of an empty schema, which is made much faster than a database."""
        name = f"ledger{next(self.names)}"
        address = f"postgresql://landrules@/postgres?host={self.folder}"
        engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        engine.dispose()
        return f"{address}&options=-csearch_path%3D{name}"


@contextmanager
def running(settings: str = "") -> Iterator[Server]:
    """A server that is gone afterwards. `settings` are options for the server, as `-c name=value`."""
    where = programs()
    assert where is not None, "no PostgreSQL server is installed"
    user: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="landrules-pg-"))
    if os.geteuid() == 0:
        # The server refuses to run as root.
        names = [entry.pw_name for entry in pwd.getpwall()]
        entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    server = Server(where, folder, user, settings)
    try:
        server.run("initdb", "-U", "landrules", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
