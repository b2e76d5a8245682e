"""A replay over real HTTP against a stand-in for the services: what is told, when, what a fault changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from cli import service_client as client_module
from cli.replay import Replayed, bring_history, fingerprint, replay, script_of
from cli.service_client import DrivenWorld, ImportResult, NeverQuiet, RequestRefused, ServiceClient, ServiceUnreachable
from formats.scms import read_deliveries
from formats.scms_requests import end_of
from tests.records import oracle
from tests.support.pretend_world import SERVICES, PretendWorld, kill_at, serving
from tests.support.records import RECORDED, ROOT, shared_file
from tests.support.scms_rows import a_file, a_row


def no_token(role: str, renew: bool) -> str:
    return role


@pytest.fixture
def world() -> PretendWorld:
    return PretendWorld()


@pytest.fixture
def urls(world: PretendWorld) -> Iterator[dict[str, str]]:
    with serving(world) as urls:
        yield urls


@pytest.fixture
def services(urls: dict[str, str]) -> Iterator[ServiceClient]:
    services = ServiceClient(urls, no_token)
    yield services
    services.close()


def replayed(content: bytes, services: ServiceClient, until: date | None = None) -> Replayed:
    return replay(script_of(read_deliveries(content), until), services)


def record_row(row: dict[str, str], **changed: str) -> dict[str, str]:
    return a_row(**{**row, **changed})


LATE = {"scheduled": "2-Jun-06", "delivered": "8-Jun-06", "recorded": "9-Jun-06"}
IN_TIME = {"scheduled": "2-Jun-06", "delivered": "2-Jun-06", "recorded": "2-Jun-06"}
ONLY_RECORDED_LATE = {"scheduled": "2-Jun-06", "delivered": "1-Jun-06", "recorded": "3-Jun-06"}


def three_shipments() -> bytes:
    return a_file(
        record_row(LATE, id="1", shipment="ASN-1", order="SCMS-1"),
        record_row(IN_TIME, id="2", shipment="ASN-2", order="SCMS-2"),
        record_row(ONLY_RECORDED_LATE, id="3", shipment="ASN-3", order="SCMS-3"),
    )


def test_a_day_that_ends_with_nothing_recorded_is_seen_by_the_world(
    world: PretendWorld, services: ServiceClient
) -> None:
    done = replayed(three_shipments(), services)
    assert (world.wrongs, done.refused) == ([], ())
    assert [name for name, _ in world.delayed] == ["ASN-1", "ASN-3"]
    assert {due for _, due in world.delayed} == {end_of(date(2006, 6, 2))}
    assert [timer for _, timer in world.escalated] == ["ASN-1/1", "ASN-1/2"]
    assert {service.now for service in world.services.values()} == {end_of(date(2006, 6, 9))}


def test_until_a_day_ends_the_world_with_that_day(world: PretendWorld, services: ServiceClient) -> None:
    replayed(three_shipments(), services, until=date(2006, 6, 2))
    assert [name for name, _ in world.delayed] == ["ASN-1", "ASN-3"]
    assert list(world.settled) == ["ASN-2"]
    assert {service.now for service in world.services.values()} == {end_of(date(2006, 6, 2))}


def test_the_same_file_again_changes_nothing(world: PretendWorld, services: ServiceClient) -> None:
    first = replayed(three_shipments(), services)
    before = (list(world.delayed), list(world.escalated), dict(world.settled))
    second = replayed(three_shipments(), services)
    assert (second.created, second.unchanged) == (0, first.created)
    assert (list(world.delayed), list(world.escalated), dict(world.settled)) == before
    assert world.wrongs == []


def test_a_replay_that_went_until_a_day_goes_on_from_there(world: PretendWorld, services: ServiceClient) -> None:
    replayed(three_shipments(), services, until=date(2006, 6, 2))
    done = replayed(three_shipments(), services)
    assert done.run.sent_before == 1
    assert (world.wrongs, set(world.settled)) == ([], {"ASN-1", "ASN-2", "ASN-3"})


def test_a_connection_that_breaks_before_the_answer_is_tried_again_with_the_same_keys(
    world: PretendWorld, services: ServiceClient
) -> None:
    """FLOW 6.4: it retries broken connections with the same keys."""
    world.before_answer = lambda number: number % 7 == 0
    done = replayed(three_shipments(), services)
    assert done.retried > 0
    assert (world.wrongs, len(world.delayed), done.refused) == ([], 2, ())


def test_an_item_that_contradicts_what_is_known_is_refused_alone(world: PretendWorld, services: ServiceClient) -> None:
    replayed(three_shipments(), services)
    changed = three_shipments().replace(b",19,551,", b",20,551,", 1)
    done = replayed(changed, services)
    assert sorted((one.service, one.key) for one in done.refused) == [
        ("logistics", "ASN-1"),
        ("procurement", "SCMS-1"),
        ("sales", "SCMS-1"),
    ]


def test_history_plans_and_receives_in_one_act_and_opens_nothing(world: PretendWorld, services: ServiceClient) -> None:
    told = bring_history(read_deliveries(three_shipments()), services)
    assert told.refused == []
    assert (world.advances, world.delayed) == (0, [])
    keys = list(world.services["logistics"].seen)
    assert keys == ["/shipments:import ASN-1", "/shipments:import ASN-2", "/shipments:import ASN-3"]


def test_a_refused_request_says_what_and_why(services: ServiceClient) -> None:
    with pytest.raises(RequestRefused, match=r"GET sales /nothing was refused \(404\): sales has no /nothing"):
        services.ask("sales", "/nothing", role="sales")


def test_a_service_that_stays_away_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_SECONDS_MAX", 0.2)
    nobody = ServiceClient({"sales": "http://127.0.0.1:9"}, no_token)
    with pytest.raises(ServiceUnreachable, match=r"sales did not answer .*`crossdock logs sales`"):
        nobody.ask("sales", "/orders", role="sales")
    nobody.close()


def test_a_world_that_is_never_quiet_says_where(
    world: PretendWorld, services: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "QUIET_SECONDS_MAX", 0.1)
    world.services["sales"].timers["stuck"] = datetime.fromisoformat("1969-01-01T00:00:00Z")
    driven = DrivenWorld(services)
    with pytest.raises(NeverQuiet, match="sales: a timer of 1969-01-01T00:00:00Z has to fire"):
        driven.wait_until_quiet(whole=True)
    driven.close()


def test_more_than_one_batch_of_items_is_told_in_parts(world: PretendWorld, services: ServiceClient) -> None:
    told = ImportResult()
    items = [{"key": str(number)} for number in range(1201)]
    services.tell("sales", "/customers:batch", items, source="scms", role="sales", imported=told)
    assert (told.created, world.requests) == (1201, 3)


UNTIL = date(2011, 6, 30)
RUNNER = """
import sys, json
from datetime import date
from pathlib import Path
from cli.service_client import ServiceClient
from formats.scms import read_deliveries
from cli.replay import replay, script_of
urls, path, until = json.loads(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
replay(script_of(read_deliveries(path.read_bytes()), until), ServiceClient(urls, lambda role, renew: role))
"""


def replay_in_a_process(urls: dict[str, str], path: Path, until: date) -> subprocess.Popen[bytes]:
    import json

    arguments = [sys.executable, "-c", RUNNER, json.dumps(urls), str(path), until.isoformat()]
    return subprocess.Popen(arguments, cwd=ROOT)


@pytest.mark.records
def test_a_replay_killed_again_and_again_ends_as_one_that_was_not(world: PretendWorld, urls: dict[str, str]) -> None:
    """FLOW 6.4: killed, it is started again with the same command and goes on."""
    path, until, chance = shared_file(RECORDED), date(2007, 12, 31), Random(7)
    kills = 0
    while True:
        started = replay_in_a_process(urls, path, until)
        if kills < 4:
            world.before_answer = kill_at(started.pid, world.requests + chance.randint(20, 200))
        code = started.wait(timeout=120)
        if code == 0:
            break
        assert code == -9
        kills += 1
    assert kills >= 3
    assert world.wrongs == []
    assert_as_the_oracle_says(world, until)


@pytest.mark.records
def test_the_real_records_end_as_the_oracle_says(world: PretendWorld, services: ServiceClient) -> None:
    done = replayed(shared_file(RECORDED).read_bytes(), services, until=UNTIL)
    assert (world.wrongs, done.refused) == ([], ())
    assert_as_the_oracle_says(world, UNTIL)


def assert_as_the_oracle_says(world: PretendWorld, until: date) -> None:
    verdicts = oracle.verdicts(oracle.read_rows(shared_file(RECORDED)), until)
    cases = {v.shipment: v for v in verdicts if v.verdict in {"late", "recorded-late", "open"}}
    assert len(world.delayed) == len(cases)
    assert {(name, due.date() - timedelta(days=1)) for name, due in world.delayed} == {
        (name, date.fromisoformat(v.due_on)) for name, v in cases.items()
    }
    for name, verdict in cases.items():
        late = world.settled[name][1] if name in world.settled else None
        assert late is {"late": True, "recorded-late": False, "open": None}[verdict.verdict]
    assert {service.now for service in world.services.values()} == {end_of(until)}


@pytest.mark.records
def test_the_fingerprint_is_the_same_hash_that_the_oracle_makes() -> None:
    verdicts = oracle.verdicts(oracle.read_rows(shared_file(RECORDED)))
    Random(1).shuffle(verdicts)
    assert fingerprint(verdicts) == oracle.fingerprint(verdicts)


def test_the_services_of_the_stand_in_are_those_that_the_doors_name() -> None:
    assert {"inventory", "procurement", "sales", "logistics"} < set(SERVICES)
