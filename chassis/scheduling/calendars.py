"""Business calendars, pure: when a local day ends, and which instant is n working minutes away.

Source of the rules: METRICS 3.1 (working-hours time) and FLOW 5.5 (an unknown calendar is UTC and seven days).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS_SEARCHED_MAX = 3660


@dataclass(frozen=True)
class Calendar:
    """Working hours of one place: weekdays from Monday = 0, opening times local to its zone."""

    code: str
    zone: str = "UTC"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    opens: time = time(0, 0)
    closes: time = time(0, 0)  # equal to `opens`: the whole day
    holidays: frozenset[date] = field(default_factory=frozenset)

    @property
    def tz(self) -> ZoneInfo:
        """Return the zone; raises ValueError where the name is not an IANA zone."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"zone {self.zone!r} is not an IANA time zone such as Europe/Paris") from error

    def works_on(self, day: date) -> bool:
        """Say whether a local day is a working day."""
        return day.weekday() in self.weekdays and day not in self.holidays

    def end_of_day(self, day: date) -> datetime:
        """Return the instant at which a local day ends: the next local midnight, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(0, 0), tzinfo=self.tz).astimezone(UTC)

    def local_day(self, instant: datetime) -> date:
        """Return the local day of an instant."""
        return instant.astimezone(self.tz).date()

    def span(self, day: date) -> tuple[datetime, datetime]:
        """Return when work starts and ends on a local day, in UTC."""
        starts = datetime.combine(day, self.opens, tzinfo=self.tz)
        last = day if self.closes > self.opens else day + timedelta(days=1)
        return starts.astimezone(UTC), datetime.combine(last, self.closes, tzinfo=self.tz).astimezone(UTC)

    def add_working_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return the instant that lies this many working minutes after `start`; raises ValueError without a working day."""
        left = timedelta(minutes=minutes)
        day = self.local_day(start) - timedelta(days=1)
        for _ in range(_DAYS_SEARCHED_MAX):
            if self.works_on(day):
                opens, closes = self.span(day)
                begins = max(start, opens)
                if begins < closes or (begins == closes and not left):
                    if begins + left <= closes:
                        return begins + left
                    left -= closes - begins
            day += timedelta(days=1)
        raise ValueError(f"calendar {self.code!r} has no working day in ten years")
