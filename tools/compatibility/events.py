"""Compare published events: a change must leave every reader and writer of the earlier release unbroken."""

from __future__ import annotations

import json
from pathlib import Path

from tools.compatibility.shapes import Comparison, Schema, Side

NOT_AN_EVENT = "asyncapi.json"


def compare(old: Schema, new: Schema) -> list[str]:
    """Return one sentence per change of an event's schema that breaks a reader or a writer of the old one."""
    return Comparison(old.get("$defs", {}), new.get("$defs", {}), Side.EVENT).of(old, new, "message")


def compare_all(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Compare all events by name; an event that is gone breaks its subscribers."""
    findings = [f"{name}: the event is gone" for name in sorted(set(old) - set(new))]
    for name in sorted(set(old) & set(new)):
        findings += [f"{name}: {finding}" for finding in compare(old[name], new[name])]
    return findings


def schemas_in(folder: Path) -> dict[str, Schema]:
    """Read the generated schemas of a folder, by event name."""
    paths = [path for path in sorted(folder.glob("*.json")) if path.name != NOT_AN_EVENT]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
