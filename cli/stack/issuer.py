"""The built-in issuer of the local stack: one RSA key, its public half as a JWKS file, and tokens for the
stack itself (the seed, tests). People get theirs over HTTP from the console (`crossdock login`)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cli.stack.state import FolderUnusable, read_json, unusable, write_json

ISSUER = "crossdock-local"
ALGORITHM = "RS256"
KEY_BITS = 2048
TOKEN_SECONDS = 8 * 3600


def audience(world: str) -> str:
    """Name the audience of a world's tokens."""
    return f"crossdock.{world}"


class Issuer:
    """The key pair in one folder, made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self.key_file = folder / "private.pem"
        self.jwks_file = folder / "jwks.json"

    def ensure(self) -> None:
        """Make key and JWKS where they are missing."""
        if not self.key_file.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            self._write_key(pem)
            self.jwks_file.unlink(missing_ok=True)
        if read_json(self.jwks_file) is None:
            write_json(self.jwks_file, {"keys": [public_jwk(self._key())]})

    def token(self, role: str, *, world: str, seconds: int = TOKEN_SECONDS, **claims: Any) -> str:
        """Sign a token for a role of a world, for all sites and customers unless the claims say less."""
        # Tokens live by the machine's clock, whatever a world's clock says.
        now = int(time.time())  # noqa: TID251  (the command has no clock of the chassis; this is machine time)
        content = {
            "iss": ISSUER,
            "aud": audience(world),
            "sub": role,
            "iat": now,
            "exp": now + seconds,
            "roles": [role.partition("-")[0] if role.startswith("machine-") else role],
            "sites": "*",
            "customers": "*",
            **claims,
        }
        key = self._key()
        return jwt.encode(content, key, algorithm=ALGORITHM, headers={"kid": public_jwk(key)["kid"]})

    def _key(self) -> rsa.RSAPrivateKey:
        return _loaded(self.key_file.read_bytes())

    def _write_key(self, pem: bytes) -> None:
        part = self.key_file.with_suffix(".part")
        try:
            self.key_file.parent.mkdir(parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_bytes(pem)
            part.replace(self.key_file)
        except OSError as why:
            raise FolderUnusable(unusable(self.key_file.parent, why)) from why


@lru_cache(maxsize=4)
def _loaded(pem: bytes) -> rsa.RSAPrivateKey:
    """Read a private key; checking one costs fifty milliseconds, which every token would pay again."""
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def public_jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return the public half as a JWK whose id is its RFC 7638 thumbprint."""
    numbers = key.public_key().public_numbers()
    core = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    canonical = json.dumps(core, sort_keys=True, separators=(",", ":")).encode()
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")
    return {**core, "kid": thumbprint, "use": "sig", "alg": ALGORITHM}


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
