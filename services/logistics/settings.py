"""Settings that only logistics knows."""

from __future__ import annotations

from datetime import timedelta

from pydantic_settings import BaseSettings


class LogisticsSettings(BaseSettings):
    """How late is late: an expected arrival up to this much after the promise is not told."""

    logistics_delay_tolerance_minutes: int = 60

    @property
    def tolerance(self) -> timedelta:
        return timedelta(minutes=self.logistics_delay_tolerance_minutes)
