"""Aggregates of sales in and out.

Who locks several kinds takes them in this order: customers, orders, impacts, batches, notices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.sales import domain, tables

customers = Store(domain.Customer, tables.customers, key="customer_id")
orders = Store(
    domain.Order,
    tables.orders,
    key="order_id",
    children={"lines": tables.order_lines, "promises": tables.promises},
)
impacts = Store(domain.Impact, tables.impacts, key="impact_id", children={"lines": tables.impact_lines})
batches = Store(
    domain.NoticeBatch, tables.notice_batches, key="task_id", children={"entries": tables.notice_batch_entries}
)
notices = Store(domain.Notice, tables.notices, key="notice_id", children={"lines": tables.notice_lines})
policies = Store(domain.NoticePolicy, tables.notice_policies, key="policy_id")


def load_customers(tx: Tx, customer_ids: Iterable[UUID]) -> None:
    """Lock and load many customers in one query."""
    tx.load(customers, customer_ids)


def find_customer(tx: Tx, customer_id: UUID) -> domain.Customer | None:
    """Return a customer, locked, or None."""
    return tx.find(customers, customer_id)


def read_customer(tx: Tx, customer_id: UUID) -> domain.Customer | None:
    """Return a customer as it is now, not locked, or None."""
    return tx.read_cached(customers, customer_id)


def save_customer(tx: Tx, customer: domain.Customer) -> None:
    """Keep a customer."""
    tx.save(customers, customer)


def load_orders(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Lock and load many orders in one query per table."""
    tx.load(orders, order_ids)


def find_order(tx: Tx, order_id: UUID) -> domain.Order | None:
    """Return an order, locked, or None."""
    return tx.find(orders, order_id)


def get_order(tx: Tx, order_id: UUID) -> domain.Order:
    """Return an order, locked; raises NotFound."""
    return tx.get(orders, order_id)


def save_order(tx: Tx, order: domain.Order) -> None:
    """Keep an order."""
    tx.save(orders, order)


def add_statement(tx: Tx, statement: domain.Statement) -> None:
    """Add what was said about a promise, once."""
    tx.append(tables.statements, asdict(statement), on_conflict="ON CONFLICT DO NOTHING")


def load_impacts(tx: Tx, impact_ids: Iterable[UUID]) -> None:
    """Lock and load many impacts in one query per table."""
    tx.load(impacts, impact_ids)


def find_impact(tx: Tx, impact_id: UUID) -> domain.Impact | None:
    """Return an impact, locked, or None."""
    return tx.find(impacts, impact_id)


def save_impact(tx: Tx, impact: domain.Impact) -> None:
    """Keep an impact."""
    tx.save(impacts, impact)


def load_batches(tx: Tx, task_ids: Iterable[UUID]) -> None:
    """Lock and load many batches in one query per table."""
    tx.load(batches, task_ids)


def find_batch(tx: Tx, task_id: UUID) -> domain.NoticeBatch | None:
    """Return the batch of a task, locked, or None."""
    return tx.find(batches, task_id)


def get_batch(tx: Tx, task_id: UUID) -> domain.NoticeBatch:
    """Return the batch of a task, locked; raises NotFound."""
    return tx.get(batches, task_id)


def save_batch(tx: Tx, batch: domain.NoticeBatch) -> None:
    """Keep a batch."""
    tx.save(batches, batch)


def load_notices(tx: Tx, notice_ids: Iterable[UUID]) -> None:
    """Lock and load many notices in one query per table; who does so holds their batch."""
    tx.load(notices, notice_ids)


def read_notice(tx: Tx, notice_id: UUID) -> domain.Notice | None:
    """Return a notice as it is now, not locked, or None."""
    return tx.read_cached(notices, notice_id)


def get_notice(tx: Tx, notice_id: UUID) -> domain.Notice:
    """Return a notice, locked; raises NotFound. Who does so holds its batch."""
    return tx.get(notices, notice_id)


def save_notice(tx: Tx, notice: domain.Notice) -> None:
    """Keep a notice."""
    tx.save(notices, notice)


def read_policy(tx: Tx) -> domain.NoticePolicy | None:
    """Return the notice policy, not locked, or None where nobody has set one."""
    return tx.read_cached(policies, domain.POLICY_ID)


def find_policy(tx: Tx) -> domain.NoticePolicy | None:
    """Return the notice policy, locked, or None where nobody has set one."""
    return tx.find(policies, domain.POLICY_ID)


def save_policy(tx: Tx, policy: domain.NoticePolicy) -> None:
    """Keep the policy, and this version of it for good."""
    tx.save(policies, policy)
    content = {
        "automatic": policy.automatic,
        "automatic_tiers": policy.automatic_tiers,
        "automatic_value_max": policy.automatic_value_max and policy.automatic_value_max.model_dump(mode="json"),
        "default_slip_days": policy.default_slip_days,
        "retry_minutes": policy.retry_minutes,
        "made_by": policy.made_by and policy.made_by.model_dump(mode="json"),
    }
    row = {
        "policy_id": policy.policy_id,
        "revision": policy.revision,
        "content": content,
        "occurred_at": policy.occurred_at,
        "recorded_at": policy.recorded_at,
    }
    tx.append(tables.notice_policy_versions, row)
