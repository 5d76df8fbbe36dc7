"""Between what was read and the store: events are counted and committed batch by batch (QUE-01)."""

from collections.abc import Iterable

from vibescore.accumulate import Counted, Known, Met, Standing, accumulate, growth
from vibescore.model import ZERO, Bucket
from vibescore.store import Batch, FileRow, Store

EVENTS_PER_BATCH = 20_000
FILES_PER_BATCH = 256
MOST_REMEMBERED = 1 << 18
RUNNING = "running totals"


class Ledger:
    """Counts what was read and commits it in batches.

    ``today`` is the day since 1970. ``outdated`` are readings whose files are to be counted again;
    that is noted at once, so that an interruption only puts it off.
    """

    def __init__(self, store: Store, *, today: int, outdated: Iterable[int] = ()) -> None:
        self.events = 0
        self.outdated_forks = False
        self._store = store
        self._today = today
        self._outdated = set(outdated)
        self._forgotten: set[int] = set()
        self._vanished: set[int] = set()
        self._next_id = store.last_file_id() + 1
        self._batch = Batch()
        self._met: list[tuple[FileRow, list[Met]]] = []
        self._waiting = 0
        self._own: set[int] | None = None if store.knows_events() else set()
        self._running_rows: dict[str, int] = {}
        if self._outdated:
            store.outdate(self._outdated)

    @property
    def full(self) -> bool:
        return self._waiting >= EVENTS_PER_BATCH or len(self._batch.files) >= FILES_PER_BATCH

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

    def outdate(self, readings: set[int]) -> None:
        """Note with the next commit that the files of ``readings`` have to be counted again."""
        self.outdated_forks = self.outdated_forks or bool(readings)
        self._batch.outdated |= readings

    def forget(self, row: FileRow) -> None:
        """Take ``row`` out of all sums: its file is counted again."""
        self._outdated.discard(row.id)
        self._forgotten.add(row.id)
        self._batch.forgotten.append(row.id)

    def add(self, row: FileRow, met: list[Met]) -> None:
        """Take in what was met in the file of ``row``; it is counted with the next commit."""
        self._met.append((row, met))
        self._waiting += len(met)

    def _count(self) -> None:
        met, self._met, self._waiting = self._met, [], 0
        known = self._known(event for _, events in met for event in events)
        for row, events in met:
            accumulate(self._batch.change, known, events, file=row.id, source=row.source)
            self.events += sum(event.tokens is not None and not event.running for event in events)
            for event in events:
                if event.running:
                    self._grow(row.source, event)

    def _known(self, met: Iterable[Met]) -> dict[int, Known]:
        """What the store knows of events; what belongs to a forgotten reading it does not know."""
        ids = {event.id for event in met if not (event.mark or event.running)}
        known = self._store.known(ids if self._own is None else ids & self._own)
        self._remember(ids)
        return {
            id: event._replace(standing=self._standing(event))
            for id, event in known.items()
            if event.file not in self._forgotten
        }

    def _remember(self, ids: set[int]) -> None:
        """As long as a store knows nothing but what this run wrote, only that has to be looked
        up.
        """
        if self._own is not None:
            self._own |= ids
            if len(self._own) > MOST_REMEMBERED:
                self._own = None

    def _standing(self, event: Known) -> Standing:
        if event.file in self._outdated:
            return Standing.OUTDATED
        return Standing.VANISHED if event.file in self._vanished else event.standing

    def _grow(self, source: str, total: Met) -> None:
        """Growth cannot be read again, so it belongs to a row without a file, which is never
        recounted.
        """
        before = self._batch.running.get(total.id) or self._store.running(total.id) or ZERO
        grown = growth(before, total.tokens or ZERO)
        if total.tokens and grown:
            self.events += 1
            self._batch.running[total.id] = total.tokens
            bucket = Bucket(source, total.model, total.start)
            self._batch.change.count(Counted(self._running_row(source), bucket, grown))

    def _running_row(self, source: str) -> int:
        if source not in self._running_rows:
            known = self._store.readings(source, RUNNING)
            row = known[0] if known else FileRow(0, source, None, RUNNING)
            self._running_rows[source] = self.keep(row).id
        return self._running_rows[source]

    def commit(self) -> None:
        """Write everything collected since the last commit, at once."""
        self._count()
        batch, self._batch = self._batch, Batch()
        if batch.files or batch.forgotten:
            self._store.write(batch, today=self._today)
