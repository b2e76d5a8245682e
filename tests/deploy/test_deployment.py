"""What `deploy/` starts: made from the list of processes, valid by schema, and every process is told what it demands.

No container engine is needed: the schemas lie beside this file, and what they cannot know (which variable a process
needs, which command it understands, which number a copy has) is asked of our own code.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from fastapi.testclient import TestClient
from jsonschema import Draft7Validator
from pydantic import ValidationError

from chassis.runtime import process
from chassis.runtime.settings import ServiceSettings
from cli.stack.recipe import SERVICES
from console.server.settings import ConsoleSettings
from tests.layers.small_tree import ROOT
from tests.support.needs import needs_program
from tools import deployment

HERE = Path(__file__).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
ENV = (ROOT / "deploy/example.env").read_text(encoding="utf-8")
KUBERNETES = {
    path.stem: list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
}
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "crossdock"}
WORKLOADS = [
    thing for things in KUBERNETES.values() for thing in things if thing["kind"] in ("Deployment", "StatefulSet", "Job")
]


def wrong_compose(document: dict[str, Any]) -> list[str]:
    schema = json.loads((HERE / "compose.schema.json").read_text(encoding="utf-8"))
    return [error.message for error in Draft7Validator(schema).iter_errors(document)]


def wrong_thing(thing: dict[str, Any]) -> list[str]:
    schema = json.loads((HERE / "kubernetes.schema.json").read_text(encoding="utf-8"))
    kind = {"$ref": f"#/definitions/{schema['kinds'][thing['kind']]}", "definitions": schema["definitions"]}
    return [error.message for error in Draft7Validator(kind).iter_errors(thing)]


def test_the_files_are_what_the_processes_say() -> None:
    for path, text in deployment.files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run `python -m tools.deployment`"
    standing = {f"deploy/kubernetes/{name}.yaml" for name in KUBERNETES}
    assert standing == set(deployment.kubernetes()), "nothing stands there that nobody makes"


def test_compose_fits_its_schema() -> None:
    assert wrong_compose(COMPOSE) == []
    crime = copy.deepcopy(COMPOSE)
    crime["services"]["sales-api"]["deploy"]["replicas"] = "many"
    crime["services"]["sales-api"]["enviroment"] = {}
    assert wrong_compose(crime) != []


@pytest.mark.parametrize("name", sorted(KUBERNETES))
def test_each_thing_of_kubernetes_fits_its_schema(name: str) -> None:
    assert {thing["metadata"]["name"]: wrong_thing(thing) for thing in KUBERNETES[name] if wrong_thing(thing)} == {}
    crime = copy.deepcopy(next(t for t in WORKLOADS if t["kind"] == "StatefulSet"))
    crime["spec"]["template"]["spec"]["containers"][0]["comand"] = []
    assert wrong_thing(crime) != []


def understood(command: list[str]) -> None:
    """Parse a command as its own program does; raises SystemExit where it is not understood."""
    assert command[:2] == ["python", "-m"]
    module, *arguments = command[2:]
    if module.startswith("services."):
        parts = importlib.import_module(f"{module}.__main__").parts()
        chosen = process.command(parts).parse_args(arguments)
        assert chosen.roles
    else:
        assert importlib.util.find_spec(module) is not None
        assert arguments == []


def demanded(command: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the settings of a process from exactly this environment."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if command[2] == "tools.apply_topics":
        assert {"WORLD", "KAFKA_BOOTSTRAP", "TOPIC_REPLICATION"} <= set(environment)
        return
    settings = ConsoleSettings() if command[2] == "console.server" else ServiceSettings()
    assert settings.http_port
    assert settings.ops_port
    assert settings.http_host == "0.0.0.0"
    assert (command[2] == "console.server") != bool(settings.database_url)


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_process_of_compose_is_understood_and_told_what_it_demands(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = OURS[name]
    understood(service["command"])
    named = dict(re.findall(r"^([A-Z_]+)=(.*)$", ENV, re.MULTILINE))
    told = {}
    for variable, value in service["environment"].items():
        assert set(re.findall(r"\$\{([A-Z_]+):\?\}", value)) <= set(named), f"{variable}: not in example.env"
        told[variable] = re.sub(r"\$\{([A-Z_]+):\?\}", lambda name: named[name[1]] or "given", value)
    demanded(service["command"], told, monkeypatch)
    if "migrate" in service["command"] or name == "topics":
        assert service["restart"] == "no"
    else:
        assert float(service["stop_grace_period"].rstrip("s")) > process.DRAIN_SECONDS_MAX


def test_a_variable_that_is_left_out_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crime, planted."""
    told = dict(OURS["sales-api"]["environment"])
    del told["AUTH_ISSUER"]
    with pytest.raises(ValidationError, match="auth_issuer"):
        demanded(OURS["sales-api"]["command"], told, monkeypatch)
    with pytest.raises(SystemExit):
        understood(["python", "-m", "services.sales", "stream"])


