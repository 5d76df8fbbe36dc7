"""vibescore: exact, private token usage of AI coding tools.

This is the public API for plugin authors; everything else may change between versions. Names are
imported when they are first used, so that a command that needs no plugin does not pay for the
plugin machinery.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vibescore.hookspecs import API_VERSION, hookimpl
    from vibescore.model import (
        UNKNOWN,
        Copy,
        Document,
        Environment,
        Identity,
        Lines,
        Mark,
        NoState,
        NotifyTarget,
        ParseContext,
        Rows,
        RunningTotal,
        Slot,
        Timeline,
        TokenTotals,
        Tree,
        UsageEvent,
        utc_seconds,
    )

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "UNKNOWN",
    "Copy",
    "Document",
    "Environment",
    "Identity",
    "Lines",
    "Mark",
    "NoState",
    "NotifyTarget",
    "ParseContext",
    "Rows",
    "RunningTotal",
    "Slot",
    "Timeline",
    "TokenTotals",
    "Tree",
    "UsageEvent",
    "__version__",
    "hookimpl",
    "utc_seconds",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vibescore' has no attribute {name!r}")
    from vibescore import hookspecs, model

    return getattr(hookspecs if name in ("API_VERSION", "hookimpl") else model, name)
