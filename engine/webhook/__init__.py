"""Signed, retried, deduplicated HTTP notices of what changes in cases (docs/builders/webhooks.md)."""

from loguru import logger

# A library does not write into its host's log unasked: `loguru.logger.enable("landrules.engine.webhook")` switches it on.
logger.disable("landrules.engine.webhook")