def _kubernetes_environment(container: dict[str, Any]) -> dict[str, str]:
    config = next(thing for thing in KUBERNETES["shared"] if thing["kind"] == "ConfigMap")["data"]
    given = {entry["name"]: entry.get("value", "7") for entry in container["env"]}
    return config | given


@pytest.mark.parametrize("thing", WORKLOADS, ids=lambda thing: thing["metadata"]["name"])
def test_each_process_of_kubernetes_is_understood_and_told_what_it_demands(
    thing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (container,) = thing["spec"]["template"]["spec"]["containers"]
    understood(container["command"])
    demanded(container["command"], _kubernetes_environment(container), monkeypatch)
    if thing["kind"] != "Job":
        spec = thing["spec"]["template"]["spec"]
        assert spec["terminationGracePeriodSeconds"] > process.DRAIN_SECONDS_MAX


def _commands(kind: str) -> Counter[tuple[str, ...]]:
    """Count the copies of each command: what runs once is left out."""
    found: Counter[tuple[str, ...]] = Counter()
    if kind == "compose":
        for service in OURS.values():
            if service["restart"] != "no":
                found[tuple(service["command"][2:])] += service.get("deploy", {}).get("replicas", 1)
    else:
        for thing in WORKLOADS:
            if thing["kind"] != "Job":
                (container,) = thing["spec"]["template"]["spec"]["containers"]
                found[tuple(container["command"][2:])] += thing["spec"]["replicas"]
    return found


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_every_service_and_role_is_there_more_than_once(kind: str) -> None:
    found = _commands(kind)
    wanted = {(f"services.{name}", role) for name in SERVICES for role in ("api", "consumer", "relay")}
    wanted |= {("services.sales", "effects"), ("services.scorecard", "stream")}
    assert {command: number for command, number in found.items() if len(command) == 2} == dict.fromkeys(wanted, 2)
    assert found["console.server",] >= 1


def instances_of_compose(services: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (command, INSTANCE) of each member of a group; a copy that shares its number fights for its place."""
    found = []
    for service in services.values():
        if service["command"][-1] in ("consumer", "effects", "stream"):
            told = (" ".join(service["command"][2:]), service["environment"]["INSTANCE"])
            found += [told] * service.get("deploy", {}).get("replicas", 1)
    return found


def test_each_copy_of_a_group_has_a_number_of_its_own() -> None:
    """`group.instance.id` is `<world>.<service>.<role>.<n>`."""
    found = instances_of_compose(OURS)
    assert len(found) == len(set(found)) == 2 * (len(SERVICES) + 2)
    assert {number for command, number in found if command == "services.sales consumer"} == {"0", "1"}
    crime = copy.deepcopy(OURS)
    crime["sales-consumer-1"]["environment"]["INSTANCE"] = "0"
    assert len(set(instances_of_compose(crime))) < len(found)
    for thing in WORKLOADS:
        (container,) = thing["spec"]["template"]["spec"]["containers"]
        sources = {
            e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"]
            for e in container["env"]
            if "fieldRef" in e.get("valueFrom", {})
        }
        if container["command"][-1] in ("consumer", "effects", "stream"):
            assert thing["kind"] == "StatefulSet", "only its ordinal is unique and the same after a restart"
            assert sources == {"INSTANCE": "metadata.labels['apps.kubernetes.io/pod-index']"}


def test_ports_do_not_collide_and_names_are_those_of_the_file() -> None:
    published = [port.split(":")[0] for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))
    for name, service in OURS.items():
        assert service["environment"]["HTTP_PORT"] != service["environment"]["OPS_PORT"]
        assert set(service["depends_on"]) <= set(COMPOSE["services"]), name
        hosts = [host.split(":")[0] for host in service["environment"]["KAFKA_BOOTSTRAP"].split(",")]
        assert set(hosts) <= set(COMPOSE["services"])


def test_three_brokers_lose_nothing_that_two_have_acknowledged() -> None:
    brokers = [s["environment"] for name, s in COMPOSE["services"].items() if name.startswith("kafka-")]
    assert len({broker["KAFKA_NODE_ID"] for broker in brokers}) == 3
    assert {
        (b["KAFKA_DEFAULT_REPLICATION_FACTOR"], b["KAFKA_MIN_INSYNC_REPLICAS"], b["KAFKA_AUTO_CREATE_TOPICS_ENABLE"])
        for b in brokers
    } == {("3", "2", "false")}
    assert OURS["topics"]["environment"]["TOPIC_REPLICATION"] == "3"


def test_the_image_holds_what_its_commands_run() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    modules = {service["command"][2].split(".")[0] for service in OURS.values()}
    assert modules | {"chassis", "schemas"} <= copied
    assert {f"!{name}" for name in copied} <= set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001$", text, re.MULTILINE)


def test_prometheus_asks_every_process_of_compose(tmp_path: Path) -> None:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/compose.yml").read_text(encoding="utf-8"))
    names = scrape["scrape_configs"][0]["dns_sd_configs"][0]["names"]
    assert set(names) == {name for name, service in OURS.items() if service["restart"] != "no"}
    promtool = needs_program("promtool")
    done = subprocess.run(
        [promtool, "check", "config", str(ROOT / "deploy/prometheus/compose.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ── the names under which processes reach each other ─────────────────────────────────────────────


def environments() -> dict[str, dict[str, dict[str, str]]]:
    """Return what each process is told, by kind of manifest and by name."""
    compose = {
        name: {
            variable: "EUR" if variable == "WORLD_CURRENCY" else re.sub(r"\$\{[A-Z_]+(:\?|-)\}", "given", str(value))
            for variable, value in one["environment"].items()
        }
        for name, one in OURS.items()
    }
    shared = next(thing for thing in KUBERNETES["shared"] if thing["kind"] == "ConfigMap")["data"]
    kubernetes = {}
    for thing in WORKLOADS:
        (container,) = thing["spec"]["template"]["spec"]["containers"]
        given = {one["name"]: one.get("value", "given") for one in container["env"]}
        kubernetes[thing["metadata"]["name"]] = {**shared, **given}
    return {"compose": compose, "kubernetes": kubernetes}


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_each_service_answers_to_the_name_that_the_console_asks_it_by(kind: str) -> None:
    told = environments()[kind]
    urls: dict[str, str] = json.loads(told["console"]["SERVICES_URLS"])
    assert set(urls) == set(SERVICES)
    for service, url in urls.items():
        name = urlsplit(url).hostname or ""
        fields = {variable.lower(): value for variable, value in told[name].items() if variable != "INSTANCE"}
        settings = ServiceSettings(**fields | {"database_url": "postgresql://nobody@127.0.0.1:1/none"})
        parts = importlib.import_module(f"services.{service}.__main__").parts()
        client = TestClient(process.Running(parts, settings, ("api",)).door(), base_url=url)
        assert client.get("/openapi.json").status_code == 401, f"{url}: taken, and a token is asked for"
        assert client.get("/openapi.json", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_the_console_answers_to_its_public_name_and_its_own(kind: str) -> None:
    told = environments()[kind]["console"]
    settings = ConsoleSettings(
        **{variable.lower(): value for variable, value in told.items() if not variable.endswith("_URLS")}
    )
    assert "console" in settings.hosts
    assert kind == "compose" or "crossdock.example" in settings.hosts
