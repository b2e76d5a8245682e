"""`python -m benchmarks [loop|pipeline]`: figures of this machine, each beside what it is to be compared with."""

from __future__ import annotations

import argparse
import sys

from benchmarks import loop, pipeline

FIGURES = ["loop", "pipeline"]


def main() -> int:
    """Measure what is named, or everything; exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="loop|pipeline", help="what to measure (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.add_argument("--events", type=int, default=pipeline.EVENTS, help="length of a pipeline run")
    given = parser.parse_args()
    wanted = given.figures or FIGURES
    if unknown := sorted(set(wanted) - set(FIGURES)):
        parser.error(f"no figure {unknown[0]!r}: there are {' and '.join(FIGURES)}")
    holds = True
    if "loop" in wanted:
        holds &= loop.main(as_json=given.json)
    if "pipeline" in wanted:
        holds &= pipeline.main(as_json=given.json, events=given.events)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
