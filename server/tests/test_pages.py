"""Plain pages: signing up and in, and saying yes to a computer, without script (SRV-05, SRV-17)."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import pytest
from browsing import Browser, Page, browsing
from serving import PASSWORD, Server
from test_linking import CHALLENGE, authorize, exchange_browser, poll, refusal

XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;${name}$$"
CSP = (
    "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HOME = "/?plain=1"
SIGN_UP = "/sign-up?plain=1"
ASKED = {
    "redirect_uri": "http://127.0.0.1:53682/callback",
    "state": "af0ifjsldkj",
    "code_challenge": CHALLENGE,
    "device_name": "tower",
    "platform": "windows",
}


@pytest.fixture
def browser(server: Server) -> Iterator[Browser]:
    """A browser that nobody is signed in with."""
    with browsing(server) as browser:
        yield browser


@pytest.fixture
def ada(browser: Browser) -> Browser:
    """A browser in which somebody is signed in."""
    assert browser.sign_up(address()).status == 303
    return browser


def address() -> str:
    return f"{uuid4().hex}@example.org"


def devices_of(browser: Browser) -> int:
    """How many devices the signed-in person has."""
    csrf = browser.client.cookies["vibescore_csrf"]
    refreshed = browser.client.post("/api/auth/refresh", headers={"X-CSRF-Token": csrf}).json()
    listed = browser.server.get("devices", token=refreshed["accessToken"])
    return len(listed.json["devices"])


def goes_to(page: Page) -> str:
    """Where the browser goes on its own after a page."""
    seconds, _, url = page.headers["Refresh"].partition("; url=")
    assert seconds == "0"
    assert url in page.links
    return url


@pytest.mark.requirement("SRV-17")
def test_signing_up_out_and_in_again(browser: Browser) -> None:
    email = address()

    assert browser.sign_up(email, name="Ada").headers["Location"] == HOME
    home = browser.get("/")
    assert f"Signed in as {email}" in home.text
    assert browser.send(home, "/sign-out").headers["Location"] == HOME
    assert "Signed in" not in browser.get("/").text
    assert not browser.client.cookies
    form = browser.get("/sign-in")
    assert browser.send(form, "/sign-in", email=email, password=PASSWORD).status == 303
    assert f"Signed in as {email}" in browser.get("/").text
    assert browser.get("/sign-in").status == 303


@pytest.mark.requirement("SRV-17")
def test_signing_out_ends_the_session_itself(ada: Browser) -> None:
    copied = dict(ada.client.cookies)
    ada.send(ada.get("/"), "/sign-out")
    ada.client.cookies.update(copied)

    assert "Signed in" not in ada.get("/").text


@pytest.mark.requirement("SRV-17")
def test_looking_at_pages_leaves_the_session_as_it_is(ada: Browser) -> None:
    before = dict(ada.client.cookies)
    for path in ("/", "/link", "/sign-in"):
        ada.get(path)

    assert dict(ada.client.cookies) == before
    assert devices_of(ada) == 0


@pytest.mark.requirement("SRV-17", "SRV-20")
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    answer = browser.sign_up(address())

    (session,) = [
        line for line in answer.headers.get_list("set-cookie") if "vibescore_refresh" in line
    ]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in session.split(";")}


@pytest.mark.requirement("SRV-17")
def test_a_wrong_password_and_an_unknown_address_look_the_same(browser: Browser) -> None:
    email = address()
    browser.sign_up(email)
    browser.client.cookies.clear()
    form = browser.get("/sign-in")

    wrong = browser.send(form, "/sign-in", email=email, password="not the one")
    unknown = browser.send(form, "/sign-in", email=address(), password="not the one")
    assert wrong.status == unknown.status == 401
    assert "E-mail or password is wrong." in wrong.text
    assert wrong.text == unknown.text
    assert wrong.form("/sign-in").fields["email"] == email
    assert wrong.form("/sign-in").fields["password"] == ""


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "typed, status, said",
    [
        ({"email": "nobody"}, 400, "email"),
        ({"email": ""}, 400, "email"),
        ({"password": "short"}, 400, "password"),
        ({"name": "x" * 129}, 400, "name"),
    ],
)
def test_what_is_typed_wrongly_can_be_mended(
    browser: Browser, typed: dict[str, str], status: int, said: str
) -> None:
    right = {"email": address(), "name": "Ada", "password": PASSWORD}
    page = browser.send(browser.get("/sign-up", next="/link"), "/sign-up", **(right | typed))

    assert page.status == status
    assert said in page.text
    entered = page.form("/sign-up").fields
    assert entered["email"] == (right | typed)["email"]
    assert (entered["next"], entered["password"]) == ("/link", "")


@pytest.mark.requirement("SRV-17")
def test_an_address_is_signed_up_once(browser: Browser) -> None:
    email = address()
    browser.sign_up(email)

    again = browser.sign_up(email.upper())
    assert again.status == 409
    assert "Somebody signed up with this address." in again.text


@pytest.mark.requirement("SRV-17")
def test_sign_up_that_is_closed_says_so(fresh_server: Callable[..., Server]) -> None:
    with browsing(fresh_server(sign_up="false")) as browser:
        page = browser.get("/sign-up")
        fields = {"email": address(), "password": PASSWORD}
        refused = browser.post("/sign-up", fields)

        assert "Sign-up is closed here" in page.text
        assert page.forms == []
        assert SIGN_UP not in browser.get("/").links
        assert refused.status == 403
        assert "Sign-up is closed here" in refused.text


@pytest.mark.requirement("SRV-17")
def test_on_loopback_the_first_user_may_sign_up_and_the_next_may_not(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(sign_up=None)
    with browsing(server) as first, browsing(server) as second:
        assert SIGN_UP in second.get("/").links
        assert first.sign_up(address()).status == 303
        assert SIGN_UP not in second.get("/").links
        assert "Sign-up is closed here" in second.get("/sign-up").text


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "place",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "\\\\elsewhere.example/",
        "/\t/elsewhere.example/",
        "javascript:alert(1)",
        "link",
        "/a\r\nSet-Cookie: a=b",
        " /link",
        "/é",
    ],
)
def test_signing_in_leads_to_no_other_site(browser: Browser, place: str) -> None:
    form = browser.get("/sign-up", next=place)
    assert form.form("/sign-up").fields["next"] == "/"

    typed = {"email": address(), "password": PASSWORD, "next": place}
    assert browser.send(form, "/sign-up", **typed).headers["Location"] == HOME
    assert browser.get("/sign-in", next=place).headers["Location"] == HOME


@pytest.mark.requirement("SRV-05", "SRV-17")
def test_whoever_has_to_sign_in_first_comes_back_to_the_question(browser: Browser) -> None:
    question = f"/link?{urlencode(ASKED)}&plain=1"
    sent_away = browser.get(question)
    assert sent_away.status == 303
    form = browser.get(sent_away.headers["Location"])
    other = browser.get(next(link for link in form.links if link.startswith("/sign-up")))

    typed = {"email": address(), "password": PASSWORD}
    assert browser.send(other, "/sign-up", **typed).headers["Location"] == question
    assert "tower" in browser.get(question).text


@pytest.mark.requirement("SRV-05")
def test_approving_takes_a_code_back_to_the_computer(ada: Browser) -> None:
    question = ada.get("/link", **ASKED)
    for words in (
        "Signed in as",
        "Computer tower",
        "Platform windows",
        "Goes back to http://127.0.0.1:53682/callback",
        "send token counts; it cannot read your account",
    ):
        assert words in question.text
    assert question.form("/link").buttons == ["approve", "cancel"]

    answer = ada.send(question, "/link", answer="approve")
    assert answer.status == 200
    told = parse_qs(urlsplit(goes_to(answer)).query)
    assert told["state"] == ["af0ifjsldkj"]
    assert exchange_browser(ada.server, told["code"][0]).status == 200
    assert devices_of(ada) == 1


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize("answer", ["cancel", ""])
def test_cancelling_tells_the_computer_and_promises_nothing(ada: Browser, answer: str) -> None:
    asked = ASKED | {"redirect_uri": "http://[::1]:9/cb?a=1"}
    left = ada.send(ada.get("/link", **asked), "/link", answer=answer)

    assert goes_to(left) == "http://[::1]:9/cb?a=1&error=access_denied&state=af0ifjsldkj"
    assert devices_of(ada) == 0


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "http://elsewhere.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"code_challenge": "x"},
        {"code_challenge_method": "plain"},
        {"device_name": ""},
        {"platform": "x" * 33},
    ],
)
def test_a_question_that_is_not_well_formed_is_not_asked(
    ada: Browser, wrong: dict[str, str]
) -> None:
    page = ada.get("/link", **(ASKED | wrong))
    sent = ada.send(ada.get("/link", **ASKED), "/link", answer="approve", **wrong)

    for refused in (page, sent):
        assert refused.status == 400
        assert next(iter(wrong)) in refused.text
        assert refused.forms == []
        assert "Refresh" not in refused.headers


@pytest.mark.requirement("SRV-05")
def test_a_code_that_a_computer_shows_is_typed_and_approved(ada: Browser) -> None:
    shown = authorize(ada.server)
    typed = shown["user_code"].lower().replace("-", " ")

    question = ada.send(ada.get("/link"), "/link", user_code=typed)
    assert "Computer build-box" in question.text
    assert refusal(poll(ada.server, shown["device_code"])) == (400, "authorization_pending")
    answer = ada.send(question, "/link", answer="approve")
    assert answer.status == 200
    assert "build-box is being linked" in answer.text
    assert poll(ada.server, shown["device_code"]).status == 200
    assert devices_of(ada) == 1


@pytest.mark.requirement("SRV-05")
def test_the_whole_address_that_a_computer_shows_asks_at_once(ada: Browser) -> None:
    shown = authorize(ada.server)
    question = ada.get(shown["verification_uri_complete"])

    assert shown["user_code"] in question.text
    denied = ada.send(question, "/link", answer="cancel")
    assert "build-box gets no access" in denied.text
    assert refusal(poll(ada.server, shown["device_code"])) == (400, "access_denied")
    again = ada.send(question, "/link", answer="approve")
    assert again.status == 400
    assert "The code is unknown or has expired." in again.text


@pytest.mark.requirement("SRV-05")
def test_a_code_that_nobody_shows_can_be_typed_again(ada: Browser) -> None:
    page = ada.get("/link", user_code="AAAA-AAAA")

    assert page.status == 400
    assert "The code is unknown or has expired." in page.text
    assert page.form("/link").fields["user_code"] == "AAAA-AAAA"


@pytest.mark.requirement("SRV-05", "SRV-20")
def test_codes_cannot_be_guessed_on_the_page(fresh_server: Callable[..., Server]) -> None:
    with browsing(fresh_server(link_per_minute=3)) as ada:
        ada.sign_up(address())
        pages = [ada.get("/link", user_code="AAAA-AAAA") for _ in range(4)]

        assert [page.status for page in pages] == [400, 400, 400, 429]
        assert pages[3].headers["Retry-After"] == "60"
        assert "Too many attempts" in pages[3].text


@pytest.mark.requirement("SRV-20")
def test_passwords_cannot_be_guessed_on_the_page(fresh_server: Callable[..., Server]) -> None:
    with browsing(fresh_server(sign_in_per_minute=2, sign_up_per_hour=1)) as browser:
        email = address()
        typed = {"email": email, "password": "not the one"}
        signed_up = [browser.sign_up(name).status for name in (email, address())]
        browser.client.cookies.clear()
        pages = [browser.send(browser.get("/sign-in"), "/sign-in", **typed) for _ in range(3)]

        assert signed_up == [303, 429]
        assert [page.status for page in pages] == [401, 401, 429]
        assert pages[2].headers["Retry-After"] == "60"
        assert "Too many attempts" in pages[2].text


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize("csrf", ["", "x", "é"])
def test_a_form_of_another_session_does_nothing(ada: Browser, csrf: str) -> None:
    shown = authorize(ada.server)
    forged: tuple[tuple[str, dict[str, str]], ...] = (
        ("/link", {"user_code": shown["user_code"], "answer": "approve"}),
        ("/link", ASKED | {"answer": "approve"}),
        ("/sign-out", {}),
    )

    for path, fields in forged:
        page = ada.post(path, fields | {"csrf": csrf})
        assert page.status == 403
        assert "out of date" in page.text
    assert refusal(poll(ada.server, shown["device_code"])) == (400, "authorization_pending")
    assert "Signed in" in ada.get("/").text


@pytest.mark.requirement("SRV-20")
def test_a_form_without_a_session_leads_to_the_sign_in(browser: Browser) -> None:
    for path in ("/link", "/sign-out"):
        page = browser.post(path, ASKED | {"answer": "approve"})
        assert (page.status, "Refresh" in page.headers) == (303, False)


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "", "http://["],
)
def test_posts_of_foreign_pages_are_refused(ada: Browser, origin: str) -> None:
    email = address()
    paths = ("/sign-in", "/sign-up", "/sign-out", "/link")
    for path in paths:
        assert ada.post(path, {"email": email, "password": PASSWORD}, Origin=origin).status == 403
    for path in ("/api/auth/sessions", "/api/auth/users", "/api/auth/refresh", "/api/auth/logout"):
        csrf = ada.client.cookies["vibescore_csrf"]
        answer = ada.client.post(
            path,
            json={"email": email, "password": PASSWORD},
            headers={"Origin": origin, "X-CSRF-Token": csrf},
        )
        assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")
    assert "Signed in" in ada.get("/").text


@pytest.mark.requirement("SRV-20")
def test_posts_of_our_own_and_of_allowed_pages_are_taken(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server(
        public_url="https://tokens.example.org/", allowed_origins="https://app.example.org"
    )
    for origin in ("https://tokens.example.org", "https://app.example.org", server.url):
        with browsing(server) as browser:
            fields = {"email": address(), "password": PASSWORD}
            assert browser.post("/sign-up", fields, Origin=origin).status == 303


@pytest.mark.requirement("SRV-20")
def test_nothing_that_a_stranger_writes_becomes_markup(ada: Browser) -> None:
    shown = ada.server.post(
        "device-authorize", json={"device_name": XSS, "platform": "<b>'\"&"}
    ).json
    dressed = ASKED | {
        "device_name": XSS,
        "platform": "<b>'\"&",
        "state": XSS,
        "redirect_uri": "http://127.0.0.1:9/'&amp;?a='b'&c=d",
    }
    by_code = ada.get("/link", user_code=shown["user_code"])
    in_browser = ada.get("/link", **dressed)
    pages = [
        by_code,
        in_browser,
        ada.send(in_browser, "/link", answer="approve"),
        ada.send(by_code, "/link", answer="approve"),
        ada.get("/link", user_code=f"AAAA{XSS}"[:64]),
        ada.get("/link", **(dressed | {"redirect_uri": f"http://127.0.0.1/{XSS}"})),
        ada.get("/link", **(dressed | {"code_challenge_method": XSS})),
    ]
    ada.client.cookies.clear()
    pages += [
        ada.get("/sign-in", email=XSS, next=f"/{XSS}"),
        ada.get("/sign-up", email=XSS, name=XSS, next=f"/link?{XSS}"),
        ada.post("/sign-in", {"email": XSS, "password": "x", "next": XSS}),
        ada.post("/sign-up", {"email": XSS, "password": "x", "name": XSS, "next": XSS}),
    ]

    for page in pages:
        tags = {tag for tag, _ in page.elements}
        names = {name for _, attributes in page.elements for name in attributes}
        assert not tags & {"script", "img", "b", "style"}, page.html
        assert not {name for name in names if name.startswith("on")} | names & {"style"}
        assert "<script" not in page.html
    for page in pages[:2]:
        assert XSS in page.text
    assert in_browser.form("/link").fields["state"] == XSS
    assert parse_qs(urlsplit(goes_to(pages[2])).query)["state"] == [XSS]
    assert pages[7].form("/sign-in").fields["email"] == XSS


@pytest.mark.requirement("SRV-20")
def test_pages_allow_no_script_no_frame_and_no_foreign_form(ada: Browser) -> None:
    pages = [ada.get(path) for path in ("/", "/sign-up", "/link", "/link?user_code=x")]
    pages += [ada.get("/link", **ASKED), ada.get("/sign-in"), ada.post("/link", {})]

    for page in pages:
        assert page.headers["Content-Security-Policy"] == CSP
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.requirement("SRV-20", "SRV-21")
def test_errors_of_pages_are_pages_and_errors_of_the_api_are_not(browser: Browser) -> None:
    wrong_method = Page(browser.client.put("/link"))
    twice = browser.get("/link?user_code=a&user_code=b")
    json = Page(browser.client.post("/sign-in", json={}))
    nowhere = browser.client.get("/nowhere")

    assert (wrong_method.status, wrong_method.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert "Method Not Allowed" in wrong_method.text
    assert json.status == 415
    assert json.headers["Content-Type"].startswith("text/html")
    assert twice.status == 303
    assert nowhere.json()["error"] == "NOT_FOUND"


@pytest.mark.requirement("SRV-20")
@pytest.mark.parametrize(
    "body", [b"email=\xff", b"&".join(b"a%d=1" % n for n in range(51)), b"email=a&email=b"]
)
def test_a_form_that_no_browser_sends_is_refused(browser: Browser, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert browser.client.post("/sign-in", content=body, headers=headers).status_code == 400


@pytest.mark.requirement("SRV-20")
def test_cookies_and_tokens_of_any_bytes_are_only_wrong(browser: Browser) -> None:
    for value in (b"\xff", b"\xc3\xa9", b"x" * 4000, b'"\\351"'):
        cookie = {b"Cookie": b"vibescore_refresh=" + value}
        bearer = {b"Authorization": b"Bearer " + value}
        assert browser.client.get("/link?plain=1", headers=cookie).status_code == 303
        assert browser.client.post("/api/auth/refresh", headers=cookie).status_code == 403
        for path in ("/api/auth/sessions/current", "/functions/vibescore-device-rows"):
            assert browser.client.get(path, headers=bearer).status_code == 401


@pytest.mark.requirement("SRV-20")
def test_the_stylesheet_is_sent_once(browser: Browser) -> None:
    page = browser.get("/")
    (link,) = [values for tag, values in page.elements if tag == "link"]
    first = browser.client.get(link["href"])
    again = browser.client.get(link["href"], headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Content-Type"] == "text/css; charset=utf-8"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.requirement("SRV-05")
def test_every_field_that_is_typed_has_a_label(ada: Browser) -> None:
    pages = [ada.get("/sign-up"), ada.get("/link")]
    ada.client.cookies.clear()
    pages.append(ada.get("/sign-in"))

    for page in pages:
        labelled = {values["for"] for tag, values in page.elements if tag == "label"}
        typed = [
            values
            for tag, values in page.elements
            if tag == "input" and values.get("type") != "hidden"
        ]
        assert typed
        assert {values["id"] for values in typed} == labelled
