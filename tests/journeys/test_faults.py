"""What happens to a delay when something dies in the middle."""

from __future__ import annotations

import os
import signal
from uuid import uuid4

from chassis.messaging import kafka
from tests.journeys.conftest import PATIENCE_SECONDS, Journey
from tests.support.service import wait_until
from tests.support.stack import Infrastructure


def test_a_crash_between_commit_and_publish_loses_nothing_and_doubles_nothing(
    whole: Journey, infra: Infrastructure
) -> None:
    """The fact is in the outbox with its state: whoever comes back publishes it."""
    shipment = whole.a_truck()
    broker = infra.kafka_pid()
    before = whole.world.pid("logistics")
    os.kill(broker, signal.SIGSTOP)  # nothing can be published while the broker stands still
    try:
        assert whole.late(shipment, days=2).is_success
        whole.world.kill("logistics")
    finally:
        os.kill(broker, signal.SIGCONT)
    whole.world.wait_until_ready("logistics", after_pid=before)
    case = whole.case_of(shipment, state="open")
    assert whole.world.pid("logistics") != before
    assert len(whole.cases_of(shipment)) == 1
    assert len(case["tasks"]) == 2


def test_poison_in_the_middle_holds_nobody_up_and_is_kept_with_its_bytes(whole: Journey, infra: Infrastructure) -> None:
    before, after = whole.a_truck(), whole.a_truck()
    whole.late(before, days=2)
    marker = uuid4().hex
    producer = kafka.producer(infra.kafka_bootstrap, "poison")
    for value in (b"{" + marker.encode(), b'{"specversion": "1.0", "data": {"note": "' + marker.encode() + b'"}}'):
        producer.produce(
            f"{whole.world.name}.logistics.shipment",
            key=b"nobody",
            value=value,
            headers={kafka.TYPE_HEADER: "logistics.shipment.delayed.v1"},
        )
    assert producer.flush(60) == 0
    whole.late(after, days=2)
    whole.case_of(before, state="open")
    whole.case_of(after, state="open")

    def dead() -> list[int]:
        letters = whole.get("exceptions", "/dead-letters", "sre", limit=500)["items"]
        return [d["dead_letter_id"] for d in letters if d["key"] == "nobody" and d["cause"] == "undecodable"]

    ids = wait_until(lambda: dead() if len(dead()) == 2 else None, seconds=PATIENCE_SECONDS)
    shown = whole.get("exceptions", f"/dead-letters/{ids[0]}", "sre")
    assert shown["value"]
    whole.did("exceptions", "/dead-letters:drop", {"ids": ids, "reason": "planted in a test"}, "sre")
    assert dead() == []


def test_a_service_that_was_down_for_a_while_answers_all_it_missed(whole: Journey) -> None:
    shipments = [whole.a_truck() for _ in range(5)]
    whole.world.stop("exceptions")
    for shipment in shipments:
        assert whole.late(shipment, days=2).is_success
    whole.world.start("exceptions")
    for shipment in shipments:
        whole.case_of(shipment, state="open")
        assert len(whole.cases_of(shipment)) == 1


def test_a_consumer_killed_in_the_middle_of_many_delays_answers_each_once(whole: Journey) -> None:
    shipments = [whole.a_truck(order=False) for _ in range(30)]
    before = whole.world.pid("exceptions")
    for number, shipment in enumerate(shipments):
        if number == len(shipments) // 3:
            whole.world.kill("exceptions")
        assert whole.late(shipment, days=2).is_success
    whole.world.wait_until_ready("exceptions", after_pid=before)
    for shipment in shipments:
        whole.case_of(shipment)
        assert len(whole.cases_of(shipment)) == 1
