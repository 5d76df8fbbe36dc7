"""What ``vibescore doctor`` looks at; looking changes nothing (CLI-08)."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vibescore.cli.app import App
from vibescore.errors import (
    ConfigError,
    PluginError,
    StoreError,
    Unauthorized,
    UploadError,
    VibescoreError,
)

if TYPE_CHECKING:
    from vibescore.notify import Entries

DAYS_SHARED = 30
DAYS_WITHOUT_SYNC = 7
UNHEARD = 3600.0
"""Seconds between a log and the last call of its tool after which the calls are missed."""


class Level(StrEnum):
    """How bad it is; with a critical one, something is not counted, or does not arrive."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"


class Finding(NamedTuple):
    """What a check found, and the way out where one is needed."""

    check: str
    level: Level
    what: str
    way_out: str = ""


def findings(app: App) -> Iterator[Finding]:
    """What every check finds, in an order in which the first trouble explains the later ones."""
    yield _home(app)
    settings = _settings(app)
    yield settings
    yield from _store(app)
    if settings.level is Level.CRITICAL:
        return
    for check in (_prices, _plugins, _logs, _totals, _retention, _notify, _server, _queue):
        try:
            yield from check(app)
        except VibescoreError as error:
            yield Finding(check.__name__.strip("_"), Level.CRITICAL, str(error))


def _home(app: App) -> Finding:
    home = app.home
    if home.exists() and not home.is_dir():
        what, way_out = "it is no folder", "Move it away, or name another place in VIBESCORE_HOME"
    elif not os.access(_standing(home), os.W_OK | os.X_OK):
        what, way_out = "it cannot be written", "Make it writable, or set VIBESCORE_HOME"
    elif not home.exists():
        return Finding("home", Level.OK, f"{app.short(home)} will be made by the first sync")
    elif os.name != "nt" and home.stat().st_mode & 0o077:
        return Finding(
            "home",
            Level.WARNING,
            f"{app.short(home)} can be read by other users",
            f"chmod 700 {app.short(home)}",
        )
    else:
        return Finding("home", Level.OK, f"{app.short(home)} can be written")
    return Finding("home", Level.CRITICAL, f"{app.short(home)}: {what}", way_out)


def _standing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _settings(app: App) -> Finding:
    try:
        origins = app.settings.origins.values()
    except ConfigError as error:
        return Finding("settings", Level.CRITICAL, str(error), "The other checks wait for that")
    own = sum(origin != "default" for origin in origins)
    return Finding("settings", Level.OK, f"valid; {own} of them are your own")


def _store(app: App) -> Iterator[Finding]:
    from vibescore.machine import MACHINES
    from vibescore.survey import LAST_SYNC

    try:
        with app.store() as store:
            if store is None:
                yield Finding("store", Level.WARNING, "nothing was collected yet", "vibescore sync")
                return
            yield Finding("store", Level.OK, "it can be read")
            yield _shared(store.fact(MACHINES))
            yield _last_sync((store.fact(LAST_SYNC) or {}).get("at"))
    except StoreError as error:
        way_out = (
            f"Move {app.short(app.store_path)} away: the next sync makes another from the logs"
        )
        yield Finding("store", Level.CRITICAL, str(error), way_out)


