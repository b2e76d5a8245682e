"""What the command line shows of the scorecard's own answers: tables with bars, and sentences where there is nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli.commands import velocity_answers as shown
from tests.scorecard.logs import START, Log
from tests.scorecard.test_answers import hear
from tests.support.service import ServiceUnderTest


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_groups_are_shown_with_bars_and_few_are_hidden(
    scorecard: ServiceUnderTest, capsys: pytest.CaptureFixture[str]
) -> None:
    hear(scorecard, *[Log(f"s{h}").implemented_after(h) for h in (1, 2, 3, 4, 10)])
    hear(scorecard, Log("l").opened().asked("logistics").completed("logistics", 60).implemented(60))
    scorecard.set_clock(START + timedelta(hours=50))
    shown._cells(scorecard.get("/velocity/by/function").json())
    out = lines(capsys)
    assert ["logistics", "1", "16.7%", "hidden", "hidden"] in out
    assert ["sales", "5", "83.3%", "3", "h", "10", "h", "100%", shown.FULL * 6 + shown.LIGHT * 14] in out
    assert " ".join(out[-1]) == shown.NOT_KNOWN


def test_phases_and_overdue_cases_are_shown(scorecard: ServiceUnderTest, capsys: pytest.CaptureFixture[str]) -> None:
    hear(
        scorecard, *[Log(f"d{n}").implemented_after(1 + n / 10) for n in range(18)], Log("long").opened().asked("sales")
    )
    scorecard.set_clock(START + timedelta(hours=10))
    shown._phases(scorecard.get("/velocity/phases").json())
    execute = next(line for line in lines(capsys) if line and line[0] == "commit")
    assert execute[1] == "18"
    answer = scorecard.get("/velocity/overdue").json()
    shown._overdue(answer)
    out = lines(capsys)
    assert " ".join(out[0]).startswith("1 open cases have lasted longer than the p90, 2 h ")
    assert out[2][0] == answer["items"][0]["case_id"][:8]
    assert out[2][-1].endswith(shown.LIGHT)


def test_where_there_is_nothing_a_sentence_says_so(
    scorecard: ServiceUnderTest, capsys: pytest.CaptureFixture[str]
) -> None:
    shown._cells(scorecard.get("/velocity/by/week").json())
    shown._phases(scorecard.get("/velocity/phases").json())
    shown._overdue(scorecard.get("/velocity/overdue").json())
    said = capsys.readouterr().out
    assert said.count("nothing to measure") == 2
    assert "not reached yet" in said


@pytest.mark.parametrize(
    ("middle", "far", "drawn"),
    [(20, 40, "█" * 10 + "░" * 10), (40, 40, "█" * 20), (3, None, "█▌→"), (None, None, "→"), (0, 40, "░" * 20)],
)
def test_a_bar_is_full_to_the_p50_and_light_to_the_p90(middle: int | None, far: int | None, drawn: str) -> None:
    assert shown.bar(middle, far, 40) == drawn
