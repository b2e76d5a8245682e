"""What there will be: projected stock per day, and what may still be promised (METRICS 3.3).

Projected available on a day = on hand + inbound up to that day − demand up to that day. Orders consume the
forecast of their week: the demand of a week is the larger of the two. What the orders of a week leave of its
forecast is spread evenly over the seven days; days that are over ask for nothing more. An order line that is
past its promised day and not issued is due today; inbound that is past its expected day is expected today;
inbound whose day nobody knows is not counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from schemas.amounts import bounded_quantity
from services.inventory.domain.movements import Week

_SHARE = Decimal("0.000001")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something on its way; no day means that nobody knows."""

    expected_on: date | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Promised:
    """An order line: how much, by when, and how much of it has left already."""

    promised_on: date
    quantity: Decimal
    issued: Decimal = _ZERO

    @property
    def open(self) -> Decimal:
        return max(_ZERO, self.quantity - self.issued)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything that a projection of one item at one site is made from."""

    on_hand: Decimal
    inbound: tuple[Arrival, ...] = ()
    orders: tuple[Promised, ...] = ()
    forecast: tuple[Week, ...] = ()

    @property
    def inbound_without_day(self) -> Decimal:
        return bounded_quantity(sum((a.quantity for a in self.inbound if a.expected_on is None), _ZERO))


@dataclass(frozen=True, slots=True)
class ProjectedDay:
    """One day: what comes in, what orders and the rest of the forecast ask for, what is left at its end."""

    day: date
    inbound: Decimal
    orders: Decimal
    forecast: Decimal
    projected: Decimal


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of available-to-promise: from a receipt to the day before the next one."""

    from_on: date
    until_on: date
    receipts: Decimal
    orders: Decimal
    available: Decimal
    cumulative: Decimal


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def project(outlook: Outlook, *, today: date, days: int) -> tuple[ProjectedDay, ...]:
    """Return the projection from today on."""
    arriving = _by_day(((a.expected_on, a.quantity) for a in outlook.inbound if a.expected_on), today)
    due = _by_day(((p.promised_on, p.open) for p in outlook.orders), today)
    expected = _unconsumed(outlook)
    left, projected = outlook.on_hand, []
    for number in range(days):
        day = today + timedelta(days=number)
        left = bounded_quantity(left + arriving[day] - due[day] - expected[day])
        projected.append(ProjectedDay(day, arriving[day], due[day], expected[day], left))
    return tuple(projected)


def available_to_promise(outlook: Outlook, *, today: date, days: int) -> tuple[Bucket, ...]:
    """Return what may still be promised, by the discrete rule of METRICS 3.3.

    The first bucket has what is on hand and what arrives today; each later bucket begins with a receipt; each
    pays for the orders that are due before the next receipt. A bucket that cannot takes it back from earlier ones.
    """
    last = today + timedelta(days=days - 1)
    arriving = _by_day(((a.expected_on, a.quantity) for a in outlook.inbound if a.expected_on), today)
    due = _by_day(((p.promised_on, p.open) for p in outlook.orders), today)
    starts = [today, *sorted(day for day, quantity in arriving.items() if today < day <= last and quantity > 0)]
    ends = [start - timedelta(days=1) for start in starts[1:]] + [last]
    receipts = [arriving[start] for start in starts]
    demands = [
        bounded_quantity(sum((q for day, q in due.items() if start <= day <= end), _ZERO))
        for start, end in zip(starts, ends, strict=True)
    ]
    available = [r - a for r, a in zip(receipts, demands, strict=True)]
    available[0] += outlook.on_hand
    for at in range(len(available) - 1, 0, -1):
        if available[at] < 0:
            available[at - 1] += available[at]
            available[at] = _ZERO
    total, buckets = _ZERO, []
    for at, start in enumerate(starts):
        total = bounded_quantity(total + available[at])
        buckets.append(Bucket(start, ends[at], receipts[at], demands[at], bounded_quantity(available[at]), total))
    return tuple(buckets)


def _by_day(amounts: Iterable[tuple[date, Decimal]], today: date) -> defaultdict[date, Decimal]:
    """Add amounts up per day; what is past its day counts today."""
    total: defaultdict[date, Decimal] = defaultdict(lambda: _ZERO)
    for day, quantity in amounts:
        when = max(day, today)
        total[when] = bounded_quantity(total[when] + quantity)
    return total


def _unconsumed(outlook: Outlook) -> defaultdict[date, Decimal]:
    """Return per day what the orders of its week leave of the forecast."""
    ordered: defaultdict[date, Decimal] = defaultdict(lambda: _ZERO)
    for promised in outlook.orders:
        ordered[monday_of(promised.promised_on)] += promised.quantity
    rest: defaultdict[date, Decimal] = defaultdict(lambda: _ZERO)
    for week in outlook.forecast:
        left = week.quantity - ordered[week.week_on]
        if left <= 0:
            continue
        share = min((left / 7).quantize(_SHARE, ROUND_HALF_UP), (left / 6).quantize(_SHARE, ROUND_DOWN))
        for number in range(7):
            rest[week.week_on + timedelta(days=number)] += share if number < 6 else left - 6 * share
    return rest
