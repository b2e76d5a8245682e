"""Settings of a process, from its environment only; the one place that knows a world's prefix."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def names_of(text: str) -> list[str]:
    """Return the names in a list that is separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


REREAD_SECONDS_MAX = 60.0  # of the issuer's keys: how long a withdrawn key may still be accepted
KEPT_DAYS_MAX = 40_000  # of retention: more than a century


class ServiceSettings(BaseSettings):
    """What every process of Crossdock must be told; a missing value stops the start with the name of the variable."""

    model_config = SettingsConfigDict(extra="ignore", env_file=None)

    world: str = "live"
    world_clock: str = "wall"
    world_currency: str = "EUR"  # the reporting currency: thresholds and limits are stated in it (ISO 4217)
    database_url: str = ""
    kafka_bootstrap: str
    http_host: str = "127.0.0.1"
    http_port: int = 0
    ops_port: int = 0
    hosts_allowed: str = ""  # names in Host that the API answers to beside loopback ones, separated by commas
    auth_issuer: str
    auth_audience: str
    auth_jwks: str
    auth_keys_seconds: float = Field(REREAD_SECONDS_MAX, gt=0, le=REREAD_SECONDS_MAX)  # the keys are read again within
    cursor_secret: str
    instance: int = 0
    migrate_on_start: bool = False
    log_level: str = "info"
    reaction_limit_seconds: float = 7.0  # with a restart of 2 to 3 s a hang holds its partition for 10 s
    dead_in_a_row_max: int = 50
    batch_events_max: int = 500
    pool_connections_max: int = 12
    http_in_flight_max: int = 0  # 0: as many as the connections keep up with, chassis/http/admission.py
    crash_at: str = ""  # a trial's: the named point at which this process ends, chassis/runtime/crash_points.py
    answers_kept_hours: float = Field(
        48, gt=0, le=KEPT_DAYS_MAX * 24
    )  # how long an Idempotency-Key is answered with what was answered first
    facts_kept_days: float = Field(
        7, gt=0, le=KEPT_DAYS_MAX
    )  # published outbox rows, from which a wiped topic is rebuilt
    inbox_kept_days: float = Field(
        14, gt=0, le=KEPT_DAYS_MAX
    )  # inbox claims; longer than facts, or events of a rebuilt topic are processed twice
    effect_url: str = ""  # where `live` sends customer notices; empty: effects are recorded, not sent

    @field_validator("world")
    @classmethod
    def _world_is_a_name(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", value):
            raise ValueError("a world is named by a letter, then at most 30 letters, digits or hyphens")
        return value

    @field_validator("world_currency")
    @classmethod
    def _currency_is_a_code(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise ValueError("a currency is named by its three letters of ISO 4217, such as EUR")
        return value

    @model_validator(mode="after")
    def _claims_outlive_facts(self) -> Self:
        if self.inbox_kept_days <= self.facts_kept_days:
            raise ValueError(
                "INBOX_KEPT_DAYS must be longer than FACTS_KEPT_DAYS: otherwise a republished event is processed twice"
            )
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """The names in `hosts_allowed`."""
        return frozenset(names_of(self.hosts_allowed))

    def topic(self, name: str) -> str:
        """Return the name of a registered topic in this world."""
        return f"{self.world}.{name}"

    def register_name(self, topic: str) -> str:
        """Return the registered name of a topic of this world."""
        return topic.removeprefix(f"{self.world}.")

    def group(self, service: str, role: str) -> str:
        """Return the consumer group of a role: `<world>.<service>.<role>`."""
        return f"{self.world}.{service}.{role}"

    @property
    def driven(self) -> bool:
        return self.world_clock == "driven"
