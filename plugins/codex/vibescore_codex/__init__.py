"""Codex CLI as a source: where its rollouts are and how they are counted (sources.md, chapter
1).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vibescore import Environment, Identity, Lines, NotifyTarget, ParseContext, Tree, hookimpl
from vibescore_codex.records import SKIP, Head, Record
from vibescore_codex.rollout import Rollout, State, Usage

RULES_VERSION = 1
FOLDERS = ("sessions", "archived_sessions")
PATTERN = "**/rollout-*.jsonl"
EVERY_CODE = "code_cli_rs"
SESSION_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@hookimpl
def vibescore_discover(env: Environment) -> Iterator[Tree]:
    """Live and archived rollouts, plain and compressed (COL-03)."""
    rollouts = Lines(record=Record, state=State, skip=SKIP)
    for folder in FOLDERS:
        yield Tree(codex_home(env) / folder, PATTERN, rollouts, Head, RULES_VERSION)


@hookimpl
def vibescore_identify(path: Path, head: Head | None) -> Identity | None:
    """Every rollout but those of Every Code, which may write into the same tree."""
    if head and head.payload.originator == EVERY_CODE:
        return None
    return session_of(path, head)


def session_of(path: Path, head: Head | None) -> Identity:
    """The session's id stands in the file name, else in its first record."""
    meta = head.payload if head else None
    named = SESSION_ID.search(path.name)
    own = meta.id if meta else None
    key = named[0] if named else own or path.name.partition(".")[0]
    parent = meta.parent if meta else None
    return Identity(key, parent or (own if own != key else None))


@hookimpl
def vibescore_parse(records: Iterable[Record], context: ParseContext) -> Iterator[Usage]:
    """Usage of the session itself: no re-sends, no estimates, no copies of its ancestors."""
    return Rollout(context).usage(records)


@hookimpl
def vibescore_notify_target(env: Environment) -> NotifyTarget:
    """The top-level ``notify`` command of Codex's ``config.toml``."""
    return NotifyTarget(codex_home(env) / "config.toml", create=True)


def codex_home(env: Environment) -> Path:
    """Where Codex keeps its files."""
    return env.directory("CODEX_HOME") or env.home / ".codex"
