"""What items, sites and stock are, what there will be of them, and when it is not enough; pure."""

from services.inventory.domain.ledger import (
    AlreadyOpened,
    BeforeLastCount,
    Entry,
    EntryInTheFuture,
    NotOpened,
    ReasonMissing,
    Stock,
    UnfitQuantity,
    UnknownItem,
    UnknownSite,
    is_covered,
    record_entry,
    stock_id,
)
from services.inventory.domain.master import OWN_SOURCE, Item, Site, UnknownZone, item_id, keep_item, keep_site, site_id
from services.inventory.domain.movements import (
    DemandLine,
    Expectation,
    InboundLine,
    InboundShipment,
    OrderDemand,
    Week,
    expected_day,
    move_promise,
    received_instant,
)
from services.inventory.domain.projection import (
    Arrival,
    Bucket,
    Outlook,
    ProjectedDay,
    Promised,
    available_to_promise,
    monday_of,
    project,
)
from services.inventory.domain.shortage import Behind, Shortage, depth, judge_shortage

__all__ = [
    "OWN_SOURCE",    "AlreadyOpened", "Arrival", "BeforeLastCount", "Behind", "Bucket", "DemandLine", "Entry", "EntryInTheFuture", "Expectation",
    "InboundLine", "InboundShipment", "Item", "NotOpened", "OrderDemand", "Outlook", "ProjectedDay", "Promised", "ReasonMissing",
    "Shortage", "Site", "Stock", "UnfitQuantity", "UnknownItem", "UnknownSite", "UnknownZone", "Week", "available_to_promise",
    "depth", "expected_day", "is_covered", "item_id", "judge_shortage", "keep_item", "keep_site", "monday_of", "move_promise",
    "project", "received_instant", "record_entry", "site_id", "stock_id",
]  # fmt: skip
