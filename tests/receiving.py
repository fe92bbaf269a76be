"""A receiver on the loopback interface, and a program that gets killed while it delivers."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from landrules.engine.webhook.deliver import Retries, deliver_due
from landrules.engine.webhook.post import poster
from landrules.engine.webhook.queue import Notice, open_queue
from landrules.engine.webhook.signing import new_secret
from landrules.engine.webhook.subscriptions import Subscription

MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
SECRET = new_secret(bytes(range(32)))
OTHER_SECRET = new_secret(bytes(range(1, 33)))


@dataclass(slots=True)
class Clock:
    """A clock that goes only when told to."""

    moment: datetime = MORNING

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass(slots=True)
class Receiver:
    """What arrived, and what is answered: `answers` in turn, then 204. A number of seconds (float) is a silence first."""

    answers: list[int | float] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    had: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.had]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.had.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = receiver.answers.pop(0) if receiver.answers else 204
            if isinstance(answer, float):
                time.sleep(answer)
                return
            self.send_response(answer)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Threads that sleep must not hold the test up.
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks?from=landrules"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def subscription(url: str, **changes: Any) -> Subscription:
    return Subscription(**{"name": "oa", "url": url, "secret": SECRET, **changes})


def a_notice(number: int = 1, **changes: Any) -> Notice:
    given = {
        "event_id": f"evt_{number}",
        "receiver": "oa",
        "case": "2023-17",
        "type": "case.violated",
        "body": f'{{"type":"case.violated","data":{{"number":{number}}}}}',
    }
    return Notice(**{**given, **changes})


def deliver_on(where: str, url: str, subscriptions: Sequence[Subscription] = ()) -> None:
    """Deliver without end, by the real clock."""
    found = subscriptions or [subscription(url)]
    retries = Retries(first=timedelta(milliseconds=1), hold=timedelta(milliseconds=150))
    with closing(open_queue(where)) as queue:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            deliver_due(queue, found, lambda: datetime.now(UTC), poster(2), retries=retries)
            time.sleep(0.005)


if __name__ == "__main__":
    deliver_on(sys.argv[1], sys.argv[2])
