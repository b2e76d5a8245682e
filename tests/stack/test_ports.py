"""A port that one process has picked is picked by no other, and whoever it was picked for can listen there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli.stack import spawn
from tests.support.needs import CHECKOUT

TAKES = """
import sys
from cli.stack import spawn
print(spawn.hold_port(int(sys.argv[1])))
"""
LISTENS = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from cli.stack import spawn

with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), BaseHTTPRequestHandler):
    print(spawn.port_is_free(int(sys.argv[1])))
"""


def refusal(program: str, port: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(port)], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="a port is held on Linux only")
def test_another_process_does_not_pick_a_port_that_is_picked_and_not_yet_listened_on() -> None:
    """Two stacks, or two workers of a test run, pick ports seconds before their processes listen."""
    assert refusal(TAKES, spawn.free_port()) == "False"


def test_a_process_listens_on_the_port_that_another_one_picked_for_it() -> None:
    assert refusal(LISTENS, spawn.free_port()) == "False"
