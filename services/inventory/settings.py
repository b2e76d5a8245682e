"""Settings that only inventory knows."""

from __future__ import annotations

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings


class InventorySettings(BaseSettings):
    """How far a projection looks: what cannot be helped by acting today is no news yet."""

    inventory_horizon_days: int = Field(default=42, ge=1, le=366)


@cache
def settings() -> InventorySettings:
    """Return the settings, read once when first asked for."""
    return InventorySettings()
