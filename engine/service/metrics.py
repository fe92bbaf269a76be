"""Prometheus metrics, in a registry of the application's own: counts and times, nothing of what is checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from landrules.engine.findings.model import Report
from landrules.engine.ledger.errors import StoreError
from landrules.engine.report.summary import summarise
from landrules.engine.webhook.queue import Counts

__all__ = ["Metrics"]


def _counted(counts: Callable[[], Counts], state: str) -> float:
    try:
        return float(getattr(counts(), state))
    except StoreError:
        return float("nan")


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """What `/metrics` tells."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "landrules_requests", "请求数", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "landrules_request_seconds", "请求用时（秒）", ("route",), buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("landrules_requests_in_flight", "进行中的请求数", registry=registry)
        self.records = Counter("landrules_records", "预检的记录数", registry=registry)
        self.verdicts = Counter("landrules_verdicts", "各种结论的数目", ("verdict",), registry=registry)
        self.events = Counter("landrules_case_events", "案件事件数", ("event",), registry=registry)
        self.ready = Gauge("landrules_ready", "是否可受理请求", registry=registry)

    def watch_notices(self, counts: Callable[[], Counts]) -> None:
        """Tell how many webhook notices wait, fail and are given up, read when `/metrics` is asked."""
        gauge = Gauge("landrules_notices", "通知数", ("state",), registry=self.registry)
        for state in ("waiting", "failing", "dead"):
            gauge.labels(state).set_function(partial(_counted, counts, state))

    def count_report(self, report: Report) -> None:
        """Count the records and verdicts of a report."""
        self.records.inc(len(report.records))
        for verdict, count in summarise(report).verdicts.items():
            self.verdicts.labels(str(verdict)).inc(count)

    def text(self) -> bytes:
        """The metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
