"""Business metrics of sales, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from chassis.runtime.metrics import REGISTRY

impacts = Counter(
    "sales_impacts_total", "Impacts assessed, by whether anybody is affected.", ["affected"], registry=REGISTRY
)
notices = Counter("sales_notices_total", "Steps of notices, by what came of them.", ["outcome"], registry=REGISTRY)
promises_revised = Counter(
    "sales_promises_revised_total",
    "Versions added to the promise ledger, by who asked.",
    ["because"],
    registry=REGISTRY,
)
statements = Counter(
    "sales_statements_total",
    "Statements about promises, by whether they agree with the ledger; the share of `contradictory` is the contradictory-update rate.",
    ["verdict"],
    registry=REGISTRY,
)
notice_lead = Histogram(
    "sales_notice_lead_seconds",
    "Time from telling the customer to the end of the day they had been promised; 0 when told too late.",
    buckets=(0, 3600, 6 * 3600, 86400, 2 * 86400, 4 * 86400, 7 * 86400, 14 * 86400, 30 * 86400),
    registry=REGISTRY,
)
