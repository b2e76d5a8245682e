"""Who may act on a case, what the deadlines make of silence, and the rules as data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.errors import Forbidden, Invalid, NotFound
from services.exceptions import domain
from services.exceptions.domain import WorkingDuration
from tests.exceptions.builders import (
    BOSS,
    BUYER,
    DAY,
    LATER,
    LEAD,
    NOW,
    SALES,
    SHIPMENT,
    a_case,
    around_the_clock,
    done,
    names,
    playbook,
    playbook_task,
    rules,
    task,
    thresholds,
)

# ── people ───────────────────────────────────────────────────────────────────────────────────────


def test_an_executive_accepts_a_case_once_it_was_escalated_to_them() -> None:
    case = a_case()
    with pytest.raises(Forbidden, match="escalated"):
        domain.acknowledge_case(case, person=BOSS, now=LATER)
    case, facts = domain.take_case(replace(case, escalated_to=("executive",)), person=BOSS, now=LATER)
    assert (names(facts), case.owner) == (["case.acknowledged", "case.taken"], "eve")
    with pytest.raises(domain.AlreadyDone, match="yours"):
        domain.take_case(case, person=BOSS, now=LATER)
    with pytest.raises(domain.AlreadyDone, match="acknowledged at"):
        domain.acknowledge_case(case, person=SALES, now=LATER)


def test_the_owner_decides_verifies_and_pauses_and_others_do_not() -> None:
    case, _ = domain.take_case(a_case(), person=SALES, now=LATER)
    with pytest.raises(Forbidden, match="owner"):
        domain.decide_case(case, person=BUYER, choice="air freight", rationale=None, now=LATER)
    case, facts = domain.decide_case(case, person=SALES, choice="air freight", rationale="they need it", now=LATER)
    assert (names(facts), facts[0].by.role) == (["case.decided"], "sales")
    with pytest.raises(domain.AlreadyDone, match="air freight"):
        domain.decide_case(case, person=LEAD, choice="wait", rationale=None, now=LATER)
    with pytest.raises(Forbidden):
        domain.pause_case(case, person=BUYER, reason="holiday", now=LATER)
    with pytest.raises(domain.WrongState, match="not implemented yet: notify-customers, find-alternative-source"):
        domain.verify_case(case, person=SALES, outcome="fine", now=LATER)


def test_the_first_choice_decides_and_a_later_one_changes_nothing() -> None:
    def choose(case: domain.Case, supplier: str) -> tuple[domain.Case, list[object]]:
        by = domain.Person("pat", frozenset({"procurement"})).acts_as("procurement")
        assert by is not None
        after, facts = domain.decide_by_choice(
            case, by=by, choice=supplier, rationale=None, alternative_id=SHIPMENT, automatic=False, now=LATER
        )
        return after, list(facts)

    case, facts = choose(a_case(), "Nordic")
    assert (names(facts), case.choice) == (["case.decided"], "Nordic")
    assert choose(case, "Baltic") == (case, [])


def test_a_commitment_names_a_time_to_come_and_an_unknown_task_is_not_found() -> None:
    case = a_case()
    with pytest.raises(Invalid, match="is over"):
        domain.commit_task(case, task_id=task(case).task_id, person=SALES, committed_to=NOW - DAY, note=None, now=NOW)
    with pytest.raises(NotFound):
        domain.commit_task(case, task_id=SHIPMENT, person=SALES, committed_to=LATER, note=None, now=NOW)
    with pytest.raises(Invalid, match="holds this task"):
        domain.hand_over_task(case, task_id=task(case).task_id, person=LEAD, to_function="sales", note="you", now=NOW)
    with pytest.raises(domain.WrongState, match="not offered"):
        domain.accept_handover(case, task_id=task(case).task_id, person=LEAD, due=around_the_clock, now=NOW)
    with pytest.raises(domain.WrongState, match="nothing to reopen"):
        domain.reopen_case_by_person(case, person=LEAD, reason="because", rules=rules(), now=NOW)


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────


def ladder(rungs: int = 3, most: int = 3) -> domain.KnownLadder:
    standard = domain.fallback_ladder("default")
    return replace(standard, rungs=standard.rungs[:rungs], max_escalations=most)


def pass_by(
    case: domain.Case,
    now: datetime,
    what: domain.Watched,
    kind: str = "notify-customers",
    *,
    on: domain.KnownLadder | None = None,
    **duty: tuple[str, ...],
) -> tuple[domain.Case, list[Any]]:
    """A deadline passes."""
    task_id = None if what == "acknowledge" else task(case, kind).task_id
    after, facts = domain.escalate_case(
        case,
        what=what,
        task_id=task_id,
        ladder=on or ladder(),
        on_duty=lambda f: duty.get(f, ()),
        due=around_the_clock,
        now=now,
    )
    return after, list(facts)


def climb(case: domain.Case, now: datetime, *, on: domain.KnownLadder | None = None) -> tuple[domain.Case, list[Any]]:
    """The rung that was told did not help in time."""
    after, facts = domain.escalate_to_next_level(
        case, ladder=on or ladder(), on_duty=lambda _: (), due=around_the_clock, now=now
    )
    return after, list(facts)


def rung_due(case: domain.Case) -> list[datetime]:
    return [wanted.due_at for (name, _), wanted in domain.deadlines_of(case).items() if name == domain.ESCALATION_DUE]


def test_a_passed_deadline_climbs_the_ladder_until_it_is_met_or_enough_was_told() -> None:
    """FLOW 5.5: function → planning lead → executive; an empty roster means the function's role."""
    case, (told,) = pass_by(a_case(), LATER, "acknowledge", sales=("sam", "sue"))
    assert (told.level, told.rung, told.recipients, told.due_at) == (1, "sales", ("sam", "sue"), case.acknowledge_by)
    assert rung_due(case) == [LATER + timedelta(minutes=240)]
    case, (told,) = climb(case, LATER + timedelta(minutes=240))
    assert (told.level, told.rung, told.recipients) == (2, "planning-lead", ("planning-lead",))
    met, _ = domain.acknowledge_case(case, person=LEAD, now=LATER)
    assert (rung_due(met), climb(met, LATER + DAY)) == ([], (met, [])), "met: nobody is told"
    case, (told,) = climb(case, LATER + DAY)
    assert (told.level, told.rung, case.escalations, rung_due(case)) == (3, "executive", 3, [])
    capped, facts = pass_by(case, LATER + DAY, "commit")
    assert (facts, task(capped).commit_missed_at) == ([], LATER + DAY), "enough was told; that it was missed is kept"


