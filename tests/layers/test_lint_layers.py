"""The rules of tools/lint_layers, violation by violation: LAYERS 4.3, 4.4, 4.7 to 4.10, 4.12 and 4.14."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, add_violation, plant, run
from tools.lint_layers import lint

HOME = "services/logistics"
REACTIONS = "from chassis.messaging.reactions import Reactions\nfrom schemas.logistics import ShipmentDelayed\n\nreactions = Reactions()\n"
EFFECTS = "from chassis.messaging.effects import Effects\nfrom schemas.logistics import ShipmentDelayed\n\neffects = Effects()\n"

# (the rule that must be named, the file of the violation, the violation)
VIOLATIONS = [
    ("rooms", f"{HOME}/helpers.txt", "x"),
    ("rooms", f"{HOME}/templates/mail.html", "x"),
    ("rooms", f"{HOME}/__init__.py", "VERSION = 1\n"),
    ("rooms", f"{HOME}/domain/__init__.py", ""),
    ("rooms", f"{HOME}/connectors.py", ""),  # an optional room without its test
    ("heart", f"{HOME}/domain.py", "import logging\n"),
    ("heart", f"{HOME}/domain.py", "import requests\n"),
    ("heart", f"{HOME}/domain.py", "from services.logistics.settings import ServiceSettings\n"),
    ("heart", f"{HOME}/domain.py", "from os import environ\n"),
    ("heart", "chassis/errors.py", "import structlog\n"),
    (
        "frozen",
        f"{HOME}/domain.py",
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Shipment:\n    x: int\n",
    ),
    (
        "frozen",
        f"{HOME}/domain.py",
        "import dataclasses\n\n\n@dataclasses.dataclass(slots=True)\nclass Lane:\n    x: int\n",
    ),
    ("repository", f"{HOME}/repository.py", "from services.logistics import models\n"),
    ("retired", "tools/said.py", ""),
    ("retired", "tools/names.py", "class Told:\n    pass\n"),
    ("retired", "tools/names.py", "def read(asked: str) -> None:\n    return\n"),
    ("retired", "tools/names.py", "class Reader:\n    kept: int = 0\n"),
    ("retired", "tools/names.py", "from schemas import logistics as said\n"),
    ("retired", "schemas/names.py", "KNOWN = ()\n"),
    ("width", "tools/names.py", f"# {'x' * 120}\n"),
    ("width", "tools/names.py", f'NOTE = """\nplain text {"x" * 120}\n"""\n'),
    ("mock", "tests/logistics/test_api.py", "from unittest.mock import patch\n"),
    ("commit", f"{HOME}/operations.py", "def _save(session: object) -> None:\n    session.commit()\n"),
    (
        "commit",
        "chassis/messaging/relay.py",
        "def mark(engine: object) -> None:\n    with engine.begin():\n        return\n",
    ),
    (
        "commit",
        f"{HOME}/jobs.py",
        "def run(database: object) -> None:\n    with database.begin(None):\n        return\n",
    ),
    ("commit", f"{HOME}/queries.py", "engine = sqlalchemy.create_engine('x', autocommit=True)\n"),
    ("emit", f"{HOME}/api.py", "def post(tx: object) -> None:\n    tx.emit([])\n"),
    ("emit", f"{HOME}/repository.py", "def store(tx: object) -> None:\n    tx.emit([])\n"),
    ("produce", f"{HOME}/operations.py", "def _tell(producer: object) -> None:\n    producer.produce('x')\n"),
    ("produce", "chassis/messaging/consumer.py", "def mirror(producer: object) -> None:\n    producer.produce('x')\n"),
    (
        "owner",
        f"{HOME}/operations.py",
        "from schemas.logistics import ShipmentDelayed\n\nx = ShipmentDelayed(reference='x')\n",
    ),
    (
        "owner",
        f"{HOME}/domain.py",
        "from schemas import exceptions\n\nx = exceptions.CaseOpened(reference='x')\n",
    ),
    (
        "owner",
        f"{HOME}/domain.py",
        "import schemas.exceptions as told\n\nx = told.CaseOpened.model_construct()\n",
    ),
    (
        "owner",
        "chassis/messaging/relay.py",
        "from schemas.exceptions import CaseOpened as Told\n\nx = Told(reference='x')\n",
    ),
    (
        "owner",
        "simulator/people.py",
        "from schemas.exceptions import CaseOpened\n\nx = CaseOpened(reference='x')\n",
    ),
    (
        "owner",
        "schemas/logistics.py",
        'class ShipmentLost(Event, name="logistics.shipment.lost.v1", key="reference"):\n    """Nobody says it."""\n',
    ),
    ("operations", f"{HOME}/operations.py", "def cancel(reference: str) -> None:\n    return\n"),
    ("operations", f"{HOME}/operations.py", "def cancel(tx: object, reference: str) -> None:\n    return\n"),
    ("operations", f"{HOME}/operations.py", "def cancel(tx: object, *lines: str) -> None:\n    return\n"),
    (
        "reactions",
        f"{HOME}/reactions.py",
        f"{REACTIONS}\n\n@reactions.on(ShipmentDelayed)\ndef open_case(tx: object, event: object) -> None:\n    return\n",
    ),
    (
        "reactions",
        f"{HOME}/reactions.py",
        f"{REACTIONS}\n\n@reactions.on(ShipmentDelayed)\ndef when_shipment_late_open_case(tx: object) -> None:\n    return\n",
    ),
    (
        "reactions",
        f"{HOME}/reactions.py",
        f"{REACTIONS}\n\n@reactions.on(ShipmentDelayed)\ndef when_shipment_delayed_(tx: object) -> None:\n    return\n",
    ),
    (
        "reactions",
        f"{HOME}/reactions.py",
        f'{REACTIONS}\n\n@reactions.at("task-deadline")\ndef when_deadline_escalate(tx: object) -> None:\n    return\n',
    ),
    (
        "reactions",
        f"{HOME}/reactions.py",
        "def when_shipment_delayed_weep(tx: object) -> None:\n    return\n",
    ),
    (
        "effects",
        f"{HOME}/effects.py",
        f"{EFFECTS}\n\n@effects.on(ShipmentDelayed)\ndef send_mail(event: object) -> None:\n    return\n",
    ),
    ("length", f"{HOME}/queries.py", "def long() -> None:\n" + "    print(1)\n" * 60),
    ("length", f"{HOME}/queries.py", "# a line\n" * 401),
    ("words", f"{HOME}/operations.py", "class ShipmentManager:\n    pass\n"),
    ("words", f"{HOME}/operations.py", "def _handle_delay() -> None:\n    return\n"),
    ("words", f"{HOME}/operations.py", "class DelayException(Exception):\n    pass\n"),
    ("words", f"{HOME}/operations.py", "def _process_delay() -> None:\n    return\n"),
    ("words", "chassis/utils.py", ""),
    ("words", "cli/common/paths.py", ""),
    (
        "words",
        "schemas/logistics.py",
        'class DelayEvent(Event, name="logistics.event.delayed.v1", key="reference"):\n    """No."""\n',
    ),
    ("silence", "cli/cases.py", "try:\n    print(1)\nexcept ValueError:\n    pass\n"),
    (
        "silence",
        f"{HOME}/queries.py",
        "def ask() -> int:\n    try:\n        return 1\n    except Exception:\n        return 0\n",
    ),
    (
        "silence",
        "chassis/messaging/relay.py",
        "import contextlib\n\nwith contextlib.suppress(Exception):\n    print(1)\n",
    ),
    ("wait", f"{HOME}/jobs.py", "import time\n\ntime.sleep(1)\n"),
    ("wait", "simulator/people.py", "from time import sleep as rest\n\nrest(1)\n"),
    ("wait", "tests/logistics/test_api.py", "import time\n\ntime.sleep(1)\n"),
    ("bounds", "console/stream.py", "import queue\n\nwaiting = queue.Queue()\n"),
    ("limits", "chassis/messaging/tail.py", "client.list_topics('x', timeout=10)\n"),
    ("limits", "chassis/persistence/database.py", "create_engine('x', pool_size=5, pool_timeout=2.5)\n"),
    ("limits", "console/server/broadcaster.py", "import asyncio\n\nwaiting = asyncio.Queue(maxsize=100)\n"),
    ("limits", "console/server/broadcaster.py", "from collections import deque\n\nring = deque(maxlen=100)\n"),
    ("limits", f"{HOME}/jobs.py", "def rest(stopped: object) -> None:\n    stopped.wait(0.5)\n"),
    ("limits", f"{HOME}/effects.py", "httpx.post('x', timeout=5)\n"),
    ("suppression", f"{HOME}/queries.py", "x: int = 'a'  # type: ignore\n"),
    ("suppression", f"{HOME}/queries.py", "x: int = 'a'  # type: ignore[assignment]\n"),
    ("suppression", f"{HOME}/queries.py", "import os  # noqa\n"),
    ("suppression", f"{HOME}/queries.py", "import time\n\ntime.sleep(1)  # layers: allow wait\n"),
    ("suppression", f"{HOME}/queries.py", "x = 1  # layers: allow wait — it rests between two polls\n"),
    ("unfinished", f"{HOME}/queries.py", "# TO" + "DO: later\n"),
]


def test_a_clean_tree_has_no_finding(tmp_path: Path) -> None:
    """Otherwise a finding below would prove nothing."""
    assert [str(finding) for finding in lint(plant(tmp_path))] == []


@pytest.mark.parametrize(("rule", "path", "violation"), VIOLATIONS, ids=lambda value: str(value).strip()[:70])
def test_each_violation_is_found_in_its_file_under_its_rule(
    tmp_path: Path, rule: str, path: str, violation: str
) -> None:
    """LAYERS 4.3, 4.4, 4.7, 4.8, 4.9, 4.10, 4.12 and 4.14."""
    add_violation(plant(tmp_path), path, violation)
    findings = lint(tmp_path)
    places = [finding for finding in findings if finding.rule == rule]
    assert places, [str(finding) for finding in findings]
    assert any(path.startswith(finding.path) for finding in places)
    assert all(finding.advice and finding.line >= 1 for finding in places)


@pytest.mark.parametrize("missing", ["README.md", "queries.py", "migrations/env.py", "__main__.py", "metrics.py"])
def test_a_missing_room_is_found(tmp_path: Path, missing: str) -> None:
    """LAYERS 4.3, with the files that an import graph cannot see."""
    (plant(tmp_path) / HOME / missing).unlink()
    assert any(finding.rule == "rooms" and missing in finding.advice for finding in lint(tmp_path))


def test_a_missing_test_file_is_found_and_a_split_one_is_enough(tmp_path: Path) -> None:
    """LAYERS 7: a room that became a package may have several test files."""
    folder = plant(tmp_path) / "tests" / "logistics"
    (folder / "test_domain.py").unlink()
    assert any("test_domain.py" in finding.advice for finding in lint(tmp_path))
    add_violation(tmp_path, "tests/logistics/test_domain_shipment.py", "")
    assert lint(tmp_path) == []


def test_an_escape_comment_with_a_reason_allows_its_own_rule_only(tmp_path: Path) -> None:
    """The named escape: the rule and the reason stand beside the line."""
    plant(tmp_path)
    allowed = "import time\n\ntime.sleep(1)  # layers: allow wait — two polls of a foreign feed lie this far apart\n"
    add_violation(tmp_path, f"{HOME}/queries.py", allowed)
    assert lint(tmp_path) == []
    add_violation(
        tmp_path,
        f"{HOME}/queries.py",
        "time.sleep(2)  # layers: allow silence — a wrong rule allows nothing\n",
    )
    assert {finding.rule for finding in lint(tmp_path)} == {"wait", "suppression"}


def test_what_is_allowed_is_not_found(tmp_path: Path) -> None:
    """The other half of each rule: the honest form next to the violation passes."""
    plant(tmp_path)
    add_violation(
        tmp_path,
        f"{HOME}/reactions.py",
        f"{REACTIONS}\n\n@reactions.on(ShipmentDelayed, loads=operations.case_of_cause)\n"
        "def when_shipment_delayed_open_case(tx: object, event: object) -> None:\n    return\n"
        "\n\ndef when_any_fact_keep_it(tx: object, event: object) -> None:\n    return\n"
        "\n\nfor kind in (ShipmentDelayed,):\n    reactions.on(kind)(when_any_fact_keep_it)\n"
        '\n\n@reactions.at("logistics.shipment-overdue")\n'
        "def when_shipment_overdue_tell_delay(tx: object, timer: object) -> None:\n    return\n",
    )
    add_violation(tmp_path, f"{HOME}/operations.py", 'TASK_TIMER = "task-due"\n')
    add_violation(
        tmp_path,
        f"{HOME}/reactions.py",
        "\n\n@reactions.at(operations.TASK_TIMER)\ndef when_task_due_escalate(tx: object) -> None:\n    return\n",
    )
    wait = "import time\n\ndone = []\nwhile not done:\n    time.sleep(0.1)\n"
    add_violation(tmp_path, "tests/logistics/test_api.py", wait)
    local = "def open_door() -> type:\n    class Handler:\n        pass\n\n    return Handler\n"
    add_violation(tmp_path, "chassis/http.py", local)
    add_violation(
        tmp_path,
        f"{HOME}/operations.py",
        "\n\ndef case_of_cause(event: object) -> object:\n    return event\n",
    )
    add_violation(
        tmp_path,
        f"{HOME}/queries.py",
        "x: int = 'a'  # type: ignore[assignment]  # the driver answers text\n",
    )
    add_violation(tmp_path, f"{HOME}/queries.py", "try:\n    y = 1\nexcept KeyError:\n    y = 2\n")
    named = "import asyncio\n\nWAITING_MAX = 100\nwaiting = asyncio.Queue(maxsize=WAITING_MAX)\n', '.join([])\nclient.consume(timeout=0)\n"
    add_violation(tmp_path, "console/server/broadcaster.py", named)
    add_violation(
        tmp_path, "chassis/persistence/database.py", "def transaction(session: object) -> None:\n    session.commit()\n"
    )
    keep = "def keep(consumer: object) -> None:\n    consumer.commit(offsets=[], asynchronous=True)\n"
    add_violation(tmp_path, "chassis/messaging/consumer.py", keep)
    add_violation(
        tmp_path, "chassis/messaging/relay.py", "def push(producer: object) -> None:\n    producer.produce('x')\n"
    )
    assert [str(finding) for finding in lint(tmp_path)] == []


def test_the_command_prints_place_rule_and_advice_and_answers_1(tmp_path: Path) -> None:
    """Seen as a developer sees it; a clean tree answers 0."""
    plant(tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", dirs_exist_ok=True)
    shutil.copytree(ROOT / "docs" / "rules", tmp_path / "docs" / "rules")  # which the tools cite
    assert run(tmp_path, "-m", "tools.lint_layers").returncode == 0
    add_violation(tmp_path, f"{HOME}/api.py", "def post(tx: object) -> None:\n    tx.emit([])\n")
    done = run(tmp_path, "-m", "tools.lint_layers")
    assert done.returncode == 1
    assert f"{HOME}/api.py:4: emit: .emit() outside operations" in done.stdout


def test_this_very_tree_has_no_finding() -> None:
    """The gate itself."""
    assert [str(finding) for finding in lint(ROOT)] == []
