"""The golden wire files as a contract: read, sent, compared. Pure; whoever plays them brings the
server.

Files, format and rules are described in ``tests/golden/README.md``. A server is played like this::

    known: dict[str, str] = {}
    for exchange in exchanges():
        clock.set(exchange.at)
        answer = send(filled(exchange.request, known))  # -> Answer
        known |= learned(exchange, answer)
        assert differences(exchange, answer, known) == []

``send`` is the player's: it sends ``request.content`` and the request's own headers, adds none that
says who asks, keeps no cookies and follows no redirects. Before an exchange with ``settings`` it
starts the server anew with these, on the same data. An exchange with a ``condition`` is left out,
or the condition is brought about first. Exchanges build on each other: after one that failed the
following ones say little.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

GOLDEN = Path(__file__).resolve().parents[2] / "tests/golden"
WIRE = GOLDEN / "wire"

LISTS = {
    "allow",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "vary",
}
"""Headers that are lists of names in any order and case: the golden ones have to be there."""

Value = TypeVar("Value")
Condition = Literal["rate-limited", "overloaded", "database-down"]


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent: ``body`` as JSON, or ``text`` as it is."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET
    repeat: dict[str, int] = {}
    """Lists in ``body`` (by pointer) whose only item is sent that many times."""

    @property
    def content(self) -> bytes:
        """The bytes of the body; empty when there is none."""
        if self.text is not UNSET:
            return self.text.encode()
        if self.body is UNSET:
            return b""
        body = msgspec.json.decode(msgspec.json.encode(self.body))
        for pointer, times in self.repeat.items():
            (rows,) = _in_body(pointer, body)
            rows[:] = rows * times
        return msgspec.json.encode(body)


class Response(Struct, frozen=True, forbid_unknown_fields=True):
    """What is expected; of ``application/x-ndjson`` the body is the list of its lines."""

    status: int
    headers: dict[str, str]
    body: Any = UNSET


class Exchange(Struct, frozen=True, forbid_unknown_fields=True):
    """One golden file."""

    about: str
    requirements: tuple[str, ...]
    at: datetime
    request: Request
    response: Response
    settings: dict[str, Any] = {}
    condition: Condition | None = None
    varies: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Answer:
    """What a server answered; header names in any case, as often as they came."""

    status: int
    headers: Sequence[tuple[str, str]]
    content: bytes

    def header(self, name: str) -> str | None:
        """The values under ``name``, joined by commas; None when there is none."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(values) if values else None

    @cached_property
    def cookies(self) -> dict[str, str]:
        """All ``Set-Cookie`` headers by the name of their cookie."""
        lines = [value for key, value in self.headers if key.lower() == "set-cookie"]
        return {line.partition("=")[0].strip(): line for line in lines}

    @cached_property
    def body(self) -> Any:
        """The decoded body, UNSET when it is empty. Raises ValueError when it is no JSON."""
        if not self.content:
            return UNSET
        if media_type(self.header("content-type") or "") == "application/x-ndjson":
            return [msgspec.json.decode(line) for line in self.content.splitlines()]
        return msgspec.json.decode(self.content)


def exchanges(folder: Path = WIRE) -> list[Exchange]:
    """All exchanges in the order in which they are played."""
    return [_exchange(path) for path in sorted(folder.glob("*.json"))]


def _exchange(path: Path) -> Exchange:
    exchange = msgspec.json.decode(path.read_bytes(), type=Exchange)
    return msgspec.structs.replace(exchange, name=path.stem)


def golden(exchange: Exchange) -> Answer:
    """The expected response as an answer: what a stand-in for the server can say."""
    response = exchange.response
    headers = {"x-request-id": f"golden-{exchange.name}", **response.headers}
    return Answer(response.status, tuple(headers.items()), _content(response))


def _content(response: Response) -> bytes:
    if response.body is UNSET:
        return b""
    if response.headers.get("content-type") == "application/x-ndjson":
        return b"\n".join(map(msgspec.json.encode, response.body))
    return msgspec.json.encode(response.body)


