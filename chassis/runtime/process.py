"""A service's process: its roles, its signals, its drain, its exit codes. `all` is api, consumer, relay and effects in one."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from pydantic import ValidationError

from chassis import http
from chassis.http import ops_routes
from chassis.http.auth import Verifier
from chassis.messaging import kafka
from chassis.messaging.consumer import Consumer
from chassis.messaging.effects import EffectRunner, Effects, reaction_timers
from chassis.messaging.reactions import Reactions
from chassis.messaging.relay import Relay
from chassis.persistence import migrations
from chassis.persistence.database import Database, ReadTx, is_transient
from chassis.persistence.tables import ChassisTables
from chassis.runtime import crash_points, gauges, housekeeping, log, metrics
from chassis.runtime.clock import WorldClock, machine_now
from chassis.runtime.settings import ServiceSettings
from chassis.scheduling import scheduler

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_HUNG = 0, 1, 2, 75
DRAIN_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 8  # of these, for requests that are at work; what is left is the relay's
CONNECTIONS_OF_LOOPS = 4  # of the pool: consumer, scheduler, effects and gauges never wait for acts
CONNECTIONS_MAX, CONNECTIONS_WAITING_MAX = 4_000, 2_048  # idle ones count: beyond, uvicorn answers a bare 503
LOOK_SECONDS = 0.25
SWITCH_SECONDS = 0.0005  # a door, a consumer and a relay share one interpreter: none waits 5 ms for its turn
GC_YOUNG_OBJECTS = 100_000  # two batches of 500 are less, and leave nothing that a look would find
GAUGES_SECONDS = 15.0
ALL_ROLES = ("api", "consumer", "relay", "effects")


@dataclass(frozen=True)
class Parts:
    """What a service consists of; its `__main__` names them."""

    name: str
    tables: ChassisTables
    routers: Sequence[http.Router]
    reactions: Reactions
    effects: Effects = field(default_factory=Effects)
    own_roles: dict[str, Callable[[ServiceSettings], int]] = field(default_factory=dict)
    linger_seconds: float = 0  # in a driven world a batch of a service that only listens may wait to grow
    gauges: Callable[[ReadTx], None] | None = None  # figures from the database, set by the first consumer process only


def command(parts: Parts) -> argparse.ArgumentParser:
    """Return what reads the command line of a service."""
    known = [*ALL_ROLES, "all", "migrate", *parts.own_roles]
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{parts.name}", description=f"Run roles of the {parts.name} service."
    )
    parser.add_argument("roles", nargs="+", choices=known, metavar="ROLE", help=", ".join(known))
    parser.add_argument("--to", default="head", help="migrate: the revision to go to (head, base, or an id)")
    return parser


def main(parts: Parts, arguments: Sequence[str]) -> int:
    """Run some roles in one process, or `all`; returns the process's exit code."""
    parser = command(parts)
    chosen = parser.parse_args(arguments)
    try:
        settings = ServiceSettings()
    except ValidationError as error:
        missing = ", ".join(str(e["loc"][0]).upper() + ": " + e["msg"] for e in error.errors())
        print(f"{parts.name}: cannot start, the environment lacks or misspells {missing}", file=sys.stderr)
        return EXIT_USAGE
    crash_points.configure(settings.crash_at)
    role, *more = chosen.roles
    if more and not set(chosen.roles) <= set(ALL_ROLES):
        parser.error(f"only {', '.join(ALL_ROLES)} share a process")
    log.configure(parts.name, "+".join(chosen.roles), settings.world, settings.log_level)
    if role in parts.own_roles:
        return parts.own_roles[role](settings)
    if role == "migrate":
        migrations.migrate(parts.name, settings.database_url, chosen.to)
        return EXIT_OK
    return Running(parts, settings, ALL_ROLES if role == "all" else chosen.roles).run()


def verifier(settings: ServiceSettings) -> Verifier:
    """Return what checks the tokens of a process's requests."""
    return Verifier(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        jwks=settings.auth_jwks,
        reread_seconds=settings.auth_keys_seconds,
    )


