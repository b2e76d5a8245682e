"""Run the command as a person does: another process, a data folder of its own, and a look at what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.needs import CHECKOUT

WAIT_SECONDS = 180.0  # bounds a command that starts or ends a whole stack on a busy machine
COMMAND = (sys.executable, "-m", "cli")


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Crossdock:
    """The command with a data folder of its own."""

    def __init__(self, home: Path, kafka_libs: Path) -> None:
        self.home = home
        self.env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("POSTGRES_URL", "KAFKA_BOOTSTRAP", "CROSSDOCK_TOKEN", "CROSSDOCK_WORLD")
        }
        self.env |= {"CROSSDOCK_HOME": str(home), "CROSSDOCK_KAFKA_LIBS": str(kafka_libs)}
        self.env |= {"PYTHONUNBUFFERED": "1"}

    def __call__(self, *arguments: str, **env: str) -> Said:
        """Run to the end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=CHECKOUT,
            env=self.env | env,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: str, **env: str) -> Running:
        """Start it and let it run."""
        _hear_interrupts()
        return Running(
            subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=CHECKOUT,
                env=self.env | env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )

    def left(self) -> list[str]:
        """Name every process that has to do with the data folder."""
        return processes_of(self.home)


def _hear_interrupts() -> None:
    # A test run in the background of a script ignores Ctrl-C, and its children would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Running:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.err = ""

    def wait_for(self, words: str) -> None:
        """Read its stderr until the words were said."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.err += line
            if words in line:
                return
        raise AssertionError(f"{words!r} was never said, but: {self.err}")

    def interrupt(self, sent: int = signal.SIGINT) -> Said:
        """Do what Ctrl-C does (the whole group hears it) and wait for the end."""
        os.killpg(self.process.pid, sent)
        return self.end()

    def end(self) -> Said:
        out, err = self.process.communicate(timeout=WAIT_SECONDS)
        return Said(self.process.returncode, out, self.err + err)


def processes_of(folder: Path) -> list[str]:
    """Name the processes whose command line or environment names the folder."""
    needle = os.fsencode(folder)
    found = []
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            told = (proc / "cmdline").read_bytes()
            if needle in told or needle in (proc / "environ").read_bytes():
                found.append(f"{proc.name}: {told.replace(bytes(1), b' ').decode(errors='replace')[:200]}")
        except OSError:
            continue
    return found


def gone(folder: Path, *, seconds: float = 60.0) -> bool:
    """Wait until no process has to do with the folder."""
    deadline = time.monotonic() + seconds
    while processes_of(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
