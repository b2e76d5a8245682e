"""Worlds of a running stack: made together, watched, restarted, dropped together, nothing left behind."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import psycopg
import pytest

from cli.exit_codes import ExitCode
from cli.stack import Home, Stack, lock, postgres, spawn, world_plan
from cli.stack.stack import AlreadyRunning
from cli.stack.state import make_folder, write_json
from cli.stack.supervisor import NotReady
from cli.stack.world_plan import WorldRefused
from tests.support.command import Crossdock
from tests.support.recipes import small
from tests.support.service import PATIENCE_SECONDS, wait_until
from tests.support.stack import Infrastructure

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

StartStack = Callable[..., Stack]


@pytest.fixture
def start_stack(infra: Infrastructure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartStack]:
    """Start stacks on the session's PostgreSQL and Kafka; each is closed after the test."""
    started: list[Stack] = []

    def start(home: str = "home") -> Stack:
        started.append(
            Stack.start(
                tmp_path / home,
                recipe=small(tmp_path / "topics.txt"),
                postgres_url=infra.postgres_admin_url,
                kafka_bootstrap=infra.kafka_bootstrap,
            )
        )
        return started[-1]

    yield start
    for stack in started:
        stack.close()


def test_the_command_reaches_a_stack_that_a_program_runs_inside_itself(
    start_stack: StartStack, infra: Infrastructure, tmp_path: Path
) -> None:
    """A person who runs `crossdock demo` sees in another terminal that its world is ready, and where Kafka is."""
    stack = start_stack()
    stack.create_world("demo")
    crossdock = Crossdock(tmp_path / "home", infra.kafka_libs)
    status = crossdock("status", "--json")
    assert status.code == ExitCode.OK, status.err
    assert (status.json["pid"], status.json["kafka"]["bootstrap"]) == (os.getpid(), infra.kafka_bootstrap)
    assert [(one["world"], one["state"]) for one in status.json["worlds"]] == [("demo", "ready")]
    assert [one["state"] for one in crossdock("world", "list", "--json").json] == ["ready"]
    stack.close()
    ended = crossdock("status")
    assert (ended.code, ended.err.strip()) == (
        ExitCode.UNREACHABLE,
        "The stack is not running: `crossdock up` starts it.",
    )
    assert [one["state"] for one in crossdock("world", "list", "--json").json] == ["stopped"]


def test_a_stack_that_is_starting_or_ending_is_told_apart_from_none(infra: Infrastructure, tmp_path: Path) -> None:
    """A supervisor holds the lock before its control door opens and after the door has closed."""
    home = Home(make_folder(tmp_path / "home"))
    make_folder(home.run)
    write_json(home.stack_file, {"pid": os.getpid()})
    crossdock = Crossdock(home.root, infra.kafka_libs)
    with lock.take(home):
        said = crossdock("status")
    assert said.code == ExitCode.UNREACHABLE
    assert f"starting or ending (process {os.getpid()})" in said.err


def _ask(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}/told", timeout=PATIENCE_SECONDS) as answer:
        return dict(json.load(answer))


