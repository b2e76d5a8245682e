"""The only judge of `make mutants`: every golden log, read as the reference program reads it."""

from __future__ import annotations

import io
import os
from pathlib import Path

from velocity.answers import answers
from velocity.conformance import differences, golden_logs
from velocity.event_log import logs, read

GOLDEN = golden_logs(Path(os.environ["GOLDEN_LOGS"]))


def test_every_golden_log_is_answered_as_expected() -> None:
    told = io.StringIO("\n\n".join(log.events for log in GOLDEN))
    found = [answers(read(lines)) for lines in logs(told)]
    assert len(found) == len(GOLDEN)
    for log, answer in zip(GOLDEN, found, strict=True):
        assert list(differences(log.expected, answer)) == [], log.name
