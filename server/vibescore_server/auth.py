"""Who calls: the bearer token of a request tells it (api.md, conventions).

A token of another kind than the endpoint takes is worth nothing there: 401. The right kind without
the role: 403. While the database cannot be asked: 503.
"""

from typing import ClassVar
from uuid import UUID

from msgspec import Struct
from sanic import Request

from vibescore_server.errors import Forbidden, Unauthorized
from vibescore_server.queries import accounts, devices
from vibescore_server.services import Services
from vibescore_server.tokens import digest, same


class Caller(Struct, frozen=True):
    """Whoever an endpoint works for; ``scheme`` is what the document calls their token."""

    scheme: ClassVar[str]


class UserCaller(Caller, frozen=True):
    """A person, by an access token."""

    scheme: ClassVar[str] = "user"
    id: UUID
    email: str
    name: str | None
    role: str
    created_at: int


class AdminCaller(UserCaller, frozen=True):
    """A person whose role is admin."""

    scheme: ClassVar[str] = "admin"


class DeviceCaller(Caller, frozen=True):
    """A linked computer, by its device token."""

    scheme: ClassVar[str] = "device"
    user_id: UUID
    id: UUID


class ServiceCaller(Caller, frozen=True):
    """A script of whoever runs the server, by the service token."""

    scheme: ClassVar[str] = "service"


CALLERS: tuple[type[Caller], ...] = (UserCaller, AdminCaller, DeviceCaller, ServiceCaller)


def bearer(request: Request) -> str | None:
    """The token of ``Authorization: Bearer …`` (RFC 6750, 2.1)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def authenticate(
    request: Request, services: Services, kinds: tuple[type[Caller], ...], *, now: int
) -> Caller:
    """The caller, of one of these kinds. Raises Unauthorized, Forbidden and Unavailable."""
    token = bearer(request)
    if token is None:
        raise Unauthorized
    if ServiceCaller in kinds and is_service(token, services):
        return ServiceCaller()
    if DeviceCaller in kinds and (
        device := await services.database.read(devices.of_token, digest(token))
    ):
        return DeviceCaller(*device)
    if user := await user_of(token, services, now=now):
        if UserCaller in kinds:
            return user
        if AdminCaller in kinds and user.role == accounts.ADMIN:
            return AdminCaller(user.id, user.email, user.name, user.role, user.created_at)
        if AdminCaller in kinds:
            raise Forbidden("This needs an administrator.")
    raise Unauthorized


def is_service(token: str, services: Services) -> bool:
    """Whether this is the configured service token."""
    expected = services.settings.service_token
    return expected is not None and same(token, expected.get_secret_value())


async def user_of(token: str, services: Services, *, now: int) -> UserCaller | None:
    """Who an access token speaks for, if there still is such a user (SRV-17)."""
    user_id = services.signer.user_of(token, now=now)
    if user_id is None:
        return None
    user = await services.database.read(accounts.user_by_id, user_id)
    return user and UserCaller(*user)
