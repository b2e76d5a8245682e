"""Tokens: what holds, and each way one does not."""

from __future__ import annotations

import base64
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chassis.http import keys
from chassis.http.auth import Unauthenticated, Verifier, actor_from
from chassis.http.keys import IssuerAway
from chassis.runtime import log
from cli.stack.issuer import ISSUER, public_jwk
from tests.support.service import ServiceUnderTest, issuer

AUDIENCE = "crossdock.test"


@pytest.fixture
def verifier() -> Verifier:
    return Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(issuer().jwks_file))


def private_key() -> Any:
    return serialization.load_pem_private_key(issuer().key_file.read_bytes(), password=None)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": now,
        "exp": now + 60,
        "roles": ["sre"],
        "sites": "*",
        **changes,
    }


def kid() -> str:
    return public_jwk(private_key())["kid"]


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def without_signature() -> str:
    return f"{part({'alg': 'none', 'kid': kid()})}.{part(claims())}."


def with_public_key_as_secret() -> str:
    import hashlib
    import hmac

    public = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{part({'alg': 'HS256', 'kid': kid()})}.{part(claims())}"
    tag = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


def with_own_key_in_header() -> str:
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = public_jwk(own)
    return jwt.encode(claims(), own, algorithm="RS256", headers={"jwk": jwk, "kid": jwk["kid"]})


def with_own_key_under_the_issuers_id() -> str:
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims(), own, algorithm="RS256", headers={"kid": kid()})


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), private_key(), algorithm="RS256", headers={"kid": kid()})


WRONG = {
    "alg none": without_signature,
    "the public key as a secret": with_public_key_as_secret,
    "a key in the header": with_own_key_in_header,
    "another key under the issuer's id": with_own_key_under_the_issuers_id,
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "another audience": lambda: signed(aud="crossdock.live"),
    "another issuer": lambda: signed(iss="elsewhere"),
    "no expiry": lambda: jwt.encode(
        {k: v for k, v in claims().items() if k != "exp"}, private_key(), algorithm="RS256", headers={"kid": kid()}
    ),
    "no token at all": lambda: "",
    "not a token": lambda: "abc.def",
}


@pytest.mark.parametrize("why", WRONG)
def test_a_token_that_does_not_hold_is_answered_401_and_a_log_line_without_it(
    toy_service: ServiceUnderTest, why: str
) -> None:
    wrong = WRONG[why]()
    written = io.StringIO()
    with redirect_stdout(written):
        log.configure("toy", "test", "test", "info")
        answer = toy_service.client.get("/world/quiet", headers={"Authorization": f"Bearer {wrong}"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    (line,) = [json.loads(one) for one in written.getvalue().splitlines() if "request.refused" in one]
    assert line["status"] == 401
    assert not wrong or wrong not in written.getvalue()
    assert not wrong or wrong not in answer.text


def test_a_good_token_holds(verifier: Verifier) -> None:
    actor = verifier.actor(f"Bearer {signed()}")
    assert (actor.subject, actor.roles, actor.sites, actor.customers) == ("ada", {"sre"}, None, frozenset())


def test_what_a_token_leaves_out_is_denied() -> None:
    nobody = actor_from({"sub": "eve"})
    assert not nobody.sees(site="Abidjan")
    assert not nobody.sees(customer="clinic")
    assert not nobody.sees_marked("cost")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """What an issuer publishes, to be changed by a test."""
    file = tmp_path / "jwks.json"
    file.write_bytes(issuer().jwks_file.read_bytes())
    return file


def verifier_of(file: Path) -> Verifier:
    return Verifier(issuer=ISSUER, audience=AUDIENCE, jwks=str(file))


def test_an_unknown_key_id_does_not_make_the_issuer_be_asked_each_time(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key published meanwhile is found at the next look, and who sends unknown ones does not make more of them."""
    verifier, own = verifier_of(published), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stranger = "Bearer " + jwt.encode(claims(), own, algorithm="RS256", headers={"kid": public_jwk(own)["kid"]})
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="does not publish"):
            verifier.actor(stranger)
        published.write_text(json.dumps({"keys": [public_jwk(own)]}))
    monkeypatch.setattr(keys, "READ_SECONDS_MIN", 0)
    assert verifier.actor(stranger).subject == "ada"


@pytest.mark.parametrize("nonsense", ["", "null", "[]", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty": "RSA"}]}'])
def test_while_the_issuer_is_away_its_known_keys_hold_and_unknown_ones_are_to_come_again(
    nonsense: str, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told 401 logs in again, which does not help: the key may be a good one."""
    monkeypatch.setattr(keys, "READ_SECONDS_MIN", 0)
    verifier = verifier_of(published)
    assert verifier.actor(f"Bearer {signed()}").subject == "ada"
    published.write_text(nonsense)
    with pytest.raises(IssuerAway):
        verifier.actor(f"Bearer {with_own_key_in_header()}")
    assert verifier.actor(f"Bearer {signed(sub='eve')}").subject == "eve"


def test_an_issuer_that_hangs_holds_nobody_up_whose_key_is_known(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may send a token with a key that nobody knows, before having shown who they are."""
    monkeypatch.setattr(keys, "READ_SECONDS_MIN", 0)
    verifier = verifier_of(published)
    verifier.actor(f"Bearer {signed()}")
    published.unlink()
    os.mkfifo(published)  # reading it waits for whoever writes
    with ThreadPoolExecutor(2) as threads:
        stranger = threads.submit(verifier.actor, f"Bearer {with_own_key_in_header()}")
        known = threads.submit(verifier.actor, f"Bearer {signed(sub='eve')}")
        try:
            assert known.result(60).subject == "eve"
            assert not stranger.done()
        finally:
            published.write_text("{}")
        assert isinstance(stranger.exception(60), IssuerAway)


def test_an_issuer_that_is_away_is_a_problem_with_a_time_to_come_again(
    toy_service: ServiceUnderTest, tmp_path: Path
) -> None:
    toy_service.client.app.app.state.verifier = verifier_of(tmp_path / "nothing")  # type: ignore[attr-defined]  # Starlette's client does not know whose app it has
    answer = toy_service.post("/counters/7", role="sre")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "issuer-away", "1")


def test_no_route_answers_without_a_token(toy_service: ServiceUnderTest) -> None:
    document = toy_service.get("/openapi.json").json()
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert len(routes) > 8
    for method, path in routes:
        answer = toy_service.client.request(method, path.replace("{item_id}", "7").replace("{dead_letter_id}", "1"))
        assert answer.status_code == 401, f"{method} {path}"
