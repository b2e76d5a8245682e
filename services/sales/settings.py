"""Settings that only sales knows."""

from __future__ import annotations

from pydantic_settings import BaseSettings


class SalesSettings(BaseSettings):
    """How many lines one order may have."""

    sales_order_lines_max: int = 1000
