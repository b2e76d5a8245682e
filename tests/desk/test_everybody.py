"""Screens for everybody: no grave finding of axe in any screen, state and theme; narrow, magnified; nothing the policy forbids."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.desk.conftest import NARROW, WEB, Desk, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

Axe = Callable[["Page", str], None]
THEMES = ("light", "dark")
MAGNIFIED = {"width": 640, "height": 400}  # 1280 × 800 at 200 %
# What stands out of the page to the right and is in nothing that scrolls by itself.
TOO_WIDE = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [`by ${document.documentElement.scrollWidth - document.documentElement.clientWidth} pixels`, ...[...document.querySelectorAll("main *")]
    .filter(one => !one.parentElement.closest(".scroll") && one.getBoundingClientRect().right > innerWidth)
    .map(one => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 80)}`)]"""
STANDS_OUT = """() => [...document.querySelectorAll(".case > *")]
  .filter(one => one.scrollWidth > one.clientWidth).map(one => `${one.textContent}: ${one.scrollWidth} in ${one.clientWidth}`)"""
SCREENS = ("/", "/function", "/velocity", "/planning", "/system", "/nowhere")


@pytest.fixture
def full(desk: Desk) -> str:
    """A case with something in each of its parts; returns its address."""
    case = desk.a_case()
    found = desk.journey.task(case, "notify-customers")
    desk.journey.did("exceptions", f"/cases/{case['case_id']}/take", {}, "logistics")
    desk.journey.commit(found, "sales")
    note = {"to_function": "logistics", "note": "they know the driver"}
    desk.journey.did("exceptions", f"/tasks/{found['task_id']}/hand-over", note, "sales")
    return f"/cases/{case['case_id']}"


def test_nothing_in_a_row_of_the_stream_stands_out_of_its_column(desk: Desk) -> None:
    case = desk.a_case()
    for name, role in (("notify-customers", "sales"), ("find-alternative-source", "procurement")):
        desk.journey.commit(desk.journey.task(case, name), role, within=timedelta(days=3))
    desk.journey.did("exceptions", f"/cases/{case['case_id']}/acknowledge", {}, "logistics")
    page = desk.page()
    expect(page.get_by_text("Procurement committed").first).to_be_visible()
    expect(page.get_by_text("UTC").first).to_be_visible()
    assert page.evaluate(STANDS_OUT) == []


@pytest.mark.parametrize("theme", THEMES)
def test_no_screen_has_a_grave_finding(desk: Desk, axe: Axe, full: str, theme: str) -> None:
    page = desk.page(scheme=theme)
    for path in (*SCREENS, full, "/function/logistics"):
        page.goto(desk.url + path)
        expect(page.get_by_text("Loading …")).to_have_count(0)
        expect(page.get_by_role("main")).to_be_visible()
        axe(page, f"{theme} {path}")


@pytest.mark.parametrize("theme", THEMES)
def test_no_state_has_a_grave_finding(desk: Desk, axe: Axe, full: str, theme: str) -> None:
    desk.expected = ("Failed to load resource", "401", "403", "422")
    page = desk.page(scheme=theme)
    page.get_by_role("row").nth(1).click()
    axe(page, f"{theme} a row is selected")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    axe(page, f"{theme} the keys")
    page.keyboard.press("Escape")
    page.goto(desk.url + "/?q=nothing-is-called-so")
    expect(page.get_by_text("No case fits this view")).to_be_visible()
    axe(page, f"{theme} empty")
    page.goto(desk.url + full)
    page.get_by_role("button", name="Pause the clock").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause the clock").click()
    expect(page.get_by_text("this is needed")).to_be_visible()
    axe(page, f"{theme} a form lacks something")
    elsewhere = desk.page("sales", full, sites=["Elsewhere"], scheme=theme)
    expect(elsewhere.get_by_role("alert")).to_be_visible()
    axe(elsewhere, f"{theme} forbidden")
    page.goto(desk.url + "/cases/nothing")
    expect(page.get_by_role("heading", name="There is nothing at this address.")).to_be_visible()
    axe(page, f"{theme} nowhere")
    page.context.clear_cookies()
    page.goto(desk.url)
    expect(page.get_by_text("crossdock desk --world", exact=False)).to_be_visible()
    axe(page, f"{theme} login")


@pytest.mark.parametrize("size", [NARROW, MAGNIFIED], ids=["390 pixels", "200 %"])
def test_nothing_is_cut_off_where_there_is_little_room(desk: Desk, full: str, size: dict[str, int]) -> None:
    page = desk.page(size=size)
    for path in (*SCREENS, full):
        page.goto(desk.url + path)
        expect(page.get_by_text("Loading …")).to_have_count(0)
        assert page.evaluate(TOO_WIDE) == [], path


def test_reduced_motion_is_respected(desk: Desk) -> None:
    page = desk.page()
    moving = page.evaluate(
        "() => [...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration.split(', ').some(d => d !== '0s')).length"
    )
    assert moving == 0


def test_pages_come_with_a_policy_without_anything_inline(desk: Desk) -> None:
    """A violation would be a complaint of the browser, and each test fails on those; here the header itself."""
    answer = desk.journey.http.get(desk.url, headers={"Accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


def test_a_first_screen_is_light(desk: Desk) -> None:
    """At most 250 kB compressed for the first screen."""
    page = (WEB / "dist" / "index.html").read_text(encoding="utf-8")
    assets = [path for path in (WEB / "dist" / "assets").iterdir() if path.name in page]
    assert assets
    assert sum(len(gzip.compress(path.read_bytes())) for path in assets) <= 250_000
