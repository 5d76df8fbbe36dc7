"""The plain pages in a real browser, on the narrowest of screens."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from pages import Pages
from playwright.sync_api import Page, expect
from serving import Server
from test_linking import authorize
from test_pages import ASKED

WIDTH = 360


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    """A page on a phone."""
    return new_page(viewport={"width": WIDTH, "height": 640}, is_mobile=True, has_touch=True)


def fits(page: Page, heading: str) -> None:
    """The page with that heading is there, and no wider than the screen."""
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH


def is_refused(page: Page, words: str, complaints: list[str], status: int) -> None:
    """The page says so, and the browser has nothing against it but the status."""
    expect(page.get_by_role("alert")).to_have_text(words)
    assert [f"status of {status}" in each for each in complaints] == [True], complaints
    complaints.clear()


@pytest.mark.requirement("SRV-05", "SRV-17", "SRV-20")
def test_every_page_fits_a_phone_and_keeps_to_its_policy(
    server: Server, phone: Page, complaints: list[str]
) -> None:
    pages, email = Pages(phone), f"{uuid4().hex}@example.org"
    phone.goto(f"{server.url}/?plain=1")
    fits(phone, "What this is")
    phone.get_by_role("link", name="Sign up").click()
    fits(phone, "Sign up")
    phone.get_by_role("link", name="Sign in").click()
    pages.sign_in(email)
    is_refused(phone, "E-mail or password is wrong.", complaints, 401)
    fits(phone, "Sign in")
    pages.sign_up(email)
    expect(phone.get_by_text(f"Signed in as {email}")).to_be_visible()
    fits(phone, "What this is")

    phone.get_by_role("link", name="Link a computer").click()
    pages.enter_code("AAAA-AAAA")
    is_refused(phone, "The code is unknown or has expired.", complaints, 400)
    fits(phone, "Link a computer")
    pages.enter_code(authorize(server)["user_code"])
    fits(phone, "Link a computer?")
    pages.approve()
    fits(phone, "Approved.")
    phone.goto(f"{server.url}/link?{urlencode(ASKED | {'device_name': 'x' * 60, 'plain': '1'})}")
    fits(phone, "Link a computer?")
