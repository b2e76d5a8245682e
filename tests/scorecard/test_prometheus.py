"""What Prometheus shows of velocity: the API's percentiles within one scrape, and an alert on a fortnight that is slow."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import start_http_server

from chassis.runtime.metrics import REGISTRY
from cli.stack import spawn
from services.scorecard import domain, gauges
from services.scorecard.settings import ScorecardSettings
from tests.layers.small_tree import ROOT
from tests.scorecard.logs import START, random_log
from tests.scorecard.test_reactions import measures
from tests.support.needs import needs_program
from tests.support.service import PATIENCE_SECONDS, ServiceUnderTest, wait_until

PERCENTILES = ("p50", "p90", "p95")
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
HOUR_US = 3_600_000_000


# ── the same percentiles as the API's ────────────────────────────────────────────────────────────


@contextmanager
def prometheus(scraped_port: int, folder: Path) -> Iterator[Callable[[str], dict[str, float]]]:
    """A Prometheus that scrapes one address every second; asked, it gives its samples by percentile."""
    port = spawn.free_port()
    scrape = {"job_name": "crossdock", "static_configs": [{"targets": [f"127.0.0.1:{scraped_port}"]}]}
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        needs_program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def ask(query: str) -> dict[str, float]:
        found = httpx.get(
            f"http://127.0.0.1:{port}/api/v1/query", params={"query": query}, timeout=PATIENCE_SECONDS
        ).json()
        return {one["metric"].get("percentile", ""): float(one["value"][1]) for one in found["data"]["result"]}

    with (folder / "prometheus.log").open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
            yield ask
        finally:
            process.kill()


def answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False


def told(scorecard: ServiceUnderTest) -> dict[str, float]:
    """Return the percentiles that the API gives of the time that the gauges look at; what is not reached is absent."""
    since = scorecard.now() - ScorecardSettings().window
    asked = {"kind": "shipment-delay", "since": since.isoformat()}
    shown = scorecard.get("/velocity", params=asked).json()
    return {p: shown[f"{p}_seconds"] for p in PERCENTILES if shown[f"{p}_seconds"] is not None}


def test_prometheus_shows_the_percentiles_of_the_api_within_one_scrape(
    scorecard: ServiceUnderTest, tmp_path: Path
) -> None:
    """Also when cases leave the window and a percentile is not reached any more: it is gone, not what it was."""
    whole = [log for n in range(60) for log in [random_log(f"case {n}", random.Random(n))]]
    scorecard.consume(*[e for log in whole for e in (*log.envelopes, *measures(log))])
    server, thread = start_http_server(0, addr="127.0.0.1", registry=REGISTRY)
    refresh = gauges.Gauges()
    asked = 'scorecard_velocity_seconds{cause="shipment-delay"}'
    try:
        with prometheus(server.server_port, tmp_path) as ask:
            seen: list[dict[str, float]] = []
            for days in (30, 60, 89.99, 200):
                scorecard.set_clock(START + timedelta(days=days))
                with scorecard.database.reading() as read:
                    refresh(read)
                seen.append(told(scorecard))
                wait_until(lambda: ask(asked) == seen[-1])
    finally:
        server.shutdown()
        thread.join()
    assert set(seen[0]) == {"p50"}
    assert seen[-1] == {}


# ── the alert ────────────────────────────────────────────────────────────────────────────────────


class Autumn:
    """A hundred and five days of cases, six a day; in the last fortnight a response takes so many times as long."""

    DAYS, FORTNIGHT, EVERY_HOURS = 105, 14, 4

    def __init__(self, slower: float) -> None:
        chance = random.Random(5)
        turn = (self.DAYS - self.FORTNIGHT) * 24
        self.cases = [
            (at * HOUR_US, round(chance.lognormvariate(3.3, 0.5) * (slower if at >= turn else 1) * HOUR_US))
            for at in range(0, self.DAYS * 24, self.EVERY_HOURS)
        ]

    def figure(self, hour: int) -> domain.Velocity:
        """Return what the gauges would say at an hour: ninety days, open cases as long as they have lasted."""
        now, window = hour * HOUR_US, ScorecardSettings().window // domain.MICROSECOND
        return domain.velocity(
            ("implemented", took, took) if at + took <= now else ("open", now - at, None)
            for at, took in self.cases
            if now - window <= at < now
        )

    def fortnight(self) -> list[domain.Velocity]:
        """Return the figure every six hours of the last fortnight."""
        return [self.figure(hour) for hour in range((self.DAYS - self.FORTNIGHT) * 24, self.DAYS * 24, 6)]


def samples(values: Sequence[float | int | None], each: int) -> str:
    """Return values in promtool's notation, each held for so many samples; None leaves a gap."""
    runs = [(value, len(list(run)) * each) for value, run in groupby(values)]
    return " ".join(f"_x{many}" if value is None else f"{value}x{many - 1}" for value, many in runs)


def series(figures: Sequence[domain.Velocity], world: str, each: int) -> list[dict[str, str]]:
    said: dict[str, list[Any]] = {
        'scorecard_velocity_seconds{%s, percentile="p90"}': [f.p90_us and f.p90_us / 1e6 for f in figures],
        'scorecard_velocity_target_seconds{%s, percentile="p90"}': [ScorecardSettings().target.total_seconds()]
        * len(figures),
        'scorecard_velocity_cases{%s, state="implemented"}': [f.implemented for f in figures],
    }
    labels = f'instance="{world}:1", cause="shortage", world="{world}", job="crossdock"'
    return [{"series": name % labels, "values": samples(values, each)} for name, values in said.items()]


def check(figures: Sequence[domain.Velocity], fires: bool) -> dict[str, Any]:
    """Return promtool's test of one fortnight: silent on its first days, and at its end as said."""
    firing = 'count(ALERTS{alertname="VelocityTargetMissed", alertstate="firing"}) or vector(0)'
    wanted = {f"{day}d": 0 for day in range(1, 14) if day < 5 or not fires} | {"13d20h": int(fires)}
    return {
        "interval": "3m",
        "input_series": series(figures, "live", 120),
        "promql_expr_test": [
            {"expr": firing, "eval_time": at, "exp_samples": [{"labels": "{}", "value": alerts}]}
            for at, alerts in wanted.items()
        ],
    }


@pytest.mark.parametrize(("slower", "fires"), [(4.0, True), (1.0, False)], ids=["slow", "normal"])
def test_the_alert_on_the_target_fires_on_a_slow_fortnight_and_is_silent_on_a_normal_one(
    slower: float, fires: bool, tmp_path: Path
) -> None:
    """The percentiles are what the curve says of the cases, hour by hour, not numbers made up for the rule."""
    figures = Autumn(slower).fortnight()
    assert all(f.p90_us for f in figures)
    tests = {"rule_files": [str(RULES)], "evaluation_interval": "3m", "tests": [check(figures, fires)]}
    file = tmp_path / "fortnight.yml"
    file.write_text(yaml.safe_dump(tests), encoding="utf-8")
    done = subprocess.run(
        [needs_program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
