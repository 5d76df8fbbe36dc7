"""The application: what surrounds every request."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from http import HTTPStatus
from threading import Event
from typing import Any

import msgspec
from sanic import HTTPResponse, Request, Sanic
from sanic.constants import HTTP_METHODS
from sanic.exceptions import MethodNotAllowed, SanicException
from sanic.http import Http
from sanic.models.server_types import ConnInfo
from sanic.response import BaseHTTPResponse, empty, raw

from vibescore_server import errors, openapi
from vibescore_server.api import API_VERSION, JSON, register
from vibescore_server.jobs.scheduler import Scheduler
from vibescore_server.queries.accounts import UserGone
from vibescore_server.routes import (
    accounts,
    administration,
    dashboard,
    devices,
    documentation,
    ingest,
    leaderboard,
    link_page,
    linking,
    operations,
    own_data,
    pages,
    rendering,
    tracker,
    usage,
)
from vibescore_server.services import Services
from vibescore_server.settings import Settings
from vibescore_server.span import zone_of

ROUTES = (
    accounts.routes,
    devices.routes,
    linking.routes,
    ingest.routes,
    tracker.routes,
    usage.routes,
    leaderboard.routes,
    own_data.routes,
    administration.routes,
    operations.routes,
    documentation.routes,
)
"""Every endpoint of the API."""

PAGES = (pages.routes, link_page.routes)
"""What people see in a browser."""

PAGE_PATHS = dashboard.ALONE.union(
    endpoint.path for routes in PAGES for endpoint in routes.endpoints
)
"""Where people are, so that errors are pages."""

KEEP_ALIVE_SECONDS = 75
"""A reverse proxy gives an idle connection up before we do: most wait for 60 seconds."""

UNGUARDED = ("/healthz", "/readyz", "/metrics")
"""Answered however busy the server is."""

HEADERS = {
    "X-Vibescore-Api": str(API_VERSION),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
"""Sent where people come by https."""

CALLED_WITH = ("Authorization", "Content-Type", "X-CSRF-Token", "X-Request-Id", "X-Vibescore-Api")
"""Headers that pages of other origins may send."""

TOLD = ("Retry-After", "X-Request-Id", "X-Vibescore-Api")
"""Headers that pages of other origins may read."""

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][:/@\s]+)(?::\d*)?", re.ASCII)
"""A name or an address, and maybe a port (RFC 9110, 7.2)."""

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""A request id that we take from outside: short and plain, so that it may stand in a log."""

PLAIN: Mapping[int, tuple[type[errors.ApiError], str]] = {
    404: (errors.NotFound, "There is nothing here."),
    408: (errors.TooSlow, "The request took too long to arrive."),
    413: (errors.TooLarge, "The request is too large."),
}
"""What Sanic refuses by itself."""

log = logging.getLogger("vibescore.requests")


class NamedRequest(Request):
    """A request whose ``id`` is safe to repeat."""

    @property
    def id(self) -> str:
        """The X-Request-Id that came with it, when it is short and plain; else a new one."""
        if self._id is None:
            given = self.headers.get("x-request-id", "")
            self._id = given if GIVEN_ID.fullmatch(given) else str(self.generate_id())
        return str(self._id)


def create_app(settings: Settings, *, now: Callable[[], float] = time.time) -> Sanic[Any, Any]:
    """The server as an application; ``now`` gives UTC seconds."""
    app: Sanic[Any, Any] = Sanic(
        "vibescore",
        request_class=NamedRequest,
        configure_logging=False,
        env_prefix="",  # settings are VIBESCORE_SERVER_* alone
    )
    app.config.update(
        REQUEST_MAX_SIZE=settings.max_body_bytes,
        REQUEST_TIMEOUT=settings.head_seconds,
        RESPONSE_TIMEOUT=settings.request_seconds,
        KEEP_ALIVE_TIMEOUT=KEEP_ALIVE_SECONDS,
        PROXIES_COUNT=settings.proxies or None,
        FALLBACK_ERROR_FORMAT="json",
        ACCESS_LOG=False,  # ours says less
        MOTD=False,
        USE_UVLOOP=False,  # it opens the mask that keeps signals for our thread (stopping)
        GRACEFUL_SHUTDOWN_TIMEOUT=float(settings.stop_seconds),
    )
    app.ctx.settings = settings
    app.ctx.connections = set()
    app.ctx.stopping = Event()
    app.ctx.document = cache(partial(openapi.document, ROUTES))
    app.ctx.dashboard = shown = dashboard.load(settings)

    @app.before_server_start
    async def start(app: Sanic[Any, Any]) -> None:
        app.ctx.loop = asyncio.get_running_loop()
        app.ctx.services = Services.start(settings, now)
        zone_of({"tz": "UTC"})  # all zones are listed now, not while somebody waits
        app.ctx.scheduler = Scheduler(app.ctx.services) if settings.scheduler else None

    @app.before_server_stop
    async def finish(app: Sanic[Any, Any]) -> None:
        app.ctx.stopping.set()
        for connection in tuple(app.ctx.connections):
            connection.finish()

    @app.after_server_stop
    async def stop(app: Sanic[Any, Any]) -> None:
        if app.ctx.scheduler:
            await app.ctx.scheduler.stop()
        app.ctx.services.stop()

    surround(app)
    for routes in (*ROUTES, *PAGES):
        register(app, routes, shown.before if shown else None)
    if shown:
        shown.register(app)
    return app


