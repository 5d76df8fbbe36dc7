r"""Words of the wire that several endpoints use.

Patterns end in ``\Z``: ``$`` would let a line feed follow. The document writes it as JSON Schema
does (``openapi``).
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

CONTROL = r"\x00-\x1f\x7f"
END = r"\Z"
"""``$`` would be satisfied before a last line feed, too."""

PLAIN = rf"^[^{CONTROL}]*{END}"
"""Any text without control characters: it stays on its line, and PostgreSQL takes no NUL."""

Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=rf"^[^@ {CONTROL}]+@[^@ {CONTROL}]+{END}")
]
ShownEmail = Annotated[str, Meta(max_length=254, pattern=PLAIN)]
Password = Annotated[str, Meta(min_length=8, max_length=1024)]
ShownPassword = Annotated[str, Meta(max_length=1024)]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=rf"^[^{CONTROL}]*[^ {CONTROL}][^{CONTROL}]*{END}",
    ),
]
Platform = Annotated[str, Meta(max_length=32, pattern=PLAIN)]
DeviceKey = Annotated[str, Meta(min_length=16, max_length=128, pattern=rf"^[\x21-\x7e]+{END}")]


def utc(seconds: int | None) -> str | None:
    """``2026-11-18T12:00:00Z``; None stays None."""
    return None if seconds is None else instant(seconds)


def instant(seconds: int) -> str:
    """``2026-11-18T12:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
