"""Devices and their tokens (SRV-04)."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from peewee import fn

from vibescore_server.models import Device, DeviceToken
from vibescore_server.queries.accounts import hold_user
from vibescore_server.tokens import digest


class DeviceRow(NamedTuple):
    """A device as its user sees it; times are UTC seconds."""

    id: UUID
    name: str
    platform: str
    created_at: int
    last_seen_at: int | None
    last_sync_at: int | None
    revoked_at: int | None


class Computer(NamedTuple):
    """What a computer says of itself when it is linked; the same ``key`` is the same device."""

    name: str
    platform: str
    key: str | None = None


LISTED: tuple[Any, ...] = tuple(getattr(Device, name) for name in DeviceRow._fields)


def of_token(db: Any, token_hash: str) -> tuple[UUID, UUID] | None:
    """User and device of a token that holds."""
    row: tuple[UUID, UUID] | None = (
        DeviceToken.select(DeviceToken.user_id, DeviceToken.device_id)
        .where(DeviceToken.token_hash == token_hash, DeviceToken.revoked_at.is_null())
        .tuples()
        .bind(db)
        .first()
    )
    return row


def issue(db: Any, user_id: UUID, token: str, computer: Computer, *, now: int) -> UUID:
    """Link a computer: a new token for the device of its key, or for a new one. Raises UserGone."""
    hold_user(db, user_id)
    device = {"name": computer.name, "platform": computer.platform, "revoked_at": None}
    key = computer.key and digest(computer.key)
    linked = (
        Device.insert(user_id=user_id, id=uuid4(), key_hash=key, created_at=now, **device)
        .on_conflict(conflict_target=(Device.user_id, Device.key_hash), update=device)
        .returning(Device.id)
    )
    device_id: UUID
    ((device_id,),) = linked.tuples().execute(db)
    DeviceToken.insert(
        token_hash=digest(token), user_id=user_id, device_id=device_id, created_at=now
    ).execute(db)
    return device_id


def heartbeat(
    db: Any, user_id: UUID, device_id: UUID, *, interval: int, now: int
) -> tuple[bool, int] | None:
    """Note that a sync found nothing new, if the last one was ``interval`` seconds ago or more;
    answers whether it was noted, and when the last sync was. None when the device was revoked.
    """
    linked = (Device.user_id == user_id) & (Device.id == device_id) & Device.revoked_at.is_null()
    due = Device.last_sync_at.is_null() | (Device.last_sync_at <= now - interval)
    noted = Device.update(last_seen_at=now, last_sync_at=now).where(linked, due).execute(db)
    last: int | None = Device.select(Device.last_sync_at).where(linked).bind(db).scalar()
    return None if last is None else (bool(noted), last)


def renamed(db: Any, user_id: UUID, device_id: UUID, name: str) -> DeviceRow | None:
    """The device under its new name; None when the user has no such device."""
    mine = (Device.user_id == user_id) & (Device.id == device_id)
    Device.update(name=name).where(mine).execute(db)
    return _one(db, mine)


def revoked(db: Any, user_id: UUID, device_id: UUID, *, now: int) -> DeviceRow | None:
    """The device, its tokens worth nothing any more; None when the user has no such device."""
    mine = (Device.user_id == user_id) & (Device.id == device_id)
    Device.update(revoked_at=now).where(mine, Device.revoked_at.is_null()).execute(db)
    DeviceToken.update(revoked_at=now).where(
        DeviceToken.user_id == user_id,
        DeviceToken.device_id == device_id,
        DeviceToken.revoked_at.is_null(),
    ).execute(db)
    return _one(db, mine)


def _one(db: Any, mine: Any) -> DeviceRow | None:
    rows: Any = Device.select(*LISTED).where(mine).tuples().bind(db)
    return next(map(DeviceRow._make, rows), None)


def listed(db: Any, user_id: UUID) -> list[DeviceRow]:
    """All devices of a user, the oldest first."""
    asked: Any = Device.select(*LISTED).where(Device.user_id == user_id)
    oldest = asked.order_by(Device.created_at, Device.id)
    return [DeviceRow._make(row) for row in oldest.tuples().bind(db)]


def last_sync(db: Any, user_id: UUID) -> int | None:
    """When any of a user's devices, revoked ones too, last synced (UTC seconds)."""
    latest: int | None = (
        Device.select(fn.MAX(Device.last_sync_at))
        .where(Device.user_id == user_id)
        .bind(db)
        .scalar()
    )
    return latest
