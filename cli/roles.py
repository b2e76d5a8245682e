"""Tokens of a command that acts in several roles: the endpoints of a replay belong to several functions."""

from __future__ import annotations

import os
import threading

import httpx

from cli.client import Client
from cli.desk import issued, local_secret
from cli.errors import Unreachable
from cli.stack.recipe import CONSOLE

TIMEOUT_SECONDS = 10.0


class RoleTokens:
    """A token for each role, from the built-in issuer of the local stack.

    Where the stack has an issuer of its own elsewhere, CROSSDOCK_TOKEN is one token for all of them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tokens: dict[str, str] = {}
        self._turn = threading.Lock()

    def __call__(self, role: str, renew: bool) -> str:
        """Return the token of a role, a new one when the old one was refused; raises CommandFailed."""
        told = os.environ.get("CROSSDOCK_TOKEN")
        if told:
            return told
        with self._turn:
            if renew or role not in self._tokens:
                self._tokens[role] = self._request_token(role)
            return self._tokens[role]

    def _request_token(self, role: str) -> str:
        url = f"{self._client.address(CONSOLE)}/issuer/token"
        try:
            head = local_secret(self._client.home)
            answer = self._client.http.post(url, json={"as": role}, headers=head, timeout=TIMEOUT_SECONDS)
        except httpx.TransportError as why:
            raise Unreachable(
                f"The console of world {self._client.world} does not answer at {url}: "
                "`crossdock status` shows how it stands."
            ) from why
        return str(issued(answer)["token"])
