"""The stream's fold as a program of the specification: logs on standard input, answers on standard output.

Facts come in a wrong order and again; between any two the case is written as the stream's table holds it and read back.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import partial
from uuid import UUID

from services.scorecard.domain import deserialize, serialize
from velocity import Log, add, answers
from velocity.case import Case
from velocity.event_log import logs, read


def main() -> int:
    """Answer each log of standard input."""
    for lines in logs(sys.stdin):
        log = read(lines)
        print(json.dumps(answers(log, partial(_folded, log))), flush=True)
    return 0


def _folded(log: Log, until: int) -> dict[UUID, Case]:
    told = [one for one in log.events if one.fact.recorded_us <= until]
    arriving = sorted(
        enumerate([*told, *told[::2]]),
        key=lambda one: hashlib.sha256(f"{one[0]}".encode() + one[1].fact.fact_id.bytes).digest(),
    )
    table: dict[UUID, bytes] = {}
    for _, one in arriving:
        before = table.get(one.case_id)
        case = add(
            None if before is None else deserialize(before),
            one.fact,
            case_id=one.case_id,
            cause_kind=one.cause_kind,
            severity=one.severity,
        )
        table[one.case_id] = serialize(case)
    return {case_id: deserialize(value) for case_id, value in table.items()}


if __name__ == "__main__":
    sys.exit(main())
