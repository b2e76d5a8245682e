"""A notice leaves once it is approved, only while its promises are current, and what came of it is recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import time_ordered_id
from chassis.messaging.effects import EffectRunner, RecordingTransport, Sending, Undeliverable
from chassis.persistence.database import Context
from schemas.base import Event
from schemas.sales import NoticeApproved
from services.sales.effects import effects, tell_customer_new_promise
from tests.sales.builders import (
    PROMISED,
    delayed,
    extended,
    known_customer,
    placed,
    shipped,
    task_opened,
    task_withdrawn,
)
from tests.support.service import ServiceUnderTest

APPROVED = "notice.approved"


class GatewayAway:
    """A way out that cannot be reached just now."""

    name = "gateway"

    def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
        raise Undeliverable("the gateway answered 503", permanent=False)


def approve(sales: ServiceUnderTest, customer: str = "clinic") -> NoticeApproved:
    (notice,) = sales.get(f"/notices?customer={customer}").json()["items"]
    answer = sales.post(f"/notices/{notice['notice_id']}/approve", role="sales")
    assert answer.status_code == 200, answer.text
    return [e.data for e in sales.emitted() if isinstance(e.data, NoticeApproved)][-1]


def tell(sales: ServiceUnderTest, event: NoticeApproved, transport: Any = None) -> str:
    cause = time_ordered_id()
    chosen = transport or RecordingTransport(sales.database, tell_customer_new_promise.__name__)
    sending = Sending(
        sales.database, chosen, tell_customer_new_promise.__name__, lambda now: Context(cause, cause, "event", now)
    )
    return tell_customer_new_promise(sending, event)


def said(sales: ServiceUnderTest, kind: str) -> list[Any]:
    found: list[Event] = [e.data for e in sales.emitted() if e.type == f"sales.notice.{kind}.v1"]
    return found


def two_drafts(sales: ServiceUnderTest) -> None:
    first, second = placed(sales, "O1"), placed(sales, "O2", customer="hospital")
    sales.consume(delayed([*shipped(first), *shipped(second)]), task_opened())


def try_again(sales: ServiceUnderTest, minutes: int) -> None:
    """Move the clock and let the effects' own timers be tried again."""
    sales.set_clock(sales.now() + timedelta(minutes=minutes))
    runner = EffectRunner(sales.database, effects, sales.settings)
    runner._try_again()


def state_of(sales: ServiceUnderTest, notice_id: UUID) -> dict[str, Any]:
    shown: dict[str, Any] = sales.get(f"/notices/{notice_id}").json()
    return shown


