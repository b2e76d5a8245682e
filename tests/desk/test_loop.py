"""The whole loop by people: a case arrives, is understood, answered, decided, told, handed over, verified and measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.desk.conftest import Desk, expect
from tests.support.service import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _row(page: Page, case_id: str) -> object:
    return page.locator(f"#case-{case_id}")


def _closed(desk: Desk, case_id: str) -> None:
    """The service and the page say the same: verified, and how long it took."""
    case = desk.journey.get("exceptions", f"/cases/{case_id}")
    assert (case["state"], case["ending"]) == ("closed", "verified")

    def decision_us() -> int | None:
        """Return nothing until the scorecard has heard that the case is implemented."""
        answer = desk.journey.get_once("scorecard", f"/velocity/cases/{case_id}")
        recomputed = answer.json()["recomputed"] if answer is not None and answer.is_success else None
        return recomputed and recomputed["decision_us"]

    assert wait_until(decision_us) > 0


def test_with_the_mouse(desk: Desk) -> None:
    page = desk.page()
    expect(page.get_by_text("World", exact=False).first).to_contain_text(desk.journey.world.name)
    case = desk.a_case()
    row = page.locator(f"#case-{case['case_id']}")
    expect(row).to_be_visible()  # it arrived by itself
    row.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(case["headline"])
    expect(page.get_by_role("region", name="Impact").get_by_text("90,000.00 USD")).to_be_visible()

    page.get_by_role("button", name="Hand over: Sales").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To", exact=True).select_option("logistics")
    dialog.get_by_role("button", name="Hand over").click()
    expect(dialog.get_by_text("this is needed")).to_be_visible()  # field by field, before anything is sent
    dialog.get_by_label("What they need to know").fill("the driver knows the new day")
    dialog.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("offered to Logistics")).to_be_visible()
    logistics = desk.page("logistics", "/function")
    logistics.get_by_text("the driver knows the new day").wait_for()
    logistics.get_by_role("button", name="Give back").first.click()
    logistics.get_by_role("dialog").get_by_label("Reason").fill("only sales may write to them")
    logistics.get_by_role("dialog").get_by_role("button", name="Give back").click()
    expect(page.get_by_text("offered to Logistics")).to_have_count(0)

    for name in ("Sales", "Procurement"):
        page.get_by_role("button", name=f"Commit: {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Commit").click()
        expect(page.get_by_role("button", name=f"Commit: {name}")).to_be_visible()
    expect(page.get_by_role("region", name="Tasks").get_by_text("committed", exact=True)).to_have_count(2)

    page.get_by_role("button", name=re.compile("^Choose bolt")).click()
    page.get_by_role("dialog").get_by_label("Why this one").fill("dearer, and in time")
    page.get_by_role("dialog").get_by_role("button", name="Choose").click()
    expect(page.get_by_role("region", name="Options").get_by_text("chosen: bolt")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.get_by_role("region", name="Promises").get_by_text("sent", exact=True)).to_be_visible()

    page.get_by_role("button", name="Verify").click()
    page.get_by_role("dialog").get_by_label("What came of it").fill("told in time")
    page.get_by_role("dialog").get_by_role("button", name="Verify").click()
    expect(page.get_by_text("closed, verified")).to_be_visible()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline.get_by_text("Verified and closed: told in time")).to_be_visible()
    timeline.get_by_role("button", name=re.compile("Case opened")).click()
    expect(timeline.get_by_text("logistics.shipment.delayed.v1")).to_be_visible()  # why, back to the signal
    _closed(desk, case["case_id"])


def test_with_the_keyboard_alone(desk: Desk) -> None:
    page = desk.page()
    case = desk.a_case(value="200000")
    expect(page.locator(f"#case-{case['case_id']}")).to_be_visible()
    keys = page.keyboard
    keys.press("/")
    keys.type(case["case_id"])
    keys.press("Enter")
    expect(page.get_by_text("1 case", exact=True)).to_be_visible()
    keys.press("j")
    expect(page.locator(f"#case-{case['case_id']}")).to_be_focused()
    keys.press("a")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    keys.press("t")
    expect(page.get_by_role("button", name="Take")).to_have_count(0)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(case["headline"])
    for place in range(2):
        keys.press("c")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        if place == 1:  # the second of the tasks that are asked for
            keys.press("Shift+Tab")
            keys.press("ArrowDown")
            keys.press("Tab")
        keys.press("Enter")
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("region", name="Tasks").get_by_text("committed", exact=True)).to_have_count(place + 1)
    _press(page, re.compile("^Choose bolt"))
    keys.type("dearer, and in time")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("region", name="Options").get_by_text("chosen: bolt")).to_be_visible()
    _press(page, re.compile("^Approve"))
    expect(page.get_by_role("region", name="Promises").get_by_text("sent", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Verify")).to_be_visible()
    page.locator("body").press("v")
    keys.type("told in time")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_text("closed, verified")).to_be_visible()
    keys.press("g")
    keys.press("v")
    expect(page).to_have_url(re.compile("/velocity$"))
    _closed(desk, case["case_id"])


def _press(page: Page, name: re.Pattern[str]) -> None:
    """Reach a button by Tab and press it by Enter, as somebody without a mouse does."""
    button = page.get_by_role("button", name=name).first
    button.wait_for()
    for _ in range(80):
        if button.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name.pattern} cannot be reached by Tab")
