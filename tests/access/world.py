"""A small world for every cell of the matrix: each kind of thing three times, in scope, at a foreign site, of a foreign customer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.scorecard import MeasureRecorded
from schemas.types import Money, subject_id
from services.exceptions import domain as response
from services.inventory.domain import stock_id
from services.procurement import domain as sourcing
from tests.exceptions import builders as cases
from tests.procurement import builders as buying
from tests.sales import builders as selling
from tests.scorecard.logs import Log
from tests.support.service import START, ServiceUnderTest

TARGETS = ("own", "far", "theirs")
SITE = {"own": "Nearsite", "far": "Farsite", "theirs": "Nearsite"}
CUSTOMER = {"own": "Ourclinic", "far": "Ourclinic", "theirs": "Theirclinic"}
DAY = date(2026, 3, 4)
PRICE = {"amount": "5.00", "currency": "USD"}
TASKS = {
    "notify-customers": "sales",
    "arrange-transport": "logistics",
    "check-stock": "inventory",
    "find-alternative-source": "procurement",
    "approve-spend": "executive",
}
OFFERED = dict(zip(TASKS, [*list(TASKS.values())[1:], "sales"], strict=True))  # each task to the next function
CASE_ACTS = ("acknowledge", "take", "pause", "resume", "decide", "verify", "reopen")
TASK_ACTS = ("commit", "complete", "refuse", "waive", "hand-over", "accept", "return", "assign")
OWNER = "olga"


@dataclass
class World:
    """One service with its things; `ids` names them by target, `marks` is what a reader elsewhere must never read."""

    service: ServiceUnderTest
    ids: dict[str, dict[str, str]] = field(default_factory=lambda: {target: {} for target in TARGETS})

    def keep(self, target: str, **ids: object) -> None:
        """Remember what a thing of a target is called."""
        self.ids[target] |= {name: str(value) for name, value in ids.items()}

    def do(self, path: str, body: Any, role: str, status: int = 201) -> Any:
        """Do an act that must go through."""
        answer = self.service.post(path, body, role=role)
        assert answer.status_code == status, f"{path}: {answer.text}"
        return answer.json()


def build(service: str, opened: ServiceUnderTest) -> World:
    """Fill one service through its own doors and reactions."""
    world = World(opened)
    _BUILDERS[service](world)
    return world


def _forecast(world: World) -> None:
    for target in ("own", "far"):
        weeks = [{"week_on": "2026-03-02", "quantity": 10}]
        made = world.do("/forecasts", {"item": "kit", "site": SITE[target], "weeks": weeks}, "sales")
        said = {"week_on": "2026-03-02", "quantity": 20, "reason": f"a tender in {SITE[target]}"}
        world.do(f"/forecasts/{made['forecast_id']}/overrides", said, "sales")
        world.do(f"/forecasts/{made['forecast_id']}/publish", {}, "sales", 200)
        world.keep(target, forecast_id=made["forecast_id"])


def _inventory(world: World) -> None:
    from schemas.sales import OrderLine, OrderPlaced

    item = {"key": "kit@1", "code": "kit", "unit_value": PRICE}
    sites = [{"key": f"{SITE[target]}@1", "code": SITE[target], "country": "FR"} for target in ("own", "far")]
    world.do("/items:batch", {"source": "erp", "items": [item]}, "inventory", 200)
    world.do("/sites:batch", {"source": "erp", "items": sites}, "inventory", 200)
    for target in ("own", "far"):
        site = SITE[target]
        world.do("/stock-entries", {"item": "kit", "site": site, "kind": "opening", "quantity": 100}, "inventory")
        line = OrderLine(
            line_id=subject_id("order-line", "erp", site),
            reference="1",
            item="kit",
            quantity=Decimal(150),
            value=Money(**PRICE),
            requested_on=DAY,
            promised_on=DAY,
            promise_version=1,
        )
        world.service.consume(
            OrderPlaced(
                occurred_at=START,
                order_id=subject_id("order", "erp", site),
                source="erp",
                reference=site,
                customer="Ourclinic",
                site=site,
                lines=(line,),
            )
        )
        world.keep(target, stock_id=stock_id("kit", site))


def shipment(target: str, reference: str | None = None, **changes: Any) -> dict[str, Any]:
    """The body of a shipment of a target."""
    line = {
        "reference": "1",
        "item": "kit",
        "quantity": "5",
        "value": PRICE,
        "promised_on": DAY.isoformat(),
        "customer": CUSTOMER[target],
    }
    return {
        "source": "erp",
        "reference": reference or f"S-{target}",
        "destination": SITE[target],
        "promised_on": DAY.isoformat(),
        "carrier": "northline",
        "lines": [line],
        **changes,
    }


def _logistics(world: World) -> None:
    world.do("/carriers", {"code": "northline", "name": "Northline"}, "logistics")
    for target in TARGETS:
        made = world.do("/shipments", shipment(target), "logistics")
        world.keep(target, shipment_id=made["shipment_id"])
    for target in TARGETS:  # received before its day and recorded after it: a finding
        made = world.do("/shipments", shipment(target, f"R-{target}"), "logistics")
        world.keep(target, received_id=made["shipment_id"])
    world.service.advance(START + timedelta(days=5))
    for target in TARGETS:
        said = {"received_on": DAY.isoformat()}
        world.do(f"/shipments/{world.ids[target]['received_id']}/receive", said, "logistics", 200)


def _procurement(world: World) -> None:
    for code in ("Acme", "Bolt"):
        world.do("/suppliers", {"code": code, "name": code}, "procurement")
        term = {"supplier": code, "item": "kit", "effective_from": "2026-03-01", "lead_time_days": 1}
        world.do("/terms", term | {"price": PRICE, "freight": PRICE}, "procurement")
    for target in TARGETS:
        made = world.do("/orders", purchase(target), "procurement")
        world.keep(target, order_id=made["order_id"])
    for name, target, limit in (*((t, t, None) for t in TARGETS), ("dear", "own", buying.usd(1))):
        task_id, case_id = subject_id("task", "access", name), subject_id("case", "access", name)
        line = buying.affected(
            line_id=subject_id("shipment-line", "erp", name),
            item="kit",
            site=SITE[target],
            customer=CUSTOMER[target],
            supplier="Elsewhere",
        )
        told = buying.task_opened(line, limit=limit)
        world.service.consume(told.model_copy(update={"task_id": task_id, "case_id": case_id}))
        round_id = sourcing.sourcing_id(task_id)
        option = world.service.get(f"/sourcings/{round_id}").json()["lines"][0]["options"][0]
        prefix = "dear_" if name == "dear" else ""
        world.keep(
            target,
            **{
                f"{prefix}sourcing_id": round_id,
                f"{prefix}line_id": line.line_id,
                f"{prefix}alternative_id": option["alternative_id"],
            },
        )


def purchase(target: str, reference: str | None = None) -> dict[str, Any]:
    """The body of a purchase order of a target."""
    line = {"reference": "1", "item": "kit", "quantity": 5, "needed_on": DAY.isoformat(), "price": PRICE}
    return {
        "source": "erp",
        "reference": reference or f"P-{target}",
        "supplier": "Acme",
        "destination": SITE[target],
        "lines": [line],
    }


def build_rules(world: World) -> None:
    """Give exceptions its playbook, thresholds, calendar and ladder."""
    span = {"minutes": 60}
    tasks = [
        {"kind": kind, "function": function, "title": f"Please {kind}", "commit_within": span, "complete_within": span}
        for kind, function in TASKS.items()
    ]
    rules = {
        "kind": "shipment-delay",
        "calendar": "weekdays",
        "ladder": "default",
        "acknowledge_within": span,
        "tasks": tasks,
    }
    world.do("/playbooks", rules, "planning-lead")
    world.do("/thresholds", {"currency": "EUR"}, "planning-lead")
    world.service.consume(cases.calendar(), cases.ladder())


def _exceptions(world: World) -> None:
    opened = world.service
    build_rules(world)
    told = {"escalated": "own"}
    _delay(world, told)
    opened.advance(START + timedelta(days=10))
    told = {f"case-{act}": "own" for act in CASE_ACTS} | {f"task-{act}": "own" for act in TASK_ACTS}
    _delay(world, told | {"far": "far", "theirs": "theirs", "own": "own"})
    for act in CASE_ACTS[2:]:
        path = f"/cases/{world.ids['own'][f'case-{act}']}/take"
        assert opened.post(path, role="planning-lead", claims={"sub": OWNER}).status_code == 200
    for act in ("accept", "return"):
        for kind, to in OFFERED.items():
            said = {"to_function": to, "note": "please"}
            world.do(f"/tasks/{world.ids['own'][f'task-{act}/{kind}']}/hand-over", said, "planning-lead", 200)


def _delay(world: World, arrival: dict[str, str]) -> None:
    facts = []
    for name, target in arrival.items():
        line = cases.shipment_line(1, shipment=name, customer=CUSTOMER[target])
        facts.append(cases.delayed(shipment=name, lines=(line,), destination=SITE[target]))
        case_id = response.case_id_of(facts[-1].cause, 1)
        tasks = {f"{name}/{kind}": response.task_id_of(case_id, kind) for kind in TASKS}
        world.keep(target, **{name: case_id, **tasks})
        if name == target:
            world.keep(
                target,
                case_id=case_id,
                cause_id=facts[-1].cause.id,
                task_id=response.task_id_of(case_id, "notify-customers"),
            )
    world.service.consume(*facts)


def _sales(world: World) -> None:
    for target in TARGETS:
        stated = {"code": CUSTOMER[target], "name": CUSTOMER[target], "contact": "who@example.org", "source": "erp"}
        world.do("/customers", stated, "sales")
    for target in TARGETS:
        order = selling.placed(world.service, f"O-{target}", customer=CUSTOMER[target], site=SITE[target])
        task_id, case_id = subject_id("task", "access", target), subject_id("case", "access", target)
        asked = selling.task_opened(target, task_id=task_id, case_id=case_id)
        late = selling.delayed(selling.shipped(order, shipment=target), shipment=target)
        world.service.consume(late.model_copy(update={"destination": SITE[target]}), asked)
        (notice,) = world.service.get(f"/notices?task={task_id}").json()["items"]
        world.keep(
            target,
            order_id=order.order_id,
            order_line_id=order.lines[0].order_line_id,
            code=CUSTOMER[target],
            notice_id=notice["notice_id"],
            impact_id=subject_id("impact", "shipment-delay", str(selling.cause_of(target).id)),
        )


def _scorecard(world: World) -> None:
    for target in TARGETS:
        log = Log(target, site=SITE[target], customer=CUSTOMER[target]).implemented_after(1)
        world.service.consume(*log.envelopes)
        last = log.envelopes[-1]
        world.service.consume(
            MeasureRecorded(
                occurred_at=last.time,
                case_id=log.case_id,
                fact_id=last.id,
                cause_kind="shipment-delay",
                severity="high",
                state="implemented",
                identified_at=log.start,
                as_of=last.time,
                phases=(),
                facts=3,
                latest_fact_id=last.id,
            )
        )
        world.keep(target, fact_id=last.id, case_id=log.case_id, cause_id=log.envelopes[0].id)


def _collaboration(world: World) -> None:
    world.do("/calendars", calendar(), "planning-lead", 200)
    world.keep("own", code="weekdays")


def calendar() -> dict[str, Any]:
    """The body of a calendar."""
    return {"code": "weekdays", "zone": "UTC", "weekdays": [0, 1, 2, 3, 4]}


_BUILDERS: dict[str, Callable[[World], None]] = {
    "forecast": _forecast,
    "inventory": _inventory,
    "logistics": _logistics,
    "procurement": _procurement,
    "exceptions": _exceptions,
    "sales": _sales,
    "scorecard": _scorecard,
    "collaboration": _collaboration,
}


def parts(service: str) -> Any:
    """Return what a service consists of."""
    return importlib.import_module(f"services.{service}.__main__").parts()


def is_uuid(text: str) -> bool:
    """Say whether a word names one thing and nothing else."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
