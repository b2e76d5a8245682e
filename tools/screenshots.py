"""Make the pictures of docs/desk.md from a small simulated world: `python -m tools.screenshots [--all FOLDER]`.

It starts a stack of its own, delays shipments, lets simulated people answer some, and captures each screen. `--all`
captures every screen in light and dark, empty and full, 1280 and 390 pixels wide. Needs what `make desk` needs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from cli import simulated
from cli.desk import link
from cli.output import progress
from cli.stack import Stack
from cli.stack.recipe import CONSOLE
from cli.stack.worlds import World
from tools.browser import NARROW, WIDE, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "desk"
SCREENS = {
    "stream": "/",
    "function": "/function/sales",
    "velocity": "/velocity",
    "planning": "/planning",
    "system": "/system",
}
DELAYS, DELAYS_FULL = 14, 120


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every screen, theme, state and width")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory(prefix="xd-shots-") as home,
        progress("Pictures", quiet=False) as report,
        Stack.start(Path(home), report=report) as stack,
        sync_playwright() as playwright,
    ):
        browser = launched(playwright)
        world = stack.create_world("demo")
        if given.all is not None:
            _every(browser, world, given.all, "empty")
        _traffic(world, DELAYS)
        if given.all is None:
            DOCS.mkdir(parents=True, exist_ok=True)
            _shoot(browser, world, DOCS, "light", WIDE)
        else:
            _every(browser, world, given.all, "typical")
            _traffic(world, DELAYS_FULL)
            _every(browser, world, given.all, "full")
        browser.close()
    return 0


def _traffic(world: World, cases: int) -> None:
    with simulated.begin(world, "traffic", "--every", "0", "--cases", str(cases), "--seed", "5") as traffic:
        traffic.communicate()
    if traffic.returncode:
        raise RuntimeError("the simulated traffic broke; what it said stands above")


def _every(browser: Browser, world: World, folder: Path, state: str) -> None:
    for theme in ("light", "dark"):
        for size in (WIDE, NARROW):
            place = folder / f"{state}-{theme}-{size[0]}"
            place.mkdir(parents=True, exist_ok=True)
            _shoot(browser, world, place, theme, size)


def _shoot(browser: Browser, world: World, folder: Path, theme: Any, size: tuple[int, int]) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(link(world.urls[CONSOLE], "sre", home=world.stack.home))
    _capture(page, world.urls[CONSOLE] + "/system", folder / "system.png")
    page.goto(link(world.urls[CONSOLE], home=world.stack.home))
    for name, path in {**SCREENS, **_case(world)}.items():
        if name != "system":
            _capture(page, world.urls[CONSOLE] + path, folder / f"{name}.png")
    context.close()


def _capture(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    page.get_by_role("main").wait_for()
    from playwright.sync_api import expect

    expect(page.get_by_text("Loading …")).to_have_count(0)
    if address.endswith("/velocity"):
        page.get_by_text("Where the time goes").or_(page.get_by_text("No case was measured yet")).first.wait_for()
    page.screenshot(path=file)


def _case(world: World) -> dict[str, str]:
    """Return the address of a case with something in each of its parts, if there is one."""
    head = {"Authorization": f"Bearer {world.token('planning-lead')}"}
    found = httpx.get(f"{world.urls['exceptions']}/cases", headers=head, params={"cause_kind": "shipment-delay"}).json()
    cases = sorted(found["items"], key=lambda case: -sum(task["state"] == "committed" for task in case["tasks"]))
    return {"case": f"/cases/{cases[0]['case_id']}"} if cases else {}


if __name__ == "__main__":
    sys.exit(main())
