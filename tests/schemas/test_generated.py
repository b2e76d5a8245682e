"""What is committed under schemas/generated and docs/events.md is what the code makes now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from schemas.topics import TOPICS
from tests.layers.small_tree import ROOT
from tools import generated
from tools.contracts.event_schemas import events
from tools.contracts.hearing import consumed_by
from tools.generate_contracts import MADE_HERE, contracts


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    """The AsyncAPI document as committed."""
    made = json.loads((ROOT / "schemas/generated/asyncapi.json").read_text(encoding="utf-8"))
    assert isinstance(made, dict)
    return made


def test_the_committed_contracts_are_what_the_code_makes() -> None:
    """`make contracts-check` says the same; the remedy is `make contracts`."""
    assert generated.stale(ROOT, contracts(), made_here=MADE_HERE) == []


def test_the_asyncapi_document_is_valid_against_the_official_schema(
    document: dict[str, object], asyncapi_schema: Path
) -> None:
    """AsyncAPI 3.0.0, its own JSON Schema."""
    validator = Draft7Validator(json.loads(asyncapi_schema.read_text(encoding="utf-8")))
    assert [error.message[:200] for error in validator.iter_errors(document)] == []


def test_a_broken_asyncapi_document_is_seen_by_the_official_schema(
    document: dict[str, object], asyncapi_schema: Path
) -> None:
    """Otherwise the test above would prove nothing."""
    validator = Draft7Validator(json.loads(asyncapi_schema.read_text(encoding="utf-8")))
    assert list(validator.iter_errors({**document, "asyncapi": "2.0"}))
    assert list(validator.iter_errors({**document, "operations": {"x": {"action": "shout"}}}))


def test_every_reference_inside_the_document_leads_somewhere(document: dict[str, object]) -> None:
    """A pointer to nothing is valid JSON Schema and of no use."""
    waiting: list[object] = [document]
    pointers = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                pointers.add(node["$ref"])
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    for pointer in pointers:
        found: object = document
        for part in pointer.removeprefix("#/").split("/"):
            assert isinstance(found, dict)
            found = found[part]


def test_every_topic_is_a_channel_and_every_event_a_message_of_its_topic(document: dict[str, object]) -> None:
    """FLOW 4.1: the document and the register say the same."""
    channels = document["channels"]
    assert isinstance(channels, dict)
    assert set(channels) == {topic.name for topic in TOPICS}
    for event in events():
        assert event.event_name in channels[event.event_topic.name]["messages"]


def test_every_reaction_listens_to_a_registered_event() -> None:
    """LAYERS 6: who hears is read from the reactions themselves."""
    assert set(consumed_by()) <= {event.event_name for event in events()}


def test_a_field_that_not_everybody_may_see_is_marked_in_both_documents(document: dict[str, object]) -> None:
    """ACCESS 2: the mark is made once, in the schema, and carried along."""
    chosen = (ROOT / "schemas/generated/procurement.alternative.chosen.v1.json").read_text(encoding="utf-8")
    definition = json.loads(chosen)["$defs"]["AlternativeChosen"]
    assert definition["properties"]["landed_cost"]["x-sensitive"] == "cost"
    assert json.dumps(document).count('"x-sensitive": "cost"') >= 1


def test_a_contract_that_was_edited_or_left_over_is_seen_and_repaired(tmp_path: Path) -> None:
    """The gate behind `make contracts-check`, with three planted crimes."""
    files = {
        "schemas/generated/a.json": "{}\n",
        "schemas/generated/b.json": "{}\n",
        "docs/events.md": "# Events\n",
    }
    generated.write(tmp_path, files, made_here=MADE_HERE)
    assert generated.stale(tmp_path, files, made_here=MADE_HERE) == []
    (tmp_path / "schemas/generated/a.json").write_text("{ }\n", encoding="utf-8")
    (tmp_path / "schemas/generated/left-over.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "docs/events.md").unlink()
    seen = ["docs/events.md", "schemas/generated/a.json", "schemas/generated/left-over.json"]
    assert generated.stale(tmp_path, files, made_here=MADE_HERE) == seen
    generated.write(tmp_path, files, made_here=MADE_HERE)
    assert generated.stale(tmp_path, files, made_here=MADE_HERE) == []
