"""Who is asking, for which function, with which scope. Deny by default.

A token is signed by one issuer with one algorithm family (RS256); its keys come from the issuer's JWKS and nowhere
else: a key in a token's header, another algorithm, another audience or an old token is answered with 401.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from chassis import log
from chassis.clock import machine_now
from chassis.errors import Forbidden, Refusal
from schemas.access import ACTS, SEES
from schemas.types import By

ALGORITHMS = ("RS256",)
READ_SECONDS_MIN = 2.0  # between two looks at what the issuer publishes, however many unknown keys come
_JWKS_TIMEOUT_SECONDS = 3.0
_LEEWAY_SECONDS = 5
_VERIFIED_SECONDS = 60.0
_VERIFIED_MAX = 1000


class OutsideScope(Forbidden):
    """The actor may do this, but not there."""

    code = "outside-scope"


class Unauthenticated(Refusal):
    """No token, or one that does not hold."""

    code, status = "unauthenticated", 401


class IssuerAway(Refusal):
    """The issuer's keys cannot be read, and the token names one that is not known here."""

    code, status = "issuer-away", 503


@dataclass(frozen=True)
class Actor:
    """The one who asks. None in `sites` or `customers` means all of them."""

    subject: str
    roles: frozenset[str]
    sites: frozenset[str] | None = None
    customers: frozenset[str] | None = None
    source: str | None = None
    carrier: str | None = None
    supplier: str | None = None
    warehouse: str | None = None
    topics: frozenset[str] = frozenset()
    expires_at: float | None = None  # Unix time; a stream ends with its reader's token

    @property
    def is_machine(self) -> bool:
        return "machine" in self.roles

    def has(self, *roles: str) -> bool:
        """Say whether the actor has one of these roles."""
        return bool(self.roles.intersection(roles))

    def may(self, act: str) -> None:
        """Raise Forbidden unless the table of acts lets one of the actor's roles do this."""
        row = ACTS[act]
        if self.roles.intersection(row.roles):
            return
        if self.is_machine and any(getattr(self, needed) for needed in row.machine):
            return
        own, theirs = ", ".join(sorted(self.roles)) or "nobody", ", ".join(row.roles) or "no person"
        raise Forbidden(f"{act} is not for {own}; it is for {theirs}")

    def sees(self, *, site: str | None = None, customer: str | None = None) -> bool:
        """Say whether a site and a customer lie in the actor's scope."""
        return (site is None or self.sites is None or site in self.sites) and (
            customer is None or self.customers is None or customer in self.customers
        )

    def must_see(self, *, site: str | None = None, customer: str | None = None) -> None:
        """Raise Forbidden where the site or the customer lies outside the actor's scope."""
        if not self.sees(site=site, customer=customer):
            raise OutsideScope("outside your scope of sites and customers; ask the planning lead to widen it")

    def must_see_everything(self) -> None:
        """Raise Forbidden unless the actor's scope is all sites and all customers: sums over everything show everything."""
        if self.sites is not None or self.customers is not None:
            raise OutsideScope("this figure adds up all sites and customers; your scope is a part of them")

    def must_subscribe(self, topic: str | None) -> None:
        """Raise Forbidden where a machine asks for what it did not subscribe to; None is for persons only."""
        if self.is_machine and topic not in self.topics:
            reads = f"a machine reads only what it subscribed to; this is {topic}"
            raise OutsideScope(reads if topic else "this is for persons only")

    def must_own(self, *, source: str | None = None, carrier: str | None = None, supplier: str | None = None) -> None:
        """Raise Forbidden where a machine touches what another source, carrier or supplier registered."""
        pairs = ((self.source, source), (self.carrier, carrier), (self.supplier, supplier))
        if self.is_machine and not any(own is not None and own == by for own, by in pairs):
            raise OutsideScope("a machine may touch only what its own source, carrier or supplier registered")

    def must_be_theirs(self, *, source: str | None = None, carrier: str | None = None, supplier: str | None = None) -> None:  # fmt: skip
        """Raise Forbidden where a machine bound to a source, a carrier or a supplier reads what another one registered."""
        pairs = ((self.source, source), (self.carrier, carrier), (self.supplier, supplier))
        if any(own is not None and by is not None for own, by in pairs):
            self.must_own(source=source, carrier=carrier, supplier=supplier)

    def sees_marked(self, kind: str) -> bool:
        """Say whether fields marked Sensitive(kind) are shown to the actor."""
        return bool(self.roles.intersection(SEES[kind]))

    def by(self, *preferred: str) -> By:
        """Return who acts, in the first of the preferred roles that the actor has."""
        own = (role for role in (*preferred, *sorted(self.roles)) if role in self.roles)
        return By(subject=self.subject, role=next(own, "nobody"))


