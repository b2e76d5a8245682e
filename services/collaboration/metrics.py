"""Business metrics of collaboration, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.runtime.metrics import REGISTRY

rules_changed_total = Counter(
    "collaboration_rules_changed_total",
    "Calendars, rosters and ladders created or changed.",
    ["rule"],
    registry=REGISTRY,
)
