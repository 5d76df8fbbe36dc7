"""What a user does on the server's pages, by what is written on them: the only place that knows."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, expect
from serving import PASSWORD


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages in a browser, and the hands of the user."""

    page: Page

    def sign_up(self, email: str) -> None:
        """From the page that asks to sign in."""
        self.page.get_by_role("link", name="Sign up").click()
        self._type("E-mail", email)
        self._type("Password, 8 characters or more", PASSWORD)
        self._press("Sign up")

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self._type("E-mail", email)
        self._type("Password", password)
        self._press("Sign in")

    def enter_code(self, code: str) -> None:
        """The code that a computer shows."""
        self._type("Code that the computer shows", code)
        self._press("Continue")

    def approve(self) -> None:
        self._press("Approve")

    def deny(self) -> None:
        self._press("Cancel")

    def expect_linked(self) -> None:
        """The computer whose code was entered may go on."""
        expect(self.page.get_by_text("is being linked")).to_be_visible()

    def _type(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def _press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
