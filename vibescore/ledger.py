"""Between plugins and the store: usage becomes counted events, committed batch by batch
(QUE-01).
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from vibescore.accumulate import Counted, Known, Met, accumulate, growth
from vibescore.model import (
    LARGEST_COUNT,
    ZERO,
    Bucket,
    Copy,
    EventId,
    RunningTotal,
    Skips,
    Usage,
    UsageEvent,
    half_hour,
    model_name,
)
from vibescore.store import Batch, FileRow, Store

EVENTS_PER_BATCH = 20_000
FILES_PER_BATCH = 64
LAST_SECOND = 253_402_300_800
OUT_OF_RANGE = "numbers out of range"
RUNNING = "running totals"


class Ledger:
    """Collects what readings count and commits it in batches.

    ``today`` is the day since 1970. ``recounted`` are readings about to be read again: what they
    hold is not known.
    """

    def __init__(self, store: Store, *, today: int, recounted: Iterable[int] = ()) -> None:
        self.events = 0
        self._store = store
        self._today = today
        self._recounted = set(recounted)
        self._vanished: set[int] = set()
        self._next_id = store.last_file_id() + 1
        self._batch = Batch()
        self._running_rows: dict[str, int] = {}

    @property
    def full(self) -> bool:
        batch = self._batch
        return len(batch.change.events) >= EVENTS_PER_BATCH or len(batch.files) >= FILES_PER_BATCH

    def keep(self, row: FileRow) -> FileRow:
        """Write ``row`` with the next commit; a row with id 0 is new and gets one."""
        if not row.id:
            row.id = self._next_id
            self._next_id += 1
        self._batch.files[row.id] = row
        return row

    def vanish(self, row: FileRow) -> None:
        """The file of ``row`` is gone or rewritten: its sums stay, and a file that shows its
        events takes them over.
        """
        row.path = None
        self._vanished.add(row.id)
        self.keep(row)

    def forget(self, row: FileRow) -> None:
        """Take ``row`` out of all sums: its file is counted again."""
        self._batch.files.pop(row.id, None)
        self._batch.forgotten.append(row.id)

    def seen(self, source: str, event: EventId) -> bool:
        """Whether an event was met before, in this batch or an earlier one."""
        id = event_hash(source, event)
        if id in self._batch.change.events:
            return self._batch.change.events[id] is not None
        return self._store.seen(id)

    def add(self, row: FileRow, usage: Iterable[Usage], skips: Skips) -> None:
        """Count what was read from the file of ``row``."""
        met = []
        for item in usage:
            if not isinstance(item, Copy) and not _in_range(item):
                skips.add(OUT_OF_RANGE)
            elif isinstance(item, RunningTotal):
                self._grow(row.source, item)
            else:
                met.append(_met(row, item))
        if met:
            self.events += len(met)
            accumulate(self._known(met), met, self._batch.change)

    def _known(self, met: Iterable[Met]) -> dict[int, Known]:
        """What the store knows of events that this batch does not."""
        known = self._store.known(
            event.id for event in met if event.id not in self._batch.change.events
        )
        return {
            id: event._replace(vanished=True) if event.file in self._vanished else event
            for id, event in known.items()
            if event.file not in self._recounted
        }

    def _grow(self, source: str, total: RunningTotal) -> None:
        """Growth cannot be read again, so it belongs to a row without a file, which is never
        recounted.
        """
        id = event_hash(source, total.id)
        before = self._batch.running.get(id) or self._store.running(id) or ZERO
        grown = growth(before, total.tokens)
        if grown:
            self.events += 1
            self._batch.running[id] = total.tokens
            self._batch.change.count(
                Counted(self._running_row(source), _bucket(source, total), grown)
            )

    def _running_row(self, source: str) -> int:
        if source not in self._running_rows:
            known = self._store.readings(source, RUNNING)
            row = known[0] if known else FileRow(0, source, None, RUNNING)
            self._running_rows[source] = self.keep(row).id
        return self._running_rows[source]

    def commit(self) -> None:
        """Write everything collected since the last commit, at once."""
        batch, self._batch = self._batch, Batch()
        if batch.files or batch.forgotten:
            self._store.write(batch, today=self._today)


def _in_range(usage: UsageEvent | RunningTotal) -> bool:
    counters = usage.tokens.counters
    return 0 <= usage.at < LAST_SECOND and min(counters) >= 0 and max(counters) <= LARGEST_COUNT


def _met(row: FileRow, event: UsageEvent | Copy) -> Met:
    id = event_hash(row.source, event.id)
    if isinstance(event, Copy):
        return Met(id, None)
    return Met(id, Counted(row.id, _bucket(row.source, event), event.tokens))


def _bucket(source: str, usage: UsageEvent | RunningTotal) -> Bucket:
    return Bucket(source, model_name(usage.model), half_hour(usage.at))


def event_hash(source: str, event: EventId) -> int:
    """64 bits of an event's id; the id itself goes no further."""
    digest = blake2b(_encode((source, event)), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


_encode: Any = msgspec.msgpack.Encoder().encode
