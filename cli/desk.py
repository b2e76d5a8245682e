"""Logins at a world's console: tokens, and links that log in once, for a few minutes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import httpx

from cli.client import understood
from cli.errors import NotAllowed, Unreachable
from cli.stack.recipe import CONSOLE
from cli.stack.state import Home

TIMEOUT_SECONDS = 10.0
ROLE = "planning-lead"
SECRET_HEADER = "X-Local-Secret"


def local_secret(home: Home) -> dict[str, str]:
    """Return the header by which the built-in issuer knows the user who started the stack; empty where none runs."""
    secret = home.local_secret()
    return {} if secret is None else {SECRET_HEADER: secret}


def issue(console: str, what: str, role: str, home: Home) -> Any:
    """Return what the built-in issuer of a console gives a demo role: a `token` or a `ticket`.

    Raises Unreachable, and NotAllowed where the stack belongs to another data folder or user.
    """
    url = f"{console}/issuer/{what}"
    try:
        answer = httpx.post(url, json={"as": role}, headers=local_secret(home), timeout=TIMEOUT_SECONDS)
    except httpx.TransportError as why:
        raise Unreachable(f"The console does not answer at {console}: `crossdock up` starts the stack.") from why
    return issued(answer)


def issued(answer: httpx.Response) -> Any:
    """Return what the built-in issuer answered; raises NotAllowed where it did not know the secret."""
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise NotAllowed(
            "The console does not know the secret of this data folder: run the command as the user and in the checkout "
            "that started the stack, or name its data folder with CROSSDOCK_HOME."
        )
    return understood(answer, CONSOLE)


def link(console: str, role: str = ROLE, to: str = "/", *, home: Home) -> str:
    """Return a one-use login link of a console with the built-in issuer; raises Unreachable, and what it refuses."""
    ticket = issue(console, "ticket", role, home)["ticket"]
    return f"{console}/login?{urlencode({'ticket': ticket, 'to': to})}"
