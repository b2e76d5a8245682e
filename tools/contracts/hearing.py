"""Who hears what: read from the register of each service's reactions, never from a list."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from schemas.base import Event

SERVICES = Path(__file__).resolve().parents[2] / "services"


def service_names() -> list[str]:
    """List the services that have a folder."""
    if not SERVICES.is_dir():
        return []
    return sorted(path.parent.name for path in SERVICES.glob("*/__init__.py"))


def consumed_by() -> dict[str, list[str]]:
    """Map each event name to the services that listen to it."""
    hears: dict[str, list[str]] = {}
    for service in service_names():
        for event in listened(service):
            hears.setdefault(event.event_name, []).append(service)
    return hears


def listened(service: str) -> list[type[Event]]:
    """List the events that a service's reactions listen to, by name.

    Raises AttributeError when the room has no register called `reactions`: every service has one.
    """
    name = f"services.{service}.reactions"
    if importlib.util.find_spec(name) is None:
        return []
    register = importlib.import_module(name).reactions
    found: set[type[Event]] = set(register.listened_events())
    return sorted(found, key=lambda event: event.event_name)
