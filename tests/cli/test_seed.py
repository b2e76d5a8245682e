"""The seed of a world: requests from files, in order, each with its key; a refusal is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import seed


def _write(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)


def test_requests_come_in_the_order_of_their_files_and_within_them(tmp_path: Path) -> None:
    _write(tmp_path, "20-b.yaml", "- {service: exceptions, path: /playbooks, key: p1, body: {a: 1}}\n")
    _write(
        tmp_path, "10-a.yaml", "- {service: collaboration, path: /x, key: k1}\n- {service: sales, path: /y, key: k2}\n"
    )
    assert [request["key"] for request in seed.requests(tmp_path)] == ["k1", "k2", "p1"]


def test_a_request_without_its_key_is_refused_with_file_and_number(tmp_path: Path) -> None:
    _write(tmp_path, "10-a.yaml", "- {service: sales, path: /y, key: k}\n- {service: sales, path: /y}\n")
    with pytest.raises(seed.SeedRefused, match=r"Request 2 of the seed file 10-a.yaml lacks \['key'\]"):
        seed.requests(tmp_path)


def test_services_that_a_world_leaves_out_are_left_out_of_its_seed(tmp_path: Path) -> None:
    _write(tmp_path, "10-a.yaml", "- {service: sales, path: /y, key: k}\n")
    assert seed.plant({}, lambda _: "token", folder=tmp_path) == []


def test_a_service_that_does_not_answer_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "10-a.yaml", "- {service: sales, path: /y, key: k}\n")
    with pytest.raises(seed.SeedRefused, match=r"POST sales/y \(seed k\) was not answered"):
        seed.plant({"sales": "http://127.0.0.1:1"}, lambda _: "token", folder=tmp_path)


def test_what_was_planted_is_not_planted_again(tmp_path: Path) -> None:
    _write(tmp_path, "10-a.yaml", "- {service: sales, path: /y, key: k}\n")
    nobody = {"sales": "http://127.0.0.1:1"}
    assert seed.plant(nobody, lambda _: "token", folder=tmp_path, planted={"k"}) == []


RULES = """
- {service: exceptions, path: /thresholds, key: t, body: {money: [{severity: high, amount: "5"}]}}
- {service: exceptions, path: /playbooks, key: p, body: {tasks: [{kind: a}, {kind: b, money_limit: {amount: "5"}}]}}
- {service: sales, path: /y, key: y, body: {days: 7}}
"""


@pytest.mark.parametrize(("currency", "keys"), [("EUR", ["t", "p", "y"]), ("USD", ["t-USD", "p-USD", "y"])])
def test_amounts_of_a_seed_are_in_the_currency_of_its_world(tmp_path: Path, currency: str, keys: list[str]) -> None:
    """A key that names the currency: a demo made before worlds had a currency gets its rules again, in its own."""
    _write(tmp_path, "10-a.yaml", RULES)
    thresholds, playbook, other = seed.requests(tmp_path, currency=currency)
    assert thresholds["body"] == {"currency": currency, "money": [{"severity": "high", "amount": "5"}]}
    assert playbook["body"]["tasks"][1]["money_limit"] == {"amount": "5", "currency": currency}
    assert other["body"] == {"days": 7}
    assert [request["key"] for request in (thresholds, playbook, other)] == keys


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{currency: USD, money: [{severity: high, amount: "5"}]}', "body.currency"),
        ('{tasks: [{kind: a}, {money_limit: {amount: "5", currency: USD}}]}', "body.tasks.1.money_limit.currency"),
    ],
)
def test_a_seed_that_contradicts_the_currency_is_refused_with_file_and_field(
    tmp_path: Path, body: str, field: str
) -> None:
    _write(tmp_path, "10-a.yaml", "- {service: sales, path: /y, key: k}\n")
    _write(tmp_path, "20-b.yaml", f"- {{service: exceptions, path: /thresholds, key: t, body: {body}}}\n")
    nobody = {"sales": "http://127.0.0.1:1"}  # a request that is sent here is refused in other words
    with pytest.raises(seed.SeedRefused) as refused:
        seed.plant(nobody, lambda _: "token", folder=tmp_path, currency="EUR")
    assert f"Request 1 of the seed file 20-b.yaml states {field} USD" in str(refused.value)
    assert "the world's currency is EUR" in str(refused.value)
    assert "--currency USD" in str(refused.value)


def test_no_seed_of_ours_names_a_currency() -> None:
    for path in seed.FOLDER.rglob("*.yaml"):
        assert "currency" not in path.read_text(), path


def test_every_seed_of_the_house_can_be_read_and_an_unknown_one_is_refused() -> None:
    for name in (seed.EVERYDAY, "replay"):
        folder = seed.folder_of(name)
        assert folder is not None
        keys = [request["key"] for request in seed.requests(folder)]
        assert keys and len(keys) == len(set(keys))
    assert seed.folder_of(seed.NONE) is None
    with pytest.raises(seed.SeedRefused, match="There is no seed weekend; there are everyday, replay, none"):
        seed.folder_of("weekend")
