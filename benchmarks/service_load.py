"""A bounded load test: `service_load.py [REQUESTS] [CONNECTIONS]`.

Starts `landrules serve` on loopback, sends the same requests to `/v1/check` and to the do-nothing endpoint `/health/live` of
the same server over a few kept-alive connections, and prints p50, p95 and throughput of each and their ratio. It stops
the server with SIGTERM while requests are running, and counts how many of those were answered.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RECORD = {
    "subject": "parcel_supply",
    "id": "WH-01",
    "facts": {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"},
}
HEADERS = {"Content-Type": "application/json"}
Ask = Callable[[http.client.HTTPConnection, int], bytes]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not come up")


def nothing(connection: http.client.HTTPConnection, _: int) -> bytes:
    connection.request("GET", "/health/live")
    return answer(connection)


def check(rows: int) -> Ask:
    def ask(connection: http.client.HTTPConnection, number: int) -> bytes:
        records = [{**RECORD, "id": f"{number}-{row}"} for row in range(rows)]
        connection.request("POST", "/v1/check", json.dumps(records).encode(), HEADERS)
        return answer(connection)

    return ask


def answer(connection: http.client.HTTPConnection) -> bytes:
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"{response.status}: {body[:300]!r}")
    return body


def measure(port: int, ask: Ask, requests: int, connections: int) -> tuple[float, float, float]:
    """p50 and p95 in milliseconds, and requests a second."""
    times: list[float] = []
    lock = threading.Lock()

    def work(start: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        mine = []
        for number in range(start, requests, connections):
            began = time.perf_counter()
            ask(connection, number)
            mine.append(time.perf_counter() - began)
        connection.close()
        with lock:
            times.extend(mine)

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))
    seconds = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    return cuts[49] * 1000, cuts[94] * 1000, requests / seconds


def stopped_while_busy(port: int, server: subprocess.Popen[bytes], connections: int) -> tuple[int, int]:
    """Requests that were under way at SIGTERM, and how many of them got their whole answer."""
    under_way = threading.Barrier(connections + 1)

    def work(number: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        records = [{**RECORD, "id": f"{number}-{row}"} for row in range(100)]
        connection.request("POST", "/v1/check", json.dumps(records).encode(), HEADERS)
        under_way.wait()
        return len(json.loads(answer(connection))["records"]) == 100

    with ThreadPoolExecutor(connections) as pool:
        futures = [pool.submit(work, number) for number in range(connections)]
        under_way.wait()
        time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        return connections, sum(future.result() for future in futures)


def main(requests: int = 400, connections: int = 4) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        for store in ("", str(Path(folder) / "ledger.sqlite")):
            command = [sys.executable, "-m", "landrules.engine.cli", "serve", "--port", str(port)]
            command += ["--store", store] if store else []
            environment = {**os.environ, "LANDRULES_LOG_LEVEL": "WARNING"}
            server = subprocess.Popen(command, env=environment)
            try:
                wait_until_ready(port, server)
                print(
                    f"{'with' if store else 'without'} ledger, {requests} requests, {connections} connections"
                )
                measure(port, check(1), connections * 4, connections)
                base = measure(port, nothing, requests, connections)
                for name, ask, count in (
                    ("/health/live", nothing, requests),
                    ("/v1/check, 1 record", check(1), requests),
                    ("/v1/check, 20 records", check(20), max(requests // 8, connections)),
                ):
                    found = base if ask is nothing else measure(port, ask, count, connections)
                    ratios = [found[0] / base[0], found[1] / base[1], found[2] / base[2]]
                    print(
                        f"  {name:24} p50 {found[0]:8.1f} ms ({ratios[0]:6.1f}x)  p95 {found[1]:8.1f} ms "
                        f"({ratios[1]:6.1f}x)  {found[2]:8.1f} /s ({ratios[2]:.4f}x)"
                    )
                asked, answered = stopped_while_busy(port, server, connections)
                print(
                    f"  SIGTERM with {asked} requests under way: {answered} answered, exit {server.wait(60)}"
                )
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
