"""The dashboards name metrics and labels that exist, and are whole."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.small_tree import ROOT
from tests.house.test_alerts import CLOSED, declared, exposed
from tests.support.needs import needs_program

DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
OF_PROMETHEUS = {"instance", "world", "job", "le"}


def dashboard(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def expressions(board: dict[str, Any]) -> list[str]:
    """Return what its panels ask."""
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def metrics_in(text: str) -> set[str]:
    return set(re.findall(r"\b(?:scorecard|exceptions|sales|logistics|outbox|reaction|http)_[a-z_]+", text))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_metric_of_a_dashboard_exists(path: Path) -> None:
    """Issue 5: a panel over a metric that nobody sets stays empty and looks like calm."""
    board = dashboard(path)
    named = metrics_in(json.dumps([board["panels"], board["templating"]]))
    assert named
    assert named <= exposed(declared())
    for ask in expressions(board):
        labels = {name for inside in re.findall(r"\{([^}]*)\}", ask) for name in re.findall(r"(\w+)\s*[=!]", inside)}
        assert labels <= set(CLOSED) | OF_PROMETHEUS, ask


def test_a_metric_that_does_not_exist_is_seen() -> None:
    assert metrics_in("sum(scorecard_speed_seconds)") - exposed(declared()) == {"scorecard_speed_seconds"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_is_whole(path: Path) -> None:
    """Ids are unique, panels do not lie upon each other, and each says what it shows."""
    board = dashboard(path)
    assert {"uid", "title", "schemaVersion", "templating", "time"} <= set(board)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        assert panel["description"]
        taken |= cells


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_prometheus_reads_every_question_of_a_dashboard(path: Path, tmp_path: Path) -> None:
    program = needs_program("promtool")
    asked = [re.sub(r"\$\w+", "x", ask) for ask in expressions(dashboard(path))]
    rules = [{"record": f"asked:{number}", "expr": ask} for number, ask in enumerate(asked)]
    (tmp_path / "asked.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8"
    )
    done = subprocess.run(
        [program, "check", "rules", "asked.yml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