def test_a_case_climbs_its_ladder_once_and_another_miss_leaves_room_for_the_rungs_to_come() -> None:
    """FLOW 5.5: at most so many escalations per case, and the planning lead and the executive among them."""
    case, _ = pass_by(a_case(), LATER, "acknowledge")
    silent, facts = pass_by(case, LATER, "commit")
    assert (facts, silent.chain) == ([], case.chain)
    wide = ladder(most=5)
    case, (told,) = pass_by(case, LATER, "commit", "find-alternative-source", on=wide)
    assert (told.level, told.rung) == (1, "procurement")
    case, facts = pass_by(case, LATER, "commit", on=wide)
    assert [fact.rung for fact in facts] == ["sales"]
    assert pass_by(case, LATER, "complete", on=wide)[1] == [], "two places are for the rungs to come"
    case, _ = domain.acknowledge_case(case, person=LEAD, now=LATER)
    case, (told,) = climb(case, LATER + DAY, on=wide)
    assert (told.level, told.rung, told.task_id) == (2, "planning-lead", task(case).task_id), (
        "what is still missed is named"
    )


def test_once_everything_is_met_the_next_miss_starts_at_the_first_rung() -> None:
    """FLOW 5.5."""
    case, _ = pass_by(a_case(), LATER, "acknowledge")
    case, _ = domain.acknowledge_case(case, person=LEAD, now=LATER)
    case, (told,) = pass_by(case, LATER + DAY, "commit", "find-alternative-source")
    assert (told.level, told.rung, case.escalations) == (1, "procurement", 2)


def test_a_short_ladder_ends_and_an_empty_one_tells_nobody() -> None:
    case, facts = pass_by(a_case(), LATER, "acknowledge", on=ladder(rungs=1))
    assert (len(facts), rung_due(case)) == (1, [])
    assert pass_by(a_case(), LATER, "acknowledge", on=ladder(rungs=0))[1] == []


