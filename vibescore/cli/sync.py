"""``vibescore sync``: read what is new in the logs, and send it."""

import time
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, NamedTuple

import click

from vibescore.cli.app import App, on_terminal, pass_app
from vibescore.errors import BusyError
from vibescore.throttle import Effort, Errand, errand, held_until, next_auto, recalled

if TYPE_CHECKING:
    from vibescore.collect import Progress, Summary
    from vibescore.link import Link
    from vibescore.plugins import Plugin
    from vibescore.store import Store
    from vibescore.upload import Sent

SECONDS_TO_WAIT = 600.0


@click.command("sync")
@click.option("--auto", is_flag=True, help="Collect in silence; upload when it is time.")
@click.option("--drain", is_flag=True, help="Upload also what the server refused before.")
@click.option("--offline", is_flag=True, help="Only collect; upload nothing.")
@click.option("--rebuild", is_flag=True, help="Count all logs that still exist again.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing unless something fails.")
@click.option("--notified-by", metavar="SOURCE", hidden=True)
@pass_app
def command(
    app: App,
    auto: bool,
    drain: bool,
    offline: bool,
    rebuild: bool,
    quiet: bool,
    notified_by: str | None,
) -> None:
    """Collect what the tools wrote since the last sync, and upload it to the server that this
    computer is linked to, if it is.

    A sync uploads everything at once; an automatic one (--auto) at most every half hour, and in
    small portions. Half-hours whose logs are gone keep their totals, also with --rebuild.

    \b
    Examples:
      vibescore sync
      vibescore sync --offline
      vibescore sync --offline --rebuild
    """
    if auto and drain:
        raise click.UsageError("--auto and --drain exclude each other: --auto uploads portions.")
    app.make_home()
    effort = Effort.AUTO if auto else Effort.DRAIN if drain else Effort.MANUAL
    with _turn(app, is_notified=notified_by is not None) as is_mine:
        if not is_mine:
            return
        link, problem = (None, None) if offline else app.link_or_problem
        sync = Sync(app, link, effort, is_quiet=quiet or auto)
        if rebuild or not sync.found_nothing_to_do():
            sync.run(rebuild=rebuild)
        if problem and (not auto or app.wants_debug):
            raise problem
        if sync.link is None and not offline:
            sync.say("This computer is not linked to a server, so nothing was uploaded.")


def _turn(app: App, *, is_notified: bool) -> AbstractContextManager[bool]:
    """A tool that asks for a sync waits its turn (NTF-07), everybody else has one at once."""
    if not is_notified:
        return nullcontext(enter_result=True)
    from vibescore.cadence import turn

    return turn(app.home)


