"""The worker process: durable-rules behind a pipe, so that a crash in C costs a worker and not the service.

Requests and answers are lines of JSON, one answer a request. Every request carries all it needs (what it defines is
remembered per process), so a worker that was killed is replaced and the request repeated.

    → {"id": 1, "define": {shard: {rule: condition}}, "facts": {shard: {property: word}}}
    ← {"id": 1, "fired": {shard: [rule, …]}}   or   {"id": 1, "error": text}

The first line of a worker is `{"ready": true}` or `{"missing": text}` where durable-rules cannot be imported.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from landrules.engine.case.durable import Definition, Engine

__all__ = ["COMMAND", "MissingEngineError", "Worker", "WorkerError", "main"]

COMMAND = (sys.executable, "-P", "-m", "landrules.engine.case.worker")
"""How a worker is started: this Python, without the current folder on its path."""

_START_SECONDS = 60.0


class WorkerError(Exception):
    """The worker died, hung or reported an error; the request may be repeated with a new one."""


class MissingEngineError(Exception):
    """durable-rules cannot be imported here; no new worker will change that."""


class Worker:
    """One child process. Not for several threads at once.

    Raises:
        MissingEngineError: where durable-rules cannot be imported.
        WorkerError: where the process does not come up.
    """

    def __init__(self, command: Sequence[str] = COMMAND, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._defined: set[str] = set()
        self._number = 0
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this very Python
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            )
        except OSError as error:
            raise WorkerError(f"无法启动：{error}") from error
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        hello = self._answer(_START_SECONDS)
        if "missing" in hello:
            self.close()
            raise MissingEngineError(str(hello["missing"]))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def match(
        self, definitions: Mapping[str, Definition], facts: Mapping[str, Mapping[str, str]]
    ) -> dict[str, frozenset[str]]:
        """The rules fired by each shard's fact; `definitions` holds at least the shards of `facts`.

        Raises:
            WorkerError: where no answer comes, or an error; the worker is then closed.
        """
        self._number += 1
        fresh = {name: definitions[name] for name in facts if name not in self._defined}
        request = {"id": self._number, "define": fresh, "facts": facts}
        try:
            assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
            self._process.stdin.write(json.dumps(request, separators=(",", ":")) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            self.close()
            raise WorkerError(f"无法送达：{error}") from error
        answer = self._answer(self._seconds)
        fired = answer.get("fired")
        if answer.get("id") != self._number or not isinstance(fired, dict) or fired.keys() != facts.keys():
            self.close()
            raise WorkerError(str(answer.get("error", "答非所问")))
        self._defined.update(fresh)
        return {shard: frozenset(names) for shard, names in fired.items()}

    def close(self) -> None:
        """End the process, at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # what was still buffered for a dead process

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        except ValueError:
            pass  # closed while reading, or not UTF-8: no answer
        self._lines.put("")

    def _answer(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise WorkerError(f"{seconds:g} 秒内没有回答") from None
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            code = self._process.poll()
            self.close()
            raise WorkerError("进程已退出" if code is None else f"进程已退出（{code}）")
        return answer


def main() -> None:
    """Serve requests until the pipe is closed."""
    # Ctrl-C is for the parent; it closes the pipe when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The protocol keeps standard output to itself; whatever else is printed goes where errors go.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    try:
        engine = Engine()
    except ImportError as error:
        _send(answers, {"missing": f"{type(error).__name__}：{error}"})
        return
    _send(answers, {"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            for name, definition in request["define"].items():
                engine.define(name, definition)
            _send(answers, {"id": request["id"], "fired": engine.match(request["facts"])})
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side must hear that there is no answer
            _send(answers, {"id": request["id"], "error": f"{type(error).__name__}：{error}"})


def _send(answers: Any, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
