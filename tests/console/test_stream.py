"""The live exception stream on a real Kafka: resume, scope, filters, bounds, ends (FLOW 4.3)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid5

import httpx
import pytest

from chassis.messaging import kafka, topics
from chassis.messaging.tail import Tail
from console.server import broadcaster as broadcasters
from schemas.access import PERSONS
from schemas.topics import BY_NAME
from tests.console.served import SPACE, Cases, Message, Served, opened, take, task_opened
from tests.support.service import PATIENCE_SECONDS, issuer, wait_until
from tests.support.stack import Infrastructure

LONG, MANY = "x" * 3900, 3000  # together more than any socket holds


def ids(messages: list[Message]) -> list[str]:
    return [message.data["id"] for message in messages]


def _cut(served: Served, last: str, count: int) -> list[Message]:
    """Read so many facts, then leave; a reader that is dropped at its bound comes again with its last id, as a browser does."""
    found: list[Message] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} facts came"
        with served.reading(last=last) as stream:
            for message in stream:
                last = message.id
                found += [message] if message.name else []
                if len(found) == count or time.monotonic() > deadline:
                    break
    return found


@pytest.mark.parametrize("ring", [20_000, 5])
def test_a_reader_that_is_cut_at_random_moments_misses_nothing_and_reads_nothing_twice(cases: Cases, ring: int) -> None:
    """FLOW 4.3: the id is the vector of offsets; with a ring of five most of it comes from Kafka again."""
    chance = random.Random(7)
    with cases.served(stream_ring_records=ring) as served:
        with served.reading() as stream:
            last = next(stream).id
        said = set()
        found: list[Message] = []
        for round_ in range(12):
            said.update(cases.say(*(opened(round_ * 100 + n) for n in range(chance.randint(1, 20)))))
            part = _cut(served, last, chance.randint(1, min(9, len(said) - len(found))))
            last = part[-1].id
            found += part
        found += _cut(served, last, len(said) - len(found)) if len(said) > len(found) else []
        assert len(ids(found)) == len(set(ids(found)))
        assert set(ids(found)) == said


def test_a_cut_in_the_middle_of_facts_that_come_is_no_gap(cases: Cases) -> None:
    """FLOW 4.3: facts are said while the reader comes and goes; per case they keep their order."""
    with cases.served() as served:
        with served.reading() as stream:
            last = next(stream).id
        said = [fact for n in range(60) for fact in (opened(n), task_opened(n, "sales"), task_opened(n, "procurement"))]
        found: list[Message] = []
        for start in range(0, len(said), 30):
            cases.say(*said[start : start + 30])
            part = _cut(served, last, 17)
            last, found = part[-1].id, found + part
        found += _cut(served, last, len(said) - len(found))
        assert sorted(ids(found)) == sorted(str(e.id) for e in said)
        for n in range(60):
            mine = [m.data["id"] for m in found if m.data["subject"] == str(uuid5(SPACE, str(n)))]
            assert mine == [str(e.id) for e in said[3 * n : 3 * n + 3]]


def test_who_asks_from_the_beginning_reads_what_was_said_before_the_server_began(cases: Cases) -> None:
    before = cases.say(*(opened(n) for n in range(9)))
    cases.say_nonsense(0)
    with cases.served() as served:
        with served.reading(**{"from": "beginning"}) as stream:
            assert sorted(ids(take(stream, 9))) == sorted(before)
            after = cases.say(opened(100))
            assert ids(take(stream, 1)) == after, "past the record that nobody can read"
        with served.reading() as stream:
            next(stream)
            assert ids(take(stream, len(cases.say(opened(101))))) != before


@pytest.mark.parametrize("start", ["yesterday", "exceptions.case/0", "exceptions.case/9=1", "sales.order/0=1"])
def test_a_place_that_is_none_of_this_stream_is_refused_with_what_was_expected(cases: Cases, start: str) -> None:
    with cases.served() as served:
        answer = served.ask(cases.token(), **{"from": start})
        assert (answer.status_code, answer.json()["field"]) == (422, "from")


def test_a_place_beyond_the_end_is_the_end(cases: Cases) -> None:
    with cases.served() as served, served.reading(last="exceptions.case/0=999999") as stream:
        assert broadcasters.parse_vector(next(stream).id)["exceptions.case", 0] == 0


def test_a_heartbeat_moves_the_id_past_what_was_not_shown(cases: Cases) -> None:
    """FLOW 4.3: a reader of another site sees nothing and still does not read it all again."""
    with cases.served(stream_heartbeat_seconds=0.2) as served:
        with served.reading(cases.token(sites=["Near"])) as stream:
            start = next(stream).id
            cases.say(*(opened(n, site="Far") for n in range(6)))
            moved = next(message for message in stream if message.id != start)
            assert not moved.name
            wait_until(lambda: sum(served.broadcaster.current_ends().values()) == 6)
            last = next(
                message
                for message in stream
                if broadcasters.parse_vector(message.id) == served.broadcaster.current_ends()
            )
        assert sum(broadcasters.parse_vector(last.id).values()) == 6


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ({"type": ["exceptions.task"]}, [1, 2]),
        ({"type": ["exceptions.case.opened"]}, [0, 3]),
        ({"severity": ["low"]}, [3]),
        ({"function": ["procurement"]}, [0, 2, 3]),
        ({"site": ["Far"]}, [3]),
        ({"customer": ["Theirs"]}, [3]),
        ({"case": [str(uuid5(SPACE, "1"))]}, [0, 1, 2]),
        ({"type": ["exceptions.task"], "function": ["sales"]}, [1]),
    ],
)
def test_filters_are_the_servers(cases: Cases, query: dict[str, list[str]], seen: list[int]) -> None:
    facts = [
        opened(1),
        task_opened(1, "sales"),
        task_opened(1, "procurement"),
        opened(2, site="Far", customers=("Theirs",), severity="low"),
    ]
    with cases.served() as served, served.reading(**query) as stream:
        next(stream)
        said = cases.say(*facts)
        assert sorted(ids(take(stream, len(seen)))) == sorted(said[n] for n in seen)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ({"sites": ["Near"]}, [0, 1]),
        ({"customers": ["Ours"]}, [0, 1]),
        ({"sites": []}, []),
        ({"sites": ["Far"], "customers": ["Ours"]}, []),
    ],
)
def test_a_fact_of_another_site_or_customer_is_not_shown(
    cases: Cases, scope: dict[str, list[str]], seen: list[int]
) -> None:
    """FLOW 4.3: a reader sees a fact when one of its sites and customers is in scope."""
    facts = [opened(1), opened(2, customers=("Ours", "Theirs")), opened(3, site="Far", customers=("Theirs",))]
    with cases.served(stream_heartbeat_seconds=0.2) as served, served.reading(cases.token(**scope)) as stream:
        said = cases.say(*facts)
        found = take(stream, len(seen))
        assert sorted(ids(found)) == sorted(said[n] for n in seen)
        quiet = next(m for m in stream if m.name or sum(broadcasters.parse_vector(m.id).values()) == len(facts))
        assert not quiet.name, "nothing else came"
        assert "Theirs" not in str([m.data for m in found]) or "customers" not in scope


def test_lines_of_others_are_absent_and_counted(cases: Cases) -> None:
    """FLOW 4.3"""
    with cases.served() as served, served.reading(cases.token(customers=["Ours"])) as stream:
        next(stream)
        cases.say(opened(1, customers=("Ours", "Theirs", "Others")))
        (message,) = take(stream, 1)
        told = message.data["data"]
        assert [one["customer"] for one in told["lines"]] == ["Ours"]
        assert (told["lines_out_of_scope"], told["customers"]) == (2, ["Ours"])
        assert "Theirs" not in str(message.data)


def test_a_filter_does_not_tell_that_a_case_concerns_somebody_else(cases: Cases) -> None:
    """FLOW 4.3: asked by a customer out of scope, a fact that one may see is not there."""
    token = cases.token(customers=["Ours"])
    with cases.served(stream_heartbeat_seconds=0.2) as served, served.reading(token, customer=["Theirs"]) as stream:
        cases.say(opened(1, customers=("Ours", "Theirs")))
        assert not next(m for m in stream if m.name or sum(broadcasters.parse_vector(m.id).values()) == 1).name


SUBSCRIBED = {"topics": ["exceptions.case"]}


def test_each_role_reads_its_scope_and_nothing_of_another(cases: Cases) -> None:
    """ACCESS 1, the live stream's cells: role × (all, a foreign site, a foreign customer)."""
    facts = [opened(1), opened(2, site="Far"), opened(3, customers=("Theirs",))]
    scopes: list[tuple[dict[str, list[str]], list[int]]] = [
        ({}, [0, 1, 2]),
        ({"sites": ["Near"]}, [0, 2]),
        ({"customers": ["Ours"]}, [0, 1]),
    ]
    with cases.served(stream_heartbeat_seconds=0.1) as served:
        said = cases.say(*facts)
        wait_until(lambda: sum(served.broadcaster.current_ends().values()) == len(facts))
        for role in (*PERSONS, "machine"):
            for scope, seen in scopes:
                token = cases.token(role, **scope, **(SUBSCRIBED if role == "machine" else {}))
                with served.reading(token, **{"from": "beginning"}) as stream:
                    found = list(itertools.takewhile(lambda m: m.name or not _whole(m, len(facts)), stream))
                assert sorted(ids([m for m in found if m.name])) == sorted(said[n] for n in seen), (role, scope)


