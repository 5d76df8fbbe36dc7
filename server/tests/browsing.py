"""A browser without a window and without script: keeps cookies, reads forms, sends them as browsers
do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
from serving import PASSWORD, PATIENCE, Server


@dataclass
class Form:
    """A form of a page."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """What an HTML text says."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.headers = answer.headers
        self.html = answer.text
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(answer.text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        if tag == "form":
            self.forms.append(Form(values["method"], values["action"]))
        elif tag == "input":
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "button":
            self.forms[-1].buttons.append(values.get("value", ""))
        elif tag == "a":
            self.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def form(self, action: str) -> Form:
        """The form that is sent there."""
        (found,) = [form for form in self.forms if form.action == action]
        return found


class Browser:
    """One person's browser at a server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = httpx.Client(base_url=server.url, timeout=PATIENCE)

    def get(self, path: str, **params: str) -> Page:
        """A plain page, whether or not the server has a dashboard."""
        place = httpx.URL(path).copy_merge_params({**params, "plain": "1"})
        return Page(self.client.get(place))

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> Page:
        """Send a form; the Origin is the server's unless another is given."""
        origin = {"Origin": self.server.url, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(fields, doseq=True)
        return Page(self.client.post(path, content=body, headers=origin | headers))

    def send(self, page: Page, action: str, **typed: str) -> Page:
        """Fill in a form of a page and send it."""
        form = page.form(action)
        fields = form.fields | typed
        return self.post(action, fields) if form.method == "post" else self.get(action, **fields)

    def sign_up(self, email: str, **more: str) -> Page:
        typed = {"email": email, "password": PASSWORD} | more
        return self.send(self.get("/sign-up"), "/sign-up", **typed)


@contextmanager
def browsing(server: Server) -> Iterator[Browser]:
    browser = Browser(server)
    with browser.client:
        yield browser
