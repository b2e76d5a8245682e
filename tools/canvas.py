"""The generated block in each service's README: tables, acts, questions, events, timers, effects and metrics.

`python -m tools.canvas` writes the blocks from the code; `--check` only compares, and answers 1 on a difference.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from chassis.runtime.process import Parts
from schemas.catalogue import REGISTER
from tools import generated
from tools.contracts.event_schemas import says
from tools.contracts.hearing import service_names

ROOT = Path(__file__).resolve().parents[1]
OPENS, CLOSES = "<!-- canvas -->", "<!-- /canvas -->"
NOTE = "Made by `make canvas` from the code; do not edit."


def readmes(names: Iterable[str] | None = None) -> dict[str, str]:
    """Answer path and text of each service's README with its block as it should be."""
    files = {}
    for name in names or service_names():
        path = f"services/{name}/README.md"
        text = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else f"# {name}\n"
        files[path] = with_block(text, canvas(name))
    return files


def with_block(text: str, block: str) -> str:
    """Put the block between the markers; a page without markers gets them at its end."""
    before, opens, rest = text.partition(OPENS)
    after = rest.partition(CLOSES)[2] if opens else ""
    return f"{before.rstrip()}\n\n{OPENS}\n{block}{CLOSES}\n{after.lstrip()}"


def canvas(name: str) -> str:
    """Write the block of one service, whose `__main__` says by `parts()` what it consists of."""
    parts: Parts = importlib.import_module(f"services.{name}.__main__").parts()
    metrics = importlib.import_module(f"services.{name}.metrics")
    sections = [
        ("Tables", ("Table", "Columns"), _tables(parts)),
        ("Acts", ("Route", "Act", "Function"), _routes(parts, question=False)),
        ("Questions", ("Route", "Act", "Function"), _routes(parts, question=True)),
        ("Events out", ("Event", "What happened"), _events_out(name)),
        ("Events in", ("Event", "Reactions"), _events_in(parts)),
        ("Timers", ("When this is due", "Then"), _timers(parts)),
        ("Effects", ("After", "Told by"), _effects(parts)),
        ("Metrics", ("Metric", "Labels", "What it says"), _metrics(metrics)),
    ]
    return "\n".join([f"{NOTE}\n", *(_section(title, heads, rows) for title, heads, rows in sections)])


def _section(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return f"### {title}\n\nNone.\n"
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return f"### {title}\n\n" + "\n".join(lines) + "\n"


def _tables(parts: Parts) -> list[tuple[str, ...]]:
    chassis = {table.name for table in parts.tables}
    own = [table for table in parts.tables.outbox.metadata.sorted_tables if table.name not in chassis]
    return sorted(
        (f"`{table.name}`", ", ".join(_column(column.name, column.primary_key) for column in table.columns))
        for table in own
    )


def _column(name: str, is_key: bool) -> str:
    return f"**{name}**" if is_key else name


def _routes(parts: Parts, *, question: bool) -> list[tuple[str, ...]]:
    rows = []
    for router in parts.routers:
        for route in router.api.routes:
            extra = getattr(route, "openapi_extra", None) or {}
            if bool(extra.get("x-question")) == question:
                method = " ".join(sorted(getattr(route, "methods", None) or ()))
                rows.append((f"`{method} {getattr(route, 'path', '')}`", extra["x-act"], f"`{_name(route)}`"))
    return sorted(rows)


def _name(thing: object) -> str:
    return str(getattr(thing, "name", None) or getattr(thing, "__name__", thing))


def _events_out(name: str) -> list[tuple[str, ...]]:
    own = [event for event_name, event in sorted(REGISTER.items()) if event_name.startswith(f"{name}.")]
    return [(f"`{event.event_name}`", says(event)) for event in own]


def _events_in(parts: Parts) -> list[tuple[str, ...]]:
    heard = sorted(parts.reactions.by_event.items())
    return [
        (f"`{event}`", ", ".join(f"`{reaction.act.__name__}`" for reaction in reactions)) for event, reactions in heard
    ]


def _timers(parts: Parts) -> list[tuple[str, ...]]:
    due = {**parts.reactions.at_timers, **parts.effects.at_timers}
    return sorted((f"`{timer}`", f"`{act.__name__}`") for timer, act in due.items())


def _effects(parts: Parts) -> list[tuple[str, ...]]:
    return sorted((f"`{name}`", f"`{tell.__name__}`") for name, (_, tell) in parts.effects.by_event.items())


def _metrics(module: ModuleType) -> list[tuple[str, ...]]:
    found = {metric for metric in vars(module).values() if isinstance(metric, MetricWrapperBase)}
    return sorted(
        (f"`{_exposed(metric)}`", ", ".join(metric._labelnames) or "none", metric._documentation) for metric in found
    )


def _exposed(metric: MetricWrapperBase) -> str:
    """Name a metric as Prometheus shows it: the client keeps a counter's name without its ending."""
    return f"{metric._name}_total" if isinstance(metric, Counter) else metric._name


def main(arguments: list[str] | None = None) -> int:
    """Write or check; answer 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    files = readmes()
    if not options.check:
        changed = generated.write(ROOT, files)
        print("\n".join([*changed, f"{len(changed)} of {len(files)} canvases changed"]))
        return 0
    stale = generated.stale(ROOT, files)
    if stale:
        print("\n".join(["These canvases are not what the code says:", *stale, "Run `make canvas`."]))
        return 1
    print(f"{len(files)} canvases are what the code says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
