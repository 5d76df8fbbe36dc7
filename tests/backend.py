"""A server for the tracker to talk to, on a real socket: it keeps rows as the real one does, and
misbehaves by script.

What it says when nothing is wrong is what the golden wire files say; test_client plays those.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rollouts import Counters, Truth

from vibescore.model import iso_utc

PREFIX = "/functions/vibescore-"
TOKEN, DEVICE = "token-" + "t" * 40, "device-1"
KEY = ("source", "model", "hour_start")
COUNTERS = Counters._fields


@dataclass(frozen=True)
class Request:
    """What came in: the method, the slug or the whole address, the headers and the body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.body)["hourly"]
        return rows


Answer = tuple[int, dict[str, str], bytes]
Act = Callable[["Handler", Callable[[], Answer]], None]
"""What happens instead of an answer; the second argument does what was asked, and tells it."""


@dataclass
class Backend:
    """A running server. ``script`` is what happens to the next requests; afterwards it behaves.

    ``refuses`` tells the field for which a row is refused, ``most_rows`` is the largest batch.
    """

    url: str = ""
    script: deque[Act] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    stored: dict[str, dict[tuple[str, ...], Counters]] = field(default_factory=dict)
    refuses: Callable[[dict[str, Any]], str | None] = lambda _: None
    most_rows: int = 500
    page: int = 1000
    now: Callable[[], float] = lambda: 1_786_406_400.0
    closing: Event = field(default_factory=Event)
    answered: Condition = field(default_factory=Condition)

    @classmethod
    @contextmanager
    def running(
        cls, *, certificate: Path | None = None, host: str = "127.0.0.1"
    ) -> Iterator[Backend]:
        """A server until the block ends; with a certificate (PEM, with its key) it speaks TLS."""
        backend = cls()
        server = _Server((host, 0), partial(Handler, backend))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        backend.url = f"http{'s' if certificate else ''}://{host}:{server.server_port}"
        thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield backend
        finally:
            backend.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def does(self, *acts: Act) -> None:
        """What happens to the next requests, one after the other."""
        self.script.extend(acts)

    def rows(self, token: str = TOKEN) -> Truth:
        """What it has of a device, but for rows of zeros."""
        kept = self.stored.get(token, {})
        return {key: kept[key] for key in sorted(kept) if any(kept[key])}  # type: ignore[misc]

    def slugs(self) -> list[str]:
        """What was asked for, in order."""
        return [urlsplit(request.path).path.removeprefix(PREFIX) for request in self.requests]

    def batches(self) -> list[int]:
        """How many rows each batch had."""
        return [len(request.rows) for request in self.requests if "ingest" in request.path]

    def wait_for(self, happened: Callable[[Backend], bool]) -> bool:
        """Whether that happens within half a minute; it is looked at after every answer."""
        with self.answered:
            return self.answered.wait_for(lambda: happened(self), timeout=30)

    def answer(self, request: Request) -> Answer:
        """Do what is asked."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.stored:
            return told(401, "UNAUTHORIZED")
        address = urlsplit(request.path)
        match address.path.removeprefix(PREFIX):
            case "ingest":
                return self._ingest(token, request.rows)
            case "sync-ping":
                last = iso_utc(self.now())
                return _json(
                    {
                        "success": True,
                        "updated": True,
                        "last_sync_at": last,
                        "min_interval_minutes": 30,
                        "device_id": DEVICE,
                    }
                )
            case "device-rows":
                return self._page(token, parse_qs(address.query))
        return told(404, "NOT_FOUND")

    def _ingest(self, token: str, rows: list[dict[str, Any]]) -> Answer:
        if len(rows) > self.most_rows:
            return told(413, "PAYLOAD_TOO_LARGE")
        for number, row in enumerate(rows):
            if wrong := self.refuses(row):
                return told(400, "INVALID_ROW", row=number, field=wrong)
        kept = self.stored[token]
        new = {tuple(row[name] for name in KEY): Counters(*_counters(row)) for row in rows}
        inserted = sum(kept.get(key) != its for key, its in new.items())
        kept |= new
        return _json({"success": True, "inserted": inserted, "skipped": len(new) - inserted})

    def _page(self, token: str, query: Mapping[str, list[str]]) -> Answer:
        keys = sorted(self.stored[token])
        start = int(query.get("after", ["0"])[0])
        rows = [
            dict(zip((*KEY, *COUNTERS), (*key, *self.stored[token][key]), strict=True))
            for key in keys[start : start + self.page]
        ]
        more = {"next": str(start + self.page)} if start + self.page < len(keys) else {}
        return _json({"rows": rows, **more})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or shakes no hands, is none of the test's business."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one packet: the client would wait for the second

    def __init__(self, backend: Backend, *arguments: Any) -> None:
        self.backend = backend
        super().__init__(*arguments)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers), body)
        self.backend.requests.append(request)
        act = self.backend.script.popleft() if self.backend.script else behave
        try:
            act(self, partial(self.backend.answer, request))
            self.wfile.flush()
        finally:
            with self.backend.answered:
                self.backend.answered.notify_all()

    def say(self, answer: Answer) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"X-Vibescore-Api": "1", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Reset the connection, as a machine does that goes down."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass


def behave(handler: Handler, answer: Callable[[], Answer]) -> None:
    handler.say(answer())


def says(status: int, body: bytes | None = None, **headers: str) -> Act:
    """That answer, and nothing is stored; ``retry_after`` stands for the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    plain = told(status, f"CODE_{status}")

    def act(handler: Handler, _: Callable[[], Answer]) -> None:
        handler.say((status, plain[1] | named, plain[2] if body is None else body))

    return act


def loses_the_answer(handler: Handler, answer: Callable[[], Answer]) -> None:
    """It stores what it got, and the connection breaks before it could say so."""
    answer()
    handler.hang_up()


def hangs_up(handler: Handler, _: Callable[[], Answer]) -> None:
    handler.hang_up()


def stores_and_says(body: bytes) -> Act:
    """It stores what it got, and answers 200 with something else."""

    def act(handler: Handler, answer: Callable[[], Answer]) -> None:
        answer()
        handler.say((200, {"Content-Type": "application/json"}, body))

    return act


def dribbles(handler: Handler, answer: Callable[[], Answer]) -> None:
    """It answers a byte at a time, for as long as anybody listens."""
    answer()
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.backend.closing.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def keeps_silent(handler: Handler, _: Callable[[], Answer]) -> None:
    """It takes the request, and never answers."""
    handler.backend.closing.wait()
    handler.close_connection = True


def told(status: int, code: str, **more: Any) -> Answer:
    """An error as the server tells it."""
    body = {"error": code, "message": f"This is {code}.", "statusCode": status, **more}
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _json(body: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _counters(row: dict[str, Any]) -> Iterator[int]:
    return (row[name] for name in COUNTERS)
