"""Items, sites, stock and its projection: one function per act, and one per fact of another service."""

from __future__ import annotations

from services.inventory.operations.demand import (
    load_for_forecasts,
    load_for_orders,
    load_for_promises,
    move_demand,
    upsert_demand,
    upsert_expectation,
)
from services.inventory.operations.inbound import (
    cancel_inbound,
    load_for_shipments,
    receive_inbound,
    upsert_inbound,
)
from services.inventory.operations.ledger import (
    record_entry,
)
from services.inventory.operations.master import (
    find_item,
    find_site,
    load_items,
    load_sites,
    upsert_item,
    upsert_site,
)
from services.inventory.operations.shortages import (
    predict_shortages,
)

__all__ = [
    "cancel_inbound",
    "find_item",
    "find_site",
    "load_for_forecasts",
    "load_for_orders",
    "load_for_promises",
    "load_for_shipments",
    "load_items",
    "load_sites",
    "move_demand",
    "predict_shortages",
    "receive_inbound",
    "record_entry",
    "upsert_demand",
    "upsert_expectation",
    "upsert_inbound",
    "upsert_item",
    "upsert_site",
]
