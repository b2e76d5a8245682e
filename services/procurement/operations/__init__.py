"""Suppliers, terms, purchase orders and sourcing rounds: one function per act."""

from __future__ import annotations

from services.procurement.operations.decisions import (
    choose_alternatives,
    decline_line,
    get_round,
)
from services.procurement.operations.deliveries import (
    load_for_deliveries,
    record_deliveries,
)
from services.procurement.operations.orders import (
    change_order,
    confirm_order,
    get_order,
    load_orders,
    place_order,
    upsert_order,
)
from services.procurement.operations.rounds import (
    TASK_KIND,
    close_round,
    load_rounds,
    load_rounds_of_cases,
    open_round,
    rank_again,
    reopen_round,
)
from services.procurement.operations.suppliers import (
    load_suppliers,
    load_term_sheets,
    upsert_supplier,
    upsert_term,
)

__all__ = [
    "TASK_KIND",
    "change_order",
    "choose_alternatives",
    "close_round",
    "confirm_order",
    "decline_line",
    "get_order",
    "get_round",
    "load_for_deliveries",
    "load_orders",
    "load_rounds",
    "load_rounds_of_cases",
    "load_suppliers",
    "load_term_sheets",
    "open_round",
    "place_order",
    "rank_again",
    "record_deliveries",
    "reopen_round",
    "upsert_order",
    "upsert_supplier",
    "upsert_term",
]
