"""The pages around the figures: signing up and in, linking, leaderboard, devices, settings."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from pages import Pages
from playwright.sync_api import Locator, Page, expect
from rows import rows_of
from screen import CELLS, Screen
from serving import NOW, PASSWORD, Machine, Person, Server, row, serving
from support import Computer
from test_linking import authorize, exchange_browser, poll, works
from test_pages import XSS
from visits import CUT, Requests, cut, enter, forgiven, kept
from waiting import Waiting

REFUSED = "status of 4"
UNKNOWN_CODE = "The code is unknown or has expired."
STATE = "a state & more=<1>"
IMAGE = "<img src=x onerror=alert(1)>"

SIGN_UP = {
    "email": "E-mail",
    "name": "Name, if you like",
    "password": "Password, 8 characters or more",
}
"""Fields of the form."""

ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "evil.example",
    "",
)
"""No pages of this server."""

FOREIGN = (
    "https://evil.example/callback",
    "http://evil.example/callback",
    "http://127.0.0.1.evil.example/",
    "http://127.0.0.1@evil.example/",
    "http://evil.example/127.0.0.1",
    "https://127.0.0.1:8000/",
    "//evil.example/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    XSS,
    "",
)
"""Where no program of this computer waits."""

NewPage = Callable[..., Page]


@pytest.fixture
def ada(server: Server) -> Person:
    """Somebody with an account."""
    server.set_clock(NOW)
    return server.sign_up("Ada")


def says(page: Page, words: str) -> None:
    """The page alerts its reader to that."""
    expect(page.get_by_role("alert")).to_have_text(words)


def address() -> str:
    return f"{uuid4().hex}@example.org"


@pytest.mark.requirement("DSH-16", "SRV-17")
def test_whoever_is_not_signed_in_finds_what_this_is_without_a_question_to_the_server(
    server: Server, page: Page
) -> None:
    requests = Requests(page)
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("link", name="Sign up").click()
    expect(page.get_by_role("heading", name="Sign up")).to_be_visible()
    assert requests.taken() == []
    assert kept(page) == {}


@pytest.mark.requirement("SRV-17")
def test_a_visitor_signs_up_after_what_was_wrong_was_said(
    server: Server, ada: Person, page: Page, complaints: list[str]
) -> None:
    requests, email = Requests(page), address()
    page.goto(f"{server.url}/sign-up?next=/devices")
    fields = {name: page.get_by_label(label, exact=True) for name, label in SIGN_UP.items()}

    def sign_up(**typed: str) -> None:
        for name, text in typed.items():
            fields[name].fill(text)
        page.get_by_role("button", name="Sign up").click()

    sign_up(email=ada.email, name="Ben <b>", password="seven77")
    assert fields["password"].evaluate("field => field.validity.tooShort")
    assert requests.taken() == []
    with forgiven(complaints, REFUSED):
        sign_up(password=PASSWORD)
        says(page, "Somebody signed up with this address.")
    sign_up(email=email)
    expect(page.get_by_text("No computer is linked yet.")).to_be_visible()
    expect(page.get_by_role("banner").get_by_role("link", name="Ben <b>")).to_be_visible()
    assert server.user(email).email == email


@pytest.mark.requirement("SRV-17")
def test_where_signing_up_is_closed_the_form_says_so(
    tmp_path: Path, page: Page, complaints: list[str]
) -> None:
    with serving(tmp_path, sign_up="false") as server, forgiven(complaints, REFUSED):
        page.goto(f"{server.url}/sign-in")
        Pages(page).sign_up(address())
        says(page, "Sign-up is closed here: ask whoever runs this server for an account.")


@pytest.mark.requirement("SRV-17")
def test_a_wrong_password_is_said_and_the_address_stays(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{ada.server.url}/sign-in")
    for email in (ada.email, address()):
        with forgiven(complaints, REFUSED):
            Pages(page).sign_in(email, "not the password")
            says(page, "E-mail or password is wrong.")
        expect(page.get_by_label("E-mail")).to_have_value(email)
    with forgiven(complaints, CUT), cut(page):
        Pages(page).sign_in(ada.email)
        says(page, "The server does not answer; try again.")
    page.get_by_label("E-mail").fill(ada.email.upper())
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your token usage")).to_be_attached()


@pytest.mark.requirement("SRV-17")
def test_signing_in_leads_to_pages_of_this_server_alone(ada: Person, page: Page) -> None:
    places = {
        "/leaderboard?p=month": "/leaderboard?p=month",
        "/?p=day": "/?p=day",
        "/nowhere": "/nowhere",
        **dict.fromkeys(ELSEWHERE, "/"),
    }
    for wanted, place in places.items():
        page.context.clear_cookies()
        page.goto(f"{ada.server.url}/sign-in?next={quote(wanted, safe='')}")
        Pages(page).sign_in(ada.email)
        expect(page).to_have_url(ada.server.url + place)


@pytest.mark.requirement("SRV-17")
def test_whoever_signs_in_is_led_back_to_where_they_were_going(ada: Person, page: Page) -> None:
    for place in ("/leaderboard?p=month", "/devices", "/settings", "/link?x=1"):
        page.context.clear_cookies()
        page.goto(ada.server.url)
        page.evaluate("() => localStorage.clear()")
        page.goto(ada.server.url + place)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_role("link", name="Sign up").click()
        page.get_by_role("link", name="Sign in").click()
        Pages(page).sign_in(ada.email)
        expect(page).to_have_url(ada.server.url + place)


def answers(page: Page) -> tuple[Locator, Locator]:
    """The two buttons."""
    approve, cancel = (page.get_by_role("button", name=its) for its in ("Approve", "Cancel"))
    expect(approve).to_be_enabled()
    return approve, cancel


def asks(page: Page, shown: dict[str, str]) -> None:
    """The page asks about a computer, in so many words."""
    terms, said = (page.get_by_role(its).all_inner_texts() for its in ("term", "definition"))
    always = {"It may": "send token counts; it cannot read your account"}
    assert dict(zip(terms, said, strict=True)) == shown | always


@pytest.mark.requirement("SRV-05", "DSH-14")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_program_that_opened_the_browser_gets_a_code_once_its_user_approves(
    host: str, ada: Person, page: Page
) -> None:
    with Waiting.at(host, name=XSS, state=STATE) as waiting:
        enter(page, ada, waiting.page)
        approve, _ = answers(page)
        expect(page.get_by_text(f"linked to the account of {ada.email}")).to_be_visible()
        place = waiting.redirect_uri.partition("?")[0]
        asks(page, {"Computer": XSS, "Platform": "windows", "Waits at": place})
        approve.click()
        expect(page).to_have_title("back")
        brought = waiting.brought()
    assert (brought.pop("from"), brought.pop("state")) == (["vibescore"], [STATE])
    ((code,),) = brought.values()
    assert works(ada, exchange_browser(ada.server, code))


@pytest.mark.requirement("SRV-05")
def test_a_program_that_opened_the_browser_is_told_that_its_user_refused(
    ada: Person, page: Page
) -> None:
    with Waiting.at("127.0.0.1", state=STATE) as waiting:
        enter(page, ada, waiting.page)
        _, cancel = answers(page)
        cancel.click()
        expect(page).to_have_title("back")
        brought = waiting.brought()
    assert brought == {"from": ["vibescore"], "state": [STATE], "error": ["access_denied"]}
    assert names(ada) == []


@pytest.mark.requirement("SRV-05")
def test_nothing_is_approved_for_a_program_on_another_computer(ada: Person, page: Page) -> None:
    enter(page, ada, "/settings")
    for redirect_uri in FOREIGN:
        page.goto(ada.server.url + Waiting(redirect_uri, "tower", STATE).page)
        says(page, "The address to answer to is not on this computer, so nothing can be approved.")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)


@pytest.mark.requirement("SRV-05")
def test_what_the_server_has_against_a_program_is_said(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    enter(page, ada, Waiting("http://ada@127.0.0.1/#x", "tower", STATE).page)
    approve, _ = answers(page)
    with forgiven(complaints, REFUSED):
        approve.click()
        expect(page.get_by_role("alert")).to_contain_text("loopback address")


@pytest.mark.requirement("SRV-05", "DSH-14")
def test_a_computer_that_shows_a_code_is_linked_once_its_user_approves(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    waiting = authorize(ada.server)
    enter(page, ada, "/link")
    with forgiven(complaints, REFUSED):
        Pages(page).enter_code("AAAA-AAAA")
        says(page, UNKNOWN_CODE)
    expect(page.get_by_label("Code that the computer shows")).to_have_value("AAAA-AAAA")
    typed = waiting["user_code"].replace("-", "").lower()
    Pages(page).enter_code(f" {typed} ")
    approve, _ = answers(page)
    asks(page, {"Computer": "build-box", "Platform": "linux", "Shows": typed})
    approve.click()
    Pages(page).expect_linked()
    assert works(ada, poll(ada.server, waiting["device_code"]))


@pytest.mark.requirement("SRV-05", "DSH-14")
def test_a_code_in_the_address_need_not_be_typed_and_may_be_turned_away(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    waiting = authorize(ada.server)
    place = urlsplit(waiting["verification_uri_complete"])
    enter(page, ada, f"{place.path}?{place.query}")
    _, cancel = answers(page)
    asks(page, {"Computer": "build-box", "Platform": "linux", "Shows": waiting["user_code"]})
    cancel.click()
    expect(page.get_by_text("Cancelled. build-box was not linked.")).to_be_visible()
    assert poll(ada.server, waiting["device_code"]).json["error"] == "access_denied"
    with forgiven(complaints, REFUSED):
        page.reload()
        says(page, UNKNOWN_CODE)
    expect(page.get_by_label("Code that the computer shows")).to_have_value(waiting["user_code"])


@pytest.mark.requirement("DSH-01", "SRV-20")
def test_whatever_people_and_programs_call_things_is_text(server: Server, page: Page) -> None:
    """An image would be asked for and not be found, which the browser complains of."""
    email = f"<img/src=x/onerror=alert(1)>{address()}"
    server.set_clock(NOW)
    eve = server.sign_up(XSS, email)
    eve.post("leaderboard-settings", leaderboard_public=True)
    eve.link(XSS).send(row(model=IMAGE, source="<b>", input=10**15))
    body = {"device_name": XSS, "platform": IMAGE}
    code = server.post("device-authorize", json=body).json["user_code"]
    shown = {
        "/?p=total": (XSS, IMAGE, "<b>"),
        "/leaderboard": (XSS,),
        "/devices": (XSS,),
        "/settings": (XSS, f"Signed in as {email}"),
        f"/link?user_code={code}": (XSS, IMAGE, email),
    }
    enter(page, eve)
    for path, texts in shown.items():
        page.goto(server.url + path)
        for text in texts:
            expect(page.get_by_text(text).filter(visible=True).first).to_be_visible()
        expect(page.locator("img, b")).to_have_count(0)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with 24 users, of whom 19 used something today, and Grace most."""
    with serving(tmp_path_factory.mktemp("crowd")) as server:
        for place in range(24):
            person = server.sign_up("Grace" if place == 0 else "Somebody")
            at = "2026-11-18T10:00:00Z" if place < 19 else "2026-11-02T10:00:00Z"
            person.link().send(row(at, input=1000 - place))
            if place == 0:
                person.post("leaderboard-settings", leaderboard_public=True)
        yield server


