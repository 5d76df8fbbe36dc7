"""What the server writes about itself: constant events with fields, to standard error (SRV-22).

Nobody's data is in it: no addresses, no bodies, no query strings, no tokens, and of an error what
it is and where, but not its text, which may repeat what was sent.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from traceback import extract_tb
from typing import Any, Literal, TextIO

Level = Literal["debug", "info", "warning", "error"]

OURS = "vibescore"
ORDINARY = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(level: Level, stream: TextIO | None = None) -> None:
    """Log from now on: lines for a person on a terminal, JSON elsewhere."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines() if handler.stream.isatty() else JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    for name in ("root", "error", "access", "server", "websockets"):
        logging.getLogger(f"sanic.{name}").setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """``{"time": …, "level": …, "logger": …, "event": …}`` and the fields."""
        told = {
            "time": moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        return json.dumps(told | fields(record), default=str)


class Lines(logging.Formatter):
    """One line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """``2026-11-18T12:00:00.000Z info request: method GET, status 200``."""
        said = ", ".join(f"{name} {value}" for name, value in fields(record).items())
        event = record.getMessage() + (f": {said}" if said else "")
        return f"{moment(record)} {record.levelname.lower()} {event}"


def moment(record: logging.LogRecord) -> str:
    """When it was, in UTC."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as ``extra``, and where an error happened."""
    given = {name: value for name, value in vars(record).items() if name not in ORDINARY}
    error = record.exc_info[1] if record.exc_info else None
    return given | ({"error": kind_of(error), "at": places_of(error)} if error else {})


def kind_of(error: BaseException) -> str:
    """``psycopg.errors.DataError``, and what caused it."""
    cause = error.__cause__ or error.__context__
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{name} < {kind_of(cause)}" if cause else name


def places_of(error: BaseException) -> list[str]:
    """Where an error came by, the outermost first: ``app.py:120 before``."""
    frames = extract_tb(error.__traceback__)
    return [f"{each.filename.rpartition('/')[2]}:{each.lineno} {each.name}" for each in frames]
