"""What suppliers, terms, purchase orders and sourcing rounds are, and how they may change. Pure."""

from services.procurement.domain.orders import (
    AskedLine,
    Confirmation,
    OrderKnown,
    OrderLine,
    OtherParty,
    PurchaseOrder,
    UnknownOrderLine,
    UnknownSupplier,
    change_order,
    confirm_order,
    order_id,
    place_order,
)  # fmt: skip
from services.procurement.domain.ranking import Alternative, Line, Market, alternative_id, rank
from services.procurement.domain.sourcing import (
    ABOVE_LIMIT,
    TASK_KIND,
    AboveLimit,
    CannotWork,
    Decision,
    HasCandidate,
    LineDecided,
    RoundClosed,
    Sourcing,
    UnknownAlternative,
    UnknownLine,
    choose_alternative,
    close_round,
    decline_line,
    lines_of,
    open_round,
    rank_again,
    reopen_round,
    sourcing_id,
)  # fmt: skip
from services.procurement.domain.suppliers import (
    Receipt,
    Supplier,
    TrackRecord,
    count_receipt,
    register_supplier,
    supplier_id,
)  # fmt: skip
from services.procurement.domain.terms import Term, TermSheet, agree_term, item_id, observe_delivery, term_id

__all__ = [
    "ABOVE_LIMIT", "TASK_KIND", "AboveLimit", "Alternative", "AskedLine", "CannotWork", "Confirmation", "Decision", "HasCandidate", "Line",
    "LineDecided", "Market", "OrderKnown", "OrderLine", "OtherParty", "PurchaseOrder", "Receipt", "RoundClosed", "Sourcing", "Supplier",
    "Term", "TermSheet", "TrackRecord", "UnknownAlternative", "UnknownLine", "UnknownOrderLine", "UnknownSupplier", "agree_term", "alternative_id", "change_order",
    "choose_alternative", "close_round", "confirm_order", "count_receipt", "decline_line", "item_id", "lines_of", "observe_delivery",
    "open_round", "order_id", "place_order", "rank", "rank_again", "register_supplier", "reopen_round", "sourcing_id", "supplier_id",
    "term_id",
]  # fmt: skip
