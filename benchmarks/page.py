"""The desk in headless Chromium: first rows, frames while 10,000 cases change, and a key press until it shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks import work
from benchmarks.figures import Figure
from chassis.runtime.clock import machine_now
from cli.desk import link
from cli.stack import Stack
from cli.stack.recipe import CONSOLE
from cli.stack.worlds import World
from tools.browser import WIDE, launched

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORLD, SERVICES = "bench-page", ["exceptions", "scorecard", CONSOLE]
CASES, PER_SECOND, SECONDS, KEYS, BATCH = 10_000, 50, 10, 40, 500
PAINT_MS_MAX, FRAMES_MIN, KEY_MS_MAX = 1_500, 30, 50
PATIENCE_MS = 20_000

# When the first row stands on the page, counted from the navigation.
FIRST_ROW = """
window.firstRow = undefined;
new MutationObserver((_, seen) => {
  if (document.querySelector(".case") === null) return;
  seen.disconnect();
  requestAnimationFrame(() => { window.firstRow = performance.now(); });
}).observe(document, { childList: true, subtree: true });
"""
FRAMES = """seconds => new Promise(resolve => {
  const list = document.querySelector(".list");
  const begun = performance.now();
  let frames = 0, longest = 0, last = begun;
  const next = now => {
    frames += 1;
    longest = Math.max(longest, now - last);
    last = now;
    list.scrollTop = (list.scrollTop + 24) % (list.scrollHeight - list.clientHeight);
    if (now - begun < seconds * 1000) requestAnimationFrame(next);
    else resolve([frames / seconds, longest]);
  };
  requestAnimationFrame(next);
})"""
# From the press until the frame after the selection moved.
LISTEN = """() => {
  window.pressed = []; window.shown = [];
  addEventListener("keydown", event => window.pressed.push(event.timeStamp), true);
  let last;
  new MutationObserver(() => {
    const selected = document.querySelector("[aria-selected=true]")?.id;
    if (selected === last) return;
    last = selected;
    requestAnimationFrame(() => setTimeout(() => window.shown.push(performance.now())));
  }).observe(document.querySelector("[role=grid]"), {
    attributeFilter: ["aria-selected"], childList: true, subtree: true,
  });
}"""


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Fill a world with open cases, change fifty a second, and look at the page."""
    from playwright.sync_api import sync_playwright

    world = stack.create_world(WORLD, services=SERVICES)
    try:
        ids = _fill(world)
        with sync_playwright() as playwright:
            browser = launched(playwright)
            page = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}).new_page()
            page.add_init_script(FIRST_ROW)
            yield from _looked_at(page, world, ids)
            browser.close()
    finally:
        stack.drop_world(WORLD)


def _looked_at(page: Page, world: World, ids: list[str]) -> Iterator[Figure]:
    page.goto(link(world.urls[CONSOLE], home=world.stack.home))
    page.wait_for_function("() => window.firstRow !== undefined", timeout=PATIENCE_MS)
    yield Figure("page.first_rows", page.evaluate("() => window.firstRow"), "ms", at_most=PAINT_MS_MAX)
    page.get_by_text(f"{CASES:,} cases", exact=False).wait_for(timeout=PATIENCE_MS)
    acting = threading.Thread(target=lambda: asyncio.run(_act(world, ids[: PER_SECOND * SECONDS])))
    acting.start()
    frames, longest = page.evaluate(FRAMES, SECONDS)
    acting.join()
    yield Figure("page.frames", frames, "/s", at_least=FRAMES_MIN)
    yield Figure("page.longest_frame", longest, "ms")
    page.evaluate(LISTEN)
    for _ in range(KEYS):
        before = page.evaluate("() => window.shown.length")
        page.keyboard.press("j")
        page.wait_for_function("before => window.shown.length > before", arg=before, timeout=PATIENCE_MS)
    pressed, shown = page.evaluate("() => [window.pressed, window.shown]")
    taken = [later - earlier for earlier, later in zip(pressed, shown, strict=False)]
    yield Figure("page.key_p95", work.percentile(taken, 0.95), "ms", at_most=KEY_MS_MAX)


def _fill(world: World) -> list[str]:
    """Bring in open cases by the door for foreign logs; returns their ids."""
    head = {"Authorization": f"Bearer {world.token('sre')}"}
    begun = machine_now() - timedelta(hours=1)
    ids: list[str] = []
    with httpx.Client(base_url=world.urls["exceptions"], headers=head, timeout=60) as http:
        for start in range(0, CASES, BATCH):
            items = [
                _item(number, (begun + timedelta(milliseconds=number)).isoformat())
                for number in range(start, start + BATCH)
            ]
            answer = http.post("/cases:import", json={"source": "bench", "items": items}).raise_for_status()
            ids += [result["id"] for result in answer.json()["results"]]
    return ids


def _item(number: int, at: str) -> dict[str, Any]:
    severity = ("low", "medium", "high", "critical")[number % 4]
    opened = {"kind": "opened", "occurred_at": at, "recorded_at": at}
    return {"key": f"B{number}", "headline": f"Truck B{number} comes late", "severity": severity, "facts": [opened]}


async def _act(world: World, ids: list[str]) -> None:
    """Acknowledge cases, so many a second."""
    head = {"Authorization": f"Bearer {world.token('planning-lead')}"}
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=world.urls["exceptions"], headers=head, timeout=60) as http:
        begun, acts = loop.time(), []
        for number, one in enumerate(ids):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - loop.time()))
            acts.append(asyncio.create_task(http.post(f"/cases/{one}/acknowledge", json={})))
        for answer in await asyncio.gather(*acts):
            answer.raise_for_status()
