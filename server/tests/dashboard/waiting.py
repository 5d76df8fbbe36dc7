"""A program on this computer that opened the browser, and waits for it to come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from socket import AF_INET6
from threading import Thread
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from test_linking import CHALLENGE

PAGE = b"<title>back</title><link rel=icon href=data:>Welcome back"
PATIENCE = 30
"""Seconds after which a browser that does not come is a failure."""


class Waiting:
    """What it asks for, and what it is told."""

    def __init__(self, redirect_uri: str, name: str, state: str) -> None:
        self.redirect_uri = redirect_uri
        self.name = name
        self.state = state
        self.arrived: Queue[str] = Queue()

    @classmethod
    @contextmanager
    def at(cls, host: str, *, name: str = "tower", state: str = "state") -> Iterator[Self]:
        """It listens on an address of this computer until the block ends."""
        family = {"address_family": AF_INET6} if ":" in host else {}
        kind = type("Listener", (_Listener,), family)
        with kind((host, 0), _Handler) as listener:
            shown = f"[{host}]" if ":" in host else host
            address = f"http://{shown}:{listener.server_port}/callback?from=vibescore"
            listener.waiting = cls(address, name, state)
            thread = Thread(target=listener.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield listener.waiting
            finally:
                listener.shutdown()
                thread.join()

    @property
    def page(self) -> str:
        """The page that it opened."""
        question = {
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": CHALLENGE,
            "device_name": self.name,
            "platform": "windows",
        }
        return f"/link?{urlencode(question)}"

    def brought(self) -> dict[str, list[str]]:
        """What the browser came back with."""
        address = urlsplit(self.arrived.get(timeout=PATIENCE))
        assert address.path == "/callback"
        return parse_qs(address.query)


class _Listener(ThreadingHTTPServer):
    waiting: Waiting


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)
        self.server.waiting.arrived.put(self.path)

    def log_message(self, *_: object) -> None:
        """Nobody reads along."""
