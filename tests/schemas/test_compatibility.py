"""A published event only grows: each breaking change is planted and seen, each addition passes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from tests.layers.small_tree import ROOT
from tools import compatibility
from tools.compatibility import GENERATED, RELEASES, compare_folders, routes
from tools.compatibility.events import compare, compare_all, schemas_in
from tools.compatibility.narrowed import NARROWED
from tools.generate_contracts import keep_release

Schema = dict[str, Any]
NAME = "logistics.shipment.delayed.v1"


@pytest.fixture
def old() -> Schema:
    """A real generated schema."""
    return schemas_in(ROOT / "schemas" / "generated")[NAME]


def _data(schema: Schema) -> Schema:
    found = schema["$defs"]["ShipmentDelayed"]
    assert isinstance(found, dict)
    return found


def _line(schema: Schema) -> Schema:
    found = schema["$defs"]["ShipmentLine"]
    assert isinstance(found, dict)
    return found


def _remove_field(new: Schema) -> None:
    del _data(new)["properties"]["basis"]
    _data(new)["required"].remove("basis")


def _remove_optional_field(new: Schema) -> None:
    del _data(new)["properties"]["note"]


def _remove_field_of_a_line(new: Schema) -> None:
    del _line(new)["properties"]["customer"]


def _require_a_new_field(new: Schema) -> None:
    _data(new)["properties"]["weather"] = {"type": "string"}
    _data(new)["required"].append("weather")


def _require_an_old_field(new: Schema) -> None:
    _data(new)["required"].append("note")


def _require_a_new_attribute(new: Schema) -> None:
    new["properties"]["tenant"] = {"type": "string"}
    new["required"].append("tenant")


def _change_type(new: Schema) -> None:
    _data(new)["properties"]["delay_minutes"]["type"] = "string"


def _change_format(new: Schema) -> None:
    _data(new)["properties"]["promised_on"]["format"] = "date-time"


def _remove_enum_value(new: Schema) -> None:
    _data(new)["properties"]["basis"]["enum"].remove("overdue")


def _narrow_to_enum(new: Schema) -> None:
    _data(new)["properties"]["reference"]["enum"] = ["A"]


def _shorten(new: Schema) -> None:
    _data(new)["properties"]["reference"]["maxLength"] = 20


def _lengthen_the_least(new: Schema) -> None:
    _data(new)["properties"]["reference"]["minLength"] = 5


def _bound(new: Schema) -> None:
    _data(new)["properties"]["delay_minutes"]["maximum"] = 10


def _refuse_null(new: Schema) -> None:
    _data(new)["properties"]["expected_at"] = {"type": "string", "format": "date-time"}


def _allow_null(new: Schema) -> None:
    _data(new)["properties"]["delay_minutes"] = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def _no_longer_promised(new: Schema) -> None:
    _data(new)["required"].remove("basis")


def _refuse_unknown_fields(new: Schema) -> None:
    _data(new)["additionalProperties"] = False


def _one_instead_of_many(new: Schema) -> None:
    _data(new)["properties"]["lines"] = {"$ref": "#/$defs/ShipmentLine"}


def _move_topic(new: Schema) -> None:
    new["x-topic"] = "logistics.load"


def _change_key(new: Schema) -> None:
    new["x-key"] = "reference"


BREAKS: list[tuple[Callable[[Schema], None], str]] = [
    (_remove_field, ".basis: removed"),
    (_remove_optional_field, ".note: removed"),
    (_remove_field_of_a_line, ".lines[].customer: removed"),
    (_require_a_new_field, ".weather: newly required"),
    (_require_an_old_field, ".note: newly required"),
    (_require_a_new_attribute, ".tenant: newly required"),
    (_change_type, ".delay_minutes: changed type from integer to string"),
    (_change_format, ".promised_on: changed format"),
    (_remove_enum_value, ".basis: value 'overdue' removed"),
    (_narrow_to_enum, ".reference: narrowed"),
    (_shorten, ".reference: narrowed, maxLength"),
    (_lengthen_the_least, ".reference: narrowed, minLength"),
    (_bound, ".delay_minutes: narrowed, maximum"),
    (_refuse_null, ".expected_at: changed type"),
    (_allow_null, ".delay_minutes: changed type"),
    (_no_longer_promised, ".basis: may now be missing"),
    (_refuse_unknown_fields, ": no longer tolerates"),
    (_one_instead_of_many, ".lines: changed type from array to object"),
    (_move_topic, "changed x-topic"),
    (_change_key, "changed x-key"),
]


def test_an_unchanged_schema_passes(old: Schema) -> None:
    """Otherwise the findings below would prove nothing."""
    assert compare(old, deepcopy(old)) == []


@pytest.mark.parametrize(("change", "message"), BREAKS, ids=lambda value: getattr(value, "__name__", value))
def test_a_breaking_change_is_said(old: Schema, change: Callable[[Schema], None], message: str) -> None:
    """A removed or narrowed field, a newly required one, a changed type, a removed value."""
    new = deepcopy(old)
    change(new)
    findings = compare(old, new)
    assert any(message in finding for finding in findings), findings


def test_an_added_optional_field_passes(old: Schema) -> None:
    """The one way an event may grow, at the top, inside a line, and as a value of its own."""
    new = deepcopy(old)
    _data(new)["properties"]["weather"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    _line(new)["properties"]["weather"] = {"type": "string", "default": "fair"}
    new["$defs"]["Weather"] = {"type": "object", "properties": {}}
    new["properties"]["tenant"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert compare(old, new) == []


def test_a_new_description_and_a_renamed_definition_pass(old: Schema) -> None:
    """Prose and inner names do not travel."""
    text = json.dumps(old).replace("ShipmentLine", "LineOfShipment").replace("expected arrival", "arrival")
    assert compare(old, json.loads(text)) == []


def test_a_removed_event_is_said_and_an_added_one_passes(old: Schema) -> None:
    """Whoever hears it would wait for ever."""
    assert compare_all({NAME: old}, {}) == [f"{NAME}: the event is gone"]
    assert compare_all({}, {NAME: old}) == []


class _Leaf(BaseModel):
    kind: Literal["a", "b"]
    size: int = Field(ge=0)


class _Tree(BaseModel):
    leaf: _Leaf
    branches: tuple[_Tree, ...] = ()
    seen: dict[str, _Leaf] = {}


def test_a_model_that_contains_itself_is_compared_to_its_end() -> None:
    """References are followed once."""
    old = _Tree.model_json_schema()
    new = deepcopy(old)
    assert compare(old, new) == []
    new["$defs"]["_Leaf"]["properties"]["kind"]["enum"].remove("b")
    assert any("value 'b' removed" in finding for finding in compare(old, new))


def test_the_command_compares_with_a_folder_and_answers_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `make contracts-check` calls it: the old folder had a field that is gone now."""
    for path in (ROOT / "schemas" / "generated").glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert compatibility.main(["--against", str(tmp_path)]) == 0
    schema = json.loads((tmp_path / f"{NAME}.json").read_text(encoding="utf-8"))
    _data(schema)["properties"]["weather"] = {"type": "string"}
    (tmp_path / f"{NAME}.json").write_text(json.dumps(schema), encoding="utf-8")
    capsys.readouterr()
    assert compatibility.main(["--against", str(tmp_path)]) == 1
    message = capsys.readouterr().out
    assert f"{NAME}: message.data.weather: removed" in message
    assert "v2" in message
    assert compatibility.main(["--against", str(tmp_path / "nowhere")]) == 2


