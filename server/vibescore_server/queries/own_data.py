"""Everything that is kept of a user: read page by page, or removed at once (SRV-19)."""

from typing import Any, NamedTuple
from uuid import UUID

from peewee import Tuple, Value

from vibescore_server.models import (
    Device,
    DeviceToken,
    Grant,
    IngestLog,
    RefreshToken,
    Usage,
    User,
    UserSettings,
)
from vibescore_server.queries import leaderboard
from vibescore_server.queries.accounts import hold_user

PAGE = 2_000
"""Half-hours that are in memory at a time."""


class HalfHour(NamedTuple):
    """A row of usage without its user; ``hour_start`` is UTC seconds."""

    hour_start: int
    source: str
    model: str
    device_id: UUID
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_output_tokens: int
    total_tokens: int

    @property
    def key(self) -> tuple[int, str, str, UUID]:
        """What tells it from the user's other rows, in the order of the pages."""
        return self[:4]


def half_hours(db: Any, user_id: UUID, *, after: HalfHour | None) -> list[HalfHour]:
    """The next page of a user's rows, in order of time; empty after the last."""
    key: Any = (Usage.hour_start, Usage.source, Usage.model, Usage.device_id)
    columns = (getattr(Usage, name) for name in HalfHour._fields)
    asked = Usage.select(*columns).where(Usage.user_id == user_id)
    if after is not None:
        last = (Value(each, of.db_value) for of, each in zip(key, after.key, strict=True))
        asked = asked.where(Tuple(*key) > Tuple(*last))
    rows: Any = asked.order_by(*key).limit(PAGE).tuples().bind(db)
    return [HalfHour(*row) for row in rows]


def delete_account(db: Any, user_id: UUID) -> None:
    """Remove a user and everything of theirs. Devices go first: that waits for what they are just
    sending, and nothing is taken from them afterwards. Raises UserGone.
    """
    hold_user(db, user_id)
    for table in (
        Device,
        DeviceToken,
        Grant,
        RefreshToken,
        Usage,
        UserSettings,
        IngestLog,
    ):
        table.delete().where(table.user_id == user_id).execute(db)
    leaderboard.leave(db, user_id)
    User.delete().where(User.id == user_id).execute(db)
