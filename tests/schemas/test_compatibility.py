"""A published event only grows: each breaking change is planted and seen, each addition passes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from tests.house.small_tree import ROOT
from tests.support.needs import leave_out
from tools import compatibility
from tools.compatibility import compare, compare_all, schemas_in

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


@pytest.mark.parametrize(("change", "said"), BREAKS, ids=lambda value: getattr(value, "__name__", value))
def test_a_breaking_change_is_said(old: Schema, change: Callable[[Schema], None], said: str) -> None:
    """A removed or narrowed field, a newly required one, a changed type, a removed value."""
    new = deepcopy(old)
    change(new)
    findings = compare(old, new)
    assert any(said in finding for finding in findings), findings


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
    said = capsys.readouterr().out
    assert f"{NAME}: message.data.weather: removed" in said
    assert "v2" in said
    assert compatibility.main(["--against", str(tmp_path / "nowhere")]) == 2


def test_the_base_is_the_last_release_or_where_the_branch_left_main(tmp_path: Path) -> None:
    """What was published, not what was tried in between."""
    (tmp_path / "schemas" / "generated").mkdir(parents=True)

    def git(*command: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True, timeout=60, capture_output=True)

    def publish(text: str) -> None:
        (tmp_path / "schemas" / "generated" / f"{NAME}.json").write_text(text, encoding="utf-8")
        git("add", ".")
        git("commit", "-q", "-m", text)

    def base() -> dict[str, Schema]:
        return compatibility.schemas_at(compatibility.base_revision(tmp_path), tmp_path)

    git("init", "-q", "-b", "main")
    publish('{"release": 0}')
    assert base() == {NAME: {"release": 0}}
    git("tag", "v1.0")
    publish('{"release": 1}')
    assert base() == {NAME: {"release": 0}}
    git("checkout", "-q", "-b", "branch")
    publish('{"release": 2}')
    assert base() == {NAME: {"release": 1}}


def test_nothing_published_breaks_in_this_very_tree() -> None:
    """The gate itself, against the point where this branch left main."""
    if not (ROOT / ".git").exists():
        leave_out("this copy has no git history to compare with")
    assert compatibility.main([]) == 0