ROUTE = "POST /shipments"


@pytest.fixture
def document() -> Schema:
    """A real OpenAPI document."""
    return routes.documents_in(ROOT / "schemas" / "generated")["logistics"]


def _post(document: Schema) -> Schema:
    found = document["paths"]["/shipments"]["post"]
    assert isinstance(found, dict)
    return found


def _body(document: Schema) -> Schema:
    found = document["components"]["schemas"]["PlanShipment"]
    assert isinstance(found, dict)
    return found


def _answer(document: Schema) -> Schema:
    name = _post(document)["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found = document["components"]["schemas"][name]
    assert isinstance(found, dict)
    return found


def _parameter(document: Schema) -> Schema:
    found = document["paths"]["/shipments"]["get"]["parameters"][0]
    assert isinstance(found, dict)
    return found


def _drop_route(new: Schema) -> None:
    del new["paths"]["/shipments"]["post"]


def _drop_field_of_a_body(new: Schema) -> None:
    del _body(new)["properties"]["reference"]
    _body(new)["required"].remove("reference")


def _require_in_a_body(new: Schema) -> None:
    _body(new)["properties"]["weather"] = {"type": "string"}
    _body(new)["required"].append("weather")


def _shorten_in_a_body(new: Schema) -> None:
    _body(new)["properties"]["reference"]["maxLength"] = 20


def _drop_field_of_an_answer(new: Schema) -> None:
    _answer(new)["properties"].pop("shipment_id")


def _allow_null_in_an_answer(new: Schema) -> None:
    _answer(new)["properties"]["shipment_id"] = {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}


def _drop_parameter(new: Schema) -> None:
    new["paths"]["/shipments"]["get"]["parameters"].pop(0)


def _require_a_parameter(new: Schema) -> None:
    _parameter(new)["required"] = True


def _shorten_an_item_of_a_batch(new: Schema) -> None:
    new["paths"]["/shipments:batch"]["post"]["x-item"]["properties"]["reference"]["maxLength"] = 20


def _change_status(new: Schema) -> None:
    responses = _post(new)["responses"]
    responses["200"] = responses.pop("201")


def _ask_for_another_right(new: Schema) -> None:
    _post(new)["x-act"] = "keep-carriers"


def _take_a_role_away(new: Schema) -> None:
    _post(new)["x-roles"].remove("logistics")


ROUTE_BREAKS: list[tuple[Callable[[Schema], None], str]] = [
    (_drop_route, f"{ROUTE}: the route is gone"),
    (_drop_field_of_a_body, f"{ROUTE} body.reference: removed"),
    (_require_in_a_body, f"{ROUTE} body.weather: newly required"),
    (_shorten_in_a_body, f"{ROUTE} body.reference: narrowed, maxLength is now 20"),
    (_drop_field_of_an_answer, f"{ROUTE} answer 201.shipment_id: removed"),
    (_allow_null_in_an_answer, f"{ROUTE} answer 201.shipment_id: changed type"),
    (_drop_parameter, "GET /shipments query parameter"),
    (_require_a_parameter, "newly required"),
    (_shorten_an_item_of_a_batch, "POST /shipments:batch item.reference: narrowed"),
    (_change_status, f"{ROUTE} answer 201: is gone"),
    (_ask_for_another_right, f"{ROUTE} x-act: changed"),
    (_take_a_role_away, f"{ROUTE} x-roles: logistics may no longer"),
]


@pytest.mark.parametrize(("change", "message"), ROUTE_BREAKS, ids=lambda value: getattr(value, "__name__", value))
def test_a_route_that_breaks_its_clients_is_said(
    document: Schema, change: Callable[[Schema], None], message: str
) -> None:
    new = deepcopy(document)
    change(new)
    findings = routes.compare(document, new)
    assert any(message in finding for finding in findings), findings


def test_a_route_may_grow(document: Schema) -> None:
    """Optional fields and parameters, fields and values of answers, new routes, prose, names of components."""
    new = json.loads(json.dumps(document).replace("PlanShipment", "PlannedShipment"))
    new["components"]["schemas"]["PlannedShipment"]["properties"]["weather"] = {"type": "string", "default": "fair"}
    _answer(new)["properties"]["weather"] = {"type": "string", "enum": ["fair"]}
    _answer(new)["required"].append("weather")
    _post(new)["operationId"], _post(new)["description"] = "plan", "Another sentence."
    new["paths"]["/shipments"]["get"]["parameters"].append(
        {"name": "tier", "in": "query", "schema": {"type": "string"}}
    )
    new["paths"]["/loads"] = {"get": _post(new)}
    assert routes.compare(document, new) == []
    assert routes.compare_all({"logistics": document}, {}) == ["logistics: the document is gone"]


def test_a_request_that_is_narrowed_on_purpose_passes_by_name_only(tmp_path: Path) -> None:
    """A finding that stands in the list is let through; any other one is not."""
    generated = ROOT / "schemas" / "generated"
    shutil.copytree(generated, tmp_path / "old")
    path = tmp_path / "old" / "openapi" / "logistics.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    _body(document)["properties"]["reference"]["maxLength"] = 300
    path.write_text(json.dumps(document), encoding="utf-8")
    (finding,) = compare_folders(tmp_path / "old", generated, {})
    assert finding == f"logistics: {ROUTE} body.reference: narrowed, maxLength is now 200"
    assert compare_folders(tmp_path / "old", generated, {finding: "issue 0: for this test"}) == []


def test_each_narrowed_request_is_real_and_stands_in_the_changelog() -> None:
    """An entry that no comparison needs is removed; the reason is told to whoever upgrades, under Changed."""
    releases = [path for path in RELEASES.glob("*") if path.is_dir()]
    found = {finding for folder in releases for finding in compare_folders(folder, GENERATED, {})}
    assert set(NARROWED) <= found
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [reason for reason in NARROWED.values() if reason not in changelog] == []


def test_a_release_is_kept_once(tmp_path: Path) -> None:
    """Its contracts are what was published: the same again changes nothing, others need another version."""
    files = {"schemas/generated/a.v1.json": "{}\n", "schemas/generated/openapi/a.json": "[]\n", "docs/events.md": "x"}
    assert keep_release(files, "1.0.0", tmp_path) == 0
    kept = tmp_path / "schemas" / "releases" / "1.0.0"
    assert {path.relative_to(kept).as_posix() for path in kept.rglob("*.json")} == {"a.v1.json", "openapi/a.json"}
    assert keep_release(files, "1.0.0", tmp_path) == 0
    assert keep_release(files | {"schemas/generated/b.v1.json": "{}\n"}, "1.0.0", tmp_path) == 1


def test_nothing_published_breaks_in_this_very_tree() -> None:
    """The gate itself, against every release that is kept."""
    assert compatibility.main([]) == 0
