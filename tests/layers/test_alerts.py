"""The alert rules fire and stay silent as they say, on metrics that exist; metrics are named as LAYERS 8 says."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from tests.layers.small_tree import ROOT, SERVICES
from tests.support.needs import needs_program

FOLDER = ROOT / "deploy" / "prometheus"
NOT_OURS = {"up"}  # Prometheus's own
WORDS = {
    "time",
    "sum",
    "by",
    "on",
    "and",
    "or",
    "unless",
    "max",
    "min",
    "count",
    "rate",
    "increase",
    "histogram_quantile",
    "le",
    "job",
    "crossdock",
    "state",
    "implemented",
    "instance",
    "cause",
    "world",
}
# Labels whose values come from a closed list: names of our own code, of our own topics, or words of a schema.
CLOSED = {
    "service": "the eight services and the console",
    "topic": "the register of topics",
    "reaction": "functions of the code",
    "effect": "functions of the code",
    "timer": "names in the code",
    "method": "HTTP",
    "route": "templates, never paths",
    "status": "classes of status",
    "code": "refusals of the code",
    "outcome": "words of the code",
    "cause": "kinds of causes",
    "severity": "schemas.types",
    "phase": "METRICS 3.1",
    "percentile": "three",
    "state": "schemas",
    "reason": "words of the code",
    "rule": "three kinds of rules",
    "signal": "kinds of signals",
    "fact": "names of events",
    "what": "kinds of deadlines",
    "kind": "kinds of entries and findings",
    "why": "words of the code",
    "basis": "reported, overdue",
    "affected": "yes, no",
    "because": "words of the code",
    "verdict": "two",
    "role": "schemas.access, or a role of a process",
    "act": "words of the code",
    "table": "tables of the code",
}
NOT_BASE = re.compile(r"_(ms|millis|milliseconds|us|minutes|hours|days|percent|kb|mb|kilobytes|megabytes)(_|$)")


def declared() -> dict[str, dict[str, MetricWrapperBase]]:
    """Return every metric, by the service that declares it and its name in the code."""
    modules = {"chassis": "chassis.runtime.metrics", **{name: f"services.{name}.metrics" for name in SERVICES}}
    return {
        owner: {
            name: thing
            for name, thing in vars(importlib.import_module(path)).items()
            if isinstance(thing, MetricWrapperBase)
        }
        for owner, path in modules.items()
    }


def exposed(metrics: dict[str, dict[str, MetricWrapperBase]]) -> set[str]:
    """Return the names under which Prometheus stores them."""
    return {name for group in metrics.values() for one in group.values() for name in _series(one)}


def _series(metric: MetricWrapperBase) -> set[str]:
    name = _name(metric)
    if isinstance(metric, Histogram):
        return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return {name}


def _name(metric: MetricWrapperBase) -> str:
    bare: str = metric._name
    return f"{bare}_total" if isinstance(metric, Counter) else bare


def rules(folder: Path) -> list[dict[str, Any]]:
    """Return the alert rules of a folder."""
    groups = yaml.safe_load((folder / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def unknown_metrics(folder: Path, metrics: set[str]) -> list[str]:
    """Return what rules name and nobody declares."""
    said: list[str] = []
    for rule in rules(folder):
        bare = re.sub(r"\{[^}]*\}|\((?:instance|world|cause|percentile|, )+\)", "", rule["expr"])
        named = set(re.findall(r"[a-z_]{2,}", bare)) - WORDS - NOT_OURS
        said += [f"{rule['alert']}: {name}" for name in sorted(named - metrics)]
    return said


def misnamed(owner: str, metric: MetricWrapperBase) -> list[str]:
    """Return what is wrong with a metric's name and labels (LAYERS 8)."""
    name, labels = _name(metric), metric._labelnames
    wrong = [f"{name}: label {label} is of no closed list" for label in labels if label not in CLOSED]
    if NOT_BASE.search(name):
        wrong.append(f"{name}: not a base unit (seconds, bytes, or what is counted)")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) and name != "dead_letters":
        wrong.append(f"{name}: words in small letters, joined by underscores")
    if owner == "chassis" and "service" not in labels:
        wrong.append(f"{name}: a metric of the chassis has the label service")
    if owner != "chassis" and not name.startswith(f"{owner}_"):
        wrong.append(f"{name}: a metric of {owner} begins with its name")
    if isinstance(metric, (Gauge, Histogram)) and name.endswith("_total"):
        wrong.append(f"{name}: only counters end in _total")
    return wrong


