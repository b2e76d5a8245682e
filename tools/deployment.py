"""`deploy/compose.yaml`, `deploy/kubernetes/` and Prometheus' targets in compose, from the list of processes.

`python -m tools.deployment` writes them; `--check` only compares, and answers 1 on a difference. One list, so that no
process is forgotten in one of them; plain files, so that whoever runs them needs no tool of ours.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chassis.runtime.process import Parts
from cli.stack.recipe import CONSOLE, SERVICES, STREAM

ROOT = Path(__file__).resolve().parents[1]
COPIES, BROKERS = 2, 3
HTTP_PORT, OPS_PORT, CONSOLE_PORT = 8000, 9100, 8080
STOP_SECONDS = 15  # the chassis drains in 10
HEAD = "# Made by `python -m tools.deployment` from the list of processes; do not edit.\n"
KAFKA_IMAGE, POSTGRES_IMAGE, PROMETHEUS_IMAGE = "apache/kafka:4.4.0", "postgres:18", "prom/prometheus:v3.5.0"
CLUSTER_ID = "Y3Jvc3Nkb2NrLWthZmthLQ"
SHARED = ("AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS", "CURSOR_SECRET")  # the same in every process
Yaml = dict[str, Any]


@dataclass(frozen=True)
class Copy:
    """One kind of process, so many times; `numbered`: a member of a group that is known by its number."""

    name: str
    command: tuple[str, ...]
    service: str | None
    numbered: bool
    serves: bool = False
    copies: int = COPIES


def processes() -> list[Copy]:
    """Return every process of a world."""
    found: list[Copy] = []
    for name in SERVICES:
        parts: Parts = importlib.import_module(f"services.{name}.__main__").parts()
        module = f"services.{name}"
        found.append(Copy(f"{name}-api", (module, "api"), name, numbered=False, serves=True))
        found.append(Copy(f"{name}-consumer", (module, "consumer"), name, numbered=True))
        found.append(Copy(f"{name}-relay", (module, "relay"), name, numbered=False))
        if parts.effects.by_event or parts.effects.at_timers:
            found.append(Copy(f"{name}-effects", (module, "effects"), name, numbered=True))
    found.append(Copy(STREAM, ("services.scorecard", "stream"), "scorecard", numbered=True))
    found.append(Copy(CONSOLE, ("console.server",), None, numbered=False, serves=True))
    return found


# ── compose ──────────────────────────────────────────────────────────────────────────────────────


def compose() -> str:
    """Return deploy/compose.yaml."""
    services: Yaml = {"postgres": _postgres()}
    brokers = [f"kafka-{number}" for number in range(BROKERS)]
    services |= {name: _broker(number) for number, name in enumerate(brokers)}
    ready = {"postgres": {"condition": "service_healthy"}} | {n: {"condition": "service_healthy"} for n in brokers}
    services["topics"] = _ours(["tools.apply_topics"], None, {"TOPIC_REPLICATION": str(BROKERS)}, ready, once=True)
    done = "service_completed_successfully"
    for name in SERVICES:
        services[f"{name}-migrate"] = _ours([f"services.{name}", "migrate"], name, {}, ready, once=True)
    for copy in processes():
        after = {"topics": {"condition": done}}
        if copy.service:
            after[f"{copy.service}-migrate"] = {"condition": done}
        if copy.numbered:  # a copy of compose does not know its number: each is a service of its own
            for number in range(copy.copies):
                services[f"{copy.name}-{number}"] = _ours(copy.command, copy.service, {"INSTANCE": str(number)}, after)
        else:
            told = _names(copy) | (_console(_compose_ops) if copy.name == CONSOLE else {})
            services[copy.name] = _ours(copy.command, copy.service, told, after)
            if copy.name == CONSOLE:
                services[copy.name]["environment"]["OIDC_CLIENT_SECRET"] = "${OIDC_CLIENT_SECRET-}"
                services[copy.name] |= {"ports": [f"{CONSOLE_PORT}:{HTTP_PORT}"]}
            else:
                services[copy.name]["deploy"] = {"replicas": copy.copies}
    services["prometheus"] = {
        "image": PROMETHEUS_IMAGE,
        "command": ["--config.file=/etc/prometheus/compose.yml"],
        "volumes": ["./prometheus:/etc/prometheus:ro"],
        "ports": ["9090:9090"],
    }
    volumes: Yaml = {name: {} for name in ("postgres", *brokers)}
    return HEAD + _NOTE + _text({"services": services, "volumes": volumes})


def _console(
    ops: Callable[[Copy], dict[str, str]], public: str = "${PUBLIC_URL:?}", client: str = "${OIDC_CLIENT_ID:?}"
) -> Yaml:
    """Return what only the console is told: where services and their ops ports are, its own address, its login."""
    urls = {copy.service: f"http://{copy.name}:{HTTP_PORT}" for copy in processes() if copy.serves and copy.service}
    seen = {name: url for copy in processes() for name, url in ops(copy).items()}
    return {
        "SERVICES_URLS": json.dumps(urls),
        "OPS_URLS": json.dumps(seen),
        "PUBLIC_URL": public,
        "OIDC_CLIENT_ID": client,
    }


def _names(copy: Copy) -> Yaml:
    """Return the name under which other processes reach an API: a Host header with another one is refused."""
    return {"HOSTS_ALLOWED": copy.name} if copy.serves else {}


def _compose_ops(copy: Copy) -> dict[str, str]:
    names = [f"{copy.name}-{number}" for number in range(copy.copies)] if copy.numbered else [copy.name]
    return {name: f"http://{name}:{OPS_PORT}" for name in names}


def _kubernetes_ops(copy: Copy) -> dict[str, str]:
    if not copy.numbered:
        return {copy.name: f"http://{copy.name}:{OPS_PORT}"}
    pods = [f"{copy.name}-{number}" for number in range(copy.copies)]
    return {pod: f"http://{pod}.{copy.name}:{OPS_PORT}" for pod in pods}


_NOTE = """#
# Passwords, secret and issuer come from the environment, or from a file `.env` beside this one: example.env names them.
# A first start makes databases and topics: docker compose -p crossdock -f deploy/compose.yaml up --build
# tests/deploy holds this file to the schema of the Compose Specification and to what each process demands.
"""


def _ours(command: Any, service: str | None, told: Yaml, after: Yaml, *, once: bool = False) -> Yaml:
    environment: Yaml = {
        "WORLD": "live",
        "WORLD_CURRENCY": "${WORLD_CURRENCY:?}",
        "KAFKA_BOOTSTRAP": ",".join(f"kafka-{number}:9092" for number in range(BROKERS)),
        "HTTP_HOST": "0.0.0.0",
        "HTTP_PORT": str(HTTP_PORT),
        "OPS_PORT": str(OPS_PORT),
        **{name: f"${{{name}:?}}" for name in SHARED},
        **told,
    }
    if service:
        user = role(service)
        environment["DATABASE_URL"] = f"postgresql://{user}:${{{password(service)}:?}}@postgres:5432/{user}"
    made: Yaml = {
        "image": "crossdock",
        "build": {"context": "..", "dockerfile": "deploy/Dockerfile"},
        "command": ["python", "-m", *command],
        "environment": environment,
        "depends_on": after,
        "stop_grace_period": f"{STOP_SECONDS}s",
        "restart": "no" if once else "always",
    }
    return made | {"healthcheck": {"disable": True}} if once else made


def _postgres() -> Yaml:
    return {
        "image": POSTGRES_IMAGE,
        "environment": {
            "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD:?}",
            **{password(name): f"${{{password(name)}:?}}" for name in SERVICES},
        },
        "command": ["-c", "max_connections=500"],
        "volumes": [
            "postgres:/var/lib/postgresql",
            "./postgres/roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro",
        ],
        "healthcheck": {
            "test": ["CMD", "pg_isready", "-U", "postgres", "-h", "127.0.0.1"],
            "interval": "2s",
            "retries": 60,
        },
        "restart": "always",
    }


def _broker(number: int) -> Yaml:
    voters = ",".join(f"{n + 1}@kafka-{n}:9093" for n in range(BROKERS))
    told = {
        "CLUSTER_ID": CLUSTER_ID,
        "KAFKA_NODE_ID": number + 1,
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": voters,
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://kafka-{number}:9092",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_DEFAULT_REPLICATION_FACTOR": BROKERS,
        "KAFKA_MIN_INSYNC_REPLICAS": BROKERS - 1,
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": BROKERS,
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": BROKERS,
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": BROKERS - 1,
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    }
    asks = f"/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server kafka-{number}:9092"
    return {
        "image": KAFKA_IMAGE,
        "environment": {name: str(value) for name, value in told.items()},
        "volumes": [f"kafka-{number}:/var/lib/kafka/data"],
        "healthcheck": {"test": ["CMD-SHELL", asks], "interval": "5s", "retries": 30},
        "restart": "always",
    }


def role(service: str) -> str:
    """Return the role and database of a service in the world live."""
    return f"live_{service}"


def password(service: str) -> str:
    """Return the variable that holds the password of a service's role."""
    return f"{service.upper()}_PASSWORD"


