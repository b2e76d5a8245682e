"""OpenAPI documents of every service and of the console's server, made from their apps without a connection."""

from __future__ import annotations

import importlib
from typing import Any

from chassis.runtime import process
from chassis.runtime.settings import ServiceSettings
from console.server import app as console
from console.server.broadcaster import Broadcaster
from console.server.settings import ConsoleSettings
from tools.contracts.hearing import service_names

NOWHERE: dict[str, Any] = {
    "world": "none",
    "world_clock": "driven",
    "kafka_bootstrap": "127.0.0.1:1",
    "auth_issuer": "none",
    "auth_audience": "none",
    "auth_jwks": "none",
    "cursor_secret": "none",
}


def documents() -> dict[str, dict[str, Any]]:
    """Return each document by the name of its service."""
    found = {name: _document(name) for name in service_names()}
    settings = ConsoleSettings(**NOWHERE, database_url="postgresql://nobody@/console")
    found["console"] = console.create_app(
        settings, Broadcaster(lambda client: console.tail_of(settings, client), 1)
    ).openapi()
    return found


def _document(service: str) -> dict[str, Any]:
    parts = importlib.import_module(f"services.{service}.__main__").parts()
    settings = ServiceSettings(**NOWHERE, database_url=f"postgresql://nobody@/{service}")
    running = process.Running(parts, settings, ("api",))
    document: dict[str, Any] = running.app().openapi()
    running.database.dispose()
    return document
