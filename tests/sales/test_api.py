"""The doors of sales: who may do what, what a refusal says, what is masked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sales.builders import CASE, PROMISED, delayed, known_customer, placed, shipped, task_opened, task_withdrawn
from tests.support.service import ServiceUnderTest

ERP = {"source": "erp", "sites": "*", "customers": "*"}
LINE = {
    "reference": "1",
    "item": "bandage",
    "quantity": "10",
    "value": {"amount": "99.50", "currency": "USD"},
    "promised_on": "2026-03-04",
}
ORDER = {"source": "erp", "reference": "O1", "customer": "clinic", "site": "Abidjan", "lines": [LINE]}
LIMITED = {"sites": ["Abidjan"], "customers": ["clinic"]}


def refused(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def draft(sales: ServiceUnderTest) -> str:
    order = placed(sales)
    sales.consume(delayed(shipped(order)), task_opened())
    (notice,) = sales.get("/notices").json()["items"]
    return str(notice["notice_id"])


def test_an_order_is_placed_shown_and_cancelled(sales: ServiceUnderTest) -> None:
    known_customer(sales)
    made = sales.post("/orders", ORDER, role="sales", key="k1")
    assert made.status_code == 201
    order_id = made.json()["order_id"]
    assert sales.post("/orders", ORDER, role="sales", key="k1").json() == made.json()
    assert refused(sales.post("/orders", ORDER, role="sales")) == (409, "conflict")
    (line,) = sales.get(f"/orders/{order_id}").json()["lines"]
    assert (line["requested_on"], line["promised_on"], line["promise_version"], line["actual_on"]) == (
        "2026-03-04",
        "2026-03-04",
        1,
        None,
    )
    second = {"lines": [{**LINE, "reference": "2"}]}
    assert len(sales.post(f"/orders/{order_id}/lines", second, role="sales").json()["lines"]) == 2
    confirmed = sales.post(
        f"/order-lines/{line['order_line_id']}/confirm", {"confirmed_on": "2026-03-05"}, role="sales"
    )
    assert confirmed.json()["lines"][0]["confirmed_on"] == "2026-03-05"
    assert (
        sales.post(f"/orders/{order_id}/cancel", {"reason": "not needed"}, role="sales").json()["state"] == "cancelled"
    )
    assert refused(sales.post(f"/orders/{order_id}/lines", second, role="sales")) == (409, "order-cancelled")
    assert sales.names() == ["order.placed", "order.changed", "order.cancelled"]


@pytest.mark.parametrize("role", ["logistics", "procurement", "inventory", "executive", "viewer", "sre"])
def test_only_sales_and_the_planning_lead_keep_customers_orders_and_promises(
    sales: ServiceUnderTest, role: str
) -> None:
    order = placed(sales)
    line = order.lines[0].order_line_id
    for path in ("/customers", "/orders", f"/promises/{line}/revise", f"/notices/{CASE}/approve", "/notice-policy"):
        assert sales.post(path, {}, role=role).status_code == 403, path
    assert sales.get(f"/orders/{order.order_id}", role=role).status_code == 200


def test_a_machine_keeps_orders_of_its_own_source_only(sales: ServiceUnderTest) -> None:
    known_customer(sales)
    assert sales.post("/orders", ORDER, role="machine", claims=ERP).status_code == 201
    other = ERP | {"source": "shop"}
    assert refused(sales.post("/orders", ORDER, role="machine", claims=other)) == (403, "outside-scope")
    order = placed(sales, "O2")
    cancel = sales.post(f"/orders/{order.order_id}/cancel", {"reason": "no more"}, role="machine", claims=other)
    assert refused(cancel) == (403, "outside-scope")
    stated = {"code": "clinic", "name": "Ours now", "source": "shop"}
    assert refused(sales.post("/customers", stated, role="machine", claims=other)) == (403, "outside-scope")
    assert sales.post("/customers", {**stated, "source": "erp"}, role="machine", claims=ERP).status_code == 201


def test_a_machine_reads_only_what_it_subscribed_to(sales: ServiceUnderTest) -> None:
    notice_id = draft(sales)
    order = sales.get("/orders").json()["items"][0]["order_id"]
    impact = sales.get("/impacts").json()["items"][0]["impact_id"]
    paths = {
        "sales.order": ("/orders", f"/orders/{order}", "/customers", "/customers/clinic"),
        "sales.impact": ("/impacts", f"/impacts/{impact}"),
        "sales.notice": ("/notices", f"/notices/{notice_id}", "/notice-policy", "/notice-policy/versions"),
    }
    for topic in paths:
        claims = ERP | {"topics": [topic]}
        for owner, asked in paths.items():
            for path in asked:
                status = sales.get(path, role="machine", claims=claims).status_code
                assert status == (200 if owner == topic else 403), (topic, path)
        assert sales.get("/figures", role="machine", claims=claims).status_code == 403
    assert sales.get("/orders", role="machine", claims=ERP).status_code == 403
    assert sales.get("/figures", role="machine", claims=ERP | {"topics": list(paths)}).status_code == 403, (
        "no topic says it"
    )
    shown = sales.get("/customers/clinic", role="machine", claims=ERP | {"topics": ["sales.order"]}).json()
    assert (shown["contact"], shown["masked"]) == (None, ["contact"])


def test_a_machine_neither_revises_nor_approves(sales: ServiceUnderTest) -> None:
    notice_id = draft(sales)
    line = sales.rows("SELECT order_line_id FROM order_lines")[0]["order_line_id"]
    for path in (f"/promises/{line}/revise", f"/promises/{line}/statements", f"/notices/{notice_id}/approve"):
        assert sales.post(path, {}, role="machine", claims=ERP).status_code == 403


def test_a_contradicting_statement_is_refused_and_counted_once_per_key(sales: ServiceUnderTest) -> None:
    """METRICS 3.2: contradictory-update rate"""
    line = placed(sales).lines[0].order_line_id
    path = f"/promises/{line}/statements"
    assert sales.post(path, {"stated_on": "2026-03-04", "version": 1}, role="sales").status_code == 201
    wrong = {"stated_on": "2026-03-09", "version": 1}
    for _ in range(2):
        answer = sales.post(path, wrong, role="sales", key="said-once")
        assert refused(answer) == (409, "contradictory-update")
        assert "current promise is 2026-03-04 in version 1" in answer.json()["detail"]
    figures = sales.get("/figures").json()
    assert (figures["statements"], figures["contradictions"], figures["contradictory_update_rate"]) == (2, 1, "0.5000")
    ledger = sales.get(f"/promises/{line}").json()
    assert (ledger["statements"], ledger["contradictions"]) == (2, 1)


def test_a_revised_promise_shows_every_version(sales: ServiceUnderTest) -> None:
    line = placed(sales).lines[0].order_line_id
    body = {"promised_on": "2026-03-06", "reason": "the customer agreed", "version": 1}
    assert sales.post(f"/promises/{line}/revise", body, role="sales").status_code == 200
    assert refused(sales.post(f"/promises/{line}/revise", body, role="sales")) == (409, "promise-moved")
    ledger = sales.get(f"/promises/{line}").json()
    assert [(v["version"], v["promised_on"], v["previous_on"]) for v in ledger["versions"]] == [
        (1, "2026-03-04", None),
        (2, "2026-03-06", "2026-03-04"),
    ]
    assert ledger["current"] == ledger["versions"][1]
    assert ledger["current"]["made_by"]["role"] == "sales"
    assert (ledger["promise_version"], ledger["promised_on"], ledger["told_on"]) == (2, "2026-03-06", "2026-03-04")


def test_an_approval_on_something_closed_is_refused_with_the_reason(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    notice_id = draft(sales)
    sales.consume(task_withdrawn())
    answer = sales.post(f"/notices/{notice_id}/approve", role="sales")
    assert refused(answer) == (409, "task-closed")
    assert "in time again" in answer.json()["detail"]


def test_an_approval_of_promises_that_moved_on_is_refused_and_a_new_draft_goes(sales: ServiceUnderTest) -> None:
    """FLOW 2.4"""
    notice_id = draft(sales)
    line = sales.rows("SELECT order_line_id FROM order_lines")[0]["order_line_id"]
    sales.post(f"/promises/{line}/revise", {"promised_on": "2026-03-05", "reason": "by hand"}, role="sales")
    assert refused(sales.post(f"/notices/{notice_id}/approve", role="sales")) == (409, "promise-moved")
    assert sales.rows("SELECT max(promise_version) AS v FROM promises")[0]["v"] == 2
    assert sales.post(f"/notices/{notice_id}/redraft", role="sales").json()["revision"] == 2
    assert sales.post(f"/notices/{notice_id}/approve", role="sales").json()["state"] == "approved"
    assert refused(sales.post(f"/notices/{notice_id}/approve", role="sales")) == (409, "notice-not-open")


def test_only_a_failed_notice_is_retried_or_resolved(sales: ServiceUnderTest) -> None:
    notice_id = draft(sales)
    assert refused(sales.post(f"/notices/{notice_id}/retry", role="sales")) == (409, "notice-not-open")
    told = sales.post(f"/notices/{notice_id}/resolve", {"reason": "by phone"}, role="sales")
    assert refused(told) == (409, "notice-not-open")


def test_a_draft_shows_the_words_with_the_promise_version_that_approval_makes(sales: ServiceUnderTest) -> None:
    notice_id = draft(sales)
    shown = sales.get(f"/notices/{notice_id}", role="sales").json()
    assert "now promised for 6 March 2026 (promise version 2)" in shown["text"]
    assert shown["recipient"] == "clinic@example.org"
    sales.post(f"/notices/{notice_id}/approve", role="sales")
    assert sales.get(f"/notices/{notice_id}", role="sales").json()["text"] == shown["text"]


@pytest.mark.parametrize(
    ("role", "seen"), [("sales", True), ("planning-lead", True), ("logistics", False), ("executive", False)]
)
def test_a_contact_is_masked_for_who_may_not_see_it(sales: ServiceUnderTest, role: str, seen: bool) -> None:
    notice_id = draft(sales)
    for path, field in (("/customers/clinic", "contact"), (f"/notices/{notice_id}", "recipient")):
        shown = sales.get(path, role=role).json()
        assert (shown[field], shown["masked"]) == (("clinic@example.org", []) if seen else (None, [field]))
    (row,) = sales.get("/customers", role=role).json()["items"]
    assert row["contact"] == ("clinic@example.org" if seen else None)


def test_what_lies_outside_the_scope_is_neither_shown_nor_changed(sales: ServiceUnderTest) -> None:
    """FLOW 4.3"""
    mine, site, theirs = placed(sales), placed(sales, "O2", site="Lome"), placed(sales, "O3", customer="hospital")
    sales.consume(delayed([*shipped(mine), *shipped(theirs)]), task_opened())
    for order in (site, theirs):
        line = order.lines[0].order_line_id
        for path in (f"/orders/{order.order_id}", f"/promises/{line}"):
            assert refused(sales.get(path, role="sales", claims=LIMITED)) == (403, "outside-scope")
        revise = sales.post(
            f"/promises/{line}/revise", {"promised_on": "2026-04-01", "reason": "mine"}, role="sales", claims=LIMITED
        )
        assert refused(revise) == (403, "outside-scope")
    hidden = next(n for n in sales.get("/notices").json()["items"] if n["customer"] == "hospital")
    assert refused(sales.get(f"/notices/{hidden['notice_id']}", role="sales", claims=LIMITED)) == (403, "outside-scope")
    approve = sales.post(f"/notices/{hidden['notice_id']}/approve", role="sales", claims=LIMITED)
    assert refused(approve) == (403, "outside-scope")
    strange = {**ORDER, "reference": "O9", "customer": "hospital"}
    assert refused(sales.post("/orders", strange, role="sales", claims=LIMITED)) == (403, "outside-scope")
    batch = {"source": "erp", "items": [{k: v for k, v in strange.items() if k != "source"} | {"key": "O9"}]}
    (result,) = sales.post("/orders:batch", batch, role="sales", claims=LIMITED).json()["results"]
    assert result["status"] == "refused"


def test_nobody_learns_whose_order_a_reference_is(sales: ServiceUnderTest) -> None:
    placed(sales, "O3", customer="hospital", site="Lome")
    known_customer(sales)
    taken = {**ORDER, "reference": "O3"}
    batch = {"source": "erp", "items": [{k: v for k, v in taken.items() if k != "source"} | {"key": "O3"}]}
    (result,) = sales.post("/orders:batch", batch, role="sales", claims=LIMITED).json()["results"]
    single = sales.post("/orders", taken, role="sales", claims=LIMITED)
    assert (result["status"], refused(single)) == ("refused", (403, "outside-scope"))
    for told in (result["reason"], single.text):
        assert "outside your scope" in told
        assert not [word for word in ("hospital", "Lome") if word in told]
    (result,) = sales.post("/orders:batch", batch, role="sales").json()["results"]
    assert "hospital" in result["reason"], "who may see the order is told what to do"


def test_an_order_line_whose_id_is_taken_is_refused_in_words_and_alone(sales: ServiceUnderTest) -> None:
    """Line 1/2 of order T and line 2 of order T/1 have one id: the second was a failure of ours and took its batch with it."""
    known_customer(sales)
    first = {**ORDER, "reference": "T", "lines": [{**LINE, "reference": "1/2"}]}
    second = {**ORDER, "reference": "T/1", "lines": [{**LINE, "reference": "2"}]}
    items = [
        {name: value for name, value in one.items() if name != "source"} | {"key": one["reference"]}
        for one in (first, second, {**ORDER, "reference": "good"})
    ]
    results = sales.post("/orders:batch", {"source": "erp", "items": items}, role="sales").json()["results"]
    assert [one["status"] for one in results] == ["created", "conflict", "created"]
    assert "another record has the same order_line_id" in results[1]["reason"]
    answer = sales.post("/orders", second, role="sales")
    assert refused(answer) == (409, "taken")
    assert "give this one another reference" in answer.json()["detail"]


def test_what_is_not_known_is_said_so(sales: ServiceUnderTest) -> None:
    for path in (f"/orders/{CASE}", f"/promises/{CASE}", f"/impacts/{CASE}", f"/notices/{CASE}", "/customers/nobody"):
        assert refused(sales.get(path)) == (404, "not-found")
    for path in (f"/orders/{CASE}/cancel", f"/notices/{CASE}/resolve"):
        assert refused(sales.post(path, {"reason": "because"})) == (404, "not-found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"lines": []}, "lines"),
        ({"customer": "nobody"}, "customer"),
        ({"lines": [{**LINE, "quantity": "-1"}]}, "lines.0.quantity"),
    ],
)
def test_a_bad_order_is_refused_with_the_field(sales: ServiceUnderTest, change: dict[str, Any], field: str) -> None:
    known_customer(sales)
    answer = sales.post("/orders", ORDER | change, role="sales")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_only_the_planning_lead_sets_the_notice_policy_and_every_version_stays(sales: ServiceUnderTest) -> None:
    assert sales.get("/notice-policy").json()["automatic"] is False
    assert sales.post("/notice-policy", {"automatic": True}, role="sales").status_code == 403
    body = {
        "automatic": True,
        "automatic_tiers": ["standard"],
        "automatic_value_max": {"amount": "10.00", "currency": "USD"},
    }
    assert sales.post("/notice-policy", body).json()["revision"] == 1
    assert sales.post("/notice-policy", {"default_slip_days": 3}).json()["revision"] == 2
    now = sales.get("/notice-policy").json()
    assert (now["default_slip_days"], now["automatic"], now["made_by"]["role"]) == (3, False, "planning-lead")
    assert [v["revision"] for v in sales.get("/notice-policy/versions").json()["items"]] == [1, 2]
    assert sales.post("/notice-policy", {"default_slip_days": 0}).json()["field"] == "default_slip_days"


def test_every_route_stands_in_the_openapi_document_with_its_act(sales: ServiceUnderTest) -> None:
    paths = sales.get("/openapi.json").json()["paths"]
    acts = {(path, method): route["x-act"] for path, found in paths.items() for method, route in found.items()}
    assert acts["/orders:batch", "post"] == acts["/customers", "post"] == "keep-sales"
    assert acts["/notices/{notice_id}/approve", "post"] == "approve-notice"
    assert acts["/notice-policy", "post"] == "keep-rules"
    assert {act for (_, method), act in acts.items() if method == "get"} == {"read", "operate"}


def test_customers_come_in_batches(sales: ServiceUnderTest) -> None:
    items = [{"key": f"c{n}", "code": f"c{n}", "name": f"Customer {n}"} for n in range(3)]
    items[1]["zone"] = "Mars/Olympus"
    results = sales.post("/customers:batch", {"source": "erp", "items": items}, role="machine", claims=ERP).json()[
        "results"
    ]
    assert [(r["status"], r["field"]) for r in results] == [("created", None), ("refused", "zone"), ("created", None)]
    assert [c["tier"] for c in sales.get("/customers").json()["items"]] == ["standard", "standard"]
    assert str(PROMISED) == LINE["promised_on"]
