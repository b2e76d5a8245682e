"""The desk in a real browser, on a world with everything: a page per reader, and whatever the browser complained about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.desk import local_secret
from tests.journeys.conftest import Journey, whole  # noqa: F401 — the world of the journeys
from tests.support.needs import leave_out
from tools import browser as browser_

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MS = 60_000

try:
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)  # its own 5 s are missed by a busy machine; bars are said where they are
except ImportError:  # `make desk` installs it; without it the fixture `browser` leaves each test out by name
    expect = None

WEB = Path(__file__).resolve().parents[2] / "console" / "web"
WIDE, NARROW = ({"width": width, "height": height} for width, height in (browser_.WIDE, browser_.NARROW))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, where it, Playwright and the built pages are; else the test is left out by name."""
    if browser_.program() is None:
        leave_out("no Chromium on this machine")
    if not (WEB / "dist" / "index.html").is_file():
        leave_out("the pages are not built: `make desk` builds them, with Node")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        leave_out("Playwright is not installed: `make desk` installs it")
    with sync_playwright() as playwright:
        opened = browser_.launched(playwright)
        yield opened
        opened.close()


@dataclass
class Desk:
    """Readers of one world's desk."""

    journey: Journey
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of complaints that a test provokes."""

    @property
    def url(self) -> str:
        return self.journey.world.urls["console"]

    def link(self, role: str, to: str = "/", **claims: Any) -> str:
        """Return a one-use login link."""
        head = local_secret(self.journey.world.stack.home)
        answer = self.journey.http.post(f"{self.url}/issuer/ticket", json={"as": role, **claims}, headers=head)
        assert answer.is_success, answer.text
        return f"{self.url}/login?ticket={answer.json()['ticket']}&to={to}"

    def page(
        self,
        role: str = "planning-lead",
        to: str = "/",
        *,
        size: dict[str, int] = WIDE,
        scheme: str = "light",
        **claims: Any,
    ) -> Page:
        """Open a page of a browser of its own, as a reader."""
        context = self.browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on(
            "console", lambda message: self._complain(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.goto(self.link(role, to, **claims))
        return page

    def _complain(self, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.complaints.append(text)

    def a_case(self, *, days: int = 4, value: str = "90000") -> dict[str, Any]:
        """Let a truck come late; return its case, with both tasks."""
        shipment = self.journey.a_truck(value=value)
        assert self.journey.late(shipment, days=days).is_success
        return self.journey.case_of(shipment, state="open")


@pytest.fixture
def desk(browser: Browser, whole: Journey) -> Iterator[Desk]:  # noqa: F811 — the fixture that was imported
    """A desk whose browsers are closed after the test; a complaint that was not expected fails it."""
    made = Desk(whole, browser)
    yield made
    for context in list(browser.contexts):
        context.close()
    assert made.complaints == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page, str], None]:
    """Return what asks axe for findings of level serious or critical."""
    source = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        leave_out("axe-core is not installed: `make desk` installs it, with Node")
    script = source.read_text(encoding="utf-8")

    def check_accessibility(page: Page, where: str) -> None:
        page.evaluate(script)
        answer = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        grave = [
            f"{where}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes'][:3]]}"
            for one in answer["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert grave == []

    return check_accessibility
