"""The signing keys that an issuer publishes: a JWKS document in a file or at an https URL, read again on a timer.

A request whose key is known never waits for the issuer. A key that the issuer withdrew is unknown after the next
reading. While the issuer cannot be read, the keys of the last good reading hold for one hour.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import httpx
import jwt

from chassis.errors import Refusal
from chassis.ids import random_64
from chassis.runtime import log
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import REREAD_SECONDS_MAX

KEPT_SECONDS_MAX = 3_600.0  # after the last good reading
READ_SECONDS_MIN = 2.0  # between two readings for unknown keys, however many requests name them
SETTLED_SECONDS = 1.0  # a document that changed more recently is read whole again: its stamp may stand for two versions
_TIMEOUT_SECONDS = 3.0

Stamp = dict[str, Any]  # identifies a version of the document: HTTP validators, or a file's modification time and size


class IssuerAway(Refusal):
    """The issuer's keys cannot be read, and the token's key is not known or has been kept for too long."""

    code, status = "issuer-away", 503


class SigningKeys:
    """The keys of one issuer by their ids. Any thread may ask; one reading is under way at a time."""

    def __init__(
        self, jwks: str, *, reread_seconds: float = REREAD_SECONDS_MAX, kept_seconds: float = KEPT_SECONDS_MAX
    ) -> None:
        self._jwks, self._reread_seconds, self._kept_seconds = jwks, reread_seconds, kept_seconds
        self._keys: dict[str, tuple[dict[str, Any], Any]] = {}  # by id: the JWK and the key made from it
        self._stamp: Stamp = {}
        self._is_away, self._read_at, self._good_until = False, -READ_SECONDS_MIN, float("-inf")
        self._lock = threading.Lock()

    def known(self, kid: str) -> Any | None:
        """Return a key that the issuer published at the last good reading, at most `kept_seconds` ago, else None."""
        held = self._keys.get(kid)
        return held[1] if held is not None and time.monotonic() < self._good_until else None

    def find(self, kid: str) -> Any | None:
        """Return a key, read now if it is not known; None where it is not published. Raises IssuerAway."""
        if (key := self.known(kid)) is None:
            with self._lock:
                if self.known(kid) is None and time.monotonic() - self._read_at >= READ_SECONDS_MIN:
                    self._read()
            key = self.known(kid)
        if key is None and self._is_away:
            raise IssuerAway("the issuer's keys cannot be read now; try again soon")
        return key

    def reread(self) -> None:
        """Read the document if it changed. A failure is logged and changes no key."""
        with self._lock:
            self._read()

    def keep_fresh(self, ended: threading.Event) -> None:
        """Read now, then again after half to all of `reread_seconds` each time, until `ended` is set."""
        self.reread()
        while not ended.wait(self._reread_seconds * (1 + random_64() / 2**64) / 2):
            self.reread()

    def _read(self) -> None:
        try:
            read = _from_url if self._jwks.startswith("https://") else _from_file
            document, stamp = read(self._jwks, self._stamp)
            if stamp is not self._stamp:
                self._keys = self._made(document)
        except Exception as error:  # noqa: BLE001  whatever the issuer answers instead of keys: the known keys hold
            log.get().warning("auth.issuer_away", because=type(error).__name__)
            self._is_away = True
        else:
            self._stamp, self._is_away = stamp, False
            self._good_until = time.monotonic() + self._kept_seconds
        self._read_at = time.monotonic()

    def _made(self, document: dict[str, Any]) -> dict[str, tuple[dict[str, Any], Any]]:
        """Return the document's RSA keys. A key whose JWK did not change stays the same object."""
        made, before = dict[str, tuple[dict[str, Any], Any]](), self._keys
        for jwk in (jwk for jwk in document["keys"] if jwk.get("kty") == "RSA"):
            same = before.get(jwk["kid"])
            made[jwk["kid"]] = same if same and same[0] == jwk else (jwk, jwt.PyJWK(jwk, algorithm="RS256").key)
        return made


def _from_url(url: str, seen: Stamp) -> tuple[Any, Stamp]:
    """Return the document and its validators; no document and the very same ones where the server says: no change."""
    answer = httpx.get(url, headers=seen, timeout=_TIMEOUT_SECONDS)
    if seen and answer.status_code == httpx.codes.NOT_MODIFIED:
        return None, seen
    return answer.raise_for_status().json(), _validators(answer.headers)


def _validators(headers: Mapping[str, str]) -> Stamp:
    """Return the conditional headers of the next request: the entity tag, else a modification time that is safe to use."""
    if tag := headers.get("etag"):
        return {"If-None-Match": tag}
    modified, sent = (parsedate_tz(headers.get(name, "")) for name in ("last-modified", "date"))
    # A second change within the same second would have the same time (RFC 9110, 8.8.2.2).
    if modified and sent and mktime_tz(sent) - mktime_tz(modified) >= SETTLED_SECONDS:
        return {"If-Modified-Since": headers["last-modified"]}
    return {}


def _from_file(path: str, seen: Stamp) -> tuple[Any, Stamp]:
    """Return the document and the file's stamp; no document and the very same stamp where the file did not change."""
    with open(path, encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        stamp = {"modified": status.st_mtime_ns, "size": status.st_size, "inode": status.st_ino}
        if stamp == seen:
            return None, seen
        is_settled = machine_now().timestamp() - status.st_mtime >= SETTLED_SECONDS
        return json.load(file), stamp if is_settled else {}
