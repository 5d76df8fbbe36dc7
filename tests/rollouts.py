"""Builders of session files that add up the truth while they write.

A builder is told what was spent (`usage(1200, 1000, 80, 40)`) and writes it down as the tool does;
everything else it can write (re-sends, copied heads, estimates, text) is noise by construction. So
the truth of a tree is known before any of it is read: `truth_of(rollout, chat)`. Formats and rules
are those of `sources.md`, chapters 1, 2, 3 and 7.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, Self

import zstandard

Record = dict[str, Any]
Spelling = Callable[[Record], bytes]

UNKNOWN = "unknown"
CONTEXT_WINDOW = 258_400
STEP = timedelta(seconds=7, milliseconds=300)  # between two lines, unless told otherwise
COPYING = timedelta(milliseconds=1_200)  # how long copying a head takes
LINE_KEYS = ("timestamp", "ordinal")  # what a copied line gets anew


class Counters(NamedTuple):
    """Five token counters: of one response, of a session so far, or of a row of the truth."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0

    def plus(self, other: Counters) -> Counters:
        return Counters(*(mine + its for mine, its in zip(self, other, strict=True)))


NOTHING = Counters()

Truth = dict[tuple[str, str, str], Counters]
"""(source, model, hour_start) → totals; non-zero rows in key order."""


class Usage(NamedTuple):
    """Tokens that were really spent: what truth is made of."""

    source: str
    model: str
    at: datetime
    counters: Counters


class Log(Protocol):
    """Anything that knows what was spent in it."""

    @property
    def usages(self) -> Sequence[Usage]: ...


def truth_of(*logs: Log) -> Truth:
    """What a tracker has to find when it has read these logs, each of them once, and no others."""
    sums: Truth = {}
    for usage in chain.from_iterable(log.usages for log in logs):
        key = (usage.source, usage.model, half_hour(usage.at))
        sums[key] = sums.get(key, NOTHING).plus(usage.counters)
    spent = {key: counters for key, counters in sums.items() if any(counters)}
    return dict(sorted(backfilled(spent).items()))


def backfilled(sums: Truth) -> Truth:
    """The same tokens, unknown ones joined to a known model where there is one (BKF-01..05)."""
    settled: Truth = {}
    for (source, model, hour), counters in sums.items():
        key = (source, heir(sums, source, hour) if model == UNKNOWN else model, hour)
        settled[key] = settled.get(key, NOTHING).plus(counters)
    return settled


def heir(sums: Truth, source: str, hour: str) -> str:
    """The model of a slot's unknown tokens: its dominant one, else, for Every Code, Codex's."""
    own = dominant(sums, source, hour)
    return aligned(sums, hour) if own == UNKNOWN and source == "every-code" else own


def aligned(sums: Truth, hour: str) -> str:
    """The dominant model of the nearest half-hour of Codex; of two as near, of the earlier."""
    at = moment(hour)
    hours = {its for source, _, its in sums if source == "codex"}
    nearest = min(hours, key=lambda its: (abs(moment(its) - at), its), default=None)
    return UNKNOWN if nearest is None else dominant(sums, "codex", nearest)


def dominant(sums: Truth, source: str, hour: str) -> str:
    """The known model with most tokens in that slot, by name when equal; `unknown` without one."""
    known = {
        model: counters.total_tokens
        for (its_source, model, its_hour), counters in sums.items()
        if (its_source, its_hour) == (source, hour) and model != UNKNOWN
    }
    return min(known, key=lambda model: (-known[model], model), default=UNKNOWN)


def moment(text: str, day: datetime | None = None) -> datetime:
    """A UTC time from an ISO time, or from a clock time on that day."""
    full = text if day is None or "T" in text else f"{day:%Y-%m-%d}T{text}"
    return datetime.fromisoformat(full).replace(tzinfo=UTC)


