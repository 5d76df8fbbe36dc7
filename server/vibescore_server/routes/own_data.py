"""Taking one's own data along, or away (SRV-19)."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from msgspec import Struct

from vibescore_server.api import JSON_LINES, Call, Lines, Routes
from vibescore_server.auth import UserCaller
from vibescore_server.errors import Forbidden, TooMany
from vibescore_server.queries import accounts, devices, leaderboard, own_data
from vibescore_server.queries.own_data import HalfHour
from vibescore_server.routes.accounts import Done, UserInfo
from vibescore_server.routes.devices import DeviceInfo, info
from vibescore_server.routes.leaderboard import LeaderboardSettings
from vibescore_server.routes.words import instant, utc

routes = Routes("Own data")


class UserLine(UserInfo, tag_field="type", tag="user", rename="camel"):
    """The account, which comes first."""


class SettingsLine(LeaderboardSettings, tag_field="type", tag="settings"):
    """What was chosen."""


class DeviceLine(DeviceInfo, tag_field="type", tag="device"):
    """A computer."""


class UsageLine(Struct, tag_field="type", tag="usage"):
    """A half-hour, as a device sent it."""

    device_id: UUID
    hour_start: str
    source: str
    model: str
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int
    total_tokens: int


ExportLine = UserLine | SettingsLine | DeviceLine | UsageLine


class Farewell(Struct):
    """Shows that it is the user who wants it."""

    password: str


@routes.get(
    "/functions/vibescore-export",
    summary="All your data, a JSON object a line: account, settings, devices, usage",
    media=JSON_LINES,
)
async def export(call: Call, user: UserCaller) -> Lines[ExportLine]:
    return Lines(pages(call, user))


async def pages(call: Call, user: UserCaller) -> AsyncIterator[Sequence[ExportLine]]:
    """The lines, some at a time; at first what is not usage."""
    choice = await call.db.read(leaderboard.choice, user.id)
    yield [
        UserLine(user.id, user.email, user.name, instant(user.created_at), user.role),
        SettingsLine(choice.leaderboard_public, utc(choice.updated_at)),
    ]
    computers = [info(device) for device in await call.db.read(devices.listed, user.id)]
    yield [
        DeviceLine(*(getattr(each, name) for name in each.__struct_fields__)) for each in computers
    ]
    last = None
    while rows := await call.db.read(own_data.half_hours, user.id, after=last):
        yield [usage_line(row) for row in rows]
        last = rows[-1]


def usage_line(row: HalfHour) -> UsageLine:
    start, source, model, device_id, *tokens = row
    return UsageLine(device_id, instant(start), source, model, *tokens)


@routes.post(
    "/functions/vibescore-delete-account",
    summary="Remove your account and everything of yours, at once and for good",
    errors=(Forbidden, TooMany),
)
async def delete(call: Call, user: UserCaller, body: Farewell) -> Done:
    """Also the last administrator may go: the command line names another one."""
    most = call.settings.sign_in_per_minute
    await call.limit("password of", str(user.id), most=most, seconds=60)
    hashed = await call.db.read(accounts.password_of, user.id)
    if not await call.services.passwords.fits(body.password, hashed):
        raise Forbidden("The password is wrong.", code="INVALID_CREDENTIALS")
    await call.db.write(own_data.delete_account, user.id)
    return Done()
