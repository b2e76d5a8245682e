"""The live screen: one thread follows the stream, the other asks again for the cases that it named, and draws."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.live import Live

from chassis.runtime.clock import machine_now
from cli.client import Client
from cli.commands.lookup import all_pages
from cli.errors import CommandFailed, Unreachable
from cli.live.board import Board
from cli.live.events import parse_events
from cli.stack.recipe import CONSOLE

DRAWS_PER_SECOND = 4
ASK_MAX = 100
BACK_OFF_SECONDS = 0.5
CASES_MAX = 20_000
LINES_BESIDE = 6  # of the screen, for figures, heads and foot


class Screen:
    """Follows one world until Ctrl-C."""

    def __init__(self, client: Client, stream_query: Mapping[str, Any], narrowed: Mapping[str, Any]) -> None:
        self._client, self._stream_query, self._narrowed = client, stream_query, narrowed
        self.board = Board(client.world)
        self._dirty: set[str] = set()
        self._failure: Exception | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()

    def run(self, console: Console) -> None:
        """Draw until Ctrl-C; raises what makes following impossible, such as a login that ended."""
        following = threading.Thread(target=self._follow, daemon=True)
        following.start()
        self._load()
        with (
            Live(console=console, refresh_per_second=DRAWS_PER_SECOND, auto_refresh=False, screen=True) as live,
            suppress(KeyboardInterrupt),
        ):
            while not self._over.is_set():
                self._ask_again()
                rows = max(1, console.height - LINES_BESIDE)
                drawn = self.board.drawn(now=machine_now(), monotonic=time.monotonic(), rows=rows, width=console.width)
                live.update(drawn, refresh=True)
                self._over.wait(1 / DRAWS_PER_SECOND)
        self._over.set()
        if self._failure is not None:
            raise self._failure

    def _load(self) -> None:
        query = {"state": "open", **self._narrowed}
        self.board.keep(all_pages(self._client, "exceptions", "/cases", query, most=CASES_MAX))

    def _ask_again(self) -> None:
        with self._lock:
            ids = sorted(self._dirty)[:ASK_MAX]
            self._dirty -= set(ids)
        if not ids:
            return
        try:
            page = self._client.get("exceptions", "/cases", {"case_id": ids, "limit": ASK_MAX, **self._narrowed})
        except CommandFailed:
            with self._lock:
                self._dirty |= set(ids)  # the foot tells that nothing is heard; what is dirty is asked for again
            return
        self.board.keep(page["items"], ids)

    def _follow(self) -> None:
        last = "now"
        while not self._over.is_set():
            try:
                with self._client.stream(
                    CONSOLE, "/stream", params={**self._stream_query, "from": last}, headers={}
                ) as answer:
                    for identity, fact in parse_events(answer.iter_lines()):
                        last, self.board.last_event_at = identity or last, time.monotonic()
                        if fact is not None:
                            with self._lock:
                                self._dirty.add(str(fact["data"]["case_id"]))
            except Unreachable as failure:
                self.board.lost = str(failure)
            except CommandFailed as failure:
                self._failure = failure
                self._over.set()
                return
            self._over.wait(BACK_OFF_SECONDS)