def stamp(at: datetime) -> str:
    """As the tools write it: `2026-08-10T09:14:01.102Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def half_hour(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H}:{at.minute // 30 * 30:02d}:00Z"


def session_id(number: int) -> str:
    return f"019e{number:04x}-0000-7000-8000-{number:012x}"


def compact(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def spaced(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def backwards(record: Record) -> bytes:
    """The same record, the keys of every object in reverse order."""
    return compact(reverse(record))


def reverse(record: Record) -> Record:
    return {
        key: reverse(value) if isinstance(value, dict) else value
        for key, value in reversed(record.items())
    }


def escaped(record: Record) -> bytes:
    r"""The same record, every character of every key and string as `\uXXXX`."""
    return escape(record).encode()


def escape(value: object) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{escape(key)}:{escape(its)}" for key, its in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(escape, value)) + "]"
    return json.dumps(value)


def full(counters: Counters) -> Record:
    return counters._asdict()


def event_msg(payload: Record) -> Record:
    return {"type": "event_msg", "payload": payload}


class Entry(NamedTuple):
    """A line of a rollout: its record (empty for raw bytes), its spelling and its time."""

    record: Record
    spell: Spelling
    at: datetime

    def line(self) -> bytes:
        return self.spell(self.record)


class Journal:
    """A file of records in the making: lines, a clock, and what is on disk already."""

    def __init__(self, start: str) -> None:
        self.start = self.now = moment(start)
        self.spell: Spelling = compact
        self.entries: list[Entry] = []
        self.ordinal: int | None = None
        self._saved = 0

    def put(self, body: Record, at: str | None = None) -> Self:
        """Any record, without its timestamp."""
        self._tick(at)
        return self._add(body, self.now)

    def raw(self, line: bytes) -> Self:
        """Bytes that need not be a record; time stands still."""
        self.entries.append(Entry({}, lambda _: line, self.now))
        return self

    def say(self, text: str = "Here is what I found.", at: str | None = None) -> Self:
        return self.put(event_msg({"type": "agent_message", "message": text}), at)

    def numbered(self) -> Self:
        """From here on every line carries an `ordinal`."""
        self.ordinal = 0
        return self

    def _tick(self, at: str | None) -> None:
        self.now = moment(at, self.start) if at else self.now + STEP

    def _add(self, body: Record, at: datetime) -> Self:
        head: Record = {"timestamp": stamp(at)}
        if self.ordinal is not None:
            head["ordinal"] = self.ordinal
            self.ordinal += 1
        self.entries.append(Entry(head | body, self.spell, at))
        return self

    def content(self, *, end: bytes = b"\n") -> bytes:
        return b"".join(entry.line() + end for entry in self.entries)

    def unsaved(self) -> bytes:
        """The lines that were added since the last save; from now on they count as saved."""
        fresh, self._saved = self.entries[self._saved :], len(self.entries)
        return b"".join(entry.line() + b"\n" for entry in fresh)

    def save_as(self, path: Path) -> Path:
        write(path, self.content())
        self._saved = len(self.entries)
        return path

    def append_to(self, path: Path) -> None:
        append(path, self.unsaved())


class Rollout(Journal):
    """A Codex session file in the making.

    `start` and `at` are UTC: an ISO time, or for `at` a clock time on the day of `start`; without
    `at` a line comes 7.3 s after the one before. `spell` turns a record into bytes, `shape` lays
    out a usage, `wrap` puts a counter into its envelope: set them at any time to write otherwise.
    """

    source = "codex"
    tree = ".codex"  # below the home, where it is saved

    def __init__(self, number: int, start: str = "2026-08-10T09:14:00") -> None:
        super().__init__(start)
        self.number = number
        self.id = session_id(number)
        self.local = self.start
        self.shape: Callable[[Counters], Record] = full
        self.wrap: Callable[[Record], Record] = event_msg
        self.total = self.last = NOTHING
        self.model_name = UNKNOWN
        self.usages: list[Usage] = []

    def meta(self, **fields: object) -> Self:
        """The first line; `fields` come on top of what every session says of itself."""
        common = {
            "timestamp": stamp(self.now - timedelta(milliseconds=150)),
            "cwd": "/home/u/app",
            "originator": "codex_cli_rs",
            "cli_version": "0.147.0",
            "source": "cli",
            "history_mode": "legacy",
        }
        payload = {"id": self.id} | fields | (common | fields)
        return self._add({"type": "session_meta", "payload": payload}, self.now)

    def model(self, name: str, at: str | None = None) -> Self:
        self.model_name = name
        context = {"turn_id": "t1", "cwd": "/home/u/app", "model": name, "effort": "medium"}
        return self.put({"type": "turn_context", "payload": context}, at)

    def settings(self, name: str, at: str | None = None) -> Self:
        """The model is switched by the user, without a turn."""
        self.model_name = name
        settings = {"model": name, "effort": "high"}
        return self.put(
            event_msg({"type": "thread_settings_applied", "thread_settings": settings}), at
        )

    def usage(self, *spent: int, at: str | None = None) -> Self:
        """A response: input, cached, output, reasoning; counted with its `last`."""
        self._spend(*spent, at=at)
        return self._count()

    def totals_only(self, *spent: int, at: str | None = None, **info: object) -> Self:
        """A response told by the running total alone, or with that further `info`."""
        self._spend(*spent, at=at)
        return self._count_info({"total_token_usage": self.shape(self.total)} | info)

    def usage_record(self, *spent: int, at: str | None = None) -> Self:
        """A response told by a `token_usage_record` alone."""
        self._spend(*spent, at=at)
        return self._record()

    def twins(self, *spent: int, first: Literal["count", "record"], at: str | None = None) -> Self:
        """A response told by a `token_count` and a `token_usage_record`."""
        self._spend(*spent, at=at)
        return self._count()._record() if first == "count" else self._record()._count()

    def turns(self, count: int, at: str | None = None) -> Self:
        """Responses with text, re-sends and numbers that occur in no other session."""
        for step in range(len(self.usages), len(self.usages) + count):
            odd = 131 * self.number + 17 * step
            self.say(at=at).usage(2_000 + odd, 1_000 + odd, 90 + step, 40).resend()
            at = None
        return self

    def resend(self, at: str | None = None) -> Self:
        self._tick(at)
        return self._count()

    def null(self, at: str | None = None) -> Self:
        self._tick(at)
        return self._count_info(None)

    def estimate(self, tokens: int, at: str | None = None) -> Self:
        """The context after a compaction; the total stays what it is."""
        self._tick(at)
        self.last = Counters(total_tokens=tokens)
        return self._count()

    def overflow(self, at: str | None = None) -> Self:
        """The total is replaced by the size of the context window."""
        self._tick(at)
        grown = max(0, CONTEXT_WINDOW - self.total.total_tokens)
        self.total, self.last = Counters(total_tokens=CONTEXT_WINDOW), Counters(total_tokens=grown)
        return self._count()

    def restart(self, total: Counters = NOTHING) -> Self:
        """The running total goes on from here; nothing is written."""
        self.total = total
        return self

    def _spend(self, *spent: int, at: str | None = None) -> None:
        """Input, cached, output, reasoning join total and truth (there cached ≤ input)."""
        self._tick(at)
        fresh, cached, output, reasoning = spent
        self.last = Counters(fresh, cached, output, reasoning, fresh + output)
        self.total = self.total.plus(self.last)
        counted = self.last._replace(cached_input_tokens=min(fresh, cached))
        self.usages.append(Usage(self.source, self.model_name, self.now, counted))

    def uncounted(self) -> Self:
        """The usage just written is none that a reader can count."""
        self.usages.pop()
        return self

    def unstamp(self, **timestamp: object) -> Self:
        """The usage just written has no timestamp, or this one: it takes its predecessor's time."""
        entry = self.entries.pop()
        record = {key: its for key, its in entry.record.items() if key != "timestamp"}
        self.now = self.entries[-1].at if self.entries else entry.at
        self.entries.append(Entry(timestamp | record, entry.spell, self.now))
        self.usages[-1] = self.usages[-1]._replace(at=self.now)
        return self

    def fork(self, number: int, at: str, **fields: object) -> Rollout:
        """A child that the user branched off; its running total goes on from here."""
        return self._child(number, at, {"forked_from_id": self.id} | fields)

    def subagent(self, number: int, at: str, **fields: object) -> Rollout:
        """A child that this session spawned, without `forked_from_id`."""
        spawn = {"thread_spawn": {"parent_thread_id": self.id, "depth": 1}}
        links = {"parent_thread_id": self.id, "source": {"subagent": spawn}}
        return self._child(number, at, links | fields)

    def _child(self, number: int, at: str, links: dict[str, object]) -> Rollout:
        child = Rollout(number, moment(at, self.start).isoformat())
        child.spell = self.spell
        if self.ordinal is not None:
            child.numbered()
        return child.meta(**links)

    def goes_on_from(self, parent: Rollout) -> Self:
        """The running total is the parent's; no line is copied."""
        self.total, self.last = parent.total, parent.last
        return self

    def copy_head(
        self,
        parent: Rollout,
        *,
        lines: slice = slice(None),
        within: timedelta | None = COPYING,
    ) -> Self:
        """The parent's lines as they are now, stamped anew `within` that time (None: as before)."""
        copied = [entry for entry in parent.entries[lines] if entry.record]
        for entry in copied:
            self.now += (within or COPYING) / len(copied)
            body = {key: its for key, its in entry.record.items() if key not in LINE_KEYS}
            self._add(deepcopy(body), self.now if within else entry.at)
        self.model_name = parent.model_name
        return self.goes_on_from(parent)

    def begins_own_history(self, spell: type[int | str] = int) -> Self:
        """The first line names the ordinal of the next one as the start of the child's own."""
        payload = self.entries[0].record["payload"]
        payload["subagent_history_start_ordinal"] = spell(self.ordinal or 0)
        return self

    def _count(self) -> Self:
        return self._count_info(
            {
                "total_token_usage": self.shape(self.total),
                "last_token_usage": self.shape(self.last),
                "model_context_window": CONTEXT_WINDOW,
            }
        )

    def _count_info(self, info: Record | None) -> Self:
        payload = {"type": "token_count", "info": info, "rate_limits": None}
        return self._add(self.wrap(payload), self.now)

    def _record(self) -> Self:
        payload = {
            "thread_id": self.id,
            "turn_id": "t1",
            "response_id": f"resp_{self.number}_{len(self.usages)}",
            "usage": self.shape(self.last),
            "turn_token_usage": self.shape(self.last),
            "thread_token_usage": self.shape(self.total),
        }
        return self._add({"type": "token_usage_record", "payload": payload}, self.now)

    @property
    def name(self) -> str:
        return f"rollout-{self.local:%Y-%m-%dT%H-%M-%S}-{self.id}.jsonl"

    def inside(self, tree: str) -> Self:
        """From here on it is saved in that tree below the home."""
        self.tree = tree
        return self

    def save(self, home: Path, folder: str | None = None) -> Path:
        """Writes the file where the tool would, or into that folder of its tree; gives its path."""
        return self.save_as(
            home / self.tree / (folder or f"{self.local:sessions/%Y/%m/%d}") / self.name
        )