class Verifier:
    """Turns a bearer token into an Actor; keys are read from a JWKS file or URL and looked up by key id."""

    def __init__(self, *, issuer: str, audience: str, jwks: str) -> None:
        self._issuer, self._audience, self._jwks = issuer, audience, jwks
        self._keys: dict[str, Any] = {}
        self._is_away, self._read_at = False, -READ_SECONDS_MIN
        self._lock = threading.Lock()
        self._verified: dict[str, tuple[float, Actor]] = {}  # by token: until when its signature holds unchecked

    def known_actor(self, authorization: str | None) -> Actor | None:
        """Return the actor of a token that was verified within the last minute; None means: verify it."""
        held = self._verified.get((authorization or "").partition(" ")[2].strip())
        return held[1] if held is not None and machine_now().timestamp() < held[0] else None

    def actor(self, authorization: str | None) -> Actor:
        """Return who an Authorization header stands for; raises Unauthenticated with a reason that repeats no token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("no bearer token; log in with `crossdock login --as ROLE` or at your issuer")
        return self.actor_of(token.strip())

    def actor_of(self, token: str) -> Actor:
        """Return who a token stands for; raises Unauthenticated."""
        try:
            head = jwt.get_unverified_header(token)
            if (signed := head.get("alg")) not in ALGORITHMS:
                raise Unauthenticated(f"signed with {str(signed)[:20]!r}; only {', '.join(ALGORITHMS)} is accepted")
            key = self._key(str(head.get("kid", "")))
            claims = jwt.decode(
                token, key, algorithms=list(ALGORITHMS), audience=self._audience, issuer=self._issuer, leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )  # fmt: skip
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired; log in again", code="token-expired") from error
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"the token does not hold: {type(error).__name__}") from error
        actor = actor_from(claims)
        if len(self._verified) >= _VERIFIED_MAX:
            self._verified.clear()
        self._verified[token] = (min(float(claims["exp"]), machine_now().timestamp() + _VERIFIED_SECONDS), actor)
        return actor

    def _key(self, kid: str) -> Any:
        if kid not in self._keys:  # one that is known waits for nobody
            with self._lock:
                if kid not in self._keys and time.monotonic() - self._read_at >= READ_SECONDS_MIN:
                    self._look()
        if (key := self._keys.get(kid)) is None:
            if self._is_away:
                raise IssuerAway("the issuer's keys cannot be read now; try again soon")
            raise Unauthenticated("the token names a key that its issuer does not publish")
        return key

    def _look(self) -> None:
        try:
            self._keys, self._is_away = self._read(), False
        except Exception as error:  # noqa: BLE001  whatever it says instead of keys: what it said before holds
            log.get().warning("auth.issuer_away", because=type(error).__name__)
            self._is_away = True
        self._read_at = time.monotonic()

    def _read(self) -> dict[str, Any]:
        if self._jwks.startswith("https://"):
            document = httpx.get(self._jwks, timeout=_JWKS_TIMEOUT_SECONDS).raise_for_status().json()
        else:
            with open(self._jwks, encoding="utf-8") as file:
                document = json.load(file)
        return {k["kid"]: jwt.PyJWK(k, algorithm="RS256").key for k in document["keys"] if k.get("kty") == "RSA"}


def actor_from(claims: dict[str, Any]) -> Actor:
    """Return the actor that verified claims describe; what they leave out is denied."""

    def scope(name: str) -> frozenset[str] | None:
        value = claims.get(name, [])
        return None if value == "*" else frozenset(value if isinstance(value, list) else [])

    return Actor(
        subject=claims["sub"], roles=frozenset(claims.get("roles", [])), sites=scope("sites"), customers=scope("customers"),
        source=claims.get("source"), carrier=claims.get("carrier"), supplier=claims.get("supplier"), warehouse=claims.get("warehouse"),
        topics=frozenset(claims.get("topics", [])), expires_at=claims.get("exp"),
    )  # fmt: skip
