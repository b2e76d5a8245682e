"""The issuer's keys: read again on a timer, withdrawn ones are forgotten, known ones outlive an issuer that is away."""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from chassis.http import keys
from chassis.http.auth import Unauthenticated, Verifier
from chassis.http.keys import IssuerAway, SigningKeys
from cli.stack.issuer import ISSUER, public_jwk
from tests.chassis import toy
from tests.support.running import running, tables
from tests.support.service import ServiceUnderTest, issuer, token, wait_until

AUDIENCE = "crossdock.test"
KID = json.loads(issuer().jwks_file.read_text())["keys"][0]["kid"]
OTHER = json.dumps({"keys": [public_jwk(rsa.generate_private_key(public_exponent=65537, key_size=2048))]})


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The JWKS file of an issuer, to be changed by a test."""
    file = tmp_path / "jwks.json"
    file.write_bytes(issuer().jwks_file.read_bytes())
    return file


@contextmanager
def kept_fresh(signing_keys: SigningKeys) -> Iterator[None]:
    """Run the timer of some keys; it must end when it is told to."""
    ended = threading.Event()
    timer = threading.Thread(target=signing_keys.keep_fresh, args=(ended,))
    timer.start()
    try:
        yield
    finally:
        ended.set()
        timer.join(10)
    assert not timer.is_alive()


def is_refused(verifier: Verifier, given: str, reason: type[Exception]) -> bool:
    try:
        verifier.actor(f"Bearer {given}")
    except reason:
        return True
    return False


# ── withdrawn keys ───────────────────────────────────────────────────────────────────────────────


def test_a_withdrawn_key_opens_nothing_after_the_timer_and_nobody_has_to_send_an_unknown_one(published: Path) -> None:
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published), reread_seconds=0.05)
    given = token("sre")
    with kept_fresh(verifier.keys):
        assert verifier.actor(f"Bearer {given}").subject == "sre"
        assert verifier.known_actor(f"Bearer {given}") is not None
        published.write_text(OTHER)
        wait_until(lambda: verifier.known_actor(f"Bearer {given}") is None)
        assert is_refused(verifier, given, Unauthenticated)


def test_another_key_under_the_same_id_drops_the_tokens_of_the_first(published: Path) -> None:
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published))
    given = token("sre")
    verifier.actor(f"Bearer {given}")
    other = json.loads(OTHER)["keys"][0] | {"kid": KID}
    published.write_text(json.dumps({"keys": [other]}))
    verifier.keys.reread()
    assert verifier.known_actor(f"Bearer {given}") is None
    assert is_refused(verifier, given, Unauthenticated)


def test_a_key_that_stays_keeps_its_verified_tokens_while_another_comes(published: Path) -> None:
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published))
    given = token("sre")
    verifier.actor(f"Bearer {given}")
    both = {"keys": json.loads(published.read_text())["keys"] + json.loads(OTHER)["keys"]}
    published.write_text(json.dumps(both))
    verifier.keys.reread()
    assert verifier.keys.known(both["keys"][1]["kid"]) is not None
    assert verifier.known_actor(f"Bearer {given}") is not None


def test_a_service_refuses_a_withdrawn_key_while_it_runs_and_ends_cleanly(
    fresh_database: Callable[[str], str], published: Path, tmp_path: Path
) -> None:
    url = fresh_database("toy")
    tables(url, toy.metadata)
    told = {
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "AUTH_JWKS": str(published),
        "AUTH_KEYS_SECONDS": "0.1",
    }
    with running("tests.chassis.toy", "api", folder=tmp_path, told=told) as process:
        given = {"Authorization": f"Bearer {token('sre')}"}
        address = f"http://127.0.0.1:{process.port}/dead-letters"
        assert httpx.get(address, headers=given).status_code == 200
        published.write_text(OTHER)
        wait_until(lambda: httpx.get(address, headers=given).status_code == 401)
        process.child.terminate()
        assert process.child.wait(15) == 0


# ── an issuer that is away ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("nonsense", ["", "{", "null", "[]", "{}", '{"keys": 1}', '{"keys": [1]}'])
def test_an_issuer_that_publishes_nonsense_withdraws_nothing(nonsense: str, published: Path) -> None:
    signing_keys = SigningKeys(str(published))
    assert signing_keys.find(KID) is not None
    published.write_text(nonsense)
    for _ in range(2):
        signing_keys.reread()
        assert signing_keys.known(KID) is not None
    published.write_text(OTHER)
    signing_keys.reread()
    assert signing_keys.known(KID) is None


def test_known_keys_hold_for_a_bounded_time_after_the_last_good_reading_then_every_token_is_told_to_come_again(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "READ_SECONDS_MIN", 0)
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published))
    verifier.keys = SigningKeys(str(published), kept_seconds=0.5)
    given, kept = token("sre"), published.read_bytes()
    verifier.actor(f"Bearer {given}")
    published.unlink()
    verifier.keys.reread()
    wait_until(lambda: verifier.known_actor(f"Bearer {given}") is None)
    assert is_refused(verifier, given, IssuerAway)
    published.write_bytes(kept)
    assert verifier.actor(f"Bearer {given}").subject == "sre", "the issuer is back"


def test_keys_are_kept_for_an_hour() -> None:
    assert (keys.KEPT_SECONDS_MAX, keys.REREAD_SECONDS_MAX) == (3600, 60)


def test_a_token_of_a_stale_key_is_a_problem_with_a_time_to_come_again(
    toy_service: ServiceUnderTest, published: Path
) -> None:
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published))
    verifier.keys = SigningKeys(str(published), kept_seconds=0)
    published.unlink()
    toy_service.client.app.app.state.verifier = verifier  # type: ignore[attr-defined]  # Starlette's client does not know whose app it has
    answer = toy_service.post("/counters/7", role="sre")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "issuer-away", "1")


def test_a_reading_that_hangs_holds_up_nobody_whose_key_is_known(published: Path) -> None:
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(published))
    verifier.actor(f"Bearer {token('sre')}")
    published.unlink()
    os.mkfifo(published)  # opening it waits for a writer
    timer = threading.Thread(target=verifier.keys.reread)
    timer.start()
    try:
        assert verifier.actor(f"Bearer {token('viewer')}").subject == "viewer"
        assert timer.is_alive()
    finally:
        published.write_text("{}")
        timer.join(10)


# ── conditional readings ─────────────────────────────────────────────────────────────────────────


def test_a_file_with_the_same_stamp_is_not_parsed_again(published: Path) -> None:
    long_ago = time.time() - 60
    os.utime(published, (long_ago, long_ago))
    signing_keys = SigningKeys(str(published))
    signing_keys.reread()
    published.write_text("?" * published.stat().st_size)
    os.utime(published, (long_ago, long_ago))
    signing_keys.reread()
    assert signing_keys.find("another") is None, "nonsense that was read would be an issuer that is away"
    assert signing_keys.known(KID) is not None


def test_a_file_that_has_just_changed_is_read_whole_again(published: Path) -> None:
    """Two versions of one length within one tick of the file system's clock have the same stamp."""
    signing_keys = SigningKeys(str(published))
    signing_keys.reread()
    status = published.stat()
    published.write_text(published.read_text().replace(KID, KID[::-1]))
    os.utime(published, ns=(status.st_atime_ns, status.st_mtime_ns))
    signing_keys.reread()
    assert signing_keys.known(KID) is None


