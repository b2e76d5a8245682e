"""LAYERS 4.13: each violation of LAYERS 4.1 to 4.14 is planted in a small clean tree, and its gate is seen to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, add_violation, broken_contracts, plant, run
from tests.support.needs import leave_out

LOGISTICS = "services/logistics"

# (the contract that must break, the file of the violation, the violation)
IMPORT_VIOLATIONS = [
    ("Layers", "schemas/logistics.py", "import chassis.runtime.log\n"),
    ("Layers", "chassis/runtime/log.py", "import services.logistics.domain\n"),
    ("Layers", "services/logistics/api.py", "import console\n"),
    ("Layers", "simulator/people.py", "import services.sales\nimport services.logistics.api\n"),
    ("Layers", "cli/cases.py", "import tools\n"),
    ("Alone", "velocity/case.py", "from schemas import types\n"),
    ("Alone", "velocity/case.py", "import pydantic\n"),
    ("Chassis apart", "chassis/messaging/relay.py", "from schemas import exceptions\n"),
    ("Command", "cli/cases.py", "import services.exceptions.domain\n"),
    ("Command", "cli/cases.py", "import confluent_kafka\n"),
    ("Command", "cli/cases.py", "from chassis.persistence import database\n"),
    ("Command", "cli/cases.py", "from sqlalchemy import select\n"),
    ("Formats", "formats/scms.py", "import httpx\n"),
    ("Layers", "formats/scms.py", "import cli\n"),
    ("Services apart", "services/exceptions/operations.py", "from services.logistics import domain as other\n"),
    ("Modules", "services/logistics/domain.py", "from services.logistics import repository\n"),
    ("Modules", "services/logistics/domain/case.py", "from services.logistics import tables\n"),
    ("Modules", "services/logistics/repository.py", "from services.logistics import operations\n"),
    ("Modules", "services/logistics/api.py", "from services.logistics import reactions\n"),
    ("Modules", "services/logistics/helpers.py", "x = 1\n"),
    ("Modules", "services/logistics/models.py", "from services.logistics import operations\n"),
    ("Pure domain", "services/logistics/domain.py", "import sqlalchemy\n"),
    ("Pure domain", "services/logistics/domain.py", "from chassis.runtime import log\n"),
    ("Pure domain", "services/logistics/domain.py", "import structlog\n"),
    ("Pure domain", "services/logistics/domain.py", "from services.logistics import settings\n"),
    ("Pure domain", "schemas/logistics.py", "import httpx\n"),
    ("Models", "services/logistics/models.py", "from chassis.persistence import database\n"),
    ("Models", "services/logistics/models.py", "import prometheus_client\n"),
    ("Numbers", "services/logistics/queries.py", "import numpy\n"),
    ("SQL", "services/logistics/operations.py", "from sqlalchemy import select\n"),
    ("SQL", "services/logistics/api.py", "import sqlalchemy\n"),
    ("SQL", "services/logistics/reactions.py", "import psycopg\n"),
    ("Entry points", "services/logistics/api.py", "from services.logistics import repository\n"),
    ("Entry points", "services/logistics/reactions.py", "from services.logistics import tables\n"),
    ("Entry points", "services/logistics/effects.py", "from services.logistics import repository\n"),
    ("Entry points", "services/logistics/connectors.py", "from services.logistics import tables\n"),
    ("Reactions", "services/logistics/reactions.py", "from services.logistics import domain\n"),
    ("Web", "services/logistics/operations.py", "from fastapi import HTTPException\n"),
    ("Web", "services/logistics/queries.py", "import starlette.requests\n"),
    ("Kafka only", "services/logistics/reactions.py", "import confluent_kafka\n"),
    ("Kafka only", "chassis/messaging/relay.py", "from confluent_kafka import Producer\n"),
    ("Kafka only", "services/logistics/operations.py", "import faust\n"),
    ("Stream", "services/logistics/stream.py", "import faust\nfrom services.logistics import repository\n"),
    ("Stream", "services/logistics/stream.py", "from services.logistics import operations\n"),
    ("Stream", "services/logistics/stream.py", "import sqlalchemy\n"),
]


def test_the_small_tree_without_a_violation_keeps_every_contract(tmp_path: Path) -> None:
    """Otherwise a broken contract below would prove nothing."""
    assert broken_contracts(plant(tmp_path)) == [set()]


def test_a_room_may_be_a_package_and_the_optional_rooms_may_be_there(tmp_path: Path) -> None:
    """LAYERS 1.1: `domain/` with one file per aggregate passes as `domain.py` does."""
    plant(tmp_path)
    text = (tmp_path / LOGISTICS / "domain.py").read_text(encoding="utf-8")
    (tmp_path / LOGISTICS / "domain.py").unlink()
    add_violation(tmp_path, f"{LOGISTICS}/domain/shipment.py", text)
    add_violation(tmp_path, f"{LOGISTICS}/domain/__init__.py", "from services.logistics.domain.shipment import *\n")
    add_violation(tmp_path, f"{LOGISTICS}/stream.py", "import faust\nfrom services.logistics import domain\n")
    add_violation(tmp_path, f"{LOGISTICS}/models.py", "import numpy\nfrom services.logistics import domain\n")
    for room in ("connectors", "effects", "gauges", "jobs"):
        add_violation(tmp_path, f"{LOGISTICS}/{room}.py", "from services.logistics import operations\n")
    add_violation(tmp_path, f"{LOGISTICS}/operations.py", "from services.logistics import models, queries\n")
    assert broken_contracts(tmp_path) == [set()]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], set[str]]:
    """What each violation breaks, alone in a tree of its own."""
    folders = []
    for _, path, violation in IMPORT_VIOLATIONS:
        folder = plant(tmp_path_factory.mktemp("violation"))
        if path.startswith(f"{LOGISTICS}/domain/"):
            (folder / LOGISTICS / "domain").mkdir()
            (folder / LOGISTICS / "domain.py").rename(folder / LOGISTICS / "domain" / "__init__.py")
        add_violation(folder, path, violation)
        folders.append(folder)
    return dict(zip(IMPORT_VIOLATIONS, broken_contracts(*folders), strict=True))


@pytest.mark.parametrize("planted", IMPORT_VIOLATIONS, ids=lambda planted: " ".join(planted).strip()[:90])
def test_a_forbidden_import_breaks_its_contract(
    broken: dict[tuple[str, str, str], set[str]], planted: tuple[str, str, str]
) -> None:
    """LAYERS 4.1 to 4.6 and the contracts of .importlinter, violation by violation."""
    assert planted[0] in broken[planted]


def test_a_missing_room_breaks_the_rooms_contract(tmp_path: Path) -> None:
    """LAYERS 4.3, no fewer."""
    plant(tmp_path)
    (tmp_path / LOGISTICS / "queries.py").unlink()
    (tmp_path / LOGISTICS / "api.py").write_text("from services.logistics import operations\n", encoding="utf-8")
    assert broken_contracts(tmp_path) == [{"Modules"}]


RUFF_VIOLATIONS = [
    ("TID251", "from datetime import datetime\n\nNOW = datetime.now()\n"),
    ("TID251", "import datetime\n\nNOW = datetime.datetime.utcnow()\n"),
    ("TID251", "from datetime import date\n\nTODAY = date.today()\n"),
    ("TID251", "import time\n\nNOW = time.time()\n"),
    ("TID251", "from uuid import uuid4\n\nID = uuid4()\n"),
    ("TID251", "import random\n\nCHANCE = random.random()\n"),
    ("S110", "try:\n    print(1)\nexcept Exception:\n    pass\n"),
    ("BLE001", "try:\n    print(1)\nexcept Exception:\n    print(2)\n"),
]


@pytest.mark.parametrize(("rule", "violation"), RUFF_VIOLATIONS, ids=lambda value: value.splitlines()[-1])
def test_a_clock_a_chance_or_a_swallowed_error_is_refused_by_ruff(tmp_path: Path, rule: str, violation: str) -> None:
    """LAYERS 4.4 and 4.14: the banned names of pyproject.toml."""
    add_violation(tmp_path, f"{LOGISTICS}/operations.py", violation)
    done = run(tmp_path, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), LOGISTICS)
    assert done.returncode == 1
    assert rule in done.stdout


MYPY_VIOLATIONS = [
    ("no-untyped-def", "def open_case(tx, *, cause):\n    return cause\n"),
    ("no-any-return", "from typing import Any\n\n\ndef open_case(cause: Any) -> int:\n    return cause\n"),
    ("arg-type", "def open_case(cause: int) -> int:\n    return cause\n\n\nopen_case('one')\n"),
    (
        "call-arg",
        "from pydantic import BaseModel\n\n\nclass Fact(BaseModel):\n    at: int\n\n\nFact(at=1, oops=2)\n",
    ),
]


HONEST = '"""Act."""\n\n\ndef open_case(cause: int) -> int:\n    """Open it."""\n    return cause\n'


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of a tree with one violation per file, and an honest one."""
    folder = tmp_path_factory.mktemp("typed")
    for number, (_, violation) in enumerate(MYPY_VIOLATIONS):
        add_violation(folder, f"services/violation{number}/operations.py", violation)
    add_violation(folder, "services/honest/operations.py", HONEST)
    options = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(folder / "cache"))
    done = run(folder, "-m", "mypy", *options, "services")
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize("number", range(len(MYPY_VIOLATIONS)), ids=[code for code, _ in MYPY_VIOLATIONS])
def test_an_untyped_door_is_refused_by_mypy(typed: str, number: int) -> None:
    """LAYERS 4.12: --strict, and a producer's unknown keyword is a typing error (LAYERS 6)."""
    lines = [line for line in typed.splitlines() if line.startswith(f"services/violation{number}/")]
    assert any(f"[{MYPY_VIOLATIONS[number][0]}]" in line for line in lines), typed


