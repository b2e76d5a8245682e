"""Two people, a silent service, an ended session, a link that is not for its reader: nothing is lost, nobody is misled."""

from __future__ import annotations

import re

import pytest

from tests.desk.conftest import Desk, expect


@pytest.mark.timing
def test_two_people_on_one_case_see_each_other_and_overwrite_nothing(desk: Desk) -> None:
    case = desk.a_case()
    first = desk.page("logistics", f"/cases/{case['case_id']}", name="ama")
    second = desk.page("procurement", f"/cases/{case['case_id']}", name="kofi")
    expect(second.get_by_role("heading", level=1)).to_have_text(case["headline"])
    second.route(
        "**/api/exceptions/cases/**",
        lambda route: route.abort() if route.request.method == "GET" else route.continue_(),
    )
    desk.expected = ("Failed to load resource", "net::ERR_FAILED")  # one whose page does not hear in time
    first.get_by_role("button", name="Take").click()
    expect(first.get_by_text("held by ama")).to_be_visible()
    second.get_by_role("button", name="Take").click()
    refused = second.get_by_role("alert").filter(has_text="acted on this case")
    expect(refused).to_contain_text("ama: Taken")
    assert desk.journey.get("exceptions", f"/cases/{case['case_id']}")["owner"]["subject"] == "ama"
    second.unroute_all()
    refused.get_by_role("button", name="Take all the same").click()
    expect(first.get_by_text("held by kofi")).to_be_visible(timeout=3_000)


@pytest.mark.timing
def test_a_service_that_is_down_is_told_the_form_keeps_its_text_and_all_goes_on_without_a_reload(desk: Desk) -> None:
    case = desk.a_case()
    page = desk.page("planning-lead", f"/cases/{case['case_id']}")
    page.get_by_role("button", name="Decide").click()
    text = page.get_by_role("dialog").get_by_label("The way out")
    text.fill("wait for the truck")
    desk.expected = ("Failed to load resource", "502", "503")
    world = desk.journey.world
    stopped = [name for name in world.processes if name.startswith("exceptions")]
    for name in stopped:
        world.stop(name)
    try:
        expect(page.get_by_text("exceptions does not answer", exact=False)).to_be_visible(timeout=5_000)
        expect(text).to_have_value("wait for the truck")
    finally:
        for name in stopped:
            world.start(name)
    for name in stopped:
        world.wait_until_ready(name)
    expect(page.get_by_text("does not answer", exact=False)).to_have_count(0)
    expect(text).to_have_value("wait for the truck")
    page.get_by_role("dialog").get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decided: wait for the truck").first).to_be_visible()


@pytest.mark.timing
def test_a_stream_that_breaks_off_is_told_and_goes_on_without_gap(desk: Desk) -> None:
    page = desk.page()
    desk.expected = ("Failed to load resource", "net::ERR")
    expect(page.get_by_role("banner")).to_have_count(0)
    before = desk.journey.world.pid("console")
    desk.journey.world.stop("console")
    try:
        expect(page.get_by_text("The live stream broke off", exact=False)).to_be_visible(timeout=5_000)
        case = desk.a_case()  # nobody heard of it
    finally:
        desk.journey.world.start("console")
    desk.journey.world.wait_until_ready("console", after_pid=before)
    expect(page.get_by_text("The live stream broke off", exact=False)).to_have_count(0, timeout=15_000)
    expect(page.locator(f"#case-{case['case_id']}")).to_be_visible()


def test_a_session_that_ends_while_a_form_is_open_loses_no_word(desk: Desk) -> None:
    case = desk.a_case()
    page = desk.page("planning-lead", f"/cases/{case['case_id']}")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("dialog").get_by_label("The way out").fill("by air, half of it")
    desk.expected = ("Failed to load resource", "401")
    page.context.clear_cookies()
    page.get_by_role("dialog").get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Your session ended", exact=False)).to_be_visible()
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("dialog").get_by_text("crossdock desk --world", exact=False)).to_be_visible()
    page.goto(desk.link("planning-lead", f"/cases/{case['case_id']}"))  # the link that the command prints
    expect(page).to_have_url(re.compile(f"/cases/{case['case_id']}$"))
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("dialog").get_by_label("The way out")).to_have_value("by air, half of it")


def test_a_link_to_a_case_that_is_not_for_its_reader_says_so(desk: Desk) -> None:
    case = desk.a_case()
    desk.expected = ("403",)
    page = desk.page("sales", f"/cases/{case['case_id']}", sites=["Elsewhere"])
    expect(page.get_by_role("alert")).to_contain_text("not yours to see")
    expect(page.get_by_text(case["headline"])).to_have_count(0)


def test_rows_do_not_jump_while_somebody_is_in_the_list(desk: Desk) -> None:
    desk.a_case()
    page = desk.page()
    page.get_by_role("grid").hover()
    first = page.get_by_role("row").nth(1).get_attribute("id")
    case = desk.a_case(value="9000000")  # it belongs to the top
    page.get_by_role("button", name="1 new").wait_for()
    assert page.get_by_role("row").nth(1).get_attribute("id") == first
    page.get_by_role("button", name="1 new").click()
    expect(page.locator(f"#case-{case['case_id']}")).to_be_visible()


def test_what_a_reader_may_not_see_is_told_as_masked(desk: Desk) -> None:
    case = desk.a_case()
    page = desk.page("sales", f"/cases/{case['case_id']}")
    options = page.get_by_role("region", name="Options", exact=True)
    expect(options.locator(".masked").first).to_have_attribute("title", re.compile("procurement"))
    assert "9.00 USD" not in page.content()
