"""Business metrics of inventory, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.runtime.metrics import REGISTRY

entries_total = Counter("inventory_entries_total", "Entries of the stock ledger, by kind.", ["kind"], registry=REGISTRY)
shortages_predicted_total = Counter(
    "inventory_shortages_predicted_total",
    "Shortages predicted for the first time or as worse than before, by kind of cause.",
    ["cause"],
    registry=REGISTRY,
)
shortages_averted_total = Counter("inventory_shortages_averted_total", "Shortages averted.", registry=REGISTRY)
unknown_item_sites_total = Counter(
    "inventory_unknown_item_sites_total",
    "Event lines about an item at a site without an opening balance, for which no projection exists.",
    registry=REGISTRY,
)
receipts_covered_total = Counter(
    "inventory_receipts_covered_total",
    "Receipts that were not entered, because a later count includes them.",
    registry=REGISTRY,
)
negative_balances_total = Counter(
    "inventory_negative_balances_total", "Entries after which the balance is below zero.", registry=REGISTRY
)
ignored_total = Counter(
    "inventory_facts_ignored_total", "Received events that changed nothing, by reason.", ["why"], registry=REGISTRY
)
