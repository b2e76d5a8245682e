"""The words of a notice: one accurate message that cites the promise version of every line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol


class MessageLine(Protocol):
    """What the message says about one line."""

    @property
    def order_reference(self) -> str: ...
    @property
    def line_reference(self) -> str: ...
    @property
    def item(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def promise_version(self) -> int: ...
    @property
    def promised_on(self) -> date: ...
    @property
    def proposed_on(self) -> date: ...


def message_text(lines: Sequence[MessageLine], *, name: str) -> str:
    """Return the text that the customer is told."""
    many = len(lines) > 1
    what = f"{len(lines)} lines of your orders" if many else "one line of your orders"
    head = f"{what} will arrive later than we promised. {'These are the days that hold' if many else 'This day holds'} now:"
    body = [
        f"- order {line.order_reference}, line {line.line_reference}: {line.quantity:f} × {line.item}, promised for"
        f" {_day(line.promised_on)}, now promised for {_day(line.proposed_on)} (promise version {line.promise_version})"
        for line in sorted(lines, key=lambda one: (one.order_reference, one.line_reference))
    ]
    last = f"This message replaces what we told you before about {'them' if many else 'it'}."
    return "\n".join([f"Dear {name},", "", head, "", *body, "", last])


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
