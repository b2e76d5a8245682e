"""The words of a notice: one accurate message that cites the promise version of every line."""

from __future__ import annotations

from datetime import date

from services.sales.domain.notice import Notice


def render_notice(notice: Notice, *, name: str) -> str:
    """Return the text that the customer is told."""
    many = len(notice.lines) > 1
    head = [
        f"Dear {name},",
        "",
        f"{len(notice.lines)} lines of your orders will" if many else "one line of your orders will",
    ]
    head[2] += " arrive later than we promised. These are the days that hold now:"
    body = [
        f"- order {line.order_reference}, line {line.line_reference}: {line.quantity:f} × {line.item}, promised for"
        f" {_day(line.promised_on)}, now promised for {_day(line.proposed_on)} (promise version {line.promise_version})"
        for line in sorted(notice.lines, key=lambda one: (one.order_reference, one.line_reference))
    ]
    return "\n".join([*head, "", *body, "", "This message replaces what we told you before about these lines."])


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
