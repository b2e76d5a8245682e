"""Which names a server answers to: a page whose own name leads here (DNS rebinding) reads and sends nothing."""

from __future__ import annotations

import pytest

from chassis.http import Hosts, host_name
from chassis.http.hosts import HOSTS_KNOWN_MAX
from tests.support.service import ServiceUnderTest, token

LOOPBACK = (
    "localhost",
    "localhost:8000",
    "LOCALHOST:1",
    "127.0.0.1",
    "127.0.0.1:8000",
    "127.8.9.1",
    "[::1]",
    "[::1]:8000",
)
FOREIGN = (
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "192.168.1.7:80",
    "0.0.0.0",
    "[::]:1",
    "[fe80::1]",
    "127.1",
    "2130706433",
    "",
    "localhost:80:80",
    "localhost:x",
    "[::1",
    "[::1]x",
    "sales-api.evil.example",
)


def takes(hosts: Hosts, *given: str) -> bool:
    return hosts.takes([(b"accept", b"*/*"), *((b"host", one.encode()) for one in given)])


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_loopback_name_is_taken_with_any_port(host: str) -> None:
    assert takes(Hosts((), service="toy"), host)


@pytest.mark.parametrize("host", FOREIGN)
def test_another_name_is_refused(host: str) -> None:
    assert not takes(Hosts(("sales-api",), service="toy"), host)


def test_a_name_that_was_told_is_taken_with_any_port_and_case() -> None:
    hosts = Hosts(("Sales-API",), service="toy")
    assert all(takes(hosts, one) for one in ("sales-api", "sales-api:8000", "SALES-API:1"))
    assert not takes(hosts, "other-api:8000")


def test_no_host_and_two_hosts_are_refused() -> None:
    hosts = Hosts((), service="toy")
    assert not takes(hosts)
    assert not takes(hosts, "localhost", "evil.example")
    assert not takes(hosts, "localhost", "localhost")


def test_what_was_accepted_is_remembered_within_a_bound() -> None:
    hosts = Hosts((), service="toy")
    for port in range(2 * HOSTS_KNOWN_MAX):
        assert takes(hosts, f"localhost:{port}")
    assert len(hosts._known) <= HOSTS_KNOWN_MAX


def test_a_host_is_a_name_and_perhaps_a_port() -> None:
    assert [host_name(one) for one in ("A:1", "a", "[::1]:1", "a:b", "[::1]1")] == ["a", "a", "::1", None, None]


def test_a_service_refuses_another_name_before_anything_else(toy_service: ServiceUnderTest) -> None:
    """Who asks is not looked at: a token does not help, and none is missed."""
    for head in ({}, {"Authorization": f"Bearer {token('sre')}"}):
        answer = toy_service.client.get("/world/quiet", headers={"Host": "rebind.evil.example:30540"} | head)
        assert (answer.status_code, answer.json()["code"]) == (421, "misdirected")
        assert answer.headers["content-type"] == "application/problem+json"
    good = toy_service.client.get(
        "/world/quiet", headers={"Host": "localhost:1", "Authorization": f"Bearer {token('sre')}"}
    )
    assert good.status_code == 200
