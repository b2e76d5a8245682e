"""The ledger, the projection, what may be promised, and when a shortage is said; no I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.errors import Refusal
from schemas.inventory import ShortageAverted, ShortagePredicted
from schemas.types import Cause, Money
from services.inventory import domain

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
TODAY = NOW.date()
DELAY = Cause(kind="shipment-delay", id=UUID(int=7))
OTHER_DELAY = Cause(kind="shipment-delay", id=UUID(int=8))
STOCK_ID = domain.stock_id("kit", "LYO")


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def a_stock(on_hand: int = 100) -> domain.Stock:
    return domain.Stock(STOCK_ID, "kit", "LYO", D(on_hand), NOW, 1, NOW, NOW)


def record(stock, kind, quantity, **more):
    told = {"entry_id": UUID(int=1), "item": "kit", "site": "LYO", "occurred_at": NOW, "now": NOW}
    return domain.record_entry(stock, kind=kind, quantity=D(quantity), **(told | more))


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────


def test_an_opening_balance_makes_the_stock_known():
    stock, entry, [said] = record(None, "opening", 100)
    assert (stock.on_hand, entry.quantity, said.on_hand) == (100, 100, 100)


def test_nothing_is_entered_before_the_opening_balance():
    """FLOW 3.4: what is there is unknown."""
    for kind in ("receipt", "issue", "adjustment", "count"):
        with pytest.raises(domain.NotOpened):
            record(None, kind, 5, reason="because")


def test_a_second_opening_balance_is_refused():
    with pytest.raises(domain.AlreadyOpened):
        record(a_stock(), "opening", 5)


def test_a_count_writes_the_difference_and_ends_at_what_was_counted():
    stock, entry, _ = record(a_stock(100), "count", 93)
    assert (entry.quantity, entry.counted, entry.on_hand, stock.on_hand) == (-7, 93, 93, 93)


def test_a_count_that_finds_what_is_written_is_entered_too():
    stock, entry, _ = record(a_stock(100), "count", 100, occurred_at=NOW)
    assert (entry.quantity, stock.on_hand, stock.entries) == (0, 100, 2)


def test_an_issue_may_take_the_ledger_below_zero_because_the_goods_have_left():
    stock, _, _ = record(a_stock(3), "issue", 5)
    assert stock.on_hand == -2


@pytest.mark.parametrize(("kind", "quantity"), [("receipt", 0), ("receipt", -1), ("issue", 0), ("count", -1)])
def test_a_quantity_that_does_not_fit_its_kind_is_refused(kind, quantity):
    with pytest.raises(domain.UnfitQuantity):
        record(a_stock(), kind, quantity)


def test_an_adjustment_says_why():
    with pytest.raises(domain.ReasonMissing):
        record(a_stock(), "adjustment", 5)


def test_what_happened_before_the_last_count_is_in_it_already():
    with pytest.raises(domain.BeforeLastCount):
        record(a_stock(), "receipt", 5, occurred_at=NOW - timedelta(minutes=1))


def test_an_entry_of_tomorrow_is_refused():
    with pytest.raises(domain.EntryInTheFuture):
        record(a_stock(), "receipt", 5, occurred_at=NOW + timedelta(minutes=1))


class StockLedger(RuleBasedStateMachine):
    """Whatever is tried in whatever order: the balance is the sum of the entries, and no entry ever changes."""

    amounts = st.decimals(min_value=-50, max_value=1000, places=2)

    @initialize()
    def begin(self) -> None:
        self.stock, self.entries, self.written, self.now = None, [], [], NOW

    @rule(
        kind=st.sampled_from(["opening", "receipt", "issue", "adjustment"]),
        quantity=amounts,
        minutes=st.integers(-90, 90),
    )
    def try_an_entry(self, kind, quantity, minutes) -> None:
        self._try(kind, quantity, self.now + timedelta(minutes=minutes))

    @precondition(lambda self: self.stock is not None)
    @rule(found=st.decimals(min_value=0, max_value=1000, places=2))
    def count(self, found) -> None:
        self._try("count", found, self.now)
        assert self.stock.on_hand == found

    @rule(hours=st.integers(1, 48))
    def time_passes(self, hours) -> None:
        self.now += timedelta(hours=hours)

    def _try(self, kind, quantity, occurred_at) -> None:
        before = self.stock
        try:
            self.stock, entry, said = record(
                before,
                kind,
                quantity,
                occurred_at=occurred_at,
                now=self.now,
                reason="tried",
                entry_id=UUID(int=len(self.entries)),
            )
        except Refusal:
            assert self.stock is before
            return
        self.entries.append(entry)
        self.written.append(repr(entry))
        assert len(said) == 1

    @invariant()
    def the_balance_is_the_sum_of_the_entries(self) -> None:
        if getattr(self, "stock", None) is not None:
            assert self.stock.on_hand == sum(entry.quantity for entry in self.entries)
            assert self.stock.on_hand == self.entries[-1].on_hand
            assert self.stock.entries == len(self.entries)

    @invariant()
    def nothing_was_rewritten(self) -> None:
        assert [repr(entry) for entry in getattr(self, "entries", [])] == getattr(self, "written", [])

    @invariant()
    def each_entry_follows_from_the_one_before(self) -> None:
        balance = D(0)
        for entry in getattr(self, "entries", []):
            balance += entry.quantity
            assert entry.on_hand == balance
            assert entry.counted is None or entry.on_hand == entry.counted


TestStockLedger = StockLedger.TestCase
TestStockLedger.settings = settings(max_examples=60, stateful_step_count=40)


# ── the projection ───────────────────────────────────────────────────────────────────────────────


def projected(outlook: domain.Outlook, days: int = 7) -> list[D]:
    return [day.projected for day in domain.project(outlook, today=TODAY, days=days)]


def test_stock_that_nobody_asks_for_stays():
    assert projected(domain.Outlook(D(10)), 3) == [10, 10, 10]


def test_inbound_comes_on_its_expected_day_and_orders_leave_on_their_promised_day():
    outlook = domain.Outlook(
        D(10),
        (domain.Arrival(in_days(2), D(5)),),
        (domain.Promised(in_days(1), D(8)), domain.Promised(in_days(3), D(4))),
    )
    assert projected(outlook, 5) == [10, 2, 7, 3, 3]


def test_what_is_past_its_day_counts_today():
    outlook = domain.Outlook(D(10), (domain.Arrival(in_days(-3), D(5)),), (domain.Promised(in_days(-9), D(8)),))
    assert projected(outlook, 2) == [7, 7]


def test_inbound_whose_day_nobody_knows_is_not_counted():
    assert projected(domain.Outlook(D(10), (domain.Arrival(None, D(5)),)), 2) == [10, 10]


def test_what_was_issued_of_an_order_line_is_asked_for_no_more():
    outlook = domain.Outlook(
        D(10), (), (domain.Promised(in_days(1), D(8), D(6)), domain.Promised(in_days(1), D(3), D(3)))
    )
    assert projected(outlook, 2) == [10, 8]


@pytest.mark.parametrize(("ordered", "forecast"), [(0, 70), (30, 70), (70, 70), (90, 70), (90, 0)])
def test_a_week_asks_for_the_larger_of_its_orders_and_its_forecast(ordered, forecast):
    monday = in_days(7)
    outlook = domain.Outlook(
        D(0), (), (domain.Promised(monday + timedelta(days=2), D(ordered)),), (domain.Week(monday, D(forecast)),)
    )
    week = domain.project(outlook, today=TODAY, days=21)[7:14]
    assert sum(day.orders + day.forecast for day in week) == max(ordered, forecast)


def test_an_order_that_was_issued_still_consumes_the_forecast_of_its_week():
    monday = in_days(7)
    outlook = domain.Outlook(D(0), (), (domain.Promised(monday, D(30), D(30)),), (domain.Week(monday, D(100)),))
    assert sum(day.orders + day.forecast for day in domain.project(outlook, today=TODAY, days=21)) == 70


def test_the_rest_of_a_forecast_is_spread_over_its_week_to_the_last_piece():
    days = domain.project(domain.Outlook(D(0), (), (), (domain.Week(TODAY, D(10)),)), today=TODAY, days=7)
    assert sum(day.forecast for day in days) == 10
    assert max(day.forecast for day in days) - min(day.forecast for day in days) < D("0.00001")


def test_days_of_the_week_that_are_over_ask_for_nothing_more():
    outlook = domain.Outlook(D(0), (), (), (domain.Week(TODAY, D(70)),))
    days = domain.project(outlook, today=TODAY + timedelta(days=4), days=3)
    assert sum(day.forecast for day in days) == 30


def test_midnight_ends_the_day_before_it():
    """A shipment promised for a day is expected at that day's end, the next local midnight."""
    end_of_third_in_paris = datetime(2026, 3, 3, 23, 0, tzinfo=UTC)
    assert domain.expected_day(end_of_third_in_paris, "Europe/Paris") == date(2026, 3, 3)
    assert domain.expected_day(end_of_third_in_paris + timedelta(seconds=1), "Europe/Paris") == date(2026, 3, 4)


