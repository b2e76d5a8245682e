"""Worlds of one stack: databases, roles, topics and processes of each, made together and dropped together."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from cli import seed
from cli.stack import postgres, spawn
from cli.stack.infrastructure import Infrastructure, Report
from cli.stack.issuer import ISSUER, Issuer, audience
from cli.stack.recipe import CONSOLE, ProcessSpec, Recipe, chosen, split_roles, with_copies
from cli.stack.state import CHECKOUT, Home, StackError, make_folder, read_json, write_json
from cli.stack.supervisor import Watched, stop_all
from cli.stack.world_plan import PortInUse, WorldPlan, WorldRefused, WorldUnknown

HOST = "127.0.0.1"
READY_SECONDS = 120.0
TOPICS_SECONDS = 120.0
MAKERS = 4
OURS = ("POSTGRES_URL", "CROSSDOCK_TOKEN")


class WorldHost(Protocol):
    """The stack as its worlds see it: its data folder, its recipe, its issuer and its infrastructure."""

    home: Home
    recipe: Recipe
    issuer: Issuer
    infrastructure: Infrastructure
    report: Report


class World:
    """A world that runs: its addresses and its processes."""

    def __init__(self, stack: WorldHost, name: str, plan: WorldPlan) -> None:
        self.stack = stack
        self.name = name
        self.plan = plan
        self.specs = _specs(stack, plan)
        self.urls: dict[str, str] = {}
        self.ops: dict[str, str] = {}
        self.database_urls: dict[str, str] = {}
        self.processes: dict[str, Watched] = {}
        self._ports: dict[str, tuple[int, int]] = {}
        self._secrets: dict[str, Any] = {}
        self._planted: list[str] = []

    # --- for those who use it ---------------------------------------------------------------------

    @property
    def clock(self) -> str:
        return self.plan.clock

    @property
    def services(self) -> list[str]:
        """The services that have a database in this world."""
        return sorted({spec.service for spec in self.specs if spec.service})

    def token(self, role: str, **claims: Any) -> str:
        """Return a token of this world for a role."""
        return self.stack.issuer.token(role, world=self.name, **claims)

    def pid(self, process: str) -> int | None:
        """Return the id of the process as it runs now."""
        return self._process(process).pid

    def kill(self, process: str, sent: int = signal.SIGKILL) -> int:
        """Send a signal and return whom it was sent to; the supervisor starts what dies again."""
        return self._process(process).kill(sent)

    def stop(self, process: str) -> None:
        """Stop a process until it is started."""
        self._process(process).stop()

    def start(self, process: str) -> None:
        """Start a stopped process and wait until it is ready."""
        watched = self._process(process)
        watched.start()
        watched.wait_until_ready(seconds=READY_SECONDS)

    def restart(self, process: str) -> None:
        """Stop a process gracefully, start it and wait until it is ready."""
        self.stop(process)
        self.start(process)

    def wait_until_ready(self, process: str, *, after_pid: int | None = None) -> None:
        """Wait until a process is ready, or until its successor is."""
        self._process(process).wait_until_ready(seconds=READY_SECONDS, after_pid=after_pid)

    def log(self, process: str) -> Path:
        """Return the log file of a process."""
        return self._process(process).log

    def describe(self) -> dict[str, Any]:
        """Return what the CLI knows about the world: no secret is in it."""
        return {
            "name": self.name,
            "clock": self.clock,
            "currency": self.plan.currency,
            "urls": self.urls,
            "ops": self.ops,
            "planted": self._planted,
            "plan": {
                "seed": self.plan.seed,
                "services": self.plan.services,
                "copies": dict(self.plan.copies),
                "split": self.plan.split,
                "env": {name: dict(env) for name, env in self.plan.env.items()},
            },
            "processes": {
                spec.name: {
                    "serves": spec.serves,
                    "http_port": self._ports[spec.name][0],
                    "ops_port": self._ports[spec.name][1],
                    "log": str(self.stack.home.logs(self.name) / f"{spec.name}.log"),
                }
                for spec in self.specs
            },
        }

    # --- for the stack ----------------------------------------------------------------------------

    def open(self, check: Callable[[], None]) -> None:
        """Make what is missing, start all processes at once, wait until all are ready, plant the seed.

        `check` raises when the stack is ending meanwhile. Raises SeedRefused before anything is made.
        """
        home = self.stack.home
        if (folder := seed.folder_of(self.plan.seed)) is not None:
            seed.requests(folder, currency=self.plan.currency)
        make_folder(home.logs(self.name))
        self._choose_ports()
        self._choose_secrets()
        write_json(home.world_file(self.name), self.describe())
        with ThreadPoolExecutor(MAKERS, thread_name_prefix="make") as pool:
            topics = pool.submit(self._run_topics, self.stack.recipe.make_topics)
            urls = pool.map(self._make_database, self.services)
            self.database_urls = dict(zip(self.services, urls, strict=True))
            topics.result()
        for spec in self.specs:
            self.processes[spec.name] = self._watch(spec)
        for watched in self.processes.values():
            check()
            watched.start()
        for watched in self.processes.values():
            watched.wait_until_ready(seconds=READY_SECONDS)
        self._name_to_prometheus()
        self._plant()

    def _name_to_prometheus(self) -> None:
        """Write where each process is scraped; Prometheus reads the folder again when a file changes."""
        told = [
            {"targets": [address.removeprefix("http://")], "labels": {"world": self.name, "process": process}}
            for process, address in sorted(self.ops.items())
        ]
        make_folder(self.stack.home.prometheus)
        self.stack.home.scrape_file(self.name).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def _plant(self) -> None:
        folder = seed.folder_of(self.plan.seed)
        if folder is None or not self.stack.recipe.plants_seed:
            return
        self._planted += seed.plant(
            self.urls, self.token, folder=folder, currency=self.plan.currency, planted=self._planted
        )
        write_json(self.stack.home.world_file(self.name), self.describe())

    def close(self) -> None:
        """End all processes of the world; what it holds stays."""
        stop_all(self.processes.values())
        for pair in self._ports.values():
            for port in pair:
                spawn.release_port(port)

    def drop_topics(self) -> None:
        """Drop the world's topics; the processes that use them must have ended."""
        self._choose_secrets()
        self._run_topics(self.stack.recipe.drop_topics)

    def _process(self, name: str) -> Watched:
        if name not in self.processes:
            raise WorldUnknown(f"World {self.name} has no process {name}; it has {', '.join(sorted(self.processes))}.")
        return self.processes[name]

    def _choose_ports(self) -> None:
        """Take the ports of the last time when they are free, so that addresses people noted stay true."""
        known = read_json(self.stack.home.world_file(self.name)) or {}
        self._planted = list(known.get("planted", []))
        kept = known.get("processes", {})
        for spec in self.specs:
            before = kept.get(spec.name, {})
            told = self.plan.ports.get(spec.name)
            if told is not None and not spawn.port_is_free(told):
                raise PortInUse(
                    f"Port {told} is in use: choose another one for {spec.name}, or none, and a free one is taken."
                )
            http = told or _reuse_or_free_port(before.get("http_port"))
            self._ports[spec.name] = http, _reuse_or_free_port(before.get("ops_port"))
            if spec.serves:
                self.urls[spec.serves] = f"http://{HOST}:{http}"
            self.ops[spec.name] = f"http://{HOST}:{self._ports[spec.name][1]}"

    def _choose_secrets(self) -> None:
        kept = read_json(self.stack.home.world(self.name) / "secrets.json") or {}
        self._secrets = {"cursor_secret": kept.get("cursor_secret") or secrets.token_urlsafe(32)}
        passwords = kept.get("passwords") or {}
        for service in self.services:
            passwords.setdefault(service, secrets.token_urlsafe(24))
        self._secrets["passwords"] = passwords
        write_json(self.stack.home.world(self.name) / "secrets.json", self._secrets, secret=True)

    def _make_database(self, service: str) -> str:
        name = postgres.database_name(self.name, service)
        password = self._secrets["passwords"].setdefault(service, secrets.token_urlsafe(24))
        return postgres.create_database(self.stack.infrastructure.postgres_admin_url, name, password=password)

    def _run_topics(self, command: tuple[str, ...]) -> None:
        done = subprocess.run(
            command,
            env=self._shared_env(),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=TOPICS_SECONDS,
            check=False,
        )
        if done.returncode:
            # The Kafka client's own complaints begin with a per cent sign; the command's last word does not.
            said = [line for line in (done.stderr or done.stdout).splitlines() if line and line[0] != "%"]
            last = (said or ["it said nothing"])[-1]
            raise StackError(f"The topics of world {self.name} could not be set up or dropped: {last}")

    def _shared_env(self) -> dict[str, str]:
        """Return what every process of the world is told."""
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        env |= {
            "WORLD": self.name,
            "WORLD_CLOCK": self.plan.clock,
            "WORLD_CURRENCY": self.plan.currency,
            "KAFKA_BOOTSTRAP": self.stack.infrastructure.kafka_bootstrap,
            "TOPIC_REPLICATION": env.get("TOPIC_REPLICATION", "1"),
            "HTTP_HOST": HOST,
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": audience(self.name),
            "AUTH_JWKS": str(self.stack.issuer.jwks_file),
            "CURSOR_SECRET": self._secrets["cursor_secret"],
            "MIGRATE_ON_START": "1",
            "PYTHONUNBUFFERED": "1",
        }
        if self.plan.driven:
            env["TOPIC_PARTITIONS"] = "1"
        return env | dict(self.plan.env.get("*", {}))

    def _env(self, spec: ProcessSpec) -> dict[str, str]:
        http, ops = self._ports[spec.name]
        env = self._shared_env()
        env |= {"HTTP_PORT": str(http), "OPS_PORT": str(ops), "INSTANCE": str(spec.instance)}
        if spec.service:
            env["DATABASE_URL"] = self.database_urls[spec.service]
        if spec.name == CONSOLE:
            env["SERVICES_URLS"] = json.dumps({name: url for name, url in self.urls.items() if name != CONSOLE})
            env["OPS_URLS"] = json.dumps(self.ops)
            env["ISSUER_KEY"] = str(self.stack.issuer.key_file)
            env["LOCAL_SECRET_FILE"] = str(self.stack.home.local_secret_file)
        return env | dict(self.plan.env.get(spec.name, {}))

    def _watch(self, spec: ProcessSpec) -> Watched:
        log = self.stack.home.logs(self.name) / f"{spec.name}.log"

        def launch() -> spawn.Popen:
            return spawn.spawn(spec.command, log=log, env=self._env(spec), cwd=CHECKOUT)

        return Watched(spec.name, launch, ready_url=f"{self.ops[spec.name]}/ready", log=log)