def _whole(message: Message, count: int) -> bool:
    return sum(broadcasters.parse_vector(message.id).values()) == count


def test_a_machine_without_this_subscription_and_a_stranger_are_refused(cases: Cases) -> None:
    with cases.served() as served:
        for claims in ({"topics": ["sales.order"]}, {"source": "erp"}, {}):
            assert served.ask(cases.token("machine", **claims)).status_code == 403
        assert served.ask(cases.token("nobody")).status_code == 403
        assert served.ask().status_code == 401


@pytest.mark.timing
def test_the_stream_ends_when_its_readers_token_does(cases: Cases) -> None:
    with cases.served(stream_heartbeat_seconds=60) as served:
        began = time.monotonic()
        with served.reading(cases.token(seconds=2)) as stream:
            assert not [m for m in stream if m.name]
        assert time.monotonic() - began < 10, "not with the next heartbeat, but with the token"


def test_past_the_cap_a_reader_is_told_when_to_try_again(cases: Cases) -> None:
    with cases.served(stream_clients_max=1) as served:
        with served.reading() as stream:
            next(stream)
            answer = served.ask(cases.token())
            told = (answer.status_code, answer.headers["retry-after"], answer.json()["code"])
            assert told == (503, "5", "too-many-readers")
        wait_until(lambda: _room(served))


