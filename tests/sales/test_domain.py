"""Orders, the promise ledger, impacts, notices and the policy, without any machinery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.types import By, Money, subject_id
from services.sales import domain
from tests.sales.builders import (
    CASE,
    PROMISED,
    SITE,
    TASK,
    a_customer,
    an_order,
    cause_of,
    delayed,
    money,
    new_line,
    shipped,
)
from tests.support.service import START

BY = By(subject="sam", role="sales")
DAY = timedelta(days=1)


def revise(order: domain.Order, day: date, **more: object) -> domain.Order:
    changed, _ = domain.revise_promise(
        order, order_line_id=order.lines[0].order_line_id, promised_on=day, reason="asked for", by=BY, now=START, **more
    )  # type: ignore[arg-type]  # the keywords are those of the act
    return changed


def assessed(order: domain.Order, *, days: int | None = 2) -> domain.Impact:
    impact, _ = domain.assess_impact(
        domain.await_impact(cause_of(), now=START), delay=delayed(shipped(order), days=days), orders={order.order_id: order},
        tiers={"clinic": "key"}, default_slip_days=7, now=START,
    )  # fmt: skip
    return impact


def drafted(order: domain.Order) -> tuple[domain.Book, domain.Notice]:
    book = domain.open_book(task_id=TASK, case_id=CASE, cause=cause_of(), now=START)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    book, (notice,), _ = domain.draft_notices(book, wanted=wanted, known={}, site=SITE, now=START)
    return book, notice


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
        order = domain.record_actual(order, order_line_ids=[line], actual_on=date(2026, 3, day))
    assert order.lines[0].actual_on == date(2026, 3, 5)
    assert domain.record_actual(order, order_line_ids=[TASK], actual_on=PROMISED) == order


def test_requested_promised_confirmed_and_actual_stand_side_by_side() -> None:
    order = an_order("O1", new_line(requested_on=PROMISED - DAY))
    line = order.lines[0].order_line_id
    order = domain.confirm_line(order, order_line_id=line, confirmed_on=PROMISED + DAY)
    order = domain.record_actual(revise(order, PROMISED + 2 * DAY), order_line_ids=[line], actual_on=PROMISED + 3 * DAY)
    kept = order.lines[0]
    assert (kept.requested_on, kept.first_promised_on, kept.confirmed_on, kept.promised_on, kept.actual_on) == tuple(
        PROMISED + n * DAY for n in (-1, 0, 1, 2, 3)
    )


def test_a_foreign_machine_cannot_change_a_customer_and_a_person_can() -> None:
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
    with pytest.raises(domain.CustomerOfAnotherSource):
        domain.keep_customer(known, by_machine=True, **stated)  # type: ignore[arg-type]  # the keywords are those of the act
    assert domain.keep_customer(known, by_machine=False, **stated).source == "erp"  # type: ignore[arg-type]  # as above
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
        self.written: dict[tuple[UUID, int], domain.Promise] = {}
        self.events: list[tuple[UUID, int]] = []

    def line(self, number: int) -> domain.OrderLine:
        return self.order.lines[number % len(self.order.lines)]

    def attempt(self, act: object) -> None:
        try:
            self.order, events = act()  # type: ignore[operator]  # each rule gives a callable
        except domain.OrderIsCancelled:
            assert self.order.state == "cancelled"
        except (domain.PromiseMoved, domain.PromiseIsKept):
            pass
        else:
            self.events += [(e.order_line_id, e.version) for e in events if hasattr(e, "previous_on")]

    @rule(number=st.integers(0, 9), days=st.integers(-5, 30), expected=st.none() | st.integers(1, 4))
    def revise(self, number: int, days: int, expected: int | None) -> None:
        line = self.line(number).order_line_id
        self.attempt(
            lambda: domain.revise_promise(
                self.order, order_line_id=line, promised_on=PROMISED + days * DAY, reason="r", by=BY, now=START, expected_version=expected
            )
        )  # fmt: skip

    @rule(number=st.integers(0, 5), days=st.integers(0, 3))
    def change(self, number: int, days: int) -> None:
        line = new_line(str(number), promised_on=PROMISED + days * DAY)
        self.attempt(lambda: domain.change_order(self.order, customer="clinic", site=SITE, lines=[line], now=START))

    @rule(number=st.integers(0, 9), days=st.integers(-3, 9))
    def receive(self, number: int, days: int) -> None:
        line = self.line(number).order_line_id
        self.order = domain.record_actual(self.order, order_line_ids=[line], actual_on=PROMISED + days * DAY)

    @rule(number=st.integers(0, 9), days=st.integers(-3, 9), version=st.integers(1, 4))
    def state(self, number: int, days: int, version: int) -> None:
        line = self.line(number)
        said = domain.state_promise(
            self.order, statement_id=TASK, order_line_id=line.order_line_id, stated_on=PROMISED + days * DAY, version=version,
            channel="person", now=START,
        )  # fmt: skip
        before, self.order = self.order, domain.heard(self.order, said)
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


# ── impact ───────────────────────────────────────────────────────────────────────────────────────


def test_money_at_risk_counts_each_shipment_line_once() -> None:
    """FLOW 1.4"""
    impact = assessed(an_order("O1", new_line("1", value="10.10"), new_line("2", value="0.02")))
    assert impact.value == money("10.12")
    assert domain.money_at_risk([*impact.lines, *impact.lines]) == money("10.12")
    assert domain.money_at_risk([]).amount == 0


def test_money_in_several_currencies_is_not_added_up() -> None:
    impact = assessed(an_order("O1", new_line("1"), new_line("2"), new_line("3")))
    foreign = impact.lines[0].model_copy(update={"value": Money(amount=Decimal(7), currency="EUR")})
    assert domain.money_at_risk([foreign, *impact.lines[1:]]) == money("200.00")


@pytest.mark.parametrize(
    ("late_by", "days"),
    [(timedelta(0, 1), 1), (timedelta(hours=23), 1), (timedelta(days=1), 2), (timedelta(days=3, hours=5), 4)],
)
def test_the_proposed_day_counts_from_the_end_of_the_promised_day(late_by: timedelta, days: int) -> None:
    """FLOW 3.1"""
    order = an_order()
    delay = delayed(shipped(order), days=1)
    delay = delay.model_copy(update={"expected_at": delay.promised_at + late_by})
    day = domain.propose_day(delay, order.lines[0], default_slip_days=7, today=START.date())
    assert day == PROMISED + days * DAY


def test_silence_never_proposes_a_day_that_is_over() -> None:
    """FLOW 3.1"""
    order = an_order()
    delay = delayed(shipped(order), days=None)
    late = PROMISED + 30 * DAY
    assert domain.propose_day(delay, order.lines[0], default_slip_days=7, today=PROMISED) == PROMISED + 7 * DAY
    assert domain.propose_day(delay, order.lines[0], default_slip_days=7, today=late) == late + 7 * DAY


def test_a_cancelled_order_is_in_no_danger() -> None:
    order, _ = domain.cancel_order(an_order(), reason="not needed", now=START)
    assert assessed(order).lines == ()


# ── notices ──────────────────────────────────────────────────────────────────────────────────────


def test_a_notice_is_drafted_once_per_customer_and_draft() -> None:
    """FLOW 3.2"""
    order = an_order("O1", new_line("1"), new_line("2"))
    book, notice = drafted(order)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    assert domain.draft_notices(book, wanted=wanted, known={"clinic": notice}, site=SITE, now=START) == (book, [], [])
    assert (book.remaining, len(notice.lines)) == (1, 2)


@pytest.mark.parametrize("state", ["approved", "sent", "failed", "superseded", "withdrawn"])
def test_only_a_draft_is_approved_and_the_refusal_says_why(state: domain.NoticeState) -> None:
    """FLOW 2.4"""
    book, notice = drafted(an_order())
    done = replace(notice, state=state, reason="because")
    with pytest.raises(domain.NoticeNotOpen, match=rf"{state} \(because\)"):
        domain.approve_notice(book, done, pinned=notice.lines, by=BY, automatic=False, now=START)


def test_an_approval_after_the_task_closed_is_refused_with_the_reason() -> None:
    """FLOW 2.4"""
    book, notice = drafted(an_order())
    book, (notice,), _ = domain.close_book(book, [notice], reason="the task was withdrawn", now=START)
    assert (notice.state, book.remaining) == ("withdrawn", 0)
    with pytest.raises(domain.TaskIsClosed, match="withdrawn"):
        domain.must_be_approvable(book, notice)


def test_a_closed_book_drafts_nothing() -> None:
    """FLOW 2.4"""
    order = an_order()
    book, _, _ = domain.close_book(drafted(order)[0], [], reason="over", now=START)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    assert domain.draft_notices(book, wanted=wanted, known={}, site=SITE, now=START) == (book, [], [])


def test_notice_lead_is_the_end_of_the_old_promise_less_the_time_of_telling() -> None:
    """METRICS 3.2"""
    _, notice = drafted(an_order())
    told_at = datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert domain.notice_lead_seconds(notice.lines[0], told_at=told_at) == 36 * 3600
    assert domain.notice_lead_seconds(notice.lines[0], told_at=told_at + 9 * DAY) == 0


def test_the_message_names_order_line_both_days_and_the_promise_version() -> None:
    _, notice = drafted(an_order("O1", new_line("1")))
    text = domain.message_text(notice.lines, name="The Clinic")
    assert "Dear The Clinic" in text
    assert "order O1, line 1: 10 × bandage, promised for 4 March 2026, now promised for 6 March 2026" in text
    assert "(promise version 1)" in text


# ── policy ───────────────────────────────────────────────────────────────────────────────────────


def policy(**more: object) -> domain.NoticePolicy:
    stated = {
        "automatic": True,
        "automatic_tiers": ("standard",),
        "automatic_value_max": money(100),
        "default_slip_days": 7,
    }
    return domain.set_notice_policy(
        domain.first_policy(START), **(stated | {"retry_minutes": (1, 5)} | more), by=BY, now=START
    )  # type: ignore[arg-type]  # the keywords are those of the act


def test_nothing_is_approved_without_a_person_until_somebody_says_so() -> None:
    """FLOW 7.4"""
    assert not domain.approves(domain.first_policy(START), tier="standard", values=[money(1)])


@pytest.mark.parametrize(
    ("tier", "values", "yes"),
    [
        ("standard", [money(60), money(40)], True),
        ("standard", [money(60), money("40.01")], False),
        ("key", [money(1)], False),
        ("standard", [Money(amount=Decimal(1), currency="EUR")], False),
    ],
)
def test_the_policy_approves_up_to_its_limit_and_tier(tier: str, values: list[Money], yes: bool) -> None:
    assert domain.approves(policy(), tier=tier, values=values) is yes  # type: ignore[arg-type]  # a Tier
    assert domain.approves(policy(automatic=False), tier=tier, values=values) is False  # type: ignore[arg-type]  # a Tier


def test_waits_end_with_the_list() -> None:
    waits = [domain.next_attempt_at(policy(), attempt=n, now=START) for n in (1, 2, 3)]
    assert waits == [START + timedelta(minutes=1), START + timedelta(minutes=5), None]


@pytest.mark.parametrize("wrong", [{"default_slip_days": 0}, {"retry_minutes": (0,)}, {"retry_minutes": (1,) * 11}])
def test_a_policy_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(domain.PolicyUnusable):
        policy(**wrong)


def test_ids_are_those_that_other_services_derive() -> None:
    assert domain.order_id_of("scms", "SO-1") == subject_id("order", "scms", "SO-1")
    assert domain.order_line_id_of("scms", "SO-1", "7") == subject_id("order-line", "scms", "SO-1/7")
    assert domain.customer_id_of("P1") == subject_id("customer", "master", "P1")
    assert domain.impact_id_of(cause_of()) == subject_id("impact", "shipment-delay", str(cause_of().id))
