"""Settings that only the scorecard knows."""

from __future__ import annotations

from datetime import timedelta

from pydantic_settings import BaseSettings


class ScorecardSettings(BaseSettings):
    """Over how many days the gauges of velocity look, what they should stay under, and when a missing cause makes an orphan."""

    scorecard_velocity_window_days: int = 90
    scorecard_velocity_target_hours: int = (
        72  # nine of ten cases; no definition in docs/rules/metrics.md gives a number, a site's own does
    )
    scorecard_orphan_after_minutes: int = 10

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.scorecard_velocity_window_days)

    @property
    def target(self) -> timedelta:
        return timedelta(hours=self.scorecard_velocity_target_hours)

    @property
    def orphan_after(self) -> timedelta:
        return timedelta(minutes=self.scorecard_orphan_after_minutes)
