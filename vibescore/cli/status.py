"""``vibescore status``: where things stand (CLI-06)."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from vibescore import __version__
from vibescore.cli.app import App, pass_app

if TYPE_CHECKING:
    from vibescore.link import Link
    from vibescore.plugins import Plugin
    from vibescore.store import Store
    from vibescore.throttle import Pace


@click.command("status")
@click.option(
    "--diagnostics",
    "--json",
    "as_json",
    is_flag=True,
    help="Everything there is to know, as JSON, without secrets.",
)
@pass_app
def command(app: App, as_json: bool) -> None:
    """Show what was collected, what waits, what tools call, and what was left out.

    Ends with 0 whatever it has to show; 'vibescore doctor' judges. Only settings or a store that
    cannot be used end it with 1, because then there is nothing to show.

    \b
    Examples:
      vibescore status
      vibescore status --diagnostics
    """
    with app.store() as store:
        state = _state(app, store, app.plugins())
    if as_json:
        click.echo(json.dumps(state, indent=2))
        return
    for line in _lines(state):
        click.echo(line)


def _state(app: App, store: "Store | None", plugins: "list[Plugin]") -> dict[str, Any]:
    from vibescore.cli.plugins import described
    from vibescore.survey import LAST_SYNC

    last = (store.fact(LAST_SYNC) if store else None) or {}
    link, problem = app.link_or_problem
    return {
        "version": __version__,
        "home": app.short(app.home),
        "store": app.short(app.store_path),
        "linked": link is not None,
        "server": link.server if link else None,
        "device_id": (link.device_id or None) if link else None,
        "link_problem": _without_home(app, str(problem)) if problem else None,
        **_queue(store),
        "last_sync": _moment(last.get("at")),
        **_upload(app, store, link),
        **_notified(app, plugins),
        "log_files": last.get("files", 0),
        "sources": _sources(store) if store else {},
        "problems": [
            {**each, "path": app.short(each["path"])} for each in last.get("problems", [])
        ],
        "plugins": [
            {**each, "problem": _without_home(app, each["problem"])}
            for each in described(plugins, store)
        ],
    }


def _queue(store: "Store | None") -> dict[str, Any]:
    from vibescore.upload import size_of
    from vibescore.wire import row

    pending = list(store.pending()) if store else []
    refused = list(store.refused()) if store else []
    return {
        "pending_rows": len(pending),
        "pending_bytes": size_of(pending),
        "refused_rows": [row(*each[:2]) | {"reason": each.reason} for each in refused],
    }


def _upload(app: App, store: "Store | None", link: "Link | None") -> dict[str, Any]:
    """When rows were sent and when they may be again, and what went wrong."""
    from vibescore.retry import scheduled
    from vibescore.throttle import Pace, next_auto
    from vibescore.upload import LAST_UPLOAD, PROBLEM, pace_of

    now = time.time()
    pace = pace_of(store, link.key) if store and link else Pace()
    last = (store.fact(LAST_UPLOAD) if store else None) or {}
    problem = (store.fact(PROBLEM) if store else None) or {}
    next_at, retry = next_auto(pace, now), scheduled(app.home)
    return {
        "last_upload": _moment(last.get("at")),
        "next_upload": _moment(next_at if next_at > now else None),
        "upload_problem": {**problem, "at": _moment(problem["at"])} if problem else None,
        "throttle": _throttle(pace, now),
        "scheduled_retry": {"at": _moment(retry.at), "is_awaited": retry.is_awaited}
        if retry
        else None,
    }


def _throttle(pace: "Pace", now: float) -> dict[str, Any]:
    """Each time that holds an upload back, None when it does not."""
    times = pace._asdict()
    failures = times.pop("failures")
    return {
        **{name: _moment(at if at > now else None) for name, at in times.items()},
        "failures": failures,
    }


def _notified(app: App, plugins: "list[Plugin]") -> dict[str, Any]:
    """How the entries of the tools stand, when one last called the notify handler, and when a sync
    last started because of it.
    """
    from vibescore.cadence import last_call, last_start
    from vibescore.notify import Entries
    from vibescore.plugins import notify_targets

    calls = {plugin.name: last_call(app.home, plugin.name) for plugin in plugins}
    entries = Entries(app.home).states(notify_targets(plugins, app.environment))
    return {
        "last_notify": _moment(max(filter(None, calls.values()), default=None)),
        "last_notified_sync": _moment(last_start(app.home)),
        "notify": {
            source: {
                "state": state.value,
                "config": app.short(config),
                "problem": _without_home(app, problem) or None,
                "last_call": _moment(calls[source]),
            }
            for source, config, state, problem in entries
        },
    }


def _without_home(app: App, sentence: str) -> str:
    """A sentence that may quote whatever somebody wrote, with the home directory shown as ``~``."""
    home = re.escape(str(app.user_home))
    return re.sub(rf"(?<![\w.-]){home}(?![\w.-])", "~", sentence)


def _sources(store: "Store") -> dict[str, Any]:
    """By source: files that were read and are still there, and how many records were skipped, by
    reason.
    """
    files: Counter[str] = Counter()
    skipped: dict[str, Counter[str]] = {}
    for file in store.files():
        if file.source and file.path is not None:
            files[file.source] += 1
            skipped.setdefault(file.source, Counter()).update(file.skips)
    return {
        name: {"files": files[name], "skipped_records": dict(skipped[name])}
        for name in sorted(skipped)
    }


def _lines(state: dict[str, Any]) -> list[str]:
    names = ", ".join(
        f"{name} ({each['files']:,} files)" for name, each in state["sources"].items()
    )
    lines = [
        f"Home        {state['home']}",
        f"Server      {_server(state)}",
        f"Queue       {_queued(state)}",
        f"Last sync   {state['last_sync'] or 'never'}",
        *_upload_lines(state),
        f"Sources     {names or 'nothing collected yet'}",
    ]
    if state["problems"]:
        count = len(state["problems"])
        lines.append(
            f"Problems    {count:,} in the last sync: 'vibescore status --diagnostics' lists them"
        )
    entries = [_notify_line(source, entry) for source, entry in state["notify"].items()]
    return [*lines, *entries, *_plugin_lines(state)]


def _server(state: dict[str, Any]) -> str:
    if state["link_problem"]:
        return f"unknown: {state['link_problem']}"
    if not state["linked"]:
        return "not linked"
    return f"{state['server']} as device {state['device_id'] or '(told by VIBESCORE_DEVICE_TOKEN)'}"


def _had_link(state: dict[str, Any]) -> bool:
    """Whether this computer is linked, or was until its link became unusable."""
    return bool(state["linked"] or state["link_problem"])


def _queued(state: dict[str, Any]) -> str:
    rows = f"{state['pending_rows']:,} half-hour rows wait"
    if not _had_link(state):
        return f"{rows} for a server"
    refused = len(state["refused_rows"])
    return f"{rows} ({state['pending_bytes']:,} bytes)" + (
        f", {refused:,} were refused by the server" if refused else ""
    )


def _upload_lines(state: dict[str, Any]) -> list[str]:
    if not _had_link(state):
        return []
    throttle, retry = state["throttle"], state["scheduled_retry"]
    soon = "at any time" if state["linked"] else "once this computer is linked again"
    lines = [
        f"Last upload {state['last_upload'] or 'never'}",
        f"Next upload {state['next_upload'] or soon}",
    ]
    if throttle["failures"]:
        until = throttle["held_until"] or throttle["backoff_until"] or "now"
        lines.append(f"Backoff     until {until}, after {throttle['failures']:,} failures")
    if state["upload_problem"]:
        lines.append(f"Problem     {state['upload_problem']['what']}")
    if retry:
        waits = "" if retry["is_awaited"] else "; nobody waits for it, the next sync mends that"
        lines.append(f"Retry       at {retry['at']}{waits}")
    return lines


def _notify_line(source: str, entry: dict[str, Any]) -> str:
    from vibescore.notify import State

    state, called = State(entry["state"]), entry["last_call"]
    told = f"Notify      {source}: {state.value}"
    if state is State.UNUSABLE:
        return f"{told}: {entry['problem']}"
    if called:
        told += f", last called at {called}"
    elif state is State.INSTALLED:
        told += ", not called yet"
    is_in_order = state in (State.INSTALLED, State.MISSING, State.ABSENT)
    return told if is_in_order else f"{told}: 'vibescore doctor' says what to do"


def _plugin_lines(state: dict[str, Any]) -> Iterator[str]:
    for plugin in state["plugins"]:
        shown = f": {plugin['problem']}" if plugin["problem"] else ""
        yield f"Plugin      {plugin['name']} {plugin['version']} {plugin['state']}{shown}"
    for name in sorted(state["sources"].keys() - {plugin["name"] for plugin in state["plugins"]}):
        yield f"Plugin      {name} is not installed: what it counted stays, nothing is read"


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
