"""Links to a world's desk: each logs in once, for a few minutes."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx

from cli.client import understood
from cli.errors import Unreachable
from cli.stack.recipe import CONSOLE

TIMEOUT_SECONDS = 10.0
ROLE = "planning-lead"


def link(console: str, role: str = ROLE, to: str = "/") -> str:
    """Return a one-use login link of a console with the built-in issuer; raises Unreachable, and what it refuses."""
    try:
        answer = httpx.post(f"{console}/issuer/ticket", json={"as": role}, timeout=TIMEOUT_SECONDS)
    except httpx.TransportError as why:
        raise Unreachable(f"The console does not answer at {console}: `crossdock up` starts the stack.") from why
    ticket = understood(answer, CONSOLE)["ticket"]
    return f"{console}/login?{urlencode({'ticket': ticket, 'to': to})}"
