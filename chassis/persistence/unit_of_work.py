"""Tx: the unit of work.

A Tx holds an identity map, the changed aggregates, the emitted events and the timers. At flush it writes them in a few
set-based statements, then the outbox rows. Modules above call `get`, `save` and `emit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

import psycopg
from sqlalchemy import Connection, CursorResult, Executable

from chassis.errors import NotFound
from chassis.messaging import outbox
from chassis.persistence.context import Context
from chassis.persistence.engine import DatabaseEngine
from chassis.persistence.failures import (
    ConcurrentChange,
    FlushedItem,
    comes_from_database,
    is_transient,
    must_run_again,
)
from chassis.persistence.read_tx import ReadTx
from chassis.persistence.store import Expected, Store, bulk_insert
from chassis.scheduling import timers
from schemas.base import Event

T = TypeVar("T")
Document = dict[str, Any]


class Unlocked(RuntimeError):
    """An event was emitted whose aggregate was neither locked nor made in this Tx: order per subject would be a guess."""


class Entry(NamedTuple):
    """One aggregate in the identity map."""

    before: Any  # as loaded; None when new
    now: Any
    version: int


class Tx(ReadTx):
    """The unit of work: everything one act, or one batch of events, does."""

    def __init__(self, connection: Connection, database: DatabaseEngine, context: Context) -> None:
        super().__init__(connection, database)
        self.context = context
        self._map: dict[tuple[str, Any], Entry | None] = {}
        self._looked: dict[tuple[str, Any], Any] = {}
        self._stores: dict[str, Store[Any]] = {}
        self._dirty: dict[tuple[str, Any], None] = {}
        self._subjects: set[Any] = set()  # ids of what this Tx locked or made
        self._events: list[outbox.Emitted] = []
        self._timers: list[timers.Change] = []
        self._inserts: list[tuple[Any, dict[str, Any], str]] = []
        self._after: list[Callable[[], None]] = []
        self._flushed_in_item = False
        self.use_savepoints = (
            False  # each item of a batch is flushed alone, in a savepoint, because one of them failed in a flush
        )
        self.last_try = False  # nobody runs this work again: an item that lost a race is refused

    @property
    def now(self) -> datetime:
        """Return the world's time at which this work happens: the only `now` that rooms may use."""
        return self.context.now

    @property
    def has_events(self) -> bool:
        """Say whether facts wait to be written."""
        return bool(self._events)

    # ── aggregates ───────────────────────────────────────────────────────────────────────────────

    def load(self, store: Store[Any], ids: Iterable[Any]) -> None:
        """Lock and load many aggregates in one query; absences are remembered."""
        self.load_together([(store, ids)])

    def load_together(
        self, wanted: Iterable[tuple[Store[Any], Iterable[Any]]], looks: Iterable[tuple[Store[Any], Any]] = ()
    ) -> None:
        """Lock and load aggregates of several stores, in this order, and read what `look` will be asked for, in one round trip."""
        missing = [(store, {i for i in ids if (store.name, i) not in self._map}) for store, ids in wanted]
        sought = [
            (store, identity) for store, identity in dict.fromkeys(looks)
            if (store.name, identity) not in self._looked and self._map.get((store.name, identity)) is None
        ]  # fmt: skip
        if not sought and not any(ids for _, ids in missing):
            return
        with self.pipeline():
            locked = [(store, ids, store.ask(self, ids, lock=True)) for store, ids in missing if ids]
            looked = [(store, identity, store.ask(self, [identity], lock=False)) for store, identity in sought]
        for store, ids, asked in locked:
            self._keep(store, ids, store.read(asked))
        for store, identity, asked in looked:
            self._looked[store.name, identity] = next((thing for thing, _ in store.read(asked).values()), None)

    def _keep(self, store: Store[Any], ids: Iterable[Any], found: Mapping[Any, tuple[Any, int]]) -> None:
        self._stores[store.name] = store
        for identity in ids:
            if identity in found:
                thing, version = found[identity]
                self._map[store.name, identity] = Entry(before=thing, now=thing, version=version)
                self._subjects.add(identity)
            else:
                self._map[store.name, identity] = None

    def find(self, store: Store[T], identity: Any) -> T | None:
        """Return an aggregate, locked, or None."""
        key = (store.name, identity)
        if key not in self._map:
            self.load(store, [identity])
        entry = self._map[key]
        return None if entry is None else entry.now

    def get(self, store: Store[T], identity: Any) -> T:
        """Return an aggregate, locked; raises NotFound."""
        found = self.find(store, identity)
        if found is None:
            raise NotFound(f"no {store.kind.__name__.lower()} {identity} is known here; check the id")
        return found

    def read_cached(self, store: Store[T], identity: Any) -> T | None:
        """Return an aggregate without locking it, or None; read once per transaction. For what others own and rarely change."""
        key = (store.name, identity)
        if (entry := self._map.get(key)) is not None:
            return cast(T, entry.now)
        if key not in self._looked:
            self._looked[key] = self.read(store, identity)
        return cast("T | None", self._looked[key])

    def save(self, store: Store[T], thing: T) -> None:
        """Keep an aggregate, new or changed; it is written at flush."""
        identity = store.identity(thing)
        key = (store.name, identity)
        if key not in self._map:
            self.load(store, [identity])
        entry = self._map[key]
        if entry is None:
            self._map[key] = Entry(before=None, now=thing, version=0)
            self._subjects.add(identity)
        elif entry.now == thing:
            return
        else:
            self._map[key] = Entry(entry.before, thing, entry.version)
        self._dirty[key] = None

    def append(self, table: Any, row: dict[str, Any], *, on_conflict: str = "") -> None:
        """Add a row that is never changed (ledger, finding, audit); written at flush in one statement per table."""
        self._inserts.append((table, row, on_conflict))

    # ── events and timers ────────────────────────────────────────────────────────────────────────

    def emit(self, events: Iterable[Event]) -> None:
        """Say what happened; refused (Unlocked) for an aggregate that this Tx neither locked nor made."""
        for event in events:
            if getattr(event, event.event_key) not in self._subjects and event.subject not in map(str, self._subjects):
                which = f"{event.event_name}: {event.event_key} {event.subject}"
                raise Unlocked(f"{which} is neither locked nor new in this transaction")
            self._events.append(outbox.Emitted(event, self.context))

    def arm(
        self, name: str, subject: str, *, due_at: datetime, rule: Document | None = None, rule_key: str = "", detail: Document | None = None
    ) -> None:  # fmt: skip
        """Set the timer `name` of a subject, replacing one that is pending."""
        self._timers.append(timers.Change(name, subject, due_at, rule or {}, rule_key, detail or {}, self.context))

    def disarm(self, name: str, subject: str) -> None:
        """Take back the pending timer `name` of a subject; nothing happens where there is none."""
        self._timers.append(timers.Change(name, subject, None, {}, "", {}, self.context))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run something once the work is committed: logs and metrics of a batch that is run again say nothing twice."""
        self._after.append(call)

    def count(self, counter: Any, amount: float = 1) -> None:
        """Count in Prometheus after the commit."""
        self.after_commit(lambda: counter.inc(amount))

    @contextmanager
    def within(self, context: Context) -> Iterator[None]:
        """Do part of the work for another cause or at another time."""
        before, self.context = self.context, context
        try:
            yield
        finally:
            self.context = before

    @contextmanager
    def item(self) -> Iterator[None]:
        """Do one item of a batch; when it raises, its saves, events and timers are forgotten (FLOW 5.2).

        Raises FlushedItem where only a savepoint could undo the item: the batch is then run again with `use_savepoints`.
        """
        if self.use_savepoints:
            self._flush_aggregates()
            self.cursor().execute("SAVEPOINT item")
        marks = (dict(self._map), dict(self._dirty), set(self._subjects))
        lengths = [len(kept) for kept in (self._events, self._timers, self._inserts, self._after)]
        self._flushed_in_item = False
        try:
            yield
            if self.use_savepoints:
                self._flush_aggregates()
                self.cursor().execute("RELEASE SAVEPOINT item")
        except Exception as error:
            if self.must_end(error):
                raise
            if not self.use_savepoints and (self._flushed_in_item or comes_from_database(error)):
                raise FlushedItem("an item failed after it was flushed") from error
            if self.use_savepoints:
                self.cursor().execute("ROLLBACK TO SAVEPOINT item")
            self._map, self._dirty, self._subjects = marks
            for kept, length in zip((self._events, self._timers, self._inserts, self._after), lengths, strict=True):
                del kept[length:]  # type: ignore[attr-defined]  # four lists of four types
            raise

    def must_end(self, error: BaseException) -> bool:
        """Say whether a failure ends the whole transaction: the database is away, or the work must be run again."""
        if isinstance(error, ConcurrentChange) and self.use_savepoints and self.last_try:
            return False
        return must_run_again(error) or is_transient(error)

    # ── asking inside a unit of work sees its own changes ────────────────────────────────────────

    def _ask(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        if self._dirty or self._inserts:
            self._flush_aggregates()
            self._flushed_in_item = True
        return super()._ask(statement, parameters)

    # ── flush ────────────────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Write everything in one round trip; raises ConcurrentChange where somebody else was first."""
        tables, days = self.database.tables, self.database.days
        with self._checked() as expected:
            self._write_aggregates(expected)
            if self._timers:
                timers.write(self, tables, self._timers)
            if self._events:
                written = outbox.write(self, tables, days, self._events, source=self.database.source)
                self.after_commit(lambda: outbox.tell(written))
        soon = self.now + timers.SOON
        if any(change.due_at is not None and change.due_at <= soon for change in self._timers):
            self.after_commit(self.database.timers_changed)
        self._timers, self._events = [], []

    def _flush_aggregates(self) -> None:
        with self._checked() as expected:
            self._write_aggregates(expected)

    @contextmanager
    def _checked(self) -> Iterator[list[Expected]]:
        """Run writes together, then see that each aggregate was written: its cursor holds as many rows as there were."""
        expected: list[Expected] = []
        try:
            with self.pipeline():
                yield expected
        except psycopg.IntegrityError as error:
            for name, cursor, rows in expected:  # a part of an aggregate that was not written has nothing to hang on
                if cursor.pgresult is not None and cursor.pgresult.ntuples < rows:
                    raise ConcurrentChange(name) from error
            raise
        for name, cursor, rows in expected:
            if len(cursor.fetchall()) < rows:
                raise ConcurrentChange(name)

    def _write_aggregates(self, expected: list[Expected]) -> None:
        by_store: dict[str, list[Entry]] = {}
        for key in self._dirty:
            entry = self._map[key]
            if entry is not None:
                by_store.setdefault(key[0], []).append(entry)
                self._map[key] = Entry(before=entry.now, now=entry.now, version=entry.version + 1)
        for name, entries in by_store.items():
            store = self._stores[name]
            new = [e.now for e in entries if e.before is None]
            changed = [(e.before, e.now, e.version) for e in entries if e.before is not None]
            if new:
                expected.append(Expected(name, store.insert(self, new), len(new)))
            if changed:
                expected.append(Expected(name, store.update(self, changed), len(changed)))
        self._dirty = {}
        rows: dict[tuple[str, str, tuple[str, ...]], tuple[Any, list[dict[str, Any]]]] = {}
        for table, row, on_conflict in self._inserts:
            rows.setdefault((table.name, on_conflict, tuple(row)), (table, []))[1].append(row)
        for (_, on_conflict, _names), (table, together) in rows.items():
            bulk_insert(self.cursor(), table, together, on_conflict=on_conflict)
        self._inserts = []

    def committed(self) -> None:
        """Let out what waited for the commit."""
        for call in self._after:
            call()
        self._after = []
