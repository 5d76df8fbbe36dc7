"""Devices: issuing their tokens, and their user's view of them (SRV-04)."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from vibescore_server.api import Call, Routes
from vibescore_server.auth import ServiceCaller, UserCaller
from vibescore_server.errors import Invalid, NotFound
from vibescore_server.queries import accounts, devices
from vibescore_server.queries.devices import Computer, DeviceRow
from vibescore_server.routes.words import DeviceKey, Name, Platform, instant, utc
from vibescore_server.tokens import new_token

routes = Routes("Devices")


class Issue(Struct):
    device_name: Name
    platform: Platform
    device_key: DeviceKey | None = None
    user_id: Annotated[UUID, Meta(description="For the service token: whose device")] | None = None


class Issued(Struct):
    device_id: UUID
    token: str
    created_at: str


class DeviceInfo(Struct):
    device_id: UUID
    device_name: str
    platform: str
    created_at: str
    last_seen_at: str | None
    last_sync_at: str | None
    revoked_at: str | None


class DeviceList(Struct):
    devices: list[DeviceInfo]


class OneDevice(Struct):
    device: DeviceInfo


class Rename(Struct):
    device_id: UUID
    device_name: Name


class Revoke(Struct):
    device_id: UUID


@routes.post(
    "/functions/vibescore-device-token-issue", summary="Link a computer", errors=(NotFound,)
)
async def issue(call: Call, caller: UserCaller | ServiceCaller, body: Issue) -> Issued:
    token = new_token()
    device_id = await call.db.write(
        devices.issue,
        await _owner(call, caller, body.user_id),
        token,
        Computer(body.device_name.strip(), body.platform, body.device_key),
        now=call.now,
    )
    return Issued(device_id, token, instant(call.now))


async def _owner(call: Call, caller: UserCaller | ServiceCaller, user_id: UUID | None) -> UUID:
    """Whose device is issued: the user's own, or that of whom the service names."""
    if isinstance(caller, UserCaller):
        return caller.id
    if user_id is None:
        raise Invalid("user_id", "the service token needs the id of a user")
    if await call.db.read(accounts.user_by_id, user_id) is None:
        raise NotFound("There is no such user.")
    return user_id


@routes.get("/functions/vibescore-devices", summary="Your devices, the oldest first")
async def listed(call: Call, user: UserCaller) -> DeviceList:
    return DeviceList([info(each) for each in await call.db.read(devices.listed, user.id)])


@routes.post("/functions/vibescore-device-update", summary="Rename a device", errors=(NotFound,))
async def rename(call: Call, user: UserCaller, body: Rename) -> OneDevice:
    name = body.device_name.strip()
    return _found(await call.db.write(devices.renamed, user.id, body.device_id, name))


@routes.post(
    "/functions/vibescore-device-revoke",
    summary="End a device's access; what it sent stays",
    errors=(NotFound,),
)
async def revoke(call: Call, user: UserCaller, body: Revoke) -> OneDevice:
    return _found(await call.db.write(devices.revoked, user.id, body.device_id, now=call.now))


def _found(device: DeviceRow | None) -> OneDevice:
    if device is None:
        raise NotFound("You have no such device.")
    return OneDevice(info(device))


def info(device: DeviceRow) -> DeviceInfo:
    return DeviceInfo(
        device.id,
        device.name,
        device.platform,
        instant(device.created_at),
        utc(device.last_seen_at),
        utc(device.last_sync_at),
        utc(device.revoked_at),
    )
