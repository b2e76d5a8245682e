"""A world at rest in one file: a plain SQL dump of each service's database, and what was in progress in it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.stack import postgres

WORLD = "upgrade"
FOLDER = Path(__file__).parent
STORY = "story.json"
CENTURY_DAYS = 36_500
RETENTION = {
    "ANSWERS_KEPT_HOURS": str(CENTURY_DAYS * 24),
    "FACTS_KEPT_DAYS": str(CENTURY_DAYS),
    "INBOX_KEPT_DAYS": str(CENTURY_DAYS + 1),
}
"""Environment of every process: the dump is started years after it was made, and nothing in it may expire."""


def save(file: Path, urls: Mapping[str, str], story: Mapping[str, Any]) -> None:
    """Write the databases, by service, and the story of the world into one zip file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr(STORY, json.dumps(story, indent=1, default=str))
        for service, url in sorted(urls.items()):
            packed.writestr(f"{service}.sql", _run("pg_dump", url, "--no-owner", "--no-privileges"))


def story_of(file: Path) -> dict[str, Any]:
    """Return what was in progress in a dumped world."""
    with zipfile.ZipFile(file) as packed:
        return dict(json.loads(packed.read(STORY)))


def services_in(file: Path) -> list[str]:
    """Return the services whose databases the dump holds."""
    with zipfile.ZipFile(file) as packed:
        return sorted(Path(name).stem for name in packed.namelist() if name.endswith(".sql"))


def restore(file: Path, service: str, url: str) -> None:
    """Fill the empty database of a service; raises where a statement fails."""
    with zipfile.ZipFile(file) as packed:
        script = packed.read(f"{service}.sql").decode()
    _run("psql", url, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", stdin=script)


def _run(program: str, url: str, *options: str, stdin: str | None = None) -> str:
    command = [str(postgres.binaries() / program), *options, f"--dbname={url}"]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
    return done.stdout
