"""A foreign response log and its map: what a row means, and what is said of one that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.backfill.importing import counts, item_of
from cli.backfill.maps import LoadedMap, MapUnusable, ResponseMap, load_map
from cli.backfill.reading import Fact, ResponseCase, read_responses
from formats.dialect import WrongFile

COLUMNS = (
    "number",
    "incident_state",
    "priority",
    "category",
    "subcategory",
    "opened_at",
    "sys_updated_at",
    "assignment_group",
    "resolved_at",
    "closed_at",
)
ROW = {
    "number": "INC1",
    "incident_state": "New",
    "priority": "3 - Moderate",
    "category": "Category 55",
    "subcategory": "?",
    "opened_at": "29/2/2016 01:16",
    "sys_updated_at": "29/2/2016 01:23",
    "assignment_group": "Group 56",
    "resolved_at": "29/2/2016 11:29",
    "closed_at": "5/3/2016 12:00",
}


def a_log(*rows: dict[str, str]) -> bytes:
    lines = [",".join(COLUMNS), *(",".join((ROW | row)[name] for name in COLUMNS) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def servicenow(**changed: object) -> ResponseMap:
    told = load_map("servicenow").responses
    return ResponseMap.model_validate(told.model_dump(by_alias=True, exclude_none=True) | changed)


def the_case(*rows: dict[str, str]) -> ResponseCase:
    (case,) = read_responses(a_log(*rows), servicenow()).cases
    return case


def at(day: int, hour: int, minute: int, month: int = 2) -> datetime:
    return datetime(2016, month, day, hour, minute, tzinfo=UTC)


def test_each_clock_point_comes_from_the_row_that_the_map_names() -> None:
    case = the_case(
        {},
        {"incident_state": "Active", "sys_updated_at": "29/2/2016 08:53"},
        {"incident_state": "Resolved", "sys_updated_at": "29/2/2016 11:29", "assignment_group": "Group 70"},
    )
    assert (case.key, case.severity, case.headline) == ("INC1", "medium", "INC1 · Category 55")
    assert case.facts == (
        Fact("opened", at(29, 1, 16), at(29, 1, 16)),
        Fact("acknowledged", at(29, 8, 53), at(29, 8, 53)),
        Fact("handed-over", at(29, 11, 29), at(29, 11, 29), "Group 56", "Group 70"),
        Fact("implemented", at(29, 11, 29), at(29, 11, 29)),
    )


def test_without_a_resolution_the_closing_counts_and_without_both_the_case_is_open() -> None:
    closed = the_case({"resolved_at": "?"})
    assert closed.facts[-1] == Fact("implemented", at(5, 12, 0, 3), at(5, 12, 0, 3))
    assert [f.kind for f in the_case({"resolved_at": "?", "closed_at": "?"}).facts] == ["opened"]


def test_the_last_row_decides_what_an_earlier_one_says_of_the_end_does_not_count() -> None:
    case = the_case({"resolved_at": "1/3/2016 00:00"}, {"resolved_at": "2/3/2016 00:00"})
    assert case.facts[-1].occurred_at == at(2, 0, 0, 3)


def test_only_rows_that_follow_each_other_with_two_known_groups_are_a_hand_over() -> None:
    groups = ("one", "?", "two", "two", "one", "?", "one")
    case = the_case(*({"assignment_group": group} for group in groups))
    assert [(f.from_group, f.to_group) for f in case.facts if f.kind == "handed-over"] == [("two", "one")]


def test_an_acknowledgement_before_the_opening_is_kept_as_it_stands() -> None:
    case = the_case({"incident_state": "Active", "sys_updated_at": "29/2/2016 01:00"})
    assert case.facts[1] == Fact("acknowledged", at(29, 1, 0), at(29, 1, 0))


def test_rows_of_a_case_need_not_stand_together() -> None:
    log = read_responses(a_log({}, {"number": "INC2"}, {"incident_state": "Active"}), servicenow())
    assert [(c.key, len(c.facts)) for c in log.cases] == [("INC1", 3), ("INC2", 2)]
    assert counts(log.cases) == {"opened": 2, "acknowledged": 1, "implemented": 2}
    assert log.end == at(29, 11, 29)


def test_a_time_is_read_in_the_zone_of_the_map_and_one_that_its_clocks_left_out_is_refused() -> None:
    paris = servicenow(zone="Europe/Paris")
    log = read_responses(
        a_log({"opened_at": "27/3/2016 01:30"}, {"number": "B", "opened_at": "27/3/2016 02:30"}), paris
    )
    assert log.cases[0].facts[0].occurred_at == datetime(2016, 3, 27, 0, 30, tzinfo=UTC)
    assert str(log.left_out[0]) == (
        "case B is left out: row 3, column opened_at: '27/3/2016 02:30' is a time that the clocks of its zone left out"
    )


def test_a_column_may_say_when_a_thing_was_known_and_never_before_it_was_so() -> None:
    known = servicenow(implemented={"at": "resolved_at", "known": "closed_at"})
    log = read_responses(a_log({}, {"number": "B", "closed_at": "29/2/2016 11:00"}), known)
    assert log.cases[0].facts[-1] == Fact("implemented", at(29, 11, 29), at(5, 12, 0, 3))
    assert "is before resolved_at" in log.left_out[0].expected


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"opened_at": "2016-02-29"}, "opened_at", "is no time such as '%d/%m/%Y %H:%M'"),
        ({"opened_at": "30/2/2016 01:16"}, "opened_at", "is no time such as"),
        ({"opened_at": "?"}, "opened_at", "is missing, and a case begins with its opening"),
        ({"priority": "9 - Idle"}, "priority", "is none of '1 - Critical', '2 - High', '3 - Moderate', '4 - Low'"),
        ({"resolved_at": "soon"}, "resolved_at", "is no time such as"),
    ],
)
def test_a_bad_row_takes_its_whole_case_out_and_no_other(row: dict[str, str], column: str, expected: str) -> None:
    bad = {"number": "INC2"} | row
    log = read_responses(a_log({}, bad, bad, {"number": "INC3"}), servicenow())
    assert [c.key for c in log.cases] == ["INC1", "INC3"]
    (one,) = log.left_out
    assert (one.case, one.row, one.column) == ("INC2", 4 if column == "resolved_at" else 3, column)
    assert expected in one.expected
    assert one.found == row[column]


@pytest.mark.parametrize("line", ["?,New", "too,few,fields", '"never closed'])
def test_a_row_that_names_no_case_refuses_the_file_whole(line: str) -> None:
    whole = line + "," * (len(COLUMNS) - 2) if line.startswith("?") else line
    with pytest.raises(WrongFile, match=r"Row 3 does not say which case it belongs to.*nothing of the file"):
        read_responses(a_log({}) + whole.encode() + b"\n", servicenow())


def test_a_file_without_a_column_of_the_map_is_refused_by_name() -> None:
    with pytest.raises(WrongFile, match=r"column 'closed_at' is missing"):
        read_responses(a_log({}).replace(b"closed_at", b"shut_at"), servicenow())


def test_an_item_says_both_times_of_each_fact() -> None:
    told = item_of(the_case({}, {"assignment_group": "Group 70"}))
    assert told["facts"][0] == {
        "kind": "opened",
        "occurred_at": "2016-02-29T01:16:00Z",
        "recorded_at": "2016-02-29T01:16:00Z",
    }
    assert (told["facts"][1]["from_group"], told["facts"][1]["to_group"]) == ("Group 56", "Group 70")


SMALL = {
    "source": "desk",
    "time": "%Y-%m-%d",
    "case": "id",
    "headline": "id",
    "severity": {"otherwise": "low"},
    "opened": {"at": "a"},
    "implemented": {"at": "b", "last_row_where": {"column": "state", "is": ["Done"]}},
}


def test_a_map_may_ask_that_the_last_row_is_in_a_state() -> None:
    log = read_responses(
        b"id,a,b,state\n1,2026-01-01,2026-01-02,Done\n2,2026-01-01,2026-01-02,Open\n", ResponseMap.model_validate(SMALL)
    )
    assert [[f.kind for f in c.facts] for c in log.cases] == [["opened", "implemented"], ["opened"]]
    assert {c.severity for c in log.cases} == {"low"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("source: [", "is no YAML"),
        ("source: desk\n", "time: Field required"),
        ("colour: red\n", "colour: Extra inputs are not permitted"),
        ("zone: Mars/Base\n", "zone: Value error, 'Mars/Base' is no zone"),
        ("acknowledged: {at: a, first_row_where: {column: s}}\n", "say either `is` or `is_not`"),
        ("severity: {}\n", "say `column` and `words`, or `otherwise`"),
    ],
)
def test_a_map_that_cannot_be_used_says_where(tmp_path: Path, content: str, said: str) -> None:
    import yaml

    file = tmp_path / "own.yaml"
    whole = content.startswith(("source: [", "source: desk"))
    kept = {name: value for name, value in SMALL.items() if name != content.split(":", maxsplit=1)[0]}
    file.write_text(content if whole else yaml.safe_dump(kept) + content)
    with pytest.raises(MapUnusable) as refused:
        load_map(str(file))
    assert said in str(refused.value)


def test_a_map_of_nobodys_names_those_that_are_shipped() -> None:
    with pytest.raises(MapUnusable, match="name one of servicenow, or a YAML file"):
        load_map("jira")
    assert isinstance(load_map("servicenow"), LoadedMap)
