"""Runs the application with uvicorn, in this process, until it is told to stop; what is in progress is finished first."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType

import uvicorn
from loguru import logger

from landrules.engine.service.app import create_app
from landrules.engine.service.requests import pieces
from landrules.engine.service.settings import Settings

__all__ = ["log_to_stderr", "serve"]


class _Server(uvicorn.Server):
    """Uvicorn that says so as soon as it is told to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Refuse new work, then stop as uvicorn does."""
        kept = pieces(self.config.app)  # type: ignore[arg-type]  # it is the application we made
        kept.work.refuse_more()
        if kept.herald is not None:
            kept.herald.send_no_more()
        super().handle_exit(sig, frame)


class _ToLoguru(logging.Handler):
    """Hands on what uvicorn logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under the service's name, so that one switch turns both on."""
        text = record.getMessage()
        level = "DEBUG" if record.levelno < logging.WARNING else record.levelname
        logger.bind(source="uvicorn").opt(exception=record.exc_info).log(level, "{}", text)


def log_to_stderr(settings: Settings) -> None:
    """Set loguru up for a service: standard error, no values of variables in tracebacks."""
    logger.remove()
    logger.add(
        sys.stderr,
        level=settings.log_level,
        serialize=settings.log == "json",
        format="{time:YYYY-MM-DDTHH:mm:ss.SSSZZ} {level} {message} {extra}",
        colorize=False,
        backtrace=False,
        diagnose=False,
    )
    logger.enable("landrules")
    handler = _ToLoguru()
    for name in ("uvicorn", "uvicorn.error"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO)
    # A traceback of uvicorn's and its own message are one thing.
    logging.getLogger("uvicorn.error").handlers = []
    logging.getLogger("uvicorn.error").propagate = True


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        OSError: when it cannot listen.
        SettingsError, InputError, LedgerError, WebhookError: as `create_app`, before anything listens.
    """
    log_to_stderr(settings)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Behind a proxy, the Host header counts; no other header is believed.
        proxy_headers=False,
        timeout_graceful_shutdown=settings.graceful_seconds,
        lifespan="on",
    )
    server = _Server(config)
    documents = len(pieces(app).office.rulebook.documents)
    rules = len(pieces(app).office.rulebook.rules)
    store = pieces(app).office.store
    logger.info(
        "载入 {} 份文件、{} 条规则，监听 {}:{}，{}，{}",
        documents,
        rules,
        settings.host,
        settings.port,
        "不记台账" if store is None else f"台账 {store.place}",
        "不发通知" if settings.webhooks is None else f"通知订阅 {settings.webhooks}",
    )
    # Uvicorn raises the signal again once it has stopped; SIGTERM was an order and is done with.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run()
    except SystemExit as stopped:
        # Uvicorn has logged why; it ends the process where it cannot listen.
        raise OSError(
            f"监听不了 {settings.host}:{settings.port}，可能已被其他程序占用；请换一个 --port"
        ) from stopped