def test_a_receipt_known_by_its_day_only_counts_as_of_that_days_end_but_not_later_than_now():
    day, start = date(2026, 2, 27), datetime(2026, 2, 27, tzinfo=UTC)
    assert domain.received_instant(day, start, "UTC", NOW) == datetime(2026, 2, 28, tzinfo=UTC)
    assert domain.received_instant(TODAY, datetime(2026, 3, 2, tzinfo=UTC), "UTC", NOW) == NOW
    exact = start + timedelta(hours=5)
    assert domain.received_instant(day, exact, "UTC", NOW) == exact


# ── what may be promised (METRICS 3.3) ───────────────────────────────────────────────────────────


def promised(on_hand, receipts, orders, days=8):
    outlook = domain.Outlook(
        D(on_hand),
        tuple(domain.Arrival(in_days(d), D(q)) for d, q in receipts),
        tuple(domain.Promised(in_days(d), D(q)) for d, q in orders),
    )
    return domain.available_to_promise(outlook, today=TODAY, days=days)


def test_what_may_be_promised_follows_the_discrete_rule():
    """METRICS 3.3 worked: 40 on hand; receipts of 60 on days 2 and 5; orders 15, 10, 20, 30, 20, 5 on days 0 to 5.

    First bucket 40 − (15 + 10) = 15; second 60 − (20 + 30 + 20) = −10, taken back from the first: 5 and 0;
    third 60 − 5 = 55. In all 60 = 40 + 120 − 100.
    """
    buckets = promised(40, [(2, 60), (5, 60)], [(0, 15), (1, 10), (2, 20), (3, 30), (4, 20), (5, 5)])
    assert [bucket.available for bucket in buckets] == [5, 0, 55]
    assert [bucket.cumulative for bucket in buckets] == [5, 5, 60]
    assert [(bucket.from_on, bucket.until_on) for bucket in buckets] == [
        (TODAY, in_days(1)),
        (in_days(2), in_days(4)),
        (in_days(5), in_days(7)),
    ]


