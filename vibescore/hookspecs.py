"""The hooks of vibescore. One plugin is one source is one module of plain functions.

The entry-point name in the group ``vibescore`` is the name of the source. A plugin opens no file,
touches no network and reads no environment of its own: the host walks, reads and writes; the
plugin recognises and parses. Hooks are called on one plugin at a time, and whatever one raises
stays its own (COL-09, PLG-02).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pluggy

from vibescore.model import (
    Environment,
    Identity,
    NotifyTarget,
    ParseContext,
    Slot,
    Timeline,
    Tree,
    Usage,
)

API_VERSION = 1
"""The version of these hooks. A plugin module may name the one it was written for as
``vibescore_api``.
"""

GROUP = "vibescore"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def vibescore_discover(env: Environment) -> Iterable[Tree]:  # type: ignore[empty-body]
    """Where the tool keeps its logs. Trees that do not exist are fine."""


@hookspec
def vibescore_identify(path: Path, head: Any, tree: Tree) -> Identity | None:
    """Whose file this is: its session and that session's parent, or None when it is not this
    source's.

    ``head`` is the first record of the file that decodes as ``tree.head``, or None; ``tree`` is the
    one, as declared, in which the file was found.
    Asked when a file is met for the first time; a file goes to the first plugin, by name, that
    identifies it.
    """


@hookspec
def vibescore_parse(  # type: ignore[empty-body]
    records: Iterable[Any], context: ParseContext
) -> Iterable[Usage]:
    """Usage in ``records``, in their order.

    The host may cut a log anywhere between two records and call again with what comes later:
    whatever must be remembered goes into ``context.state``.
    """


@hookspec
def vibescore_backfill_model(slot: Slot, timeline: Timeline) -> str | None:
    """A model for tokens of a half-hour in which no model is known, or None (BKF-05).

    The owner of the slot is asked first, then the others by name. The answer must follow from the
    timeline alone.
    """


@hookspec
def vibescore_notify_target(env: Environment) -> NotifyTarget | None:
    """Where the tool can be told to call vibescore after a turn, or None. Declared here, written
    by the host.
    """
