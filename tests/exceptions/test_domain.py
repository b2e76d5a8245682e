"""A case and its tasks: what a cause does to them, and when the response stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from chassis.errors import Forbidden
from schemas.exceptions import AffectedLine
from schemas.types import Cause, subject_id
from services.exceptions import domain
from tests.exceptions.builders import (
    BOTH,
    BUYER,
    CAUSE,
    DAY,
    LATER,
    LEAD,
    NOW,
    PROMISED,
    SALES,
    SHIPMENT,
    STOCK,
    a_case,
    an_affected_line,
    around_the_clock,
    cancelled,
    delayed,
    done,
    eur,
    extended,
    impact,
    names,
    playbook,
    playbook_task,
    rules,
    shipment_line,
    shortage,
    task,
    thresholds,
)

# ── opening and extending ────────────────────────────────────────────────────────────────────────


def test_a_delay_opens_a_case_and_all_tasks_of_the_playbook_together() -> None:
    """FLOW 1.1: the root signal opens the case; FLOW 2.1: with its facts in this order."""
    case, facts = domain.open_case(
        signal=domain.signal_of(delayed()), cycle=1, previous_case_id=None, rules=rules(), now=NOW
    )
    assert names(facts) == ["case.opened", "task.opened", "task.opened"]
    assert case.case_id == domain.case_id_of(CAUSE, 1)
    assert [t.kind for t in case.tasks] == ["notify-customers", "find-alternative-source"]
    assert case.headline == "Shipment S1 to Abidjan is 1 d late: 2 lines"
    assert (case.sites, case.customers) == (("Abidjan",), ("Hofmann",))
    assert task(case, "find-alternative-source").money_limit == eur("5000")
    assert case.acknowledge_by == NOW + timedelta(minutes=240)


def test_silence_is_named_as_silence() -> None:
    told = delayed(basis="overdue", provisional=True, expected_at=None)
    assert (
        domain.signal_of(told).headline
        == "Shipment S1 to Abidjan was due on 2026-03-04 and nothing has been reported: 2 lines"
    )


def test_a_cancelled_shipment_leaves_its_need() -> None:
    case, facts = domain.extend_case(a_case(), signal=domain.signal_of(cancelled()), rules=rules(), now=LATER)
    assert names(facts) == ["case.extended"]
    assert {line.expected_on for line in case.lines} == {None}
    with pytest.raises(ValueError, match="no root signal"):
        domain.signal_of(cancelled(cause=False))


def test_a_further_slip_extends_the_case_that_is_there() -> None:
    """FLOW 1.3: while a case is open or implemented, a root signal of its cause extends it."""
    opened = a_case()
    for case in (opened, done(opened)):
        assert domain.next_action(case, rules=rules(), now=LATER) == "extend"
        after, facts = domain.extend_case(case, signal=domain.signal_of(extended(days=3)), rules=rules(), now=LATER)
        assert names(facts) == ["case.extended"]
        assert after.state == case.state
        assert {line.expected_on for line in after.lines} == {date(2026, 3, 8)}
        assert after.value_at_risk == opened.value_at_risk


def test_money_at_risk_counts_each_line_once() -> None:
    """FLOW 1.4: the same line told twice is one line; a shortage of the same item there adds nothing."""
    case = a_case()
    assert case.value_at_risk == eur("2000.50")
    case, _ = domain.extend_case(case, signal=domain.signal_of(extended()), rules=rules(), now=LATER)
    assert case.value_at_risk == eur("2000.50")
    case, facts = domain.reassess_shortage(
        case, shortage=domain.shortage_of(shortage(cause=CAUSE)), rules=rules(), now=LATER
    )
    assert names(facts) == ["case.reassessed"]
    assert case.value_at_risk == eur("2000.50")
    other = domain.shortage_of(shortage(cause=CAUSE, item="nut"))
    case, _ = domain.reassess_shortage(case, shortage=replace(other, stock_id=SHIPMENT), rules=rules(), now=LATER)
    assert case.value_at_risk == eur("2500.50"), "another item is other money"


def test_lines_that_left_the_shipment_leave_the_case_and_other_shipments_stay() -> None:
    """FLOW 1.4, and the cause key is ready for several shipments."""
    other = subject_id("shipment", "erp", "S2")
    case = replace(a_case(), lines=(an_affected_line(1, "10"), an_affected_line(9, "5", shipment=other)))
    told = extended(lines=(shipment_line(3, value="7"),))
    case, _ = domain.extend_case(case, signal=domain.signal_of(told), rules=rules(), now=LATER)
    assert case.value_at_risk == eur("12")


def test_money_of_two_currencies_is_never_added() -> None:
    usd = an_affected_line(2, "1").model_copy(update={"value": eur("9").model_copy(update={"currency": "USD"})})
    lines: tuple[AffectedLine, ...] = (an_affected_line(1, "4"), usd)
    case, _ = domain.extend_case(
        a_case(), signal=replace(domain.signal_of(extended()), lines=lines), rules=rules(), now=LATER
    )
    assert (case.value_at_risk.amount, case.value_at_risk.currency) == (Decimal(9), "USD")


def test_a_shortage_with_nothing_behind_it_is_a_cause_of_its_own() -> None:
    """FLOW 1.1: a shortage with no delay behind it is a root signal."""
    signal = domain.signal_of(shortage(value=None))
    case, facts = domain.open_case(signal=signal, cycle=1, previous_case_id=None, rules=rules("shortage"), now=NOW)
    assert signal.cause == Cause(kind="shortage", id=STOCK)
    assert [(line.quantity, line.site, line.needed_on) for line in case.lines] == [(Decimal(40), "Abidjan", PROMISED)]
    assert case.value_at_risk == eur("0"), "no money was named"
    assert names(facts)[0] == "case.opened"


# ── the impact and the severity ──────────────────────────────────────────────────────────────────


def test_the_impact_completes_the_case_and_only_tightens() -> None:
    """FLOW 2.5: severity and deadlines are tightened by a reassessment, never loosened."""
    case = a_case()
    graver, facts = domain.reassess_impact(
        case, impact=domain.impact_of(impact(customers=(("Meyer", "strategic"),))), rules=rules(), now=LATER
    )
    assert names(facts) == ["case.reassessed"]
    assert (case.severity, graver.severity) == ("low", "high")
    assert graver.customers == ("Hofmann", "Meyer")
    assert graver.acknowledge_by == NOW + timedelta(minutes=120), "half the time, from the start"
    milder, _ = domain.reassess_impact(
        graver, impact=domain.impact_of(impact(version=2, customers=(("Meyer", "standard"),))), rules=rules(), now=LATER
    )
    assert milder.severity == "high"
    assert (milder.acknowledge_by, milder.tasks) == (graver.acknowledge_by, graver.tasks)


def test_an_older_impact_changes_nothing() -> None:
    case, _ = domain.reassess_impact(a_case(), impact=domain.impact_of(impact(version=2)), rules=rules(), now=LATER)
    assert domain.reassess_impact(case, impact=domain.impact_of(impact(version=1)), rules=rules(), now=LATER) == (
        case,
        [],
    )


def test_nobody_affected_completes_the_task_to_notify() -> None:
    """FLOW 3.1: nobody affected is an impact too; what sales could not match leaves it to a person."""
    case = a_case()
    unsure, facts = domain.reassess_impact(
        case, impact=domain.impact_of(impact(customers=(), unmatched=1)), rules=rules(), now=LATER
    )
    assert (names(facts), task(unsure).state) == (["case.reassessed"], "open")
    sure, facts = domain.reassess_impact(case, impact=domain.impact_of(impact(customers=())), rules=rules(), now=LATER)
    assert (names(facts), task(sure).outcome) == (["case.reassessed", "task.completed"], domain.NOBODY)
    after_all, facts = domain.reassess_impact(
        sure, impact=domain.impact_of(impact(version=2)), rules=rules(), now=LATER
    )
    assert (names(facts), task(after_all).state) == (["case.reassessed", "task.reopened"], "open")


@pytest.mark.parametrize(
    ("amount", "tiers", "hours", "severity"),
    [
        ("9999.99", set(), 100, "low"),
        ("10000", set(), 100, "medium"),
        ("100000", set(), 100, "high"),
        ("0", {"key"}, 100, "medium"),
        ("0", {"key", "strategic"}, 100, "high"),
        ("0", set(), 8, "high"),
        ("0", set(), -5, "high"),
        ("10000", {"standard"}, 9, "medium"),
    ],
)
def test_severity_follows_thresholds_that_are_data(amount: str, tiers: set[str], hours: float, severity: str) -> None:
    assert thresholds().severity(value=eur(amount), tiers=frozenset(tiers), hours_left=hours) == severity


def test_money_in_another_currency_reaches_no_threshold() -> None:
    value = eur("1000000").model_copy(update={"currency": "USD"})
    assert thresholds().severity(value=value, tiers=frozenset(), hours_left=100) == "low"


# ── quorum, settling, clearing, coming back ──────────────────────────────────────────────────────


def test_the_last_required_task_implements_the_case() -> None:
    """FLOW 2.2: R is the set of required tasks; an optional one is not waited for."""
    with_extra = rules(playbook=playbook(tasks=(*BOTH, playbook_task("book-truck", "logistics", required=False))))
    case = a_case(rules=with_extra)
    case, facts = domain.waive_task(case, task_id=task(case).task_id, person=LEAD, reason="they know", now=LATER)
    assert (names(facts), case.state) == (["task.waived"], "open")
    case, facts = domain.complete_task(
        case, task_id=task(case, "find-alternative-source").task_id, person=BUYER, outcome="ordered", now=LATER
    )
    assert (names(facts), case.state, case.implemented_at) == (
        ["task.completed", "case.implemented"],
        "implemented",
        LATER,
    )
    case, facts = domain.verify_case(case, person=LEAD, outcome="it arrived", now=LATER)
    assert names(facts) == ["task.withdrawn", "case.verified"], "a closed case has no open task"


def test_a_handed_over_task_still_counts_for_its_playbook_function() -> None:
    """FLOW 2.2: a handover is credited to the pair of functions, never to R; FLOW 2.3: until accepted the giver owns it."""
    case = a_case()
    task_id = task(case).task_id
    case, facts = domain.hand_over_task(
        case, task_id=task_id, person=SALES, to_function="procurement", note="their buyer", now=NOW
    )
    assert (names(facts), task(case).holder) == (["task.handed-over"], "sales")
    with pytest.raises(Forbidden, match="sales's now"):
        domain.commit_task(case, task_id=task_id, person=BUYER, committed_to=LATER, note=None, now=NOW)
    with pytest.raises(domain.WrongState, match="has not answered"):
        domain.hand_over_task(case, task_id=task_id, person=SALES, to_function="logistics", note="or them", now=NOW)
    back, facts = domain.return_handover(case, task_id=task_id, person=BUYER, reason="not ours", now=NOW)
    assert (names(facts), task(back).holder, task(back).offered_to) == (["task.handover-returned"], "sales", None)
    case, facts = domain.accept_handover(case, task_id=task_id, person=BUYER, due=around_the_clock, now=LATER)
    assert (names(facts), task(case).holder, task(case).function) == (
        ["task.handover-accepted"],
        "procurement",
        "sales",
    )
    case, facts = domain.complete_task(case, task_id=task_id, person=BUYER, outcome="told them", now=LATER)
    assert facts[0].function == "sales", "whoever acts, the function is the playbook's"


def test_a_refused_task_goes_to_the_planning_lead() -> None:
    """FLOW 2.3: who assigns, waives or returns it."""
    case = a_case()
    task_id = task(case).task_id
    case, facts = domain.refuse_task(case, task_id=task_id, person=SALES, reason="no contact", now=NOW)
    assert (names(facts), task(case).holder) == (["task.refused"], "planning-lead")
    for call in (
        lambda: domain.complete_task(case, task_id=task_id, person=LEAD, outcome="done", now=LATER),
        lambda: domain.refuse_task(case, task_id=task_id, person=LEAD, reason="again", now=LATER),
    ):
        with pytest.raises(domain.WrongState, match="refused"):
            call()
    with pytest.raises(Forbidden):
        domain.assign_task(
            case,
            task_id=task_id,
            person=SALES,
            to_function="logistics",
            reason="they may",
            due=around_the_clock,
            now=LATER,
        )
    for to_function in ("sales", "logistics"):
        after, facts = domain.assign_task(
            case,
            task_id=task_id,
            person=LEAD,
            to_function=to_function,
            reason="please",
            due=around_the_clock,
            now=LATER,
        )
        assert (names(facts), task(after).holder, task(after).state) == (["task.reopened"], to_function, "open")
        assert task(after).commit_by == LATER + timedelta(minutes=480)
    waived, _ = domain.waive_task(case, task_id=task_id, person=LEAD, reason="not needed", now=LATER)
    assert task(waived).state == "waived"


def test_a_cause_that_goes_away_clears_the_case_and_withdraws_its_open_tasks() -> None:
    """FLOW 2.4: cleared means that open tasks are withdrawn; what was done stays done."""
    case = a_case()
    case, _ = domain.complete_task(case, task_id=task(case).task_id, person=SALES, outcome="told them", now=LATER)
    case, facts = domain.clear_case(case, reason="expected in time", now=LATER)
    assert names(facts) == ["case.cleared", "task.withdrawn"]
    assert (case.state, case.ending, task(case).state) == ("closed", "cleared", "completed")
    with pytest.raises(domain.WrongState, match="withdrawn"):
        domain.complete_task(
            case, task_id=task(case, "find-alternative-source").task_id, person=BUYER, outcome="late", now=LATER
        )
    with pytest.raises(domain.AlreadyDone):
        domain.waive_task(case, task_id=task(case).task_id, person=LEAD, reason="late", now=LATER)


def test_an_implemented_case_is_not_cleared_and_a_late_receipt_closes_nothing() -> None:
    """FLOW 2.4 and METRICS 3.1: cause and response end apart."""
    case = done(a_case())
    assert domain.clear_case(case, reason="too late", now=LATER) == (case, [])
    opened = a_case()
    late, facts = domain.settle_case(opened, days_late=2, now=LATER)
    assert (names(facts), late.state, late.days_late) == (["case.settled"], "open", 2)
    assert domain.settle_case(late, days_late=2, now=LATER) == (late, [])


def test_within_the_window_the_case_comes_back_and_later_a_new_one_opens() -> None:
    """FLOW 1.3: within 7 days case and tasks are reopened and the time since it stopped is left out; later it is a new case."""
    case, _ = domain.clear_case(a_case(), reason="expected in time", now=LATER)
    assert domain.next_action(case, rules=rules(), now=LATER + 7 * DAY) == "reopen"
    assert domain.next_action(case, rules=rules(), now=LATER + 7 * DAY + timedelta(seconds=1)) == "open"
    back, facts = domain.reopen_case(
        case, signal=domain.signal_of(delayed(days=5)), reason="late again", by=None, rules=rules(), now=LATER + DAY
    )
    assert names(facts) == ["case.reopened", "task.reopened", "task.reopened"]
    assert (facts[0].stopped_at, back.state) == (LATER, "open")
    assert {t.commit_by for t in back.tasks} == {LATER + DAY + timedelta(minutes=480)}
    assert all(t.is_live and t.committed_at is None for t in back.tasks)


def test_a_verified_case_that_comes_back_stopped_when_it_was_implemented() -> None:
    """FLOW 1.3: the clock leaves out the time since implemented or cleared."""
    case, _ = domain.verify_case(done(a_case()), person=LEAD, outcome="it arrived", now=LATER + DAY)
    back, facts = domain.reopen_case_by_person(
        case, person=LEAD, reason="it did not", rules=rules(), now=LATER + 2 * DAY
    )
    assert (facts[0].stopped_at, facts[0].by.subject, back.decided_at) == (LATER, "lea", None)


def test_two_cases_of_one_cause_have_ids_of_their_own() -> None:
    """FLOW 1.3: uuid5(cause, n + 1), linked to the one before."""
    record = domain.with_next_case(domain.new_cause(CAUSE, now=NOW))
    again = domain.with_next_case(record)
    assert (record.cycle, again.cycle) == (1, 2)
    assert record.case_id == domain.case_id_of(CAUSE, 1) != again.case_id


def test_what_comes_early_waits_in_the_cause() -> None:
    """FLOW 1.2: an impact or a shortage that is early waits, the latest of each."""
    record = domain.new_cause(CAUSE, now=NOW)
    record = domain.with_impact(record, domain.impact_of(impact(version=2)))
    assert domain.with_impact(record, domain.impact_of(impact(version=1))) == record
    record = domain.with_shortage(record, domain.shortage_of(shortage(cause=CAUSE, quantity=10)))
    record = domain.with_shortage(record, domain.shortage_of(shortage(cause=CAUSE, quantity=40)))
    assert [s.quantity for s in record.shortages] == [Decimal(40)]
    assert domain.without_shortage(record, STOCK).shortages == ()


def test_an_averted_shortage_leaves_the_severity_where_it_is() -> None:
    """FLOW 2.5."""
    soon = domain.shortage_of(shortage(cause=CAUSE, short_on=NOW.date() - DAY))
    graver, _ = domain.reassess_shortage(a_case(), shortage=soon, rules=rules(), now=LATER)
    assert graver.severity == "high"
    after, facts = domain.reassess_averted(graver, stock_id=STOCK, rules=rules(), now=LATER)
    assert (names(facts), after.severity, after.shortages) == (["case.reassessed"], "high", ())
    assert domain.reassess_averted(after, stock_id=STOCK, rules=rules(), now=LATER) == (after, [])