def test_what_arrives_today_is_in_the_first_bucket():
    [bucket] = promised(10, [(0, 5)], [(3, 4)])
    assert (bucket.receipts, bucket.available) == (5, 11)


def test_what_cannot_be_taken_back_stays_below_zero():
    buckets = promised(5, [(2, 10)], [(1, 3), (4, 30)])
    assert [bucket.available for bucket in buckets] == [-18, 0]


def test_a_promise_is_never_made_on_forecast():
    outlook = domain.Outlook(D(10), (), (), (domain.Week(TODAY, D(70)),))
    assert domain.available_to_promise(outlook, today=TODAY, days=7)[0].available == 10


# ── the shortage ─────────────────────────────────────────────────────────────────────────────────


def judge(before, *left, behind: Cause | None = DELAY, now: datetime = NOW, zone: str = "UTC"):
    """Judge a projection that ends its days with these quantities."""
    days = [domain.ProjectedDay(now.date() + timedelta(days=n), D(0), D(0), D(0), D(q)) for n, q in enumerate(left)]
    return domain.assess_shortage(
        before,
        stock=a_stock(),
        days=days,
        zone=zone,
        behind=domain.Behind(behind, NOW - timedelta(hours=2)) if behind else None,
        unit_value=Money(amount=D(3), currency="EUR"),
        reason="shipment S-1 is delayed",
        now=now,
    )


