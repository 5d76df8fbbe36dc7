"""``vibescore status``: where things stand (CLI-06)."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from vibescore import __version__
from vibescore.cli.app import App, pass_app
from vibescore.cli.export import as_line, row

if TYPE_CHECKING:
    from vibescore.store import Store


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
    last = (store.fact("last sync") if store else None) or {}
    pending = [as_line(row(*pair)).encode() for pair in (store.pending() if store else ())]
    return {
        "version": __version__,
        "home": app.short(app.home),
        "store": app.short(app.store_path),
        "linked": False,
        "pending_rows": len(pending),
        "pending_bytes": sum(map(len, pending)),
        "last_sync": _moment(last.get("at")),
        "log_files": last.get("files", 0),
        "sources": _sources(store) if store else {},
        "problems": [_shown(app, problem) for problem in last.get("problems", [])],
    }


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
        "Server      not linked",
        f"Queue       {state['pending_rows']:,} half-hour rows wait for a server",
        f"Last sync   {state['last_sync'] or 'never'}",
        f"Sources     {names or 'nothing collected yet'}",
    ]
    if state["problems"]:
        count = len(state["problems"])
        lines.append(
            f"Problems    {count:,} in the last sync: 'vibescore status --diagnostics' lists them"
        )
    return lines


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