def unused(metrics: dict[str, dict[str, MetricWrapperBase]], root: Path) -> list[str]:
    """Return metrics that no line of the code sets: an alert on one would stay silent for ever."""
    said: list[str] = []
    for owner, group in metrics.items():
        rooms = ("chassis", "services") if owner == "chassis" else (f"services/{owner}",)
        files = [path for room in rooms for path in (root / room).rglob("*.py") if path.name != "metrics.py"]
        code = "\n".join(path.read_text(encoding="utf-8") for path in files)
        said += [f"{owner}: {name}" for name in group if not re.search(rf"\b{name}\b", code)]
    return said


def promtool(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the rules' own tests."""
    command = [needs_program("promtool"), "test", "rules", *sorted(path.name for path in folder.glob("*_test.yml"))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


# ── the rules ────────────────────────────────────────────────────────────────────────────────────


def test_every_alert_fires_and_stays_silent_as_its_tests_say() -> None:
    done = promtool(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_shown_firing_and_silent() -> None:
    shown = yaml.safe_load((FOLDER / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    checks = [check for one in shown for check in one["alert_rule_test"]]
    names = {rule["alert"] for rule in rules(FOLDER)}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == names
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == names


def test_the_configuration_of_prometheus_is_one_that_it_takes() -> None:
    command = [needs_program("promtool"), "check", "config", "prometheus.yml"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_that_a_rule_names_is_declared() -> None:
    assert unknown_metrics(FOLDER, exposed(declared())) == []


def test_every_metric_is_named_as_the_house_says() -> None:
    """LAYERS 8."""
    found = [wrong for owner, group in declared().items() for one in group.values() for wrong in misnamed(owner, one)]
    assert found == []


def test_every_declared_metric_is_set_somewhere() -> None:
    assert unused(declared(), ROOT) == []


# ── the violations, planted ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("alerts.yml", "alerts_test.yml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def _change(folder: Path, before: str, after: str) -> None:
    text = (folder / "alerts.yml").read_text(encoding="utf-8")
    assert before in text
    (folder / "alerts.yml").write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after"),
    [("dead_letters > 0", "dead_letters > 100"), ("dead_letters > 0", "dead_letters >= 0"), ("for: 15m", "for: 0m")],
)
def test_a_rule_that_fires_too_late_or_too_early_fails(copied: Path, before: str, after: str) -> None:
    _change(copied, before, after)
    assert promtool(copied).returncode != 0


def test_a_rule_on_a_metric_that_nobody_declares_fails(copied: Path) -> None:
    _change(copied, "dead_letters > 0", "letters_dead > 0")
    assert unknown_metrics(copied, exposed(declared())) == ["DeadLetters: letters_dead"]


@pytest.mark.parametrize(
    ("owner", "metric", "wrong"),
    [
        ("sales", Gauge("sales_wait_minutes", "-", registry=CollectorRegistry()), "not a base unit"),
        ("sales", Gauge("wait_seconds", "-", registry=CollectorRegistry()), "begins with its name"),
        ("sales", Gauge("sales_orders", "-", ["customer"], registry=CollectorRegistry()), "no closed list"),
        ("chassis", Gauge("loop_seconds", "-", registry=CollectorRegistry()), "has the label service"),
    ],
)
def test_a_misnamed_metric_fails(owner: str, metric: MetricWrapperBase, wrong: str) -> None:
    (said,) = misnamed(owner, metric)
    assert wrong in said


def test_a_metric_that_nobody_sets_fails(tmp_path: Path) -> None:
    (tmp_path / "services" / "sales").mkdir(parents=True)
    metric = Gauge("sales_orders", "-", registry=CollectorRegistry())
    assert unused({"sales": {"orders": metric}}, tmp_path) == ["sales: orders"]
