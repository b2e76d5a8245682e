"""The HTTP door: acts, questions, batches, problem details, idempotency, signed cursors."""

from chassis.http.admission import BODY_BYTES_MAX, IN_FLIGHT_PER_THREAD, Admission, server
from chassis.http.batches import BATCH_ITEMS_MAX, BatchAnswer, BatchResult, Item, RawBatch, run_batch
from chassis.http.body import Body
from chassis.http.hosts import Hosts, host_name, is_loopback
from chassis.http.problems import Problem, problem
from chassis.http.routes import Router, create_app
from chassis.http.work import PAGE_ITEMS_MAX, ActContext, Page, QueryContext, Response, current_context, in_thread

__all__ = [
    "BATCH_ITEMS_MAX",
    "BODY_BYTES_MAX",
    "IN_FLIGHT_PER_THREAD",
    "PAGE_ITEMS_MAX",
    "ActContext",
    "Admission",
    "BatchAnswer",
    "BatchResult",
    "Body",
    "Hosts",
    "Item",
    "Page",
    "Problem",
    "QueryContext",
    "RawBatch",
    "Response",
    "Router",
    "create_app",
    "current_context",
    "host_name",
    "in_thread",
    "is_loopback",
    "problem",
    "run_batch",
    "server",
]
