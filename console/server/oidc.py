"""Login at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), state and nonce.

What was begun is remembered in a signed cookie of its own for some minutes, so that any copy of the console can end it.
That cookie is SameSite=Lax, since the provider, another site, leads the browser back with a top-level GET, on which a
strict one is not sent. The session's own cookie is strict.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from chassis.errors import Refusal
from chassis.http.auth import ALGORITHMS, Unauthenticated
from chassis.runtime.clock import machine_now
from console.server.settings import ConsoleSettings

STATE_COOKIE = "crossdock_login"
STATE_SECONDS = 600
CALLBACK = "/login/callback"
PROVIDER_TIMEOUT_SECONDS = 5.0
LEEWAY_SECONDS = 5
STATE_ALGORITHM = "HS256"


class ProviderFailed(Refusal):
    """The provider does not answer, or not as one."""

    code, status = "provider-failed", 502


class Provider:
    """The organisation's issuer, found by its discovery document."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._issuer, self._client_id = settings.auth_issuer, settings.oidc_client_id
        self._secret, self._scope = settings.oidc_client_secret, settings.oidc_scope
        self._audience = settings.auth_audience
        # The key of signed places signs this too, under a name of its own: one secret less to hand out.
        self._key = hmac.digest(settings.cursor_secret.encode(), b"console login", "sha256")

    def lead_out(self, back: str, to: str) -> tuple[str, str]:
        """Return where to send the browser, and the cookie that remembers what was begun."""
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": self._scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "audience": self._audience,
        }
        ends = machine_now() + timedelta(seconds=STATE_SECONDS)
        held = {"state": state, "nonce": nonce, "verifier": verifier, "to": to, "exp": ends}
        endpoint = self._configuration()["authorization_endpoint"]
        mark = "&" if "?" in endpoint else "?"
        return f"{endpoint}{mark}{urlencode(asked)}", jwt.encode(held, self._key, algorithm=STATE_ALGORITHM)

    def take_back(self, cookie: str | None, state: str, code: str, back: str) -> tuple[str, str]:
        """Return the access token for the code, and the path the person asked for; raises Refusal."""
        held = self._held(cookie)
        if not hmac.compare_digest(str(held["state"]).encode(), state.encode()):
            raise Unauthenticated("this login was begun elsewhere; begin again", code="login-unknown")
        found = self._configuration()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": held["verifier"],
        }
        secret = httpx.BasicAuth(self._client_id, self._secret) if self._secret else None
        given = self._request_json("POST", found["token_endpoint"], sent | {"client_id": self._client_id}, secret)
        self._check(str(given.get("id_token", "")), str(held["nonce"]), found["jwks_uri"])
        return str(given.get("access_token", "")), str(held["to"])

    def _held(self, cookie: str | None) -> dict[str, Any]:
        try:
            return jwt.decode(cookie or "", self._key, algorithms=[STATE_ALGORITHM], options={"require": ["exp"]})
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(
                "this login was begun elsewhere or too long ago; begin again", code="login-unknown"
            ) from error

    def _check(self, token: str, nonce: str, keys_at: str) -> None:
        """Raise Unauthenticated unless the identity token is this provider's, for this client and login (OIDC Core 3.1.3.7)."""
        try:
            keys = jwt.PyJWKSet.from_dict(self._request_json("GET", keys_at))
            key = keys[str(jwt.get_unverified_header(token).get("kid", ""))]
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._client_id,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise Unauthenticated(f"the provider's identity token does not hold: {type(error).__name__}") from error
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise Unauthenticated("the provider's identity token is of another login")

    def _configuration(self) -> dict[str, Any]:
        found = self._request_json("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            raise ProviderFailed("the provider's discovery document names another issuer")
        if lacking := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - set(found):
            raise ProviderFailed(f"the provider's discovery document lacks {', '.join(sorted(lacking))}")
        return found

    def _request_json(
        self, method: str, url: str, form: dict[str, str] | None = None, secret: httpx.BasicAuth | None = None
    ) -> dict[str, Any]:
        try:
            answer = httpx.request(method, url, data=form, auth=secret, timeout=PROVIDER_TIMEOUT_SECONDS)
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(f"the login provider does not answer as one: {type(error).__name__}") from error
        if answer.status_code == 400 and isinstance(said, dict):
            raise Unauthenticated(f"the login provider refused: {str(said.get('error'))[:80]}", code="login-refused")
        if answer.status_code != 200 or not isinstance(said, dict):
            raise ProviderFailed(f"the login provider answered {answer.status_code}")
        return said
