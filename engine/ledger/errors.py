"""What can go wrong with the ledger; every message is Chinese and says what, why and what to do.

LedgerError
├── MissingExtraError   a package of `landrules[service]` is not installed (also an ImportError)
├── StoreError          the database cannot be used: absent, read-only, full, busy, of a newer schema
├── EntryError          what was handed in cannot be an entry
└── KeyConflictError    an idempotency key was used before, for something else
"""

from __future__ import annotations

__all__ = ["EntryError", "KeyConflictError", "LedgerError", "MissingExtraError", "StoreError", "missing"]


class LedgerError(Exception):
    """Something about the ledger that a person has to know."""


class MissingExtraError(LedgerError, ImportError):
    """A package that the ledger needs is not installed."""


class StoreError(LedgerError):
    """The database cannot be used as it is."""


class EntryError(LedgerError):
    """This cannot be stored as an entry."""


class KeyConflictError(LedgerError):
    """An idempotency key that stands for another request."""


def missing(module: str) -> MissingExtraError:
    """The error for a package that is not there."""
    return MissingExtraError(f"缺少组件 {module}，台账无法使用；请安装：pip install 'landrules[service]'")
