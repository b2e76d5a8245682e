"""A world that an earlier release left in the middle of its work starts under this one and is finished rightly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.stack import Stack, postgres
from cli.stack.state import write_json
from schemas.topics import TOPICS
from tests.journeys.conftest import PATIENCE_SECONDS, Journey
from tests.support.needs import CHECKOUT
from tests.support.service import wait_until
from tests.support.stack import Infrastructure
from tests.upgrade import dump

RELEASES = sorted(dump.FOLDER.glob("*/world.zip"))
TOOL_SECONDS = 60


class Upgraded(Journey):
    """The dumped world under this release, and the story of what was in progress in it."""

    story: dict[str, Any]

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.world.database_urls[service], autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def letters(self, service: str) -> list[dict[str, Any]]:
        return list(self.get(service, "/dead-letters", "sre")["items"])


def _publish_again(infra: Infrastructure, urls: dict[str, str]) -> None:
    """Make the topics anew and let every outbox send what it keeps, as after a lost broker."""
    env = os.environ | {
        "WORLD": dump.WORLD,
        "KAFKA_BOOTSTRAP": infra.kafka_bootstrap,
        "TOPIC_PARTITIONS": "1",
        "TOPIC_REPLICATION": "1",
    }
    _run_tool(["tools.apply_topics"], env)

    def publish(service: str) -> None:
        own = [topic.name for topic in TOPICS if topic.owner == service]
        _run_tool(["tools.republish", *own], env | {"DATABASE_URL": urls[service]})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, urls))


def _run_tool(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=env,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=TOOL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-1000:]}"


@pytest.fixture(params=RELEASES, ids=[path.parent.name for path in RELEASES], scope="module")
def upgraded(request: pytest.FixtureRequest, stack: Stack, infra: Infrastructure) -> Iterator[Upgraded]:
    """Restore the databases, publish the topics anew, start every process of this release."""
    file: Path = request.param
    names = {service: postgres.database_name(dump.WORLD, service) for service in dump.services_in(file)}
    passwords = {service: f"kept-{service}" for service in names}
    urls = {}
    for service, name in names.items():
        postgres.drop_database(infra.postgres_admin_url, name)
        urls[service] = postgres.create_database(infra.postgres_admin_url, name, password=passwords[service])
        dump.restore(file, service, urls[service])
    write_json(stack.home.world(dump.WORLD) / "secrets.json", {"passwords": passwords}, secret=True)
    _publish_again(infra, urls)
    world = stack.create_world(dump.WORLD, clock="driven", seed="none", env={"*": dump.RETENTION})
    journey = Upgraded(world)
    journey.story = dump.story_of(file)
    journey.wait_until_quiet()
    yield journey
    stack.drop_world(world.name)


def test_a_world_of_an_earlier_release_is_finished_rightly(upgraded: Upgraded) -> None:
    """An operator who upgrades finds everything that was in progress, and ends it: nothing lost, nothing twice."""
    the_kept_answer_is_given_again(upgraded)
    the_unpublished_fact_arrives(upgraded)
    the_effect_that_was_begun_is_ended_once(upgraded)
    the_parked_subject_goes_on_in_order(upgraded)
    the_dead_letter_is_dropped(upgraded)
    the_armed_timers_fire(upgraded)
    the_open_case_is_answered(upgraded)
    check = upgraded.get("scorecard", "/velocity/check")
    assert check["differences"] == 0, check


def the_kept_answer_is_given_again(upgraded: Upgraded) -> None:
    kept = upgraded.story["kept_answer"]
    again = upgraded.post("sales", kept["path"], kept["body"], "sales", key=kept["key"])
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == kept["answer"]
    other = upgraded.post("sales", kept["path"], kept["body"] | {"name": "Other"}, "sales", key=kept["key"])
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")


def the_unpublished_fact_arrives(upgraded: Upgraded) -> None:
    shipment = upgraded.story["unpublished"]["shipment_id"]
    facts = upgraded.get("scorecard", "/facts", type="logistics.shipment.planned.v1", subject=shipment)["items"]
    assert len(facts) == 1
    assert upgraded.rows("inventory", f"SELECT state FROM inbound_shipments WHERE shipment_id = '{shipment}'") == [
        ("coming",)
    ]
    assert upgraded.rows("logistics", "SELECT count(*) FROM outbox WHERE published_at IS NULL") == [(0,)]


def the_effect_that_was_begun_is_ended_once(upgraded: Upgraded) -> None:
    told, key = upgraded.story["told"], upgraded.story["attempt"]["key"]
    wait_until(
        lambda: upgraded.get("sales", f"/notices/{told['notice_id']}")["state"] == "sent", seconds=PATIENCE_SECONDS
    )
    assert upgraded.rows("sales", f"SELECT count(*) FROM recorded_sends WHERE key = '{key}'") == [(1,)]
    wait_until(lambda: _task(upgraded, told, "notify-customers")["state"] == "completed", seconds=PATIENCE_SECONDS)


def the_parked_subject_goes_on_in_order(upgraded: Upgraded) -> None:
    """FLOW 5.3: the fact that died is done first, then the one behind it; a second re-drive changes nothing."""
    parked = upgraded.story["parked"]
    letters = [letter for letter in upgraded.letters("inventory") if letter["key"] == parked["order_id"]]
    assert sorted(letter["waiting"] for letter in letters)[0] is False and len(letters) >= parked["facts"]
    retry = {"ids": [letter["dead_letter_id"] for letter in letters]}
    assert {one["outcome"] for one in upgraded.did("inventory", "/dead-letters:retry", retry, "sre")["results"]} == {
        "done"
    }
    upgraded.wait_until_quiet()
    assert [letter for letter in upgraded.letters("inventory") if letter["key"] == parked["order_id"]] == []
    lines = f"SELECT quantity::int, promised_on::text FROM demand_lines WHERE order_id = '{parked['order_id']}'"
    assert upgraded.rows("inventory", lines) == [(parked["quantity"], parked["promised_on"])]


def the_dead_letter_is_dropped(upgraded: Upgraded) -> None:
    for service in upgraded.world.services:
        if ids := [letter["dead_letter_id"] for letter in upgraded.letters(service)]:
            upgraded.did(service, "/dead-letters:drop", {"ids": ids, "reason": "no fact"}, "sre")
        assert upgraded.letters(service) == []


def the_armed_timers_fire(upgraded: Upgraded) -> None:
    """The truck of which nobody says anything is overdue when its day has ended; the open case's deadlines pass."""
    start = datetime.fromisoformat(upgraded.story["now"])
    for hours in (24, 48, 72, 96):
        upgraded.advance(start + timedelta(hours=hours))
        upgraded.wait_until_quiet()
    case = upgraded.case_of(upgraded.story["unpublished"]["shipment_id"], state="open")
    assert datetime.fromisoformat(case["opened_at"]) == datetime(2026, 3, 6, tzinfo=UTC)
    entries = upgraded.get("exceptions", f"/cases/{upgraded.story['open']['case_id']}/timeline", limit=200)["items"]
    assert "exceptions.case.escalated.v1" in {entry["type"] for entry in entries}


def the_open_case_is_answered(upgraded: Upgraded) -> None:
    case = upgraded.story["open"]
    case_id = case["case_id"]
    upgraded.did("exceptions", f"/cases/{case_id}/acknowledge", None, "planning-lead")
    upgraded.did("sales", f"/notices/{case['notice_id']}/approve", {}, "sales")
    (line,) = upgraded.get("procurement", f"/sourcings/{case['sourcing_id']}")["lines"]
    choice = {"alternative_ids": [line["options"][0]["alternative_id"]], "rationale": "it comes in time"}
    upgraded.did("procurement", f"/sourcings/{case['sourcing_id']}/choose", choice, "procurement")
    upgraded.case_of(case["shipment_id"], state="implemented")
    upgraded.did("exceptions", f"/cases/{case_id}/verify", {"outcome": "the clinic has it"}, "planning-lead")
    assert upgraded.case_of(case["shipment_id"], state="closed")["case_id"] == case_id
    upgraded.wait_until_quiet()


def _task(upgraded: Upgraded, case: dict[str, Any], kind: str) -> dict[str, Any]:
    return upgraded.task({"case_id": case["case_id"]}, kind)
