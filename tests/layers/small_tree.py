"""A small clean house, planted in a temporary folder, so that one violation at a time can be added to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from schemas import catalogue

ROOT = Path(__file__).resolve().parents[2]

_ROOMS = {
    "__init__.py": "",
    "__main__.py": "from services.{name} import api, reactions\n",
    "README.md": "# {name}\n",
    "settings.py": "from chassis.runtime.settings import ServiceSettings\n",
    "metrics.py": "import prometheus_client\n",
    "api.py": "from fastapi import FastAPI\nfrom services.{name} import operations, queries\n",
    "reactions.py": "from services.{name} import operations\n",
    "operations.py": (
        "from services.{name} import domain, repository\n\n\n"
        "def {act}(tx: object, *, reference: str) -> str:\n"
        '    """Do the one act."""\n'
        "    repository.save(tx, reference)\n"
        "    event = domain.{act}(reference)\n"
        "    tx.emit([event])\n"
        "    return reference\n"
    ),
    "queries.py": "import sqlalchemy\nfrom services.{name} import domain, tables\n",
    "repository.py": (
        "import sqlalchemy\nfrom services.{name} import domain, tables\n\n\n"
        "def save(tx: object, reference: str) -> None:\n"
        '    """Keep it."""\n'
    ),
    "domain.py": (
        "from chassis.errors import Refusal\nfrom schemas.{name} import {event}\n\n\n"
        "def {act}(reference: str) -> {event}:\n"
        '    """Say what happened."""\n'
        "    return {event}(reference=reference)\n"
    ),
    "tables.py": "import sqlalchemy\nfrom chassis.persistence import tables\n",
    "migrations/env.py": "from services.{name} import tables\n",
    "migrations/versions/README": "",
}
_ACTS = {
    "logistics": ("move_arrival", "ShipmentDelayed", "shipment.delayed"),
    "exceptions": ("open_case", "CaseOpened", "case.opened"),
}
# The houses that say something; the folder services/ and the stack's recipe must name the same.
SERVICES = tuple(sorted(name for name, thing in vars(catalogue).items() if isinstance(thing, ModuleType)))
_PACKAGES = ("schemas", "formats", "velocity", "services", "console", "simulator", "cli", "tools")
_TESTED = ("domain", "operations", "reactions", "api", "queries")
_CHASSIS = {
    "__init__.py": "",
    "errors.py": "class Refusal(Exception):\n    pass\n",
    "persistence/__init__.py": "",
    "persistence/database.py": "import sqlalchemy\n",
    "persistence/tables.py": "import sqlalchemy\n",
    "messaging/__init__.py": "",
    "messaging/kafka.py": "import confluent_kafka\n",
    "messaging/outbox.py": "",
    "messaging/relay.py": "from chassis.messaging import kafka\n",
    "messaging/tail.py": "from chassis.messaging import kafka\n",
    "http/__init__.py": "import fastapi\n",
    "runtime/__init__.py": "",
    "runtime/log.py": "import structlog\n",
    "runtime/settings.py": "import pydantic_settings\n\n\nServiceSettings = pydantic_settings.BaseSettings\n",
}


def plant(folder: Path) -> Path:
    """Make the small house in the folder and answer it."""
    files = {f"chassis/{name}": text for name, text in _CHASSIS.items()}
    files |= {f"{package}/__init__.py": "" for package in _PACKAGES}
    files["schemas/base.py"] = "import pydantic\n\n\nclass Event(pydantic.BaseModel):\n    reference: str\n"
    for name in SERVICES:
        files[f"schemas/{name}.py"] = "from schemas.base import Event\n"
    for name, (act, event, fact) in _ACTS.items():
        files[f"schemas/{name}.py"] += (
            f'\n\nclass {event}(Event, name="{name}.{fact}.v1", key="reference"):\n    """It happened."""\n'
        )
        for path, text in _ROOMS.items():
            files[f"services/{name}/{path}"] = text.format(name=name, act=act, event=event)
        files |= {f"tests/{name}/test_{room}.py": "" for room in _TESTED}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def add_violation(folder: Path, path: str, text: str) -> None:
    """Add the text at the end of a file of the tree, which is made when it is not there."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("a", encoding="utf-8") as file:
        file.write(text)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the folder, whose packages come before the project's own.

    The records lie beside the checkout and not beside a copy of it, so a test run in there may leave them out.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    environment["REQUIRE_INFRA"] = ""
    command = (sys.executable, *command)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


# import-linter is loaded once and forked per tree: most of a run is loading it.
_LINTER = """
import os, sys
from importlinter.cli import lint_imports

for folder in sys.argv[1:]:
    if (child := os.fork()) == 0:
        os.chdir(folder)
        sys.path.insert(0, folder)
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(said, 1), os.dup2(said, 2)
        code = 1
        try:
            code = lint_imports(no_cache=True)
        finally:
            sys.stdout.flush()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    open(os.path.join(folder, "code.txt"), "w").write(str(code))
"""


def broken_contracts(*folders: Path) -> list[set[str]]:
    """Run import-linter with the project's contracts in each folder; answer the names of the broken ones."""
    for folder in folders:
        shutil.copy(ROOT / ".importlinter", folder / ".importlinter")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "PYTHONPATH": ""}
    command = [sys.executable, "-c", _LINTER, *map(str, folders)]
    subprocess.run(command, cwd=folders[0], env=environment, check=True, timeout=300)
    return [_broken_in(folder) for folder in folders]


def _broken_in(folder: Path) -> set[str]:
    said = (folder / "said.txt").read_text(encoding="utf-8")
    broken = set(re.findall(r"^([A-Z][\w ]*) BROKEN", said, re.MULTILINE))
    if (folder / "code.txt").read_text(encoding="utf-8") != "0" and not broken:
        # The Modules contract of a service without a module ends the run with a sentence instead of a verdict.
        if "Missing layer in container" in said:
            return {"Modules"}
        raise AssertionError(said)
    return broken
