"""A session in the browser: it goes on by itself, ends in plain sight, and is one for all tabs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from pages import Pages
from playwright.sync_api import Page, expect
from screen import PANELS, Screen
from serving import NOW, Person, Server, row
from visits import Requests, enter, forgiven, hide, kept, show

REFRESH = "POST /api/auth/refresh"
ENDED = "Your session has ended."
REFUSED = "status of 401"
AFTER_THE_ACCESS_TOKEN = "2026-11-18T12:16:00Z"

NewPage = Callable[..., Page]


@pytest.fixture
def ada(server: Server) -> Person:
    """Somebody who used a little today."""
    server.set_clock(NOW)
    ada = server.sign_up("Ada")
    ada.link("laptop").send(row(input=1_234))
    return ada


@pytest.fixture
def page(ada: Person, new_page: NewPage) -> Page:
    """Ada's dashboard, with all its answers."""
    return answered(enter(new_page(), ada))


def answered(page: Page, source: str = "EDGE") -> Page:
    """A page whose panels of usage all have figures, which come from there."""
    for title in PANELS:
        expect(Screen(page).panel(title).get_by_text("DATA_SOURCE:")).to_have_text(
            f"DATA_SOURCE: {source}"
        )
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page


def end_sessions(person: Person) -> str:
    """Give somebody another password, as whoever runs the server does; it ends every session, and
    the access tokens of now are over. Answers the password.
    """
    password = "another battery staple"
    words = ("user", "reset-password", person.email, "--password-stdin")
    done = person.server.command(*words, stdin=f"{password}\n")
    assert done.returncode == 0, done.stderr
    person.server.set_clock(AFTER_THE_ACCESS_TOKEN)
    return password


