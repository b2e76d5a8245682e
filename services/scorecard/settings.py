"""Settings that only the scorecard knows."""

from __future__ import annotations

from datetime import timedelta

from pydantic_settings import BaseSettings


class ScorecardSettings(BaseSettings):
    """Over how many days the gauges of velocity look, and when a cause that is missing makes an orphan."""

    scorecard_velocity_window_days: int = 90
    scorecard_orphan_after_minutes: int = 10

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.scorecard_velocity_window_days)

    @property
    def orphan_after(self) -> timedelta:
        return timedelta(minutes=self.scorecard_orphan_after_minutes)