class EveryCode(Rollout):
    """An Every Code session file in the making.

    Its events lie in an envelope with the number of the submission and a sequence within it; both
    start anew with each process, as does the running total. Most often no model is named.
    """

    source = "every-code"
    tree = ".code"

    def __init__(self, number: int, start: str = "2026-08-10T09:14:00") -> None:
        super().__init__(number, start)
        self.wrap = self.event
        self.submission = self.sequence = 0
        self.order: Record = {}
        self.named: Record = {}

    def event(self, message: Record) -> Record:
        """The envelope of Every Code around a message, with the next number in the sequence."""
        head = {"id": str(self.submission), "event_seq": self.sequence}
        self.sequence += 1
        return {"type": "event", "payload": head | self.order | {"msg": message}}

    def meta(self, **fields: object) -> Self:
        common = {
            "timestamp": stamp(self.now - timedelta(milliseconds=150)),
            "cwd": "/home/u/app",
            "originator": "code_cli_rs",
            "cli_version": "0.6.70",
            "source": "cli",
        }
        return self._add(
            {"type": "session_meta", "payload": {"id": self.id} | common | fields}, self.now
        )

    def model(self, name: str, at: str | None = None) -> Self:
        """The session is configured, or configured anew, for this model."""
        self.model_name = name
        return self.put(self.event({"type": "session_configured", "model": name}), at)

    def naming(self, requested: str | None = None, answering: str | None = None) -> Self:
        """From here on `info` tells these models; what was requested is what counts."""
        names = {"requested_model": requested, "latest_response_model": answering}
        self.named = {key: name for key, name in names.items() if name}
        self.model_name = requested or answering or UNKNOWN
        return self

    def say(self, text: str = "Here is what I found.", at: str | None = None) -> Self:
        return self.put(self.event({"type": "agent_message", "message": text}), at)

    def task(self, at: str | None = None) -> Self:
        """The next submission begins."""
        self.submission += 1
        self.sequence = 0
        return self.put(self.event({"type": "task_started", "model_context_window": None}), at)

    def turns(self, count: int, at: str | None = None) -> Self:
        """Tasks with text, re-sends and numbers that occur in no other session."""
        for _ in range(count):
            self.task(at)
            super().turns(1)
            at = None
        return self

    def resumed(self) -> Self:
        """A new process goes on in this file; so far it has written nothing."""
        self.submission = self.sequence = 0
        return self.restart()

    def compacted(self, at: str | None = None) -> Self:
        """A task that compacts the context; the running total starts from zero."""
        self.task(at).put({"type": "compacted", "payload": {"message": "We were at it."}})
        return self.restart()

    def fork(self, number: int, at: str, **fields: object) -> EveryCode:
        """A child that the user branched off: nothing in its first line says so."""
        child = EveryCode(number, moment(at, self.start).isoformat())
        child.spell = self.spell
        return child.inside(self.tree).meta(**fields)

    def copy_head(
        self,
        parent: Rollout,
        *,
        lines: slice = slice(1, None),
        within: timedelta | None = COPYING,
    ) -> Self:
        """The parent's lines as they are now, without its first, stamped anew `within` that time;
        then a process goes on as if it had resumed them.
        """
        return super().copy_head(parent, lines=lines, within=within).resumed()

    def _count_info(self, info: Record | None) -> Self:
        return super()._count_info(info and info | self.named)


