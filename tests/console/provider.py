"""An OpenID Connect provider on loopback: discovery, the authorization endpoint, the token endpoint with PKCE, its keys."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

from tests.support.service import PATIENCE_SECONDS, issuer, wait_until

CLIENT, SECRET = "crossdock-desk", "only for tests"


def _keys() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(issuer().jwks_file.read_text())
    return made


@dataclass
class Provider:
    """What it was asked, and what it will say falsely."""

    audience: str
    url: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)  # claims of the identity token that are not as they should be
    token_claims: dict[str, Any] = field(default_factory=dict)

    def signed(self, **claims: Any) -> str:
        """Sign claims with the provider's key."""
        key = issuer().key_file.read_bytes()
        kid = _keys()["keys"][0]["kid"]
        now = int(time.time())
        whole = {"iss": self.url, "sub": "ada", "iat": now, "exp": now + 600} | claims
        return jwt.encode(whole, key, algorithm="RS256", headers={"kid": kid})

    def app(self) -> FastAPI:
        """Return its application."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, str]:
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return _keys()

        @app.get("/authorize")
        def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == (
                "code",
                CLIENT,
                "S256",
            )
            code = secrets.token_urlsafe()
            self.codes[code] = asked
            return RedirectResponse(
                f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303
            )

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            told = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            asked = self.codes.pop(told["code"], None)
            basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            digest = (
                base64.urlsafe_b64encode(hashlib.sha256(told["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            )
            fits = asked and asked["redirect_uri"] == told["redirect_uri"] and asked["code_challenge"] == digest
            if (
                asked is None
                or not fits
                or told["grant_type"] != "authorization_code"
                or request.headers.get("authorization") != basic
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            access = {"aud": self.audience, "roles": ["sales"], "sites": ["Near"], "customers": "*"} | self.token_claims
            identity = {"aud": CLIENT, "nonce": asked["nonce"]} | self.lies
            return JSONResponse({"access_token": self.signed(**access), "id_token": self.signed(**identity)})

        return app


@contextlib.contextmanager
def provided(audience: str) -> Iterator[Provider]:
    """Run a provider for as long as the block lasts."""
    made = Provider(audience)
    server = uvicorn.Server(uvicorn.Config(made.app(), host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