def prometheus() -> str:
    """Return the scrape file of compose: every copy behind a name is found by asking for its addresses."""
    names = []
    for copy in processes():
        names += [f"{copy.name}-{number}" for number in range(copy.copies)] if copy.numbered else [copy.name]
    jobs = [
        {
            "job_name": "crossdock",
            "dns_sd_configs": [{"names": names, "type": "A", "port": OPS_PORT, "refresh_interval": "15s"}],
            "relabel_configs": [
                {"source_labels": ["__meta_dns_name"], "target_label": "process"},
                {"target_label": "world", "replacement": "live"},
            ],
        }
    ]
    rules = {"global": {"scrape_interval": "5s", "evaluation_interval": "15s"}, "rule_files": ["alerts.yml"]}
    return HEAD + _text(rules | {"scrape_configs": jobs})


# ── Kubernetes ───────────────────────────────────────────────────────────────────────────────────


def kubernetes() -> dict[str, str]:
    """Return the files of deploy/kubernetes: one per service, one for the console, one for what all share."""
    files = {"shared": [_config(), _job("topics", ("tools.apply_topics",), None, {"TOPIC_REPLICATION": str(BROKERS)})]}
    for copy in processes():
        made = files.setdefault(copy.service or CONSOLE, [])
        if copy.service and not made:
            made.append(_job(f"{copy.service}-migrate", (f"services.{copy.service}", "migrate"), copy.service, {}))
        made += _workload(copy)
    return {f"deploy/kubernetes/{name}.yaml": HEAD + "---\n".join(map(_text, made)) for name, made in files.items()}