def substituted(value: Value, known: Mapping[str, str]) -> Value:
    """``value`` with each golden string in ``known`` replaced by the actual one, also inside of
    longer strings; keys stay.
    """
    if not known:
        return value
    longest_first = sorted(known, key=len, reverse=True)
    replaced: Value = _replaced(value, re.compile("|".join(map(re.escape, longest_first))), known)
    return replaced


def _replaced(value: Any, pattern: re.Pattern[str], known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(lambda match: known[match[0]], value)
    if isinstance(value, dict):
        return {key: _replaced(item, pattern, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, pattern, known) for item in value]
    return value


def filled(request: Request, known: Mapping[str, str]) -> Request:
    """The request to send: golden values replaced by what the server made of them."""
    return msgspec.structs.replace(
        request,
        path=substituted(request.path, known),
        query=substituted(request.query, known),
        headers=substituted(request.headers, known),
        body=substituted(request.body, known),
        text=substituted(request.text, known),
    )


def learned(exchange: Exchange, answer: Answer) -> dict[str, str]:
    """Golden → actual at the places that vary; an answer that has no text there teaches nothing."""
    expected = golden(exchange)
    pairs = ((place(expected, pointer), place(answer, pointer)) for pointer in exchange.varies)
    return {ours: theirs for ours, theirs in pairs if theirs}


def differences(exchange: Exchange, answer: Answer, known: Mapping[str, str]) -> list[str]:
    """What in ``answer`` is not as agreed, a line each. ``known`` includes what this very answer
    taught.
    """
    try:
        found = answer.body
    except ValueError as error:
        return [f"status: {answer.status}", f"the body is no JSON: {error}"]
    return [
        *_status(exchange, answer),
        *_headers(exchange, answer, known),
        *_body(exchange, found, known),
        *_new_values(exchange, answer, known),
        *_absent(exchange, answer),
    ]


def _status(exchange: Exchange, answer: Answer) -> Iterator[str]:
    if answer.status != exchange.response.status:
        yield f"status: {answer.status} instead of {exchange.response.status}"


def _headers(exchange: Exchange, answer: Answer, known: Mapping[str, str]) -> Iterator[str]:
    if not answer.header("x-request-id"):
        yield "headers:x-request-id is missing"
    for name, value in substituted(exchange.response.headers, known).items():
        actual = answer.header(name)
        if actual is None:
            yield f"headers:{name} is missing"
        elif name == "set-cookie":
            yield from _cookie(value, answer.cookies)
        elif not same_header(name, value, actual):
            yield f"headers:{name}: {actual!r} instead of {value!r}"


def same_header(name: str, expected: str, actual: str) -> bool:
    """Whether a header other than ``Set-Cookie`` says what it has to."""
    if name == "content-type":
        return media_type(actual) == media_type(expected)
    if name == "retry-after":
        return actual.isdecimal() and int(actual) > 0
    if name in LISTS:
        return _names(expected) <= _names(actual)
    return actual == expected


def media_type(value: str) -> str:
    """``application/json`` of ``application/json; charset=utf-8``."""
    return value.partition(";")[0].strip().lower()


def _names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


def _cookie(expected: str, cookies: Mapping[str, str]) -> Iterator[str]:
    name = expected.partition("=")[0]
    if name not in cookies:
        yield f"headers:set-cookie sets no {name}"
        return
    if cookie_value(cookies[name]) != cookie_value(expected):
        yield f"headers:set-cookie/{name}: {cookies[name]!r} instead of {expected!r}"
    for attribute in sorted(_attributes(expected) - _attributes(cookies[name])):
        yield f"headers:set-cookie/{name} is without {attribute}"


def cookie_value(line: str) -> str:
    """The value in a ``Set-Cookie`` line, without quotes."""
    return line.partition(";")[0].partition("=")[2].strip().strip('"')


def _attributes(line: str) -> set[str]:
    """Their names: how long and for which paths a cookie is kept is the server's affair."""
    return {part.partition("=")[0].strip().lower() for part in line.split(";")[1:]}


def _body(exchange: Exchange, found: Any, known: Mapping[str, str]) -> Iterator[str]:
    expected = exchange.response.body
    if expected is UNSET:
        if found is not UNSET:
            yield f"a body came where none is expected: {found!r}"
        return
    if exchange.response.status < 400:
        yield from unequal("", substituted(expected, known), found)
        return
    wanted = {key: value for key, value in expected.items() if key != "message"}
    yield from unequal("", substituted(wanted, known), found)
    if isinstance(found, dict):
        yield from _message(exchange, found.get("message"), known)


def _message(exchange: Exchange, found: Any, known: Mapping[str, str]) -> Iterator[str]:
    """A message is any sentence, but the one learned where its text is known (README)."""
    if not isinstance(found, str) or not found.strip():
        yield f"/message: {found!r} is no sentence"
        return
    text = exchange.response.body["message"]
    if known.get(text, found) != found:
        yield f"/message: {found!r} differs from {known[text]!r} before"
    for word in exchange.mentions:
        if word not in found:
            yield f"/message: {found!r} does not mention {word!r}"


def unequal(where: str, expected: Any, found: Any) -> Iterator[str]:
    """How ``found`` is not what is expected at ``where``; further fields are no difference."""
    if type(found) is not type(expected):
        yield f"{where or 'body'}: {found!r} instead of {expected!r}"
    elif isinstance(expected, dict):
        for key, value in expected.items():
            if key in found:
                yield from unequal(f"{where}/{key}", value, found[key])
            else:
                yield f"{where}/{key} is missing"
    elif isinstance(expected, list):
        yield from _unequal_lists(where, expected, found)
    elif found != expected:
        yield f"{where or 'body'}: {found!r} instead of {expected!r}"


def _unequal_lists(where: str, expected: list[Any], found: list[Any]) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"{where or 'body'}: {len(found)} items instead of {len(expected)}"
        return
    fields = {key for item in expected if isinstance(item, dict) for key in item}
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
        yield from unequal(f"{where}/{number}", ours, theirs)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for key in sorted((fields - ours.keys()) & theirs.keys()):
                yield f"{where}/{number}/{key} is there, where it is only in other items"


def _new_values(exchange: Exchange, answer: Answer, known: Mapping[str, str]) -> Iterator[str]:
    """Two golden values never stand for one actual value: what is new has to be."""
    expected = golden(exchange)
    for pointer in exchange.varies:
        ours, theirs = place(expected, pointer), place(answer, pointer)
        if not theirs:
            yield f"{pointer} is no text that varies"
        for other in (other for other, value in known.items() if value == theirs != ""):
            if other != ours:
                yield f"{pointer} is not new: it is what {other!r} was"


def _absent(exchange: Exchange, answer: Answer) -> Iterator[str]:
    for pointer in exchange.absent:
        name = pointer.removeprefix("headers:")
        here = answer.header(name) if name != pointer else _in_body(pointer, answer.body)
        if here:
            yield f"{pointer} is there"


def place(answer: Answer, pointer: str) -> str:
    """The text at a pointer of ``varies``; empty when there is none.

    ``/devices/0/token`` points into the body (RFC 6901, without its escapes),
    ``/redirect_to?code`` at a query parameter of an address there, ``headers:set-cookie/name`` at
    the value of a cookie.
    """
    if pointer.startswith("headers:set-cookie/"):
        return cookie_value(answer.cookies.get(pointer.partition("/")[2], ""))
    path, _, parameter = pointer.partition("?")
    value = _text(path, answer)
    if parameter:
        return parse_qs(urlsplit(value).query).get(parameter, [""])[0]
    return value


def _text(pointer: str, answer: Answer) -> str:
    try:
        found = _in_body(pointer, answer.body)
    except ValueError:  # no JSON: differences() says so
        return ""
    return found[0] if found and isinstance(found[0], str) else ""


def _in_body(pointer: str, body: Any) -> list[Any]:
    """What stands at a pointer: one value or none, more with ``*`` for every item of a list."""
    values = [body]
    for step in pointer.split("/")[1:]:
        values = [inner for value in values for inner in _inner(step, value)]
    return values


def _inner(step: str, value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return value
    return value[int(step) : int(step) + 1] if step.isdecimal() else []
