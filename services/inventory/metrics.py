"""Business metrics of inventory, declared once."""

from __future__ import annotations

from prometheus_client import Counter

from chassis.runtime.metrics import REGISTRY

entries_total = Counter("inventory_entries_total", "Entries of the stock ledger, by kind.", ["kind"], registry=REGISTRY)
shortages_predicted_total = Counter(
    "inventory_shortages_predicted_total",
    "Shortages predicted or predicted worse, by the kind of their cause.",
    ["cause"],
    registry=REGISTRY,
)
shortages_averted_total = Counter("inventory_shortages_averted_total", "Shortages that are over.", registry=REGISTRY)
unknown_item_sites_total = Counter(
    "inventory_unknown_item_sites_total",
    "Lines of facts about an item-site without an opening balance: no projection was made.",
    registry=REGISTRY,
)
receipts_covered_total = Counter(
    "inventory_receipts_covered_total", "Receipts that a later count includes already: not entered.", registry=REGISTRY
)
negative_balances_total = Counter(
    "inventory_negative_balances_total", "Entries after which the ledger says less than nothing.", registry=REGISTRY
)
ignored_total = Counter(
    "inventory_facts_ignored_total", "Facts heard that changed nothing, by why.", ["why"], registry=REGISTRY
)
