"""Business metrics of exceptions, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from chassis.runtime.metrics import REGISTRY

signals = Counter(
    "exceptions_signals_total",
    "Events about a case, by kind of event and by outcome (opened, extended, reopened, reassessed, settled, cleared,"
    " decided, completed, kept, ignored).",
    ["signal", "outcome"],
    registry=REGISTRY,
)
without_playbook = Counter(
    "exceptions_without_playbook_total",
    "Root signals received without a playbook or thresholds, by cause.",
    ["cause"],
    registry=REGISTRY,
)
cases_opened = Counter(
    "exceptions_cases_opened_total", "Cases opened, by cause and severity.", ["cause", "severity"], registry=REGISTRY
)
acts = Counter("exceptions_acts_total", "Events of cases and tasks, by name.", ["fact"], registry=REGISTRY)
escalations = Counter(
    "exceptions_escalations_total",
    "Missed deadlines, by what was due and by outcome.",
    ["what", "outcome"],
    registry=REGISTRY,
)
ladders_unknown = Counter(
    "exceptions_ladders_unknown_total",
    "Escalations that used the default ladder, because none was received.",
    registry=REGISTRY,
)
cases_active = Gauge("exceptions_cases_active", "Cases that are not closed, by state.", ["state"], registry=REGISTRY)
cases_breaching = Gauge("exceptions_cases_breaching", "Open cases with a missed deadline.", registry=REGISTRY)
cases_unowned = Gauge("exceptions_cases_unowned", "Open cases without an owner.", registry=REGISTRY)
oldest_unowned_seconds = Gauge(
    "exceptions_oldest_unowned_seconds",
    "Age of the oldest open case without an owner; 0 if there is none.",
    registry=REGISTRY,
)
signals_waiting = Gauge(
    "exceptions_signals_waiting",
    "Causes whose signal waits for a playbook or thresholds, by cause.",
    ["cause"],
    registry=REGISTRY,
)
