"""A foreign response log through the whole system: every figure is the oracle's, asked from the services."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from tests.journeys.test_delivery_records import topic_ends
from tests.records import incidents
from tests.support.command import Crossdock
from tests.support.records import INCIDENTS, shared_file

pytestmark = [pytest.mark.records, pytest.mark.postgres, pytest.mark.kafka]

CASES = 300
THEN = "2016-03-04T18:00"


def run_backfill(crossdock: Crossdock, file: Path, *arguments: str) -> dict[str, Any]:
    done = crossdock("backfill", "responses", str(file), "--map", "servicenow", *arguments, "--json")
    assert done.code == ExitCode.OK, done.err + done.out
    found: dict[str, Any] = done.json
    return found


def first_of_the_log(file: Path) -> incidents.Incidents:
    """Write the first incidents of the real log, whole, and return them."""
    log = dict(islice(incidents.read_incidents(shared_file(INCIDENTS)).items(), CASES))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(next(iter(log.values()))[0]))
    writer.writeheader()
    writer.writerows(row for rows in log.values() for row in rows)
    file.write_bytes(gzip.compress(out.getvalue().encode()))
    return log


def test_a_foreign_log_gives_the_figures_of_its_rows_then_and_now_and_again_it_changes_nothing(
    crossdock: Crossdock, tmp_path: Path
) -> None:
    file = tmp_path / "incidents.csv.gz"
    log = first_of_the_log(file).values()
    then = run_backfill(crossdock, file, "--as-of", THEN)
    assert then == incidents.figures(log, datetime.fromisoformat(THEN))
    assert then["open"] > 0
    assert then["naive_p50_hours"] < then["p50_hours"]
    before = topic_ends(crossdock, "backfill")
    now = run_backfill(crossdock, file)
    assert now == incidents.figures(log)
    assert now["open"] == 0
    assert topic_ends(crossdock, "backfill") == before
    assert crossdock("login", "--as", "planning-lead", "--world", "backfill").code == ExitCode.OK
    listed = crossdock("cases", "--world", "backfill", "--json").json
    assert {(one["headline"][:3], one["state"], len(one["tasks"])) for one in listed} == {("INC", "implemented", 0)}
    refused = crossdock("backfill", "responses", str(file), "--map", "servicenow", "--world", "live", "--json")
    assert refused.code == ExitCode.REFUSED
    assert "never brought into live" in refused.json["error"]
