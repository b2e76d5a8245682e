"""Make the dump of a release anew: `python -m tests.upgrade.make 0.1.0`, on a checkout of that release.

A driven world is brought into the middle of its work: an open case, a drafted notice, a parked subject with a fact
behind it, a record that no reader can decode, armed timers, an effect that was begun and not ended, facts that are not
published yet, an answer that is kept under an Idempotency-Key. Then every process is killed and the databases are dumped.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from chassis.messaging import kafka
from chassis.messaging.relay import LOCK
from cli.stack import Stack, spawn
from tests.journeys.conftest import Journey
from tests.support.service import wait_until
from tests.support.stack import Infrastructure
from tests.upgrade.dump import FOLDER, RETENTION, WORLD, save

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DUE = datetime(2026, 3, 5, tzinfo=UTC)
WAIT_SECONDS = 60.0
REFUSE_ONE_ORDER = """
    CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.order_id = '{order}' THEN RAISE EXCEPTION 'the disk says no'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refuse_one BEFORE INSERT OR UPDATE ON demand_lines FOR EACH ROW EXECUTE FUNCTION refuse_one();
"""


def make(file: Path) -> None:
    """Drive a world into the middle of its work, kill it, and dump it."""
    infra = Infrastructure()
    try:
        with (
            ExitStack() as held,
            Stack.start(
                infra.home / "stack", postgres_url=infra.postgres_admin_url, kafka_bootstrap=infra.kafka_bootstrap
            ) as stack,
        ):
            world = stack.create_world(WORLD, clock="driven", seed="everyday", currency="EUR", env={"*": RETENTION})
            story = Driving(Journey(world), infra.kafka_bootstrap, held).drive()
            for process in world.processes.values():
                if process.pid is not None:
                    spawn.kill_group(process.pid)
            world.close()
            held.close()
            with psycopg.connect(world.database_urls["inventory"], autocommit=True) as connection:
                connection.execute("DROP TRIGGER refuse_one ON demand_lines; DROP FUNCTION refuse_one")
            file.parent.mkdir(parents=True, exist_ok=True)
            save(file, world.database_urls, story)
    finally:
        infra.close()


class Driving:
    """Everything that is done in the world, and what the story says of it."""

    def __init__(self, journey: Journey, bootstrap: str, held: ExitStack) -> None:
        self.journey, self.bootstrap, self.held = journey, bootstrap, held
        self.urls = journey.world.database_urls

    def drive(self) -> dict[str, Any]:
        """Return the story: what was in progress when every process was killed."""
        self.master_data()
        open_case = self.late("OPEN", quantity="5")
        kept = self.keep_an_answer()
        parked = self.park_a_subject()
        self.send_garbage()
        told = self.late("TOLD", quantity="2")
        self.journey.wait_until_quiet()
        return {
            "world": WORLD,
            "now": START,
            "open": open_case,
            "kept_answer": kept,
            "parked": parked,
            "told": told,
            "unpublished": self.leave_facts_unpublished(),
            "attempt": self.leave_an_effect_in_the_middle(told),
        }

    def master_data(self) -> None:
        did = self.journey.did
        self.journey.advance(START)
        self.journey.a_site()
        did("inventory", "/items", {"code": "kit", "unit_value": {"amount": "2.50", "currency": "EUR"}}, "inventory")
        did(
            "inventory",
            "/stock-entries",
            {"item": "kit", "site": "Abidjan", "kind": "opening", "quantity": "40"},
            "inventory",
        )
        did("procurement", "/suppliers", {"code": "bolt", "name": "Bolt & Sons"}, "procurement")
        price = {"amount": "9.00", "currency": "EUR"}
        term = {"supplier": "bolt", "item": "kit", "price": price, "lead_time_days": 1, "effective_from": "2020-01-01"}
        did("procurement", "/terms", term, "procurement")
        customer = {"code": "clinic", "name": "Clinic", "tier": "key", "contact": "orders@clinic.example"}
        did("sales", "/customers", customer, "sales")

    def line(self, *, quantity: str) -> dict[str, Any]:
        value = {"amount": "500.00", "currency": "EUR"}
        promised_on = DUE.date().isoformat()
        return {"reference": "1", "item": "kit", "quantity": quantity, "value": value, "promised_on": promised_on}

    def plan(self, name: str, *, quantity: str) -> str:
        """Place an order, plan its truck, and return the shipment's id."""
        value = {"amount": "500.00", "currency": "EUR"}
        line = {
            "reference": "1",
            "item": "kit",
            "quantity": quantity,
            "value": value,
            "promised_on": DUE.date().isoformat(),
        }
        order = {"reference": f"O-{name}", "customer": "clinic", "site": "Abidjan", "lines": [line]}
        self.journey.did("sales", "/orders", order, "sales")
        planned = {**line, "order": f"O-{name}", "order_line": "1", "customer": "clinic", "supplier": "acme"}
        truck = {
            "reference": name,
            "destination": "Abidjan",
            "promised_on": line["promised_on"],
            "carrier": "northline",
            "lines": [planned],
        }
        return str(self.journey.did("logistics", "/shipments", truck, "logistics")["shipment_id"])

    def late(self, name: str, *, quantity: str) -> dict[str, Any]:
        """Report a truck three days late; return its case with its tasks, its draft and its round."""
        shipment = self.plan(name, quantity=quantity)
        self.report_late(shipment)
        case = self.journey.case_of(shipment, state="open")
        notice = self._first("sales", "/notices", case=case["case_id"], state="drafted")
        round_ = self._first("procurement", "/sourcings", case=case["case_id"])
        return {
            "shipment_id": shipment,
            "case_id": case["case_id"],
            "notice_id": notice["notice_id"],
            "sourcing_id": round_["sourcing_id"],
            "tasks": {task["kind"]: task["task_id"] for task in case["tasks"]},
        }

    def report_late(self, shipment: str) -> None:
        body = {"expected_at": (DUE + timedelta(days=3)).isoformat(), "reason": "breakdown"}
        self.journey.did("logistics", f"/shipments/{shipment}/expected-arrival", body, "machine", carrier="northline")

    def keep_an_answer(self) -> dict[str, Any]:
        """Act under an Idempotency-Key; the same key with the same body is answered alike for as long as it is kept."""
        body = {"code": "kept", "name": "Kept", "tier": "standard", "contact": "kept@clinic.example"}
        answer = self.journey.did("sales", "/customers", body, "sales", key="kept-since-then")
        return {"key": "kept-since-then", "path": "/customers", "body": body, "answer": answer}

    def park_a_subject(self) -> dict[str, Any]:
        """Revise a promise in a way that inventory cannot store, then again: the second fact waits behind the first."""
        line = self.line(quantity="7")
        order = {"reference": "O-PARKED", "customer": "clinic", "site": "Abidjan", "lines": [line]}
        placed = self.journey.did("sales", "/orders", order, "sales")["order_id"]
        self.journey.wait_until_quiet()
        with psycopg.connect(self.urls["inventory"], autocommit=True) as connection:
            connection.execute(REFUSE_ONE_ORDER.format(order=placed).encode())
        promise = self.journey.get("sales", f"/orders/{placed}")["lines"][0]["order_line_id"]
        for days, done in ((5, self._letters), (7, lambda: any(letter["waiting"] for letter in self._letters()))):
            body = {"promised_on": (DUE + timedelta(days=days)).date().isoformat(), "reason": "the clinic asked for it"}
            self.journey.did("sales", f"/promises/{promise}/revise", body, "sales")
            wait_until(done, seconds=WAIT_SECONDS)
        return {"order_id": placed, "quantity": 7, "promised_on": (DUE + timedelta(days=7)).date(), "facts": 2}

    def send_garbage(self) -> None:
        """Send bytes that no reader can decode: a dead letter that only an operator can drop."""
        producer = kafka.Producer({"bootstrap.servers": self.bootstrap})
        producer.produce(
            f"{WORLD}.logistics.shipment", b"no fact", b"nobody", headers={"type": b"logistics.shipment.planned.v1"}
        )
        producer.flush(WAIT_SECONDS)
        wait_until(lambda: [one for one in self._letters() if one["key"] == "nobody"], seconds=WAIT_SECONDS)

    def leave_facts_unpublished(self) -> dict[str, str]:
        """Plan a truck while no relay of logistics is active: its fact stays in the outbox."""
        world = self.journey.world
        connection = self.held.enter_context(psycopg.connect(self.urls["logistics"], autocommit=True))
        world.stop("logistics")
        wait_until(lambda: _took(connection), seconds=WAIT_SECONDS)
        world.start("logistics")
        return {"shipment_id": self.plan("UNPUBLISHED", quantity="1")}

    def leave_an_effect_in_the_middle(self, figures: dict[str, Any]) -> dict[str, str]:
        """Approve a notice while the place where sends are recorded is locked: the attempt begins and does not end."""
        connection = self.held.enter_context(psycopg.connect(self.urls["sales"]))
        connection.execute("LOCK TABLE recorded_sends IN ACCESS EXCLUSIVE MODE")
        self.journey.did("sales", f"/notices/{figures['notice_id']}/approve", {}, "sales")
        with psycopg.connect(self.urls["sales"], autocommit=True) as asking:
            begun = "SELECT key FROM effect_attempts WHERE outcome IS NULL"
            row = wait_until(lambda: asking.execute(begun.encode()).fetchone(), seconds=WAIT_SECONDS)
        return {"key": row[0]}

    def _letters(self) -> list[dict[str, Any]]:
        return list(self.journey.get("inventory", "/dead-letters", "sre")["items"])

    def _first(self, service: str, path: str, **query: str) -> dict[str, Any]:
        found = wait_until(lambda: self.journey.get(service, path, **query)["items"], seconds=WAIT_SECONDS)
        return dict(found[0])


def _took(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    return bool(row and row[0])


if __name__ == "__main__":
    make(FOLDER / sys.argv[1] / "world.zip")
