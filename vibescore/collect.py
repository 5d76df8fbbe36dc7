"""The straight line on this computer, from logs to the rows that have to be sent.

discover → read → parse → accumulate → attribute → reconcile → queue
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Protocol, Self

import msgspec

from vibescore.backfill import attribute, dominant
from vibescore.discover import COMPRESSED
from vibescore.errors import PluginError
from vibescore.jobs import Ancestry, Job, Plan, Problem, make_plan
from vibescore.ledger import Ledger
from vibescore.model import (
    Bucket,
    Document,
    Environment,
    Lines,
    ParseContext,
    Skips,
    Slot,
    Timeline,
    TokenTotals,
    Usage,
)
from vibescore.plugins import LOADED, Plugin
from vibescore.reader import Position, read, tail_hash
from vibescore.reconcile import changes
from vibescore.store import UNFINISHED, Store

SECONDS_PER_DAY = 86_400


class Progress(Protocol):
    """Told how far a collection is; sizes in bytes."""

    def __enter__(self) -> Self:
        """The collection begins."""

    def __exit__(self, *error: object) -> None:
        """The collection ended."""

    def start(self, files: int, size: int) -> None:
        """So many files are about to be read."""

    def read(self, size: int) -> None:
        """So many more bytes were read."""

    def file_done(self) -> None:
        """One more file was read."""


class NoProgress:
    """Tells nobody."""

    def start(self, files: int, size: int) -> None: ...
    def read(self, size: int) -> None: ...
    def file_done(self) -> None: ...
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...


@dataclass(slots=True)
class Summary:
    """What a collection did: files found and read, usage events met, published rows that changed,
    and problems.
    """

    files: int = 0
    files_read: int = 0
    events: int = 0
    changed_rows: int = 0
    problems: list[Problem] = field(default_factory=list)


def collect(
    store: Store,
    plugins: Iterable[Plugin],
    env: Environment,
    *,
    now: float,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Bring the store up to date with the logs; the caller holds the lock.

    ``now`` is UTC seconds. ``rebuild`` counts all logs that still exist again (CLI-12). A file or
    plugin that fails is a problem in the summary and stops nothing else (COL-09).
    """
    usable = [plugin for plugin in plugins if plugin.state == LOADED]
    today = int(now // SECONDS_PER_DAY)
    plan = make_plan(store, usable, env, rebuild=rebuild)
    summary = Summary(plan.files, problems=plan.problems)
    _read_all(store, plan, summary, progress or NoProgress(), today)
    summary.changed_rows = len(reconcile(store, usable, summary.problems))
    _close_events(store, today)
    store.keep("last sync", {"at": now, **asdict(summary)})
    return summary


def _read_all(store: Store, plan: Plan, summary: Summary, progress: Progress, today: int) -> None:
    recounted = [job.forgotten.id for job in plan.jobs if job.forgotten]
    ledger = Ledger(store, today=today, recounted=recounted)
    progress.start(len(plan.jobs), sum(job.found.size - _start(job) for job in plan.jobs))
    for job in plan.jobs:
        try:
            _count(job, ledger, plan.ancestry, progress)
            summary.files_read += 1
        except PluginError as error:
            summary.problems.append(Problem(job.row.source, job.found.path, str(error)))
        except OSError as error:
            what = f"cannot be read: {error.strerror or error}"
            summary.problems.append(Problem(job.row.source, job.found.path, what))
        if ledger.full:
            ledger.commit()
        progress.file_done()
    ledger.commit()
    summary.events = ledger.events


def _start(job: Job) -> int:
    return job.row.position if isinstance(job.row.position, int) else 0


@dataclass(slots=True)
class _Step:
    """What one piece of a file gave, and the cursor behind it."""

    usage: list[Usage]
    position: Position
    state: bytes
    skips: Skips


def _count(job: Job, ledger: Ledger, ancestry: Ancestry, progress: Progress) -> None:
    """Read a file and count what it holds; after a failure the cursor stands behind the last good
    piece.
    """
    steps: Iterable[_Step] = _steps(job, ledger, ancestry, progress) if job.claim else ()
    if job.forgotten:
        steps = list(steps)
        ledger.forget(job.forgotten)
    for row in job.vanished:
        ledger.vanish(row)
    row = ledger.keep(job.row)
    row.size = UNFINISHED
    try:
        for step in steps:
            ledger.add(row, step.usage, step.skips)
            row.position, row.state = step.position, step.state
            for reason, count in step.skips.counts.items():
                row.skips[reason] = row.skips.get(reason, 0) + count
            if ledger.full and not job.forgotten:
                _mark(job)
                ledger.commit()
                ledger.keep(row)
        row.size, row.mtime, row.inode = job.found.size, job.found.mtime, job.found.inode
    finally:
        _mark(job)


def _steps(job: Job, ledger: Ledger, ancestry: Ancestry, progress: Progress) -> Iterator[_Step]:
    claim, row = job.claim, job.row
    assert claim is not None
    reading = claim.tree.reading
    kept = None if isinstance(reading, Document) else row.state
    state = msgspec.msgpack.decode(kept, type=reading.state) if kept else reading.state()
    chain, complete = ancestry.of(row)
    seen = partial(ledger.seen, row.source)
    context = ParseContext(row.key, state, chain, complete, seen, Skips().add)
    for piece in read(job.found.path, reading, row.position):
        context.skip = piece.skips.add
        usage = claim.plugin.parse(piece.records, context) if piece.records else []
        yield _Step(usage, piece.position, msgspec.msgpack.encode(state), piece.skips)
        progress.read(piece.size)


def _mark(job: Job) -> None:
    """Note what stands before the cursor, so that the next sync knows whether the log goes on
    behind it.
    """
    if (
        job.claim
        and isinstance(job.claim.tree.reading, Lines)
        and not job.found.path.endswith(COMPRESSED)
    ):
        job.row.tail = tail_hash(job.found.path, job.row.position or 0)


def reconcile(
    store: Store, plugins: list[Plugin], problems: list[Problem]
) -> dict[Bucket, TokenTotals]:
    """Publish the rows that changed: touched slots, and all that are still unknown, because
    alignment may move them.
    """
    touched = store.touched()
    asked = [
        [plugin.name, plugin.version]
        for plugin in plugins
        if "vibescore_backfill_model" in plugin.hooks
    ]
    if not touched and store.fact("backfill") == asked:
        return {}
    slots = touched | store.unknown_slots()
    with store.transaction():
        wanted = attribute(store.slots(slots), _Backfill(store, plugins, problems))
        changed = changes(wanted, store.published(slots))
        store.publish(changed)
        store.keep("backfill", asked)
    return changed


class _Backfill:
    """Asks the plugins for the model of a slot: its owner first, then the others by name."""

    def __init__(self, store: Store, plugins: list[Plugin], problems: list[Problem]) -> None:
        self._plugins = plugins
        self._problems = problems
        self._store = store
        self._half_hours: dict[str, list[int]] = {}
        self._timeline = Timeline(self._starts, self._dominant)

    def __call__(self, slot: Slot) -> str | None:
        for plugin in sorted(
            self._plugins, key=lambda plugin: (plugin.name != slot.source, plugin.name)
        ):
            try:
                model = plugin.backfill_model(slot, self._timeline)
            except PluginError as error:
                self._problems.append(Problem(plugin.name, "", str(error)))
                continue
            if model:
                return model
        return None

    def _starts(self, source: str) -> list[int]:
        if source not in self._half_hours:
            self._half_hours[source] = self._store.half_hours(source)
        return self._half_hours[source]

    def _dominant(self, slot: Slot) -> str | None:
        return dominant(self._store.slots([slot])[slot])


def _close_events(store: Store, today: int) -> None:
    """Once a day: the ledger forgets numbers (COL-11)."""
    if store.fact("closed events on") != today:
        store.close_events(today=today)
        store.keep("closed events on", today)
