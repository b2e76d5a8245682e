"""Business metrics of procurement, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from chassis.runtime.metrics import REGISTRY

rounds = Counter(
    "procurement_rounds_total",
    "Sourcing rounds, by outcome (opened, known, ranked, reopened, closed, decided, ignored).",
    ["outcome"],
    registry=REGISTRY,
)
candidates = Histogram(
    "procurement_line_candidates",
    "Candidates found for one line of a round when it opened.",
    buckets=(0, 1, 2, 3, 5, 8, 13, 21, 50),
    registry=REGISTRY,
)
decisions = Counter(
    "procurement_decisions_total",
    "Decisions about lines, by outcome (chosen, declined) and role.",
    ["outcome", "role"],
    registry=REGISTRY,
)
receipts = Counter(
    "procurement_receipts_total",
    "Delivered lines, by outcome (on-time, late, not-ordered: no purchase order line, so no observed term).",
    ["outcome"],
    registry=REGISTRY,
)
orders = Counter(
    "procurement_orders_total",
    "Purchase orders, by act (placed, changed, confirmed, unchanged).",
    ["act"],
    registry=REGISTRY,
)