def test_a_code_without_a_violation_passes_ruff_and_mypy(tmp_path: Path, typed: str) -> None:
    """Otherwise the tests above would prove nothing."""
    assert "services/honest" not in typed
    add_violation(tmp_path, "services/honest/operations.py", HONEST)
    config = str(ROOT / "pyproject.toml")
    done = run(tmp_path, "-m", "ruff", "check", "--no-cache", "--config", config, "services")
    assert done.returncode == 0, done.stdout


# The packages that a contract is made from, copied so that a violation can be planted in them.
MADE_FROM = ("schemas", "formats", "chassis", "services", "console", "tools", "docs")
FIELD = "    previous_expected_at: Instant | None = None\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages that contracts are made from."""
    for package in MADE_FROM:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "web"))
    return tmp_path


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_changed_event_fails_the_contracts_check_until_it_is_generated(tree: Path) -> None:
    """LAYERS 6: generated/ equals what the models produce."""
    check = ("-m", "tools.generate_contracts", "--check")
    assert run(tree, *check).returncode == 0
    _change(tree / "schemas" / "logistics.py", FIELD, f"{FIELD}    weather: Text | None = None\n")
    failed = run(tree, *check)
    assert failed.returncode == 1
    assert "logistics.shipment.extended.v1.json" in failed.stdout
    assert run(tree, "-m", "tools.generate_contracts").returncode == 0
    assert run(tree, *check).returncode == 0


