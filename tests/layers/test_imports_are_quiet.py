"""LAYERS 4.11: nothing connects, reads the environment or starts a thread or a process at import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT, add_violation
from tools.lint_layers.files import PACKAGES

# Runs in a process of its own with an empty environment: imports each module named on the command line and
# notes what our own code did on the way. What a library reads when it is itself imported is not judged.
WITNESS = '''
import importlib, json, os, sys, threading

root, names = sys.argv[1], sys.argv[2:]
sys.path.insert(0, root)
seen, current = {}, ""


def ours():
    """Answer whether the nearest module that is being imported is one of ours."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return False
        if file.startswith(root + os.sep) and f"{os.sep}.venv{os.sep}" not in file:
            return True
        frame = frame.f_back
    return False


def note(what):
    if ours():
        seen.setdefault(current, []).append(what)


class Watched(type(os.environ)):
    def __init__(self, real):
        self.__dict__.update(real.__dict__)

    def __getitem__(self, key):
        # Pydantic asks for its plugins whenever a class is made; a class is no work.
        if not key.startswith("PYDANTIC_"):
            note(f"reads the environment: {key}")
        return super().__getitem__(key)

    def __iter__(self):
        note("reads the whole environment")
        return super().__iter__()


def hook(event, arguments):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork"):
        note(event)


os.environ = Watched(os.environ)
sys.addaudithook(hook)
start = threading.Thread.start
threading.Thread.start = lambda self: (note(f"starts a thread: {self.name}"), start(self))[1]
for current in names:
    importlib.import_module(current)
print(json.dumps(seen))
'''


def modules(root: Path, package: str) -> list[str]:
    """Names of all modules of a package; migrations are run by Alembic only and are left to it."""
    names = []
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "migrations" not in parts and "__pycache__" not in parts and "node_modules" not in parts:
            names.append(".".join(parts).removesuffix(".__init__"))
    return names


def noise(root: Path, names: list[str]) -> dict[str, list[str]]:
    """Import the modules in an empty environment; answer what each did that it should not."""
    command = [sys.executable, "-c", WITNESS, str(root), *names]
    # Nothing but what the interpreter itself needs to start on some platforms.
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    done = subprocess.run(command, env=kept, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    seen: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_every_module_does_nothing(package: str) -> None:
    """LAYERS 4.11, module by module, in an empty environment."""
    names = modules(ROOT, package)
    if names:
        assert noise(ROOT, names) == {}


@pytest.mark.parametrize(
    ("violation", "message"),
    [
        ("import os\nHOME = os.environ.get('HOME')\n", "reads the environment: HOME"),
        ("import os\nHOME = os.getenv('HOME', '')\n", "reads the environment: HOME"),
        ("from os import environ\nALL = dict(environ)\n", "reads the"),
        ("import threading\nthreading.Thread(target=print, daemon=True).start()\n", "starts a thread"),
        ("import socket\nsocket.socket().connect_ex(('127.0.0.1', 9))\n", "socket.connect"),
        ("import socket\nsocket.socket().bind(('127.0.0.1', 0))\n", "socket.bind"),
        ("import subprocess\nsubprocess.run(['true'])\n", "subprocess.Popen"),
        (
            "from pydantic_settings import BaseSettings\n\n\nclass S(BaseSettings):\n    x: int = 1\n\n\nS()\n",
            "reads",
        ),
    ],
    ids=lambda value: value.splitlines()[-1],
)
def test_work_at_import_is_seen(tmp_path: Path, violation: str, message: str) -> None:
    """The violation, planted in a module."""
    add_violation(tmp_path, "chassis/__init__.py", "")
    add_violation(tmp_path, "chassis/early.py", violation)
    seen = noise(tmp_path, modules(tmp_path, "chassis"))
    assert any(message in what for what in seen["chassis.early"]), seen


def test_a_quiet_module_is_quiet(tmp_path: Path) -> None:
    """Work inside a function is done when somebody asks for it."""
    text = "import os\nimport httpx\nimport faust\n\n\ndef home() -> str:\n    return os.environ['HOME']\n"
    add_violation(tmp_path, "chassis/late.py", text)
    assert noise(tmp_path, ["chassis.late"]) == {}