def surround(app: Sanic[Any, Any]) -> None:
    """Put around every request what is not an endpoint's business."""
    under_way: set[ConnInfo] = set()
    app.ctx.under_way = under_way
    app.register_middleware(before, "request")
    app.register_middleware(after, "response")
    app.exception(Exception)(explain)

    @app.signal("http.lifecycle.handle")
    async def begin(request: Request) -> None:
        request.ctx.began = time.perf_counter()
        assert isinstance(request.stream, Http)
        request.stream.upgrade_websocket = False  # it would switch the time limits off

    @app.signal("http.lifecycle.complete")
    async def gone(conn_info: ConnInfo) -> None:
        """However a connection ended, its request is no longer under way."""
        under_way.discard(conn_info)


async def before(request: Request) -> HTTPResponse | None:
    """Turn away what is not meant for us, what asks for another API, and what is too much."""
    settings = request.app.ctx.settings
    if not request.head:
        return None  # nobody could read it: what was wrong is known
    check_host(request, settings)
    check_origin(request, settings)
    check_version(request)
    note_under_way(request, request.app.ctx.under_way.add)
    if len(request.app.ctx.under_way) > settings.max_in_flight and request.path not in UNGUARDED:
        raise errors.Unavailable("The server is busy; try again.", retry_after=1, code="OVERLOADED")
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        return preflight(request, settings)
    return None


async def after(request: Request, response: BaseHTTPResponse) -> None:
    """What every answer carries."""
    settings = request.app.ctx.settings
    count(request, response)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings.secure:
        response.headers.update(HTTPS_ONLY)
    response.headers["X-Request-Id"] = request.id
    allow_origin(request, response, settings)


def count(request: Request, response: BaseHTTPResponse) -> None:
    """Count and log a request by what it asked for, not by who did."""
    note_under_way(request, request.app.ctx.under_way.discard)
    seconds = time.perf_counter() - getattr(request.ctx, "began", time.perf_counter())
    told = {
        "method": request.method if request.method in HTTP_METHODS else "other",
        "route": f"/{request.route.path}" if request.route else "none",
        "status": response.status,
    }
    request.app.ctx.services.metrics.requests.labels(**told).observe(seconds)
    log.info("request", extra={**told, "ms": round(seconds * 1000, 1), "request": request.id})


def note_under_way(request: Request, change: Callable[[ConnInfo | None], None]) -> None:
    """A connection has at most one request under way."""
    change(request.conn_info)
    request.app.ctx.services.metrics.under_way.set(len(request.app.ctx.under_way))


def check_host(request: Request, settings: Settings) -> None:
    """Refuse names that are not ours: a page elsewhere could point its name at us."""
    said = request.headers.getall("host", [])
    host = HOST.fullmatch(said[0].lower()) if len(said) == 1 else None
    if host is None or host[1] not in settings.hosts:
        raise errors.BadRequest(
            "This server does not answer to that name: VIBESCORE_SERVER_PUBLIC_URL or "
            "VIBESCORE_SERVER_ALLOWED_HOSTS has to name it.",
        )


def check_origin(request: Request, settings: Settings) -> None:
    """Refuse what a page elsewhere makes a browser send, which adds our cookie to it. Whoever sends
    no Origin is no browser.
    """
    origin = request.headers.get("origin")
    if request.method != "POST" or origin is None:
        return
    host = request.headers["host"].lower()
    ours = (f"http://{host}", f"https://{host}", settings.origin, *settings.allowed_origins)
    if origin not in ours:
        raise errors.Forbidden("Pages of this origin may not call.")


def check_version(request: Request) -> None:
    """Refuse clients of another API version; none is accepted (QUE-09)."""
    version = request.headers.get("x-vibescore-api", str(API_VERSION))
    if version != str(API_VERSION):
        raise errors.BadRequest(
            f"This server speaks API version {API_VERSION}; upgrade whichever is older.",
            code="API_VERSION",
        )


def preflight(request: Request, settings: Settings) -> HTTPResponse:
    """Whether a page of another origin may call (CORS). Raises Forbidden."""
    if request.headers.get("origin") not in settings.allowed_origins:
        raise errors.Forbidden("This origin may not call.")
    allowed = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": ", ".join(CALLED_WITH),
        "Access-Control-Max-Age": "600",
    }
    return empty(headers=allowed)


def allow_origin(request: Request, response: BaseHTTPResponse, settings: Settings) -> None:
    """Let pages of allowed origins read the answer; caches keep answers to others apart."""
    if not settings.allowed_origins:
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("origin")
    if origin in settings.allowed_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = ", ".join(TOLD)


async def explain(request: Request, error: Exception) -> HTTPResponse:
    """Every error as its answer; what we did not foresee says nothing (SRV-21)."""
    if isinstance(error, UserGone):
        error = errors.Unauthorized()
    answer = error if isinstance(error, errors.ApiError) else translated(request, error)
    if request.path in PAGE_PATHS:
        return rendering.failed(answer)
    body = msgspec.json.encode(answer.body())
    return raw(body, int(answer.status), headers=answer.headers, content_type=JSON)


def translated(request: Request, error: Exception) -> errors.ApiError:
    """Sanic's errors in ours."""
    status = error.status_code if isinstance(error, SanicException) else 500
    if status in PLAIN:
        kind, message = PLAIN[status]
        return kind(message)
    if isinstance(error, MethodNotAllowed):
        answer = errors.MethodNotAllowed("This method is not answered here.")
        answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods or ()))
        return answer
    if status < 500:
        return errors.BadRequest("The request cannot be understood.")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return errors.Unavailable("The server took too long; try again.", retry_after=5)
    log.error("request failed", exc_info=error, extra={"request": request.id})
    return errors.Internal()
