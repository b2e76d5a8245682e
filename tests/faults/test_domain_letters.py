"""The checker of poison is tested: a sound trail passes, and each planted fault is found and called by its name."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from schemas.envelope import UnknownEvent, decode
from tests.faults import letters, poison
from tests.faults.letters import Answered, Fed, Findings, Letter, Standing, Unsaid

HANG_SECONDS, RESTARTED = 10.0, 14.0  # the hang is produced at 1, and its letter is written at 14


@dataclass
class Trail:
    """Everything there is to check."""

    fed: list[Fed] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    unsaid: list[Unsaid] = field(default_factory=list)

    def findings(self) -> Findings:
        found = Findings()
        letters.check_letters(self.fed, self.unsaid, self.letters, found)
        letters.check_delays(self.fed, self.answers, self.letters, found, hang_seconds=HANG_SECONDS)
        return found


def a_trail() -> Trail:
    """Two partitions, a good fact in each second of both, and in the first one each kind of poison, the hang first."""
    trail = Trail()
    for second in range(30):
        for partition in (0, 1):
            hear(trail, partition, float(second), letters.GOOD, f"{partition} {second}")
            held = partition == 0 and 1 <= second <= RESTARTED
            trail.answers.append(Answered(f"{partition} {second}", RESTARTED + 0.5 if held else second + 0.4))
    for second, kind in enumerate((letters.HANGS, letters.HANGS, *letters.UNREAD, letters.RAISES, letters.RAISES), 1):
        hear(trail, 0, second + 0.1, kind, kind)  # those that are read are told again
        reaction, cause = letters.EXPECTED_CAUSES[kind]
        again = kind not in letters.UNREAD and any(
            letter.reaction == reaction and letter.value == kind.encode() for letter in trail.letters
        )
        place = trail.fed[-1].place
        trail.letters.append(Letter(*place, reaction, kind.encode(), letters.PARKED if again else cause, RESTARTED))
    hear(trail, 1, 20.1, letters.SWELLS, "large")
    trail.answers.append(Answered("large", 20.3))
    trail.unsaid.append(Unsaid(7, "large", b"much"))
    trail.letters.append(Letter(-1, 7, letters.OUTBOX, b"much", letters.TOO_LARGE, 20.3))
    return trail


def hear(trail: Trail, partition: int, at: float, kind: str, event_id: str) -> None:
    told = "" if kind in letters.UNREAD else event_id
    trail.fed.append(Fed(partition, len(trail.fed), at, kind, event_id, told, event_id.encode()))


def letter_of(trail: Trail, cause: str) -> int:
    return next(number for number, letter in enumerate(trail.letters) if letter.cause == cause)


def lose_a_letter(trail: Trail) -> None:
    del trail.letters[letter_of(trail, "unknown")]


def lose_what_was_too_large(trail: Trail) -> None:
    del trail.letters[letter_of(trail, letters.TOO_LARGE)]


def never_write_what_swells(trail: Trail) -> None:
    trail.unsaid.clear()
    lose_what_was_too_large(trail)


def lose_the_repeated(trail: Trail) -> None:
    del trail.letters[letter_of(trail, letters.PARKED)]


def alter_one_byte(trail: Trail) -> None:
    number = letter_of(trail, "undecodable")
    value = trail.letters[number].value
    trail.letters[number] = trail.letters[number]._replace(value=value[:-1] + b"?")


def alter_what_was_too_large(trail: Trail) -> None:
    number = letter_of(trail, letters.TOO_LARGE)
    trail.letters[number] = trail.letters[number]._replace(value=b"muc")


def name_another_cause(trail: Trail) -> None:
    number = letter_of(trail, "unknown")
    trail.letters[number] = trail.letters[number]._replace(cause="undecodable")


def store_a_good_one(trail: Trail) -> None:
    trail.letters.append(Letter(*trail.fed[0].place, letters.COUNTS, b"0 0", "Poisoned", 1.0))


def delay(trail: Trail, event_id: str, seconds: float) -> None:
    number = next(number for number, answer in enumerate(trail.answers) if answer.cause == event_id)
    trail.answers[number] = trail.answers[number]._replace(at=trail.answers[number].at + seconds)


def delay_a_good_subject_by_two_seconds(trail: Trail) -> None:
    delay(trail, "1 5", 2.0)


def delay_the_other_partition_during_the_hang(trail: Trail) -> None:
    delay(trail, "1 1", 8.0)


def delay_the_partition_after_the_hang(trail: Trail) -> None:
    delay(trail, "0 20", 2.0)


def hold_the_partition_longer_than_its_hang(trail: Trail) -> None:
    delay(trail, "0 3", letters.CATCH_UP_SECONDS_MAX)


def restart_too_late(trail: Trail) -> None:
    late = 1.1 + HANG_SECONDS + letters.RESTART_SECONDS_MAX + letters.CATCH_UP_SECONDS_MAX
    trail.letters = [one._replace(at=late) if one.cause == letters.HUNG else one for one in trail.letters]
    delay(trail, "0 3", late - RESTARTED)


PLANTED: list[tuple[Callable[[Trail], None], str]] = [
    (lose_a_letter, "missing"),
    (lose_what_was_too_large, "missing"),
    (never_write_what_swells, "missing"),
    (lose_the_repeated, "missing"),
    (alter_one_byte, "altered"),
    (alter_what_was_too_large, "altered"),
    (name_another_cause, "wrong cause"),
    (store_a_good_one, "good but dead"),
    (delay_a_good_subject_by_two_seconds, "delayed"),
    (delay_the_other_partition_during_the_hang, "delayed"),
    (delay_the_partition_after_the_hang, "delayed"),
    (hold_the_partition_longer_than_its_hang, "delayed"),
    (restart_too_late, "delayed"),
]


def test_a_sound_trail_passes_with_a_partition_held_by_its_hang() -> None:
    found = a_trail().findings()
    assert (found.faults(), max(found.free_ms), max(found.held_ms)) == ([], 400, 13_500)


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_each_planted_fault_is_found_by_its_name(plant: Callable[[Trail], None], kind: str) -> None:
    trail = a_trail()
    plant(trail)
    (fault,) = trail.findings().faults()
    assert fault.startswith(f"1 {kind}: ")


# ── hangs and re-drives ─────────────────────────────────────────────────────────────────────────


def test_each_hang_has_its_mark_once_and_nothing_else_has_one() -> None:
    fed, mark = a_trail().fed, (0, 60, letters.COUNTS)
    assert letters.check_hangs(fed, [mark]) == []
    assert letters.check_hangs(fed, []) == [f"no attempt mark of the hang at {mark}"]
    assert letters.check_hangs(fed, [mark, (1, 2, "another")]) == [
        "an attempt mark at (1, 2, 'another'), where nothing hangs"
    ]
    assert letters.check_hangs(fed, [mark, mark]) == [f"2 attempt marks at {mark}"]


PLACE, OTHER = (0, 60, letters.COUNTS), (0, 62, "unreadable")
BEFORE = Standing(
    [("counted", "s", "1")], {"counters": 1}, {PLACE: ("hung", "4f", False), OTHER: ("unknown", "77", False)}
)
AFTER = Standing([*BEFORE.did, ("counted", "h", "2")], {"counters": 2}, {**BEFORE.letters, PLACE: ("hung", "4f", True)})


def test_a_redrive_does_once_what_can_be_done_and_another_adds_nothing() -> None:
    assert letters.check_redrives(BEFORE, AFTER, AFTER, {("h", "2")}) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BEFORE, BEFORE),
        (doubled := AFTER._replace(did=[*AFTER.did, AFTER.did[-1]]), doubled),
        (AFTER, doubled),
        (AFTER, AFTER._replace(state={"counters": 3})),
        (AFTER, AFTER._replace(letters={PLACE: AFTER.letters[PLACE]})),
        (gone := AFTER._replace(letters={PLACE: AFTER.letters[PLACE]}), gone),
        (other := AFTER._replace(letters={**AFTER.letters, OTHER: ("UnknownEvent", "77", False)}), other),
    ],
    ids=[
        "nothing done",
        "done twice at once",
        "done twice",
        "state",
        "letter gone later",
        "letter gone",
        "cause changed",
    ],
)
def test_a_redrive_that_does_otherwise_is_found(first: Standing, second: Standing) -> None:
    assert len(letters.check_redrives(BEFORE, first, second, {("h", "2")})) == 1


# ── the poison itself ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", letters.UNREAD)
def test_what_is_spoiled_cannot_be_read_and_is_known_by_its_key(kind: str, good_bytes: bytes) -> None:
    for seed in range(20):
        value = poison._spoiled(random.Random(seed), kind, good_bytes)
        with pytest.raises(UnknownEvent if kind in poison.NAMES else ValueError):
            decode(value, poison.NAMES.get(kind, "inventory.item.changed.v1"))
        assert poison.kind_of(f"{kind}-12", value) == kind


@pytest.fixture
def good_bytes() -> bytes:
    return (
        b'{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000001","source":"s","type":"inventory.item.changed.v1",'
        b'"subject":"i","time":"2026-01-01T00:00:00Z","recordedtime":"2026-01-01T00:00:00Z","causekind":"signal",'
        b'"correlationid":"00000000-0000-0000-0000-000000000001","causationid":"00000000-0000-0000-0000-000000000001",'
        b'"data":{"occurred_at":"2026-01-01T00:00:00Z","item_id":"00000000-0000-0000-0000-000000000002","code":"1",'
        b'"description":"d","unit":"each"}}'
    )


def test_bytes_that_are_good_are_read(good_bytes: bytes) -> None:
    assert decode(good_bytes).data.unit == "each"
    assert poison.kind_of("00000000-0000-0000-0000-000000000002", good_bytes) == letters.GOOD
