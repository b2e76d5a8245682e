"""What sales knows: customers, orders, the promise ledger, impacts and notices; pure."""

from services.sales.domain.customer import Customer, CustomerOfAnotherSource, ZoneUnknown, customer_id_of, keep_customer
from services.sales.domain.impact import (
    Impact,
    assess_impact,
    await_impact,
    await_task,
    impact_id_of,
    money_at_risk,
    propose_day,
)
from services.sales.domain.message import render_notice
from services.sales.domain.notice import (
    BY_HAND,
    OPEN_STATES,
    Book,
    BookEntry,
    Notice,
    NoticeLine,
    NoticeNotOpen,
    NoticeState,
    TaskIsClosed,
    approve_notice,
    begin_sending,
    close_book,
    draft_notices,
    must_be_approvable,
    notice_id_of,
    open_book,
    record_notice_failed,
    record_notice_sent,
    reopen_book,
    resolve_notice,
    retry_notice,
    stale_lines,
    supersede_notice,
)
from services.sales.domain.order import (
    LinesMissing,
    LineUnknown,
    NewLine,
    Order,
    OrderIsCancelled,
    OrderIsSomeoneElses,
    OrderKnown,
    OrderLine,
    OrderState,
    Promise,
    PromiseIsKept,
    cancel_order,
    change_order,
    confirm_line,
    order_id_of,
    order_line_id_of,
    place_order,
    record_actual,
)
from services.sales.domain.policy import (
    POLICY_ID,
    POLICY_SUBJECT,
    NoticePolicy,
    PolicyUnusable,
    approves,
    first_policy,
    next_attempt_at,
    set_notice_policy,
)
from services.sales.domain.promise import (
    ContradictoryUpdate,
    PromiseMoved,
    Statement,
    contradiction_of,
    revise_promise,
    state_promise,
)

__all__ = [
    "BY_HAND", "OPEN_STATES", "POLICY_ID", "POLICY_SUBJECT", "Book", "BookEntry", "ContradictoryUpdate", "Customer",
    "CustomerOfAnotherSource", "Impact", "LineUnknown", "LinesMissing", "NewLine", "Notice", "NoticeLine", "NoticeNotOpen",
    "NoticePolicy", "NoticeState", "Order", "OrderIsCancelled", "OrderIsSomeoneElses", "OrderKnown", "OrderLine", "OrderState",
    "PolicyUnusable", "Promise", "PromiseIsKept", "PromiseMoved", "Statement", "TaskIsClosed", "ZoneUnknown", "approve_notice",
    "approves", "assess_impact", "await_impact", "await_task", "begin_sending", "cancel_order", "change_order", "close_book",
    "confirm_line", "contradiction_of", "customer_id_of", "draft_notices", "first_policy", "impact_id_of", "keep_customer",
    "money_at_risk", "must_be_approvable", "next_attempt_at", "notice_id_of", "open_book", "order_id_of", "order_line_id_of",
    "place_order", "propose_day", "record_actual", "record_notice_failed", "record_notice_sent", "render_notice", "reopen_book",
    "resolve_notice", "retry_notice", "revise_promise", "set_notice_policy", "stale_lines", "state_promise", "supersede_notice",
]  # fmt: skip
