"""Golden logs and what was expected of them: an answer passes when it holds everything that is expected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
FLOAT_SLACK = 2e-9  # bounds of a band have nine places, and libraries of mathematics differ in the last bit


@dataclass(frozen=True, slots=True)
class GoldenLog:
    """One golden log: its events, what is expected, and the arithmetic by which a person gets it."""

    name: str
    events: str
    expected: dict[str, Any]
    arithmetic: str


def golden_logs(folder: Path = GOLDEN) -> list[GoldenLog]:
    """Return the golden logs by name."""
    return [
        GoldenLog(
            one.name,
            (one / "events.jsonl").read_text(encoding="utf-8"),
            json.loads((one / "expected.json").read_text(encoding="utf-8")),
            (one / "arithmetic.md").read_text(encoding="utf-8"),
        )
        for one in sorted(folder.iterdir())
        if one.is_dir()
    ]


def differences(expected: Any, answer: Any, where: str = "") -> Iterator[str]:
    """Yield what an answer lacks: of a document each expected key, of a list as many items, each as expected."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        if where.endswith((".phases", ".paused")) and set(expected) != set(answer):
            yield f"{where}: expected the keys {sorted(expected)}, got {sorted(answer)}"
        for key, value in expected.items():
            if key in answer:
                yield from differences(value, answer[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}: missing"
    elif isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for place, (value, got) in enumerate(zip(expected, answer, strict=True)):
            yield from differences(value, got, f"{where}[{place}]")
    elif isinstance(expected, float) and isinstance(answer, int | float) and not isinstance(answer, bool):
        if abs(expected - answer) > FLOAT_SLACK:
            yield f"{where}: expected {expected}, got {answer}"
    elif expected != answer or isinstance(expected, bool) != isinstance(answer, bool):
        yield f"{where}: expected {expected!r}, got {answer!r}"
