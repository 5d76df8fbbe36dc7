"""The words of vibescore as types: what travels along the straight line.

    Tree → source files → records → UsageEvent
         → {Slot: {model: TokenTotals}} → {Bucket: TokenTotals}

Counters are tokens, times are UTC seconds. One convention for every source (sources.md): cached
input is part of the input, reasoning is part of the output, and total = input + output. Gemini
alone keeps reasoning and total as its log gives them (COL-06).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

UNKNOWN = "unknown"
HALF_HOUR = 1800
LARGEST_COUNT = 2**48
LONGEST_MODEL = 128


class TokenTotals(Struct, frozen=True, array_like=True, gc=False):
    """Five token counters, each from 0 to 2^63 - 1; the field names are those of the wire
    (api.md).
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0

    @classmethod
    def normal(
        cls, *, input: int, output: int, cached_input: int = 0, reasoning_output: int = 0
    ) -> "TokenTotals":
        """In normal form: cached is part of the input, reasoning part of the output, and the total
        is input + output.
        """
        cached, reasoning = min(cached_input, input), min(reasoning_output, output)
        return cls(input, cached, output, reasoning, input + output)

    @classmethod
    def total(cls, tokens: Iterable["TokenTotals"]) -> "TokenTotals":
        """The sum of all."""
        return cls(*map(sum, zip(*(each.counters for each in tokens), strict=True)))

    def __add__(self, other: "TokenTotals") -> "TokenTotals":
        return TokenTotals(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_output_tokens + other.reasoning_output_tokens,
            self.total_tokens + other.total_tokens,
        )

    def __sub__(self, other: "TokenTotals") -> "TokenTotals":
        return TokenTotals(
            self.input_tokens - other.input_tokens,
            self.cached_input_tokens - other.cached_input_tokens,
            self.output_tokens - other.output_tokens,
            self.reasoning_output_tokens - other.reasoning_output_tokens,
            self.total_tokens - other.total_tokens,
        )

    def __bool__(self) -> bool:
        """Whether any counter differs from zero."""
        return self != ZERO

    @property
    def counters(self) -> tuple[int, int, int, int, int]:
        """Input, cached input, output, reasoning output, total."""
        return (
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
            self.reasoning_output_tokens,
            self.total_tokens,
        )


ZERO = TokenTotals()

EventId = str | int | tuple["EventId | None", ...]
"""What makes an event the same event wherever it is met; hashed at once, never stored or shown."""


class UsageEvent(Struct, frozen=True):
    """Tokens of one model response.

    ``id`` is stable over files, copies and rewrites; ``at`` is UTC seconds; ``model`` may be None
    or empty.
    """

    id: EventId
    at: float
    model: str | None
    tokens: TokenTotals


class RunningTotal(Struct, frozen=True):
    """Tokens of a whole session so far, from a tool that keeps nothing finer.

    The growth since the last value met for ``id`` counts at ``at``.
    """

    id: EventId
    at: float
    model: str | None
    tokens: TokenTotals


class Copy(Struct, frozen=True):
    """The event ``id`` turned out to repeat another one: what it counted is taken back."""

    id: EventId


class Mark(Struct, frozen=True):
    """``ParseContext.seen`` knows ``id`` from now on; it counts nothing."""

    id: EventId


Usage = UsageEvent | RunningTotal | Copy | Mark


class Slot(NamedTuple):
    """A source and a UTC half-hour; ``start`` is UTC seconds, a multiple of 1800."""

    source: str
    start: int


class Bucket(NamedTuple):
    """A slot and a model: the key under which tokens are summed and leave the computer (COL-07)."""

    source: str
    model: str
    start: int

    @property
    def slot(self) -> Slot:
        return Slot(self.source, self.start)


Slots = Mapping[Slot, Mapping[str, TokenTotals]]


class Environment(Struct, frozen=True):
    """What a plugin may know of the computer: the variables and the home directory."""

    variables: Mapping[str, str]
    home: Path

    def directory(self, variable: str) -> Path | None:
        """The directory a variable names (``~`` expanded), or None when it is unset or empty."""
        value = self.variables.get(variable, "").strip()
        if not value:
            return None
        if value == "~" or value.startswith("~/"):
            return self.home / value[2:]
        return Path(value)


class NoState(Struct):
    """The state of a reading that needs none."""


class Lines(Struct, frozen=True):
    """A log with one JSON record a line.

    ``record`` and ``state`` are msgspec structs: the fields of ``record`` are all that is ever
    decoded (COL-02). A line is decoded unless its beginning matches the regular expression
    ``skip``, which must prove by itself that the line cannot matter: whatever spelling it does not
    foresee is decoded. A group in it, named like a field of ``record``, catches the time of the
    line, for later records that have none of their own: before one of them, and at the end of a
    piece, a record with that field alone stands for the line that was skipped last.
    """

    record: type[Struct]
    state: type[Struct] = NoState
    skip: bytes | None = None


