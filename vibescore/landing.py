"""Where the user's browser comes back to: a page on a loopback address, for as long as somebody
waits for it (RFC 8252, 7.3).
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PATH = "/callback"
SLOWEST_REQUEST = 10
"""Seconds for a request to come in: browsers open connections in advance."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>vibescore</title>
<h1>{title}</h1><p>{text}</p></html>
"""


class Landing:
    """A listening page that knows the ``state`` with which the browser has to come."""

    def __init__(self, state: str) -> None:
        self._answers: Queue[dict[str, str]] = Queue()
        self._state = state
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.landing = self

    @classmethod
    @contextmanager
    def open(cls, state: str) -> Iterator[Self]:
        """A page that listens until the block ends."""
        landing = cls(state)
        with landing._server as server:
            Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            try:
                yield landing
            finally:
                server.shutdown()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def wait(self, seconds: float) -> dict[str, str] | None:
        """What the browser brought, None when nobody came in time."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            return None

    def answer(self, target: str) -> tuple[int, str, str, dict[str, str] | None]:
        """Status, title and text for a request, and what it brought; whoever does not know the
        state brings nothing.
        """
        address = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path != PATH:
            return 404, "Nothing here", "This page only ends the linking of a computer.", None
        if not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
            return 400, "Not this one", "This is not what 'vibescore init' is waiting for.", None
        if "code" in query:
            return 200, "Approved", "Go back to the terminal; you may close this page.", query
        return 200, "Not linked", "Go back to the terminal; nothing was linked.", query

    def take(self, brought: dict[str, str]) -> None:
        self._answers.put(brought)


class _Server(ThreadingHTTPServer):
    landing: Landing

    def handle_error(self, *_: Any) -> None:
        """A browser that hangs up is no matter for the terminal."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SLOWEST_REQUEST
    server: _Server

    def do_GET(self) -> None:
        status, title, text, brought = self.server.landing.answer(self.path)
        body = PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)
        if brought:
            self.server.landing.take(brought)

    def log_message(self, *_: Any) -> None:
        """The address holds the code."""