class Running:
    """The loops of one process, and what they know about themselves."""

    def __init__(self, parts: Parts, settings: ServiceSettings, roles: Sequence[str]) -> None:
        self.parts, self.settings, self.roles = parts, settings, roles
        self.stop = threading.Event()
        self.exit_code = EXIT_OK
        self.database = Database(
            settings.database_url,
            service=parts.name,
            world=settings.world,
            tables=parts.tables,
            clock=WorldClock.parse(settings.world_clock),
            currency=settings.world_currency,
            connections_max=settings.pool_connections_max,
        )
        linger, hears = parts.linger_seconds if settings.driven else 0, "consumer" in roles
        self.consumer = Consumer(self.database, parts.reactions, settings, linger_seconds=linger) if hears else None
        self.scheduler = scheduler.Scheduler(self.database, parts.reactions, settings) if hears else None
        self.effects = EffectRunner(self.database, parts.effects, settings) if "effects" in roles else None
        self.relay = Relay(self.database, settings) if "relay" in roles else None
        self.verifier = verifier(settings)
        self.database.timers_changed = self.wake
        self.server: uvicorn.Server | None = None
        self._threads: dict[str, threading.Thread] = {}
        self._seen: object = None  # what acted at the watchdog's last look, and for how long
        self._acted, self._looked_at = 0.0, time.monotonic()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, then drain; returns the exit code."""
        sys.setswitchinterval(SWITCH_SECONDS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        ops = OpsServer(self.settings, self.readiness)
        ops.start()
        if self.settings.migrate_on_start:
            migrations.migrate(self.parts.name, self.settings.database_url, "head")
        gc.collect()
        gc.freeze()  # what was imported stays for ever: looking through it again and again costs a quarter of a batch
        gc.set_threshold(GC_YOUNG_OBJECTS)
        self._start_loops()
        ports = self.settings.model_dump(include={"http_port", "ops_port"})
        log.get().info("process.started", roles=list(self.roles), **ports)
        while not self.stop.wait(LOOK_SECONDS):
            self._watch()
        self._drain()
        ops.stop()
        log.get().info("process.ended", exit_code=self.exit_code)
        return self.exit_code

    def _start_loops(self) -> None:
        loops: dict[str, Callable[[], Any]] = {}
        if "api" in self.roles:
            self.server = http.server(
                self.door(),
                host=self.settings.http_host,
                port=self.settings.http_port,
                timeout_graceful_shutdown=ANSWER_SECONDS_MAX,
                limit_concurrency=CONNECTIONS_MAX,
                backlog=CONNECTIONS_WAITING_MAX,
            )
            loops["api"] = self.server.run
            loops["keys"] = lambda: self.verifier.keys.keep_fresh(self.stop)
        for name in ("consumer", "scheduler", "effects", "relay"):
            if (loop := getattr(self, name)) is not None:
                loops[name] = loop.run
        if self.consumer is not None and self.settings.instance == 0:
            loops["gauges"] = self._set_gauges
        if (relay := self.relay) is not None:
            loops["housekeeping"] = lambda: housekeeping.run(
                self.database.driver_url, self.stop, lambda: relay.active, housekeeping.Retention.of(self.settings)
            )
        for name, run in loops.items():
            self._threads[name] = threading.Thread(target=self._guarded, args=(name, run), name=name, daemon=True)
            self._threads[name].start()

    def _set_gauges(self) -> None:
        while not self.stop.wait(GAUGES_SECONDS):
            try:
                heard = self.probe(False)
                gauges.refresh_lag(self.parts.name, heard.positions, heard.ends)
                with self.database.reading() as read:
                    gauges.refresh(read, reaction_timers(self.parts.reactions, self.parts.effects))
                    if self.parts.gauges is not None:
                        self.parts.gauges(read)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.get().warning("gauges.wait", detail=str(error)[:300])

    def _guarded(self, name: str, run: Callable[[], Any]) -> None:
        ended = False
        try:
            run()
            ended = True
        except BaseException:  # noqa: BLE001  logged, and the process ends with a failure
            log.get().exception("loop.failed", loop=name)
        finally:  # what the Kafka client raises out of its callbacks is no exception to `except`
            if not ended:
                self.exit_code = EXIT_FAILED
                self.stop.set()  # one loop failed: the process ends and is started again whole

    def app(self) -> Any:
        """Return the API with the standard routes."""
        told, parts = self.settings, self.parts
        timers = reaction_timers(parts.reactions, parts.effects)
        routes = ops_routes.router(self.probe, parts.reactions, wake=self.wake, driven=told.driven, timers=timers)
        return http.create_app(
            service=parts.name,
            database=self.database,
            cursor_secret=told.cursor_secret,
            routers=[*parts.routers, routes],
            verifier=self.verifier,
        )

    def door(self) -> http.Admission:
        """Return the API behind its bound of requests at work."""
        threads = max(1, self.settings.pool_connections_max - CONNECTIONS_OF_LOOPS)
        in_flight_max = self.settings.http_in_flight_max or http.IN_FLIGHT_PER_THREAD * threads
        return http.Admission(
            self.app(),
            service=self.parts.name,
            in_flight_max=in_flight_max,
            threads_max=threads,
            hosts=self.settings.hosts,
        )

    def wake(self) -> None:
        """Tell who fires timers that time was moved, or that one was set."""
        for loop in (self.scheduler, self.effects):
            if loop is not None:
                loop.woken.set()

    def readiness(self) -> dict[str, bool]:
        """Say which loops are ready."""
        ready = {"started": bool(self._threads) or not self.roles}
        if "api" in self.roles:
            ready["api"] = self.server is not None and self.server.started
        loops = [loop for loop in (self.consumer, self.effects) if loop is not None]
        ready |= {loop.role: loop.assigned for loop in loops}
        ready |= {f"{loop.role}_partitions": loop.coverage.complete() for loop in loops if loop.coverage is not None}
        ready["running"] = not self.stop.is_set()
        return ready

    @cached_property
    def _admin(self) -> kafka.AdminClient:
        return kafka.admin(self.settings.kafka_bootstrap)

    def probe(self, sure: bool) -> ops_routes.TopicPositions:
        """Return how far the loops have read, and the ends of what they hear: as last fetched, or asked of the broker."""
        positions, ends = dict[str, int](), dict[str, int]()
        for role, loop in (("consumer", self.consumer), ("effects", self.effects)):
            if loop is not None:
                stands = dict(loop.positions)
                places = [kafka.TopicPartition(t, p) for t, p in stands]
                known = kafka.ends(self._admin, places) if sure and places else loop.known_ends()
                positions |= {f"{role}:{t}/{p}": at for (t, p), at in stands.items()}
                ends |= {f"{role}:{t}/{p}": known.get((t, p), at) for (t, p), at in stands.items()}
        return ops_routes.TopicPositions(positions, ends)

    # ── the watchdog (FLOW 5.4) ──────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        running, now = self.consumer.current if self.consumer is not None else None, time.monotonic()
        # A frozen machine is no hang: a look stands for no more than the time between two of them.
        self._acted = self._acted + min(now - self._looked_at, 2 * LOOK_SECONDS) if running is self._seen else 0.0
        self._seen, self._looked_at = running, now
        if running is not None and self._acted > self.settings.reaction_limit_seconds:
            record, reaction = running
            with self.database.engine.connect() as connection:
                connection.exec_driver_sql(
                    'INSERT INTO attempt_marks (topic, partition, "offset", reaction, marked_at) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING',
                    (*record.place, reaction, machine_now()),
                )
                # layers: allow commit — the watchdog writes while the Tx it judges hangs, and ends the process
                connection.commit()
            log.get().error("reaction.hung", reaction=reaction, topic=record.topic, offset=record.offset)
            sys.stdout.flush()
            os._exit(EXIT_HUNG)

    def _drain(self) -> None:
        """End the loops in the order of the path: doors first, the relay last."""
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        if self.server is not None:
            self.server.should_exit = True
        for loop in (self.consumer, self.scheduler, self.effects):
            if loop is not None:
                loop.stopped.set()
        self.wake()
        for name in {"api", "consumer", "scheduler", "effects"} & self._threads.keys():
            self._threads[name].join(max(0.0, deadline - time.monotonic()))
        if self.relay is not None:
            self.relay.stopped.set()
            self._threads["relay"].join(max(0.5, deadline - time.monotonic()))
        self.database.dispose()


class OpsServer:
    """Metrics, health and readiness on a port of their own, without login; health touches neither Kafka nor database."""

    def __init__(self, settings: ServiceSettings, readiness: Callable[[], dict[str, bool]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = 404, "application/json", b'{"detail": "known here: /metrics, /health, /ready"}'
                if self.path == "/metrics":
                    status, kind, body = 200, "text/plain; version=0.0.4; charset=utf-8", metrics.exposition()
                elif self.path == "/health":
                    status, body = 200, b'{"status": "alive"}'
                elif self.path == "/ready":
                    parts = readiness()
                    status, body = (200 if all(parts.values()) else 503), json.dumps(parts).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Scrapes are not news."""

        self._server = ThreadingHTTPServer((settings.http_host, settings.ops_port), Handler)
        self._server.daemon_threads = True

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self._server.serve_forever, name="ops", daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