def test_enough_stock_is_no_shortage():
    assert judge(None, 5, 0, 3) == (None, [])


def test_a_shortage_says_where_when_how_much_and_hours_left_with_the_cause_it_inherits():
    """FLOW 3.4."""
    shortage, [said] = judge(None, 5, -4, -10)
    assert isinstance(said, ShortagePredicted)
    assert (said.item, said.site, said.short_on, said.quantity, said.worse_by) == ("kit", "LYO", in_days(1), 10, 10)
    assert said.short_at == datetime(2026, 3, 4, tzinfo=UTC)  # the end of its day
    assert said.hours_left == 39
    assert (said.cause, said.cause_occurred_at) == (DELAY, NOW - timedelta(hours=2))
    assert said.value == Money(amount=D(30), currency="EUR")
    assert shortage.causes == (DELAY,)


def test_the_day_of_a_shortage_ends_at_the_site():
    _, [said] = judge(None, -1, zone="America/New_York")
    assert said.short_at == datetime(2026, 3, 3, 5, 0, tzinfo=UTC)


def test_a_shortage_with_nothing_behind_it_is_its_own_cause():
    """FLOW 3.4."""
    _, [said] = judge(None, -1, behind=None)
    assert (said.cause, said.cause_occurred_at) == (Cause(kind="shortage", id=STOCK_ID), NOW)


def test_the_same_shortage_again_is_not_said_again():
    shortage, _ = judge(None, 5, -10)
    again, said = judge(shortage, 5, -10)
    assert said == []
    assert again == shortage


def test_a_deeper_shortage_is_said_with_what_made_it_worse_and_by_how_much():
    """FLOW 3.4: each `predicted` carries the cause of the event that made it worse, and by how much."""
    shortage, _ = judge(None, 5, -10)
    deeper, [said] = judge(shortage, 5, -25, behind=OTHER_DELAY)
    assert (said.quantity, said.worse_by, said.cause) == (25, 15, OTHER_DELAY)
    assert deeper.causes == (DELAY, OTHER_DELAY)


def test_an_earlier_shortage_is_said_though_it_is_no_deeper():
    shortage, _ = judge(None, 5, 5, -10)
    _, [said] = judge(shortage, 5, -10)
    assert (said.short_on, said.worse_by) == (in_days(1), 0)


def test_a_shortage_that_eases_and_comes_back_is_not_said_twice():
    shortage, _ = judge(None, 5, -10)
    eased, said = judge(shortage, 5, -2)
    assert (said, eased.quantity, eased.projected) == ([], 10, 2)
    back, said = judge(eased, 5, -10)
    assert (said, back.projected) == ([], 10)


def test_a_shortage_that_is_over_is_averted_once_for_each_cause():
    """FLOW 3.4: `averted` ends it."""
    shortage, _ = judge(None, 5, -10)
    shortage, _ = judge(shortage, 5, -25, behind=OTHER_DELAY)
    over, said = judge(shortage, 5, 0)
    assert all(isinstance(one, ShortageAverted) for one in said)
    assert [one.cause for one in said] == [DELAY, OTHER_DELAY]
    assert over.state == "averted"
    assert judge(over, 5, 0) == (over, [])


def test_a_shortage_after_one_that_is_over_is_a_new_one():
    shortage, _ = judge(None, 5, -10)
    over, _ = judge(shortage, 5, 0)
    fresh, [said] = judge(over, 5, -3, behind=OTHER_DELAY, now=NOW + timedelta(days=1))
    assert (said.worse_by, fresh.causes, fresh.predicted_at) == (3, (OTHER_DELAY,), NOW + timedelta(days=1))