def test_readers_that_come_at_once_do_not_pass_the_cap(cases: Cases) -> None:
    crowd, room = 24, 2
    all_answered = threading.Barrier(crowd)
    with cases.served(stream_clients_max=room) as served:
        head = {"Authorization": f"Bearer {cases.token()}"}

        def come(_: int) -> int:
            with httpx.stream("GET", f"{served.url}/stream?from=beginning", headers=head, timeout=60) as answer:
                all_answered.wait(PATIENCE_SECONDS)  # whoever is let in stays until the last one was answered
                return answer.status_code

        with ThreadPoolExecutor(crowd) as readers:
            answers = Counter(readers.map(come, range(crowd)))
        assert answers == {200: room, 503: crowd - room}
        wait_until(lambda: served.readers() == 0)


def _room(served: Served) -> bool:
    head = {"Authorization": f"Bearer {served.cases.token()}"}
    with httpx.stream("GET", f"{served.url}/stream", headers=head, timeout=PATIENCE_SECONDS) as answer:
        return answer.status_code == 200


@pytest.mark.parametrize("read_before", [0, 1])
def test_a_reader_that_falls_out_of_the_ring_is_let_go_and_resumes_without_a_gap(
    cases: Cases, read_before: int
) -> None:
    """FLOW 4.3: the bound of a slow reader is the ring; its last id brings it back."""
    with cases.served(stream_ring_records=10) as served:
        with served.reading() as stream:
            last = next(stream).id
            said = cases.say(*(opened(MANY + n) for n in range(read_before)))
            found = take(stream, read_before)
            said += cases.say(*(opened(n, headline=LONG) for n in range(MANY)))
            wait_until(lambda: sum(served.broadcaster.current_ends().values()) == len(said))
            found += _until_let_go(stream)
        assert len(found) < len(said), "more than the sockets hold was said while it read nothing"
        last = found[-1].id if found else last
        found += _cut(served, last, len(said) - len(found))
        assert sorted(ids(found)) == sorted(said)


