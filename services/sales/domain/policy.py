"""The notice policy, as data: what is approved without a person, and what is proposed and tried when nothing else is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from chassis.errors import Invalid
from schemas.types import By, Money, Tier, subject_id

POLICY_ID = subject_id("notice-policy", "master", "default")
POLICY_SUBJECT = By(subject="notice-policy", role="policy")
RETRIES_MAX = 10
SLIP_DAYS_MAX = 365


class PolicyUnusable(Invalid):
    """The policy's numbers lie outside what can work."""


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """One version of the policy; `retry_minutes` are the waits before each further attempt."""

    policy_id: UUID
    revision: int
    automatic: bool
    automatic_tiers: tuple[Tier, ...]
    automatic_value_max: Money | None
    default_slip_days: int
    retry_minutes: tuple[int, ...]
    made_by: By | None
    occurred_at: datetime
    recorded_at: datetime


def first_policy(now: datetime) -> NoticePolicy:
    """Return what holds until somebody says otherwise: a person approves, a silent delay slips by a week."""
    return NoticePolicy(
        policy_id=POLICY_ID,
        revision=0,
        automatic=False,
        automatic_tiers=(),
        automatic_value_max=None,
        default_slip_days=7,
        retry_minutes=(1, 5, 30),
        made_by=None,
        occurred_at=now,
        recorded_at=now,
    )


def next_policy(
    current: NoticePolicy,
    *,
    automatic: bool,
    automatic_tiers: tuple[Tier, ...],
    automatic_value_max: Money | None,
    default_slip_days: int,
    retry_minutes: tuple[int, ...],
    by: By,
    now: datetime,
) -> NoticePolicy:
    """Return the next version of the policy; raises PolicyUnusable."""
    if not 1 <= default_slip_days <= SLIP_DAYS_MAX:
        raise PolicyUnusable(f"{default_slip_days} days: expected 1 to {SLIP_DAYS_MAX}", field="default_slip_days")
    if len(retry_minutes) > RETRIES_MAX or any(minutes < 1 for minutes in retry_minutes):
        raise PolicyUnusable(
            f"at most {RETRIES_MAX} waits of one minute and more; got {list(retry_minutes)}", field="retry_minutes"
        )
    return replace(
        current,
        revision=current.revision + 1,
        automatic=automatic,
        automatic_tiers=automatic_tiers,
        automatic_value_max=automatic_value_max,
        default_slip_days=default_slip_days,
        retry_minutes=retry_minutes,
        made_by=by,
        occurred_at=now,
        recorded_at=now,
    )


def approves(policy: NoticePolicy, *, tier: Tier, values: Iterable[Money]) -> bool:
    """Say whether a notice to a customer of this tier, about lines of these values, goes without a person."""
    if not policy.automatic or tier not in policy.automatic_tiers:
        return False
    limit = policy.automatic_value_max
    if limit is None:
        return True
    worth = list(values)
    if any(value.currency != limit.currency for value in worth):
        return False
    return Money.total((value.amount for value in worth), limit.currency).amount <= limit.amount


def next_attempt_at(policy: NoticePolicy, *, attempt: int, now: datetime) -> datetime | None:
    """Return when to try again after attempt n failed, or None when it was the last."""
    if attempt > len(policy.retry_minutes):
        return None
    return now + timedelta(minutes=policy.retry_minutes[attempt - 1])
