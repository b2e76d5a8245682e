"""Decision velocity as METRICS 3.1 defines it: every worked example, and what no order of arrival may change."""

from __future__ import annotations

import random
from datetime import timedelta
from fractions import Fraction

from hypothesis import given, strategies as st

from schemas.envelope import Envelope, encode
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain
from services.scorecard.domain import Measure, Observation, percentiles
from tests.scorecard.logs import START, Log, hear, measure_envelope, random_log
from tests.velocity.exact import survival
from velocity import CLOCK_KINDS, read

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def fold(envelopes: list[Envelope]) -> domain.Case:
    case = None
    for envelope in envelopes:
        case = hear(case, envelope)
    assert case is not None
    return case


def measured(log: Log, *, until: float | None = None) -> Measure:
    found = domain.measure(fold(log.envelopes), until_us=None if until is None else domain.micros(log.at(until)))
    assert found is not None
    return found


def phases(found: Measure) -> dict[str, float]:
    return {p.phase: p.duration_us / MINUTE for p in found.phases}


def said_last(case: domain.Case, fact: Envelope) -> MeasureRecorded:
    told = measure_envelope(case, fact)
    assert told is not None
    return told.data


def test_points_that_do_not_exist_take_their_place_from_the_later_ones() -> None:
    """METRICS 3.1: t1 = 0, t2 = 0, t3 = 10, no t4, T5 = 30, T6 = 90."""
    log = Log().opened().asked("sales").acknowledged(10).committed("sales", 30).completed("sales", 90).implemented(90)
    found = measured(log)
    assert phases(found) == {
        "blind": 0,
        "task": 0,
        "acknowledge": 10,
        "decide": 20,
        "commit": 0,
        "execute": 60,
        "verify": 0,
    }
    assert found.inversions == ()
    assert found.decision_us == 90 * MINUTE
    assert found.coordination_us == 30 * MINUTE


def test_a_point_later_than_one_after_it_is_an_inversion_and_is_counted() -> None:
    """METRICS 3.1: t1 = 0, t2 = 0, T5 = 5, t3 = 10, t4 = 20, T6 = 90: two inversions."""
    log = (
        Log()
        .opened()
        .asked("sales")
        .committed("sales", 5)
        .acknowledged(10)
        .decided(20)
        .completed("sales", 90)
        .implemented(90)
    )
    found = measured(log)
    assert phases(found) == {
        "blind": 0,
        "task": 0,
        "acknowledge": 5,
        "decide": 0,
        "commit": 0,
        "execute": 85,
        "verify": 0,
    }
    assert found.inversions == ("acknowledge", "decide")


