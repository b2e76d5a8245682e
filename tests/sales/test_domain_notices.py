"""Impacts, notices and the notice policy, without any machinery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from schemas.types import By, Money
from services.sales import domain
from tests.sales.builders import CASE, PROMISED, SITE, TASK, an_order, cause_of, delayed, money, new_line, shipped
from tests.support.service import START

BY = By(subject="sam", role="sales")
DAY = timedelta(days=1)


def assessed(order: domain.Order, *, days: int | None = 2) -> domain.Impact:
    impact, _ = domain.assess_impact(
        domain.await_impact(cause_of(), currency="EUR", now=START),
        delay=delayed(shipped(order), days=days),
        orders={order.order_id: order},
        tiers={"clinic": "key"},
        default_slip_days=7,
        now=START,
    )
    return impact


def drafted(order: domain.Order) -> tuple[domain.NoticeBatch, domain.Notice]:
    batch = domain.open_batch(task_id=TASK, case_id=CASE, cause=cause_of(), now=START)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    batch, (notice,), _ = domain.draft_notices(batch, lines_by_customer=wanted, current={}, site=SITE, now=START)
    return batch, notice


def test_the_part_of_a_line_that_is_still_to_come_is_in_danger() -> None:
    """FLOW 3.1"""
    order = an_order()
    line = order.lines[0].order_line_id
    part = domain.record_actual(order, received={line: Decimal(4)}, actual_on=PROMISED)
    assert len(assessed(part).lines) == 1
    assert assessed(domain.record_actual(part, received={line: Decimal(6)}, actual_on=PROMISED)).lines == ()


# ── impact ───────────────────────────────────────────────────────────────────────────────────────


def test_money_at_risk_counts_each_shipment_line_once() -> None:
    """FLOW 1.4"""
    impact = assessed(an_order("O1", new_line("1", value="10.10"), new_line("2", value="0.02")))
    assert impact.value == money("10.12")
    assert domain.money_at_risk([*impact.lines, *impact.lines], currency="EUR") == money("10.12")
    assert domain.money_at_risk([], currency="EUR") == Money(amount=Decimal(0), currency="EUR")


def test_money_in_several_currencies_is_not_added_up() -> None:
    impact = assessed(an_order("O1", new_line("1"), new_line("2"), new_line("3")))
    foreign = impact.lines[0].model_copy(update={"value": Money(amount=Decimal(7), currency="EUR")})
    assert domain.money_at_risk([foreign, *impact.lines[1:]], currency="EUR") == money("200.00")


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
    batch, notice = drafted(order)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    assert domain.draft_notices(batch, lines_by_customer=wanted, current={"clinic": notice}, site=SITE, now=START) == (
        batch,
        [],
        [],
    )
    assert (batch.remaining, len(notice.lines)) == (1, 2)


@pytest.mark.parametrize("state", ["approved", "sent", "failed", "superseded", "withdrawn"])
def test_only_a_draft_is_approved_and_the_refusal_says_why(state: domain.NoticeState) -> None:
    """FLOW 2.4"""
    batch, notice = drafted(an_order())
    done = replace(notice, state=state, reason="because")
    with pytest.raises(domain.NoticeNotOpen, match=rf"{state} \(because\)"):
        domain.approve_notice(batch, done, pinned=notice.lines, by=BY, automatic=False, now=START)


def test_an_approval_after_the_task_closed_is_refused_with_the_reason() -> None:
    """FLOW 2.4"""
    batch, notice = drafted(an_order())
    batch, (notice,), _ = domain.close_batch(batch, [notice], reason="the task was withdrawn", now=START)
    assert (notice.state, batch.remaining) == ("withdrawn", 0)
    with pytest.raises(domain.TaskIsClosed, match="withdrawn"):
        domain.must_be_approvable(batch, notice)


def test_a_closed_book_drafts_nothing() -> None:
    """FLOW 2.4"""
    order = an_order()
    batch, _, _ = domain.close_batch(drafted(order)[0], [], reason="over", now=START)
    wanted = domain.lines_to_tell(assessed(order), {order.order_id: order})
    assert domain.draft_notices(batch, lines_by_customer=wanted, current={}, site=SITE, now=START) == (batch, [], [])


def test_notice_lead_is_the_end_of_the_old_promise_less_the_time_of_telling() -> None:
    """METRICS 3.2"""
    _, notice = drafted(an_order())
    sent_at = datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert domain.notice_lead_seconds(notice.lines[0], sent_at=sent_at) == 36 * 3600
    assert domain.notice_lead_seconds(notice.lines[0], sent_at=sent_at + 9 * DAY) == 0


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
    return domain.next_policy(
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
