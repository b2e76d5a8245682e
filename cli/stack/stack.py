"""One running stack: infrastructure, worlds, and the promise that nothing is left when it ends.

The same class serves the daemon of `crossdock up` and programs that run a stack inside themselves. Either way
`crossdock status`, `world list` and `down` of the same data folder reach it through its control server; `down` sends
SIGTERM to the process that runs the stack, which ends it in its own way:

    with Stack.start(home=folder) as stack:
        world = stack.create_world("demo")
        world.urls["logistics"]
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from cli.seed import EVERYDAY, REPLAY, currency_of
from cli.stack import lock, worlds
from cli.stack.control import Act, Control
from cli.stack.infrastructure import Infrastructure, Report
from cli.stack.issuer import Issuer
from cli.stack.recipe import APART, Recipe, whole
from cli.stack.state import Home, StackError, forget, make_folder, read_json, write_json, write_text
from cli.stack.supervisor import stop_all
from cli.stack.world_plan import (
    WorldPlan,
    WorldRefused,
    WorldUnknown,
    check_currency,
    check_name,
    stored_currency,
    world_names,
)
from cli.stack.worlds import World


class AlreadyRunning(StackError):
    """Another supervisor of this data folder runs."""


def _silent(_: str) -> None:
    """Report to nobody."""


class Stack:
    """The supervisor of one data folder."""

    def __init__(self, home: Home, *, recipe: Recipe, report: Report, infrastructure: Infrastructure) -> None:
        self.home = home
        self.recipe = recipe
        self.report = report
        self.issuer = Issuer(home.issuer)
        self.infrastructure = infrastructure
        self.worlds: dict[str, World] = {}
        self._lock: IO[str] | None = None
        self._control: Control | None = None
        self._turn = threading.RLock()
        self._opening: World | None = None
        self._ending = threading.Event()

    @classmethod
    def start(
        cls,
        home: Path | Home | None = None,
        *,
        recipe: Recipe | None = None,
        report: Report = _silent,
        postgres_url: str | None = None,
        kafka_bootstrap: str | None = None,
    ) -> Self:
        """Start the infrastructure of a data folder, or reach the one that is named here or in the
        environment; raises AlreadyRunning or another StackError.

        What was started is ended before an error, Ctrl-C too, leaves this call.
        """
        if not isinstance(home, Home):
            home = Home(home.resolve()) if home else Home.find()
        infrastructure = Infrastructure(home, report, postgres_url=postgres_url, kafka_bootstrap=kafka_bootstrap)
        stack = cls(home, recipe=recipe or whole(), report=report, infrastructure=infrastructure)
        try:
            stack._open()
        except BaseException:
            stack.close()
            raise
        return stack

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def postgres_admin_url(self) -> str:
        return self.infrastructure.postgres_admin_url

    @property
    def kafka_bootstrap(self) -> str:
        return self.infrastructure.kafka_bootstrap

    def create_world(
        self,
        name: str,
        *,
        clock: str = "wall",
        services: list[str] | None = None,
        env: Mapping[str, Mapping[str, str]] | None = None,
        copies: Mapping[str, int] | None = None,
        split: list[str] | None = None,
        ports: Mapping[str, int] | None = None,
        seed: str | None = None,
        currency: str | None = None,
        report: Report | None = None,
    ) -> World:
        """Make a world, or start a kept one as it was planned, and return it when all of it is ready.

        `env` adds to the environment of a process by name (`*`: of all); `copies` runs further copies of a
        process; `split` runs services as one process per role (`logistics`), or one role apart
        (`logistics:relay`), as unless told `recipe.APART` in a world by the wall clock; `seed` is `everyday`, `replay` (what a driven
        world gets unless told) or `none`; `currency` is the reporting currency, unless told that of
        the seed. Raises WorldRefused when it runs already, or is kept with another clock or currency. A new world
        that does not become ready is dropped again.
        """
        with self._turn:
            check_name(name)
            if name in self.worlds:
                raise WorldRefused(f"World {name} runs already; `crossdock world list` shows it.")
            kept = read_json(self.home.world_file(name))
            before = kept["plan"] if kept else {}
            seed = seed or before.get("seed") or (REPLAY if clock == "driven" else EVERYDAY)
            plan = WorldPlan(
                clock=kept["clock"] if kept else clock,
                services=before.get("services") if services is None else services,
                env=before.get("env", {}) if env is None else env,
                copies=before.get("copies", {}) if copies is None else copies,
                split=before.get("split", [] if clock == "driven" else [*APART]) if split is None else split,
                ports=ports or {},
                seed=seed,
                currency=(
                    stored_currency(name, kept)
                    if kept
                    else check_currency(currency or currency_of(seed, driven=clock == "driven"))
                ),
            )
            if kept and clock not in ("wall", kept["clock"]):
                raise WorldRefused(
                    f"World {name} is kept with the clock {kept['clock']}: drop it first, or choose another name."
                )
            if currency not in (None, plan.currency):
                raise WorldRefused(
                    f"World {name} is kept with the currency {plan.currency}: drop it first, or choose another name."
                )
            report = report or self.report
            report(f"World {name} starts")
            return self._open_world(World(self, name, plan), new=kept is None, report=report)

    def drop_world(self, name: str) -> None:
        """Drop a world with everything in it; raises WorldUnknown where there is none."""
        with self._turn:
            running = self.worlds.pop(name, None)
            if running is None and name not in world_names(self.home):
                raise WorldUnknown(f"There is no world {name}; `crossdock world list` shows those that are.")
            if running is not None:
                running.close()
            worlds.drop(self, name)
            self._write_state()

    def world(self, name: str) -> World:
        """Return a running world; raises WorldUnknown."""
        if name not in self.worlds:
            raise WorldUnknown(f"World {name} does not run here: `crossdock world create {name}` makes or starts it.")
        return self.worlds[name]

    def status(self) -> dict[str, Any]:
        """Tell how everything stands, each process asked now."""
        running = dict(self.worlds)
        kept = [name for name in world_names(self.home) if name not in running]
        return {
            "pid": os.getpid(),
            "home": str(self.home.root),
            "local_secret_file": str(self.home.local_secret_file),
            "local_secret": self.home.local_secret(),
            "kafka": {
                "kind": self.infrastructure.kafka_kind,
                "bootstrap": self.infrastructure.kafka_bootstrap,
            },
            "warnings": self.infrastructure.warnings,
            "infrastructure": [
                {
                    "process": guard.name,
                    "state": guard.state,
                    "pid": guard.pid,
                    "restarts": guard.restarts,
                    "trouble": guard.trouble,
                    "log": str(guard.log),
                }
                for guard in self.infrastructure.guarded
            ],
            "worlds": [_world_status(world) for world in running.values()]
            + [{"world": name, "state": "stopped", "processes": [], "urls": {}} for name in kept],
        }

    def close(self) -> None:
        """End everything of ours; what was committed and acknowledged stays in the data folder."""
        self._ending.set()
        if self._control is not None:
            self._control.close()
            self._control = None
        opening = self._opening
        if opening is not None:
            # Another thread waits for this world: without its processes it gives up and takes it back.
            opening.close()
        with self._turn:
            stop_all(_Ending(world) for world in list(self.worlds.values()))
            self.worlds.clear()
            self.infrastructure.stop()
            if self._lock is not None:
                forget(self.home.stack_file)
                forget(self.home.local_secret_file)
                self._lock.close()
                self._lock = None

    def _open(self) -> None:
        make_folder(self.home.root)
        make_folder(self.home.run)
        self._take_lock()
        self.issuer.ensure()
        write_text(self.home.local_secret_file, secrets.token_urlsafe(32) + "\n", secret=True)
        self.infrastructure.start()
        self._write_state()
        self._control = Control(self.home, self._acts())
        self._control.open()

    def _take_lock(self) -> None:
        self._lock = lock.take(self.home)
        if self._lock is None:
            running = read_json(self.home.stack_file) or {}
            raise AlreadyRunning(
                f"The stack of {self.home.root} runs already (process {running.get('pid', 'unknown')}): "
                "`crossdock status` shows it, `crossdock down` ends it."
            )
        write_json(self.home.stack_file, {"pid": os.getpid()})

    def _acts(self) -> dict[str, Act]:
        """Return the acts that other processes may request through the control server."""
        return {
            "status": lambda *_: self.status(),
            "create-world": lambda arguments, report: self.create_world(**arguments, report=report).describe(),
            "drop-world": lambda arguments, _: self.drop_world(arguments["name"]),
            "process": lambda arguments, _: self._change_process(**arguments),
            "down": lambda *_: os.kill(os.getpid(), signal.SIGTERM),
        }

    def _change_process(self, *, world: str, process: str, what: str) -> dict[str, Any]:
        """Kill, stop, start or restart a process and return its process ids before and after."""
        owner = self.world(world)
        before = owner.pid(process)
        acts: dict[str, Callable[[str], Any]] = {
            "kill": owner.kill,
            "stop": owner.stop,
            "start": owner.start,
            "restart": owner.restart,
        }
        acts[what](process)
        return {"pid_before": before, "pid": owner.pid(process)}

    def _open_world(self, world: World, *, new: bool, report: Report) -> World:
        self._opening = world
        try:
            world.open(self._refuse_when_ending)
        except BaseException:
            world.close()
            if new:
                report(f"World {world.name} did not become ready and is taken back")
                worlds.drop(self, world.name, taken_back=True)
            raise
        finally:
            self._opening = None
        self.worlds[world.name] = world
        self._write_state()
        return world

    def _refuse_when_ending(self) -> None:
        if self._ending.is_set():
            raise StackError("The stack ends: nothing more is started.")

    def _write_state(self) -> None:
        content = {"pid": os.getpid(), "worlds": sorted(self.worlds), **self.infrastructure.describe()}
        write_json(self.home.stack_file, content)


class _Ending:
    """A world as something that can be stopped."""

    def __init__(self, world: World) -> None:
        self._world = world

    def stop(self) -> None:
        self._world.close()


def _world_status(world: World) -> dict[str, Any]:
    addresses = world.describe()["processes"]
    processes = [
        {
            "process": name,
            "state": watched.state,
            "pid": watched.pid,
            "restarts": watched.restarts,
            "last_exit": watched.last_exit,
            "trouble": watched.trouble,
            "http": addresses[name]["http_port"] if addresses[name]["serves"] else None,
            "ops": world.ops[name],
            "log": str(watched.log),
        }
        for name, watched in world.processes.items()
    ]
    ready = all(process["state"] == "ready" for process in processes)
    return {
        "world": world.name,
        "clock": world.clock,
        "currency": world.plan.currency,
        "state": "ready" if ready else "not ready",
        "urls": world.urls,
        "processes": processes,
    }
