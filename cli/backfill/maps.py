"""A map: which column of a foreign log is which clock point, what its words mean, and in which zone its times are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

FOLDER = Path(__file__).with_name("maps")
Column = Annotated[str, Field(min_length=1)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Columns = Annotated[list[Column], BeforeValidator(_listed), Field(min_length=1)]
"""One column or several: the first that is filled is taken."""


class MapUnusable(CommandFailed):
    """A map file cannot be used; says where and what was expected."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.USAGE)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RowWhere(_Part):
    """A condition on one column of a row."""

    column: Column
    is_one_of: list[str] | None = Field(default=None, alias="is")
    is_not: list[str] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> RowWhere:
        if (self.is_one_of is None) == (self.is_not is None):
            raise ValueError("say either `is` or `is_not`, with the words of the column")
        return self

    def holds(self, word: str) -> bool:
        """Say whether a row with this word in the column is meant."""
        return word in self.is_one_of if self.is_one_of is not None else word not in (self.is_not or [])


class Point(_Part):
    """When something was so, and, where another column says it, when the log knew it."""

    at: Columns
    known: Column | None = None


class Acknowledged(Point):
    """Taken from the first row for which the condition holds."""

    first_row_where: RowWhere


class Implemented(Point):
    """Taken from the last row; where there is a condition, only from a last row for which it holds."""

    last_row_where: RowWhere | None = None


class Handoff(Point):
    """Two rows that follow each other and name two different groups, at the time of the later one."""

    column: Column


class Severity(_Part):
    """How grave: the words of a column on the first row, or one word for all."""

    column: Column | None = None
    words: dict[str, Literal["low", "medium", "high", "critical"]] = {}
    otherwise: Literal["low", "medium", "high", "critical"] | None = None

    @model_validator(mode="after")
    def _has_an_answer(self) -> Severity:
        if self.column is None and self.otherwise is None:
            raise ValueError("say `column` and `words`, or `otherwise`")
        return self


class ResponseMap(_Part):
    """A whole map; `case` names the record, `source` the system it comes from."""

    source: Column
    missing: list[str] = [""]
    time: Column
    zone: str = "UTC"
    case: Column
    headline: Columns
    severity: Severity
    opened: Point
    acknowledged: Acknowledged | None = None
    implemented: Implemented
    handoff: Handoff | None = None

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        _zone(zone)
        return zone

    @property
    def timezone(self) -> tzinfo:
        """Return the zone that times without one are in."""
        return _zone(self.zone)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column that the map names, once."""
        points = [p for p in (self.opened, self.acknowledged, self.implemented, self.handoff) if p is not None]
        named = [self.case, *self.headline, *([self.severity.column] if self.severity.column else [])]
        for point in points:
            named += [*point.at, *([point.known] if point.known else [])]
        conditions = (self.acknowledged.first_row_where if self.acknowledged else None, self.implemented.last_row_where)
        named += [c.column for c in conditions if c is not None] + ([self.handoff.column] if self.handoff else [])
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class LoadedMap:
    """A map and the bytes it was read from."""

    responses: ResponseMap
    content: bytes


def load_map(named: str) -> LoadedMap:
    """Return a map of this release by its name, or one of a file; raises MapUnusable."""
    shipped = {path.stem: path for path in FOLDER.glob("*.yaml")}
    path = shipped.get(named, Path(named))
    try:
        content = path.read_bytes()
    except OSError as why:
        raise MapUnusable(
            f"There is no map {named} ({why.strerror}): name one of {', '.join(sorted(shipped))}, or a YAML file."
        ) from why
    try:
        return LoadedMap(ResponseMap.model_validate(yaml.safe_load(content)), content)
    except yaml.YAMLError as why:
        raise MapUnusable(f"The map {named} is no YAML: {' '.join(str(why).split())}") from why
    except ValidationError as why:
        first = why.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the map"
        raise MapUnusable(f"The map {named} cannot be used: {place}: {first['msg']}.") from why


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as why:
        raise ValueError(f"{name!r} is no zone such as UTC or Europe/Paris") from why


def in_zone(naive: datetime, zone: tzinfo) -> datetime:
    """Return a local time in UTC; raises ValueError for one that the clocks of its zone left out."""
    local = naive.replace(tzinfo=zone)
    whole = local.astimezone(UTC)
    if whole.astimezone(zone).replace(tzinfo=None) != naive:
        raise ValueError("is a time that the clocks of its zone left out")
    return whole
