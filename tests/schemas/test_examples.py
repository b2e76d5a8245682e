"""Every event has a golden example and every example an event; each validates and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.base import REGISTER
from schemas.catalogue import REGISTER as WHOLE_REGISTER
from schemas.envelope import UnknownEvent, decode, encode, type_of
from tests.layers.small_tree import ROOT
from tests.support.odd import VALUES, places, replaced

EXAMPLES = ROOT / "schemas" / "examples"
NAMES = sorted(WHOLE_REGISTER)


def _bytes(name: str) -> bytes:
    return (EXAMPLES / f"{name}.json").read_bytes()


def test_every_event_has_an_example_and_every_example_an_event() -> None:
    """LAYERS 6: the gate goes both ways."""
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_back_as_it_was(name: str) -> None:
    """What a producer writes, a consumer reads, and writes again the same."""
    value = _bytes(name)
    envelope = decode(value)
    assert type_of(value) == name
    assert type(envelope.data) is REGISTER[name]
    assert envelope.subject == envelope.data.subject
    assert json.loads(encode(envelope)) == json.loads(value)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fits_its_generated_schema(name: str) -> None:
    """The schema that others read describes what travels."""
    path = ROOT / "schemas" / "generated" / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(json.loads(_bytes(name)))] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_cloud_event(name: str, cloud_event_schema: Path) -> None:
    """CloudEvents 1.0, with the extension names of its correlation document."""
    message = json.loads(_bytes(name))
    validator = Draft202012Validator(json.loads(cloud_event_schema.read_text(encoding="utf-8")))
    # The JSON format reads an attribute that is null as one that is not there.
    present = {attribute: value for attribute, value in message.items() if value is not None}
    assert [error.message for error in validator.iter_errors(present)] == []
    assert {"correlationid", "causationid", "recordedtime"} <= set(message)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_tolerates_a_field_it_does_not_know(name: str) -> None:
    """LAYERS 6: a rolling deploy adds optional fields before everybody knows them."""
    message = json.loads(_bytes(name))
    message["data"]["of_a_later_release"] = 1
    message["laterattribute"] = "x"
    assert decode(json.dumps(message).encode()) == decode(_bytes(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_message_without_its_key_is_refused(name: str) -> None:
    """FLOW 4.1: a fact that does not name its aggregate has no place in an order."""
    message = json.loads(_bytes(name))
    del message["data"][REGISTER[name].event_key]
    with pytest.raises(ValueError, match=REGISTER[name].event_key):
        decode(json.dumps(message).encode())


def test_an_unknown_type_is_named_as_such() -> None:
    """Silence is not success: an event of no class is told apart from a broken one."""
    message = json.loads(_bytes(NAMES[0])) | {"type": "logistics.shipment.teleported.v1"}
    with pytest.raises(UnknownEvent, match="teleported"):
        decode(json.dumps(message).encode())


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_field_holds_reading_it_ends_in_an_envelope_or_in_a_refusal(name: str) -> None:
    """What raises anything else goes past whoever sets poison aside. What can be read can be written, and read again."""
    message = json.loads(_bytes(name))
    for place in places(message):
        for value in VALUES:
            odd = json.dumps(replaced(message, place, value)).encode()
            try:
                envelope = decode(odd)
            except ValueError:
                continue
            assert decode(encode(envelope)) == envelope, f"{place}: {str(value)[:40]!r}"