@pytest.fixture
def last(crowd: Server) -> Person:
    """Somebody who used least."""
    last = crowd.sign_up("Ada")
    last.link().send(row(input=1))
    return last


def places(page: Page) -> list[list[str]]:
    """The rows of the leaderboard."""
    expect(page.get_by_role("table", name="Leaderboard")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found: list[list[str]] = page.get_by_role("table", name="Leaderboard").evaluate(CELLS)
    return found


@pytest.mark.requirement("DSH-14")
def test_ones_own_place_on_the_board_is_always_there(last: Person, page: Page) -> None:
    enter(page, last, "/leaderboard?p=day")
    mine = page.locator("[aria-current=true]")
    board, pager = Screen(page).panel("Leaderboard"), page.get_by_text("Page 1")
    expect(board).to_contain_text("2026-11-18 – 2026-11-18 UTC")
    today = places(page)
    assert today[0] == ["1", "Grace", "1,000"]
    assert today[1] == ["2", "Anonymous", "999"]
    assert (len(today), today[-1]) == (20, ["20", "Anonymous (you)", "1"])
    expect(pager).to_be_hidden()

    page.keyboard.press("m")
    expect(board).to_contain_text("2026-11-01 – 2026-11-30 UTC")
    ranks = [[str(rank), "Anonymous", str(1001 - rank)] for rank in range(2, 21)]
    assert places(page) == [today[0], *ranks, ["25", "You", "1"]]
    expect(mine).to_have_count(1)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    assert places(page)[-2:] == [["24", "Anonymous", "977"], ["25", "Anonymous (you)", "1"]]
    expect(mine).to_have_count(1)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()

    page.get_by_role("link", name="Total").click()
    expect(board).to_contain_text("2026-11-02 – 2026-11-18 UTC")
    expect(pager).to_be_visible()
    assert places(page)[-1] == ["25", "You", "1"]


@pytest.mark.requirement("DSH-14")
def test_whoever_used_nothing_is_there_too_without_a_rank(crowd: Server, page: Page) -> None:
    enter(page, crowd.sign_up(), "/leaderboard")
    expect(Screen(page).panel("Leaderboard")).to_contain_text("2026-11-15 – 2026-11-21 UTC")
    assert places(page)[-1] == ["–", "You", "0"]


@pytest.mark.requirement("SRV-16", "DSH-14")
def test_the_privacy_switch_takes_effect_on_the_board_at_once(
    ada: Person, page: Page, complaints: list[str]
) -> None:
    tokens = 10**17
    ada.link().send(row(input=tokens))
    other = ada.server.sign_up()
    enter(page, ada, "/leaderboard")
    first, switch = page.get_by_role("row").nth(1), page.get_by_role("switch")

    def others_see(name: str) -> None:
        entry = other.get("leaderboard").json["entries"][0]
        assert (entry["display_name"], entry["total_tokens"]) == (name, str(tokens))

    expect(first).to_contain_text("Anonymous (you)")
    switch.check()
    expect(first).to_contain_text("Ada (you)")
    others_see("Ada")
    page.get_by_role("link", name="Settings").click()
    expect(switch).to_be_checked()
    with forgiven(complaints, CUT), cut(page):
        switch.click()
        expect(page.get_by_text("That could not be saved; try again.")).to_be_visible()
        expect(switch).to_be_checked()
        others_see("Ada")
    switch.uncheck()
    others_see("Anonymous")
    page.get_by_role("link", name="Leaderboard").click()
    expect(first).to_contain_text("Anonymous (you)")


@pytest.fixture
def laptop(ada: Person) -> Machine:
    """Ada's laptop, which has just sent something."""
    laptop = ada.link("laptop")
    laptop.send(row(input=7))
    return laptop


def names(person: Person) -> list[str]:
    """What a person's devices are called."""
    return sorted(each["device_name"] for each in person.get("devices").json["devices"])


@pytest.mark.requirement("DSH-14")
def test_a_device_says_when_it_last_sent_and_can_be_renamed(
    laptop: Machine, new_page: NewPage, complaints: list[str]
) -> None:
    ada = laptop.owner
    ada.link("tower")
    page = enter(new_page(timezone_id="Asia/Kathmandu"), ada, "/devices")
    expect(page.get_by_role("row", name="laptop")).to_contain_text("2026-11-18 17:45")
    expect(page.get_by_role("row", name="tower")).to_contain_text("never")
    name = page.get_by_label("New name")

    def rename(to: str, press: str) -> None:
        page.get_by_role("button", name="Rename laptop").click()
        expect(name).to_be_focused()
        name.fill(to)
        page.keyboard.press(press)

    rename("not this", "Escape")
    expect(name).to_be_hidden()
    assert names(ada) == ["laptop", "tower"], "nothing was saved"
    with forgiven(complaints, CUT), cut(page):
        rename("desk", "Enter")
        expect(page.get_by_role("row", name="desk").get_by_role("alert")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Rename desk")).to_be_visible()
    assert names(ada) == ["desk", "tower"]


@pytest.mark.requirement("DSH-14")
def test_a_device_is_revoked_after_a_question(laptop: Machine, page: Page) -> None:
    enter(page, laptop.owner, "/devices")
    revoke, question = page.get_by_role("button", name="Revoke laptop"), page.get_by_role("dialog")
    for keep in (question.get_by_role("button", name="Keep it").click, escape(page)):
        revoke.click()
        expect(question).to_contain_text("laptop will not be able to send anything")
        keep()
        expect(question).to_be_hidden()
    assert laptop.post("sync-ping").status == 200
    revoke.click()
    question.get_by_role("button", name="Revoke", exact=True).click()
    expect(question).to_be_hidden()
    expect(page.get_by_role("row", name="laptop")).to_contain_text("revoked 2026-11-18")
    expect(revoke).to_be_hidden()
    assert laptop.post("sync-ping").status == 401


def escape(page: Page) -> Callable[[], None]:
    return lambda: page.keyboard.press("Escape")


@pytest.mark.requirement("DSH-14", "SRV-05")
def test_a_code_that_is_made_here_links_the_computer_on_which_it_is_typed(
    ada: Person, new_page: NewPage, tmp_path: Path
) -> None:
    page = enter(new_page(timezone_id="Europe/Berlin"), ada, "/devices")
    page.get_by_role("button", name="Make a code").click()
    expect(page.get_by_text("Good for one use, until 2026-11-18 13:10")).to_be_visible()
    (command,) = [each for each in page.locator("code").all_inner_texts() if "--link-code" in each]
    program, *words = shlex.split(command)
    assert program == "vibescore"
    ran = Computer(tmp_path).program(
        *words, "--yes", "--runtime=this", "--no-notify", "--device-name=workshop"
    )
    assert (ran.code, ran.errors) == (0, ""), ran
    page.keyboard.press("r")
    expect(page.get_by_role("row", name="workshop")).to_be_visible()
    assert names(ada) == ["workshop"]


@pytest.mark.requirement("SRV-19")
def test_an_export_is_a_file_with_all_own_data(laptop: Machine, page: Page) -> None:
    ada = laptop.owner
    enter(page, ada, "/settings")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Export").click()
    file = downloading.value
    assert file.suggested_filename == "vibescore-export.jsonl"
    lines = file.path().read_text("utf-8").splitlines()
    assert lines == ada.get("export").text.splitlines()
    assert {json.loads(line)["type"] for line in lines} == {"user", "settings", "device", "usage"}


@pytest.mark.requirement("SRV-19")
def test_an_account_goes_with_its_password_and_everything_with_it(
    laptop: Machine, page: Page, complaints: list[str]
) -> None:
    ada = laptop.owner
    enter(page, ada, "/settings")
    delete, dialog = page.get_by_role("button", name="Delete account"), page.get_by_role("dialog")
    delete.click()
    dialog.get_by_role("button", name="Keep my account").click()
    expect(dialog).to_be_hidden()
    delete.click()
    password = dialog.get_by_label("Password")
    with forgiven(complaints, REFUSED):
        password.fill("not the password")
        page.keyboard.press("Enter")
        says(page, "The password is wrong.")
    assert rows_of(ada.server, ada.id)["user"]
    password.fill(PASSWORD)
    dialog.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
    assert not any(rows_of(ada.server, ada.id).values())
    assert kept(page) == {}
    page.reload()
    expect(page.get_by_role("heading", name="Every token counted")).to_be_visible()
