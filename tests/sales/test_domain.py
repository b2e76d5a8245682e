"""Orders and the promise ledger, without any machinery."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.types import By, subject_id
from services.sales import domain
from tests.sales.builders import (
    PROMISED,
    SITE,
    TASK,
    a_customer,
    an_order,
    cause_of,
    new_line,
)
from tests.support.service import START

BY = By(subject="sam", role="sales")
DAY = timedelta(days=1)


def revise(order: domain.Order, day: date, **more: object) -> domain.Order:
    changed, _ = domain.revise_promise(
        order, order_line_id=order.lines[0].order_line_id, promised_on=day, reason="asked for", by=BY, now=START, **more
    )  # type: ignore[arg-type]  # the keywords are those of the act
    return changed


# ── orders ───────────────────────────────────────────────────────────────────────────────────────


def test_the_first_promise_of_each_line_is_version_one_of_its_ledger() -> None:
    order = an_order("O1", new_line("1"), new_line("2", requested_on=PROMISED - DAY))
    assert [(p.promise_version, p.promised_on, p.previous_on) for p in order.promises] == [(1, PROMISED, None)] * 2
    assert [line.requested_on for line in order.lines] == [PROMISED, PROMISED - DAY]


def test_a_later_part_of_an_order_adds_its_lines_and_says_all_of_them() -> None:
    """FLOW 7.2"""
    order = an_order("O1", new_line("1"))
    changed, (said,) = domain.change_order(
        order, customer=order.customer, site=order.site, lines=[new_line("2")], now=START
    )
    assert said.event_name == "sales.order.changed.v1"
    assert [line.reference for line in said.lines] == ["1", "2"]  # type: ignore[attr-defined]  # an OrderChanged
    assert len(changed.promises) == 2


def test_a_change_that_says_what_is_known_is_no_event() -> None:
    order = an_order()
    assert domain.change_order(order, customer="clinic", site=SITE, lines=[new_line()], now=START) == (order, [])


def test_a_change_cannot_move_a_promise() -> None:
    with pytest.raises(domain.PromiseIsKept, match="revising"):
        domain.change_order(
            an_order(), customer="clinic", site=SITE, lines=[new_line(promised_on=PROMISED + DAY)], now=START
        )


@pytest.mark.parametrize(("customer", "site", "field"), [("other", SITE, "customer"), ("clinic", "Lome", "site")])
def test_an_order_keeps_its_customer_and_its_site(customer: str, site: str, field: str) -> None:
    with pytest.raises(domain.OrderIsSomeoneElses) as refused:
        domain.change_order(an_order(), customer=customer, site=site, lines=[new_line("2")], now=START)
    assert refused.value.field == field


def test_an_order_needs_lines_and_each_once() -> None:
    with pytest.raises(domain.LinesMissing):
        domain.place_order(source="erp", reference="O", customer="c", site=SITE, lines=[], now=START)
    with pytest.raises(domain.LinesMissing, match="twice"):
        an_order("O1", new_line("1"), new_line("1"))


def test_nothing_about_a_cancelled_order_changes() -> None:
    order, _ = domain.cancel_order(an_order(), reason="not needed", now=START)
    for act in (
        lambda: domain.cancel_order(order, reason="again", now=START),
        lambda: revise(order, PROMISED + DAY),
        lambda: domain.change_order(order, customer="clinic", site=SITE, lines=[new_line("2")], now=START),
    ):
        with pytest.raises(domain.OrderIsCancelled, match="not needed"):
            act()


def test_a_line_that_comes_in_parts_came_when_its_last_part_did() -> None:
    order = an_order()
    line = order.lines[0].order_line_id
    for day in (2, 5, 3):
        assert not order.lines[0].has_come
        order = domain.record_actual(order, received={line: Decimal(4)}, actual_on=date(2026, 3, day))
    assert (order.lines[0].actual_on, order.lines[0].has_come) == (date(2026, 3, 5), True)
    assert domain.record_actual(order, received={TASK: Decimal(1)}, actual_on=PROMISED) == order


def test_a_promise_about_what_has_come_is_not_moved() -> None:
    order = an_order()
    line = order.lines[0].order_line_id
    part = domain.record_actual(order, received={line: Decimal(9)}, actual_on=PROMISED)
    assert revise(part, PROMISED + DAY).lines[0].promise_version == 2
    whole = domain.record_actual(part, received={line: Decimal(1)}, actual_on=PROMISED)
    with pytest.raises(domain.LineHasCome, match="nothing left to promise"):
        revise(whole, PROMISED + DAY)


def test_requested_promised_confirmed_and_actual_stand_side_by_side() -> None:
    order = an_order("O1", new_line(requested_on=PROMISED - DAY))
    line = order.lines[0].order_line_id
    order = domain.confirm_line(order, order_line_id=line, confirmed_on=PROMISED + DAY)
    order = domain.record_actual(
        revise(order, PROMISED + 2 * DAY), received={line: Decimal(10)}, actual_on=PROMISED + 3 * DAY
    )
    kept = order.lines[0]
    assert (kept.requested_on, kept.first_promised_on, kept.confirmed_on, kept.promised_on, kept.actual_on) == tuple(
        PROMISED + n * DAY for n in (-1, 0, 1, 2, 3)
    )


def test_a_customer_keeps_the_source_that_registered_it() -> None:
    known = a_customer(source="erp")
    stated = {
        "code": "clinic",
        "name": "C",
        "tier": "standard",
        "contact": None,
        "zone": "UTC",
        "source": "tms",
        "now": START,
    }
    assert domain.upsert_customer(known, **stated).source == "erp"  # type: ignore[arg-type]  # the keywords are those of the act
    with pytest.raises(domain.ZoneUnknown):
        a_customer(zone="Europe/Atlantis")


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────


def test_a_statement_agrees_only_with_the_current_version_and_its_day() -> None:
    order = revise(an_order(), PROMISED + DAY)
    line = order.lines[0].order_line_id
    verdicts = {
        (version, day): domain.state_promise(
            order, statement_id=TASK, order_line_id=line, stated_on=day, version=version, channel="person", now=START
        ).contradicts
        for version in (1, 2)
        for day in (PROMISED, PROMISED + DAY)
    }
    assert [key for key, contradicts in verdicts.items() if not contradicts] == [(2, PROMISED + DAY)]


def test_a_promise_that_moved_since_it_was_looked_at_is_not_overwritten() -> None:
    order = revise(an_order(), PROMISED + DAY)
    with pytest.raises(domain.PromiseMoved, match="version 2, not in version 1"):
        revise(order, PROMISED + 2 * DAY, expected_version=1)


class PromiseLedger(RuleBasedStateMachine):
    """No sequence of acts breaks the ledger: versions gapless, the last one current, no entry ever rewritten."""

    @initialize(number=st.integers(1, 3))
    def place(self, number: int) -> None:
        self.order = an_order("O1", *[new_line(str(n)) for n in range(number)])
        self.refused = 0
        self.written: dict[tuple[UUID, int], domain.Promise] = {}
        self.events: list[tuple[UUID, int]] = []

    def line(self, number: int) -> domain.OrderLine:
        return self.order.lines[number % len(self.order.lines)]

    def attempt(self, act: object) -> None:
        try:
            self.order, events = act()  # type: ignore[operator]  # each rule gives a callable
        except domain.OrderIsCancelled:
            assert self.order.state == "cancelled"
        except domain.LineHasCome:
            assert any(line.has_come for line in self.order.lines)
        except (domain.PromiseMoved, domain.PromiseIsKept):
            self.refused += 1
        else:
            self.events += [(e.order_line_id, e.version) for e in events if hasattr(e, "previous_on")]

    @rule(number=st.integers(0, 9), days=st.integers(-5, 30), expected=st.none() | st.integers(1, 4))
    def revise(self, number: int, days: int, expected: int | None) -> None:
        line = self.line(number).order_line_id
        self.attempt(
            lambda: domain.revise_promise(
                self.order,
                order_line_id=line,
                promised_on=PROMISED + days * DAY,
                reason="r",
                by=BY,
                now=START,
                expected_version=expected,
            )
        )

    @rule(number=st.integers(0, 5), days=st.integers(0, 3))
    def change(self, number: int, days: int) -> None:
        line = new_line(str(number), promised_on=PROMISED + days * DAY)
        self.attempt(lambda: domain.change_order(self.order, customer="clinic", site=SITE, lines=[line], now=START))

    @rule(number=st.integers(0, 9), days=st.integers(-3, 9))
    def receive(self, number: int, days: int) -> None:
        line = self.line(number).order_line_id
        self.order = domain.record_actual(self.order, received={line: Decimal(2)}, actual_on=PROMISED + days * DAY)

    @rule(number=st.integers(0, 9), days=st.integers(-3, 9), version=st.integers(1, 4))
    def state(self, number: int, days: int, version: int) -> None:
        line = self.line(number)
        said = domain.state_promise(
            self.order,
            statement_id=TASK,
            order_line_id=line.order_line_id,
            stated_on=PROMISED + days * DAY,
            version=version,
            channel="person",
            now=START,
        )
        before, self.order = self.order, domain.with_stated_day(self.order, said)
        assert said.contradicts == ((version, PROMISED + days * DAY) != (line.promise_version, line.promised_on))
        assert said.contradicts is False or before == self.order

    @rule()
    def cancel_rarely(self) -> None:
        if len(self.written) > 12:
            self.attempt(lambda: domain.cancel_order(self.order, reason="enough", now=START))

    @invariant()
    def the_ledger_holds(self) -> None:
        if not hasattr(self, "order"):
            return
        now = {(entry.order_line_id, entry.promise_version): entry for entry in self.order.promises}
        assert len(now) == len(self.order.promises)
        assert all(now[key] == entry for key, entry in self.written.items()), "an entry was rewritten or removed"
        self.written = now
        for line in self.order.lines:
            entries = [entry for entry in self.order.promises if entry.order_line_id == line.order_line_id]
            assert [entry.promise_version for entry in entries] == list(range(1, len(entries) + 1)), "a gap"
            assert (entries[-1].promise_version, entries[-1].promised_on) == (line.promise_version, line.promised_on)
            assert entries[0].promised_on == line.first_promised_on
            assert [e.previous_on for e in entries[1:]] == [e.promised_on for e in entries[:-1]]
        assert sorted(self.events) == sorted(key for key in now if key[1] > 1), "each version was said once"


TestPromiseLedger = PromiseLedger.TestCase


def test_ids_are_those_that_other_services_derive() -> None:
    assert domain.order_id_of("scms", "SO-1") == subject_id("order", "scms", "SO-1")
    assert domain.order_line_id_of("scms", "SO-1", "7") == subject_id("order-line", "scms", "SO-1/7")
    assert domain.customer_id_of("P1") == subject_id("customer", "master", "P1")
    assert domain.impact_id_of(cause_of()) == subject_id("impact", "shipment-delay", str(cause_of().id))
