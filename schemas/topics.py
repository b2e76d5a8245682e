"""The register of topics: one line per kind of thing, its owner, its key and who may see its marked fields."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """One Kafka topic: every fact of one kind of thing and its parts, in order, keyed by the whole."""

    name: str
    key: str
    nouns: tuple[str, ...]
    partitions: int = 4
    retention_days: int = 30
    compacted: bool = False
    clearance: tuple[str, ...] = ()  # kinds of marked fields that travel here

    @property
    def owner(self) -> str:
        return self.name.split(".", 1)[0]


TOPICS: tuple[Topic, ...] = (
    Topic("exceptions.case", "case_id", ("case", "task"), retention_days=365),
    Topic("logistics.shipment", "shipment_id", ("shipment",)),
    Topic("sales.order", "order_id", ("order", "promise")),
    Topic("sales.impact", "impact_id", ("impact",)),
    Topic("sales.notice", "notice_id", ("notice",)),
    Topic("procurement.order", "order_id", ("order",), clearance=("cost",)),
    Topic("procurement.sourcing", "sourcing_id", ("sourcing", "alternative"), clearance=("cost",)),
    Topic("procurement.supplier", "supplier_id", ("supplier",)),
    Topic("inventory.stock", "stock_id", ("stock", "shortage")),
    Topic("inventory.item", "item_id", ("item",)),
    Topic("inventory.site", "site_id", ("site",)),
    Topic("forecast.demand", "forecast_id", ("demand", "override")),
    Topic("collaboration.calendar", "calendar_id", ("calendar",)),
    Topic("collaboration.roster", "roster_id", ("roster",)),
    Topic("collaboration.ladder", "ladder_id", ("ladder",)),
    Topic("scorecard.measure", "case_id", ("measure",), retention_days=365),
)

# The changelog of the stream's table, named as Faust names it. No facts travel here and nobody else reads it: it is how
# a worker that takes over a partition learns what the one before it knew. As many partitions as `exceptions.case`.
INTERNAL: tuple[Topic, ...] = (Topic("scorecard.stream-cases-changelog", "case_id", (), partitions=4, compacted=True),)

# Services that may read the marked fields of a topic that carries them (FLOW 4.3).
CLEARANCES: dict[str, tuple[str, ...]] = {
    "procurement": ("cost", "freight"),
    "logistics": ("cost", "freight"),
    "sales": ("contact",),
}

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
BY_NOUN: dict[tuple[str, str], Topic] = {(topic.owner, noun): topic for topic in TOPICS for noun in topic.nouns}
