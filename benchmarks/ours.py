"""`python -m benchmarks.ours consumer|relay|api`: the work on the chassis, as a service does it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks.work import Tally, chassis, counted, tallies
from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from chassis.runtime import process
from schemas.inventory import StockChanged

store = Store(Tally, tallies, key="stock_id")
reactions = Reactions()


def load_tallies(tx: Tx, events: Sequence[StockChanged]) -> None:
    """Lock what a batch is about."""
    tx.load(store, [e.stock_id for e in events])


@reactions.on(StockChanged, loads=load_tallies)
def when_stock_changed_count_it(tx: Tx, event: StockChanged) -> None:
    """Count it and say so."""
    tally, said = counted(tx.find(store, event.stock_id) or Tally(event.stock_id), event)
    tx.save(store, tally)
    tx.emit([said])


def counting(fact: StockChanged) -> Callable[[Tx], object]:
    """Return the same work as an act: one fact, one transaction."""
    return lambda tx: when_stock_changed_count_it(tx, fact)


parts = process.Parts(name="inventory", tables=chassis, routers=[], reactions=reactions)

if __name__ == "__main__":
    sys.exit(process.main(parts, sys.argv[1:]))
