"""The record of decisions: an append-only, hash-chained store of checks and case events (docs/builders/ledger.md)."""
