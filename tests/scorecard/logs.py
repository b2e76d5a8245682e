"""Logs of cases for tests: facts in envelopes, told in minutes, made with ids that only depend on the log."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from schemas import exceptions as events
from schemas.base import Event
from schemas.envelope import Envelope, decode, encode, wrap
from schemas.types import By, Cause, Money
from services.scorecard import domain

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOMEBODY = By(subject="someone", role="logistics")
SPACE = UUID("8a1f2b6e-0000-4000-8000-000000000000")
TASKS = {"sales": "notify-customers", "procurement": "find-alternative-source", "logistics": "arrange-transport"}
MONEY = Money(amount=Decimal(100), currency="USD")


class Log:
    """The log of one case; each method says one fact at so many minutes (or an exact timedelta) after the start."""

    def __init__(
        self,
        name: str = "a case",
        *,
        start: datetime = START,
        severity: str = "high",
        site: str = "Lagos",
        customer: str = "Acme",
    ) -> None:
        self.case_id = uuid5(SPACE, name)
        self.name, self.start, self.severity, self.site, self.customer = name, start, severity, site, customer
        self.cause = Cause(kind="shipment-delay", id=uuid5(SPACE, f"{name}/cause"))
        self.envelopes: list[Envelope] = []
        self.optional: set[tuple[str, int]] = set()

    def at(self, minutes: float | timedelta) -> datetime:
        return self.start + (minutes if isinstance(minutes, timedelta) else timedelta(minutes=minutes))

    def say(
        self, what: type[Event], minutes: float | timedelta, *, recorded: float | timedelta | None = None, **fields: Any
    ) -> Envelope:
        number = len(self.envelopes)
        # Time-ordered as the outbox makes them: the number of the fact stands in the first bytes.
        fact_id = UUID(int=(number + 1) << 96 | uuid5(self.case_id, str(number)).int & ((1 << 96) - 1))
        event = what.model_validate(
            {
                "occurred_at": self.at(minutes),
                "case_id": self.case_id,
                "cause": self.cause,
                "severity": self.severity,
                "sites": (self.site,),
                "customers": (self.customer,),
                **fields,
            }
        )
        envelope = wrap(
            event,
            id=fact_id,
            source="/crossdock/test/exceptions",
            recorded_at=self.at(minutes if recorded is None else recorded),
            correlation_id=self.case_id,
            causation_id=uuid5(SPACE, f"{self.name}/signal"),
            cause_kind="event",
        )
        self.envelopes.append(envelope)
        return envelope

    def opened(self, minutes: float = 0, *, cause_at: float = 0) -> Log:
        self.say(
            events.CaseOpened,
            minutes,
            headline="late",
            recurrence=0,
            cause_occurred_at=self.at(cause_at),
            playbook="delay",
            playbook_version=1,
            value_at_risk=MONEY,
            lines=(),
        )
        return self

    def task(
        self, what: type[Event], function: str, minutes: float | timedelta, *, number: int = 0, **fields: Any
    ) -> Log:
        name = TASKS.get(function, "task")
        required = (function, number) not in self.optional
        self.say(
            what,
            minutes,
            task_id=uuid5(self.case_id, f"{name}/{number}"),
            kind=name,
            function=function,
            required=required,
            **fields,
        )
        return self

    def asked(self, function: str, minutes: float = 0, *, required: bool = True, number: int = 0) -> Log:
        self.optional |= set() if required else {(function, number)}
        return self.task(
            events.TaskOpened,
            function,
            minutes,
            number=number,
            title="do it",
            lines=(),
            needed_on=self.start.date(),
            commit_by=self.at(60),
            complete_by=self.at(600),
        )

    def asked_again(self, function: str, minutes: float, *, number: int = 0) -> Log:
        return self.task(
            events.TaskReopened,
            function,
            minutes,
            number=number,
            reason="again",
            lines=(),
            needed_on=self.start.date(),
            commit_by=self.at(60),
            complete_by=self.at(600),
        )

    def committed(self, function: str, minutes: float, *, number: int = 0) -> Log:
        return self.task(events.TaskCommitted, function, minutes, number=number, by=SOMEBODY, committed_to=self.at(900))

    def completed(self, function: str, minutes: float, *, number: int = 0) -> Log:
        return self.task(events.TaskCompleted, function, minutes, number=number, by=SOMEBODY, outcome="done")

    def waived(self, function: str, minutes: float, *, number: int = 0) -> Log:
        return self.task(events.TaskWaived, function, minutes, number=number, by=SOMEBODY, reason="not needed")

    def acknowledged(self, minutes: float) -> Log:
        self.say(events.CaseAcknowledged, minutes, by=SOMEBODY)
        return self

    def decided(self, minutes: float) -> Log:
        self.say(events.CaseDecided, minutes, by=SOMEBODY, choice="another supplier")
        return self

    def implemented(self, minutes: float | timedelta) -> Log:
        self.say(events.CaseImplemented, minutes)
        return self

    def cleared(self, minutes: float) -> Log:
        self.say(events.CaseCleared, minutes, reason="it came in time")
        return self

    def verified(self, minutes: float) -> Log:
        self.say(events.CaseVerified, minutes, by=SOMEBODY, outcome="all well")
        return self

    def reopened(self, minutes: float, *, stopped: float) -> Log:
        self.say(events.CaseReopened, minutes, reason="it slipped again", stopped_at=self.at(stopped))
        return self

    def handed_over(self, function: str, minutes: float, *, to: str) -> Log:
        return self.task(
            events.HandoverAccepted, function, minutes, by=SOMEBODY, from_function=function, to_function=to
        )

    def passed_on(self, minutes: float, *, giver: str, taker: str) -> Log:
        self.say(events.CaseHandedOver, minutes, from_group=giver, to_group=taker)
        return self

    def paused(self, minutes: float) -> Log:
        self.say(events.CasePaused, minutes, by=SOMEBODY, reason="waits for the customer")
        return self

    def escalated(self, function: str, minutes: float, *, number: int = 0) -> Log:
        """A deadline of a task passed: the fact names the task and no function."""
        task_id = uuid5(self.case_id, f"{TASKS.get(function, 'task')}/{number}")
        self.say(
            events.CaseEscalated,
            minutes,
            task_id=task_id,
            level=1,
            rung=function,
            recipients=("someone",),
            due_at=self.at(60),
        )
        return self

    def rescheduled(self, function: str, minutes: float) -> Log:
        return self.task(events.TaskRescheduled, function, minutes, commit_by=self.at(90), complete_by=self.at(900))

    def reassessed(self, minutes: float, *, severity: str) -> Log:
        before, self.severity = self.severity, severity
        self.say(events.CaseReassessed, minutes, because="impact", previous_severity=before, value_at_risk=MONEY)
        return self

    def implemented_after(self, hours: float) -> Log:
        """Say the shortest whole log of a case that was implemented after so many hours."""
        return self.opened().asked("sales").completed("sales", hours * 60).implemented(hours * 60)


def random_log(name: str, chance: random.Random, *, start: datetime = START) -> Log:
    """Return a log that a real case might leave, and some that none should: gaps, waivers, reopenings, odd orders."""
    log = Log(name, start=start, severity=chance.choice(["low", "medium", "high", "critical"]))
    functions = chance.sample(sorted(TASKS), chance.randint(1, 3))
    now = chance.random()
    log.opened(now, cause_at=now - chance.choice([0, 0, 17.25, 400, -3]))
    for number, function in enumerate(functions):
        log.asked(function, now, required=number == 0 or chance.random() < 0.8)
    for run in range(chance.choice([1, 1, 1, 2, 3])):
        if run:
            stopped, now = now, now + chance.random() * 2000
            log.reopened(now, stopped=stopped - chance.choice([0, 0, 30]))
            for function in functions:
                log.asked_again(function, now)
        now = _run(log, functions, now, chance)
    if chance.random() < 0.4:
        log.reassessed(now + chance.random(), severity=chance.choice(["high", "critical"]))
    return log


def _run(log: Log, functions: Sequence[str], now: float, chance: random.Random) -> float:
    acts: list[tuple[float, str, str]] = []
    for act, share in (("acknowledged", 0.8), ("decided", 0.7)):
        if chance.random() < share:
            acts.append((now + chance.random() * 300, act, ""))
    for function in functions:
        commit = now + chance.random() * 200
        if chance.random() < 0.7:
            acts.append((commit, "committed", function))
        if chance.random() < 0.85:
            acts.append(
                (commit + chance.random() * 3000, chance.choice(["completed", "completed", "waived"]), function)
            )
    if chance.random() < 0.15:
        acts.append((now + chance.random() * 900, "cleared", ""))
    if chance.random() < 0.2:
        log.handed_over(functions[0], now, to="planning-lead").passed_on(now, giver="L1", taker="L2").paused(now)
    if chance.random() < 0.3:
        log.escalated(functions[0], now).rescheduled(functions[-1], now)
    for at, act, function in sorted(acts):
        getattr(log, act)(*((function, at) if function else (at,)))
        now = at
    if chance.random() < 0.8:
        log.implemented(now)
        if chance.random() < 0.5:
            now += chance.random() * 5000
            log.verified(now)
    return now


def hear(case: domain.Case | None, envelope: Envelope) -> domain.Case:
    """Return the case with one more fact, as it comes from the topic."""
    return domain.fold(case, domain.decode_fact(encode(envelope)).event)


def measure_envelope(case: domain.Case, envelope: Envelope) -> Envelope | None:
    """Return what the stream says of a case when this fact was the last that it heard."""
    found = domain.measure(case)
    if found is None:
        return None
    events = domain.encode_measure(
        case, found, domain.decode_fact(encode(envelope)), source="/crossdock/test/scorecard"
    )
    return decode(events)
