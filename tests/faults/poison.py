"""The tally service is told what it cannot read, stand or say, among facts that are good; its letters are driven twice."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from chassis.messaging import kafka
from chassis.runtime.process import EXIT_HUNG
from schemas.inventory import ItemChanged
from tests.faults import letters, tally
from tests.faults.fault_injection import BACK_SECONDS_MAX, Course
from tests.faults.letters import GOOD, HANGS, RAISES, SWELLS, UNREAD, Answered, Fed, Findings, Letter, Standing, Unsaid
from tests.faults.path import LOOK_SECONDS, PARTITIONS, READY_SECONDS, SUBJECTS, Process, Trial
from tests.faults.victims import pause
from tests.support.stack import Infrastructure

RATE = 200.0
SHARE = 0.05  # of the facts; each kind of poison as likely as another
KINDS = (*UNREAD, RAISES)
REDRIVE_SECONDS_MAX = 300.0
NAMES = {letters.UNKNOWN_EVENT: "inventory.item.vanished.v1", letters.UNKNOWN_VERSION: "inventory.item.changed.v9"}


class Form(NamedTuple):
    """How much is fed, what of it hangs and swells beside the mixed poison, and after how long a hang is known."""

    events: int
    hangs: int
    bodies: int
    hang_seconds: float


FULL, SHORT = Form(100_000, 5, 20, 7.0), Form(4_000, 1, 4, 2.0)


class Waiting(NamedTuple):
    """Where the hung record lies that a process died of."""

    died: float
    places: dict[tuple[str, int], int]


class PoisonTrial(Trial):
    """A trial with a consumer of its own for each partition, so that a hang holds one partition and no other.

    `dead_in_a_row_max` stays as it is everywhere: the reaction that raises does its work on 95 facts of 100 between, and
    what cannot be read has no reaction. Fifty in a row of one reaction would be a bad release, and here is none.
    """

    def __init__(self, infra: Infrastructure, folder: Path, *, seed: int, form: Form) -> None:
        super().__init__(infra, folder, seed=seed)
        self.form, self.findings = form, Findings()
        self.env |= {"REACTION_LIMIT_SECONDS": str(form.hang_seconds)}
        self.kinds = {round(form.events * (n + 0.5) / form.hangs): HANGS for n in range(form.hangs)}
        others = [n for n in range(form.events) if n not in self.kinds]
        self.kinds |= dict.fromkeys(self.chance.sample(others, form.bodies), SWELLS)
        self.names: dict[str, str] = {}
        self.marks: list[tuple[int, int, str]] = []
        self.standings: list[Standing] = []
        self.poison = Counter[str]()

    # ── the input ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def feeding(self, rate: float) -> Iterator[None]:
        """Feed facts for as long as the block lasts, once everybody who answers them is there."""
        self.start("relay")
        for instance in range(PARTITIONS):
            self.start("consumer", instance)
        _until_each_has_a_partition(self)
        with super().feeding(rate):
            yield

    def _fact(self, chance: random.Random, number: int) -> tuple[str, bytes]:
        kind = self.kinds.get(number, GOOD)
        if kind == GOOD and chance.random() < SHARE:
            kind = chance.choice(KINDS)
        subject = uuid5(UUID(int=0), f"subject {chance.randrange(SUBJECTS)}" if kind == GOOD else f"{kind} {number}")
        unit = kind if kind in (RAISES, HANGS, SWELLS) else "each"
        # A group per subject: one that partitions share would be locked by a hang and held for all of them.
        key, value = self._changed(subject, number, group=f"group of {subject}", unit=unit)
        if kind not in UNREAD:
            return key, value
        key = f"{kind}-{number}"
        if kind in NAMES:
            self.names[key] = NAMES[kind]
        return key, _spoiled(chance, kind, value)

    def _name_of(self, key: str) -> str:
        return self.names.get(key, ItemChanged.event_name)

    # ── what is done when it rests ───────────────────────────────────────────────────────────────

    def wait_until_rest(self) -> float:
        """Wait until nothing is left to do, drive all letters again, twice, and wait each time. Raises NeverRests."""
        seconds = super().wait_until_rest()
        self.standings.append(self._standing())
        for _ in range(2):
            again = Process(self, "redrive")
            self.processes["redrive", 0] = again
            again.start()
            assert again.child is not None
            if (code := again.child.wait(REDRIVE_SECONDS_MAX)) != 0:
                raise RuntimeError(f"re-drive ended with {code}")
            seconds += super().wait_until_rest()
            self.standings.append(self._standing())
        return seconds

    def start_again(self, process: Process) -> Waiting:
        """Start a process that ended itself over a hang; returns which partition waits for it, and since when."""
        assert process.child is not None
        died, code = time.monotonic(), process.child.wait()
        if code != EXIT_HUNG:
            raise RuntimeError(f"{process.role} {process.instance} ended with {code}")
        marks = self._rows('SELECT partition, "offset", reaction FROM attempt_marks ORDER BY marked_at')
        process.start()
        new = [mark for mark in marks if mark not in self.marks]
        self.marks += new
        return Waiting(died, {(f"{self.name}.{tally.HEARS}", partition): offset for partition, offset, _ in new})

    # ── the checker ────────────────────────────────────────────────────────────────────────────────

    def _records(self, topic: str) -> Iterator[tuple[int, int, dict[str, object]]]:
        """Leave out what is never answered: the checker of the path knows good facts only."""
        for message in self._messages(topic):
            if kind_of(message.key().decode(), message.value()) not in KINDS:
                yield message.partition(), message.offset(), json.loads(message.value())

    def faults(self) -> list[str]:
        """Say what the checker of poison finds."""
        fed = [_fed(message) for message in self._messages(tally.HEARS)]
        self.poison.update(one.kind for one in fed if one.kind != GOOD)
        unsaid = self._rows(
            "SELECT position, payload::json->>'causationid', convert_to(payload, 'UTF8') FROM outbox WHERE octet_length(payload) > %s",
            kafka.RECORD_BYTES_MAX,
        )
        rows = self._rows(
            'SELECT partition, "offset", reaction, value, cause, extract(epoch FROM stored_at)::float8 FROM dead_letters'
        )
        stored = [Letter(*row) for row in rows]
        letters.check_letters(fed, [Unsaid(*row) for row in unsaid], stored, self.findings)
        said = [_answered(message) for message in self._messages(tally.SAYS)]
        letters.check_delays(fed, said, stored, self.findings, hang_seconds=self.form.hang_seconds)
        mended = {(one.key, json.loads(one.value)["data"]["code"]) for one in fed if one.kind == HANGS}
        faults = letters.check_hangs(fed, self.marks)
        return faults + self.findings.faults() + letters.check_redrives(*self.standings, mended)

    def figures(self) -> dict[str, int]:
        """Return the poison by kind, and how long the slowest good fact took."""
        slowest = {"ms slowest": self.findings.free_ms, "ms slowest behind a hang": self.findings.held_ms}
        return dict(self.poison) | {name: max(found, default=0) for name, found in slowest.items()}

    def _standing(self) -> Standing:
        return Standing(
            did=self._rows("SELECT what, subject::text, mark FROM done ORDER BY number"),
            state={
                "counters": self._rows("SELECT item_id::text, inputs, chain FROM counters ORDER BY 1"),
                "groups": self._rows("SELECT group_id::text, members FROM groups ORDER BY 1"),
                "outbox": self._rows("SELECT position, event_id::text FROM outbox ORDER BY 1"),
                "parked": self._rows("SELECT topic, key, reaction FROM parked_subjects ORDER BY 1, 2, 3"),
            },
            letters={
                (partition, offset, reaction): (cause, hashlib.sha256(value).hexdigest(), resolved)
                for partition, offset, reaction, value, cause, resolved in self._rows(
                    'SELECT partition, "offset", reaction, value, cause, resolved_at IS NOT NULL FROM dead_letters'
                )
            },
        )

    def _rows(self, question: str, *parameters: object) -> list[Any]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(question, parameters).fetchall()


def fed_with_poison(trial: Trial, _chance: random.Random, times: int) -> Course:
    """Let so many facts be fed, and start again whoever ends itself over one that hangs."""
    course, waiting = Course("hang"), list[Waiting]()
    assert isinstance(trial, PoisonTrial)
    while trial.fed < times or waiting:
        waiting += [trial.start_again(process) for process in trial.processes.values() if not process.alive()]
        for one in [
            one for one in waiting if all(trial.ends_of_input(one.places)[at] > n for at, n in one.places.items())
        ]:
            course.flowed(time.monotonic() - one.died, BACK_SECONDS_MAX)
            waiting.remove(one)
        if waiting and time.monotonic() - waiting[0].died > READY_SECONDS:
            raise RuntimeError(f"{waiting[0].places} is not passed after {READY_SECONDS:.0f} s")
        pause(LOOK_SECONDS)
    return course


def kind_of(key: str, value: bytes) -> str:
    """Return what is wrong with a record: its key says it where the bytes cannot be trusted, else its unit."""
    named = key.rpartition("-")[0]
    if named in UNREAD:
        return named
    unit = json.loads(value)["data"].get("unit")
    return str(unit) if unit in (RAISES, HANGS, SWELLS) else GOOD


def _spoiled(chance: random.Random, kind: str, value: bytes) -> bytes:
    """Return the bytes of a good fact, made bad."""
    if kind == letters.BROKEN:
        return chance.choice([value[:-9], b"", b"\xff\xfe" + value, value.replace(b":", b"\x00")])
    content = json.loads(value)
    if kind == letters.WRONG_TYPE:
        field, wrong = chance.choice([("item_id", 7), ("occurred_at", "yesterday"), ("description", ["a", "b"])])
        content["data"][field] = wrong
    else:
        content["type"] = NAMES[kind]
    return json.dumps(content).encode()


def _fed(message: Any) -> Fed:
    key, value = message.key().decode(), message.value()
    kind = kind_of(key, value)
    event_id = "" if kind in UNREAD else str(json.loads(value)["id"])
    return Fed(message.partition(), message.offset(), message.timestamp()[1] / 1000, kind, key, event_id, value)


def _answered(message: Any) -> Answered:
    return Answered(str(json.loads(message.value())["causationid"]), message.timestamp()[1] / 1000)


def _until_each_has_a_partition(trial: Trial) -> None:
    admin = AdminClient({"bootstrap.servers": trial.bootstrap, "log_level": 3})
    group, begun = f"{trial.name}.{tally.NAME}.consumer", time.monotonic()
    seen: object = "nothing"
    while time.monotonic() - begun < READY_SECONDS:
        try:
            found = admin.describe_consumer_groups([group], request_timeout=10)[group].result()
            seen = [len(member.assignment.topic_partitions) for member in found.members]
        except KafkaException as why:  # nobody has joined yet: the group has no coordinator
            seen = why
        if seen == [1] * PARTITIONS:
            return
        pause(LOOK_SECONDS)
    raise RuntimeError(f"not every consumer has a partition after {READY_SECONDS:.0f} s: {seen}")
