"""Endpoints: what one takes and answers is written once, in the types of its function.

    @routes.post("/functions/vibescore-sync-ping", summary="…")
    async def sync_ping(call: Call, device: DeviceCaller) -> Pong: ...

A parameter whose type is a caller says who may call; ``query`` and ``body`` are decoded into the
structs that they are declared as, and what does not fit is answered with 400 before the function
runs. The OpenAPI document (``openapi``) is made from the same declarations (SRV-22).
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

import msgspec
from sanic import HTTPResponse, Request, Sanic
from sanic.response import ResponseStream, raw

from vibescore_server.auth import CALLERS, Caller, authenticate
from vibescore_server.errors import ApiError, BadRequest, Invalid, TooMany, Unsupported
from vibescore_server.queries import limits
from vibescore_server.queries.limits import Limit
from vibescore_server.services import Services

API_VERSION = 1
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 50

Handler = Callable[..., Awaitable[Any]]
Decorated = TypeVar("Decorated", bound=Handler)
Body = TypeVar("Body")
Given = TypeVar("Given", bound=msgspec.Struct)
Line = TypeVar("Line")
Security = tuple[tuple[str, ...], ...]
"""Alternatives of what a caller shows, each of schemes of ``openapi`` that belong together."""
Answered = TypeVar("Answered")


class Call:
    """A request on its way through an endpoint."""

    def __init__(self, request: Request, services: Services) -> None:
        self.request = request
        self.services = services
        self.settings = services.settings
        self.db = services.database
        self.now = int(services.now())

    async def limit(self, name: str, who: str, *, most: int, seconds: int) -> None:
        """Count an attempt of somebody. Raises TooMany when there were too many (SRV-20)."""
        with _told_when_exceeded():
            await self.db.write(limits.take, Limit(f"{name}\0{who}", most, seconds), now=self.now)

    async def write_within(
        self, limit: Limit, question: Callable[..., Answered], *args: Any
    ) -> Answered:
        """The answer to a question that changes something, has a keyword ``now``, and counts as an
        attempt of somebody: both in one transaction. Raises TooMany (SRV-20).
        """
        with _told_when_exceeded():
            return await self.db.write(limits.within, limit, question, *args, now=self.now)

    @property
    def address(self) -> str:
        """Where the request comes from, seen through as many proxies as the settings name."""
        return self.request.client_ip or "unknown"

    @property
    def base_url(self) -> str:
        """Where people reach the server, without a slash at its end: as it is set, else as this
        request came.
        """
        if self.settings.public_url:
            return str(self.settings.public_url).rstrip("/")
        return f"{self.request.scheme}://{self.request.headers['host']}"


@contextmanager
def _told_when_exceeded() -> Iterator[None]:
    """In the words of the API, which tells for how long."""
    try:
        yield
    except limits.Exceeded as exceeded:
        raise TooMany(
            f"Too many attempts; try again in {exceeded.wait} seconds.", retry_after=exceeded.wait
        ) from None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie of an answer; an age of 0 deletes it."""

    name: str
    value: str
    max_age: int
    http_only: bool = True


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """An answer that is more than its body."""

    body: Body
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Lines(Generic[Line]):
    """An answer of JSON lines, made page by page while it is sent."""

    pages: AsyncIterator[Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation, as it is served and documented."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    status: int
    errors: tuple[type[ApiError], ...]
    caller: tuple[str, tuple[type[Caller], ...]] | None
    query: type[msgspec.Struct] | None
    body: Any
    answer: Any
    media: str
    security: Security

    async def __call__(self, request: Request) -> HTTPResponse | ResponseStream:
        call = Call(request, request.app.ctx.services)
        arguments: dict[str, Any] = {}
        if self.caller:
            name, kinds = self.caller
            arguments[name] = await authenticate(request, call.services, kinds, now=call.now)
        if self.query:
            arguments["query"] = decode_query(request, self.query)
        if self.body is not None:
            arguments["body"] = decode_body(request, self.body)
        return respond(await self.handler(call, **arguments), self.status, call)


class Routes:
    """The endpoints of one file."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **options: Any) -> Callable[[Decorated], Decorated]:
        """Declare what answers GET."""
        return self._declare("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Decorated], Decorated]:
        """Declare what answers POST."""
        return self._declare("POST", path, **options)

    def _declare(  # noqa: PLR0913 all that may be said of an endpoint
        self,
        method: str,
        path: str,
        *,
        summary: str,
        status: int = 200,
        errors: tuple[type[ApiError], ...] = (),
        media: str = JSON,
        security: Security | None = None,
    ) -> Callable[[Decorated], Decorated]:
        def declare(handler: Decorated) -> Decorated:
            hints = get_type_hints(handler, include_extras=True)
            named = ((name, callers_in(kind)) for name, kind in hints.items())
            caller = next((each for each in named if each[1]), None)
            shown = tuple((kind.scheme,) for kind in caller[1]) if caller else ()
            self.endpoints.append(
                Endpoint(
                    method,
                    path,
                    handler,
                    summary,
                    self.tag,
                    status,
                    errors,
                    caller,
                    hints.get("query"),
                    hints.get("body"),
                    answered_by(hints["return"]),
                    media,
                    shown if security is None else security,
                )
            )
            return handler

        return declare


def callers_in(kind: Any) -> tuple[type[Caller], ...]:
    """The kinds of callers that a parameter's type names."""
    return tuple(each for each in (get_args(kind) or (kind,)) if each in CALLERS)


def answered_by(kind: Any) -> Any:
    """The type of the body that an endpoint's return annotation promises."""
    return get_args(kind)[0] if get_origin(kind) is Answer else kind


def register(
    app: Sanic[Any, Any], routes: Routes, through: Callable[[Endpoint], Handler] | None = None
) -> None:
    """Serve the endpoints, each as what ``through`` makes of it; what answers GET answers HEAD."""
    for endpoint in routes.endpoints:
        name = re.sub(r"\W", "_", endpoint.method + endpoint.path)
        methods = ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]
        # Sanic takes streams too, but its types do not say so.
        answer: Any = through(endpoint) if through else endpoint.__call__
        app.add_route(answer, endpoint.path, methods=methods, name=name)


