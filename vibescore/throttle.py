"""When may rows be sent, and when is a heartbeat due? Pure functions of what is remembered and of
the time (QUE-03, QUE-05, QUE-07).

Three things hold a sync back. Our own throttle: an automatic sync attempts one upload every half
hour. Our backoff after failures. And the server's ``Retry-After``, the only one that holds a manual
sync, too. All times are UTC seconds of this computer's clock, all spans are seconds.
"""

from enum import Enum
from typing import NamedTuple

INTERVAL = 1800.0
JITTER = 60.0
SHORTEST_BACKOFF, LONGEST_BACKOFF = 60.0, 1800.0
LONGEST_HOLD = 7 * 86_400.0
"""A ``Retry-After`` beyond a week is taken for a mistake and counts as a week."""

TRIES = 3
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
SHORTEST_HEARTBEAT = 60.0


class Pace(NamedTuple):
    """What is remembered between runs; ``failures`` are runs in a row that ended in an error."""

    throttled_until: float = 0.0
    backoff_until: float = 0.0
    held_until: float = 0.0
    failures: int = 0
    heartbeat_due: float = 0.0


class Effort(Enum):
    """What a sync is ready to do: an automatic one waits its turn and sends little, a manual one
    sends all, and draining also sends again what the server refused before (QUE-06).
    """

    AUTO = "auto"
    MANUAL = "manual"
    DRAIN = "drain"


class Errand(Enum):
    """What a sync has to do at the server."""

    NOTHING = "nothing"
    UPLOAD = "upload"
    HEARTBEAT = "heartbeat"
    WAIT = "wait"


def errand(pace: Pace, now: float, *, rows: int, effort: Effort) -> Errand:
    """What there is to do now, with so many rows in the queue."""
    if not rows:
        return Errand.HEARTBEAT if is_heartbeat_due(pace, now) else Errand.NOTHING
    until = next_auto(pace, now) if effort is Effort.AUTO else held_until(pace, now)
    return Errand.WAIT if until > now else Errand.UPLOAD


def recalled(kept: object, key: str) -> Pace:
    """The pace that was kept for a link, a new one when it was another's or makes no sense."""
    match kept:
        case [str(name), *numbers] if name == key and len(numbers) == len(Pace._fields):
            if all(isinstance(number, int | float) for number in numbers):
                return Pace._make(numbers)
    return Pace()


def attempted(pace: Pace, now: float, *, lot: float) -> Pace:
    """An automatic sync begins to upload; ``lot`` from 0 to 1 spreads the devices over a minute."""
    return pace._replace(throttled_until=now + INTERVAL + JITTER * lot)


def failed(pace: Pace, now: float, *, retry_after: float | None = None) -> Pace:
    """The run ended in an error; where the server says how long to wait, that replaces the
    backoff, which doubles with every failure.
    """
    failures = pace.failures + 1
    doubled = SHORTEST_BACKOFF * 2 ** min(failures - 1, 10)
    backoff = 0.0 if retry_after else now + min(doubled, LONGEST_BACKOFF)
    held = now + min(retry_after, LONGEST_HOLD) if retry_after else 0.0
    return pace._replace(
        failures=failures, backoff_until=backoff, held_until=max(held, held_until(pace, now))
    )


def succeeded(pace: Pace) -> Pace:
    """The server answered well: nothing but the throttle is left."""
    return pace._replace(failures=0, backoff_until=0.0, held_until=0.0)


def heard(pace: Pace, now: float, *, due: float, interval: float = INTERVAL) -> Pace:
    """The server knows that this computer synced; ``due`` is when it wants to hear again.

    That is a time of the server's clock: were ours far off, it would be believed within bounds.
    """
    return pace._replace(heartbeat_due=min(max(due, now + SHORTEST_HEARTBEAT), now + interval))


def held_until(pace: Pace, now: float) -> float:
    """Until when the server wants no request at all, 0 when it takes them."""
    return _standing(pace.held_until, now, LONGEST_HOLD)


def next_auto(pace: Pace, now: float) -> float:
    """When an automatic sync may upload; ``now`` if it may."""
    return max(
        now,
        _standing(pace.throttled_until, now, INTERVAL + JITTER),
        _next_request(pace, now),
    )


def _next_request(pace: Pace, now: float) -> float:
    """When a sync may make any request by itself: neither in backoff nor held."""
    backoff = _standing(pace.backoff_until, now, LONGEST_BACKOFF)
    return max(now, backoff, held_until(pace, now))


def is_heartbeat_due(pace: Pace, now: float) -> bool:
    """Whether the server should hear of a sync that found nothing new."""
    waits = _standing(pace.heartbeat_due, now, LONGEST_HOLD)
    return not waits and _next_request(pace, now) <= now


def pause(tries: int, retry_after: float | None, *, lot: float) -> float | None:
    """Seconds before the next try within a run, None when the run is over: after three tries, or
    when the server asked for more than five seconds. ``lot`` is from 0 to 1.
    """
    if tries >= TRIES or (retry_after or 0.0) > LONGEST_PAUSE:
        return None
    grown: float = SHORTEST_PAUSE * 3 ** (tries - 1)
    return max(min(grown * (1 + lot), LONGEST_PAUSE), retry_after or 0.0)


def retry_after(text: str | None, now: float) -> float | None:
    """The seconds that a ``Retry-After`` means (RFC 9110, 10.2.3: seconds or a date); None when
    there is none that can be understood.
    """
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    if text is None:
        return None
    if (seconds := text.strip()).isascii() and seconds.isdecimal():
        return float(seconds[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now, 0.0)


def _standing(until: float, now: float, longest: float) -> float:
    """A time to wait for, 0 when there is none; one farther ahead than any that is ever set was
    set by a clock that went wrong.
    """
    return until if now < until <= now + longest else 0.0