def _workload(copy: Copy) -> list[Yaml]:
    labels = {"app": copy.name}
    told = _names(copy)
    if copy.name == CONSOLE:
        told |= _console(_kubernetes_ops, "https://crossdock.example", "crossdock")
    spec: Yaml = {
        "replicas": copy.copies,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": str(OPS_PORT)},
            },
            "spec": {
                "terminationGracePeriodSeconds": STOP_SECONDS,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
                "containers": [_container(copy.command, copy.service, told, numbered=copy.numbered) | _PROBES],
            },
        },
    }
    if copy.numbered:  # its ordinal is its number in the group: unique, and the same after a restart
        spec |= {"serviceName": copy.name, "podManagementPolicy": "Parallel"}
    made = [_thing("apps/v1", "StatefulSet" if copy.numbered else "Deployment", copy.name, {"spec": spec})]
    ports = [{"name": "http", "port": HTTP_PORT}] if copy.serves else []
    ports.append({"name": "ops", "port": OPS_PORT})
    heads = {} if copy.serves else {"clusterIP": "None"}
    made.append(_thing("v1", "Service", copy.name, {"spec": {"selector": labels, "ports": ports, **heads}}))
    if copy.serves:
        budget = {"minAvailable": 1, "selector": {"matchLabels": labels}}
        made.append(_thing("policy/v1", "PodDisruptionBudget", copy.name, {"spec": budget}))
    return made


_PROBES: Yaml = {
    "ports": [{"name": "http", "containerPort": HTTP_PORT}, {"name": "ops", "containerPort": OPS_PORT}],
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "ops"}, "periodSeconds": 2},
    "livenessProbe": {"httpGet": {"path": "/health", "port": "ops"}, "periodSeconds": 10, "failureThreshold": 3},
}


def _container(
    command: tuple[str, ...], service: str | None, told: Yaml | None = None, *, numbered: bool = False
) -> Yaml:
    env: list[Yaml] = [{"name": name, "value": value} for name, value in (told or {}).items()]
    secret = {"name": "crossdock", "key": "CURSOR_SECRET"}
    env.append({"name": "CURSOR_SECRET", "valueFrom": {"secretKeyRef": secret}})
    if service:
        url = {"name": f"crossdock-{service}", "key": "DATABASE_URL"}
        env.append({"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": url}})
    if numbered:
        index = {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}
        env.append({"name": "INSTANCE", "valueFrom": {"fieldRef": index}})
    return {
        "name": "crossdock",
        "image": "crossdock",
        "command": ["python", "-m", *command],
        "envFrom": [{"configMapRef": {"name": "crossdock"}}],
        "env": env,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _job(name: str, command: tuple[str, ...], service: str | None, told: Yaml) -> Yaml:
    pod = {"restartPolicy": "OnFailure", "containers": [_container(command, service, told)]}
    return _thing("batch/v1", "Job", name, {"spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": pod}}})


def _config() -> Yaml:
    values = {
        "WORLD": "live",
        "WORLD_CURRENCY": "EUR",
        "KAFKA_BOOTSTRAP": "kafka:9092",
        "AUTH_ISSUER": "https://issuer.example",
        "AUTH_AUDIENCE": "crossdock.live",
        "AUTH_JWKS": "https://issuer.example/keys",
        "HTTP_HOST": "0.0.0.0",
        "HTTP_PORT": str(HTTP_PORT),
        "OPS_PORT": str(OPS_PORT),
    }
    return _thing("v1", "ConfigMap", "crossdock", {"data": values})


def _thing(version: str, kind: str, name: str, rest: Yaml) -> Yaml:
    labels = {"app.kubernetes.io/part-of": "crossdock"}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, **rest}


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: an alias is for machines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(thing: Yaml) -> str:
    return yaml.dump(thing, Dumper=_Plain, sort_keys=False, width=140)


def files() -> dict[str, str]:
    """Return every generated file."""
    made = {"deploy/compose.yaml": compose(), "deploy/prometheus/compose.yml": prometheus()}
    return made | kubernetes()


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(prog="python -m tools.deployment", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 on a difference")
    check = parser.parse_args().check
    wrong = []
    for path, text in files().items():
        place = ROOT / path
        if not place.is_file() or place.read_text(encoding="utf-8") != text:
            wrong.append(path)
            if not check:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
    for path in wrong:
        print(f"{path} {'is not what the processes say: run `python -m tools.deployment`' if check else 'written'}")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
