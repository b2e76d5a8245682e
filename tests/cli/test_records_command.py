"""`replay` and `import` as a new user meets them: wrong files, which world, what is asked afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import replay_world
from cli.errors import Refused
from cli.figures import ask_figures
from cli.replay import fingerprint
from cli.service_client import ServiceClient
from cli.stack.state import Home, StackError, write_json
from tests.support.needs import CHECKOUT
from tests.support.pretend_world import SERVICES, PretendWorld, serving
from tests.support.scms_rows import a_file, a_row


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data")


def command(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CROSSDOCK_HOME": str(home.root)}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("verb", ["replay", "import"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,age\nBob,7\n", "not the header of such a file"),
        (b"", "The file is empty."),
        (b"\x7fELF\x00\x00", "The file is binary"),
        (a_file(a_row(), packed=True)[:60], "The gzip file ends in the middle"),
    ],
)
def test_a_wrong_file_ends_with_a_sentence_and_leaves_nothing_behind(
    home: Home, tmp_path: Path, verb: str, content: bytes, says: str
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(content)
    done = command(home, verb, "scms", str(wrong))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Expected: SCMS delivery records" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not home.root.exists()


def test_a_file_that_is_not_there_is_said(home: Home) -> None:
    done = command(home, "replay", "scms", "nowhere.csv", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"].startswith("The file nowhere.csv cannot be read (No such file")
    assert not home.root.exists()


def test_a_world_whose_clock_is_not_driven_is_refused_before_anything_is_done(home: Home, tmp_path: Path) -> None:
    write_json(home.world_file("live"), {"clock": "wall", "urls": {}})
    file = tmp_path / "right.csv"
    file.write_bytes(a_file(a_row()))
    done = command(home, "replay", "scms", str(file), "--into", "live")
    assert done.returncode == 5
    assert "World live follows the clock wall, and a replay moves the clock" in done.stderr
    assert [path.name for path in home.world("live").iterdir()] == ["world.json"]


@pytest.mark.parametrize(
    ("kept", "refused"),
    [({"currency": "EUR"}, True), ({"currency": "USD"}, False), ({}, False), ({"plan": {"seed": "everyday"}}, True)],
)
def test_records_in_dollars_go_into_no_world_of_another_currency(
    home: Home, kept: dict[str, Any], refused: bool
) -> None:
    write_json(home.world_file("mine"), {"clock": "driven", "urls": {}, **kept})
    if refused:
        with pytest.raises(Refused, match="World mine reports in EUR, and these records are in USD"):
            chosen(home, into="mine")
    else:
        assert chosen(home, into="mine") == replay_world.Target("mine", False)


def chosen(home: Home, *, file: str = "a", until: str | None = None, into: str | None = None) -> replay_world.Target:
    return replay_world.choose(home, file_hash=file, until=until, into=into, base="scms")


def a_replay(home: Home, world: str, *, file: str = "a", until: str | None = None, done: bool = False) -> None:
    write_json(home.world_file(world), {"clock": "driven", "urls": {}})
    replay_world.note(home, world, file_hash=file, until=until, done=done)


def test_a_replay_makes_a_new_world_each_time(home: Home) -> None:
    assert chosen(home) == replay_world.Target("scms", False)
    a_replay(home, "scms", done=True)
    assert chosen(home) == replay_world.Target("scms-2", False)


def test_a_replay_that_was_broken_off_goes_on_with_the_same_command_only(home: Home) -> None:
    """FLOW 6.4: killed, it is started again with the same command and goes on."""
    a_replay(home, "scms", until="2011-06-30")
    assert chosen(home, until="2011-06-30") == replay_world.Target("scms", True)
    assert chosen(home) == replay_world.Target("scms-2", False)
    assert chosen(home, file="b", until="2011-06-30") == replay_world.Target("scms-2", False)


def test_a_replay_that_still_runs_is_not_taken_over(home: Home) -> None:
    a_replay(home, "scms")
    with replay_world.held(home, "scms"):
        assert chosen(home) == replay_world.Target("scms-2", False)
        with pytest.raises(Refused, match="Another replay runs into world scms"), replay_world.held(home, "scms"):
            pass
    assert chosen(home) == replay_world.Target("scms", True)


def test_a_named_world_is_taken_and_a_name_that_none_may_have_is_refused(home: Home) -> None:
    assert chosen(home, into="mine") == replay_world.Target("mine", False)
    with pytest.raises(StackError, match="cannot name a world"):
        chosen(home, into="Not A World")


def test_each_figure_is_asked_from_its_owner_and_the_answer_names_the_route() -> None:
    world = PretendWorld()
    world.figures = {
        "logistics": dict.fromkeys(("lines", "shipments", "late_lines", "late_shipments"), 3)
        | {"units": "57", "value": "1653.50", "on_time_line_share": "0.6667", "delayed_shipments": 2}
        | {"confirmed_late": 1, "reported_late_only": 1},
        "exceptions": {
            "cases": 2,
            "tasks": {"notify-customers": 2},
            "value_at_risk": [{"amount": "1102.00", "currency": "USD"}],
            "duplicates": 0,
        },
        "procurement": {
            "cases_with_candidate_for_every_line": 1,
            "cases_with_candidate_for_some_line": 1,
            "candidates_total": 2,
        },
    }
    entries = [("ASN-1", "2006-06-02", "late"), ("ASN-2", "2006-06-02", "in-time"), ("ASN-3", "2006-06-02", "open")]
    world.lists = {
        "logistics/shipments": [
            {"shipment_id": name, "reference": name, "promised_on": due, "verdict": verdict}
            for name, due, verdict in entries
        ],
        "procurement/candidates": [
            {"cause": {"id": "ASN-1"}, "line": "1", "supplier": supplier} for supplier in ("B", "A", "C")
        ],
        "scorecard/external-causes": [
            {"id": "s1", "kind": "signal", "service": "sales", "facts": 2},
            {"id": "s2", "kind": "signal", "service": "sales", "facts": 3},
            {"id": "s3", "kind": "signal", "service": "nobody", "facts": 4},
        ],
        "scorecard/orphans": [],
    } | {f"{name}/dead-letters": [] for name in SERVICES}
    world.shown = {"s1": "signal"}
    world.lists["sales/dead-letters"] = [{}, {}, {}]
    with serving(world) as urls:
        services = ServiceClient(urls, lambda role, renew: role)
        found, routes = ask_figures(services)
        services.close()
    assert (found["units"], found["value"], found["value_at_risk"]) == (57, 1653.5, 1102)
    assert (found["dead_letters"], found["on_time_line_share"]) == (3, 0.6667)
    assert found["orphans"] == 1 + 3 + 4 + 2 * (3 + 4 + 2)  # the stand-in lists the same causes for each kind
    assert routes["cases"] == "GET exceptions/figures"
    assert routes.keys() == found.keys()
    pairs = [("1", "A"), ("1", "B"), ("1", "C")]
    assert found["fingerprint"] == fingerprint((*one, pairs if one[0] == "ASN-1" else []) for one in entries)
