"""docs/rules/access.md and the routes of all services and of the console agree, row by row."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schemas.access import SEES
from tests.access import matrix
from tools.contracts import openapi

TEXT = matrix.PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return openapi.documents()


def _differences(text: str, documents: dict[str, dict[str, Any]]) -> list[str]:
    return matrix.differences(matrix.rows(text), matrix.documented(documents))


def test_every_route_asks_for_the_roles_that_its_row_names(documents: dict[str, dict[str, Any]]) -> None:
    """ACCESS 1, ACCESS 3."""
    assert _differences(TEXT, documents) == []


def test_a_row_and_its_section_have_the_same_words() -> None:
    """ACCESS 1, ACCESS 3: the section repeats the act of its row."""
    for row in matrix.rows(TEXT):
        assert f"\n### ACCESS {row.number} {row.act}\n" in TEXT


def test_marked_fields_are_shown_to_the_roles_that_their_row_names() -> None:
    """ACCESS 2; a raw record may hold every other mark, so only who sees all of them sees it."""
    marks = matrix.marks(TEXT)
    assert {mark: frozenset(roles) for mark, roles in SEES.items()} == marks
    assert marks["raw"] == marks["cost"] & marks["freight"] & marks["contact"]


# ── planted violations ───────────────────────────────────────────────────────────────────────────


def test_a_route_without_a_row_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    planted["sales"]["paths"]["/back-door"] = {"post": {"x-act": "read", "x-roles": ["viewer"], "x-machine": []}}
    assert _differences(TEXT, planted) == ["sales POST /back-door: no row of the page names it"]


def test_a_row_whose_roles_are_not_the_routes_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = TEXT.replace("| planning-lead, sre | – |", "| planning-lead, sre, viewer | – |")
    assert planted != TEXT
    found = sorted(_differences(planted, documents))
    routes = ("exceptions POST /cases:import", "logistics POST /shipments:import")
    assert found == [
        f"{route}: roles: the route has planning-lead, sre, the page has planning-lead, sre, viewer" for route in routes
    ]


def test_a_route_opened_to_another_role_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    planted["sales"]["paths"]["/notices/{notice_id}/approve"]["post"]["x-roles"].append("viewer")
    (found,) = _differences(TEXT, planted)
    assert found.startswith(
        "sales POST /notices/{notice_id}/approve: roles: the route has planning-lead, sales, viewer"
    )


def test_a_route_opened_to_machines_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    planted["procurement"]["paths"]["/terms"]["post"]["x-machine"].append("supplier")
    assert _differences(TEXT, planted) == ["procurement POST /terms: claims: the route has supplier, the page has none"]


def test_a_route_under_another_topic_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    planted["exceptions"]["paths"]["/cases"]["get"]["x-topic"] = "sales.order"
    assert _differences(TEXT, planted) == [
        "exceptions GET /cases: topic: the route has sales.order, the page has exceptions.case"
    ]


def test_a_route_under_another_act_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    planted["exceptions"]["paths"]["/cases/{case_id}/decide"]["post"]["x-act"] = "verify-case"
    assert _differences(TEXT, planted) == [
        "exceptions POST /cases/{case_id}/decide: act: the route has verify-case, the page has decide-case"
    ]


def test_a_row_about_a_route_that_is_gone_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = copy.deepcopy(documents)
    del planted["forecast"]["paths"]["/overrides"]
    assert _differences(TEXT, planted) == ["forecast GET /overrides: there is no such route"]


def test_a_route_in_two_rows_fails(documents: dict[str, dict[str, Any]]) -> None:
    planted = TEXT.replace("| console | `GET /processes` |", "| console | `GET /processes`, `GET /stream` |")
    assert "console GET /stream: in two rows of the page" in _differences(planted, documents)


def test_a_row_without_a_section_and_a_section_without_a_row_fail() -> None:
    with pytest.raises(ValueError, match=r"rows without a section of their routes: 1\.5"):
        matrix.rows(TEXT.replace("### ACCESS 1.5 Decide", "### Decide"))
    with pytest.raises(ValueError, match=r"sections without a row in their table: 1\.5"):
        matrix.rows("\n".join(line for line in TEXT.splitlines() if not line.startswith("| 1.5 ")))


def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown roles: auditor"):
        matrix.rows(TEXT.replace("| planning-lead, sre | – |", "| planning-lead, auditor | – |"))
