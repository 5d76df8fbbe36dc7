"""A browser that somebody uses: signed in, its clock told to go on, its line to the server cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from re import Pattern

from playwright.sync_api import BrowserContext, Page, Request, Route
from serving import NOW, PASSWORD, Person

API = "**/{functions,api}/**"
PROBE = "**/healthz"
CUT = "net::ERR_"
"""What a browser says of a request that found nobody."""

Answer = Callable[[Route], None]

VISIBILITY = """hidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    Object.defineProperty(document, 'visibilityState', {
        configurable: true, get: () => hidden ? 'hidden' : 'visible'
    });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def enter(page: Page, person: Person, path: str = "/") -> Page:
    """Somebody who is signed in opens a page of the dashboard; its clock shows the server's time
    and goes on.
    """
    page.clock.install(time=NOW)
    sign_in(page.context, person)
    page.goto(person.server.url + path)
    return page


def sign_in(context: BrowserContext, person: Person, password: str = PASSWORD) -> None:
    """Give the browser a session of somebody, without a page."""
    entry = {"email": person.email, "password": password}
    answer = context.request.post(f"{person.server.url}/api/auth/sessions", data=entry)
    assert answer.ok, answer.text()


def unreachable(route: Route) -> None:
    """Nobody listens."""
    route.abort("connectionrefused")


def overloaded(route: Route) -> None:
    """As the server answers when it has too much to do."""
    route.fulfill(
        status=503,
        json={"error": "OVERLOADED", "message": "Too many requests.", "statusCode": 503},
    )


def broken(route: Route) -> None:
    """As a proxy answers for a server that is gone."""
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


@contextmanager
def cut(
    page: Page, answer: Answer = unreachable, *, of: tuple[str, ...] = (API, PROBE)
) -> Iterator[None]:
    """Meanwhile the pages of this browser can be loaded, but what they ask is answered so."""
    for address in of:
        page.context.route(address, answer)
    yield
    for address in of:
        page.context.unroute(address, answer)


@contextmanager
def forgiven(complaints: list[str], *meant: str) -> Iterator[None]:
    """Of what pages complain about until the end of the block, this is meant."""
    yield
    complaints[:] = [each for each in complaints if not any(words in each for words in meant)]


def hide(page: Page) -> None:
    """Nobody looks at the page."""
    page.evaluate(VISIBILITY, arg=True)


def show(page: Page) -> None:
    """Somebody looks again."""
    page.evaluate(VISIBILITY, arg=False)


class Requests:
    """What a page asks its server from now on, files aside: `POST /api/auth/refresh`."""

    def __init__(self, page: Page, only: Pattern[str] | None = None) -> None:
        self.made: list[str] = []
        self._page = page
        self._only = only
        page.on("request", self._note)

    def taken(self) -> list[str]:
        """Those since the last time, as far as the page has got."""
        settle(self._page)
        made, self.made = self.made, []
        return made

    def _note(self, request: Request) -> None:
        path = "/" + request.url.split("/", 3)[3].partition("?")[0]
        asked = f"{request.method} {path}"
        if request.resource_type == "fetch" and (not self._only or self._only.search(asked)):
            self.made.append(asked)


def settle(page: Page) -> None:
    """What was due in the page is done, and what it asks because of that is under way."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def kept(page: Page) -> dict[str, str]:
    """What the browser keeps for the page."""
    stored: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
    return stored
