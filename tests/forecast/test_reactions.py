"""Forecast hears nothing yet: the register says so."""

from __future__ import annotations

from services.forecast.reactions import reactions


def test_no_fact_is_listened_to():
    assert reactions.topics() == ()
    assert reactions.at_timers == {}
