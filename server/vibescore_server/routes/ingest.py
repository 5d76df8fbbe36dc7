"""Taking half-hour sums from devices (SRV-01, SRV-02)."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from vibescore_server.api import Call, Routes
from vibescore_server.auth import DeviceCaller
from vibescore_server.errors import BadRequest, Invalid, TooLarge, TooMany, Unauthorized
from vibescore_server.queries import ingest
from vibescore_server.queries.ingest import Row
from vibescore_server.queries.limits import Limit
from vibescore_server.routes.words import PLAIN

HALF_HOUR = 1800
MOST_ROWS = 500
NO_OFFSET = timedelta(0)

Tokens = Annotated[int, Meta(ge=0, le=2**63 - 1)]

routes = Routes("Tracker")


class HalfHour(Struct, forbid_unknown_fields=True):
    """Totals of a half-hour so far; they replace what is kept for its key."""

    hour_start: Annotated[datetime, Meta(tz=True, description="UTC, at :00 or :30")]
    input_tokens: Tokens
    cached_input_tokens: Tokens
    output_tokens: Tokens
    reasoning_output_tokens: Tokens
    total_tokens: Tokens
    source: Annotated[str, Meta(max_length=64, pattern=PLAIN)] = ""
    model: Annotated[str, Meta(max_length=128, pattern=PLAIN)] = ""


class Hourly(Struct):
    hourly: list[HalfHour]


class Batch(Struct):
    """``hourly``, or ``data`` with the same; anything else is ignored."""

    hourly: list[HalfHour] | UnsetType = UNSET
    data: list[HalfHour] | Hourly | UnsetType = UNSET


class Taken(Struct):
    success: bool
    inserted: int
    skipped: int


@routes.post(
    "/functions/vibescore-ingest",
    summary="Send up to 500 half-hours; sending them again changes nothing",
    errors=(TooLarge, TooMany),
)
async def take(call: Call, device: DeviceCaller, body: list[HalfHour] | Batch) -> Taken:
    rows = rows_of(body)
    limit = Limit(f"ingest\0{device.id}", call.settings.ingest_per_minute, seconds=60)
    try:
        taken = await call.write_within(limit, ingest.take, device.user_id, device.id, rows)
    except ingest.DeviceGone:
        raise Unauthorized from None
    call.services.metrics.rows.labels("inserted").inc(taken.inserted)
    call.services.metrics.rows.labels("skipped").inc(taken.skipped)
    return Taken(success=True, inserted=taken.inserted, skipped=taken.skipped)


def rows_of(body: list[HalfHour] | Batch) -> list[Row]:
    """The rows of any of the four forms. Raises BadRequest, TooLarge, Invalid."""
    half_hours = _listed(body)
    if len(half_hours) > MOST_ROWS:
        raise TooLarge(f"Send at most {MOST_ROWS} rows at a time; these are {len(half_hours)}.")
    return [_row(number, each) for number, each in enumerate(half_hours)]


def _listed(body: list[HalfHour] | Batch) -> list[HalfHour]:
    if isinstance(body, list):
        return body
    if isinstance(body.hourly, list):
        return body.hourly
    if isinstance(body.data, UnsetType):
        raise BadRequest("There is neither 'hourly' nor 'data' in the body.")
    return body.data if isinstance(body.data, list) else body.data.hourly


def _row(number: int, half_hour: HalfHour) -> Row:
    return Row(
        _start(number, half_hour.hour_start),
        half_hour.source.strip().lower() or "codex",
        half_hour.model.strip() or "unknown",
        half_hour.input_tokens,
        half_hour.cached_input_tokens,
        half_hour.output_tokens,
        half_hour.reasoning_output_tokens,
        half_hour.total_tokens,
    )


def _start(number: int, moment: datetime) -> int:
    """UTC seconds of a half-hour."""
    if moment.utcoffset() != NO_OFFSET:
        raise Invalid("hour_start", "give it in UTC, with Z", row=number)
    seconds = moment.timestamp()
    if seconds < 0 or seconds % HALF_HOUR:
        raise Invalid("hour_start", "a half-hour begins at :00 or :30 sharp", row=number)
    return int(seconds)
