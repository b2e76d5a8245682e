"""Event, the base of every fact, and REGISTER, where each is found by its name."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.topics import BY_NOUN, Topic
from schemas.types import Instant

_NAME = re.compile(
    r"^(?P<service>[a-z]+)\.(?P<noun>[a-z]+(?:-[a-z]+)*)\.(?P<participle>[a-z]+(?:-[a-z]+)*)\.v(?P<version>[1-9]\d*)$"
)

REGISTER: dict[str, type[Event]] = {}


class Event(BaseModel):
    """One fact that happened; frozen, and tolerant on reading so that producers may add optional fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_name: ClassVar[str]
    event_key: ClassVar[str]
    event_topic: ClassVar[Topic]

    occurred_at: Instant

    def __init_subclass__(cls, *, name: str = "", key: str = "", abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, name: str = "", key: str = "", abstract: bool = False, **kwargs: Any
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if abstract:
            return
        matched = _NAME.match(name)
        if matched is None:
            raise TypeError(f"{cls.__name__}: name {name!r} is not <service>.<noun>.<past participle>.v<N>")
        if name in REGISTER:
            raise TypeError(f"{cls.__name__}: name {name!r} is taken by {REGISTER[name].__name__}")
        topic = BY_NOUN.get((matched["service"], matched["noun"]))
        if topic is None:
            raise TypeError(
                f"{cls.__name__}: no topic in schemas/topics.py carries {matched['service']}.{matched['noun']}"
            )
        if key not in cls.model_fields:
            raise TypeError(f"{cls.__name__}: key {key!r} is not one of its fields")
        if key != topic.key:
            raise TypeError(f"{cls.__name__}: key {key!r}, but topic {topic.name} is keyed by {topic.key!r}")
        if not (cls.__dict__.get("__doc__") or "").strip():
            raise TypeError(f"{cls.__name__}: a fact says in its docstring what happened")
        cls.event_name, cls.event_key, cls.event_topic = name, key, topic
        REGISTER[name] = cls

    @property
    def subject(self) -> str:
        """Return the id of the aggregate this fact is about: the Kafka key."""
        return str(getattr(self, self.event_key))