def _specs(stack: WorldHost, plan: WorldPlan) -> list[ProcessSpec]:
    try:
        specs = chosen(stack.recipe, plan.services)
    except KeyError as why:
        known = ", ".join(spec.name for spec in stack.recipe.processes)
        raise WorldRefused(f"There is no process {why}; a world is made of {known}.") from why
    specs = split_roles(specs, plan.split)
    apart = [spec.name for spec in specs if spec.serves and spec.service and not {"all", "consumer"} & {*spec.command}]
    if plan.driven and apart:
        # Whether a service is quiet is answered by its API, from what the consumer beside it has read (FLOW 6.3).
        raise WorldRefused(f"In a driven world API and consumer share a process, and {', '.join(apart)} has none.")
    return with_copies(specs, dict(plan.copies))


def _reuse_or_free_port(port: int | None) -> int:
    return port if port and spawn.port_is_free(port) else spawn.free_port()


def drop(stack: WorldHost, name: str, *, taken_back: bool = False) -> None:
    """Drop topics, databases, roles and files of a world whose processes have ended.

    One that is taken back because it never became ready keeps its logs, and its topics may be missing.
    """
    world = World(stack, name, WorldPlan(services=[]))
    try:
        world.drop_topics()
    except StackError as why:
        if not taken_back:
            raise
        stack.report(str(why))
    for service in sorted({spec.service for spec in stack.recipe.processes if spec.service}):
        database = postgres.database_name(name, service)
        postgres.drop_database(stack.infrastructure.postgres_admin_url, database)
    stack.home.scrape_file(name).unlink(missing_ok=True)
    if taken_back:
        stack.home.world_file(name).unlink(missing_ok=True)
        (stack.home.world(name) / "secrets.json").unlink(missing_ok=True)
    else:
        shutil.rmtree(stack.home.world(name), ignore_errors=True)