def test_a_world_is_ready_when_it_is_returned_and_each_process_knows_what_is_its_own(
    start_stack: StartStack, infra: Infrastructure, tmp_path: Path
) -> None:
    stack = start_stack()
    world = stack.create_world("my-demo", clock="driven", env={"logistics": {"INSTANCE": "7"}})
    told = _ask(world.urls["logistics"])
    assert told["WORLD"] == "my-demo" and told["WORLD_CLOCK"] == "driven" and told["INSTANCE"] == "7"
    assert told["KAFKA_BOOTSTRAP"] == infra.kafka_bootstrap
    assert told["AUTH_AUDIENCE"] == "crossdock.my-demo"
    with psycopg.connect(told["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("my_demo_logistics",)
    services = json.loads(_ask(world.urls["console"])["SERVICES_URLS"])
    assert services == {name: world.urls[name] for name in ("logistics", "exceptions")}
    wait_until(lambda: {p["state"] for p in stack.status()["worlds"][0]["processes"]} == {"ready"})
    stack.drop_world("my-demo")
    assert (tmp_path / "topics.txt").read_text().splitlines() == ["made my-demo", "dropped my-demo"]
    assert not stack.home.world("my-demo").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(told["DATABASE_URL"])


def test_a_world_has_one_reporting_currency_that_every_process_knows_and_that_stays(start_stack: StartStack) -> None:
    stack = start_stack()
    for name, told, currency in (
        ("plain", {}, "EUR"),
        ("records", {"clock": "driven"}, "USD"),
        ("swiss", {"currency": "CHF"}, "CHF"),
    ):
        world = stack.create_world(name, services=["logistics"], **told)
        assert _ask(world.urls["logistics"])["WORLD_CURRENCY"] == currency
        assert next(one for one in stack.status()["worlds"] if one["world"] == name)["currency"] == currency
    with pytest.raises(WorldRefused, match="'francs' is no currency: give its three letters"):
        stack.create_world("other", services=["logistics"], currency="francs")
    stack.close()
    again = start_stack()
    with pytest.raises(WorldRefused, match="World swiss is kept with the currency CHF"):
        again.create_world("swiss", currency="EUR")
    assert _ask(again.create_world("swiss").urls["logistics"])["WORLD_CURRENCY"] == "CHF"


@pytest.mark.parametrize(
    ("name", "clock", "currency"), [("old", "wall", "EUR"), ("old", "driven", "USD"), ("demo", "wall", "USD")]
)
def test_a_world_made_before_worlds_had_a_currency_has_the_one_of_its_amounts(
    start_stack: StartStack, name: str, clock: str, currency: str
) -> None:
    stack = start_stack()
    stack.create_world(name, services=["logistics"], clock=clock)
    stack.close()
    file = stack.home.world_file(name)
    kept = json.loads(file.read_text())
    del kept["currency"]
    file.write_text(json.dumps(kept))
    world = start_stack().create_world(name)
    assert _ask(world.urls["logistics"])["WORLD_CURRENCY"] == currency


def test_services_can_be_left_out_split_into_roles_and_copied(start_stack: StartStack) -> None:
    stack = start_stack()
    world = stack.create_world(
        "some",
        services=["logistics", "scorecard-stream"],
        split=["logistics"],
        copies={"scorecard-stream": 2},
    )
    assert set(world.processes) == {
        "logistics-api",
        "logistics-consumer",
        "logistics-relay",
        "logistics-effects",
        "scorecard-stream",
        "scorecard-stream-1",
    }
    assert set(world.urls) == {"logistics"}
    assert _ask(world.ops["scorecard-stream-1"])["INSTANCE"] == "1"
    scraped = json.loads(stack.home.scrape_file("some").read_text())
    assert {(one["labels"]["process"], f"http://{one['targets'][0]}") for one in scraped} == set(world.ops.items())
    stack.drop_world("some")
    assert not stack.home.scrape_file("some").exists()


def test_one_role_can_be_taken_apart_and_a_driven_world_keeps_the_api_with_its_consumer(
    start_stack: StartStack,
) -> None:
    stack = start_stack()
    world = stack.create_world("apart", services=["logistics"], split=["logistics:relay"], clock="driven")
    commands = {spec.name: spec.command[-3:] for spec in world.specs}
    assert commands["logistics"] == ("api", "consumer", "effects")
    assert commands["logistics-relay"][-1] == "relay"
    assert [spec.name for spec in world.specs if spec.serves] == ["logistics"]
    with pytest.raises(WorldRefused, match="share a process"):
        stack.create_world("blind", services=["logistics"], split=["logistics"], clock="driven")


def test_a_killed_process_comes_back_on_its_port_and_is_counted(start_stack: StartStack) -> None:
    stack = start_stack()
    world = stack.create_world("kills", services=["logistics"])
    url = world.urls["logistics"]
    victim = world.kill("logistics")
    world.wait_until_ready("logistics", after_pid=victim)
    assert world.pid("logistics") not in (None, victim)
    assert _ask(url)["WORLD"] == "kills"
    process = stack.status()["worlds"][0]["processes"][0]
    assert process["restarts"] == 1 and process["last_exit"] == -9
    world.stop("logistics")
    assert world.pid("logistics") is None
    assert stack.status()["worlds"][0]["processes"][0]["state"] == "stopped"
    world.start("logistics")
    before = world.pid("logistics")
    world.restart("logistics")
    assert world.pid("logistics") != before
    stack.drop_world("kills")


def test_a_process_that_ignores_sigterm_is_killed(start_stack: StartStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn.stop, "__kwdefaults__", {"first": 15, "seconds": 0.5})
    world = start_stack().create_world("stubborn", services=["logistics"], env={"*": {"STAND_IN": "stubborn"}})
    pid = world.pid("logistics")
    world.stop("logistics")
    assert pid is not None and not spawn.alive(pid)


def test_a_new_world_whose_process_dies_is_taken_back_and_the_sentence_holds_its_last_words(
    start_stack: StartStack, infra: Infrastructure
) -> None:
    stack = start_stack()
    with pytest.raises(NotReady, match=r"exceptions does not become ready: the stand-in dies.*log"):
        stack.create_world("half", env={"exceptions": {"STAND_IN": "dies"}})
    assert world_plan.world_names(stack.home) == []
    with psycopg.connect(infra.postgres_admin_url) as admin:
        question = "SELECT count(*) FROM pg_database WHERE datname LIKE 'half%'"
        assert admin.execute(question).fetchone() == (0,)
    assert stack.create_world("half", services=["logistics"]).pid("logistics")
    stack.drop_world("half")


def test_a_world_keeps_its_data_plan_and_addresses_over_a_restart_of_the_stack(
    start_stack: StartStack,
) -> None:
    first = start_stack()
    world = first.create_world("kept", clock="driven", services=["logistics"])
    urls, database = dict(world.urls), world.database_urls["logistics"]
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    pid = world.pid("logistics")
    first.close()
    assert pid is not None and not spawn.alive(pid)
    second = start_stack()
    assert second.status()["worlds"] == [{"world": "kept", "state": "stopped", "processes": [], "urls": {}}]
    again = second.create_world("kept")
    assert (again.urls, again.clock, list(again.processes)) == (urls, "driven", ["logistics"])
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    second.drop_world("kept")


def test_two_supervisors_of_one_data_folder_cannot_run(start_stack: StartStack) -> None:
    start_stack()
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*crossdock down"):
        start_stack()
    start_stack("another").close()


def test_a_name_that_no_world_may_have_and_an_unknown_process_are_refused(start_stack: StartStack) -> None:
    stack = start_stack()
    with pytest.raises(world_plan.WorldRefused, match="small letter"):
        stack.create_world("Bad_Name")
    with pytest.raises(world_plan.WorldRefused, match="made of logistics"):
        stack.create_world("good", services=["nonsense"])
    with pytest.raises(world_plan.WorldUnknown, match="no world gone"):
        stack.drop_world("gone")
    assert stack.create_world("good", services=["logistics"])
    with pytest.raises(world_plan.WorldRefused, match="runs already"):
        stack.create_world("good")
    stack.drop_world("good")


def test_a_chosen_port_that_is_in_use_is_refused_before_anything_is_made(start_stack: StartStack) -> None:
    stack = start_stack()
    world = stack.create_world("first", services=["logistics"])
    taken = int(world.urls["logistics"].rpartition(":")[2])
    with pytest.raises(world_plan.PortInUse, match=f"Port {taken} is in use"):
        stack.create_world("second", services=["console"], ports={"console": taken})
    assert world_plan.world_names(stack.home) == ["first"]
    stack.drop_world("first")


def test_the_token_of_a_world_is_good_for_that_world_alone(start_stack: StartStack) -> None:
    stack = start_stack()
    world = stack.create_world("tokens", services=["logistics"])
    token = world.token("machine-carrier", carrier="hauler")
    key = jwt.PyJWKSet.from_json(stack.issuer.jwks_file.read_text()).keys[0].key
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="crossdock.tokens")
    assert claims["roles"] == ["machine"] and claims["carrier"] == "hauler"
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["RS256"], audience="crossdock.live")
    assert stack.issuer.key_file.stat().st_mode & 0o077 == 0
    assert (stack.home.world("tokens") / "secrets.json").stat().st_mode & 0o077 == 0
    stack.drop_world("tokens")


def test_the_local_secret_is_readable_by_its_owner_alone_and_goes_with_the_stack(start_stack: StartStack) -> None:
    stack = start_stack()
    file = stack.home.local_secret_file
    status = stack.status()
    assert (status["local_secret_file"], status["local_secret"]) == (str(file), file.read_text().strip())
    assert len(status["local_secret"]) > 32
    assert file.stat().st_mode & 0o777 == 0o600
    stack.close()
    assert not file.exists()
    assert stack.home.local_secret() is None


def test_database_names_keep_worlds_apart() -> None:
    assert postgres.database_name("my-world", "sales") == "my_world_sales"
