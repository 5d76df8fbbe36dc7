"""The event ledger as a pure function: events met again are joined, and only the difference counts
(COL-08).

Joining does not care about order: the larger total wins, the earlier half-hour stays, a known
model beats ``unknown``. So any order of files, any split and any repetition end in the same sums
(BKF-08).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vibescore.model import UNKNOWN, ZERO, Bucket, TokenTotals


class Counted(NamedTuple):
    """What an event counts, and which file it was read from."""

    file: int
    bucket: Bucket
    tokens: TokenTotals


class Known(NamedTuple):
    """What the ledger holds of an event: which file it was read from, and what it counts.

    ``counted`` is None when the event is closed (COL-11). ``vanished`` says that the file is gone
    or was rewritten, so that a file which shows the event again becomes its owner.
    """

    file: int
    counted: Counted | None
    vanished: bool = False


class Met(NamedTuple):
    """An event as it was just read; without ``counted`` it is a copy whose count is to be taken
    back.
    """

    id: int
    counted: Counted | None


@dataclass(slots=True)
class Change:
    """What a run of events changes: the ledger's entries (None: taken back) and sums by file and
    bucket.
    """

    events: dict[int, Counted | None] = field(default_factory=dict)
    sums: dict[tuple[int, Bucket], TokenTotals] = field(default_factory=dict)

    def count(self, counted: Counted) -> None:
        key = (counted.file, counted.bucket)
        self.sums[key] = self.sums.get(key, ZERO) + counted.tokens

    def discount(self, counted: Counted) -> None:
        key = (counted.file, counted.bucket)
        self.sums[key] = self.sums.get(key, ZERO) - counted.tokens


def accumulate(
    known: Mapping[int, Known], met: Iterable[Met], change: Change | None = None
) -> Change:
    """What the events ``met`` change beyond ``change``, given what is ``known`` of their ids."""
    change = Change() if change is None else change
    for event in met:
        before, after = _before_and_after(known.get(event.id), change.events, event)
        if before == after:
            continue
        if before is not None:
            change.discount(before)
        if after is not None:
            change.count(after)
        change.events[event.id] = after
    return change


def _before_and_after(
    known: Known | None, changed: Mapping[int, Counted | None], event: Met
) -> tuple[Counted | None, Counted | None]:
    """What the event counted so far, and what it counts from now on."""
    vanished = False
    if event.id in changed:
        before = changed[event.id]
    elif known is None:
        before = None
    elif known.counted is None:
        return None, None
    else:
        before, vanished = known.counted, known.vanished
    if event.counted is None or before is None:
        return before, event.counted
    return before, join(
        before, event.counted, owner=event.counted.file if vanished else before.file
    )


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
    """What a running total grew by; a total that fell started anew elsewhere and counts nothing."""
    if now.total_tokens <= before.total_tokens:
        return ZERO
    return TokenTotals(
        *(max(new - old, 0) for new, old in zip(now.counters, before.counters, strict=True))
    )
