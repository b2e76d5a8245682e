"""One-use login links: a ticket stands for a token, for a few minutes, in this process's memory only."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

from chassis.errors import Refusal

TICKET_SECONDS = 300.0
TICKETS_MAX = 1_000


class TicketRefused(Refusal):
    """The ticket was used, is too old, or was never given."""

    code, status = "ticket-refused", 403


class Tickets:
    """Tickets that are out. Only their digests are kept."""

    def __init__(self, seconds: float = TICKET_SECONDS) -> None:
        self._seconds = seconds
        self._out: dict[bytes, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def give(self, token: str) -> str:
        """Return a new ticket for a token; raises TicketRefused where too many are out."""
        ticket, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._out = {digest: held for digest, held in self._out.items() if held[0] > now}
            if len(self._out) >= TICKETS_MAX:
                raise TicketRefused(f"{TICKETS_MAX:,} tickets are out; wait until some are used or end", status=503)
            self._out[_digest(ticket)] = (now + self._seconds, token)
        return ticket

    def redeem(self, ticket: str) -> str:
        """Return the token of a ticket, once; raises TicketRefused."""
        with self._lock:
            ends, token = self._out.pop(_digest(ticket), (0.0, ""))
        if ends <= time.monotonic():
            raise TicketRefused("this login link was used, is too old, or was never given; ask for a new one")
        return token


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
