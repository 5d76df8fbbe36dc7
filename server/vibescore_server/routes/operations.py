"""For whoever runs the server: is it alive, is it ready, what does it do (SRV-22)."""

from uuid import UUID

from msgspec import Struct
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sanic import HTTPResponse
from sanic.response import raw

from vibescore_server.api import Call, Routes
from vibescore_server.auth import bearer, user_of
from vibescore_server.errors import NotFound, Unauthorized, Unavailable
from vibescore_server.migrations import pending
from vibescore_server.tokens import same

routes = Routes("Operations")


class Health(Struct):
    status: str


class Ready(Struct):
    status: str = "ready"
    database: str = "ok"
    migrations: str = "ok"


class Seen(Struct, rename="camel"):
    """What the server sees of a caller; there is no anonymous key."""

    has_anon_key: bool
    has_bearer: bool
    auth_ok: bool
    user_id: UUID | None
    error: str | None


@routes.get("/healthz", summary="The process is alive")
async def alive(call: Call) -> Health:  # noqa: ARG001
    return Health("ok")


@routes.get("/readyz", summary="The database answers and is up to date", errors=(Unavailable,))
async def ready(call: Call) -> Ready:
    if await call.db.read(pending):
        raise Unavailable("The database lacks a migration.", retry_after=5)
    return Ready()


@routes.get(
    "/metrics",
    summary="Figures for Prometheus, where VIBESCORE_SERVER_METRICS_TOKEN is set",
    errors=(NotFound, Unauthorized),
    media="text/plain",
    security=(("metrics",),),
)
async def metrics(call: Call) -> HTTPResponse:
    expected = call.settings.metrics_token
    if expected is None:
        raise NotFound("There is nothing here.")
    if not same(bearer(call.request) or "", expected.get_secret_value()):
        raise Unauthorized
    return raw(call.services.metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@routes.get(
    "/functions/vibescore-debug-auth",
    summary="Whether an access token is good, and whose it is",
    security=(("user",), ()),
)
async def debug_auth(call: Call) -> Seen:
    token = bearer(call.request)
    user = await user_of(token, call.services, now=call.now) if token else None
    return Seen(
        has_anon_key=False,
        has_bearer=token is not None,
        auth_ok=user is not None,
        user_id=user.id if user else None,
        error=Unauthorized.default_code if token and not user else None,
    )