def decode_query(request: Request, kind: type[Given]) -> Given:
    """The query parameters as a struct; others are ignored. Raises Invalid."""
    return decode_fields(request.get_args(keep_blank_values=True), kind)


def decode_form(request: Request, kind: type[Given]) -> Given:
    """The fields of a form as a struct; empty ones are not there, others are ignored. Raises
    Unsupported, BadRequest, Invalid.
    """
    if media_type(request) != FORM:
        raise Unsupported(f"Send the form as {FORM}.")
    try:
        fields = parse_qs(request.body.decode(), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("The form cannot be understood.") from None
    return decode_fields(fields, kind)


def decode_fields(given: Mapping[str, list[str]], kind: type[Given]) -> Given:
    """Names and texts as a struct. Raises Invalid."""
    for name, values in given.items():
        if not name:
            raise BadRequest("There is a value without a name.")
        if len(values) > 1:
            raise Invalid(name, "it is there more than once")
    try:
        query = msgspec.convert({name: given[name][0] for name in given}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    for field in msgspec.structs.fields(kind):
        if field.encode_name in given and getattr(query, field.name) is None:
            raise Invalid(field.encode_name, "it has no value")  # it said "null"
    return query


def decode_body(request: Request, kind: Any) -> Any:
    """The JSON body. Raises Unsupported, BadRequest, and Invalid, which names field and row."""
    if media_type(request) != JSON:
        raise Unsupported(f"Send the body as {JSON}.")
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON.") from None


def media_type(request: Request) -> str:
    """Of the body, without parameters."""
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()


def invalid(error: msgspec.ValidationError) -> ApiError:
    """What a struct refused, in our words: ``… - at `$.hourly[3].model` `` names row and field."""
    reason, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`")
    steps = [step for step in path.replace("[", ".[").split(".") if step]
    rows = [int(step[1:-1]) for step in steps if step.startswith("[") and step[1:-1].isdigit()]
    names = [step for step in steps if not step.startswith("[")]
    if "required field" in reason or "unknown field" in reason:
        reason, _, rest = reason.partition(" `")
        names.append(rest.rstrip("`"))
    last = names[-1] if names else "body"
    return Invalid(last, plain(reason), row=rows[0] if rows else None)


def plain(reason: str) -> str:
    """``Expected `int`, got `str` `` in words for a person."""
    return reason.replace("`", "").replace("Object ", "The object ").lower()


def respond(result: Any, status: int, call: Call) -> HTTPResponse | ResponseStream:
    """An endpoint's result on the wire."""
    if isinstance(result, HTTPResponse):
        return result
    if isinstance(result, Lines):
        return ResponseStream(partial(send_lines, result), status, content_type=JSON_LINES)
    answer = result if isinstance(result, Answer) else Answer(result)
    response = answer.body
    if not isinstance(response, HTTPResponse):
        response = raw(msgspec.json.encode(answer.body), status, content_type=JSON)
    for cookie in answer.cookies:
        response.add_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.max_age,
            httponly=cookie.http_only,
            secure=call.settings.secure,
            samesite="Lax",
            path="/",
        )
    return response


async def send_lines(lines: Lines[Any], response: Any) -> None:
    """Send the pages one by one. When one cannot be had, the answer breaks off without its end, so
    that nobody takes it for complete.
    """
    encoder = msgspec.json.Encoder()
    async for page in lines.pages:
        await response.write(encoder.encode_lines(page))
