"""The straight line on this computer, from logs to the rows that have to be sent.

discover → read → parse → accumulate → attribute → reconcile → queue
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Protocol, Self

from msgspec import Struct, to_builtins

from vibescore.accumulate import LAST_SECOND, Met
from vibescore.backfill import attribute, dominant
from vibescore.errors import PluginError
from vibescore.jobs import Job, Plan, Problem, make_plan
from vibescore.ledger import Ledger
from vibescore.model import (
    UNKNOWN,
    Bucket,
    Environment,
    Slot,
    Timeline,
    TokenTotals,
    model_name,
)
from vibescore.plugins import LOADED, NOT_SELECTED, Plugin
from vibescore.reconcile import changes
from vibescore.store import OUTDATED, UNFINISHED, FileRow, Store
from vibescore.survey import CLOSED_ON, LAST_SYNC, OUTLOOK, Asked, Outlook
from vibescore.work import Outcome, work_through

SECONDS_PER_DAY = 86_400
ENDED_EARLY = "the process that read it was ended: the next sync reads on"


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


class Summary(Struct):
    """What a collection did: where it looked, files found and read, usage events met, published
    rows that changed, problems, and what the next one may compare the files with.
    """

    roots: list[str] = []
    files: int = 0
    files_read: int = 0
    events: int = 0
    changed_rows: int = 0
    problems: list[Problem] = []
    outlook: Outlook | None = None


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
    plugins = list(plugins)
    usable = [plugin for plugin in plugins if plugin.state == LOADED]
    today = int(now // SECONDS_PER_DAY)
    plan = make_plan(store, usable, env, rebuild=rebuild)
    roots = list(dict.fromkeys(ground.root for ground in plan.grounds))
    summary = Summary(roots, plan.files, problems=plan.problems)
    if plan.jobs:
        store.check(today=today)
        store.keep(OUTLOOK, None)  # until everything is done
    if _read_all(store, plan, summary, progress or NoProgress(), today):
        plan = make_plan(store, usable, env, rebuild=False)
        _read_all(store, plan, summary, NoProgress(), today)
    summary.changed_rows = len(reconcile(store, usable, summary.problems))
    _close_events(store, today)
    store.keep(LAST_SYNC, {"at": now, **to_builtins(summary)})
    if not summary.problems and all(its.state in (LOADED, NOT_SELECTED) for its in plugins):
        summary.outlook = _outlook(plan, usable, env)
    return summary


def _outlook(plan: Plan, plugins: list[Plugin], env: Environment) -> Outlook | None:
    """What the next sync may compare the files with, but for its key; None when it follows from
    more variables than can be named.
    """
    asked = env.variables.names if isinstance(env.variables, Asked) else None
    if asked is None:
        return None
    places = [ground.place for ground in plan.grounds]
    signature = plan.grounds[0].signature if plan.grounds else ""
    roots = sorted({str(claim.tree.root) for ground in plan.grounds for claim in ground.claims})
    modules = [plugin.file for plugin in plugins]
    return Outlook(places, signature, roots, sorted(asked), modules, depends="")


def _read_all(store: Store, plan: Plan, summary: Summary, progress: Progress, today: int) -> bool:
    """Read what the plan names and count it, committing as it goes; tells whether forks have to be
    counted again because of it.
    """
    outdated = [job.forgotten.id for job in plan.jobs if job.forgotten]
    ledger = Ledger(store, today=today, outdated=outdated)
    unread = dict.fromkeys(range(len(plan.jobs)), ENDED_EARLY)
    outcomes = work_through(plan.jobs, store)
    progress.start(len(plan.jobs), sum(job.size for job in plan.jobs))
    with closing(outcomes):
        for outcome in outcomes:
            job = plan.jobs[outcome.job]
            _count(job, outcome, ledger)
            if outcome.met and (job.vanished or not job.is_new):
                _outdate_forks(store, plan, job, outcome.met, ledger)
            if ledger.full:
                ledger.commit()
            progress.read(outcome.size)
            if outcome.problem:
                unread[outcome.job] = outcome.problem
            elif outcome.done:
                del unread[outcome.job]
                progress.file_done()
    ledger.commit()
    summary.events += ledger.events
    summary.files_read += len(plan.jobs) - len(unread)
    for place, what in unread.items():
        job = plan.jobs[place]
        summary.problems.append(Problem(job.row.source, job.found.path, what))
    return ledger.outdated_forks


def _outdate_forks(store: Store, plan: Plan, job: Job, met: list[Met], ledger: Ledger) -> None:
    """Have forks counted again if the log of their ancestor, read on or rewritten, tells of the
    time before them: what they repeat of it was taken for their own.
    """
    earliest = min((event.start for event in met if event.tokens), default=LAST_SECOND)
    fresh = {other.row.id for other in plan.jobs if other.is_new}
    late = {
        fork.id
        for fork in _descendants(store, job)
        if fork.path and fork.id not in fresh
        if earliest <= store.first_half_hour(fork.id)
    }
    for other in plan.jobs:
        if other.row.id in late:
            other.row.claims, other.row.rules_version = OUTDATED
    ledger.outdate(late)


def _descendants(store: Store, job: Job) -> Iterator[FileRow]:
    """Readings of all known forks of a session, and of their forks."""
    keys = [job.row.key]
    for key in keys:
        for fork in store.forks(job.row.source, key):
            if fork.key not in keys:
                keys.append(fork.key)
            yield fork


def _count(job: Job, outcome: Outcome, ledger: Ledger) -> None:
    """Count what a part of a file gave; a file that cannot be counted again keeps its old count."""
    row = job.row
    if job.forgotten:
        if outcome.problem:
            return
        ledger.forget(job.forgotten)
    for gone in job.vanished:
        ledger.vanish(gone)
    ledger.keep(row)
    ledger.add(row, outcome.met)
    row.position, row.state, row.tail = outcome.position, outcome.state, outcome.tail
    for reason, count in outcome.skips.items():
        row.skips[reason] = row.skips.get(reason, 0) + count
    row.size = UNFINISHED
    if outcome.done:
        row.size, row.mtime, row.inode = job.found.size, job.found.mtime, job.found.inode


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
            if model and model_name(model) != UNKNOWN:
                return model_name(model)
        return None

    def _starts(self, source: str) -> list[int]:
        if source not in self._half_hours:
            self._half_hours[source] = self._store.half_hours(source)
        return self._half_hours[source]

    def _dominant(self, slot: Slot) -> str | None:
        return dominant(self._store.slots([slot])[slot])


def _close_events(store: Store, today: int) -> None:
    """Once a day: the ledger forgets numbers (COL-11)."""
    if store.fact(CLOSED_ON) != today:
        store.close_events(today=today)
        store.keep(CLOSED_ON, today)
