"""`demo`: one delay becomes a coordinated response, told as it happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Annotated, Any

import typer

from cli.errors import CommandFailed
from cli.output import JsonOption, out, print_json, progress, say
from cli.stack.recipe import STREAM
from cli.stack.stack import Stack
from cli.stack.worlds import World

WORLD = "demo"
MARKS = {
    "signal": "→", "case": "!", "task": "·", "impact": "·", "notice": "·", "options": "·", "shortage": "·", "act": "✓", "decided": "✓",
    "promise": "✓", "sent": "→", "implemented": "■", "velocity": "■", "verified": "■", "why": "?", "broken": "✗", "scene": " ",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: crossdock demo --once")(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of staying up.")] = False,
    seed: Annotated[int, typer.Option(help="Of the simulated network.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Start a world, tell the story of one delay in it with simulated people, and stay up until Ctrl-C."""
    with progress("The stack starts", quiet=as_json) as report, Stack.start(report=report) as stack:
        world = stack.create_world(WORLD)
        code = _tell(world, seed, as_json)
        if code:
            raise CommandFailed("The story broke; `.crossdock/worlds/demo/logs` holds what each process said.")
        if not once:
            _stay(stack, world, as_json)


def _tell(world: World, seed: int, as_json: bool) -> int:
    environment = os.environ | {
        "SERVICES_URLS": json.dumps(world.urls), "STREAM_METRICS_URL": f"{world.ops[STREAM]}/metrics",
    }  # fmt: skip
    story = subprocess.Popen(
        [sys.executable, "-m", "simulator", "story", "--seed", str(seed)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert story.stdout is not None
    for line in story.stdout:
        _print(json.loads(line), as_json)
    return story.wait()


def _print(step: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(step, ensure_ascii=False), flush=True)
        return
    after = f"+{step['after_ms']:,.0f} ms" if "after_ms" in step else ""
    out().print(
        f"{after:>12}  {MARKS.get(step['step'], ' ')} ",
        end="",
        style="bold" if step["step"] in ("case", "velocity") else None,
    )
    out().print(step["text"], markup=False)


def _stay(stack: Stack, world: World, as_json: bool) -> None:
    addresses = {**world.urls, "stream metrics": f"{world.ops[STREAM]}/metrics"}
    if as_json:
        print_json(addresses)
    else:
        say("\nStill running; Ctrl-C ends it. In another terminal:")
        say(
            "  crossdock login --as planning-lead --world demo && crossdock cases --world demo && crossdock watch --from beginning --world demo"
        )
        for name, url in sorted(addresses.items()):
            say(f"  {name:<16} {url}")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
