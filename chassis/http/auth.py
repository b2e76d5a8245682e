"""Who is asking, for which function, with which scope. Deny by default.

A token is signed by one issuer with one algorithm family (RS256); its keys come from the issuer's JWKS and nowhere
else: a key in a token's header, another algorithm, another audience or an old token is answered with 401.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, NamedTuple

import jwt

from chassis.errors import Forbidden, Refusal
from chassis.http.keys import SigningKeys
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import REREAD_SECONDS_MAX
from schemas.access import ACTS, SEES, is_in_scope
from schemas.types import By

ALGORITHMS = ("RS256",)
_LEEWAY_SECONDS = 5
_VERIFIED_SECONDS = 60.0
_VERIFIED_MAX = 1000


class OutsideScope(Forbidden):
    """The actor may do this, but not there."""

    code = "outside-scope"


class Unauthenticated(Refusal):
    """No token, or one that does not hold."""

    code, status = "unauthenticated", 401


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

    @property
    def sees_all(self) -> bool:
        """Say whether the actor's scope is all sites and all customers."""
        return self.sites is None and self.customers is None

    def sees_any(self, *, sites: Iterable[str | None], customers: Iterable[str | None]) -> bool:
        """Say whether one of a thing's sites and one of its customers lie in the actor's scope (FLOW 4.3)."""
        return is_in_scope(self.sites, sites) and is_in_scope(self.customers, customers)

    def sees_whole(self, *, sites: Collection[str], customers: Collection[str]) -> bool:
        """Say whether all of a thing's sites and customers lie in the actor's scope, so that its sums may be shown."""
        within = (self.sites is None or self.sites.issuperset(sites)) and (
            self.customers is None or self.customers.issuperset(customers)
        )
        return within and self.sees_any(sites=sites, customers=customers)

    def must_see_any(self, *, sites: Iterable[str | None], customers: Iterable[str | None]) -> None:
        """Raise Forbidden unless one of a thing's sites and one of its customers lie in the actor's scope."""
        if not self.sees_any(sites=sites, customers=customers):
            raise OutsideScope("outside your scope of sites and customers; ask the planning lead to widen it")

    def sees(self, *, site: str | EllipsisType | None = ..., customer: str | EllipsisType | None = ...) -> bool:
        """Say whether a row lies in the actor's scope.

        A kind of row that has no site, or no customer, leaves the argument out. None is a row that could name one and
        does not: it is only for actors whose scope is everything.
        """
        return (site is ... or is_in_scope(self.sites, (site,))) and (
            customer is ... or is_in_scope(self.customers, (customer,))
        )

    def must_see(self, *, site: str | EllipsisType | None = ..., customer: str | EllipsisType | None = ...) -> None:
        """Raise Forbidden where a row lies outside the actor's scope."""
        if not self.sees(site=site, customer=customer):
            raise OutsideScope("outside your scope of sites and customers; ask the planning lead to widen it")

    def must_see_everything(self) -> None:
        """Raise Forbidden unless the actor's scope is all sites and all customers: sums over everything show everything."""
        if not self.sees_all:
            raise OutsideScope("this figure adds up all sites and customers; your scope is a part of them")

    def must_subscribe(self, topic: str | None) -> None:
        """Raise Forbidden where a machine asks for what it did not subscribe to; None is for persons only."""
        if self.is_machine and topic not in self.topics:
            reads = f"a machine reads only what it subscribed to; this is {topic}"
            raise OutsideScope(reads if topic else "this is for persons only")

    def must_own(self, **owners: str | None) -> None:
        """Raise Forbidden where a machine touches what another one registered.

        `owners` names a thing's source, carrier, supplier and warehouse (a site's code), those of them that may touch
        it. One of the machine's own claims must be equal. Persons are not limited by owners.
        """
        if self.is_machine and not any(by is not None and getattr(self, claim) == by for claim, by in owners.items()):
            raise OutsideScope(f"a machine may touch only what belongs to its own {' or '.join(owners)}")

    def must_be_theirs(self, **owners: str | None) -> None:
        """Raise Forbidden where a machine that has one of these claims reads what belongs to another one's."""
        if any(getattr(self, claim) is not None and by is not None for claim, by in owners.items()):
            self.must_own(**owners)

    def must_speak_for(self, source: str) -> None:
        """Raise Forbidden where a machine brings records in the name of another source than its own.

        A machine without a source speaks in the name of its carrier, its supplier or its warehouse.
        """
        own = (self.source,) if self.source is not None else (self.carrier, self.supplier, self.warehouse)
        if self.is_machine and source not in own:
            names = " or ".join(repr(name) for name in own if name is not None) or "none"
            raise OutsideScope(
                f"this machine sends batches for source {names} only, not {source!r}; correct source or use that machine's token",
                field="source",
            )

    def sees_marked(self, kind: str) -> bool:
        """Say whether fields marked Sensitive(kind) are shown to the actor."""
        return bool(self.roles.intersection(SEES[kind]))

    def by(self, *preferred: str) -> By:
        """Return who acts, in the first of the preferred roles that the actor has."""
        own = (role for role in (*preferred, *sorted(self.roles)) if role in self.roles)
        return By(subject=self.subject, role=next(own, "nobody"))


class _Verified(NamedTuple):
    """A token whose signature was verified: it holds unchecked until then, while its key is published."""

    until: float
    kid: str
    key: Any
    actor: Actor


class Verifier:
    """Turns a bearer token into an Actor. Its `keys` are read again on a timer that the process runs."""

    def __init__(self, *, issuer: str, audience: str, jwks: str, reread_seconds: float = REREAD_SECONDS_MAX) -> None:
        self._issuer, self._audience = issuer, audience
        self.keys = SigningKeys(jwks, reread_seconds=reread_seconds)
        self._verified: dict[str, _Verified] = {}

    def known_actor(self, authorization: str | None) -> Actor | None:
        """Return the actor of a token that was verified within the last minute; None means: verify it."""
        held = self._verified.get((authorization or "").partition(" ")[2].strip())
        if held is None or machine_now().timestamp() >= held.until or self.keys.known(held.kid) is not held.key:
            return None
        return held.actor

    def has_key_of(self, token: str) -> bool:
        """Say whether the issuer still publishes the key of a token that was verified before."""
        return self.keys.known(str(jwt.get_unverified_header(token).get("kid", ""))) is not None

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
            kid = str(head.get("kid", ""))
            if (key := self.keys.find(kid)) is None:
                raise Unauthenticated("the token is signed with a key that its issuer does not publish; log in again")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired; log in again", code="token-expired") from error
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"the token does not hold: {type(error).__name__}") from error
        actor = actor_from(claims)
        if len(self._verified) >= _VERIFIED_MAX:
            self._verified.clear()
        until = min(float(claims["exp"]), machine_now().timestamp() + _VERIFIED_SECONDS)
        self._verified[token] = _Verified(until, kid, key, actor)
        return actor


def actor_from(claims: dict[str, Any]) -> Actor:
    """Return the actor that verified claims describe; what they leave out is denied."""

    def scope(name: str) -> frozenset[str] | None:
        value = claims.get(name, [])
        return None if value == "*" else frozenset(value if isinstance(value, list) else [])

    return Actor(
        subject=claims["sub"],
        roles=frozenset(claims.get("roles", [])),
        sites=scope("sites"),
        customers=scope("customers"),
        source=claims.get("source"),
        carrier=claims.get("carrier"),
        supplier=claims.get("supplier"),
        warehouse=claims.get("warehouse"),
        topics=frozenset(claims.get("topics", [])),
        expires_at=claims.get("exp"),
    )
