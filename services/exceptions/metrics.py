"""Business metrics of exceptions, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.metrics import REGISTRY

signals = Counter(
    "exceptions_signals_total",
    "Facts that concern a case, by kind of fact and what they did (opened, extended, reopened, reassessed, settled, cleared,"
    " decided, completed, kept, ignored).",
    ["signal", "outcome"],
    registry=REGISTRY,
)
without_playbook = Counter(
    "exceptions_without_playbook_total",
    "Root signals that wait because no playbook or no thresholds are there, by cause.",
    ["cause"],
    registry=REGISTRY,
)
cases_opened = Counter(
    "exceptions_cases_opened_total", "Cases opened, by cause and severity.", ["cause", "severity"], registry=REGISTRY
)
acts = Counter("exceptions_acts_total", "Facts of cases and tasks, by name.", ["fact"], registry=REGISTRY)
escalations = Counter(
    "exceptions_escalations_total",
    "Passed deadlines, by what was due and what came of it.",
    ["what", "outcome"],
    registry=REGISTRY,
)
ladders_unknown = Counter(
    "exceptions_ladders_unknown_total",
    "Escalations by the ladder that stands in for one never heard.",
    registry=REGISTRY,
)
