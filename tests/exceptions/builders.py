"""Facts, rules and a response as the tests of exceptions need them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.collaboration import CalendarChanged, Duty, LadderChanged, RosterChanged, Rung
from schemas.exceptions import AffectedLine
from schemas.inventory import ShortageAverted, ShortagePredicted
from schemas.logistics import (
    ShipmentCancelled,
    ShipmentDelayed,
    ShipmentExtended,
    ShipmentLine,
    ShipmentRecovered,
    ShipmentSettled,
)
from schemas.procurement import AlternativeChosen
from schemas.sales import ImpactAssessed, ImpactLine, NoticeSent
from schemas.types import By, Cause, Money, subject_id
from services.exceptions import domain
from services.exceptions.domain import WorkingDuration

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DAY = timedelta(days=1)
PROMISED = date(2026, 3, 4)
SHIPMENT = subject_id("shipment", "erp", "S1")
CAUSE = Cause(kind="shipment-delay", id=SHIPMENT)
STOCK = subject_id("stock", "master", "bolt@Abidjan")
LEAD = domain.Person("lea", frozenset({"planning-lead"}))
SALES = domain.Person("sam", frozenset({"sales"}))
BUYER = domain.Person("pat", frozenset({"procurement"}))
BOSS = domain.Person("eve", frozenset({"executive"}))


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def shipment_line(
    number: int = 1, *, value: str = "1250.00", customer: str | None = "Hofmann", shipment: str = "S1"
) -> ShipmentLine:
    return ShipmentLine(
        line_id=subject_id("shipment-line", "erp", f"{shipment}/{number}"),
        reference=str(number),
        item="bolt",
        quantity=Decimal(100),
        value=eur(value),
        promised_on=PROMISED,
        customer=customer,
        order_id=subject_id("order", "erp", "O1"),
        order_line_id=subject_id("order-line", "erp", f"O1/{number}"),
    )


LINES = (shipment_line(1), shipment_line(2, value="750.50"))


def delayed(
    kind: Any = ShipmentDelayed, *, days: int = 1, shipment: str = "S1", lines: Any = None, **changes: Any
) -> Any:
    shipment_id = subject_id("shipment", "erp", shipment)
    promised_at = datetime(2026, 3, 5, tzinfo=UTC)
    told = {
        "occurred_at": NOW,
        "shipment_id": shipment_id,
        "reference": shipment,
        "destination": "Abidjan",
        "lines": lines
        if lines is not None
        else tuple(shipment_line(n, shipment=shipment, value=v) for n, v in ((1, "1250.00"), (2, "750.50"))),
        "cause": Cause(kind="shipment-delay", id=shipment_id),
        "cause_occurred_at": NOW - timedelta(hours=1),
        "basis": "reported",
        "provisional": False,
        "promised_on": PROMISED,
        "promised_at": promised_at,
        "expected_at": promised_at + timedelta(days=days),
        "delay_minutes": days * 1440,
    }
    return kind(**(told | changes))


def extended(days: int = 3, **changes: Any) -> ShipmentExtended:
    made: ShipmentExtended = delayed(ShipmentExtended, days=days, **changes)
    return made


def _shipment_fact(shipment: str = "S1") -> dict[str, Any]:
    shipment_id = subject_id("shipment", "erp", shipment)
    return {
        "occurred_at": NOW,
        "shipment_id": shipment_id,
        "reference": shipment,
        "destination": "Abidjan",
        "lines": LINES,
        "cause": Cause(kind="shipment-delay", id=shipment_id),
    }


def recovered(shipment: str = "S1") -> ShipmentRecovered:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    return ShipmentRecovered(**_shipment_fact(shipment), promised_at=at, expected_at=at)


def settled(days_late: int = 2, shipment: str = "S1") -> ShipmentSettled:
    return ShipmentSettled(
        **_shipment_fact(shipment),
        verdict="late" if days_late else "in-time",
        days_late=days_late,
        received_on=PROMISED + timedelta(days=days_late),
        recorded_late=not days_late,
    )


def cancelled(shipment: str = "S1", cause: bool = True) -> ShipmentCancelled:
    fact = _shipment_fact(shipment)
    return ShipmentCancelled(**(fact | {"cause": fact["cause"] if cause else None}), reason="the vessel sank")


def impact(
    version: int = 1,
    *,
    customers: tuple[tuple[str, str], ...] = (("Hofmann", "key"),),
    unmatched: int = 0,
    cause: Cause = CAUSE,
) -> ImpactAssessed:
    lines = tuple(
        ImpactLine(
            order_id=subject_id("order", "erp", c),
            order_line_id=subject_id("order-line", "erp", f"{c}/1"),
            shipment_line_id=LINES[0].line_id,
            customer=c,
            tier=tier,
            item="bolt",
            site="Abidjan",
            quantity=Decimal(100),
            value=eur("1250.00"),
            promised_on=PROMISED,
            promise_version=1,
            proposed_on=PROMISED + timedelta(days=1),
        )
        for c, tier in customers
    )
    return ImpactAssessed(
        occurred_at=NOW,
        impact_id=subject_id("impact", cause.kind, str(cause.id)),
        cause=cause,
        version=version,
        lines=lines,
        value=eur("0"),
        unmatched_lines=unmatched,
    )


def shortage(
    *,
    cause: Cause | None = None,
    quantity: int = 40,
    value: str | None = "500.00",
    item: str = "bolt",
    short_on: date = PROMISED,
) -> ShortagePredicted:
    return ShortagePredicted(
        occurred_at=NOW,
        stock_id=STOCK,
        item=item,
        site="Abidjan",
        cause=cause or Cause(kind="shortage", id=STOCK),
        cause_occurred_at=NOW,
        short_on=short_on,
        short_at=NOW + timedelta(days=2),
        quantity=Decimal(quantity),
        worse_by=Decimal(quantity),
        hours_left=48,
        value=None if value is None else eur(value),
    )


def averted(cause: Cause | None = None) -> ShortageAverted:
    return ShortageAverted(
        occurred_at=NOW,
        stock_id=STOCK,
        item="bolt",
        site="Abidjan",
        cause=cause or Cause(kind="shortage", id=STOCK),
        reason="a receipt covers it",
    )


def notice_sent(case_id: UUID, remaining: int = 0) -> NoticeSent:
    task_id = domain.task_id_of(case_id, "notify-customers")
    return NoticeSent(
        occurred_at=NOW,
        notice_id=subject_id("notice", str(task_id), "Hofmann"),
        case_id=case_id,
        task_id=task_id,
        cause=CAUSE,
        customer="Hofmann",
        version=1,
        transport="recording",
        sent_at=NOW,
        remaining=remaining,
    )


def chosen(case_id: UUID, remaining: int = 0, supplier: str = "Nordic") -> AlternativeChosen:
    task_id = domain.task_id_of(case_id, "find-alternative-source")
    return AlternativeChosen(
        occurred_at=NOW,
        sourcing_id=subject_id("sourcing", "task", str(task_id)),
        case_id=case_id,
        task_id=task_id,
        cause=CAUSE,
        alternative_id=subject_id("alternative", "test", supplier),
        line_id=LINES[0].line_id,
        supplier=supplier,
        order_id=subject_id("purchase-order", "test", "1"),
        by=By(subject="pat", role="procurement"),
        rationale="fastest",
        remaining_lines=remaining,
    )


def calendar(
    code: str = "weekdays",
    *,
    zone: str = "UTC",
    opens: int = 8,
    closes: int = 18,
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4),
) -> CalendarChanged:
    return CalendarChanged(
        occurred_at=NOW,
        calendar_id=subject_id("calendar", "master", code),
        code=code,
        zone=zone,
        weekdays=weekdays,
        opens=time(opens),
        closes=time(closes),
        holidays=(),
    )


def ladder(*after: int, code: str = "default", most: int = 3) -> LadderChanged:
    roles = (None, "planning-lead", "executive")
    rungs = tuple(
        Rung(role=role, after_minutes=minutes) for role, minutes in zip(roles, after or (0, 240, 480), strict=False)
    )
    return LadderChanged(
        occurred_at=NOW,
        ladder_id=subject_id("ladder", "master", code),
        code=code,
        calendar="weekdays",
        rungs=rungs,
        max_escalations=most,
    )


def roster(function: Any, *persons: str) -> RosterChanged:
    duties = tuple(Duty(person=p, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=30)) for p in persons)
    return RosterChanged(
        occurred_at=NOW, roster_id=subject_id("roster", "master", function), function=function, duties=duties
    )


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def playbook_task(
    kind: str = "notify-customers", function: Any = "sales", *, required: bool = True, limit: str | None = None
) -> domain.PlaybookTask:
    return domain.PlaybookTask(
        kind=kind,
        function=function,
        title=f"Please: {kind}",
        commit_within=WorkingDuration(minutes=480),
        complete_within=WorkingDuration(minutes=1800),
        required=required,
        money_limit=None if limit is None else eur(limit),
    )


BOTH = (playbook_task(), playbook_task("find-alternative-source", "procurement", limit="5000"))


def playbook(
    kind: Any = "shipment-delay", tasks: tuple[domain.PlaybookTask, ...] = BOTH, **changes: Any
) -> domain.Playbook:
    fields = {
        "kind": kind,
        "number": 1,
        "calendar": "weekdays",
        "ladder": "default",
        "recurrence_days": 7,
        "acknowledge_within": WorkingDuration(minutes=240),
        "tasks": tasks,
        "by_subject": "lea",
        "recorded_at": NOW,
    }
    return domain.Playbook(**(fields | changes))


def thresholds(**changes: Any) -> domain.Thresholds:
    fields: dict[str, Any] = {
        "code": "standard",
        "number": 1,
        "currency": "EUR",
        "money": (domain.MoneyStep("medium", Decimal(10_000)), domain.MoneyStep("high", Decimal(100_000))),
        "tiers": (domain.TierStep("medium", "key"), domain.TierStep("high", "strategic")),
        "hours_left": (domain.HoursStep("high", 8),),
        "tightenings": (domain.Tightening("high", 50),),
        "by_subject": "lea",
        "recorded_at": NOW,
    }
    return domain.Thresholds(**(fields | changes))


def around_the_clock(span: WorkingDuration, start: datetime) -> datetime:
    """UTC, seven days, around the clock."""
    if span.days is None:
        return start + timedelta(minutes=span.minutes or 0)
    return datetime.combine(start.date() + timedelta(days=span.days + 1), time(0), tzinfo=UTC)


def rules(kind: Any = "shipment-delay", **changes: Any) -> domain.Rulebook:
    return domain.Rulebook(
        playbook=changes.pop("playbook", playbook(kind)),
        thresholds=changes.pop("thresholds", thresholds()),
        due=around_the_clock,
    )


def a_case(**changes: Any) -> domain.Case:
    """A case that was just opened for a delay of one day."""
    case, _ = domain.open_case(
        signal=domain.signal_of(changes.pop("told", delayed())),
        cycle=1,
        previous_case_id=None,
        rules=changes.pop("rules", rules()),
        now=changes.pop("now", NOW),
    )
    assert not changes
    return case


def names(facts: Any) -> list[str]:
    """The short names of facts: `case.opened`, …"""
    return [type(f).event_name.split(".", 1)[1].rsplit(".", 1)[0] for f in facts]


def an_affected_line(number: int, value: str, *, shipment: UUID = SHIPMENT) -> AffectedLine:
    return AffectedLine(
        line_id=subject_id("shipment-line", "erp", f"S1/{number}"),
        reference=str(number),
        shipment_id=shipment,
        item="bolt",
        site="Abidjan",
        quantity=Decimal(1),
        value=eur(value),
        needed_on=PROMISED,
    )


def task(case: domain.Case, kind: str = "notify-customers") -> domain.Task:
    return case.task(domain.task_id_of(case.case_id, kind))


def done(case: domain.Case) -> domain.Case:
    """The case with both tasks done by their functions."""
    for kind, person in (("notify-customers", SALES), ("find-alternative-source", BUYER)):
        case, _ = domain.complete_task(
            case, task_id=task(case, kind).task_id, person=person, outcome="done so", now=LATER
        )
    return case
