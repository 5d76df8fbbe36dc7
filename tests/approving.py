"""A browser as `webbrowser` starts one (BROWSER="… approving.py answer email %s"): signs up or in,
answers the question of the page, and goes where it is sent.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

PASSWORD = "correct horse battery staple"


def browser(answer: str, email: str) -> str:
    """The value of BROWSER for somebody who gives that answer."""
    return f"{shlex.join([sys.executable, str(Path(__file__)), answer, email])} %s"


def visit(answer: str, email: str, address: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server/tests"))
    from browsing import Page

    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"

    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=30) as client:

        def send(page: Page, action: str, **typed: str) -> Page:
            return Page(client.post(action, data=page.form(action).fields | typed))

        entry = Page(client.get(address, follow_redirects=True))
        account = {"email": email, "password": PASSWORD}
        entered = send(entry, "/sign-in", **account)
        if entered.status != 303:
            sign_up = next(link for link in entry.links if link.startswith("/sign-up"))
            entered = send(Page(client.get(sign_up)), "/sign-up", **account)
        question = Page(client.get(entered.headers["Location"]))
        left = send(question, "/link", answer=answer)
        back = left.headers["Refresh"].partition("url=")[2]
    httpx.get(back, timeout=30).raise_for_status()


if __name__ == "__main__":
    visit(*sys.argv[1:])