def _shared(seen: dict[str, int] | None) -> Finding:
    today = int(time.time() // 86_400)
    days = (seen or {}).values()
    machines = sum(today - DAYS_SHARED <= day <= today + 1 for day in days)
    if machines < 2:
        return Finding("machines", Level.OK, "one computer uses this home")
    return Finding(
        "machines",
        Level.WARNING,
        f"{machines} computers used this home in the last {DAYS_SHARED} days",
        "If each has logs of its own, give each a home of its own (VIBESCORE_HOME); if they share "
        "the logs too, leave the syncs to one",
    )


def _last_sync(at: float | None) -> Finding:
    days = (time.time() - at) / 86_400 if at else float("inf")
    if days < DAYS_WITHOUT_SYNC:
        return Finding("sync", Level.OK, f"the last one was at {_moment(at)}")
    when = f"the last one was {days:.0f} days ago" if at else "there was none yet"
    return Finding(
        "sync", Level.WARNING, f"{when}; tools delete old logs", "vibescore sync, or vibescore init"
    )


def _prices(app: App) -> Iterator[Finding]:
    from vibescore.prices import load_prices

    try:
        own = len(load_prices(app.home).own)
    except ConfigError as error:
        yield Finding("prices", Level.WARNING, str(error))
    else:
        yield Finding("prices", Level.OK, f"{own} prices of your own")


def _plugins(app: App) -> Iterator[Finding]:
    from vibescore.plugins import LOADED

    plugins = app.plugins()
    for plugin in plugins:
        if plugin.problem:
            what = f"{plugin.name} {plugin.version} is not in use: {plugin.problem}"
            yield Finding("plugins", Level.WARNING, what, "Install it again, or choose others")
    names = [plugin.name for plugin in plugins if plugin.state == LOADED]
    if names:
        yield Finding("plugins", Level.OK, f"in use: {', '.join(names)}")
    else:
        way_out = "pip install 'vibescore[all]'"
        yield Finding("plugins", Level.CRITICAL, "none is in use, so nothing is read", way_out)


def _logs(app: App) -> Iterator[Finding]:
    """Each source's files: found, and readable."""
    from vibescore.discover import walk

    for plugin in app.plugins():
        if "vibescore_discover" not in plugin.hooks:
            continue
        try:
            trees = plugin.discover(app.environment)
        except PluginError as error:
            yield Finding("logs", Level.CRITICAL, str(error), "Tell the author of the plugin")
            continue
        paths = {found.path for tree in trees for found in walk(tree.root, tree.pattern)}
        yield _readable(app, plugin.name, paths, sorted({str(tree.root) for tree in trees}))


def _readable(app: App, source: str, paths: set[str], roots: list[str]) -> Finding:
    unreadable = sorted(path for path in paths if not _can_be_read(path))
    if unreadable:
        return Finding(
            "logs",
            Level.WARNING,
            f"{source}: {len(unreadable):,} of {len(paths):,} files cannot be read, the first is "
            f"{app.short(unreadable[0])}",
            "Make them readable for your user",
        )
    where = ", ".join(map(app.short, roots))
    if not paths:
        return Finding("logs", Level.OK, f"{source}: no file in {where}")
    return Finding("logs", Level.OK, f"{source}: {len(paths):,} readable files in {where}")


def _can_be_read(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            file.read(1)
    except OSError:
        return not os.path.exists(path)  # gone meanwhile
    return True


def _totals(_: App) -> Iterator[Finding]:
    """No hook tells what a tool itself reckons, so there is nothing to compare with."""
    yield Finding("totals", Level.UNKNOWN, "no plugin tells totals of its tool to compare with")


def _retention(app: App) -> Iterator[Finding]:
    """No hook tells when a tool deletes its logs; what the store remembers tells whether it did."""
    known: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    with app.store() as store:
        for file in store.files() if store else ():
            known[file.source] += 1
            gone[file.source] += file.path is None or not os.path.exists(file.path)
    counts = ", ".join(
        f"{gone[name]:,} of {known[name]:,} of {name}" for name in sorted(gone) if gone[name]
    )
    what = "no plugin tells when its tool deletes logs; "
    what += f"counted logs that are gone or were rewritten: {counts or 'none'}"
    yield Finding("retention", Level.UNKNOWN, what + ". Their totals are kept")


def _notify(app: App) -> Iterator[Finding]:
    from vibescore.notify import Entries, State
    from vibescore.plugins import notify_targets

    entries = Entries(app.home)
    newest = _newest_logs(app)
    targets = notify_targets(app.plugins(), app.environment)
    for source, config, state, problem in entries.states(targets):
        where = f"{source}: {app.short(config)}: {state.value}"
        match state:
            case State.ABSENT:
                yield Finding("notify", Level.OK, where)
            case State.INSTALLED:
                yield _heard(app, entries, source, newest.get(source, 0.0), where)
            case State.UNUSABLE:
                yield Finding("notify", Level.WARNING, f"{where}: {problem}")
            case State.OFF:
                yield Finding("notify", Level.WARNING, where, "Switch its hooks on in the tool")
            case State.DEAD:
                yield Finding("notify", Level.CRITICAL, where, "vibescore init")
            case _:
                yield Finding("notify", Level.WARNING, where, "vibescore init")
    if entries.runtime and not _starts(entries.runtime):
        what = f"{app.short(entries.runtime[0])}, which tools start, does not start vibescore"
        yield Finding("notify", Level.CRITICAL, what, "vibescore init")


def _newest_logs(app: App) -> dict[str, float]:
    """By source, UTC seconds of the newest log that was counted."""
    newest: dict[str, float] = {}
    with app.store() as store:
        for file in store.files() if store else ():
            newest[file.source] = max(newest.get(file.source, 0.0), file.mtime / 1e9)
    return newest


def _heard(app: App, entries: "Entries", source: str, newest: float, where: str) -> Finding:
    """Whether a tool with an entry calls it: it would have, soon after its newest log."""
    from vibescore.cadence import last_call

    called = last_call(app.home, source)
    since = max(called or 0.0, entries.installed_at(source) or 0.0)
    told = f"last called at {_moment(called)}" if called else "not called yet"
    if newest > since + UNHEARD:
        return Finding(
            "notify",
            Level.WARNING,
            f"{where}, but {told}, and there is a newer log of {_moment(newest)}",
            "Restart the tool, which reads its settings when it starts",
        )
    return Finding("notify", Level.OK, f"{where}, {told}")


def _starts(runtime: list[str]) -> bool:
    with suppress(OSError, subprocess.SubprocessError):
        command = [*runtime, "--version"]
        subprocess.run(command, capture_output=True, check=True, timeout=60, cwd=os.path.sep)
        return True
    return False


def _server(app: App) -> Iterator[Finding]:
    from vibescore.link import FILE

    link = app.link
    if link is None:
        yield Finding("link", Level.WARNING, "not linked to a server", "vibescore init")
        return
    path = app.home / FILE
    if os.name != "nt" and path.exists() and path.stat().st_mode & 0o077:
        what = f"{app.short(path)} holds the token and can be read by others"
        yield Finding("link", Level.WARNING, what, f"chmod 600 {app.short(path)}")
    try:
        with app.client(link) as client:
            client.check_token()
    except Unauthorized as error:
        yield Finding("token", Level.CRITICAL, str(error), "vibescore init")
    except UploadError as error:
        yield Finding("server", Level.CRITICAL, str(error), "vibescore init --server … moves it")
    else:
        yield Finding("server", Level.OK, f"{link.server} answers and knows this computer")


def _queue(app: App) -> Iterator[Finding]:
    from vibescore.retry import scheduled
    from vibescore.upload import PROBLEM

    with app.store() as store:
        if store is None:
            return
        refused = sum(1 for _ in store.refused())
        problem = store.fact(PROBLEM) or {}
        waiting = sum(1 for _ in store.pending())
    if refused:
        way_out = "vibescore status --diagnostics tells why, vibescore sync --drain tries again"
        yield Finding("queue", Level.WARNING, f"the server refused {refused:,} rows", way_out)
    if problem:
        what = f"the last upload failed: {problem['what']}"
        yield Finding("queue", Level.WARNING, what, "vibescore sync")
    retry = scheduled(app.home)
    if retry and not retry.is_awaited:
        yield Finding("queue", Level.WARNING, "nobody waits for the next try", "vibescore sync")
    yield Finding("queue", Level.OK, f"{waiting:,} half-hour rows wait")


def _moment(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
