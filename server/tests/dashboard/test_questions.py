"""Periods, and what a dashboard asks its server for them: each question once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from screen import Asked, Questions, Screen
from serving import NOW, Person, Server
from stored import rows_before

ZONE = {"tz": "Europe/Berlin"}
TODAY = "2026-11-18"
"""A Wednesday, and 13:00 in Berlin."""

FROM = {"day": TODAY, "week": "2026-11-16", "month": "2026-11-01", "total": "2024-12-01"}
YEAR = {"weeks": "52", "week_starts_on": "mon", "to": TODAY, **ZONE}
ALWAYS = [Asked("devices", {}), Asked("usage-heatmap", YEAR)]
"""Whatever the period: when the page opens, and at each refresh."""

Look = Callable[..., Screen]


def of_period(period: str) -> list[Asked]:
    """All that the figures of a period need."""
    days = {"from": FROM[period], "to": TODAY, **ZONE}
    daily, everything = Asked("usage-daily", days), Asked("usage-summary", days)
    own = {
        "day": [daily, Asked("usage-hourly", {"day": TODAY, **ZONE})],
        "week": [daily],
        "month": [daily],
        "total": [everything, Asked("usage-monthly", {"months": "24", "to": TODAY, **ZONE})],
    }
    board = Asked("leaderboard", {"period": period, "limit": "1", "offset": "0"})
    return [*own[period], Asked("usage-model-breakdown", days), board]


def once(*asked: Asked) -> list[Asked]:
    return sorted(asked, key=lambda each: each.question)


@pytest.fixture(scope="module")
def ada(server: Server) -> Person:
    """She has been there for long: the days of a period stand on the page once."""
    server.set_clock("2026-01-05T12:00:00Z")
    ada = server.sign_up("Ada")
    server.set_clock(NOW)
    ada = server.sign_in(ada)
    ada.link().send(*rows_before(NOW, days=60, count=60))
    return ada


@pytest.mark.requirement("DSH-06", "DSH-09")
def test_every_question_is_asked_once_per_window_and_refresh(ada: Person, look: Look) -> None:
    screen = look(ada)
    questions = Questions(screen.page)
    screen.page.reload()
    screen.settle()
    assert questions.taken() == once(Asked("/api/auth/refresh", {}), *of_period("week"), *ALWAYS)
    seen: dict[str, str] = {}
    for period in ("month", "day", "total", "week", "day", "month", "week", "total"):
        screen.show(period)
        assert questions.taken() == once(*of_period(period))
        figures = screen.page.locator("main").inner_text()
        assert seen.setdefault(period, figures) == figures
    refresh = screen.page.get_by_role("button", name="Refresh")
    for period in ("week", "month", "total", "day"):
        screen.show(period)
        questions.taken()
        with screen.refreshed():
            screen.page.keyboard.press("r")
        assert questions.taken() == once(*of_period(period), *ALWAYS)
        with screen.refreshed():
            refresh.click()
        assert questions.taken() == once(*of_period(period), *ALWAYS)


@pytest.mark.requirement("DSH-09")
def test_a_second_tab_asks_for_itself_alone(ada: Person, look: Look) -> None:
    first = look(ada, "day")
    questions = Questions(first.page)
    second = Screen(first.page.context.new_page())
    second.page.clock.set_fixed_time(NOW)
    of_second = Questions(second.page)
    second.page.goto(f"{ada.server.url}/?p=day")
    second.settle()
    assert of_second.taken() == once(Asked("/api/auth/refresh", {}), *of_period("day"), *ALWAYS)
    with second.refreshed():
        second.page.keyboard.press("r")
    first.page.bring_to_front()
    first.show("week")
    assert of_second.taken() == once(*of_period("day"), *ALWAYS)
    assert [each for each in questions.taken() if each.question != "/healthz"] == once(
        *of_period("week")
    )


@pytest.mark.requirement("DSH-09", "DSH-10")
def test_another_page_and_back_asks_once_more(ada: Person, look: Look) -> None:
    screen = look(ada)
    questions = Questions(screen.page)
    pages = screen.page.get_by_role("navigation", name="Pages")
    with screen.page.expect_response("**/functions/vibescore-devices"):
        pages.get_by_role("link", name="Devices").click()
    expect(screen.page.get_by_role("rowheader", name="laptop")).to_be_visible()
    assert questions.taken() == [Asked("devices", {})]
    pages.get_by_role("link", name="Dashboard").click()
    screen.settle()
    assert questions.taken() == once(*of_period("week"), *ALWAYS)


@pytest.mark.requirement("DSH-06")
def test_periods_are_links_with_addresses_and_have_keys(ada: Person, look: Look) -> None:
    screen = look(ada)
    page = screen.page
    for period in ("day", "week", "month", "total"):
        expect(screen.tab(period)).to_have_attribute("href", f"/?p={period}")
        screen.tab(period).click()
        is_shown(screen, period)
    for period in ("month", "total", "day", "week"):
        page.keyboard.press(period[0])
        is_shown(screen, period)
    page.keyboard.press("Control+m")
    page.keyboard.press("x")
    is_shown(screen, "week")
    page.goto(f"{ada.server.url}/?p=month")
    is_shown(screen, "month")
    for address in ("/", "/?p=year", "/?p=toString"):
        page.goto(ada.server.url + address)
        screen.settle()
        expect(screen.tab("week")).to_have_attribute("aria-current", "page")


def is_shown(screen: Screen, period: str) -> None:
    """By its address, its tab alone, and its days; there is nothing to pick days with."""
    screen.settle()
    expect(screen.page).to_have_url(re.compile(rf"/\?p={period}$"))
    current = {each: screen.tab(each).get_attribute("aria-current") for each in FROM}
    assert current == {**dict.fromkeys(FROM), period: "page"}
    expect(screen.page.get_by_text(days_of(period), exact=True)).to_be_visible()
    expect(screen.page.locator("input, select, [role=grid]")).to_have_count(0)


def days_of(period: str) -> str:
    return TODAY if period == "day" else f"{FROM[period]} – {TODAY}"


@pytest.mark.requirement("DSH-06")
def test_going_back_leads_through_the_periods_that_were_clicked(ada: Person, look: Look) -> None:
    screen = look(ada)
    for period in ("day", "total"):
        screen.tab(period).click()
        is_shown(screen, period)
    screen.page.go_back()
    is_shown(screen, "day")
    screen.page.go_back()
    is_shown(screen, "week")
    screen.page.go_forward()
    is_shown(screen, "day")


@pytest.mark.requirement("DSH-06")
def test_a_week_begins_on_monday(ada: Person, look: Look) -> None:
    screen = look(ada, at="2026-11-22T12:00:00Z")
    for now, days in (
        ("2026-11-22T22:30:00Z", "2026-11-16 – 2026-11-22"),
        ("2026-11-22T23:30:00Z", "2026-11-23"),
        ("2026-11-24T12:00:00Z", "2026-11-23 – 2026-11-24"),
        ("2026-12-01T12:00:00Z", "2026-11-30 – 2026-12-01"),
    ):
        ada.server.set_clock(now)
        screen.page.clock.set_fixed_time(now)
        with screen.refreshed():
            screen.page.keyboard.press("r")
        expect(screen.page.get_by_text(days, exact=True)).to_be_visible()


@pytest.mark.requirement("DSH-06", "DSH-08", "DSH-09")
def test_the_next_day_is_there_with_the_next_refresh(ada: Person, look: Look) -> None:
    screen = look(ada, "day", at="2026-11-18T22:50:00Z")
    assert screen.rows()[0][0] == "23:00"
    questions = Questions(screen.page)
    ada.server.set_clock("2026-11-18T23:10:00Z")
    screen.page.clock.set_fixed_time("2026-11-18T23:10:00Z")
    with screen.refreshed():
        screen.page.keyboard.press("r")
    asked = questions.taken()
    assert [each.question for each in asked].count("usage-hourly") == 1
    days = {each.params.get("to", each.params.get("day")) for each in asked} - {None}
    assert days == {"2026-11-19"}
    expect(screen.page.get_by_text("2026-11-19", exact=True)).to_be_visible()
    assert [when for when, *_ in screen.all_rows()] == ["00:00"]
