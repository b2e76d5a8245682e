"""`demo`: one delay becomes a coordinated response, told as it happens."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from typing import Annotated, Any

import typer

from cli import simulated
from cli.desk import link
from cli.errors import CommandFailed
from cli.output import JsonOption, out, print_json, progress, say
from cli.stack.daemon import one_interrupt
from cli.stack.recipe import CONSOLE, STREAM
from cli.stack.stack import Stack
from cli.stack.world_plan import DEMO
from cli.stack.worlds import World

CURRENCY = "USD"
PACE_SECONDS = 2.0
MARKS = {
    "signal": "→",
    "case": "!",
    "task": "·",
    "impact": "·",
    "notice": "·",
    "options": "·",
    "shortage": "·",
    "act": "✓",
    "decided": "✓",
    "promise": "✓",
    "sent": "→",
    "implemented": "■",
    "velocity": "■",
    "verified": "■",
    "why": "?",
    "traffic": "→",
    "broken": "✗",
    "scene": " ",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock demo --once")(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of staying up.")] = False,
    traffic: Annotated[
        bool,
        typer.Option(
            "--traffic",
            help="After the story more trucks come late, several an hour, some answered by simulated people.",
        ),
    ] = False,
    pace: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds that simulated people take before each act: 2, or 0 with --once."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated network.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Start a world, tell the story of one delay in it with simulated people, and stay up until Ctrl-C."""
    with one_interrupt(), progress("The stack starts", quiet=as_json) as report, Stack.start(report=report) as stack:
        world = stack.create_world(DEMO, currency=CURRENCY)
        _invite(world, as_json)
        seconds = (0.0 if once else PACE_SECONDS) if pace is None else pace
        with simulated.begin(world, "story", "--seed", str(seed), "--pace", str(seconds)) as story:
            _tell(story, as_json)
        if story.returncode:
            raise CommandFailed("The story broke; `.crossdock/worlds/demo/logs` holds what each process said.")
        if not once:
            with contextlib.suppress(KeyboardInterrupt):
                _stay(world, as_json, seed if traffic else None)


def _invite(world: World, as_json: bool) -> None:
    """Print a link to the desk: what the terminal tells can be watched there."""
    url = link(world.urls[CONSOLE], home=world.stack.home)
    if as_json:
        print_json({"step": "desk", "url": url}, line=True)
    else:
        say(f"Watch it in the browser as the planning lead (the link works once, for five minutes):\n  {url}\n")


def _tell(simulator: subprocess.Popen[str], as_json: bool) -> None:
    assert simulator.stdout is not None
    for line in simulator.stdout:
        _print(json.loads(line), as_json)


def _print(step: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(step, line=True)
        return
    after = f"+{step['after_ms']:,.0f} ms" if "after_ms" in step else ""
    out().print(
        f"{after:>12}  {MARKS.get(step['step'], ' ')} ",
        end="",
        style="bold" if step["step"] in ("case", "velocity") else None,
    )
    say(step["text"])


def _stay(world: World, as_json: bool, traffic_seed: int | None) -> None:
    addresses = {**world.urls, "stream metrics": f"{world.ops[STREAM]}/metrics"}
    if not as_json:
        say("")
    _invite(world, as_json)
    if as_json:
        print_json(addresses)
    else:
        say("Still running; Ctrl-C ends it. In another terminal:")
        say(
            "  crossdock login --as planning-lead --world demo && crossdock cases --world demo && crossdock watch --from beginning --world demo"
        )
        for name, url in sorted(addresses.items()):
            say(f"  {name:<16} {url}")
    if traffic_seed is not None:
        with simulated.begin(world, "traffic", "--seed", str(traffic_seed)) as traffic:
            _tell(traffic, as_json)
    threading.Event().wait()
