"""Where landrules keeps what is a user's own: bound texts, the ledger of a service."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["NO_LEDGER", "default_ledger", "home"]

NO_LEDGER = "none"
"""In place of a ledger's address: none is kept, whatever the default or the environment says."""


def home() -> Path:
    """`$LANDRULES_HOME`, else `~/.landrules`; it need not exist yet."""
    chosen = os.environ.get("LANDRULES_HOME")
    return Path(chosen) if chosen else Path.home() / ".landrules"


def default_ledger() -> Path:
    """The ledger of a service that is told of no other one."""
    return home() / "ledger.sqlite3"
