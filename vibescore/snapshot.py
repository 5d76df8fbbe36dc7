"""Answers that take long to find, kept in the home until what they depend on changes (CLI-07)."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from vibescore.digest import blake2b


def remembered(path: Path, depends_on: object, find: Callable[[], Any]) -> Any:
    """What ``find`` answered when ``depends_on`` last looked like this; else it is asked again.

    The answer is plain JSON. Keeping it is best effort, and only where the home already exists:
    looking something up creates nothing.
    """
    key = key_of(depends_on)
    kept = _read(path)
    if kept.get("key") != key:
        kept = {"key": key, "answer": find()}
        _write(path, kept)
    return kept["answer"]


def key_of(value: object) -> str:
    """A text that stands for a value of plain parts; what it is made of cannot be read from it."""
    return blake2b(repr(value).encode(), digest_size=16).hexdigest()


def changed(path: str | Path) -> int | None:
    """When a file or folder last changed, in nanoseconds; None when there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def installation() -> list[object]:
    """What tells that something was installed or removed: that changes a folder which Python
    imports from.
    """
    return [sys.version, *((folder, changed(folder or ".")) for folder in sys.path)]


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(path: Path, kept: dict[str, Any]) -> None:
    """Through a file beside it, so that nobody ever reads half of it."""
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        if path.parent.is_dir():
            beside.touch(mode=0o600)
            beside.write_text(json.dumps(kept), "utf-8")
            beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