def test_approving_revises_the_promises_and_pins_their_versions_in_one_transaction(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    sales.emitted()
    (notice,) = sales.get("/notices").json()["items"]
    assert sales.post(f"/notices/{notice['notice_id']}/approve", role="sales").status_code == 200
    revised, approved = sales.emitted()
    assert (revised.data.version, revised.data.promised_on) == (2, PROMISED + timedelta(days=2))
    assert str(revised.data.notice_id) == notice["notice_id"]
    assert [(line.promise_version, line.proposed_on) for line in approved.data.lines] == [(2, revised.data.promised_on)]
    assert approved.data.by.role == "sales"


def test_each_notice_that_leaves_says_how_many_of_its_task_remain(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    two_drafts(sales)
    assert tell(sales, approve(sales, "clinic")) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [1]
    assert tell(sales, approve(sales, "hospital")) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [0]
    sends = sales.rows("SELECT recipient, content FROM recorded_sends ORDER BY recipient")
    assert [row["recipient"] for row in sends] == ["clinic@example.org", "hospital@example.org"]
    assert "now promised for 6 March 2026 (promise version 2)" in sends[0]["content"]["text"]


def test_the_same_approval_heard_again_sends_nothing_again(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    two_drafts(sales)
    event = approve(sales)
    assert tell(sales, event) == "sent"
    sales.emitted()
    assert tell(sales, event) == "sent"
    assert sales.emitted() == []
    assert len(sales.rows("SELECT 1 FROM recorded_sends")) == 1


def test_a_notice_whose_promise_moved_on_is_superseded_and_counted_as_a_contradiction(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    event = approve(sales)
    line = order.lines[0].order_line_id
    later = {"promised_on": PROMISED + timedelta(days=9), "reason": "the customer asked"}
    assert sales.post(f"/promises/{line}/revise", later, role="sales").status_code == 200
    assert tell(sales, event) == "superseded"
    (superseded,) = said(sales, "superseded")
    assert superseded.remaining == 1
    assert sales.rows("SELECT 1 FROM recorded_sends") == []
    figures = sales.get("/figures").json()
    assert (figures["statements"], figures["contradictions"]) == (1, 1)
    assert sales.post(f"/notices/{event.notice_id}/redraft", role="sales").json()["revision"] == 2
    assert tell(sales, approve(sales)) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [0]
    assert state_of(sales, event.notice_id)["lines"][0]["proposed_on"] == str(later["promised_on"])


def test_a_bad_address_holds_nobody_up_and_stays_to_go_until_a_person_resolves_it(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    two_drafts(sales)
    known_customer(sales, "clinic", contact="front-desk@clinic.invalid")
    bad = approve(sales, "clinic")
    assert tell(sales, bad) == "failed"
    (failed,) = said(sales, "failed")
    assert (failed.final, failed.remaining, failed.attempt) == (True, 2, 1)
    assert tell(sales, approve(sales, "hospital")) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [1]
    told = sales.post(f"/notices/{bad.notice_id}/resolve", {"reason": "told by phone"}, role="sales")
    assert told.json()["state"] == "sent"
    (by_hand,) = said(sales, "sent")
    assert (by_hand.remaining, by_hand.transport) == (0, "by-hand")


def test_a_customer_without_an_address_can_be_told_after_one_was_registered(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    order = placed(sales)
    known_customer(sales, "clinic", contact=None)
    sales.consume(delayed(shipped(order)), task_opened())
    event = approve(sales)
    assert tell(sales, event) == "failed"
    known_customer(sales, "clinic", contact="new@example.org")
    assert sales.post(f"/notices/{event.notice_id}/retry", role="sales").json()["state"] == "approved"
    try_again(sales, 0)
    assert state_of(sales, event.notice_id)["state"] == "sent"
    assert [row["recipient"] for row in sales.rows("SELECT recipient FROM recorded_sends")] == ["new@example.org"]


def test_a_retry_is_a_timer_and_the_last_one_is_final(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    sales.post("/notice-policy", {"retry_minutes": [5, 10]})
    two_drafts(sales)
    event = approve(sales)
    assert tell(sales, event, GatewayAway()) == "delayed"
    (failed,) = said(sales, "failed")
    assert (failed.final, failed.attempt) == (False, 1)
    (timer,) = sales.rows("SELECT name, due_at - armed_at AS wait FROM timers WHERE fired_at IS NULL")
    assert (timer["name"], timer["wait"]) == ("notice-retry", timedelta(minutes=5))
    assert tell(sales, event, GatewayAway()) == "delayed"
    assert tell(sales, event, GatewayAway()) == "failed"
    assert [e.final for e in said(sales, "failed")] == [False, True]


def test_a_notice_that_could_not_leave_leaves_when_its_timer_is_due(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""
    two_drafts(sales)
    event = approve(sales)
    assert tell(sales, event, GatewayAway()) == "delayed"
    try_again(sales, 0)
    assert state_of(sales, event.notice_id)["state"] == "approved"
    try_again(sales, 2)
    assert state_of(sales, event.notice_id)["state"] == "sent"
    attempts = sales.rows("SELECT attempt, outcome FROM effect_attempts ORDER BY attempt")
    assert [(row["attempt"], row["outcome"]) for row in attempts] == [(1, "failed"), (2, "sent")]


def test_what_was_withdrawn_or_drafted_again_after_its_approval_does_not_leave(sales: ServiceUnderTest) -> None:
    """FLOW 2.4, 3.2"""
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    first = approve(sales)
    sales.consume(extended(shipped(order), days=6))
    assert tell(sales, first) == "superseded"
    second = approve(sales)
    assert second.version == 2
    sales.consume(task_withdrawn())
    assert tell(sales, second) == "withdrawn"
    assert sales.rows("SELECT 1 FROM recorded_sends") == []


def test_a_delay_that_grows_after_the_notice_left_is_told_again(sales: ServiceUnderTest) -> None:
    """FLOW 1.3, 2.4"""
    order = placed(sales)
    sales.consume(delayed(shipped(order), days=1), task_opened())
    assert tell(sales, approve(sales)) == "sent"
    sales.emitted()
    sales.consume(extended(shipped(order), days=3))
    assert sales.names() == ["impact.assessed", "notice.drafted"]
    assert tell(sales, approve(sales)) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [0]
    keys = [row["key"].rpartition("/")[2] for row in sales.rows("SELECT key FROM recorded_sends ORDER BY key")]
    assert keys == ["1", "2"]


def test_a_notice_that_left_while_its_task_was_withdrawn_has_left_all_the_same(sales: ServiceUnderTest) -> None:
    """FLOW 2.4, 3.2"""

    class Slow:
        name = "recorded"

        def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
            sales.consume(task_withdrawn())

    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    event = approve(sales)
    assert tell(sales, event, Slow()) == "sent"
    assert sales.names() == ["notice.withdrawn", "notice.sent"]
    assert state_of(sales, event.notice_id)["state"] == "sent"


def test_a_notice_that_was_drafted_again_while_it_left_is_told_by_the_new_draft(sales: ServiceUnderTest) -> None:
    """FLOW 2.4, 3.2"""

    class Slow:
        name = "recorded"

        def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
            sales.consume(extended(shipped(order), days=6))

    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    event = approve(sales)
    assert tell(sales, event, Slow()) == "sent"
    assert (state_of(sales, event.notice_id)["state"], state_of(sales, event.notice_id)["revision"]) == ("drafted", 2)
    assert tell(sales, approve(sales)) == "sent"
    assert [e.remaining for e in said(sales, "sent")] == [0]


def test_an_attempt_that_died_before_its_outcome_is_made_again_with_the_same_key(sales: ServiceUnderTest) -> None:
    """FLOW 3.2"""

    class Dies:
        name = "recorded"

        def send(self, *, key: str, recipient: str, content: dict[str, Any]) -> None:
            raise KeyboardInterrupt

    two_drafts(sales)
    event = approve(sales)
    with pytest.raises(KeyboardInterrupt):
        tell(sales, event, Dies())
    assert tell(sales, event) == "sent"
    attempts = sales.rows("SELECT key, attempt, outcome FROM effect_attempts ORDER BY attempt")
    assert [(row["attempt"], row["outcome"]) for row in attempts] == [(1, None), (2, "sent")]
    assert len({row["key"] for row in attempts}) == 1
