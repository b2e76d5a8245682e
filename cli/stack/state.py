"""What the stack remembers between two commands: folders and small JSON files under `.crossdock`, each
written whole or not at all, so that a reader never sees half a file."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


class StackError(Exception):
    """Something a person can do something about; the message is the sentence that says what."""


class FolderUnusable(StackError):
    """The data folder cannot be written."""


@dataclass(frozen=True)
class Home:
    """The data folder of one checkout, and where everything lies in it."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """Name the data folder: `CROSSDOCK_HOME`, else `.crossdock` in the checkout."""
        told = os.environ.get("CROSSDOCK_HOME")
        return cls(Path(told).expanduser().resolve() if told else CHECKOUT / ".crossdock")

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def issuer(self) -> Path:
        return self.root / "issuer"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def stack_file(self) -> Path:
        return self.run / "stack.json"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"

    @property
    def control_file(self) -> Path:
        return self.run / "control.json"

    @property
    def local_secret_file(self) -> Path:
        """Path of the secret that the built-in issuers require. Only the user who started the stack can read it."""
        return self.run / "local-secret"

    def local_secret(self) -> str | None:
        """Return the secret of the stack that runs here, or None."""
        try:
            return self.local_secret_file.read_text().strip()
        except (FileNotFoundError, PermissionError):
            return None

    @property
    def tokens_file(self) -> Path:
        return self.root / "tokens.json"

    @property
    def worlds(self) -> Path:
        return self.root / "worlds"

    def world(self, name: str) -> Path:
        return self.worlds / name

    def world_file(self, name: str) -> Path:
        return self.world(name) / "world.json"

    @property
    def prometheus(self) -> Path:
        """The folder that `deploy/prometheus/prometheus.yml` reads: one file of scrape addresses per world."""
        return self.root / "prometheus"

    def scrape_file(self, world: str) -> Path:
        return self.prometheus / f"{world}.json"

    def logs(self, world: str) -> Path:
        return self.world(world) / "logs"


def make_folder(path: Path, *, mode: int = 0o755) -> Path:
    """Make the folder where it is missing; raises FolderUnusable when it cannot be made or written."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"0" * 4096)
            probe.flush()
    except OSError as why:
        raise FolderUnusable(unusable(path, why)) from why
    return path


def unusable(path: Path, why: OSError) -> str:
    """Say what is wrong with a folder and what to do about it."""
    return (
        f"The data folder {path} cannot be written ({why.strerror or why}): "
        "free some space there, or name another folder with CROSSDOCK_HOME."
    )


def full_disk(words: str) -> OSError | None:
    """Return the error that a program's words speak of, when they say that the disk or a quota is full."""
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        if os.strerror(code) in words:
            return OSError(code, os.strerror(code))
    return None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the file's object, or None where there is none or it is not an object."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: Mapping[str, Any], *, secret: bool = False) -> None:
    """Replace the file in one step; a secret one is readable by its owner alone."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, default=str) + "\n", secret=secret)


def write_text(path: Path, text: str, *, secret: bool = False) -> None:
    """Replace the file in one step; a secret one is readable by its owner alone. Raises FolderUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w") as out:
                out.write(text)
            os.chmod(part, 0o600 if secret else 0o644)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as why:
        raise FolderUnusable(unusable(path.parent, why)) from why


def forget(path: Path) -> None:
    """Remove the file if it is there."""
    path.unlink(missing_ok=True)
