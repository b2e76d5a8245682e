"""`python -m simulator story` prints the story as JSON lines; `traffic` keeps a small world busy."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import httpx

from simulator import traffic
from simulator.service_client import Refused, ServiceClient
from simulator.story import Story

EXIT_OK, EXIT_FAILED = 0, 1


def say(kind: str, facts: dict[str, Any]) -> None:
    """Print one step as a JSON line."""
    print(json.dumps({"step": kind, **facts}, default=str), flush=True)


def main() -> int:
    """Run the simulator; exit code 0 only when every link of the story was seen."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("what", choices=["story", "traffic"])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=float, default=traffic.EVERY_SECONDS, help="seconds between two delays")
    parser.add_argument("--cases", type=int, help="end after so many delays")
    parser.add_argument("--nobody", action="store_true", help="nobody answers: every case waits for you")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds that simulated people take before each act")
    chosen = parser.parse_args()
    services = ServiceClient.from_environment()
    try:
        if chosen.what == "story":
            Story(services, say, seed=chosen.seed, pace=chosen.pace).run()
        else:
            people = traffic.NOBODY if chosen.nobody else traffic.PEOPLE
            traffic.Traffic(services, say, seed=chosen.seed, people=people).run(every=chosen.every, cases=chosen.cases)
    except (Refused, httpx.HTTPError) as error:
        say("broken", {"text": f"It broke: {error}"})
        return EXIT_FAILED
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
