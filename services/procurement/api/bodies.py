"""What every body and answer of procurement has in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query

from chassis import http
from schemas.types import Money

Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


def money(row: Any, name: str) -> Money | None:
    """Return the amount that two columns of a row keep."""
    amount = row[f"{name}_amount"]
    return None if amount is None else Money(amount=amount, currency=row[f"{name}_currency"])


def share(part: int, whole: int) -> str | None:
    """Return a share with four places, or None of nothing."""
    return f"{Decimal(part) / whole:.4f}" if whole else None