@pytest.mark.parametrize(
    ("after", "code"), [("", 1), (f"{FIELD}    weather: Text | None = None\n", 0)], ids=["removed", "added optional"]
)
def test_an_event_that_breaks_its_readers_fails_the_compatibility_gate(tree: Path, after: str, code: int) -> None:
    """LAYERS 6: a changed contract is an addition, otherwise a new v2 class."""
    _change(tree / "schemas" / "logistics.py", FIELD, after)
    assert run(tree, "-m", "tools.generate_contracts").returncode == 0
    done = run(tree, "-m", "tools.compatibility", "--against", str(ROOT / "schemas" / "generated"))
    assert done.returncode == code, done.stdout


def test_a_canvas_that_is_behind_its_code_fails(tree: Path) -> None:
    """LAYERS 1.1: the generated part of a README is current."""
    check = ("-m", "tools.canvas", "--check")
    assert run(tree, *check).returncode == 0
    _change(tree / LOGISTICS / "reactions.py", "keep_its_zone", "keep_the_zone")
    failed = run(tree, *check)
    assert failed.returncode == 1
    assert "services/logistics/README.md" in failed.stdout


def _route_module(may: str) -> str:
    act = f'@router.act("/storms"{may})\ndef make_storm(act: http.ActContext) -> None:\n    """Make one."""\n'
    return f"from chassis import http\n\nrouter = http.Router()\n\n\n{act}"


def test_a_route_without_a_row_of_the_access_table_does_not_even_import(tmp_path: Path) -> None:
    """ACCESS 1: deny by default; a route names its row of schemas/access.py."""
    add_violation(tmp_path, "door.py", _route_module(', may="make-weather"'))
    add_violation(tmp_path, "nameless.py", _route_module(""))
    add_violation(tmp_path, "honest.py", _route_module(', may="operate"'))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    said = {}
    for module in ("door", "nameless", "honest"):
        command = [sys.executable, "-c", f"import {module}"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        said[module] = (done.returncode, done.stderr)
    assert said["honest"][0] == 0, said["honest"][1]
    assert "KeyError: 'make-weather'" in said["door"][1]
    assert "missing 1 required keyword-only argument: 'may'" in said["nameless"][1]


@pytest.mark.kafka
def test_a_test_fails_and_is_not_skipped_when_its_server_cannot_be_reached(tmp_path: Path) -> None:
    """LAYERS 4.14: silence is not success; what needs real Kafka fails without it."""
    text = (
        "from tests.support.stack import Infrastructure\n\n\n"
        "def test_it(infra: Infrastructure) -> None:\n    assert infra.kafka_bootstrap\n"
    )
    add_violation(tmp_path, "test_it.py", text)
    environment = {**os.environ, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.conftest", "test_it.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_what_is_left_out_on_a_laptop_is_a_failure_where_everything_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LAYERS 4.14: under REQUIRE_INFRA=1 nothing is left out in silence."""
    monkeypatch.setenv("REQUIRE_INFRA", "1")
    with pytest.raises(pytest.fail.Exception, match="promtool"):
        leave_out("`promtool` is not installed")
    monkeypatch.delenv("REQUIRE_INFRA")
    with pytest.raises(pytest.skip.Exception, match="promtool"):
        leave_out("`promtool` is not installed")