class Document(Struct, frozen=True):
    """A file that is one JSON value and is rewritten as a whole: one record, and a new state, each
    time it changed.
    """

    record: type[Struct]
    state: type[Struct] = NoState


class Rows(Struct, frozen=True):
    """A SQLite database, opened read-only.

    ``query`` binds ``:since`` to the last value of its first column that was read (None at first)
    and orders by that column; its column names are the fields of ``record``.
    """

    query: str
    record: type[Struct]
    state: type[Struct] = NoState


Reading = Lines | Document | Rows


class Tree(Struct, frozen=True):
    """Where files of a source are and how they are read.

    ``pattern`` is relative to ``root``, with ``*`` and ``?`` inside a name and ``**`` for any
    directories; a file with ``.zst`` behind its name matches too and is read through zstd.
    ``head`` is the struct of the record that tells whose file it is. A new ``rules_version`` makes
    the host count the files again that still exist (CLI-12).

    ``in_order`` is for tools whose sessions repeat each other without naming each other: all such
    files of the source are read in the order of their names, each knowing (``seen``) what was met
    in those before. Otherwise only a session and its forks know of each other while they are read.
    """

    root: Path
    pattern: str
    reading: Reading
    head: type[Struct] | None = None
    rules_version: int = 1
    in_order: bool = False


class Identity(Struct, frozen=True):
    """Which session a file belongs to, and from which session that one was forked, if any."""

    key: str
    parent: str | None = None


class ParseContext(Struct):
    """What parsing may know beside the records.

    ``tree`` is the one, as declared, in which the file with the records was found. ``state`` is
    the reading's state struct: change it in place, it is kept with the cursor.
    ``ancestors`` are the keys of the parent, its parent and so on; ``complete`` says whether they
    reach a session without parent. ``seen(id)`` says whether an event was met before,
    ``skip(reason)`` counts a record that was left out; a reason is a constant text.
    """

    key: str
    tree: Tree
    state: Any
    ancestors: tuple[str, ...]
    complete: bool
    seen: Callable[[EventId], bool]
    skip: Callable[[str], None]


class NotifyTarget(Struct, frozen=True):
    """Where a tool can be told to call us after each turn; the host edits, chains and restores
    (NTF-01, NTF-08).

    ``config`` is a TOML file with a top-level ``notify`` command, or, when ``hook`` names an
    event, a JSON settings file with that hook. Nothing is created when ``config`` does not exist
    unless ``create`` is true.
    """

    config: Path
    hook: str | None = None
    create: bool = False


class Timeline(Struct):
    """The known models of every source over time, for backfill by alignment (BKF-05).

    ``half_hours(source)`` gives the sorted half-hours that hold usage, ``dominant(slot)`` the
    known model with most tokens in one, or None.
    """

    half_hours: Callable[[str], list[int]]
    dominant: Callable[[Slot], str | None]

    def nearest(self, source: str, start: int) -> Slot | None:
        """The half-hour of ``source`` nearest to ``start``, past or future; equal distance: the
        earlier.
        """
        from bisect import bisect_left

        starts = self.half_hours(source)
        after = bisect_left(starts, start)
        near = starts[max(after - 1, 0) : after + 1]
        if not near:
            return None
        return Slot(source, min(near, key=lambda other: (abs(other - start), other)))


class Skips(Struct):
    """Counts of records that were left out, by constant reason (COL-09)."""

    counts: dict[str, int] = {}

    def add(self, reason: str) -> None:
        """Count one record; raises TypeError unless the reason is a text."""
        if not isinstance(reason, str):
            raise TypeError("a reason is a constant text")
        self.counts[reason] = self.counts.get(reason, 0) + 1


def half_hour(at: float) -> int:
    """The start of the UTC half-hour that holds ``at``, both in UTC seconds."""
    return int(at // HALF_HOUR) * HALF_HOUR


def utc_seconds(text: str | None) -> float | None:
    """UTC seconds of an ISO 8601 time; None when there is none or it is none. Without an offset it
    is UTC.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def is_time(text: str | None) -> bool:
    """Whether ``utc_seconds`` of it is a time."""
    try:
        return bool(text and datetime.fromisoformat(text))
    except ValueError:
        return False


def iso_utc(seconds: float) -> str:
    """ISO 8601 with ``Z``, whole seconds: the form of ``hour_start`` on the wire."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1024)
def model_name(text: str | None) -> str:
    """A model name as it is stored: trimmed, printable, at most 128 characters, ``unknown`` when
    nothing is left.
    """
    if not text:
        return UNKNOWN
    name = text.strip()
    if not name.isprintable():
        name = "".join(filter(str.isprintable, name)).strip()
    return name[:LONGEST_MODEL].rstrip() or UNKNOWN
