"""The dashboard when its server does not answer, and without any server (DSH-10 to DSH-12)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from distributions import ROOT
from pages import Pages
from playwright.sync_api import Page, Request, expect
from screen import PANELS, Screen
from serving import NOW, ROOMY, Person, Server, row, start
from visits import (
    CUT,
    Answer,
    Requests,
    broken,
    cut,
    enter,
    forgiven,
    hide,
    kept,
    overloaded,
    settle,
    show,
    sign_in,
    unreachable,
)

BERLIN = "Europe/Berlin"
ALL = (*PANELS, "Devices", "Identity")
PAGES = {
    "/": ALL,
    "/leaderboard": ("Leaderboard", "Privacy"),
    "/devices": ("Devices",),
    "/settings": ("Privacy",),
}
"""Where there are panels, and which."""

NOTHING_KNOWN = "The server does not answer, and nothing is known from before."
ONLINE, DOWN = "Server online", "Server does not answer"

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def ada(server: Server) -> Person:
    """Who used 1,234,567 tokens this week, and 7 in all this month before that."""
    ada = server.sign_up("Ada")
    ada.link("laptop").send(
        row("2026-11-17T10:00:00Z", input=1_200_000, output=34_567),
        row("2026-11-03T10:00:00Z", input=7),
    )
    return ada


def figures(screen: Screen) -> dict[str, str]:
    """What each panel says, but for where that comes from."""
    bodies = {title: screen.panel(title).locator(".box-body") for title in ALL}
    return {title: body.inner_text() for title, body in bodies.items()}


def come_from(screen: Screen, source: str) -> None:
    """All panels of usage and activity say that their figures do."""
    for title in PANELS:
        expect(screen.panel(title).get_by_text("DATA_SOURCE:")).to_have_text(
            f"DATA_SOURCE: {source}"
        )


def are_cached(screen: Screen, *titles: str) -> None:
    """These panels say so, and since when."""
    for title in titles or ALL:
        panel = screen.panel(title)
        expect(panel.get_by_text("DATA_SOURCE: CACHE", exact=True)).to_be_visible()
        expect(panel.get_by_text("cached, last updated 13:00")).to_be_visible()


def have_nothing(screen: Screen, *titles: str) -> None:
    """These panels say that the server does not answer, and show no figure."""
    for title in titles:
        panel = screen.panel(title)
        expect(panel.get_by_role("alert")).to_contain_text(NOTHING_KNOWN)
        expect(panel.get_by_role("button")).to_have_text("Try again")
        assert not re.search(r"\d", panel.locator(".box-body").inner_text())


def probed(page: Page, seconds: int, *, answered: bool) -> None:
    """So much time passes, in which the page asks once whether the server is there."""
    outcome = "requestfinished" if answered else "requestfailed"
    with page.expect_event(outcome, is_probe):
        page.clock.fast_forward(seconds * 1000)
    settle(page)


def is_found_down_in_20_seconds(screen: Screen) -> None:
    """From now on, as soon as a panel has met nobody: after two probes that meet nobody."""
    page = screen.page
    expect(screen.panel("Models").get_by_text("DATA_SOURCE: CACHE")).to_be_visible()
    expect(screen.panel("Models")).to_have_attribute("aria-busy", "false")
    for _ in range(2):
        expect(page.get_by_text(ONLINE)).to_be_visible()
        probed(page, 10, answered=False)
    expect(page.get_by_text(DOWN)).to_be_visible()


def is_probe(request: Request) -> bool:
    return urlsplit(request.url).path == "/healthz"


@pytest.fixture
def week(ada: Person, new_page: NewPage) -> Screen:
    """Ada looks at her week in Berlin."""
    return looked_at(new_page(timezone_id=BERLIN), ada)


def looked_at(page: Page, person: Person, path: str = "/") -> Screen:
    screen = Screen(enter(page, person, path))
    screen.settle()
    come_from(screen, "EDGE")
    return screen


@pytest.mark.requirement("DSH-10", "DSH-11", "DSH-12")
def test_figures_outlast_the_server_and_come_back_with_it(
    tmp_path: Path, new_page: NewPage, complaints: list[str]
) -> None:
    with start(tmp_path, "", NOW, **ROOMY) as server:
        laptop = server.sign_up("Ada").link("laptop")
        laptop.send(row(input=1_234_567))
        screen = looked_at(new_page(timezone_id=BERLIN), laptop.owner)
        before = figures(screen)
        assert before["Core index"].startswith("1.2M")
    page, port = screen.page, urlsplit(server.url).port

    with forgiven(complaints, CUT):
        page.keyboard.press("r")
        is_found_down_in_20_seconds(screen)
        are_cached(screen)
        assert figures(screen) == before

    with start(tmp_path, "", NOW, **ROOMY, port=port) as server:
        laptop.owner.server.client = server.client
        laptop.send(row("2026-11-18T11:00:00Z", input=1))
        probed(page, 10, answered=True)
        expect(page.get_by_text(ONLINE)).to_be_visible()
        come_from(screen, "EDGE")
        assert screen.total == "1,234,568"


@pytest.mark.requirement("DSH-10", "DSH-11")
@pytest.mark.parametrize("answer", [unreachable, overloaded, broken])
def test_last_known_figures_are_there_after_a_reload(
    answer: Answer, week: Screen, complaints: list[str]
) -> None:
    before = figures(week)
    with forgiven(complaints, CUT, "status of 50"), cut(week.page, answer):
        week.page.reload()
        are_cached(week)
        assert figures(week) == before
        week.show("month")
        have_nothing(week, "Core index", "Trend", "Details", "Models", "Identity")
        are_cached(week, "Activity", "Devices")
    week.page.get_by_role("button", name="Try again").first.click()
    come_from(week, "EDGE")
    assert week.total == "1,234,574"


@pytest.mark.requirement("DSH-10")
def test_last_known_figures_are_those_of_the_same_time_zone(
    ada: Person, week: Screen, new_page: NewPage, complaints: list[str]
) -> None:
    """The browser of somebody who travels."""
    state = week.page.context.storage_state()
    for zone, is_same in ((BERLIN, True), ("Europe/Paris", False)):
        page = new_page(timezone_id=zone, storage_state=state)
        page.clock.install(time=NOW)
        with forgiven(complaints, CUT), cut(page):
            page.goto(ada.server.url)
            if is_same:
                are_cached(Screen(page))
            else:
                have_nothing(Screen(page), *ALL)


@pytest.mark.requirement("DSH-10")
def test_nobody_sees_what_was_last_known_of_somebody_else(
    server: Server, ada: Person, week: Screen, complaints: list[str]
) -> None:
    """Ada did not sign out of the browser in which Ben signs in."""
    page, ben = week.page, server.sign_up("Ben")
    sign_in(page.context, ben)
    with forgiven(complaints, CUT), cut(page, of=("**/functions/**",)):
        page.reload()
        expect(page.get_by_role("banner").get_by_role("link", name="Ben")).to_be_visible()
        have_nothing(week, *ALL)
        sign_in(page.context, ada)
        page.reload()
        expect(page.get_by_role("banner").get_by_role("link", name="Ada")).to_be_visible()
        are_cached(week)


@pytest.mark.requirement("DSH-10", "SRV-17")
def test_whoever_signs_out_leaves_nothing_behind(
    ada: Person, week: Screen, complaints: list[str]
) -> None:
    page = week.page
    assert ada.id in "".join(kept(page))
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
    assert kept(page) == {}
    assert not page.context.cookies()
    with forgiven(complaints, CUT), cut(page, of=("**/functions/**",)):
        sign_in(page.context, ada)
        page.reload()
        have_nothing(week, *ALL)


@pytest.mark.requirement("DSH-10", "SRV-17")
def test_whoever_cannot_sign_out_is_told_so(
    ada: Person, new_page: NewPage, complaints: list[str]
) -> None:
    page = enter(new_page(), ada, "/settings")
    expect(page.get_by_role("switch")).to_be_visible()
    account = page.get_by_role("region", name="Account")
    out = account.get_by_role("button", name="Sign out")
    with forgiven(complaints, CUT), cut(page):
        out.click()
        expect(account.get_by_role("alert")).to_contain_text("you are still signed in here")
        expect(account.get_by_text(f"Signed in as {ada.email}")).to_be_visible()
        assert {each["name"] for each in page.context.cookies()} >= {"vibescore_refresh"}
    out.click()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()


@pytest.mark.requirement("DSH-10", "DSH-12")
def test_a_page_that_begins_without_a_server_says_so_soon_and_finds_it_by_itself(
    week: Screen, complaints: list[str]
) -> None:
    page = week.page
    with forgiven(complaints, CUT), cut(page):
        page.reload()
        is_found_down_in_20_seconds(week)
        are_cached(week)
    probed(page, 10, answered=True)
    come_from(week, "EDGE")
    expect(page.get_by_text(ONLINE)).to_be_visible()


@pytest.mark.requirement("DSH-12", "SRV-17")
def test_who_is_signed_in_gets_in_as_soon_as_the_server_can_tell(
    ada: Person, new_page: NewPage, complaints: list[str]
) -> None:
    """In a browser that knows nothing of them but the session."""
    page = new_page()
    with forgiven(complaints, CUT), cut(page):
        enter(page, ada, "/devices")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    probed(page, 10, answered=True)
    expect(page.get_by_role("table", name="Devices")).to_be_visible()
    expect(page).to_have_url(f"{ada.server.url}/devices")


@pytest.mark.requirement("DSH-10", "DSH-11")
def test_one_question_that_fails_takes_no_other_panel_along(
    week: Screen, complaints: list[str]
) -> None:
    page, requests = week.page, Requests(week.page)
    before = figures(week)["Activity"]
    with (
        forgiven(complaints, "status of 503"),
        cut(page, overloaded, of=("**/functions/vibescore-usage-heatmap*",)),
    ):
        with page.expect_response(lambda its: its.status == 503):
            page.keyboard.press("r")
        are_cached(week, "Activity")
        assert week.panel("Activity").locator(".box-body").inner_text() == before
        for title in PANELS:
            if title != "Activity":
                expect(week.panel(title).get_by_text("DATA_SOURCE: EDGE")).to_be_visible()
        requests.taken()
    probed(page, 10, answered=True)
    come_from(week, "EDGE")
    assert requests.taken().count("GET /functions/vibescore-usage-heatmap") == 1


@pytest.mark.requirement("DSH-12")
def test_a_healthy_server_is_asked_more_and_more_seldom_and_one_that_failed_soon(
    server: Server, new_page: NewPage, complaints: list[str]
) -> None:
    page = new_page()
    page.clock.install(time=NOW)
    page.goto(server.url)
    requests, down = Requests(page), page.get_by_text("The server does not answer right now.")

    def is_asked_after(seconds: int, margin: int, *, answered: bool) -> None:
        page.clock.fast_forward((seconds - margin) * 1000)
        assert requests.taken() == []
        probed(page, margin, answered=answered)
        assert requests.taken() == ["GET /healthz"]

    for seconds in (120, 180, 240, 300, 300):
        is_asked_after(seconds, 30, answered=True)
    with forgiven(complaints, CUT), cut(page):
        is_asked_after(300, 30, answered=False)
        expect(down).to_be_hidden()
        is_asked_after(10, 6, answered=False)
        expect(down).to_be_visible()
        is_asked_after(10, 6, answered=False)
    is_asked_after(10, 6, answered=True)
    expect(down).to_be_hidden()
    is_asked_after(120, 30, answered=True)


@pytest.mark.requirement("DSH-12")
def test_a_page_asks_nothing_while_nobody_looks_and_at_once_when_somebody_does(
    week: Screen, ada: Person
) -> None:
    page, requests = week.page, Requests(week.page)
    hide(page)
    page.clock.fast_forward("59:00")
    page.clock.fast_forward("59:00")
    assert requests.taken() == []
    ada.server.set_clock("2026-11-18T13:58:00Z")
    with page.expect_event("requestfinished", is_probe):
        show(page)
    come_from(week, "EDGE")
    expect(week.panel("Activity").get_by_text("updated 14:58")).to_be_visible()
    assert "GET /functions/vibescore-usage-daily" in requests.taken()


@pytest.mark.requirement("DSH-10")
def test_a_page_that_cannot_be_loaded_says_so_and_offers_to_try_again(
    ada: Person, new_page: NewPage, complaints: list[str]
) -> None:
    """Before it is wanted the server went, or became another version."""
    page = new_page()
    with forgiven(complaints, CUT), cut(page, of=("**/assets/inside-*",)):
        enter(page, ada)
        expect(page.get_by_role("alert")).to_contain_text("This page could not be loaded.")
    page.get_by_role("button", name="Load again").click()
    come_from(Screen(page), "EDGE")


class Addresses:
    """What a browser asks for."""

    def __init__(self, page: Page) -> None:
        self._paths: set[str] = set()
        page.context.on("request", lambda its: self._paths.add(urlsplit(its.url).path))

    def answered_by_programs(self) -> set[str]:
        """Those that are no files of a built dashboard."""
        assert "/" in self._paths
        files = re.compile(r"/favicon\.svg|/assets/[^/]+")
        return {path for path in self._paths - {*PAGES} if not files.fullmatch(path)}


@pytest.mark.requirement("DSH-11")
def test_made_up_figures_are_called_so_on_every_page_and_need_no_request(
    server: Server, new_page: NewPage
) -> None:
    page = new_page()
    addresses = Addresses(page)
    for path, titles in PAGES.items():
        page.goto(f"{server.url}{path}?mock=1")
        for title in titles:
            expect(Screen(page).panel(title)).to_contain_text("DATA_SOURCE: MOCK")
    page.get_by_role("switch").check()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.click()
    Pages(page).sign_in("anybody@example.org")
    come_from(Screen(page), "MOCK")
    for period in ("day", "week", "month", "total"):
        Screen(page).show(period)
        come_from(Screen(page), "MOCK")
    assert addresses.answered_by_programs() == set()


@pytest.mark.requirement("DSH-11")
def test_made_up_figures_are_the_same_at_the_same_time(server: Server, page: Page) -> None:
    page.clock.set_fixed_time(NOW)

    def said(path: str) -> str:
        page.goto(f"{server.url}{path}")
        expect(page.get_by_text("DATA_SOURCE: MOCK").first).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        return page.get_by_role("main").inner_text()

    for path in ("/?mock=1&p=total", "/?mock=1&p=day", "/leaderboard?mock=1&p=month"):
        first = said(path)
        assert len(re.findall(r"\d[\d,.]+[KMB]?", first)) > 20
        assert said(path) == first


@pytest.mark.requirement("DSH-11")
def test_links_keep_to_made_up_figures_until_one_leads_out(
    server: Server, new_page: NewPage
) -> None:
    page = new_page()
    page.goto(f"{server.url}/?mock=1")
    for name in ("Leaderboard", "Devices", "Settings", "Dashboard"):
        link = page.get_by_role("link", name=name, exact=True)
        for how in ({"button": "middle"}, {"modifiers": ["ControlOrMeta"]}):
            with page.context.expect_page() as opened:
                link.click(**how)
            expect(opened.value).to_have_url(re.compile("[?&]mock=1"))
            expect(opened.value.get_by_text("DATA_SOURCE: MOCK").first).to_be_visible()
            opened.value.close()
        link.click()
        expect(page).to_have_url(re.compile("[?&]mock=1"))
    page.get_by_role("link", name="Month").click()
    expect(page).to_have_url(re.compile("p=month&mock=1"))
    page.get_by_role("link", name="Made-up figures: leave").click()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
    assert page.url == f"{server.url}/"


@pytest.mark.requirement("DSH-11")
def test_a_dashboard_can_be_built_that_has_made_up_figures_alone(
    mock_build: str, new_page: NewPage
) -> None:
    page = new_page()
    addresses = Addresses(page)
    page.goto(mock_build)
    for title in ALL:
        expect(Screen(page).panel(title)).to_contain_text("DATA_SOURCE: MOCK")
    expect(page.get_by_role("banner").get_by_text("Made-up figures", exact=True)).to_be_visible()
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(Screen(page).panel("Devices")).to_contain_text("DATA_SOURCE: MOCK")
    assert addresses.answered_by_programs() == set()


@pytest.fixture
def mock_build(server: Server, tmp_path: Path) -> Iterator[str]:
    """Where a dashboard is that was built with VITE_VIBESCORE_MOCK=1. Without ``server`` there may
    be nothing to build it with.
    """
    assert server.url
    words = (sys.executable, ROOT / "dashboard/make.py", "run", "build", "--")
    built = (*words, "--outDir", tmp_path, "--emptyOutDir", "--logLevel", "error")
    subprocess.run(built, env=os.environ | {"VITE_VIBESCORE_MOCK": "1"}, check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=tmp_path)) as files:
        thread = Thread(target=files.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{files.server_port}/"
        finally:
            files.shutdown()
            thread.join()


class Files(SimpleHTTPRequestHandler):
    """What was built, and nothing else."""

    def log_message(self, *_: object) -> None:
        """Nobody reads along."""
