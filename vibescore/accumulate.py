"""The event ledger as a pure function: events met again are joined, and only the difference counts
(COL-08).

Joining does not care about order: the larger total wins, the earlier half-hour stays, a known
model beats ``unknown``. So any order of files, any split and any repetition end in the same sums
(BKF-08).
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec
from msgspec import Struct

from vibescore.digest import blake2b
from vibescore.model import (
    LARGEST_COUNT,
    UNKNOWN,
    ZERO,
    Bucket,
    EventId,
    Mark,
    RunningTotal,
    TokenTotals,
    Usage,
    UsageEvent,
    half_hour,
    model_name,
)

LAST_SECOND = 253_402_300_800


class Counted(NamedTuple):
    """What an event counts, and which file it was read from."""

    file: int
    bucket: Bucket
    tokens: TokenTotals


class Standing(Enum):
    """What became of the reading that an event was met in."""

    CURRENT = "current"
    VANISHED = "vanished"
    """Its file is gone or was rewritten: a file that shows the event again becomes its owner."""
    OUTDATED = "outdated"
    """Its file is about to be counted again: what another file tells of the event holds."""


class Known(NamedTuple):
    """What the ledger holds of an event: which file it was read from, and what it counts.

    ``counted`` is None when the event is closed (COL-11).
    """

    file: int
    counted: Counted | None
    standing: Standing = Standing.CURRENT


class Met(Struct, frozen=True, array_like=True, gc=False):
    """Usage as it was just read, its id hashed, its time cut to the half-hour.

    Without ``tokens`` it is a copy whose count is to be taken back, or a ``mark``; ``running``
    tells a running total.
    """

    id: int
    start: int = 0
    model: str = UNKNOWN
    tokens: TokenTotals | None = None
    running: bool = False
    mark: bool = False


class Change(Struct):
    """What a run of events changes: the ledger's entries (None: taken back), its marks and the
    files they were met in, and sums by file and bucket.
    """

    events: dict[int, Counted | None] = {}
    marks: dict[int, int] = {}
    sums: dict[tuple[int, Bucket], TokenTotals] = {}

    def replace(self, event: int, before: Counted | None, after: Counted | None) -> None:
        """Let an event count ``after`` instead of ``before``."""
        if before == after:
            return
        self.events[event] = after
        if before is not None:
            key = (before.file, before.bucket)
            self.sums[key] = self.sums.get(key, ZERO) - before.tokens
        if after is not None:
            self.count(after)

    def count(self, counted: Counted) -> None:
        """Add tokens to the sums."""
        key = (counted.file, counted.bucket)
        self.sums[key] = self.sums.get(key, ZERO) + counted.tokens


def event_hash(source: str, event: EventId) -> int:
    """64 bits of an event's id, signed as SQLite has it; the id itself goes no further."""
    digest = blake2b(msgspec.msgpack.encode((source, event)), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def is_in_range(at: float, tokens: TokenTotals) -> bool:
    """Whether a time lies from 1970 to 9999 and every counter from 0 to below 2^48, which
    leaves room for sums in 64 bits. Raises TypeError for what is no number or no integer.
    """
    input, cached, output, reasoning, total = tokens.counters
    if not type(input) is type(cached) is type(output) is type(reasoning) is type(total) is int:
        raise TypeError("a counter is an integer")
    bits = input | cached | output | reasoning | total  # negative if one is
    return 0 <= at < LAST_SECOND and 0 <= bits < LARGEST_COUNT


def meet(source: str, usage: Usage) -> Met:
    """What the ledger needs of usage."""
    id = event_hash(source, usage.id)
    if isinstance(usage, (UsageEvent, RunningTotal)):
        running = isinstance(usage, RunningTotal)
        return Met(id, half_hour(usage.at), model_name(usage.model), usage.tokens, running)
    return Met(id, mark=isinstance(usage, Mark))


def accumulate(
    change: Change, known: Mapping[int, Known], met: Iterable[Met], *, file: int, source: str
) -> None:
    """Add to ``change`` what the events and marks ``met`` in a file change, given what is ``known``
    of them; running totals are not ours.
    """
    new: dict[tuple[str, int], list[TokenTotals]] = {}
    buckets: dict[tuple[str, int], Bucket] = {}
    for event in met:
        place = (event.model, event.start)
        if event.mark:
            change.marks[event.id] = file
        elif event.running:
            continue
        elif event.id in change.events or event.id in known:
            after = None
            if event.tokens is not None:
                after = Counted(file, Bucket(source, *place), event.tokens)
            _meet_again(change, event.id, after, known.get(event.id))
        elif event.tokens is not None:
            bucket = buckets.get(place) or buckets.setdefault(place, Bucket(source, *place))
            change.events[event.id] = Counted(file, bucket, event.tokens)
            new.setdefault(place, []).append(event.tokens)
    for place, tokens in new.items():
        change.count(Counted(file, buckets[place], TokenTotals.total(tokens)))


def _meet_again(change: Change, id: int, after: Counted | None, known: Known | None) -> None:
    """An event that was met before, in this run or in an earlier one, counts once; one that was
    taken back (``after`` is None) does not count; one that is closed stays as it is.
    """
    if id in change.events:
        before, standing = change.events[id], Standing.CURRENT
    elif known is None or known.counted is None:
        return
    else:
        before, standing = known.counted, known.standing
    if before is not None and after is not None and standing is not Standing.OUTDATED:
        owner = before.file if standing is Standing.CURRENT else after.file
        after = join(before, after, owner=owner)
    change.replace(id, before, after)


def join(one: Counted, other: Counted, *, owner: int) -> Counted:
    """The one count of an event that was met twice, owned by the file ``owner``."""
    bucket = Bucket(
        one.bucket.source,
        min(one.bucket.model, other.bucket.model, key=lambda name: (name == UNKNOWN, name)),
        min(one.bucket.start, other.bucket.start),
    )
    return Counted(owner, bucket, max(one.tokens, other.tokens, key=_size))


def _size(tokens: TokenTotals) -> tuple[int, ...]:
    return (tokens.total_tokens, *tokens.counters)


def growth(before: TokenTotals, now: TokenTotals) -> TokenTotals:
    """What a running total grew by; a total that fell started anew elsewhere and counts nothing.

    Where a part fell while the whole grew, the others are cut to the whole: what is in normal form
    grows in normal form.
    """
    if now.total_tokens <= before.total_tokens:
        return ZERO
    parts = zip(now.counters, before.counters, strict=True)
    input, cached, output, reasoning, total = (max(new - old, 0) for new, old in parts)
    if all(its.total_tokens == its.input_tokens + its.output_tokens for its in (before, now)):
        input = min(input, total)
        output = total - input
        cached, reasoning = min(cached, input), min(reasoning, output)
    return TokenTotals(input, cached, output, reasoning, total)
