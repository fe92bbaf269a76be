"""The two matchers of a case: durable-rules in a worker process, and the reference evaluator. They must agree.

A matcher answers what each rule comes to on a prepared record. Neither keeps anything of a case.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, Self

from loguru import logger

from landrules.engine.case.durable import Definition, Program, ask, program, verdict_of
from landrules.engine.case.questions import Asked, Outcome, Question, Said, outcome, questions, say
from landrules.engine.case.worker import COMMAND, MissingEngineError, Worker, WorkerError
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays
from landrules.facts.records import Record

__all__ = ["DurableMatcher", "Matcher", "MatcherName", "ReferenceMatcher", "open_matcher"]

MatcherName = Literal["durable", "reference"]

_ATTEMPTS = 3
"""How often one request is tried before the reference evaluator answers it."""
_INPUTS = 3
"""After so many requests in a row that no worker could answer, durable-rules is left alone."""


class Matcher(Protocol):
    """Says what each rule comes to on a record as `landrules.engine.checking.prepare` gives it."""

    def outcomes(self, record: Record) -> dict[str, Outcome]:
        """The outcome of every selected rule of the record's subject, by rule id, in the order of ids."""

    def close(self) -> None:
        """Let go of what the matcher holds."""


def open_matcher(
    name: MatcherName,
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    *,
    workdays: Workdays | None = None,
) -> DurableMatcher | ReferenceMatcher:
    """A matcher by its name; to be closed after use (it is a context manager)."""
    options, workdays = options or CheckOptions(), workdays or Workdays()
    if name == "durable":
        return DurableMatcher(rulebook, options, workdays)
    return ReferenceMatcher(rulebook, options, workdays)


class ReferenceMatcher:
    """The definition: every rule judged by the reference evaluator."""

    def __init__(self, rulebook: Rulebook, options: CheckOptions, workdays: Workdays) -> None:
        self._rulebook, self._options, self._workdays = rulebook, options, workdays

    def outcomes(self, record: Record) -> dict[str, Outcome]:
        """As `Matcher.outcomes`."""
        asked = questions(self._rulebook, record, self._options, self._workdays)
        return {question.rule.id: outcome(question, say) for question in asked}

    def close(self) -> None:
        """Nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DurableMatcher:
    """durable-rules in a worker process, with the reference evaluator where it fails; thread-safe.

    A worker that dies, hangs or reports an error is replaced and the request repeated; it carries everything it needs,
    so the outcome is the same. A request that fails `_ATTEMPTS` times is answered by the reference evaluator, and so is
    everything where durable-rules cannot be imported; the log says so. `command` and `seconds` are those of `Worker`.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        options: CheckOptions,
        workdays: Workdays,
        *,
        command: Sequence[str] = COMMAND,
        seconds: float = 10.0,
    ) -> None:
        self._rulebook, self._options, self._workdays = rulebook, options, workdays
        self._command, self._seconds = command, seconds
        self._programs: dict[str, Program] = {}
        self._definitions: dict[str, Definition] = {}
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._failed_inputs = 0
        self._given_up = False
        self.restarts = 0
        self.fallbacks = 0

    @property
    def worker_pid(self) -> int | None:
        """The process id of the present worker, None where there is none."""
        worker = self._worker
        return None if worker is None else worker.pid

    @property
    def available(self) -> bool:
        """False once durable-rules was found missing or given up."""
        return not self._given_up

    def start(self) -> bool:
        """Start the worker now and not with the first record; False where durable-rules cannot be used."""
        with self._lock:
            if self._worker is None and not self._given_up:
                self._fired("", {})
            return not self._given_up

    def outcomes(self, record: Record) -> dict[str, Outcome]:
        """As `Matcher.outcomes`."""
        began = time.perf_counter()
        asked = list(questions(self._rulebook, record, self._options, self._workdays))
        speak = self._match(record, asked)
        found = {question.rule.id: outcome(question, speak) for question in asked}
        logger.bind(case=record.id, rules=len(found), seconds=time.perf_counter() - began).debug("案件已匹配")
        return found

    def close(self) -> None:
        """End the worker process."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _match(self, record: Record, asked: Sequence[Question]) -> Callable[[Asked], Said]:
        """How to say what a version of a rule comes to: by what fired, or by the reference evaluator."""
        with self._lock:
            compiled = self._program(record.subject)
        facts, failed = ask(compiled, asked)
        fired: Mapping[str, frozenset[str]] | None = {}
        if facts:
            with self._lock:
                fired = None if self._given_up else self._fired(record.id, facts)
        if fired is None:
            return say

        def speak(version: Asked) -> Said:
            if (version.rule.id, version.version) in failed:
                said = say(version)
                if said.verdict is Verdict.ERROR:
                    logger.bind(case=record.id, rule=version.rule.id).warning(
                        "规则未能执行：{}", said.message
                    )
                return said
            return verdict_of(compiled, fired, version)

        return speak

    def _program(self, subject: str) -> Program:
        found = self._programs.get(subject)
        if found is None:
            facts = self._rulebook.vocabulary.subjects[subject].facts.values()
            texts = frozenset(fact.key for fact in facts if fact.type in ("enum", "text"))
            rules = self._rulebook.rules_for(subject)
            found = self._programs[subject] = program(f"p{len(self._programs)}s", rules, texts)
            self._definitions.update({shard.name: shard.definition for shard in found.shards})
        return found

    def _fired(
        self, case: str, facts: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, frozenset[str]] | None:
        """What fired; None where no worker could tell."""
        log = logger.bind(case=case)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if self._worker is None:
                    self._worker = Worker(self._command, self._seconds)
                fired = self._worker.match(self._definitions, facts)
            except MissingEngineError as error:
                self._given_up = True
                log.warning(
                    "无法载入 durable-rules（{error}），案件改由参照求值器判断，结论相同", error=error
                )
                return None
            except WorkerError as error:
                # The worker has closed itself; the next attempt starts another one.
                self._worker = None
                self.restarts += 1
                log.warning(
                    "匹配进程出错（{error}），第 {number} 次，重启后重做", error=error, number=attempt
                )
                continue
            self._failed_inputs = 0
            return fired
        self.fallbacks += 1
        self._failed_inputs += 1
        self._given_up = self._failed_inputs >= _INPUTS
        left = "；连续多次失败，此后都由参照求值器判断" if self._given_up else ""
        log.error(
            "匹配进程 {times} 次未能回答，本次由参照求值器判断，结论相同{left}", times=_ATTEMPTS, left=left
        )
        return None
