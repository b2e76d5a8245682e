"""The tables of PRODUCT.md, the file that holds them, and the routes of all doors say the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schemas.access import SEES
from tests.access import matrix
from tests.support.needs import needs_records
from tools.contracts import openapi

TEXT = matrix.FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return openapi.documents()


def _said(text: str, documents: dict[str, dict[str, Any]]) -> list[str]:
    return matrix.differences(matrix.lines(text), matrix.doors(documents))


def test_every_route_asks_for_the_roles_that_its_line_names(documents: dict[str, dict[str, Any]]) -> None:
    assert _said(TEXT, documents) == []


def test_each_row_of_the_product_page_is_a_line_word_for_word() -> None:
    """ACCESS 1: nothing left out, nothing added but what is said to stand beside the tables."""
    page = needs_records("design", "PRODUCT.md").read_text(encoding="utf-8")
    part = page.split("## Who may do what")[1].split("\n## ")[0]
    rows = [[c.strip() for c in row.strip("|").split("|")] for row in part.splitlines() if row.startswith("|")]
    wanted = [(row[0], " / ".join(row[1:])) for row in rows if row[0] not in ("Act", "Field") and "---" not in row[0]]
    kept = [(line.row, line.allowed) for line in matrix.lines(TEXT) if line.table != "beside"]
    assert kept == wanted


def test_marked_fields_are_shown_to_the_roles_that_their_line_names() -> None:
    fields = [line for line in matrix.lines(TEXT) if line.table == "fields"]
    cost, contact, nobody = fields
    assert (cost.kinds, contact.kinds, nobody.kinds) == (("cost", "freight"), ("contact",), ())
    assert set(SEES["cost"]) == cost.persons
    assert set(SEES["freight"]) == cost.roles, "freight only, for logistics"
    assert set(SEES["contact"]) == contact.persons
    assert set(SEES["raw"]) == cost.persons & contact.persons, "a raw record holds all of them"


# ── the gate's own crimes ────────────────────────────────────────────────────────────────────────


def test_a_route_without_a_line_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = copy.deepcopy(documents)
    guilty["sales"]["paths"]["/back-door"] = {"post": {"x-act": "read", "x-roles": ["viewer"], "x-machine": []}}
    assert _said(TEXT, guilty) == ["sales POST /back-door: no line of the file names it"]


def test_a_line_whose_roles_are_not_the_routes_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = TEXT.replace("\tplanning-lead, sre\t\t", "\tplanning-lead, sre, viewer\t\t")
    assert guilty != TEXT
    said = sorted(_said(guilty, documents))
    doors = ("exceptions POST /cases:import", "logistics POST /shipments:import")
    assert [
        one.startswith(f"{door}: roles are planning-lead, sre, the table says")
        for one, door in zip(said, doors, strict=True)
    ] == [True, True]


def test_a_route_opened_to_another_role_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = copy.deepcopy(documents)
    guilty["sales"]["paths"]["/notices/{notice_id}/approve"]["post"]["x-roles"].append("viewer")
    (said,) = _said(TEXT, guilty)
    assert said.startswith("sales POST /notices/{notice_id}/approve: roles are planning-lead, sales, viewer")


def test_a_route_opened_to_machines_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = copy.deepcopy(documents)
    guilty["procurement"]["paths"]["/terms"]["post"]["x-machine"].append("supplier")
    assert _said(TEXT, guilty) == ["procurement POST /terms: claims are supplier, the table says "]


def test_a_route_told_under_another_topic_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = copy.deepcopy(documents)
    guilty["exceptions"]["paths"]["/cases"]["get"]["x-topic"] = "sales.order"
    (said,) = _said(TEXT, guilty)
    assert "topic are sales.order, the table says exceptions.case" in said


def test_a_line_about_a_route_that_is_gone_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = copy.deepcopy(documents)
    del guilty["forecast"]["paths"]["/overrides"]
    assert _said(TEXT, guilty) == ["forecast GET /overrides: there is no such route"]


def test_a_route_in_two_lines_fails(documents: dict[str, dict[str, Any]]) -> None:
    guilty = TEXT.replace("logistics POST /shipments:import", "logistics POST /shipments:import; console GET /stream")
    assert "console GET /stream: in two lines" in _said(guilty, documents)