def test_a_paused_case_has_no_deadline_and_a_resumed_one_has_them_later() -> None:
    case, _ = domain.take_case(a_case(), person=SALES, now=NOW)
    paused, facts = domain.pause_case(case, person=SALES, reason="customer closed", now=LATER)
    assert (names(facts), domain.deadlines_of(paused)) == (["case.paused"], {})
    assert pass_by(paused, LATER + DAY, "commit") == (paused, [])
    with pytest.raises(domain.WrongState, match="customer closed"):
        domain.pause_case(paused, person=LEAD, reason="again", now=LATER)
    back, facts = domain.resume_case(paused, person=SALES, due=None, now=LATER + DAY)
    assert names(facts) == ["case.resumed"]
    assert {t.commit_by for t in back.tasks} == {NOW + timedelta(minutes=480) + DAY}
    with pytest.raises(domain.WrongState, match="not paused"):
        domain.resume_case(back, person=SALES, due=None, now=LATER)


def test_a_changed_calendar_moves_what_is_not_missed() -> None:
    """FLOW 5.5: a timer stores its rule; what changes the rule moves it."""
    case, _ = pass_by(a_case(), LATER, "commit")
    moved, facts = domain.reschedule_tasks(case, due=lambda span, start: around_the_clock(span, start) + DAY, now=LATER)
    assert names(facts) == ["task.rescheduled"] * 2
    assert domain.reschedule_tasks(case, due=around_the_clock, now=LATER) == (replace(case, calendar_known=True), [])
    assert moved.acknowledge_by == case.acknowledge_by + DAY
    assert task(moved).commit_by == task(case).commit_by, "missed is missed"
    assert task(moved).complete_by == task(case).complete_by + DAY
    assert rung_due(domain.retime_rungs(case, ladder=ladder(rungs=1), due=around_the_clock)) == []
    assert rung_due(domain.retime_rungs(case, ladder=ladder(), due=around_the_clock)) == [
        LATER + timedelta(minutes=240)
    ]
    assert domain.retime_rungs(a_case(), ladder=ladder(), due=around_the_clock) == a_case()


def test_the_next_deadline_is_the_earliest_that_is_not_met() -> None:
    case = domain.with_next_deadline(a_case())
    assert case.due_at == case.acknowledge_by
    case, _ = domain.acknowledge_case(case, person=SALES, now=LATER)
    assert domain.with_next_deadline(case).due_at == NOW + timedelta(minutes=480)
    assert domain.with_next_deadline(done(case)).due_at is None


# ── rules as data ────────────────────────────────────────────────────────────────────────────────


def test_a_changed_playbook_is_a_new_version_and_the_same_one_is_not() -> None:
    first = domain.next_playbook(playbook(), current=None, world_currency="EUR")
    assert (
        domain.next_playbook(playbook(recorded_at=LATER, by_subject="max"), current=first, world_currency="EUR")
        is first
    )
    second = domain.next_playbook(playbook(recurrence_days=14), current=first, world_currency="EUR")
    assert (first.number, second.number) == (1, 2)
    kept = domain.next_thresholds(thresholds(), current=None, world_currency="EUR")
    assert domain.next_thresholds(thresholds(by_subject="max"), current=kept, world_currency="EUR") is kept
    assert domain.next_thresholds(thresholds(currency="USD"), current=kept, world_currency="USD").number == 2


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (playbook(tasks=(playbook_task(required=False),)), "at least one required"),
        (playbook(tasks=(playbook_task(), playbook_task())), "same kind"),
        (playbook(tasks=tuple(playbook_task(f"t{n}") for n in range(21))), "at most 20"),
        (playbook(acknowledge_within=WorkingDuration()), "either minutes or days"),
    ],
)
def test_a_playbook_that_binds_nobody_is_refused(draft: domain.Playbook, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        domain.next_playbook(draft, current=None, world_currency="EUR")


def test_who_is_on_duty_is_asked_of_the_hour() -> None:
    roster = domain.KnownRoster("sales", (domain.Duty("sam", NOW, LATER), domain.Duty("sue", LATER, LATER + DAY)))
    assert (roster.on_duty(NOW), roster.on_duty(LATER), roster.on_duty(NOW - DAY)) == (("sam",), ("sue",), ())


def test_hours_left_are_counted_to_the_end_of_the_day_of_need() -> None:
    case = a_case(now=datetime(2026, 3, 4, 17, tzinfo=UTC))
    assert case.severity == "high", "seven hours are left"
