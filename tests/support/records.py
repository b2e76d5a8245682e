"""Where the records beside the checkout are."""

from __future__ import annotations

from pathlib import Path

from tests.support.needs import CHECKOUT as ROOT, leave_out

RECORDED = "data/scms/scms_deliveries_recorded_to_2014-06-30.csv.gz"
NATIVE = "data/scms/scms_native_dialect_first200.csv"
INCIDENTS = "data/incident_log/incident_events_opened_to_2016-04-30.csv.gz"

__all__ = ["INCIDENTS", "NATIVE", "RECORDED", "ROOT", "shared_file"]


def shared_file(name: str) -> Path:
    """Return a file of `../shared`; skip with the reason when absent, fail where everything is required."""
    for base in (ROOT.parent, ROOT.parent.parent):  # a clone beside the records, or a worktree one folder down
        path = base / "shared" / name
        if path.is_file():
            return path
    leave_out(f"the records are not beside this checkout ({ROOT.parent / 'shared' / name} is missing)")
    raise AssertionError("unreachable: a test without its records has ended")