class _Issuer:
    """An issuer at an https URL; `validators` are the headers of its answers, `asked` those of the requests."""

    def __init__(self, folder: Path) -> None:
        self.document, self.validators = issuer().jwks_file.read_text(), dict[str, str]()
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append({name.lower(): value for name, value in self.headers.items()})
                given = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
                known = outer.validators.get("ETag"), outer.validators.get("Last-Modified")
                fresh = any(one is not None and one == other for one, other in zip(given, known, strict=True))
                self.send_response(304 if fresh else 200)
                for name, value in outer.validators.items():
                    self.send_header(name, value)
                body = b"" if fresh else outer.document.encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Requests are not news."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}/jwks"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def _certificate(folder: Path) -> Path:
    import ipaddress

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    file = folder / "issuer.pem"
    file.write_bytes(pem)
    return file


@pytest.fixture
def far_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Issuer]:
    made = _Issuer(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "issuer.pem"))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(
    ("validators", "asked"),
    [
        ({"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}, "if-none-match"),
        ({"Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}, "if-modified-since"),
    ],
)
def test_an_address_is_asked_whether_its_document_changed(
    far_issuer: _Issuer, validators: dict[str, str], asked: str
) -> None:
    far_issuer.validators = validators
    signing_keys = SigningKeys(far_issuer.url, kept_seconds=30)
    signing_keys.reread()
    signing_keys.reread()
    assert [asked in one for one in far_issuer.asked] == [False, True]
    assert signing_keys.known(KID) is not None
    far_issuer.validators, far_issuer.document = {"ETag": '"2"'}, OTHER
    signing_keys.reread()
    assert signing_keys.known(KID) is None


def test_an_answer_without_a_change_is_a_good_reading(far_issuer: _Issuer) -> None:
    far_issuer.validators = {"ETag": '"1"'}
    signing_keys = SigningKeys(far_issuer.url, kept_seconds=0.3)
    signing_keys.reread()
    wait_until(lambda: signing_keys.known(KID) is None)
    signing_keys.reread()
    assert signing_keys.known(KID) is not None
    assert "if-none-match" in far_issuer.asked[-1]


def test_a_modification_time_of_this_second_is_not_relied_on(far_issuer: _Issuer) -> None:
    """The issuer may change its keys once more within the second that it names."""
    far_issuer.validators = {"Last-Modified": format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)}
    signing_keys = SigningKeys(far_issuer.url)
    signing_keys.reread()
    far_issuer.document = OTHER
    signing_keys.reread()
    assert signing_keys.known(KID) is None


def test_an_issuer_with_no_key_left_withdrew_them_all(published: Path) -> None:
    signing_keys = SigningKeys(str(published))
    assert signing_keys.find(KID) is not None
    published.write_text('{"keys": []}')
    signing_keys.reread()
    assert signing_keys.known(KID) is None
