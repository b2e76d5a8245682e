"""What a test needs beyond PostgreSQL and Kafka: where it is missing the test says so and is left out, and
under `REQUIRE_INFRA=1` that is a failure (LAYERS 4.14)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def require_infra() -> bool:
    """Tell whether nothing may be left out (CI)."""
    return os.environ.get("REQUIRE_INFRA") == "1"


def leave_out(what: str) -> None:
    """Leave the test out with a reason, or fail where nothing may be left out."""
    if require_infra():
        pytest.fail(f"{what}, and REQUIRE_INFRA=1 allows no test to be left out", pytrace=False)
    pytest.skip(what)


def needs_program(name: str) -> str:
    """Return the path of a program of the machine, or leave the test out."""
    found = shutil.which(name)
    if found is None:
        leave_out(f"`{name}` is not installed")
    return str(found)
