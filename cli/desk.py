"""Logins at a world's console: tokens, and links that log in once, for a few minutes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx

from cli.client import understood
from cli.errors import Unreachable
from cli.stack.recipe import CONSOLE

TIMEOUT_SECONDS = 10.0
ROLE = "planning-lead"


def issued(console: str, what: str, role: str) -> Any:
    """Return what the built-in issuer of a console gives a demo role: a `token` or a `ticket`; raises Unreachable."""
    try:
        answer = httpx.post(f"{console}/issuer/{what}", json={"as": role}, timeout=TIMEOUT_SECONDS)
    except httpx.TransportError as why:
        raise Unreachable(f"The console does not answer at {console}: `crossdock up` starts the stack.") from why
    return understood(answer, CONSOLE)


def link(console: str, role: str = ROLE, to: str = "/") -> str:
    """Return a one-use login link of a console with the built-in issuer; raises Unreachable, and what it refuses."""
    ticket = issued(console, "ticket", role)["ticket"]
    return f"{console}/login?{urlencode({'ticket': ticket, 'to': to})}"
