"""The boards of Grafana ask for metrics and labels that exist, in expressions that Prometheus takes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.layers.small_tree import ROOT
from tests.layers.test_alerts import CLOSED, declared, exposed
from tests.support.needs import needs_program

BOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
OF_THE_SCRAPE = {"world", "instance", "process", "job"}  # put there by the list of addresses, not by the code
OF_GRAFANA = {"$__range": "14d", "$__rate_interval": "1m"}
METRIC = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
FUNCTIONS = {"histogram_quantile", "label_values"}
COLUMNS = 24


def board(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def expressions(of: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what every panel asks Prometheus, with the panel's title."""
    for panel in of["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def questions(of: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the expressions and what the variables are filled from."""
    yield from expressions(of)
    for variable in of["templating"]["list"]:
        if variable["type"] == "query":
            yield f"${variable['name']}", variable["definition"]


def unknown(of: dict[str, Any]) -> list[str]:
    """Return the metrics and labels that a board names and no code declares."""
    metrics, labels = exposed(declared()), CLOSED.keys() | OF_THE_SCRAPE | {"le"}
    said: list[str] = []
    for title, asked in questions(of):
        named = {name for name in METRIC.findall(re.sub(r'"[^"]*"', "", asked)) if name not in FUNCTIONS}
        used = set(re.findall(r"(\w+)=~?\"", asked)) | {
            label for found in re.findall(r"(?:by|on) \(([^)]*)\)", asked) for label in re.split(r",\s*", found)
        }
        said += [f"{title}: metric {name}" for name in sorted(named - metrics)]
        said += [f"{title}: label {name}" for name in sorted(used - labels)]
    return said


def refused(of: dict[str, Any], folder: Path) -> str:
    """Return what Prometheus has against the expressions of a board; nothing if it takes them."""
    rules = [{"record": f"board:{n}", "expr": _filled(asked)} for n, (_, asked) in enumerate(expressions(of))]
    file = folder / "board.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}), encoding="utf-8")
    command = [needs_program("promtool"), "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr if done.returncode else ""


def _filled(expression: str) -> str:
    for name, value in OF_GRAFANA.items():
        expression = expression.replace(name, value)
    return expression


def overlapping(of: dict[str, Any]) -> list[tuple[str, str]]:
    """Return pairs of panels of which one hides the other."""
    places = [(panel["title"], panel["gridPos"]) for panel in of["panels"]]
    return [
        (one, other)
        for n, (one, a) in enumerate(places)
        for other, b in places[n + 1 :]
        if a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    ]


def test_there_is_a_board_of_velocity() -> None:
    """Decision velocity is the measure that people open the dashboards for."""
    assert "velocity" in [path.stem for path in BOARDS]


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_names_only_what_is_declared(path: Path) -> None:
    assert unknown(board(path)) == []


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_prometheus_takes_every_expression_of_a_board(path: Path, tmp_path: Path) -> None:
    assert refused(board(path), tmp_path) == ""


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_is_one_that_grafana_can_draw(path: Path) -> None:
    """Each panel has a number, a place and a source of its own; variables used are variables declared."""
    found = board(path)
    numbers = [panel["id"] for panel in found["panels"]]
    assert len(numbers) == len(set(numbers))
    assert overlapping(found) == []
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= COLUMNS for panel in found["panels"])
    drawn = [panel for panel in found["panels"] if panel["type"] != "row"]
    assert all(panel["description"] and panel["targets"] for panel in drawn)
    used = set(re.findall(r"\$\{?(?!__)(\w+)", json.dumps(found)))
    assert used == {variable["name"] for variable in found["templating"]["list"]}


# ── the violations, planted ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("max(scorecard_speed_seconds)", "x: metric scorecard_speed_seconds"),
        ("sum by (customer) (scorecard_cases_open)", "x: label customer"),
        ('scorecard_cases_open{site="Lagos"}', "x: label site"),
    ],
)
def test_a_board_on_what_nobody_declares_fails(query: str, wrong: str) -> None:
    planted = {"panels": [{"title": "x", "targets": [{"expr": query}]}], "templating": {"list": []}}
    assert unknown(planted) == [wrong]


def test_an_expression_that_is_none_fails(tmp_path: Path) -> None:
    planted = {"panels": [{"title": "x", "targets": [{"expr": "sum by (cause) scorecard_cases_open)"}]}]}
    assert "board.yml" in refused(planted, tmp_path)


def test_panels_that_hide_each_other_fail() -> None:
    place = {"x": 0, "y": 0, "w": 12, "h": 8}
    planted = {"panels": [{"title": "a", "gridPos": place}, {"title": "b", "gridPos": place | {"x": 11}}]}
    assert overlapping(planted) == [("a", "b")]
