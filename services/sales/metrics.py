"""Business metrics of sales, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from chassis.runtime.metrics import REGISTRY

impacts = Counter(
    "sales_impacts_total", "Impacts assessed, by whether a customer is affected.", ["affected"], registry=REGISTRY
)
notices = Counter("sales_notices_total", "Steps of notices, by outcome.", ["outcome"], registry=REGISTRY)
promises_revised = Counter(
    "sales_promises_revised_total",
    "Versions added to the promise ledger, by origin.",
    ["because"],
    registry=REGISTRY,
)
statements = Counter(
    "sales_statements_total",
    "Statements about promises, by verdict; the share of `contradictory` is the contradictory-update rate.",
    ["verdict"],
    registry=REGISTRY,
)
notice_lead = Histogram(
    "sales_notice_lead_seconds",
    "Time from sending a notice to the end of the promised day; 0 if it was sent too late.",
    buckets=(0, 3600, 6 * 3600, 86400, 2 * 86400, 4 * 86400, 7 * 86400, 14 * 86400, 30 * 86400),
    registry=REGISTRY,
)
