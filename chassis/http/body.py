"""The base of every request body: unknown fields and control characters are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.types import Paragraphs

_LINE_BREAK = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Body(BaseModel):
    """Base of every request body and of its parts.

    A field that is not declared is an error. A string with a control character (C0, DEL, C1) is an error that names
    the field; fields marked `Paragraphs` keep tab and line feed, and their CRLF and CR become LF.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _without_control_characters(self) -> Self:
        for name, value in self.__dict__.items():
            if isinstance(value, str):
                if not value.isprintable():
                    self.__dict__[name] = self._cleaned(name, value)
            elif isinstance(value, (tuple, list, dict)):
                for text in _texts(value):
                    if not text.isprintable():
                        self._cleaned(name, text)
        return self

    @classmethod
    def _cleaned(cls, name: str, value: str) -> str:
        try:
            return paragraphs(value) if name in _fields_with_paragraphs(cls) else one_line(value)
        except PydanticCustomError as error:
            at_fault = InitErrorDetails(type=error, loc=(name,), input=value)
            raise ValidationError.from_exception_data(cls.__name__, [at_fault]) from None


def one_line(text: str) -> str:
    """Return a text without control characters; raises PydanticCustomError for one that has any."""
    return _without(_CONTROL, text)


def paragraphs(text: str) -> str:
    """Return a text whose line breaks are LF; raises PydanticCustomError for any control character but tab and LF."""
    return _without(_CONTROL_BUT_LAYOUT, _LINE_BREAK.sub("\n", text))


def _without(refused: re.Pattern[str], text: str) -> str:
    if (found := refused.search(text)) is not None:
        point = f"U+{ord(found[0]):04X}"
        raise PydanticCustomError(
            "control_character", "holds the control character {point}; leave it out", {"point": point}
        )
    return text


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings of a container, its keys too; parts that are bodies have looked at theirs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            yield from _texts(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _texts(part)


@cache
def _fields_with_paragraphs(body: type[BaseModel]) -> frozenset[str]:
    fields = body.model_fields.items()
    return frozenset(name for name, field in fields if _marked([*field.metadata, field.annotation]))


def _marked(parts: Any) -> bool:
    return any(
        isinstance(part, Paragraphs) or _marked([*getattr(part, "__metadata__", ()), *get_args(part)]) for part in parts
    )
