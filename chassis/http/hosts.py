"""Checks the Host header. A request under a name that is not loopback or allowed is answered 421, which prevents DNS rebinding."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.http.problems import document
from chassis.runtime import log, metrics

HOSTS_KNOWN_MAX = 1_000  # a name comes with any port
_TOLD = (
    "this server does not answer to the name in the Host header; use a loopback address, or name it in HOSTS_ALLOWED"
)
_MISDIRECTED = Response(json.dumps(document("misdirected", 421, _TOLD)), 421, media_type="application/problem+json")


class Hosts:
    """The names in `Host` that a server answers to: loopback ones, and those that it was told, each with any port."""

    def __init__(self, names: Iterable[str], *, service: str) -> None:
        self._names = frozenset(name.lower() for name in names)
        self._known: set[bytes] = set()  # headers that were accepted
        self._refused = metrics.acts_refused_total.labels(service, "misdirected")

    def takes(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Say whether a request with these headers is for this server."""
        given = [value for name, value in headers if name == b"host"]
        if len(given) != 1 or not (given[0] in self._known or self._is_ours(given[0])):
            return False
        if len(self._known) >= HOSTS_KNOWN_MAX:
            self._known.clear()
        self._known.add(given[0])
        return True

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 to a request that is not for this server."""
        given = b", ".join(value for name, value in scope["headers"] if name == b"host")
        log.get().warning("request.misdirected", host=given.decode("latin-1")[:100], path=scope["path"])
        self._refused.inc()
        await _MISDIRECTED(scope, receive, send)

    def _is_ours(self, header: bytes) -> bool:
        name = host_name(header.decode("latin-1"))
        return name is not None and (name in self._names or is_loopback(name))


def host_name(authority: str) -> str | None:
    """Return the name or the address of `name`, `name:port` or `[address]:port`, in lower case; None for anything else."""
    name, port = authority.lower(), ""
    if name.startswith("["):
        name, bracket, port = name[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return None
        port = port[1:]
    elif ":" in name:
        name, _, port = name.partition(":")
    return name if name and (not port or (port.isascii() and port.isdigit())) else None


def is_loopback(name: str) -> bool:
    """Say whether a name or an address always leads to this machine: localhost, 127.0.0.0/8, ::1."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
