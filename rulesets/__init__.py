"""Rulesets as data: one folder per document."""
