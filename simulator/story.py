"""The story of one delay, told as it happens: a truck is a day late, and the functions answer as one team."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from chassis.runtime.clock import machine_now
from simulator import network, people
from simulator.service_client import Refused, ServiceClient, until

Tell = Callable[[str, dict[str, Any]], None]
HISTOGRAM = "scorecard_decision_seconds"
AGREE_SECONDS = 0.001


@dataclass
class Watcher:
    """Follows the live exception stream from before the story on, and remembers when each fact came."""

    services: ServiceClient
    facts: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    def start(self) -> None:
        """Follow in a thread of its own, until the process ends."""
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        try:
            for came, fact in self.services.follow("planning-lead"):
                self.facts.append((came, fact))
        except (httpx.HTTPError, Refused) as error:
            self.failed.append(error)

    def wait_for(self, case_of: str | None, *types: str, count: int = 1) -> list[tuple[float, dict[str, Any]]]:
        """Wait until facts of these types have come, of this case where one is named; returns them in their order."""

        def found() -> list[tuple[float, dict[str, Any]]] | None:
            if self.failed:
                raise self.failed[0]
            fit = [
                f
                for f in list(self.facts)
                if f[1]["type"] in types and (case_of is None or f[1]["data"]["case_id"] == case_of)
            ]
            return fit if len(fit) >= count else None

        what = ", ".join(types)
        return list(until(found, f"{what} on the live stream"))


BEFORE_THE_SIGNAL = 4.0  # paces: time to open the desk


class Story:
    """Tells the story step by step; raises Refused where a link is missing."""

    def __init__(self, services: ServiceClient, tell: Tell, *, seed: int, pace: float = 0.0) -> None:
        """`pace`: seconds that simulated people take before each act, so that others can watch."""
        self._services, self._tell_all, self._seed, self._pace = services, tell, seed, pace
        self._watcher = Watcher(services)
        self._last = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Tell everything; returns the velocity of the case as the three measured it."""
        made = self._set_the_scene()
        before = _prometheus()
        self._wait(BEFORE_THE_SIGNAL)
        truck, told_at = self._truck_is_late(made)
        case, tasks = self._case_opens(truck, told_at)
        self._functions_prepare(case, tasks)
        self._people_answer(case, tasks)
        self._quorum_closes(case)
        measured = self._velocity(case, before)
        self._why(case)
        return measured

    def _wait(self, times: float = 1.0) -> None:
        threading.Event().wait(self._pace * times)
        self._last = time.monotonic()

    def _tell(self, kind: str, text: str, at: float | None = None, **facts: Any) -> None:
        now = at if at is not None else time.monotonic()
        self._tell_all(kind, {"text": text, "after_ms": round((now - self._last) * 1000, 1), **facts})
        self._last = now

    def _set_the_scene(self) -> network.Network:
        run = machine_now().strftime("%m%d%H%M%S")
        made = network.plant(self._services, seed=self._seed, now=machine_now(), run=run)
        reference = next(iter(made.trucks))
        until(
            lambda: self._services.get("logistics", "logistics", "/shipments", reference=reference)["items"],
            "the planned trucks",
        )
        until(lambda: self._services.get("inventory", "inventory", "/sites")["items"], "the sites")
        self._watcher.start()
        self._tell(
            "scene",
            f"A small simulated network: {len(network.SITES)} sites, {len(network.ITEMS)} items with stock, {len(network.CUSTOMERS)} customers with "
            f"{len(made.orders)} orders ({made.lines} lines), {len(network.SUPPLIERS)} suppliers, {len(made.trucks)} trucks on the way.",
        )
        return made

    def _truck_is_late(self, made: network.Network) -> tuple[dict[str, Any], float]:
        truck = next(iter(made.trucks.values()))
        now = machine_now()
        self._last = time.monotonic()
        result = network.tell_late(
            self._services, truck, now=now, days=2, reason="breakdown", note="gearbox, Aflao border (simulated)"
        )
        told_at = time.monotonic()
        self._tell(
            "signal",
            f"Carrier {network.CARRIER} says that truck {truck['reference']} to {truck['destination']} is a day late: accepted.",
            told_at,
        )
        return {**truck, "shipment_id": result["id"]}, told_at

    def _case_opens(self, truck: dict[str, Any], reported_at: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        opened_at, opened = next(
            f for f in until(lambda: self._opened(truck["shipment_id"]), "the case on the live stream")
        )
        data = opened["data"]
        self._tell(
            "case",
            f"Case opened by itself: {data['headline']}. At risk: {data['value_at_risk']['amount']} {data['value_at_risk']['currency']}, "
            f"{len(data['lines'])} lines of {len(data['customers'])} customers, severity {data['severity']}.",
            opened_at,
            case_id=data["case_id"],
        )
        tasks = self._watcher.wait_for(data["case_id"], "exceptions.task.opened.v1", count=2)
        for came, task in tasks:
            self._tell(
                "task",
                f"Task for {task['data']['function']}: {task['data']['title']}.",
                came,
                ms_since_signal=round((came - reported_at) * 1000, 1),
            )
        return data, [task["data"] for _, task in tasks]

    def _opened(self, shipment_id: str) -> list[tuple[float, dict[str, Any]]]:
        return [
            f
            for f in list(self._watcher.facts)
            if f[1]["type"] == "exceptions.case.opened.v1" and f[1]["data"]["cause"]["id"] == shipment_id
        ]

    def _functions_prepare(self, case: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        ((came, reassessed), *_) = self._watcher.wait_for(case["case_id"], "exceptions.case.reassessed.v1")
        affected = ", ".join(
            f"{a['customer']} ({a['tier']}, {a['lines']} lines)" for a in reassessed["data"]["affected"]
        )
        self._tell(
            "impact",
            f"Sales joined the delay to its orders: {affected}; severity is now {reassessed['data']['severity']}.",
            came,
        )
        drafts = until(
            lambda: people._drafts(self._services, case["case_id"], len(case["customers"])), "the drafted notices"
        )
        text = self._services.get("sales", "sales", f"/notices/{drafts[0]['notice_id']}")["text"]
        self._tell(
            "notice", f"Sales has {len(drafts)} drafted notices. The first reads: {' '.join(text.split())[:220]} …"
        )
        task_id = next(t["task_id"] for t in tasks if t["kind"] == "find-alternative-source")
        found = until(lambda: people._round(self._services, task_id), "procurement's ranked alternatives")
        whole = self._services.get("procurement", "procurement", f"/sourcings/{found['sourcing_id']}")
        line = max(whole["lines"], key=lambda one: (sum(o["feasible"] for o in one["options"]), len(one["options"])))
        ranked = "; ".join(
            f"{o['rank']}. {o['supplier']}"
            + (
                f", lands at {o['landed_cost']['amount']}, arrives {o['arrives_on']}"
                if o["feasible"]
                else f" cannot: {o['reasons'][0]}"
            )
            for o in line["options"]
        )
        self._tell(
            "options",
            f"Procurement ranked {found['alternatives']} ways out for {found['lines']} lines; for {line['item']}: {ranked or 'none'}.",
        )
        for shortage in self._services.get("inventory", "inventory", "/shortages").get("items", [])[:2]:
            self._tell(
                "shortage",
                f"Inventory predicts a shortage of {shortage['quantity']} {shortage['item']} at {shortage['site']} on {shortage['short_on']}.",
            )

    def _people_answer(self, case: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        self._wait(2)
        people.acknowledge(self._services, case["case_id"])
        self._tell("act", "A simulated person of logistics acknowledged the case and took it.")
        for task in tasks:
            self._wait()
            people.commit_to(self._services, task, machine_now())
            self._tell("act", f"A simulated person of {task['function']} committed to “{task['title']}”.")
        task_id = next(t["task_id"] for t in tasks if t["kind"] == "find-alternative-source")
        self._wait()
        chosen = people.choose(self._services, task_id)
        limit = chosen["money_limit"]
        within = f", within the limit of {limit['amount']} {limit['currency']}" if limit else ""
        self._tell(
            "act",
            f"A simulated person of procurement chose a way out for {chosen['chosen']} of {len(chosen['lines'])} lines{within};"
            " the orders are placed.",
        )
        ((came, decided), *_) = self._watcher.wait_for(case["case_id"], "exceptions.case.decided.v1")
        self._tell("decided", f"The case is decided: {decided['data']['choice']}", came)
        self._wait()
        drafts = people.approve(self._services, case["case_id"], len(case["customers"]))
        self._tell(
            "act",
            f"A simulated person of sales approved {len(drafts)} notices; the promises are revised in the ledger.",
        )
        line = self._services.get("sales", "sales", f"/notices/{drafts[0]['notice_id']}")["lines"][0]
        ledger = self._services.get("sales", "sales", f"/promises/{line['order_line_id']}")
        self._tell(
            "promise",
            f"Promise of one line: version {ledger['promise_version']}, {line['promised_on']} → {ledger['promised_on']}.",
        )

    def _quorum_closes(self, case: dict[str, Any]) -> None:
        ((came, _), *_) = self._watcher.wait_for(case["case_id"], "exceptions.case.implemented.v1")
        sent = until(lambda: self._sent(case), "the sent notices")
        self._tell(
            "sent", f"{len(sent)} notices went to the recording transport; no mail leaves a world that is not live."
        )
        self._tell(
            "implemented",
            "Every required function has committed and finished: the coordinated response stands.",
            max(came, self._last),
        )

    def _sent(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        found = self._services.get("sales", "sales", "/notices", case=case["case_id"], state="sent", limit=100)["items"]
        return found if len(found) >= len(case["customers"]) else []

    def _velocity(self, case: dict[str, Any], before: tuple[float, float]) -> dict[str, Any]:
        case_id = case["case_id"]

        def agreed() -> dict[str, Any] | None:
            found = self._services.get("viewer", "scorecard", f"/velocity/cases/{case_id}")
            total, count = _prometheus()
            both = (
                found["stream"]
                and found["recomputed"]
                and found["stream"]["decision_us"] is not None
                and found["recomputed"]["decision_us"] is not None
            )
            if not both or count - before[1] < 1:
                return None
            return {
                "stream_seconds": found["stream"]["decision_us"] / 1e6,
                "sql_seconds": found["recomputed"]["decision_us"] / 1e6,
                "prometheus_seconds": (total - before[0]) / (count - before[1]),
                "prometheus_count": count - before[1],
            }

        measured: dict[str, Any] = until(
            agreed, "the velocity of this case from the stream, from SQL and from Prometheus"
        )
        values = [measured[name] for name in ("stream_seconds", "sql_seconds", "prometheus_seconds")]
        if max(values) - min(values) > AGREE_SECONDS:
            raise Refused(f"the three do not agree to the millisecond: {measured}")
        self._tell(
            "velocity",
            f"Decision velocity of this case: {values[0]:.3f} s from identified to coordinated response. Stream processor {values[0]:.6f}, "
            f"SQL {values[1]:.6f}, Prometheus sum and count {values[2]:.6f}: they agree to the millisecond.",
            **measured,
        )
        self._wait()
        people.verify(self._services, case_id)
        self._watcher.wait_for(case_id, "exceptions.case.verified.v1")
        self._tell("verified", "The simulated planning lead checked the effect; the case is closed.")
        return measured

    def _why(self, case: dict[str, Any]) -> None:
        """Walk from the task back to the carrier's message."""
        opened = next(
            f
            for _, f in self._watcher.facts
            if f["type"] == "exceptions.case.opened.v1" and f["data"]["case_id"] == case["case_id"]
        )
        chain = until(lambda: self._chain(opened["id"]), "the causal chain back to the carrier's message")
        self._tell("why", "Why: " + " ← ".join(chain) + ".")

    def _chain(self, fact_id: str) -> list[str] | None:
        try:
            found = self._services.get("viewer", "scorecard", f"/causes/{fact_id}")
        except Refused:
            return None  # the causal record has not heard the fact yet
        root = found["root"]
        if root["kind"] != "signal":
            return None
        asked = {"ids": [root["id"]], "kind": "signal"}
        shown = self._services.post("viewer", root["service"], "/causes:resolve", asked)["found"]
        return (
            [*(step["type"] for step in found["chain"]), f"signal {shown[0]['subject']} of {shown[0]['by']}"]
            if shown
            else None
        )


def _prometheus() -> tuple[float, float]:
    """Return sum and count of the stream worker's histogram of whole responses, over all labels."""
    text = httpx.get(os.environ["STREAM_METRICS_URL"], timeout=5).text
    total = count = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.labels.get("phase") == "whole":
                total += sample.value if sample.name == f"{HISTOGRAM}_sum" else 0.0
                count += sample.value if sample.name == f"{HISTOGRAM}_count" else 0.0
    return total, count
