"""``vibescore status``: where things stand (CLI-06)."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vibescore import __version__
from vibescore.cli.app import App, pass_app

if TYPE_CHECKING:
    from vibescore.link import Link
    from vibescore.store import Store
    from vibescore.throttle import Pace


@click.command("status")
@click.option(
    "--diagnostics", is_flag=True, help="Everything there is to know, as JSON, without secrets."
)
@pass_app
def command(app: App, diagnostics: bool) -> None:
    """Show what was collected, what waits, and what was left out.

    \b
    Examples:
      vibescore status
      vibescore status --diagnostics
    """
    from vibescore.cli.plugins import described

    with app.store() as store:
        state, plugins = _state(app, store), described(app, store)
    if diagnostics:
        click.echo(json.dumps({**state, "plugins": plugins}, indent=2))
        return
    for line in _lines(state):
        click.echo(line)
    for plugin in plugins:
        shown = f": {plugin['problem']}" if plugin["problem"] else ""
        click.echo(f"Plugin      {plugin['name']} {plugin['version']} {plugin['state']}{shown}")
    for name in sorted(state["sources"].keys() - {plugin["name"] for plugin in plugins}):
        click.echo(f"Plugin      {name} is not installed: what it counted stays, nothing is read")


def _state(app: App, store: "Store | None") -> dict[str, Any]:
    from vibescore.survey import LAST_SYNC

    last = (store.fact(LAST_SYNC) if store else None) or {}
    return {
        "version": __version__,
        "home": app.short(app.home),
        "store": app.short(app.store_path),
        **_link(app.link),
        **_queue(store),
        "last_sync": _moment(last.get("at")),
        **_upload(app, store),
        **_notified(app),
        "log_files": last.get("files", 0),
        "sources": _sources(store) if store else {},
        "problems": [_shown(app, problem) for problem in last.get("problems", [])],
    }


def _link(link: "Link | None") -> dict[str, Any]:
    return {
        "linked": link is not None,
        "server": link.server if link else None,
        "device_id": (link.device_id or None) if link else None,
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


def _upload(app: App, store: "Store | None") -> dict[str, Any]:
    """When rows were sent and when they may be again, and what went wrong."""
    from vibescore.retry import scheduled
    from vibescore.throttle import Pace, next_auto
    from vibescore.upload import LAST_UPLOAD, PROBLEM, pace_of

    link, now = app.link, time.time()
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


def _notified(app: App) -> dict[str, Any]:
    """When a tool last called the notify handler, and when a sync last started because of it."""
    folder = app.home / "notify"
    calls = [_changed(path) or 0.0 for path in folder.glob("*.called")]
    return {
        "last_notify": _moment(max(calls, default=None)),
        "last_notified_sync": _moment(_changed(folder / "running.lock")),
    }


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


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


def _shown(app: App, problem: dict[str, str]) -> dict[str, str]:
    return {**problem, "path": app.short(problem["path"])}


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
    return lines


def _server(state: dict[str, Any]) -> str:
    if not state["linked"]:
        return "not linked"
    return f"{state['server']} as device {state['device_id'] or '(told by VIBESCORE_DEVICE_TOKEN)'}"


def _queued(state: dict[str, Any]) -> str:
    rows = f"{state['pending_rows']:,} half-hour rows wait"
    if not state["linked"]:
        return f"{rows} for a server"
    refused = len(state["refused_rows"])
    return f"{rows} ({state['pending_bytes']:,} bytes)" + (
        f", {refused:,} were refused by the server" if refused else ""
    )


def _upload_lines(state: dict[str, Any]) -> list[str]:
    if not state["linked"]:
        return []
    throttle, retry = state["throttle"], state["scheduled_retry"]
    lines = [
        f"Last upload {state['last_upload'] or 'never'}",
        f"Next upload {state['next_upload'] or 'at any time'}",
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


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
