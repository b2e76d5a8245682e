"""What the live screen shows, and how it is drawn: the most money at risk per hour left first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.commands.lookup import money, seconds
from cli.output import visible

COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}
MARKS = {"critical": "▲▲", "high": "▲", "medium": "◆", "low": "○"}
STATES = {
    "open": "waiting",
    "committed": "committed",
    "completed": "done",
    "waived": "waived",
    "refused": "refused",
    "withdrawn": "withdrawn",
}
STALE_SECONDS = 4.5
FAR_HOURS = 24 * 365.0
Case = Mapping[str, Any]


@dataclass
class Board:
    """The cases in sight, and when something was heard last."""

    world: str
    cases: dict[str, Case] = field(default_factory=dict)
    last_event_at: float = 0.0
    lost: str = ""
    """Why nothing is heard, as the last try met it."""

    def keep(self, rows: Iterable[Case], requested_ids: Iterable[str] = ()) -> None:
        """Take rows as they are now; one that was asked for and did not come, or is not open any more, goes."""
        found = {str(row["case_id"]): row for row in rows}
        for identity in {*requested_ids, *found}:
            if identity in found and found[identity]["state"] == "open":
                self.cases[identity] = found[identity]
            else:
                self.cases.pop(identity, None)

    def ranked(self, now: datetime) -> list[Case]:
        """Return the cases: passed deadlines first, then by money at risk for each hour that is left."""
        return sorted(
            self.cases.values(), key=lambda case: (not case["breaching"], -rank(case, now), str(case["case_id"]))
        )

    def drawn(self, *, now: datetime, monotonic: float, rows: int, width: int = 160) -> RenderableType:
        """Return the screen, with at most so many cases, and the columns that there is room for."""
        return Group(self._figures(), self._table(now, rows, width), self._foot(monotonic, rows))

    def _figures(self) -> Text:
        unowned = sum(case["owner"] is None for case in self.cases.values())
        breaching = sum(bool(case["breaching"]) for case in self.cases.values())
        late = "bold red" if breaching else ""
        return Text.assemble(
            (f"World {self.world}", "bold"),
            f"   open {len(self.cases):,}   unowned {unowned:,}   ",
            (f"past a deadline {breaching:,}", late),
        )

    def _table(self, now: datetime, rows: int, width: int) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        shown = [column for column in COLUMNS if width >= column.from_width]
        for column in shown:
            table.add_column(
                column.name,
                justify="right" if column.is_number else "left",
                no_wrap=True,
                overflow="ellipsis",
                min_width=column.width,
                ratio=1 if column.name == "What" else None,
            )
        for case in self.ranked(now)[:rows]:
            table.add_row(*(_cell(column.cell(case, now)) for column in shown))
        return table

    def _foot(self, monotonic: float, rows: int) -> Text:
        hidden = max(0, len(self.cases) - rows)
        more = f"{hidden:,} more · " if hidden else ""
        age = monotonic - self.last_event_at
        if age > STALE_SECONDS:
            return Text(
                f"{more}! the stream broke off: this is {age:.0f} s old, it is being connected again", "bold red"
            )
        return Text(f"{more}live · Ctrl-C ends", "dim")


def rank(case: Case, now: datetime) -> float:
    """Return the money at risk for each hour until the next deadline; one within the hour, or passed, counts as one."""
    due = case["due_at"]
    hours = FAR_HOURS if due is None else (datetime.fromisoformat(due) - now).total_seconds() / 3600
    return float(case["value_at_risk"]["amount"]) / max(hours, 1.0)


def _functions(case: Case, now: datetime) -> Text:
    shown = Text()
    for task in case["tasks"]:
        if task["required"]:
            due = min(task["commit_by"], task["complete_by"]) if task["state"] == "open" else task["complete_by"]
            late = task["state"] in ("open", "committed", "refused") and datetime.fromisoformat(due) < now
            shown.append(f"{task['holder']} {'late' if late else STATES[task['state']]}  ", "bold red" if late else "")
    return shown


def _since(instant: str, now: datetime) -> str:
    return seconds(max(0, int((now - datetime.fromisoformat(instant)).total_seconds())) * 1_000_000)


def _deadline(instant: str | None, now: datetime) -> Text:
    if instant is None:
        return Text("none", "dim")
    left = int((datetime.fromisoformat(instant) - now).total_seconds())
    said = seconds(abs(left) * 1_000_000)
    return Text(f"late {said}", "bold red") if left < 0 else Text(f"in {said}")


def _severity(case: Case, _: datetime) -> Text:
    severity = str(case["severity"])
    return Text(f"{MARKS.get(severity, '')} {severity}", COLOURS.get(severity, ""))


def _money(case: Case, _: datetime) -> str:
    return money(case["value_at_risk"])


def _cell(content: Text | str) -> Text:
    """Return a cell in which nothing is taken for markup or for a command to the terminal."""
    return content if isinstance(content, Text) else Text(visible(content))


class Column(NamedTuple):
    """A column, and from which width of the terminal on it is shown."""

    name: str
    width: int
    cell: Callable[[Case, datetime], Text | str]
    from_width: int = 0
    is_number: bool = False


COLUMNS = (
    Column("Severity", 11, _severity),
    Column("Case", 8, lambda case, _: case["case_id"][:8]),
    Column("What", 20, lambda case, _: case["headline"]),
    Column("At risk", 14, _money, is_number=True),
    Column("Functions", 36, _functions, from_width=130),
    Column("Since", 12, lambda case, now: _since(case["opened_at"], now), from_width=150, is_number=True),
    Column("Deadline", 14, lambda case, now: _deadline(case["due_at"], now), is_number=True),
    Column("Owner", 10, lambda case, _: case["owner"]["subject"] if case["owner"] else "nobody", from_width=100),
)
