"""`python -m simulator story` tells the story as JSON lines; its environment names the public doors of a world."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import httpx

from simulator.doors import Doors, Refused
from simulator.story import Story

EXIT_OK, EXIT_FAILED = 0, 1


def say(kind: str, facts: dict[str, Any]) -> None:
    """Print one step as a JSON line."""
    print(json.dumps({"step": kind, **facts}, default=str), flush=True)


def main() -> int:
    """Run the simulator; exit code 0 only when every link of the story was seen."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("what", choices=["story"])
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    try:
        Story(Doors.from_environment(), say, seed=chosen.seed).run()
    except (Refused, httpx.HTTPError) as error:
        say("broken", {"text": f"The story broke: {error}"})
        return EXIT_FAILED
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
