"""No sequence of acts, facts and passed deadlines breaks what must hold of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.errors import Refusal
from schemas.base import Event
from schemas.exceptions import CaseImplemented, TaskFact
from services.exceptions import domain
from tests.exceptions.builders import (
    BOSS,
    BOTH,
    BUYER,
    CAUSE,
    LEAD,
    LINES,
    NOW,
    SALES,
    a_case,
    around_the_clock,
    cancelled,
    delayed,
    extended,
    impact,
    playbook,
    playbook_task,
    rules,
    shortage,
)
from tests.support.deadlines import CaseDeadlines, fold

PEOPLE = st.sampled_from([LEAD, SALES, BUYER, BOSS, domain.Person("vic", frozenset({"logistics"}))])
FUNCTIONS = st.sampled_from(["sales", "logistics", "inventory", "procurement"])
THREE = playbook(tasks=(*BOTH, playbook_task("book-truck", "logistics", required=False)))
RULES = rules(playbook=THREE)
LADDER = replace(domain.fallback_ladder("default"), max_escalations=4)
ORDER = domain.SEVERITIES


def half_speed(span: domain.WorkingDuration, start: datetime) -> datetime:
    """Twice as long as around the clock."""
    return start + 2 * (around_the_clock(span, start) - start)


class Response(RuleBasedStateMachine):
    """One case, whatever people, facts and time do to it."""

    case: domain.Case
    now: datetime

    @initialize()
    def open(self) -> None:
        self.now, self.version = NOW, 0
        signal = domain.signal_of(delayed())
        self.case, self.said = domain.open_case(signal=signal, cycle=1, previous_case_id=None, rules=RULES, now=NOW)
        self.deadlines = CaseDeadlines()
        self.follow(self.said)

    def follow(self, facts: list[Event]) -> None:
        """Let a subscriber read what was said."""
        for fact in facts:
            fold(self.deadlines, fact.event_name, fact.model_dump(mode="json", exclude_none=True))

    def attempt(self, act: Any, *arguments: Any, **keywords: Any) -> None:
        """Do an act at the present time; a refusal leaves everything as it was."""
        before = self.case
        try:
            self.case, facts = act(before, *arguments, now=self.now, **keywords)
        except Refusal as no:
            assert no.detail, "a refusal says why"
            return
        self.said += facts
        self.follow(facts)
        assert self.case == before or facts or act in SILENT, f"{act.__name__} changed the case and said nothing"
        assert ORDER.index(self.case.severity) >= ORDER.index(before.severity), (
            "FLOW 2.5: severity never loosens by itself"
        )
        for fact in facts:
            assert fact.case_id == before.case_id
            if isinstance(fact, TaskFact):
                assert fact.function == before.task(fact.task_id).function, "FLOW 2.2: the playbook's, whoever acts"
        implemented = [f for f in facts if isinstance(f, CaseImplemented)]
        assert bool(implemented) == (before.state != "implemented" and self.case.state == "implemented")

    @rule(minutes=st.integers(0, 5000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(days=st.integers(1, 30))
    def slip(self, days: int) -> None:
        signal = domain.signal_of(extended(days=days))
        if domain.next_action(self.case, rules=RULES, now=self.now) == "extend":
            self.attempt(domain.extend_case, signal=signal, rules=RULES)
        elif domain.next_action(self.case, rules=RULES, now=self.now) == "reopen":
            self.attempt(domain.reopen_case, signal=signal, reason="late again", by=None, rules=RULES)

    @precondition(lambda self: self.case.is_active)
    @rule()
    def cancel(self) -> None:
        self.attempt(domain.extend_case, signal=domain.signal_of(cancelled()), rules=RULES)

    @rule(days_late=st.integers(1, 9))
    def settle(self, days_late: int) -> None:
        self.attempt(domain.settle_case, days_late=days_late)

    @rule()
    def recover(self) -> None:
        self.attempt(domain.clear_case, reason="expected in time")

    @precondition(lambda self: self.case.is_active)
    @rule(tier=st.sampled_from(["standard", "key", "strategic", None]), repeat=st.booleans())
    def impact(self, tier: str | None, repeat: bool) -> None:
        self.version += 0 if repeat else 1
        told = impact(version=self.version, customers=() if tier is None else (("Meyer", tier),))
        self.attempt(domain.reassess_impact, impact=domain.impact_of(told), rules=RULES)

    @precondition(lambda self: self.case.is_active)
    @rule(quantity=st.integers(1, 3), item=st.sampled_from(["bolt", "nut"]))
    def shortage(self, quantity: int, item: str) -> None:
        told = shortage(cause=CAUSE, quantity=quantity, item=item)
        self.attempt(domain.reassess_shortage, shortage=domain.shortage_of(told), rules=RULES)

    @precondition(lambda self: self.case.is_active)
    @rule()
    def avert(self) -> None:
        self.attempt(domain.reassess_averted, stock_id=shortage().stock_id, rules=RULES)

    @rule(person=PEOPLE, act=st.sampled_from([domain.acknowledge_case, domain.take_case]))
    def accept(self, person: domain.Person, act: Any) -> None:
        self.attempt(act, person=person)

    @precondition(lambda self: self.case.paused_at is not None)
    @rule(person=st.sampled_from([LEAD, LEAD, SALES]), due=st.sampled_from([None, around_the_clock, half_speed]))
    def resume(self, person: domain.Person, due: Any) -> None:
        self.attempt(domain.resume_case, person=person, due=due)

    @precondition(lambda self: domain.deadlines_of(self.case))
    @rule(due=st.sampled_from([around_the_clock, half_speed]))
    def the_calendar_changes(self, due: Any) -> None:
        self.attempt(domain.reschedule_tasks, due=due)

    @rule(person=PEOPLE)
    def pause(self, person: domain.Person) -> None:
        self.attempt(domain.pause_case, person=person, reason="they are closed")

    @rule(person=PEOPLE)
    def decide(self, person: domain.Person) -> None:
        self.attempt(domain.decide_case, person=person, choice="air freight", rationale=None)

    @rule(person=PEOPLE)
    def verify(self, person: domain.Person) -> None:
        self.attempt(domain.verify_case, person=person, outcome="it arrived")

    @rule(person=PEOPLE)
    def reopen(self, person: domain.Person) -> None:
        self.attempt(domain.reopen_case_by_person, person=person, reason="it did not", rules=RULES)

    @rule(person=PEOPLE, place=st.integers(0, 2), hours=st.integers(-5, 200))
    def commit(self, person: domain.Person, place: int, hours: int) -> None:
        to = self.now + timedelta(hours=hours)
        self.attempt(
            domain.commit_task, task_id=self.case.tasks[place].task_id, person=person, committed_to=to, note=None
        )

    @rule(person=PEOPLE, place=st.integers(0, 2))
    def complete(self, person: domain.Person, place: int) -> None:
        self.attempt(domain.complete_task, task_id=self.case.tasks[place].task_id, person=person, outcome="done so")

    @rule(place=st.integers(0, 2))
    def complete_by_fact(self, place: int) -> None:
        self.attempt(domain.complete_by_fact, task_id=self.case.tasks[place].task_id, outcome="the last notice went")

    @rule(
        person=PEOPLE,
        place=st.integers(0, 2),
        act=st.sampled_from([domain.refuse_task, domain.waive_task, domain.return_handover]),
    )
    def say_no(self, person: domain.Person, place: int, act: Any) -> None:
        self.attempt(act, task_id=self.case.tasks[place].task_id, person=person, reason="not needed")

    @rule(person=PEOPLE, place=st.integers(0, 2), to=FUNCTIONS)
    def hand_over(self, person: domain.Person, place: int, to: Any) -> None:
        self.attempt(
            domain.hand_over_task, task_id=self.case.tasks[place].task_id, person=person, to_function=to, note="yours"
        )

    @precondition(lambda self: any(t.offered_to is not None for t in self.case.tasks))
    @rule(person=st.sampled_from([LEAD, LEAD, SALES, BUYER]))
    def accept_handover(self, person: domain.Person) -> None:
        offered = next(t for t in self.case.tasks if t.offered_to is not None)
        self.attempt(domain.accept_handover, task_id=offered.task_id, person=person, due=around_the_clock)

    @rule(person=PEOPLE, place=st.integers(0, 2), to=FUNCTIONS)
    def assign(self, person: domain.Person, place: int, to: Any) -> None:
        self.attempt(
            domain.assign_task,
            task_id=self.case.tasks[place].task_id,
            person=person,
            to_function=to,
            reason="please",
            due=around_the_clock,
        )

    @rule(what=st.sampled_from(["acknowledge", "commit", "complete"]), place=st.integers(0, 2))
    def a_deadline_passes(self, what: Any, place: int) -> None:
        task_id = None if what == "acknowledge" else self.case.tasks[place].task_id
        self.attempt(
            domain.escalate_case, what=what, task_id=task_id, ladder=LADDER, on_duty=lambda _: (), due=around_the_clock
        )

    @rule()
    def a_rung_is_due(self) -> None:
        self.attempt(domain.escalate_to_next_level, ladder=LADDER, on_duty=lambda _: (), due=around_the_clock)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_quorum_is_what_implements(self) -> None:
        """FLOW 2.2: implemented means that every required task is done, and the other way round."""
        quorum = all(t.is_done for t in self.case.tasks if t.required)
        if self.case.state == "implemented" or self.case.ending == "verified":
            assert quorum
        if self.case.state == "open":
            assert not quorum
        assert (self.case.implemented_at is not None) == (
            self.case.state == "implemented" or self.case.ending == "verified"
        )

    @invariant()
    def the_facts_say_every_deadline(self) -> None:
        """A subscriber knows what the service answers: whatever moves a deadline says the new one."""
        tasks = {str(t.task_id): (t.commit_by, t.complete_by) for t in self.case.tasks}
        due_at = domain.with_next_deadline(self.case).due_at
        assert self.deadlines.shown() == {
            "due_at": due_at,
            "acknowledge_by": self.case.acknowledge_by,
            "tasks": dict(sorted(tasks.items())),
        }

    @invariant()
    def a_closed_case_asks_nothing(self) -> None:
        """FLOW 2.4."""
        if self.case.state == "closed":
            assert self.case.ending is not None
            assert not any(t.is_live for t in self.case.tasks)
        else:
            assert self.case.ending is None
            assert not any(t.state == "withdrawn" for t in self.case.tasks)
        if self.case.state != "open" or self.case.paused_at is not None:
            assert domain.deadlines_of(self.case) == {}

    @invariant()
    def money_counts_each_line_once(self) -> None:
        """FLOW 1.4: the two lines of the shipment, and a shortage only of another item."""
        others = sum(s.value.amount for s in self.case.shortages if s.value is not None and s.item != "bolt")
        assert self.case.value_at_risk.amount == sum(line.value.amount for line in LINES) + others

    @invariant()
    def escalations_are_bounded(self) -> None:
        assert self.case.escalations <= LADDER.max_escalations
        pending = [name for name, _ in domain.deadlines_of(self.case) if name == domain.ESCALATION_DUE]
        assert len(pending) <= 1

    @invariant()
    def somebody_holds_each_task(self) -> None:
        """FLOW 2.3: a refused task is the planning lead's; an offer is for somebody else than the holder."""
        for task in self.case.tasks:
            assert (task.state != "refused") or task.holder == "planning-lead"
            assert task.offered_to is None or (task.is_live and task.offered_to != task.holder)
            assert (task.done_at is None) == task.is_live


# That a deadline was missed is kept even when enough was told; a calendar that moves no deadline is remembered as known.
SILENT = (domain.escalate_case, domain.escalate_to_next_level, domain.reschedule_tasks)

TestResponse = Response.TestCase
TestResponse.settings = settings(max_examples=60, stateful_step_count=40)


def test_the_same_delay_told_twice_is_one_case() -> None:
    """FLOW 1.2: ids come from the cause."""
    assert a_case(told=delayed()).case_id == a_case(told=delayed(days=9)).case_id
