"""The built-in issuer of the local stack: gives each demo role a token. It answers only where it was given a key, and
only the local user, who can read the stack's secret, or a session that it gave before."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.errors import Invalid
from chassis.runtime.clock import machine_now
from schemas.access import PERSONS

TOKEN_HOURS = 8
MACHINES: dict[str, dict[str, Any]] = {
    "machine-carrier": {"carrier": "northline", "source": "northline"},
    "machine-erp": {"source": "erp"},
    "machine-supplier": {"supplier": "Bolt & Sons"},
    "machine-warehouse": {
        "warehouse": "Abidjan",
        "sites": ["Abidjan"],
    },  # a site of the demo; elsewhere it writes nothing
    "machine-subscriber": {"topics": ["exceptions.case"]},
}
NARROWS = ("sites", "customers", "source", "carrier", "supplier", "warehouse")


class BuiltInIssuer:
    """Signs tokens for demo roles of one world."""

    def __init__(self, *, issuer: str, audience: str, key_file: str, key_id: str, secret_file: str) -> None:
        self._secret = Path(secret_file).read_bytes().strip()
        self._issuer, self._audience, self._key_id = issuer, audience, key_id
        self._key = load_pem_private_key(Path(key_file).read_bytes(), password=None)

    def knows(self, secret: str | None) -> bool:
        """Return whether the secret equals the local user's secret, compared in constant time."""
        return secret is not None and hmac.compare_digest(secret.encode(), self._secret)

    def token(self, role: str, narrow: dict[str, Any]) -> tuple[str, datetime]:
        """Return a token for a demo role, narrowed to a scope or a source; raises Invalid for an unknown role."""
        if role not in PERSONS and role not in MACHINES:
            raise Invalid(f"role {role!r}: expected one of {', '.join([*PERSONS, *MACHINES])}", field="as")
        now = machine_now()
        ends = now + timedelta(hours=TOKEN_HOURS)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": narrow.get("name") or role,
            "iat": now,
            "exp": ends,
            "sites": "*",
            "customers": "*",
        }
        claims["jti"] = secrets.token_urlsafe(12)  # two of one second are two: one session's end is not the other's
        claims |= {"roles": ["machine"], **MACHINES[role]} if role in MACHINES else {"roles": [role]}
        claims |= {name: narrow[name] for name in NARROWS if narrow.get(name) is not None}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id}), ends  # type: ignore[arg-type]  # an RSA key
