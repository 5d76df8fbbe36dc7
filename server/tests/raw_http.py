"""Requests that no client library would send: bytes on a socket."""

import json
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from serving import PATIENCE, Server


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    """A connection to a server."""
    place = urlsplit(server.url)
    assert place.hostname
    with socket.create_connection((place.hostname, place.port or 80), PATIENCE) as open_socket:
        yield open_socket


def head(
    *lines: str, path: str = "/healthz", method: str = "GET", host: str = "localhost"
) -> bytes:
    """The head of a request."""
    first = (f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host else []))
    return "\r\n".join((*first, *lines, "", "")).encode("latin-1")


def send(server: Server, request: bytes) -> Answer:
    """Send bytes, and read the first answer."""
    with connection(server) as line:
        line.sendall(request)
        return read(line)


def read(line: socket.socket) -> Answer:
    """The next answer on a connection."""
    with line.makefile("rb") as incoming:
        status = incoming.readline()
        assert status, "the connection was closed without an answer"
        fields = dict(_fields(incoming))
        length = int(fields.get("content-length", 0))
        return Answer(int(status.split()[1]), fields, incoming.read(length))


def _fields(incoming: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for each in incoming:
        if each == b"\r\n":
            return
        name, _, value = each.decode("latin-1").partition(":")
        yield name.lower(), value.strip()


def trickle(line: socket.socket, request: bytes, *, every: float) -> None:
    """Send a byte now and then, until all are sent or the server answers."""
    for at in range(len(request)):
        line.sendall(request[at : at + 1])
        if select.select([line], [], [], every)[0]:
            return
