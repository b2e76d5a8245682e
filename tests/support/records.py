"""Where the records beside the checkout are, and what to do when they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED = "data/scms/scms_deliveries_recorded_to_2014-06-30.csv.gz"
NATIVE = "data/scms/scms_native_dialect_first200.csv"


def shared_file(name: str) -> Path:
    """Return a file of `../shared`; skip with the reason when absent, fail where everything is required."""
    for base in (
        ROOT.parent,
        ROOT.parent.parent,
    ):  # a clone beside the records, or a worktree one folder down
        path = base / "shared" / name
        if path.is_file():
            return path
    said = f"left out: the records are not beside this checkout ({ROOT.parent / 'shared' / name} is missing)"
    if os.environ.get("REQUIRE_INFRA") == "1":
        pytest.fail(said)
    pytest.skip(said)
