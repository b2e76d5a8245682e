"""Collaboration hears nothing yet: the register says so."""

from __future__ import annotations

from services.collaboration.reactions import reactions


def test_no_fact_is_listened_to():
    assert reactions.topics() == ()
    assert reactions.at_timers == {}