class Chat:
    """A Gemini session in the making: its messages as they are now, and what each has cost."""

    source = "gemini"

    def __init__(self, number: int, start: str = "2026-03-01T08:00:00") -> None:
        self.id = session_id(number)
        self.start = self.now = moment(start)
        self.messages: dict[str, Record] = {}
        self._spent: dict[str, Usage] = {}

    @property
    def usages(self) -> list[Usage]:
        return list(self._spent.values())

    @property
    def name(self) -> str:
        return f"session-{self.start:%Y-%m-%dT%H-%M}-{self.id[-8:]}"

    def write(
        self, name: str, *, type: str = "user", at: str | None = None, **fields: object
    ) -> Self:
        """A message, or changes to one that is there: it keeps its place and its time."""
        if name not in self.messages:
            self.now = moment(at, self.start) if at else self.now + STEP
            head = {"id": name, "timestamp": stamp(self.now), "type": type, "content": "…"}
            self.messages[name] = head
        self.messages[name] = self.messages[name] | fields
        return self

    def answer(
        self, name: str, *spent: int, model: str | None = "gemini-3-pro", at: str | None = None
    ) -> Self:
        """A response: input, cached, output, thoughts, tool; known ids are rewritten."""
        fresh, cached, output, thoughts, tool = spent
        total = fresh + output + thoughts + tool
        tokens = {
            "input": fresh,
            "output": output,
            "cached": cached,
            "thoughts": thoughts,
            "tool": tool,
            "total": total,
        }
        fields: Record = {} if model is None else {"model": model}
        self.write(name, type="gemini", at=at, **fields, tokens=tokens)
        when = moment(self.messages[name]["timestamp"].removesuffix("Z"))
        counters = Counters(fresh, cached, output + tool, thoughts, total)
        self._spent[name] = Usage(self.source, (model or "").strip() or UNKNOWN, when, counters)
        return self

    def forget(self, *names: str) -> Self:
        """These messages leave the session; what they cost stays paid."""
        for name in names:
            del self.messages[name]
        return self

    def header(self) -> Record:
        return {
            "sessionId": self.id,
            "projectHash": "5a" * 32,
            "startTime": stamp(self.start),
            "lastUpdated": stamp(self.now),
        }

    def records(self) -> list[Record]:
        """The session as `.jsonl` says it: a header, then the messages as they are now."""
        return [self.header(), *self.messages.values()]

    def document(self) -> bytes:
        """The session as `.json` says it."""
        return compact(self.header() | {"messages": list(self.messages.values())})

    def path(self, home: Path, *, ending: str, project: str = "app") -> Path:
        return home / ".gemini/tmp" / project / "chats" / f"{self.name}{ending}"


def lines(records: Iterable[Record]) -> bytes:
    return b"".join(compact(record) + b"\n" for record in records)


def write(path: Path, content: bytes) -> Path:
    """Writes in place: an existing file keeps its inode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def replace(path: Path, content: bytes) -> None:
    """Writes a new file and renames it over the old one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def archive(home: Path, path: Path, tree: str = ".codex") -> Path:
    """Moves a session into the archive, as the tool does: same file, other folder."""
    target = home / tree / "archived_sessions" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.rename(target)


def compressed_copy(path: Path) -> Path:
    """The `.zst` beside a session, with its modification time."""
    target = path.with_name(f"{path.name}.zst")
    target.write_bytes(zstandard.compress(path.read_bytes()))
    os.utime(target, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    return target


def compress(path: Path) -> Path:
    """Leaves only the `.zst`."""
    target = compressed_copy(path)
    path.unlink()
    return target
