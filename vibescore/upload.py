"""The straight line to the server: queue → upload (QUE-02 to QUE-07, QUE-11).

Rows carry absolute totals, and what is acknowledged is the revision that was sent, so a batch may
arrive twice, half, or late: nothing is lost and nothing doubled. The caller holds the lock.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from vibescore.errors import Rejected, Retryable, UploadError
from vibescore.model import Bucket, TokenTotals
from vibescore.store import Queued, Store
from vibescore.survey import INTRODUCED, PACE
from vibescore.throttle import (
    INTERVAL,
    Effort,
    Pace,
    attempted,
    failed,
    heard,
    recalled,
    succeeded,
)
from vibescore.wire import as_line, row

if TYPE_CHECKING:
    from vibescore.client import Client

ROWS_A_BATCH = 300
BATCHES, MORE_BATCHES = 2, 4
LARGE_BACKLOG = 1 << 20
MOST_REFUSALS = 20
"""Refused rows after which a run ends: a server that refuses that many has another quarrel."""

LAST_UPLOAD, PROBLEM = "last upload", "upload problem"

Answer = TypeVar("Answer")


class Clock(NamedTuple):
    """The time: UTC seconds, waiting for some seconds, and a lot from 0 to 1."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    lot: Callable[[], float] = random.random


class Sent(NamedTuple):
    """What a run sent: rows that the server took, how many of them were new or changed there, how
    many it had already, and rows that it refused.
    """

    rows: int = 0
    inserted: int = 0
    skipped: int = 0
    refused: int = 0


def deliver(
    store: Store,
    client: "Client",
    key: str,
    effort: Effort,
    *,
    reconcile: Callable[[], object],
    clock: Clock | None = None,
) -> Sent:
    """Send what waits, or a heartbeat when nothing does; whether it is time was asked before.

    ``key`` stands for the link. A store that meets its server for the first time asks what that
    has of this computer; then ``reconcile`` has to publish again (QUE-11). Raises UploadError; what
    was acknowledged until then stays so, and how it went is kept for the next run.
    """
    clock = clock or Clock()
    run = _Run(store, client, key, clock)
    if effort is Effort.DRAIN:
        store.readmit()
    with run.recorded():
        if store.fact(INTRODUCED) != key:
            run.introduce()
            reconcile()
        if any(store.pending(1)):
            if effort is Effort.AUTO:
                run.remember(attempted(run.pace, clock.now(), lot=clock.lot()))
            run.send(_batches(store, effort))
        else:
            run.ping()
    return run.sent


def seed(store: Store, rows: Mapping[Bucket, TokenTotals], key: str) -> None:
    """The server that ``key`` stands for has these rows of this computer, and no others (QUE-11).

    They count as sent, and as a floor: a half-hour that the logs know less of keeps what the server
    has. Reconciling publishes what differs.
    """
    with store.transaction():
        store.seed({bucket: tokens for bucket, tokens in rows.items() if tokens})
        store.keep(INTRODUCED, key)
        store.keep(LAST_UPLOAD, None)


def pace_of(store: Store, key: str) -> Pace:
    """The pace that is remembered for the link."""
    return recalled(store.fact(PACE), key)


def size_of(rows: Iterable[Queued]) -> int:
    """Bytes of rows as they are sent."""
    return sum(len(_line(queued).encode()) for queued in rows)


class _Run:
    """One run: what it sent so far, and its pace."""

    def __init__(self, store: Store, client: "Client", key: str, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._key = key
        self._clock = clock
        self._size = ROWS_A_BATCH
        self.pace = pace_of(store, key)
        self.sent = Sent()

    def remember(self, pace: Pace) -> None:
        self.pace = pace
        self._store.keep(PACE, [self._key, *pace])

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep how the run went."""
        try:
            yield
        except UploadError as error:
            now = self._clock.now()
            wait = error.retry_after if isinstance(error, Retryable) else None
            self.remember(failed(self.pace, now, retry_after=wait))
            told = {"at": now, "what": str(error), "status": error.status, "code": error.code}
            self._store.keep(PROBLEM, told)
            raise
        self.remember(succeeded(self.pace))
        self._store.keep(PROBLEM, None)

    def introduce(self) -> None:
        """Ask what the server has of this computer; one that cannot tell has nothing."""
        try:
            rows = self._patiently(self._client.device_rows)
        except Rejected as error:
            if error.status != 404:
                raise
            rows = {}
        seed(self._store, rows, self._key)

    def ping(self) -> None:
        told = self._patiently(self._client.ping)
        due = told.last_sync_at.timestamp() + told.interval
        self.remember(heard(self.pace, self._clock.now(), due=due, interval=told.interval))

    def send(self, batches: float) -> None:
        """Send so many batches, or fewer when the queue is empty."""
        taken = 0
        while taken < batches and (batch := self._next()):
            taken += self._take(batch)

    def _next(self) -> list[Queued]:
        """The next rows, at most a batch. The rows of a slot go together, so that at no time the
        server has tokens under two models: only a slot that is larger than a batch is parted.
        """
        rows = list(self._store.pending(self._size + 1))
        if len(rows) <= self._size:
            return rows
        beyond = rows.pop().bucket.slot
        return [queued for queued in rows if queued.bucket.slot != beyond] or rows

    def _take(self, batch: list[Queued]) -> bool:
        """Send a batch; whether the server took it. A row that it refuses is set aside, and of a
        batch that is too large half is tried next.
        """
        lines = [_line(queued) for queued in batch]
        try:
            taken = self._patiently(partial(self._client.ingest, lines))
        except Rejected as error:
            if error.status == 413 and len(batch) > 1:
                self._size = len(batch) // 2
            else:
                self._set_aside(batch, error)
            return False
        self._store.acknowledge(batch)
        rows, inserted, skipped, refused = self.sent
        self.sent = Sent(
            rows + len(batch), inserted + taken.inserted, skipped + taken.skipped, refused
        )
        now = self._clock.now()
        self._store.keep(LAST_UPLOAD, {"at": now, **self.sent._asdict()})
        self.remember(heard(self.pace, now, due=now + INTERVAL))
        return True

    def _set_aside(self, batch: list[Queued], error: Rejected) -> None:
        """Raises the error when it names no row, or when too many rows were refused."""
        if error.row is None or not 0 <= error.row < len(batch):
            raise error
        if self.sent.refused == MOST_REFUSALS:
            raise error
        reason = f"{error.field or 'a field'} is refused ({error.code or error.status})"
        self._store.refuse(batch[error.row], reason)
        self.sent = self.sent._replace(refused=self.sent.refused + 1)

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        from vibescore.client import patiently

        return patiently(ask, sleep=self._clock.sleep, lot=self._clock.lot)


def _batches(store: Store, effort: Effort) -> float:
    """How many batches a run sends (QUE-06)."""
    if effort is not Effort.AUTO:
        return float("inf")
    return MORE_BATCHES if size_of(store.pending()) > LARGE_BACKLOG else BATCHES


def _line(queued: Queued) -> str:
    return as_line(row(queued.bucket, queued.tokens))
