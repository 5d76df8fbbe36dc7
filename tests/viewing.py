"""A pytest plugin: pages in a real browser, for all tests.

``page`` is a page in a browser of its own, in which nobody is signed in; ``new_page`` makes more of
them, each for somebody else. A page reaches this computer only, and a test fails if a page
complained. Without a browser these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from chromium import NoBrowser, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 30_000
"""Milliseconds after which a page that does not show what it should is a failure."""

ONLY_HERE = (
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE ::1, EXCLUDE localhost",
)


@pytest.fixture(scope="session")
def browser_program() -> str:
    """Chromium or Chrome."""
    try:
        return chromium()
    except NoBrowser as reason:
        pytest.skip(f"no browser: {reason}")


@pytest.fixture(scope="module")
def browser(browser_program: str) -> Iterator[Browser]:
    """A browser without a window. It ends with the module, because while it runs nothing else can
    run an event loop in this thread; to start takes it less than a second.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # Its own arguments turn off the sandbox, which root cannot have, and all that calls home.
        yield playwright.chromium.launch(executable_path=browser_program, args=ONLY_HERE)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What pages wrote to the console or threw, and what the browser held against them: violations
    of their policy, answers of 400 and above; with the address. A test that means to provoke one
    looks at it here and clears the list; what is left fails the test.
    """
    heard: list[str] = []
    yield heard
    if heard:
        pytest.fail("\n".join(["pages complained:", *heard]), pytrace=False)


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Makes a page in a browser of its own; options are those of Playwright's ``new_context``."""
    with ExitStack() as stack:

        def make(**options: Any) -> Page:
            context = stack.enter_context(browser.new_context(**options))
            context.on("console", lambda its: complain(its.text, its.location["url"]))
            context.on("weberror", lambda its: complain(its.error, its.location["url"]))
            return context.new_page()

        def complain(what: object, where: str) -> None:
            complaints.append(f"{what} ({where})")

        yield make


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page of somebody who is not signed in."""
    return new_page()