@pytest.mark.requirement("SRV-17", "DSH-09")
def test_an_access_token_that_ran_out_is_renewed_once_for_all_panels(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    """The clock of the computer did not say so: the server has to."""
    requests = Requests(page, re.compile("auth"))
    ada.server.set_clock(AFTER_THE_ACCESS_TOKEN)
    with forgiven(complaints, REFUSED):
        with page.expect_response("**/api/auth/refresh"):
            page.keyboard.press("r")
        answered(page)
    assert requests.taken() == [REFRESH]
    expect(page.get_by_text(ENDED)).to_be_hidden()


@pytest.mark.requirement("SRV-17")
def test_a_page_that_stays_open_renews_its_access_token_before_it_asks(
    ada: Person, page: Page
) -> None:
    """Nothing is refused on the way, or the browser would complain."""
    requests = Requests(page)
    ada.server.set_clock(AFTER_THE_ACCESS_TOKEN)
    with page.expect_response("**/functions/vibescore-usage-heatmap*"):
        page.clock.fast_forward("16:00")
    answered(page)
    asked = [each for each in requests.taken() if each != "GET /healthz"]
    assert (asked[0], asked.count(REFRESH)) == (REFRESH, 1)
    assert len(asked) == 6


@pytest.mark.requirement("SRV-17")
def test_a_token_is_nowhere_but_in_a_cookie_that_no_script_reads(
    ada: Person, new_page: NewPage
) -> None:
    page = new_page()
    page.goto(f"{ada.server.url}/sign-in")
    with page.expect_response("**/api/auth/sessions") as answer:
        Pages(page).sign_in(ada.email)
    access = answer.value.json()["accessToken"]
    answered(page)
    cookies = {each["name"]: each for each in page.context.cookies()}
    refresh = cookies["vibescore_refresh"]
    assert (refresh["httpOnly"], refresh["sameSite"]) == (True, "Lax")
    seen = page.evaluate("() => [{ ...sessionStorage }, document.cookie, history.state]")
    told = json.dumps([kept(page), seen]) + page.content()
    assert access not in told
    assert refresh["value"] not in told


@pytest.mark.requirement("SRV-17", "DSH-10")
def test_a_session_that_was_ended_leaves_the_figures_and_leads_back_to_them(
    ada: Person, new_page: NewPage, complaints: list[str]
) -> None:
    page = answered(enter(new_page(), ada, "/?p=month"))
    total = Screen(page).total
    password = end_sessions(ada)
    with forgiven(complaints, REFUSED):
        page.keyboard.press("r")
        expect(page.get_by_role("alert")).to_contain_text(ENDED)
        answered(page, "CACHE")
        assert Screen(page).total == total
        page.reload()
        answered(page, "CACHE")
    requests = Requests(page)
    page.keyboard.press("r")
    assert requests.taken() == []
    page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    expect(page.get_by_text(ENDED)).to_be_hidden()
    Pages(page).sign_in(ada.email, password)
    answered(page)
    expect(Screen(page).tab("month")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text(ENDED)).to_be_hidden()


@pytest.mark.requirement("SRV-17")
def test_what_needs_a_session_that_was_ended_says_so(
    ada: Person, new_page: NewPage, complaints: list[str]
) -> None:
    page = enter(new_page(), ada, "/devices")
    expect(page.get_by_role("table", name="Devices")).to_be_visible()
    end_sessions(ada)
    with forgiven(complaints, REFUSED):
        page.get_by_role("button", name="Make a code").click()
        expect(page.get_by_text("Your session has ended: sign in again.")).to_be_visible()
        expect(page.get_by_text(f"{ENDED} What you see is what was last known.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="laptop")).to_be_visible()


@pytest.mark.requirement("SRV-17")
def test_whoever_signs_in_again_in_one_tab_goes_on_in_the_others(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    password = end_sessions(ada)
    with forgiven(complaints, REFUSED):
        page.keyboard.press("r")
        expect(page.get_by_role("alert")).to_contain_text(ENDED)
        hide(page)
    other = page.context.new_page()
    other.goto(f"{ada.server.url}/sign-in")
    Pages(other).sign_in(ada.email, password)
    answered(other)
    show(page)
    answered(page)
    expect(page.get_by_text(ENDED)).to_be_hidden()


@pytest.mark.requirement("SRV-17")
def test_tabs_that_are_loaded_at_once_keep_their_session(ada: Person, page: Page) -> None:
    """As when a browser restores them: each renews, and a refresh token holds only once."""
    tabs = [page, *(page.context.new_page() for _ in range(3))]
    for tab in tabs[1:]:
        tab.goto(ada.server.url)
        answered(tab)
    renewals = [Requests(tab, re.compile("refresh")) for tab in tabs]
    for _ in range(2):
        with ExitStack() as loaded:
            for tab in tabs:
                loaded.enter_context(tab.expect_event("load"))
                tab.evaluate("() => { location.reload(); }")
        for tab, renewal in zip(tabs, renewals, strict=True):
            answered(tab)
            assert renewal.taken() == [REFRESH]
    for tab in tabs:
        expect(tab.get_by_text(ENDED)).to_be_hidden()
        with tab.expect_response("**/functions/vibescore-usage-heatmap*") as asked:
            tab.keyboard.press("r")
        assert asked.value.ok


@pytest.mark.requirement("SRV-17")
def test_a_page_that_is_loaded_again_in_a_hurry_keeps_its_session(ada: Person, page: Page) -> None:
    """The answer with the next refresh token is still on its way."""
    for _ in range(6):
        page.goto(ada.server.url, wait_until="commit")
    answered(page)
    page.reload()
    answered(page)
    expect(page.get_by_text(ENDED)).to_be_hidden()


@pytest.mark.requirement("SRV-17", "DSH-10")
def test_whoever_signs_out_in_one_tab_is_out_in_all(ada: Person, page: Page) -> None:
    other = page.context.new_page()
    other.goto(f"{ada.server.url}/settings")
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
    requests = Requests(page)
    page.keyboard.press("r")
    assert requests.taken() == []
    assert (kept(page), page.context.cookies()) == ({}, [])


@pytest.mark.requirement("SRV-17")
def test_whoever_is_signed_in_has_nothing_to_do_with_the_forms(ada: Person, page: Page) -> None:
    for form in ("sign-in", "sign-up"):
        page.goto(f"{ada.server.url}/{form}?next=/devices%3Fx=1")
        expect(page.get_by_role("table", name="Devices")).to_be_visible()
        expect(page).to_have_url(f"{ada.server.url}/devices?x=1")


@pytest.mark.requirement("SRV-17")
def test_whoever_signed_in_on_another_page_of_the_server_is_in(
    ada: Person, new_page: NewPage
) -> None:
    page = new_page()
    page.goto(f"{ada.server.url}/sign-in?plain=1")
    Pages(page).sign_in(ada.email)
    page.get_by_role("link", name="The dashboard").click()
    answered(page)


@pytest.mark.requirement("SRV-17")
def test_a_browser_without_cookies_is_told_what_is_wrong(ada: Person, new_page: NewPage) -> None:
    page = new_page()
    protocol = page.context.new_cdp_session(page)
    protocol.send("Emulation.setDocumentCookieDisabled", {"disabled": True})
    page.goto(f"{ada.server.url}/sign-in")
    Pages(page).sign_in(ada.email)
    expect(page.get_by_role("alert")).to_contain_text("keeps no cookies")
