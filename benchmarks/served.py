"""`python -m benchmarks.served api|relay`: the work behind HTTP, one act and its form for 500."""

from __future__ import annotations

import sys
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from benchmarks import ours, work
from chassis import http
from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from chassis.runtime import process

router = http.Router()
FACT = work.event(0, 0)


class Count(BaseModel):
    """What was found of one stock."""

    stock_id: UUID
    on_hand: Decimal


class CountItem(http.Item, Count):
    """The same as one of many."""


class Counted(http.Response):
    """How often it was received of."""

    stock_id: UUID
    received: int


def _count(tx: Tx, stock_id: UUID, on_hand: Decimal) -> work.Tally:
    fact = FACT.model_copy(update={"stock_id": stock_id, "on_hand": on_hand})
    tally, said = work.counted(tx.find(ours.store, stock_id) or work.Tally(stock_id), fact)
    tx.save(ours.store, tally)
    tx.emit([said])
    return tally


@router.act("/tallies", may="keep-stock", status=201)
def count_stock(body: Count, act: http.ActContext) -> Counted:
    """Count one stock."""
    tally = _count(act.tx, body.stock_id, body.on_hand)
    return Counted(stock_id=tally.stock_id, received=tally.received)


@router.batch("/tallies:batch", may="keep-stock", item=CountItem)
def count_stocks(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Count up to 500 stocks."""
    act.tx.load(ours.store, [UUID(str(item["stock_id"])) for item in body.items])

    def each(tx: Tx, item: CountItem) -> UUID:
        return _count(tx, item.stock_id, item.on_hand).stock_id

    return http.run_batch(act, body, door="count-stocks", item=CountItem, each=each)


parts = process.Parts(name="inventory", tables=work.chassis, routers=[router], reactions=Reactions())

if __name__ == "__main__":
    sys.exit(process.main(parts, sys.argv[1:]))
