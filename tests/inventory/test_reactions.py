"""Facts in, rows and facts out; then the same fact again, and nothing changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest

from schemas.forecast import DemandPublished, WeekOfDemand
from schemas.inventory import ShortageAverted, ShortagePredicted, StockChanged
from schemas.logistics import (
    ShipmentCancelled,
    ShipmentDelayed,
    ShipmentExtended,
    ShipmentLine,
    ShipmentPlanned,
    ShipmentReceived,
    ShipmentRecovered,
)
from schemas.sales import OrderCancelled, OrderChanged, OrderLine, OrderPlaced, PromiseRevised
from schemas.types import Cause, Money, subject_id
from services.inventory import domain
from tests.support.checked_service import CheckedService
from tests.support.service import START

EUR = Money(amount=D("100"), currency="EUR")
TODAY = START.date()
SHIPMENT, ORDER = subject_id("shipment", "erp", "S-1"), subject_id("order", "erp", "O-1")
LINE, ORDER_LINE = subject_id("shipment-line", "erp", "S-1/1"), subject_id("order-line", "erp", "O-1/1")
DELAY = Cause(kind="shipment-delay", id=SHIPMENT)
STOCK = domain.stock_id("kit", "LYO")
OWN = Cause(kind="shortage", id=STOCK)


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=START.tzinfo)


def shipped(quantity: int = 60) -> dict[str, object]:
    line = ShipmentLine(
        line_id=LINE,
        reference="1",
        item="kit",
        quantity=D(quantity),
        value=EUR,
        promised_on=in_days(2),
        order_id=ORDER,
        order_line_id=ORDER_LINE,
        customer="acme",
    )
    return {"shipment_id": SHIPMENT, "reference": "S-1", "destination": "LYO", "lines": (line,), "occurred_at": START}


def planned(day: int = 2, **changes) -> ShipmentPlanned:
    promised = {
        "source": "erp",
        "promised_on": in_days(day),
        "promised_at": end_of(in_days(day)),
        "expected_at": end_of(in_days(day)),
    }
    return ShipmentPlanned(**(shipped() | promised | changes))


def late(kind=ShipmentDelayed, *, day: int | None = 6) -> ShipmentDelayed:
    return kind(
        **shipped(),
        cause=DELAY,
        cause_occurred_at=START - timedelta(hours=1),
        basis="reported" if day else "overdue",
        provisional=day is None,
        promised_on=in_days(2),
        promised_at=end_of(in_days(2)),
        delay_minutes=99,
        expected_at=START + timedelta(days=day) if day else None,
    )


def received(day: int = 2, at: datetime | None = None) -> ShipmentReceived:
    at = at or START + timedelta(days=day)
    return ShipmentReceived(**shipped(), received_on=at.date(), received_at=at, promised_on=in_days(2), days_late=0)


def order(kind=OrderPlaced, *, quantity: int = 150, day: int = 3, **changes):
    line = OrderLine(
        line_id=ORDER_LINE,
        reference="1",
        item="kit",
        quantity=D(quantity),
        value=EUR,
        requested_on=in_days(day),
        promised_on=in_days(day),
        promise_version=1,
    )
    told = {"order_id": ORDER, "source": "erp", "reference": "O-1", "customer": "acme", "site": "LYO", "lines": (line,)}
    return kind(**(told | {"occurred_at": START} | changes))


def forecast(*quantities: int, version: int = 1) -> DemandPublished:
    weeks = tuple(WeekOfDemand(week_on=in_days(7 * n), quantity=D(q), baseline=D(q)) for n, q in enumerate(quantities))
    return DemandPublished(
        forecast_id=subject_id("forecast", "master", "kit@LYO"),
        item="kit",
        site="LYO",
        version=version,
        weeks=weeks,
        occurred_at=START,
    )


@pytest.fixture
def stocked(tried: CheckedService) -> CheckedService:
    """Inventory that knows 100 kits in Lyon."""
    tried.post("/items", {"code": "kit", "unit_value": {"amount": "2.50", "currency": "EUR"}}, by="inventory")
    tried.post("/sites", {"code": "LYO"}, by="inventory")
    tried.post("/stock-entries", {"item": "kit", "site": "LYO", "kind": "opening", "quantity": 100}, by="inventory")
    tried.emitted()
    return tried


def days(tried: CheckedService) -> dict[str, D]:
    answer = tried.get("/projections", item="kit", site="LYO", days=14)
    return {day["day"]: D(day["projected"]) for day in answer["days"]}


def test_a_delay_predicts_the_shortage_with_the_cause_it_inherits(stocked: CheckedService):
    """FLOW 3.4: where, when, how much, hours left, and whose fault."""
    stocked.consume(planned(), order())
    assert stocked.emitted() == []
    assert days(stocked)[in_days(3).isoformat()] == 10
    stocked.consume(late())
    [said] = stocked.emitted()
    assert isinstance(said, ShortagePredicted)
    assert (said.cause, said.cause_occurred_at) == (DELAY, START - timedelta(hours=1))
    assert (said.stock_id, said.short_on, said.quantity, said.worse_by) == (STOCK, in_days(3), 50, 50)
    assert said.hours_left == 88
    assert said.value == Money(amount=D("125"), currency="EUR")
    [shown] = stocked.get("/shortages", state="predicted")["items"]
    assert (shown["short_on"], shown["quantity"]) == (in_days(3).isoformat(), "50")


def test_the_same_delay_twice_changes_nothing(stocked: CheckedService):
    stocked.consume(planned(), order())
    [heard] = stocked.consume(late())
    before = {table: rows for table, rows in stocked.data().items() if table not in ("outbox", "inbox")}
    assert len(stocked.emitted()) == 1
    stocked.consume(heard)
    stocked.consume(heard, heard)
    assert stocked.emitted() == []
    assert {table: rows for table, rows in stocked.data().items() if table not in ("outbox", "inbox")} == before


def test_an_extension_that_makes_nothing_worse_says_nothing(stocked: CheckedService):
    """FLOW 3.4: predicted again only when worse."""
    stocked.consume(planned(), order(), late())
    stocked.emitted()
    stocked.consume(late(ShipmentExtended, day=8))
    assert stocked.emitted() == []
    assert days(stocked)[in_days(7).isoformat()] == -50


def test_silence_leaves_the_arrival_unknown_and_it_is_not_counted(stocked: CheckedService):
    stocked.consume(planned(), order(), late(day=None))
    [said] = stocked.emitted()
    assert (said.cause, said.quantity) == (DELAY, 50)
    answer = stocked.get("/projections", item="kit", site="LYO")
    assert answer["inbound_without_day"] == "60"
    assert D(answer["days"][-1]["projected"]) == -50


def test_a_recovery_averts_the_shortage(stocked: CheckedService):
    """FLOW 3.4: `averted` ends it."""
    stocked.consume(planned(), order(), late())
    stocked.emitted()
    stocked.consume(
        ShipmentRecovered(**shipped(), cause=DELAY, promised_at=end_of(in_days(2)), expected_at=end_of(in_days(2)))
    )
    [said] = stocked.emitted()
    assert isinstance(said, ShortageAverted)
    assert said.cause == DELAY
    assert "S-1 is expected in time again" in said.reason
    assert stocked.get("/figures")["shortages_open"] == 0


def test_a_receipt_goes_into_the_ledger_and_averts_what_is_over(stocked: CheckedService):
    stocked.consume(planned(), order(), late())
    stocked.emitted()
    stocked.at(START + timedelta(days=2))
    [heard] = stocked.consume(received())
    entered, averted = stocked.emitted()
    assert isinstance(entered, StockChanged)
    assert (entered.kind, entered.quantity, entered.on_hand) == ("receipt", 60, 160)
    assert isinstance(averted, ShortageAverted)
    [_, entry] = stocked.get("/stock-entries")["items"]
    assert (entry["shipment_line_id"], entry["by_role"]) == (str(LINE), None)
    stocked.consume(heard)
    assert stocked.get("/stock")["items"][0]["on_hand"] == "160"


def test_a_receipt_that_the_opening_count_includes_is_not_entered_again(stocked: CheckedService):
    stocked.consume(planned(), received(at=START - timedelta(hours=3)))
    assert stocked.emitted() == []
    assert stocked.get("/stock")["items"][0]["on_hand"] == "100"
    assert stocked.get("/figures")["inbound_lines"] == 0


def test_a_cancelled_shipment_will_not_come(stocked: CheckedService):
    stocked.consume(planned(), order())
    stocked.consume(ShipmentCancelled(**shipped(), cause=None, reason="sunk"))
    [said] = stocked.emitted()
    assert (said.cause, said.quantity) == (OWN, 50)


def test_a_shipment_that_is_over_comes_back_by_no_late_message(stocked: CheckedService):
    stocked.at(START + timedelta(days=2))
    stocked.consume(planned(), received(), late())
    assert stocked.get("/figures")["inbound_lines"] == 0


def test_a_forecast_moves_the_projection_and_predicts_a_shortage_of_its_own(stocked: CheckedService):
    """FLOW 3.4 and 1.1: a shortage with no delay behind it starts a cause."""
    stocked.consume(forecast(70, 70))
    [said] = stocked.emitted()
    assert (said.cause, said.short_on) == (OWN, in_days(10))
    assert said.quantity == 40
    stocked.consume(forecast(70, 0, version=2))
    [averted] = stocked.emitted()
    assert (averted.cause, "forecast 2" in averted.reason) == (OWN, True)


def test_a_shortage_of_a_fraction_is_worth_a_rounded_amount(stocked: CheckedService):
    """BR-01: 321.428572 pieces at 2.55 EUR were worth 819.6428586 EUR, which no fact could hold: the fact became a dead letter."""
    stocked.post("/items", {"code": "kit", "unit_value": {"amount": "2.55", "currency": "EUR"}}, by="inventory")
    count = {"item": "kit", "site": "LYO", "kind": "count", "quantity": 50, "occurred_at": START.isoformat()}
    stocked.post("/stock-entries", count, by="inventory")
    stocked.emitted()
    stocked.at(START + timedelta(days=2))  # two sevenths of the first week are over
    stocked.consume(forecast(100, 100, 100, 100))
    (said,) = stocked.emitted()
    assert (said.quantity, said.value) == (D("321.428572"), Money(amount=D("819.64"), currency="EUR"))


@pytest.mark.parametrize(("kind", "quantity"), [("issue", "950"), ("count", "50")])
def test_an_entry_that_leads_to_a_shortage_of_a_fraction_is_taken(stocked: CheckedService, kind: str, quantity: str):
    """BR-01: the entry was refused because of an amount that nobody had sent, alone and with a whole batch."""
    stocked.post("/items", {"code": "kit", "unit_value": {"amount": "2.55", "currency": "EUR"}}, by="inventory")
    more = {"item": "kit", "site": "LYO", "kind": "count", "quantity": 1000, "occurred_at": START.isoformat()}
    stocked.post("/stock-entries", more, by="inventory")
    stocked.at(START + timedelta(days=2))  # two sevenths of the first week are over
    stocked.consume(forecast(100, 100, 100, 100))
    entry = {"item": "kit", "site": "LYO", "kind": kind, "quantity": quantity}
    results = stocked.batch("/stock-entries:batch", {"key": "good", **more}, {"key": "deep", **entry}, by="inventory")
    assert [one["status"] for one in results] == ["created", "created"]
    assert stocked.emitted()[-1].value == Money(amount=D("819.64"), currency="EUR")
    assert stocked.post(
        "/stock-entries", entry | {"kind": "adjustment", "quantity": "-1", "reason": "lost"}, by="inventory", expect=201
    )


def test_an_older_forecast_changes_nothing(stocked: CheckedService):
    stocked.consume(forecast(1, version=2))
    stocked.consume(forecast(700, version=1))
    assert stocked.emitted() == []


def test_orders_consume_the_forecast_of_their_week(stocked: CheckedService):
    """A week asks for the larger of its orders and its forecast, never for both."""
    stocked.consume(forecast(90), order(quantity=60, day=3))
    assert days(stocked)[in_days(6).isoformat()] == 10
    stocked.consume(order(OrderChanged, quantity=95, day=3))
    assert days(stocked)[in_days(6).isoformat()] == 5


def test_a_changed_promise_moves_the_demand(stocked: CheckedService):
    stocked.consume(planned(), order(), late())
    stocked.emitted()
    stocked.consume(
        PromiseRevised(
            order_id=ORDER,
            order_line_id=ORDER_LINE,
            customer="acme",
            version=2,
            previous_on=in_days(3),
            promised_on=in_days(8),
            reason="late",
            cause=DELAY,
            occurred_at=START,
        )
    )
    [said] = stocked.emitted()
    assert isinstance(said, ShortageAverted)


def test_a_cancelled_order_asks_for_nothing(stocked: CheckedService):
    stocked.consume(order())
    [said] = stocked.emitted()
    assert said.cause == OWN
    stocked.consume(order(OrderCancelled, reason="changed their mind"))
    assert isinstance(stocked.emitted()[0], ShortageAverted)


def test_an_issue_that_names_its_order_line_fills_it(stocked: CheckedService):
    stocked.consume(order(quantity=80))
    issue = {
        "item": "kit",
        "site": "LYO",
        "kind": "issue",
        "quantity": 80,
        "order_source": "erp",
        "order": "O-1",
        "order_line": "1",
    }
    stocked.post("/stock-entries", issue, by="inventory")
    assert set(days(stocked).values()) == {D(20)}


def test_unknown_item_sites_cost_no_projection_and_are_counted(tried: CheckedService):
    """FLOW 3.4 and 7.5: no opening balance, no shortage, counted as unknown."""
    tried.consume(planned(), order(), late(day=None), forecast(500))
    tried.consume(received())
    assert tried.emitted() == []
    figures = tried.get("/figures")
    assert (figures["unknown_item_sites"], figures["known_item_sites"]) == (1, 0)
    assert (figures["shortages_predicted"], figures["stock_entries"], figures["inbound_lines"]) == (0, 0, 0)


def test_a_later_opening_balance_still_sees_what_was_on_its_way(tried: CheckedService):
    """FLOW 3.4: the facts of an unknown item-site are kept for the day on which it becomes known."""
    tried.consume(planned(), order(), late())
    tried.post("/items", {"code": "kit"}, by="inventory")
    tried.post("/sites", {"code": "LYO"}, by="inventory")
    tried.emitted()
    tried.post("/stock-entries", {"item": "kit", "site": "LYO", "kind": "opening", "quantity": 100}, by="inventory")
    opened, short = tried.emitted()
    assert (opened.kind, short.quantity, short.short_on) == ("opening", 50, in_days(3))
    assert days(tried)[in_days(6).isoformat()] == 10
    assert tried.get("/figures")["unknown_item_sites"] == 0


def test_a_batch_of_many_shipments_of_unknown_item_sites_is_taken_whole(tried: CheckedService):
    """FLOW 7.5: the delivery records have no opening stock; nothing is looked at twice."""
    events = []
    for n in range(200):
        one = UUID(int=n)
        events += [planned(shipment_id=one), late().model_copy(update={"shipment_id": one})]
    tried.consume(*events)
    assert tried.get("/figures")["inbound_lines"] == 200
    assert tried.emitted() == []
