"""Answers that take long to find, kept in the home until what they depend on changes (CLI-07)."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any


def remembered(path: Path, depends_on: object, find: Callable[[], Any]) -> Any:
    """What ``find`` answered when ``depends_on`` last looked like this; else it is asked again.

    The answer is plain JSON. Keeping it is best effort, and only where the home already exists:
    looking something up creates nothing.
    """
    key = blake2b(repr(depends_on).encode(), digest_size=16).hexdigest()
    kept = _read(path)
    if kept.get("key") != key:
        kept = {"key": key, "answer": find()}
        _write(path, kept)
    return kept["answer"]


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
