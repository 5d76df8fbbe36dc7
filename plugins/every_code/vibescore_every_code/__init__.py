"""Every Code as a source: where its rollouts are, and which model their tokens belong to
(sources.md, chapter 2).

It is a fork of Codex CLI that writes rollouts of the same form, also into Codex's tree, so the
records and most rules are Codex's.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from vibescore import (
    Environment,
    Identity,
    Lines,
    NotifyTarget,
    ParseContext,
    Slot,
    Timeline,
    Tree,
    hookimpl,
)
from vibescore_codex import EVERY_CODE, FOLDERS, PATTERN, codex_home, session_of
from vibescore_codex.records import SKIP, Head, Record
from vibescore_codex.rollout import Usage
from vibescore_every_code.rollout import Rollout, State

RULES_VERSION = 1


class SharedHead(Head, frozen=True, tag_field="type", tag="session_meta"):
    """The record that heads a rollout in Codex's tree."""


@hookimpl
def vibescore_discover(env: Environment) -> Iterator[Tree]:
    """Its own tree, and Codex's, into which it writes when only ``CODEX_HOME`` is set (COL-04)."""
    rollouts = Lines(record=Record, state=State, skip=SKIP)
    for home, head in {every_code_home(env): Head, codex_home(env): SharedHead}.items():
        for folder in FOLDERS:
            yield Tree(home / folder, PATTERN, rollouts, head, RULES_VERSION, in_order=True)


@hookimpl
def vibescore_identify(path: Path, head: Head | None, tree: Tree) -> Identity | None:
    """What says that Every Code wrote it; in its own tree also what does not say who did."""
    author = (head.payload.originator if head else None) or ""
    is_codex = author.lower().startswith("codex")
    is_ours = author == EVERY_CODE or (tree.head is Head and not is_codex)
    return session_of(path, head) if is_ours else None


@hookimpl
def vibescore_parse(records: Iterable[Record], context: ParseContext) -> Iterator[Usage]:
    """Usage of the session itself, by Codex's rules; forks are known by what they repeat."""
    return Rollout(context).usage(records)


@hookimpl
def vibescore_backfill_model(slot: Slot, timeline: Timeline) -> str | None:
    """The dominant model of the nearest half-hour of Codex, known or not (BKF-05)."""
    if slot.source != "every-code":
        return None
    nearest = timeline.nearest("codex", slot.start)
    return timeline.dominant(nearest) if nearest else None


@hookimpl
def vibescore_notify_target(env: Environment) -> NotifyTarget:
    """The top-level ``notify`` command of Every Code's ``config.toml``, where there is one
    (NTF-06).
    """
    return NotifyTarget(every_code_home(env) / "config.toml")


def every_code_home(env: Environment) -> Path:
    """Where Every Code keeps what is its own."""
    return env.directory("CODE_HOME") or env.home / ".code"
