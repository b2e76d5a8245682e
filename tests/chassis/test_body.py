"""Request bodies: a control character is refused with its field; texts keep their lines."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chassis.http import Body
from schemas.types import Code, Reason, Text


class Part(Body):
    code: Code


class Sent(Body):
    code: Code
    note: Text | None = None
    reasons: tuple[Reason, ...] = ()
    labels: dict[str, str] = {}  # noqa: RUF012 — pydantic copies the default
    parts: tuple[Part, ...] = ()


CONTROLS = [chr(point) for point in (*range(0x20), *range(0x7F, 0xA0))]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda letter: f"U+{ord(letter):04X}")
def test_no_control_character_passes_in_one_line(control: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent(code=f"a{control}b")
    (error,) = refused.value.errors()
    assert error["loc"] == ("code",)
    assert error["msg"] == f"holds the control character U+{ord(control):04X}; leave it out"


@pytest.mark.parametrize("control", [c for c in CONTROLS if c not in "\t\n\r"], ids=lambda c: f"U+{ord(c):04X}")
def test_a_text_takes_tab_and_line_feed_and_nothing_else(control: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent(code="a", note=f"one{control}two")
    assert refused.value.errors()[0]["loc"] == ("note",)


def test_line_breaks_of_a_text_become_line_feeds() -> None:
    """The same text from Windows, from an old Mac and from Unix is one text."""
    assert Sent(code="a", note="one\r\ntwo\rthree\nfour\tfive").note == "one\ntwo\nthree\nfour\tfive"


@pytest.mark.parametrize(
    ("sent", "loc"),
    [
        ({"code": "a", "reasons": ["fine", "no\x1b[2K"]}, ("reasons",)),
        ({"code": "a", "labels": {"k\x9b": "v"}}, ("labels",)),
        ({"code": "a", "parts": [{"code": "a"}, {"code": "b\x1b"}]}, ("parts", 1, "code")),
    ],
)
def test_parts_are_looked_into_and_named(sent: dict[str, object], loc: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent.model_validate(sent)
    assert refused.value.errors()[0]["loc"] == loc


def test_ordinary_letters_of_every_script_pass() -> None:
    """Letters that do not print alone, such as a zero-width joiner in an emoji or in Persian, are no controls."""
    assert Sent(code="Société 東京 👩\u200d🚀 می\u200cخواهم\xa0x").code == "Société 東京 👩\u200d🚀 می\u200cخواهم\xa0x"