def test_the_median_counts_open_cases_as_lasting_at_least_so_long() -> None:
    """METRICS 3.1: implemented after 2, 3, 4 h and two still open at 10 h: the median is 4 h, not 3 h."""
    cases = [Observation(hours * HOUR, True) for hours in (2, 3, 4)] + [Observation(10 * HOUR, False)] * 2
    curve = [(t // HOUR, share) for t, share in survival(cases)]
    assert curve == [(2, Fraction(4, 5)), (3, Fraction(3, 5)), (4, Fraction(2, 5))]
    assert percentiles(cases) == {"p50": 4 * HOUR, "p90": None, "p95": None}


def test_the_same_median_comes_from_the_logs_of_such_cases() -> None:
    """METRICS 3.1: the worked example from facts to figure."""
    logs = [Log(f"{h} h").implemented_after(h) for h in (2, 3, 4)]
    logs += [Log(f"open {n}").opened().asked("sales") for n in range(2)]
    found = [measured(log, until=600) for log in logs]
    figure = domain.velocity((m.state, m.elapsed_us, m.decision_us) for m in found)
    assert (figure.n, figure.implemented, figure.open, figure.cleared) == (5, 3, 2, 0)
    assert figure.p50_us == 4 * HOUR
    assert figure.not_reached == ("p90", "p95")


def test_a_curve_that_stands_exactly_at_a_half_reaches_the_median_there() -> None:
    """METRICS 3.1: floats flip at S = 0.5; whole numbers do not."""
    for n in (2, 6, 10, 98, 1000):
        cases = [Observation(k + 1, True) for k in range(n)]
        assert percentiles(cases)["p50"] == n // 2
        censored = [Observation(0, False), *cases]
        assert percentiles(censored)["p50"] == n // 2


def test_nothing_measured_has_no_percentile() -> None:
    """METRICS 1: an empty denominator has no value, neither 0 nor 100 %."""
    figure = domain.velocity([])
    assert (figure.n, figure.p50_us, figure.p90_us, figure.p95_us) == (0, None, None, None)


def test_a_case_cleared_before_its_response_stood_is_censored_there() -> None:
    """METRICS 3.1: cause and response end apart."""
    log = Log().opened().asked("sales").acknowledged(10).cleared(50)
    found = measured(log, until=500)
    assert (found.state, found.elapsed_us, found.decision_us) == ("cleared", 50 * MINUTE, None)
    assert phases(found) == {"blind": 0, "task": 0, "acknowledge": 10, "decide": 40}
    assert not any(p.open for p in found.phases)


def test_a_cause_that_goes_away_after_the_response_stood_takes_nothing_back() -> None:
    """METRICS 3.1: cleared means before the response is implemented."""
    log = Log().implemented_after(1).cleared(90)
    assert (measured(log).state, measured(log).decision_us) == ("implemented", HOUR)


def test_the_phase_in_which_an_open_case_stands_runs_until_the_as_of_time() -> None:
    """METRICS 3.1: the open phase is marked."""
    log = Log().opened(cause_at=-30).asked("sales").acknowledged(10)
    found = measured(log, until=100)
    assert phases(found) == {"blind": 30, "task": 0, "acknowledge": 10, "decide": 90}
    assert [p.phase for p in found.phases if p.open] == ["decide"]
    assert (found.state, found.elapsed_us) == ("open", 100 * MINUTE)


def test_phases_sum_to_the_whole() -> None:
    """METRICS 3.1: phases are never negative and sum to the whole."""
    for seed in range(300):
        found = measured(random_log(str(seed), random.Random(seed)))
        assert all(p.duration_us >= 0 for p in found.phases)
        if "blind" not in found.inversions and found.state != "closed" and not found.inversions:
            assert sum(p.duration_us for p in found.phases if p.phase != "blind") == found.elapsed_us


def test_a_waiver_counts_as_commitment_and_completion() -> None:
    """METRICS 3.1: of that function at its time."""
    log = Log().opened().asked("sales").asked("procurement").waived("procurement", 20).committed("sales", 5)
    log.completed("sales", 40).implemented(40)
    found = measured(log)
    assert (found.coordination_us, found.decision_us) == (20 * MINUTE, 40 * MINUTE)


def test_a_completion_without_a_commitment_counts_as_commitment() -> None:
    """METRICS 3.1."""
    found = measured(Log().implemented_after(1))
    assert (found.coordination_us, found.decision_us) == (HOUR, HOUR)


def test_only_required_tasks_are_waited_for() -> None:
    """METRICS 3.1, FLOW 2.2: R is the set of required tasks."""
    log = Log().opened().asked("sales").asked("logistics", required=False).completed("sales", 30).implemented(30)
    assert measured(log).decision_us == 30 * MINUTE


def test_the_critical_function_was_last() -> None:
    """METRICS 3.1: argmax over R of t6(f)."""
    log = (
        Log()
        .opened()
        .asked("sales")
        .asked("procurement")
        .completed("sales", 30)
        .completed("procurement", 70)
        .implemented(70)
    )
    assert measured(log).critical_function == "procurement"


def test_a_reopened_case_leaves_out_the_time_nobody_was_asked() -> None:
    """METRICS 3.1: the same case, the clock goes on, the time between implemented and reopened is left out and shown."""
    log = Log().implemented_after(1).reopened(1000, stopped=60).asked_again("sales", 1000)
    assert (measured(log).state, measured(log).decision_us) == ("open", None)
    log.completed("sales", 1030).implemented(1030)
    found = measured(log)
    assert (found.decision_us, found.excluded_us, found.reopened) == (90 * MINUTE, 940 * MINUTE, 1)


def test_a_cleared_case_that_is_reopened_is_open_again() -> None:
    """FLOW 1.3: within the window the case and its tasks come back."""
    log = Log().opened().asked("sales").cleared(50).reopened(200, stopped=50).asked_again("sales", 200)
    found = measured(log, until=260)
    assert (found.state, found.elapsed_us, found.excluded_us) == ("open", 110 * MINUTE, 150 * MINUTE)


def test_as_of_uses_only_what_was_recorded_by_then() -> None:
    """METRICS 3.1: a case opened later does not exist, one implemented later is open."""
    log = Log().implemented_after(1)
    by_then = [e for e in log.envelopes if e.recordedtime <= log.at(30)]
    found = domain.measure(fold(by_then), until_us=domain.micros(log.at(30)))
    assert found is not None
    assert (found.state, found.elapsed_us) == ("open", 30 * MINUTE)


def test_a_case_opened_before_its_cause_is_a_finding_and_is_not_clamped() -> None:
    """METRICS 1: a negative duration is counted."""
    found = measured(Log().opened(cause_at=5).asked("sales"))
    assert found.inversions == ("blind",)
    assert "blind" not in phases(found)


def test_the_last_fact_in_order_says_the_severity() -> None:
    """FLOW 2.5, 4.4."""
    log = Log(severity="low").opened().asked("sales").reassessed(5, severity="critical")
    assert fold(log.envelopes).severity == "critical"
    assert fold(log.envelopes[::-1]).severity == "critical"


def test_durations_are_whole_microseconds() -> None:
    """LAYERS 1.2: SQL must find the very same number."""
    log = Log().opened().asked("sales").task(_completed(), "sales", timedelta(microseconds=1), outcome="done")
    assert measured(log.implemented(timedelta(microseconds=1))).decision_us == 1


def _completed() -> type:
    from schemas.exceptions import TaskCompleted

    return TaskCompleted


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_no_order_of_arrival_and_no_duplicate_changes_a_measure(seed: int, chance: random.Random) -> None:
    """FLOW 4.4: state per case id, durations from the facts; wrong order, duplicates and replays change nothing."""
    log = random_log(str(seed), random.Random(seed))
    shuffled = [*log.envelopes, *chance.sample(log.envelopes, len(log.envelopes) // 2)]
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(log.envelopes)
    assert domain.measure(fold(shuffled)) == domain.measure(fold(log.envelopes))
    last = log.envelopes[-1]
    told = [said_last(fold(order), last) for order in (shuffled, log.envelopes)]
    assert told[0] == told[1]


@given(st.integers(0, 10_000))
def test_the_state_in_the_table_is_the_state_that_was_kept(seed: int) -> None:
    """A worker that takes over reads what the one before it wrote."""
    case = domain.observe(fold(random_log(str(seed), random.Random(seed)).envelopes), frozenset({"whole"}))
    assert domain.deserialize(domain.serialize(case)) == case


def test_the_state_of_a_case_stays_small() -> None:
    """Facts that move no clock are not kept."""
    log = random_log("big", random.Random(3))
    before = len(domain.serialize(fold(log.envelopes)))
    for n in range(1000):
        log.reassessed(9000 + n, severity="critical")
    assert len(domain.serialize(fold(log.envelopes))) < before + 10
    assert before < 4000


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_reading_that_knows_the_most_wins_whichever_arrives_last(seed: int, chance: random.Random) -> None:
    """FLOW 4.4: latest by the order of facts, not by arrival."""
    case, told = None, []
    for envelope in random_log(str(seed), random.Random(seed)).envelopes:
        case = hear(case, envelope)
        told.append(said_last(case, envelope))
    last, arrived = told[-1], told[:]
    chance.shuffle(arrived)
    reading = None
    for event in arrived:
        reading = domain.store_reading(reading, event)
    assert reading == domain.store_reading(None, last)


def test_microseconds_and_instants_are_the_same_thing() -> None:
    """LAYERS 10: instants in UTC."""
    odd = START + timedelta(microseconds=123_457)
    assert domain.instant(domain.micros(odd)) == odd


@given(st.integers(0, 10_000))
def test_a_stranger_who_reads_the_json_finds_the_facts_that_the_stream_hears(seed: int) -> None:
    """The golden logs are read without our schemas; what they prove holds for what travels."""
    log = random_log(str(seed), random.Random(seed))
    told = read([encode(envelope).decode() for envelope in log.envelopes] + ['{"options": {"world": "test"}}'])
    heard = fold(log.envelopes)
    assert {one.fact.fact_id: one.fact for one in told.events if one.fact.kind in CLOCK_KINDS} == heard.facts
    assert {(one.case_id, one.cause_kind) for one in told.events} == {(heard.case_id, heard.cause_kind)}