class Sync(NamedTuple):
    """One sync, as it was asked for; without a link it only collects. ``patience`` are the seconds
    that it waits for another one to end.
    """

    app: App
    link: "Link | None"
    effort: Effort
    is_quiet: bool
    patience: float = SECONDS_TO_WAIT

    def found_nothing_to_do(self) -> bool:
        """Whether that can be told, and was told, without loading a plugin."""
        from vibescore.survey import nothing_new

        if self.app.settings.trace_plugins:
            return False
        last = nothing_new(self.app.store_path, self.app.depends, now=time.time())
        if last is None or (self.link and self._has_errand(self.link)):
            return False
        self._tell_nothing_new(last["files"], last["roots"])
        return True

    def _has_errand(self, link: "Link") -> bool:
        """Whether there is something to do at the server now; if not yet, a retry waits for it."""
        from vibescore.survey import waiting

        queue = waiting(self.app.store_path)
        if queue is None or queue.introduced != link.key or self.effort is Effort.DRAIN:
            return True
        pace, now = recalled(queue.pace, link.key), time.time()
        found = errand(pace, now, rows=queue.rows, effort=self.effort)
        if found is Errand.WAIT and self.effort is Effort.AUTO:
            self._schedule(next_auto(pace, now))
            return False
        return found is not Errand.NOTHING

    def run(self, *, rebuild: bool) -> None:
        """Collect, and then do what there is to do at the server; no other sync runs meanwhile.

        Raises BusyError when another one does, for too long. An automatic one leaves it to that one
        then: nothing failed, and the next sync finds whatever the other did not see.
        """
        from vibescore.lock import exclusive
        from vibescore.store import Store

        excused = (BusyError,) if self.effort is Effort.AUTO else ()
        with (
            suppress(*excused),
            exclusive(self.app.lock_path, wait=self.patience, waiting=self._tell_waiting),
            Store.open(self.app.store_path) as store,
        ):
            self._sign(store)
            summary = self._collect(store, rebuild=rebuild)
            has_rows = self.link is not None and any(store.pending(1))
            self._tell(summary, has_rows=has_rows)
            if self.link:
                self._visit(store, self.link)

    def _sign(self, store: "Store") -> None:
        """Note which computer uses this home: two that share one would count twice (CLI-08)."""
        from vibescore.machine import MACHINES, machine_key

        seen, today = store.fact(MACHINES) or {}, int(time.time() // 86_400)
        mine = machine_key()
        if seen.get(mine) != today:
            store.keep(MACHINES, seen | {mine: today})

    def _collect(self, store: "Store", *, rebuild: bool = False) -> "Summary":
        from vibescore.collect import collect
        from vibescore.survey import OUTLOOK

        plugins = self.app.plugins()
        with self._progress() as progress:
            summary = collect(
                store,
                plugins,
                self.app.environment,
                now=time.time(),
                rebuild=rebuild,
                progress=progress,
            )
        if summary.outlook:
            key = self.app.depends(summary.outlook)
            store.keep(OUTLOOK, summary.outlook._replace(depends=key))
        self._tell_plugins(plugins)
        return summary

    def _visit(self, store: "Store", link: "Link") -> None:
        """Do what there is to do at the server. Where that fails, a retry is scheduled, and who
        asked for this sync is told; an automatic one has nobody to tell.
        """
        from vibescore.errors import Unauthorized, UploadError

        try:
            self._do_errand(store, link)
        except UploadError as error:
            if isinstance(error, Unauthorized):
                self._cancel()
            else:
                self._reschedule(store, link)
            if self.effort is not Effort.AUTO or self.app.wants_debug:
                raise
        else:
            self._reschedule(store, link)

    def _do_errand(self, store: "Store", link: "Link") -> None:
        from vibescore.errors import Retryable
        from vibescore.model import iso_utc
        from vibescore.survey import INTRODUCED
        from vibescore.upload import deliver, pace_of

        pace, now = pace_of(store, link.key), time.time()
        rows = any(store.pending(1)) or store.fact(INTRODUCED) != link.key
        found = errand(pace, now, rows=rows, effort=self.effort)
        if found is Errand.WAIT and self.effort is not Effort.AUTO:
            raise Retryable(
                f"{link.server} asked for no upload before {iso_utc(held_until(pace, now))}; what "
                "was collected is kept and sent then",
                soon=False,
            )
        if found in (Errand.UPLOAD, Errand.HEARTBEAT) or self.effort is Effort.DRAIN:
            with self.app.client(link) as client:
                sent = deliver(
                    store, client, link.key, self.effort, reconcile=lambda: self._collect(store)
                )
            self._tell_sent(sent)

    def _reschedule(self, store: "Store", link: "Link") -> None:
        """A retry waits as long as rows wait (QUE-04)."""
        from vibescore.upload import pace_of

        if any(store.pending(1)):
            self._schedule(next_auto(pace_of(store, link.key), time.time()))
        else:
            self._cancel()

    def _schedule(self, at: float) -> None:
        from vibescore.retry import schedule

        schedule(self.app.home, at, [*self.app.program, "sync", "--auto"])

    def _cancel(self) -> None:
        from vibescore.retry import cancel

        cancel(self.app.home)

    def say(self, text: str) -> None:
        """Tell who watches, unless nobody wants to be told."""
        if not self.is_quiet:
            click.echo(text)

    def _complain(self, text: str) -> None:
        """Tell what is wrong; an automatic sync has nobody to tell."""
        if self.effort is not Effort.AUTO:
            click.echo(text, err=True)

    def _tell_waiting(self) -> None:
        if not self.is_quiet:
            click.echo("Another sync is running; waiting for it to end.", err=True)

    def _tell_plugins(self, plugins: "list[Plugin]") -> None:
        from vibescore.plugins import FAILED, INCOMPATIBLE, LOADED

        for plugin in plugins:
            if plugin.state in (FAILED, INCOMPATIBLE):
                self._complain(f"Plugin {plugin.name} was left out: {plugin.problem}")
        if not any(plugin.state == LOADED for plugin in plugins):
            self._complain(
                "No plugin is in use, so nothing was read: pip install 'vibescore[all]' brings "
                "them."
            )

    def _tell(self, summary: "Summary", *, has_rows: bool) -> None:
        if summary.changed_rows:
            self.say(
                f"Read {summary.files_read:,} of {summary.files:,} log files: "
                f"{summary.events:,} usage events, {summary.changed_rows:,} half-hour rows changed."
            )
        else:
            self._tell_nothing_new(summary.files, summary.roots, has_rows=has_rows)
        if self.is_quiet:
            return
        for problem in summary.problems[:3]:
            where = f"{self.app.short(problem.path)}: " if problem.path else ""
            self._complain(f"Left out: {where}{problem.what}")
        if len(summary.problems) > 3:
            more = len(summary.problems) - 3
            self._complain(f"… and {more:,} more: 'vibescore status --diagnostics' lists them.")

    def _tell_nothing_new(self, files: int, roots: list[str], *, has_rows: bool = False) -> None:
        places = ", ".join(map(self.app.short, roots))
        where = f"in {files:,} log files" if files else f"below {places}"
        self.say(f"Nothing new {where}{'' if has_rows else ': 0 inserted, nothing to upload'}.")

    def _tell_sent(self, sent: "Sent") -> None:
        if sent.rows:
            self.say(
                f"Uploaded {sent.rows:,} half-hour rows: {sent.inserted:,} inserted, "
                f"{sent.skipped:,} unchanged."
            )
        if sent.refused:
            self._complain(
                f"The server refused {sent.refused:,} half-hour rows, which are set aside: "
                "'vibescore status --diagnostics' tells why."
            )

    def _progress(self) -> "Progress":
        """A bar with rate and time left when somebody watches (CLI-10)."""
        if self.is_quiet or not on_terminal():
            from vibescore.collect import NoProgress

            return NoProgress()
        from vibescore.cli.progress import Bar

        return Bar()
