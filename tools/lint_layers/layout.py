"""LAYERS 4.3: every service has the same rooms, no fewer and no more, and each room has its tests."""

import ast
from pathlib import Path

from tools.lint_layers.files import Finding

ROOMS = ("api", "reactions", "operations", "queries", "repository", "domain", "tables")
OPTIONAL_ROOMS = ("connectors", "effects", "gauges", "jobs", "stream", "models")
OTHER_MODULES = ("__init__", "__main__", "settings", "metrics")
OTHER_ENTRIES = ("README.md", "migrations")
TESTED_ROOMS = ("domain", "operations", "reactions", "api", "queries")
IGNORED = ("__pycache__",)


def services(root: Path) -> list[Path]:
    """List the folders of the services."""
    folder = root / "services"
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in IGNORED)


def room_path(service: Path, room: str) -> Path | None:
    """Find a room as a file or as a package of the same name."""
    for path in (service / f"{room}.py", service / room / "__init__.py"):
        if path.is_file():
            return path
    return None


def wrong_rooms(root: Path) -> list[Finding]:
    """Find rooms that are missing, unknown, or there twice."""
    findings = []
    for service in services(root):
        here = service.relative_to(root).as_posix()
        findings += [Finding(here, 1, "rooms", advice) for advice in _wrong_in(service)]
    return findings


def _wrong_in(service: Path) -> list[str]:
    advice = []
    for module in (*OTHER_MODULES, *ROOMS):
        if room_path(service, module) is None:
            advice.append(f"has no {module}.py: add it, every service has the same rooms")
    if not (service / "README.md").is_file():
        advice.append("has no README.md: write five lines of prose and run `python -m tools.canvas`")
    for part in ("env.py", "versions"):
        if not (service / "migrations" / part).exists():
            advice.append(f"has no migrations/{part}: its tables cannot be made")
    known = {*OTHER_MODULES, *ROOMS, *OPTIONAL_ROOMS}
    for entry in sorted(service.iterdir()):
        if entry.name in (*IGNORED, *OTHER_ENTRIES):
            continue
        if entry.name.removesuffix(".py") not in known:
            advice.append(f"has {entry.name}, which is no room: put each line where LAYERS 3 says")
    for room in (*ROOMS, *OPTIONAL_ROOMS):
        if (service / f"{room}.py").is_file() and (service / room).is_dir():
            advice.append(f"has {room}.py and {room}/: keep one")
    init = service / "__init__.py"
    if init.is_file() and _does_something(init):
        advice.append("has code in __init__.py: it stays empty, so that importing a room imports no other")
    return advice


def _does_something(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def missing_tests(root: Path) -> list[Finding]:
    """Find rooms without a test file: `tests/<service>/test_<room>.py`, or several `test_<room>_….py`."""
    findings = []
    for service in services(root):
        rooms = [*TESTED_ROOMS, *(room for room in OPTIONAL_ROOMS if room_path(service, room))]
        folder = root / "tests" / service.name
        for room in rooms:
            if not (folder / f"test_{room}.py").is_file() and not list(folder.glob(f"test_{room}_*.py")):
                advice = f"has no tests/{service.name}/test_{room}.py: each room has its tests"
                findings.append(Finding(service.relative_to(root).as_posix(), 1, "rooms", advice))
    return findings