def _until_let_go(stream: Iterator[Message]) -> list[Message]:
    found: list[Message] = []
    with contextlib.suppress(httpx.RemoteProtocolError):
        for message in stream:
            assert message.name, "a reader that missed something is let go, and not told that nothing came"
            found.append(message)
    return found


def test_a_reader_that_takes_nothing_for_too_long_is_let_go(cases: Cases) -> None:
    with cases.served(stream_stall_seconds=0.5) as served:
        connection = _connect(served)
        cases.say(*(opened(n, headline=LONG) for n in range(MANY)))
        wait_until(lambda: served.readers() == 0)
        connection.close()


def _connect(served: Served) -> socket.socket:
    """Open the stream and read nothing of it but its first bytes."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", served.port))
    head = f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {served.cases.token()}\r\n\r\n"
    connection.sendall(head.encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    wait_until(lambda: served.readers() == 1)
    return connection


def test_while_the_follower_does_not_follow_a_reader_is_told_to_come_back(cases: Cases) -> None:
    with cases.served() as served, served.reading() as stream:
        next(stream)
        served.broadcaster.stop()
        assert not [m for m in stream if m.name], "an open stream ends and does not stay silent for ever"
        answer = served.ask(cases.token())
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "not-following")


def test_a_follower_that_began_before_its_topic_waits_for_it(infra: Infrastructure) -> None:
    """A server that starts first is not one that follows nothing for ever."""
    bare = Cases(infra.kafka_bootstrap, infra.world())
    tail = Tail(bare.bootstrap, bare.world, ["exceptions.case"], "test")
    follower = broadcasters.Broadcaster(lambda _: tail, 10)
    loop = asyncio.new_event_loop()
    try:
        follower.start(loop)
        with pytest.raises(kafka.KafkaException):
            tail.partitions()
        assert not follower.ready
        topics.apply(
            bare.bootstrap, topics.wanted(bare.world, [BY_NAME["exceptions.case"]], partitions=1, replication=1)
        )
        wait_until(lambda: follower.ready)
    finally:
        follower.stop()
        wait_until(lambda: not follower.ready)
        loop.close()
        topics.drop(bare.bootstrap, bare.world)


@pytest.mark.timing
def test_a_reader_that_logs_out_is_cut_and_others_are_not(cases: Cases) -> None:
    """A revoked reader is cut within 10 s, heartbeat or none."""
    with cases.served(stream_heartbeat_seconds=60, stream_check_seconds=0.2) as served:
        token = cases.token("sales")
        with served.reading(token) as stream, served.reading(cases.token("viewer")) as other:
            next(stream), next(other)
            began = time.monotonic()
            httpx.delete(f"{served.url}/session", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
            assert not [m for m in stream if m.name]
            assert time.monotonic() - began < 10
            said = cases.say(opened(1))
            assert ids(take(other, 1)) == said
        assert served.ask(token).status_code == 401


def test_a_server_whose_loop_fails_ends(cases: Cases) -> None:
    """Streams of ended sessions are cut by a loop: without it they would go on, and nothing would tell."""
    with cases.served(stream_heartbeat_seconds=0.1) as served:
        failed = threading.Event()
        served.broadcaster.on_fatal = failed.set
        served.broadcaster.wake = None  # type: ignore[assignment,method-assign]  # the loop that wakes readers fails by it
        try:
            wait_until(failed.is_set)
        finally:
            del served.broadcaster.wake
        assert isinstance(served.broadcaster.fatal, TypeError)


@pytest.mark.timing
def test_a_reader_whose_key_was_withdrawn_is_cut(cases: Cases, tmp_path: Path) -> None:
    published = tmp_path / "jwks.json"
    published.write_bytes(issuer().jwks_file.read_bytes())
    told = {"auth_jwks": str(published), "stream_heartbeat_seconds": 60, "stream_check_seconds": 0.2}
    with cases.served(**told) as served, served.reading() as stream:
        next(stream)
        key = json.loads(published.read_text())["keys"][0]
        published.write_text(json.dumps({"keys": [key | {"kid": "another"}]}))
        began = time.monotonic()
        assert not [m for m in stream if m.name]
        assert time.monotonic() - began < 10
