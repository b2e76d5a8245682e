"""The driver: nothing falls due unseen, and nothing is told before its time (FLOW 6.4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from cli.driver import Driver, Moment

START = datetime(2010, 1, 1, tzinfo=UTC)
END = START + timedelta(days=60)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


class Timers:
    """A world of timers: `armer` takes what moments arm, `follower` arms two more for each that fires."""

    def __init__(self, deadlines: Sequence[timedelta] = ()) -> None:
        self.now = {"armer": datetime(1970, 1, 1, tzinfo=UTC), "follower": datetime(1970, 1, 1, tzinfo=UTC)}
        self.timers: dict[str, dict[str, datetime]] = {"armer": {}, "follower": {}}
        self.deadlines = deadlines
        self.log: list[tuple[str, datetime, str]] = []
        self.quiet = True
        self.waits = 0

    def clocks(self) -> Mapping[str, datetime]:
        return self.now

    def wait_until_quiet(self, *, whole: bool) -> Mapping[str, datetime | None]:
        self.quiet = True
        self.waits += 1
        return {name: min(timers.values(), default=None) for name, timers in self.timers.items()}

    def advance(self, to: datetime, *, only: Collection[str] | None = None) -> None:
        assert self.quiet, "the clock was moved while something was on its way"
        for name, timers in self.timers.items():
            if only is not None and name not in only:
                assert all(due > to for due in timers.values()), f"{name} was left behind"
                continue
            self.now[name] = max(self.now[name], to)
            for key, due in sorted(timers.items(), key=lambda pair: (pair[1], pair[0])):
                if due > to:
                    continue
                del timers[key]
                self.log.append(("fired", due, key))
                if name == "armer":
                    for number, after in enumerate(self.deadlines):
                        self.timers["follower"][f"{key}/{number}"] = due + after
        self.quiet = False

    def tell(self, moments: Sequence[Moment[str]]) -> None:
        self.quiet = False
        for moment in moments:
            self.log.append(("told", moment.at, moment.content))
            for key, due in moment.arms:
                self.timers["armer"][key] = due
            for key in moment.answers:
                self.timers["armer"].pop(key, None)


def drive(world: Timers, moments: Sequence[Moment[str]], *, timer_service: str | None = "armer") -> None:
    by_name = {moment.content: moment for moment in moments}
    driver: Driver[str] = Driver(
        world, lambda told: world.tell([by_name[name] for name in told]), timer_service=timer_service
    )
    driver.drive(moments, end=END)


def test_days_are_told_together_while_nothing_falls_due_between_them() -> None:
    world = Timers()
    told: list[list[str]] = []
    driver: Driver[str] = Driver(world, lambda names: told.append(list(names)))
    driver.drive([Moment(day(n), str(n), items=1) for n in range(3)], end=END)
    assert told == [["0", "1", "2"]]


def test_what_is_told_at_the_instant_at_which_something_falls_due_is_told_after_it() -> None:
    world = Timers()
    drive(world, [Moment(day(0), "plan", 1, arms=[("a", day(1))]), Moment(day(1), "later", 1)])
    assert [entry[2] for entry in world.log] == ["plan", "a", "later"]


def test_what_was_answered_before_it_fell_due_stops_nobody() -> None:
    world = Timers()
    drive(
        world,
        [Moment(day(0), "plan", 1, arms=[("a", day(9))]), Moment(day(8), "record", 1, answers=["a"])],
    )
    assert [entry[2] for entry in world.log] == ["plan", "record"]
    assert world.waits == 3  # at the beginning, before the end and at the end


def test_a_due_instant_within_a_day_is_rounded_up_to_the_step() -> None:
    """FLOW 6.4: the next due instant is rounded up to the step."""
    world = Timers(deadlines=[timedelta(hours=30)])
    drive(world, [Moment(day(0), "plan", 1, arms=[("a", day(1))]), Moment(day(2), "on day 2", 1)])
    assert [entry[2] for entry in world.log] == ["plan", "a", "on day 2", "a/0"]


def test_a_timer_that_no_moment_told_of_is_noticed() -> None:
    world = Timers()
    world.timers["armer"]["foreign"] = day(3)
    drive(world, [Moment(day(0), "0", 1), Moment(day(5), "5", 1)])
    assert [entry[2] for entry in world.log] == ["0", "foreign", "5"]


def test_a_world_that_was_left_half_advanced_is_advanced_whole_first() -> None:
    world = Timers()
    world.timers["follower"]["left"] = day(1)
    world.now["armer"] = day(1)
    drive(world, [Moment(day(0), "0", 1), Moment(day(1), "1", 1)])
    assert [entry[2] for entry in world.log] == ["left", "0", "1"]


def test_what_falls_due_again_and_again_is_an_error_and_not_an_endless_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.driver.STOPS_AT_ONE_MOMENT_MAX", 20)

    class Stuck(Timers):
        def advance(self, to: datetime, *, only: Collection[str] | None = None) -> None:
            self.timers["follower"]["again"] = day(1)

    world = Stuck()
    world.timers["follower"]["again"] = day(1)
    with pytest.raises(RuntimeError, match="again and again"):
        drive(world, [Moment(day(5), "5", 1)])


plans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 20), st.one_of(st.none(), st.integers(0, 45))), max_size=25
)
deadlines = st.lists(st.integers(1, 100).map(lambda hours: timedelta(hours=hours)), max_size=3)


@given(plans=plans, deadlines=deadlines, timer_service=st.sampled_from(["armer", None]), cut=st.integers(0, 60))
def test_every_timer_fires_between_what_is_known_before_it_and_what_is_known_after(
    plans: list[tuple[int, int, int | None]], deadlines: list[timedelta], timer_service: str | None, cut: int
) -> None:
    arms: dict[int, list[tuple[str, datetime]]] = {}
    answers: dict[int, list[str]] = {}
    for number, (planned, after, answered) in enumerate(plans):
        arms.setdefault(planned, []).append((str(number), day(planned + after)))
        if answered is not None:
            answers.setdefault(planned + answered, []).append(str(number))
    moments = [
        Moment(day(n), f"day {n}", 1, arms=arms.get(n, ()), answers=answers.get(n, ()))
        for n in sorted(arms.keys() | answers.keys())
    ]
    world = Timers(deadlines)
    drive(world, moments, timer_service=timer_service)
    fired_late = {
        str(number) for number, (_, after, answered) in enumerate(plans) if answered is None or answered >= after
    }
    told_until = datetime(1970, 1, 1, tzinfo=UTC)
    fired_until = told_until
    for kind, at, _ in world.log:
        if kind == "told":
            assert at >= fired_until, "told before its time was over"
            told_until = max(told_until, at)
        else:
            rounded = at if at == at.replace(hour=0) else at.replace(hour=0) + timedelta(days=1)
            assert told_until < rounded, "something later was told before this fell due"
            fired_until = max(fired_until, rounded)
    assert {key for kind, _, key in world.log if kind == "fired" and "/" not in key} == fired_late
    assert [entry for entry in world.log if entry[0] == "told"] == [
        ("told", moment.at, moment.content) for moment in moments
    ]
