"""Log corpora for the benchmarks, with the exact totals that a tracker has to find in them.

    python bench/corpus.py codex-1g DIR
    python bench/corpus.py codex-dense DIR --scale 0.1

Writes a home (`DIR/.codex`, `DIR/.gemini`, `DIR/.claude`) and `DIR/truth.jsonl`. The truth is added
up while the logs are written and never read back from them. Seeds are fixed: the same command
writes the same bytes (`demo` also depends on `--now`). Formats and sizes are those of `sources.md`,
chapters 1, 3, 4, 6 and 7.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, chain, count, repeat
from pathlib import Path
from typing import Any, NamedTuple

Payload = dict[str, Any]

SECOND = 1_000  # all times are UTC milliseconds
MINUTE = 60 * SECOND
HALF_HOUR = 30 * MINUTE
DAY = 48 * HALF_HOUR
SPRING = 1_777_593_600_000  # 2026-05-01T00:00:00Z, where the fixed corpora begin

CODEX_MODELS = ("gpt-5.2-codex", "gpt-5.1", "gpt-5.1-codex-mini")
GEMINI_MODELS = ("gemini-3-pro", "gemini-3-flash")
CLAUDE_MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
SYNTHETIC = "<synthetic>"
UNKNOWN = "unknown"
CONTEXT_WINDOW = 258_400
CWD = "/home/sample/sample-project"

LINE_HEAD = b'{"timestamp":"'
STAMP_BYTES = len("2026-08-10T09:14:01.102Z")
WRITE_BUFFER = 1 << 20


class Usage(NamedTuple):
    """The five counters of a response or of a sum of responses."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        return Usage(*(mine + its for mine, its in zip(self, other, strict=True)))


NOTHING = Usage()


class Truth:
    """Expected totals per source, half-hour and model, added up while the logs are written."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, int], dict[str, Usage]] = {}

    def add(self, source: str, model: str, at: int, usage: Usage) -> None:
        models = self._slots.setdefault((source, at - at % HALF_HOUR), {})
        models[model] = models.get(model, NOTHING).plus(usage)

    def rows(self) -> list[dict[str, str | int]]:
        """Rows as `vibescore export --format jsonl` writes them, in key order."""
        keyed = sorted(
            (source, model, iso(start), usage)
            for (source, start), models in self._slots.items()
            for model, usage in backfilled(models).items()
        )
        return [
            {"source": source, "model": model, "hour_start": hour, **usage._asdict()}
            for source, model, hour, usage in keyed
        ]


def backfilled(models: dict[str, Usage]) -> dict[str, Usage]:
    """One slot with its unknown tokens joined to the dominant known model (BKF-01..03)."""
    known = {model: usage for model, usage in models.items() if model != UNKNOWN}
    if not known or UNKNOWN not in models:
        return models
    dominant = min(known, key=lambda model: (-known[model].total_tokens, model))
    return known | {dominant: known[dominant].plus(models[UNKNOWN])}


def iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at / SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def stamp(at: int) -> bytes:
    """The time as the tools write it: `2026-08-10T09:14:01.102Z`."""
    day, rest = divmod(at, DAY)
    minutes, rest = divmod(rest, MINUTE)
    hour, minute = divmod(minutes, 60)
    second, milli = divmod(rest, SECOND)
    return b"%bT%02d:%02d:%02d.%03dZ" % (date(day), hour, minute, second, milli)


def iso_milli(at: int) -> str:
    return stamp(at).decode()


@lru_cache(maxsize=1024)
def date(day: int) -> bytes:
    return f"{datetime.fromtimestamp(day * DAY / SECOND, UTC):%Y-%m-%d}".encode()


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Written:
    """What has been written so far."""

    files: int = 0
    size: int = 0
    lines: int = 0
    counters: int = 0

    def add(self, size: int, lines: int, counters: int) -> None:
        """One more file."""
        self.files += 1
        self.size += size
        self.lines += lines
        self.counters += counters

    def __str__(self) -> str:
        apart = self.lines / max(1, self.counters)
        return (
            f"{self.files:,} files, {self.size:,} bytes, {self.lines:,} lines, "
            f"{self.counters:,} counters (one in {apart:.1f} lines)"
        )


class Text:
    """Prose, code and shell output to cut excerpts from."""

    WORDS = (
        "the parser reads one line at a time and keeps a cursor so that nothing is counted twice "
        "this test fails because größer values overflow → see the café example ✓ then we add a "
        "guard clause and run the suite again before the change is merged into the main branch"
    )
    CODE = (
        "def total(rows: list[int]) -> int:\n    return sum(rows)\n",
        'if name == "main":\n\tprint("done", flush=True)\n',
        "+    assert result == {'a': 1, \"b\": [2, 3]}\n-    assert result\n",
        "tests/test_rows.py::test_total PASSED                    [ 42%]\n",
        "$ git status --short\n M src/rows.py\n?? notes.md\n",
    )

    def __init__(self, rng: random.Random, size: int = 1_000_000) -> None:
        self._rng = rng
        self._words = self.WORDS.split()
        self._book = "".join(self._part() for _ in range(size // 60))

    def _part(self) -> str:
        if self._rng.random() < 0.4:
            return self._rng.choice(self.CODE)
        words = self._rng.choices(self._words, k=self._rng.randint(6, 18))
        return " ".join(words).capitalize() + ".\n"

    def excerpt(self, size: int) -> str:
        """About that many characters; more than the book holds are read from its start again."""
        repeats, rest = divmod(size, len(self._book) // 2)
        at = self._rng.randrange(len(self._book) // 2)
        return self._book[: repeats * (len(self._book) // 2)] + self._book[at : at + rest]


def message(text: str) -> Payload:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content}


def prompt(text: str) -> Payload:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def agent_message(text: str) -> Payload:
    return {"type": "agent_message", "message": text}


def agent_reasoning(text: str) -> Payload:
    return {"type": "agent_reasoning", "text": f"**Reading** {text}"}


def reasoning(text: str) -> Payload:
    sealed = base64.urlsafe_b64encode(text.encode())[: len(text)].decode()
    summary = [{"type": "summary_text", "text": "**Reading the rows**"}]
    return {"type": "reasoning", "summary": summary, "encrypted_content": f"gAAAAA{sealed}"}


def function_call(text: str) -> Payload:
    arguments = compact({"command": ["bash", "-lc", text], "workdir": CWD})
    return {"type": "function_call", "name": "shell", "arguments": arguments, "call_id": "call_1"}


def function_output(text: str) -> Payload:
    output = compact({"output": text, "metadata": {"exit_code": 0, "duration_seconds": 0.4}})
    return {"type": "function_call_output", "call_id": "call_1", "output": output}


def quoted_output(text: str) -> Payload:
    """Output of a tool that printed a session log: counters that are only text."""
    usage = Usage(12_000, 9_984, 400, 256, 12_400)
    line = LINE_HEAD + b"2026-08-10T09:14:09.318Z" + counter(usage, usage, "null")
    return function_output(text + line.decode())


def mcp_result(text: str) -> Payload:
    result = {"Ok": {"content": [{"type": "text", "text": text}]}}
    return {"type": "mcp_tool_call_end", "call_id": "call_2", "result": result}


class Kind(NamedTuple):
    """A sort of line without counters: how common, how long compared with the others."""

    weight: int
    length: float
    type: str
    payload: Callable[[str], Payload]


KINDS = (
    Kind(3, 0.5, "response_item", prompt),
    Kind(8, 0.4, "response_item", message),
    Kind(8, 0.4, "event_msg", agent_message),
    Kind(14, 1.0, "response_item", reasoning),
    Kind(10, 0.2, "event_msg", agent_reasoning),
    Kind(24, 0.25, "response_item", function_call),
    Kind(26, 2.2, "response_item", function_output),
    Kind(3, 2.2, "response_item", quoted_output),
    Kind(4, 1.5, "event_msg", mcp_result),
)


def tail(kind: str, payload: Payload) -> bytes:
    """A line from the end of its timestamp on, so that it can be stamped again and again."""
    return f'","type":"{kind}","payload":{compact(payload)}}}\n'.encode()


def counter(total: Usage, last: Usage, limits: str) -> bytes:
    """The tail of a `token_count` line."""
    return (
        '","type":"event_msg","payload":{"type":"token_count","info":{'
        f'"total_token_usage":{vector(total)},"last_token_usage":{vector(last)},'
        f'"model_context_window":{CONTEXT_WINDOW}}},"rate_limits":{limits}}}}}\n'
    ).encode()


def vector(usage: Usage) -> str:
    return (
        f'{{"input_tokens":{usage.input_tokens},'
        f'"cached_input_tokens":{usage.cached_input_tokens},'
        f'"output_tokens":{usage.output_tokens},'
        f'"reasoning_output_tokens":{usage.reasoning_output_tokens},'
        f'"total_tokens":{usage.total_tokens}}}'
    )


def rate_limits(percent: int) -> str:
    primary = {"used_percent": float(percent), "window_minutes": 300, "resets_at": 1_786_356_000}
    weekly = {"used_percent": percent / 4, "window_minutes": 10_080, "resets_at": 1_786_700_000}
    return compact({"primary": primary, "secondary": weekly, "plan_type": "pro"})


def session_id(number: int) -> str:
    return f"019e{number >> 16:04x}-{number & 0xFFFF:04x}-7000-8000-{number:012x}"


@dataclass(frozen=True, slots=True)
class Style:
    """What a corpus of rollouts looks like at scale 1."""

    files: int
    size: int  # bytes
    line: int  # mean bytes of a line without counters
    counters: float  # `token_count` lines among all lines; half of them are re-sends
    meta: tuple[int, int] = (15_500, 26_500)  # bytes of a session's first line
    children: float = 0.0  # files that begin with a copy of their parent's lines
    images: float = 0.0  # bytes in lines of 5 to 8 MB
    pause: int = 3 * SECOND  # mean time between two lines


STYLES = {
    "codex-1g": Style(files=500, size=10**9, line=3_570, counters=1 / 15, images=0.13),
    "codex-dense": Style(files=1_200, size=10**9, line=1_250, counters=0.206, children=0.25),
    "codex-one": Style(files=1, size=10**9, line=3_570, counters=1 / 15, images=0.13),
    "many": Style(files=50_000, size=200_000_000, line=250, counters=0.4, meta=(800, 1_200)),
    "gemini-50m": Style(files=0, size=50_000_000, line=400, counters=0.2, meta=(800, 1_200)),
    "claude-100m": Style(
        files=240, size=10**8, line=2_600, counters=0.5, children=0.3, images=0.13
    ),
    "demo": Style(files=0, size=0, line=300, counters=0.2, meta=(800, 1_200), pause=12 * SECOND),
}


class Stock:
    """Everything prepared once: a gigabyte is written by drawing lines from here."""

    def __init__(self, style: Style, rng: random.Random, truth: Truth) -> None:
        self.rng = rng
        self.truth = truth
        self.text = Text(rng)
        self.lines = self._lines(style.line)
        self.instructions = [
            self.text.excerpt(int(0.92 * rng.randint(*style.meta))) for _ in range(16)
        ]
        self.limits = [rate_limits(percent) for percent in range(100)]
        self.texts_per_response = 2 / style.counters - 2
        self.pause = style.pause

    def _lines(self, mean: int) -> list[bytes]:
        kinds = list(chain.from_iterable(repeat(kind, 8 * kind.weight) for kind in KINDS))
        lengths = [kind.length * self.rng.lognormvariate(0, 0.7) for kind in kinds]
        unit = mean * len(kinds) / sum(lengths)
        return [
            tail(kind.type, kind.payload(self.text.excerpt(int(unit * length))))
            for kind, length in zip(kinds, lengths, strict=True)
        ]

    def images(self, amount: float) -> list[bytes]:
        """Lines of 5 to 8 MB, together about `amount` bytes."""
        sizes = (5_200_000, 6_500_000, 7_800_000)
        lines = [tail("response_item", image(size)) for size in sizes] if amount else []
        return [self.rng.choice(lines) for _ in range(round(amount / 6_500_000))]


def image(size: int) -> Payload:
    content = [{"type": "input_image", "image_url": pixels(size)}]
    return {"type": "message", "role": "user", "content": content}


def pixels(size: int) -> str:
    few = base64.b64encode(random.Random(size).randbytes(3_000)).decode()
    return few * (size // len(few))


class Mark(NamedTuple):
    """The end of a turn: a place where a child can branch off."""

    at: int
    lines: int
    counters: int
    total: Usage


class Session:
    """One rollout in the making: its lines, its clock and its running total."""

    def __init__(self, stock: Stock, number: int, start: int) -> None:
        self.stock = stock
        self.id = session_id(number)
        self.start = self.at = start
        self.stamps: list[bytes] = []
        self.tails: list[bytes] = []
        self.size = 0
        self.counters = 0
        self.total = NOTHING
        self.context = stock.rng.randint(9_000, 20_000)
        self.model = UNKNOWN
        self.marks: list[Mark] = []

    def put(self, *tails: bytes) -> None:
        """Appends lines, each up to twice the mean pause after the one before."""
        for line in tails:
            self.at += 1 + int(self.stock.rng.random() * 2 * self.stock.pause)
            self._append(line)

    def _append(self, line: bytes) -> None:
        self.stamps.append(stamp(self.at))
        self.tails.append(line)
        self.size += len(LINE_HEAD) + STAMP_BYTES + len(line)

    def begin(self, **links: object) -> None:
        """The first line: what the session is, and whose child."""
        payload = {
            "id": self.id,
            **links,
            "timestamp": iso_milli(self.start),
            "cwd": CWD,
            "originator": "codex_cli_rs",
            "cli_version": "0.147.0",
            "source": links.get("source", "cli"),
            "history_mode": "legacy",
            "base_instructions": {"text": self.stock.rng.choice(self.stock.instructions)},
        }
        self._append(tail("session_meta", payload))

    def open(self) -> None:
        """A report without numbers; now and then a response before any model is named."""
        payload = {"type": "token_count", "info": None, "rate_limits": None}
        self.put(tail("event_msg", payload))
        self.counters += 1
        if self.stock.rng.random() < 0.02:
            self.respond()

    def fill(self, *, size: float = math.inf, until: float = math.inf) -> None:
        """Turns until the file has `size` bytes or the clock shows `until`; one at least."""
        self.turn(1)
        while self.size < size and self.at < until:
            self.turn(self.stock.rng.randint(1, 4))

    def turn(self, responses: int) -> None:
        rng = self.stock.rng
        if self.model == UNKNOWN or rng.random() < 0.05:
            self.model = rng.choice(CODEX_MODELS)
        context = {"turn_id": f"t{len(self.marks)}", "cwd": CWD, "model": self.model}
        self.put(tail("turn_context", {**context, "effort": "medium", "summary": "auto"}))
        for _ in range(responses):
            self.respond()
        self.marks.append(Mark(self.at, len(self.tails), self.counters, self.total))

    def respond(self) -> None:
        """Text, a counter, and re-sends of it: on average one."""
        rng = self.stock.rng
        texts = int(self.stock.texts_per_response * rng.uniform(0.5, 1.5) + rng.random())
        self.put(*rng.choices(self.stock.lines, k=texts))
        if self.context > 220_000:
            self.shrink()
        last = self.spend()
        self.count(last)
        self.stock.truth.add("codex", self.model, self.at, last)
        for _ in range(rng.choice((0, 1, 1, 2))):
            self.count(last)

    def spend(self) -> Usage:
        """The numbers of one more response; its input is the grown context."""
        rng = self.stock.rng
        self.context += rng.randint(200, 9_000)
        cached = int(self.context * rng.uniform(0.6, 0.99))
        output = rng.randint(20, 2_500)
        thought = rng.randint(0, output)
        last = Usage(self.context, cached, output, thought, self.context + output)
        self.total = self.total.plus(last)
        return last

    def shrink(self) -> None:
        """Compaction: an estimate, or on overflow a total that starts anew; never usage."""
        self.context = self.stock.rng.randint(12_000, 30_000)
        if self.stock.rng.random() < 0.2:
            self.total = Usage(total_tokens=CONTEXT_WINDOW)
        self.count(Usage(total_tokens=self.context))

    def count(self, last: Usage) -> None:
        self.counters += 1
        self.put(counter(self.total, last, self.stock.rng.choice(self.stock.limits)))

    def copy_head(self, parent: Session, mark: Mark) -> None:
        """The parent's lines up to `mark`; in nine of ten files stamped anew within 1.4 s."""
        restamped = [stamp(self.at + 5 + 1_400 * n // mark.lines) for n in range(mark.lines)]
        kept = self.stock.rng.random() < 0.1
        self.stamps += parent.stamps[: mark.lines] if kept else restamped
        self.tails += parent.tails[: mark.lines]
        self.size += sum(len(LINE_HEAD) + STAMP_BYTES + len(line) for line in self.tails[1:])
        self.counters += mark.counters
        self.total = mark.total
        self.context = parent.context
        self.at += 12 * SECOND

    def save(self, home: Path, written: Written) -> None:
        local = f"{datetime.fromtimestamp(self.start // SECOND, UTC):%Y-%m-%dT%H-%M-%S}"
        folder = made(home / ".codex/sessions" / local[:10].replace("-", "/"))
        parts = chain.from_iterable(zip(repeat(LINE_HEAD), self.stamps, self.tails))
        with (folder / f"rollout-{local}-{self.id}.jsonl").open("wb", WRITE_BUFFER) as file:
            file.writelines(parts)
        written.add(self.size, len(self.tails), self.counters)


@lru_cache(maxsize=4096)
def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def root(stock: Stock, number: int, start: int) -> Session:
    session = Session(stock, number, start)
    session.begin()
    session.open()
    return session


def child(parent: Session, number: int) -> Session:
    """A fork, or a sub-agent whose file repeats its parent's first line."""
    stock = parent.stock
    mark = stock.rng.choice(parent.marks)
    session = Session(stock, number, mark.at + stock.rng.randrange(MINUTE, DAY))
    spawn = {"subagent": {"thread_spawn": {"parent_thread_id": parent.id, "depth": 1}}}
    if stock.rng.random() < 0.5:
        session.begin(forked_from_id=parent.id)
    else:
        session.begin(parent_thread_id=parent.id, source=spawn)
    session.copy_head(parent, mark)
    return session


def rollouts(style: Style, stock: Stock, scale: float) -> Iterator[Session]:
    """Sessions of very different sizes that add up to the size of the corpus."""
    rng = stock.rng
    files = max(1, round(style.files * scale))
    images = stock.images(style.size * scale * style.images)
    weights = [rng.lognormvariate(0, 0.9) for _ in range(files)]
    unit = style.size * scale * (1 - style.images) / sum(weights)
    done = 0
    previous: Session | None = None
    for number, target in enumerate(accumulate(weight * unit for weight in weights)):
        session = following(previous, style, stock, number, SPRING + number * 120 * DAY // files)
        session.fill(size=target - done)
        done += session.size
        session.put(*images[number * len(images) // files : (number + 1) * len(images) // files])
        yield session
        previous = session


def following(
    previous: Session | None, style: Style, stock: Stock, number: int, start: int
) -> Session:
    if previous is None or stock.rng.random() >= style.children:
        return root(stock, number, start + stock.rng.randrange(DAY))
    return child(previous, number)


class Message(NamedTuple):
    """A Gemini message as it was written first, and as it is in the end."""

    draft: Payload
    final: Payload


class Chat:
    """One Gemini session in the making."""

    def __init__(self, stock: Stock, number: int, start: int) -> None:
        self.stock = stock
        self.id = session_id(number)
        self.start = self.at = start
        self.messages: list[Message] = []

    def ask(self) -> None:
        message = self._message("user", self.stock.text.excerpt(self.stock.rng.randint(40, 900)))
        self.messages.append(Message(message, message))

    def answer(self) -> None:
        """A response whose numbers were smaller while it was being written."""
        rng = self.stock.rng
        message = self._message("gemini", self.stock.text.excerpt(rng.randint(300, 6_000)))
        message["model"] = rng.choice(GEMINI_MODELS) if rng.random() < 0.98 else ""
        early = Tokens.drawn(rng)
        final = early.grown(rng)
        self.stock.truth.add("gemini", message["model"] or UNKNOWN, self.at, final.usage())
        self.messages.append(
            Message(message | {"tokens": early.record()}, message | {"tokens": final.record()})
        )

    def _message(self, kind: str, content: str) -> Payload:
        self.at += self.stock.rng.randrange(5 * SECOND, 3 * MINUTE)
        number = f"{self.id}-m{len(self.messages)}"
        return {"id": number, "timestamp": iso_milli(self.at), "type": kind, "content": content}

    def _head(self) -> Payload:
        started, updated = iso_milli(self.start), iso_milli(self.at)
        return {
            "sessionId": self.id,
            "projectHash": "0" * 64,
            "startTime": started,
            "lastUpdated": updated,
        }

    def document(self, messages: int) -> list[Payload]:
        """The first so many messages as one object; the last of them may still be a draft."""
        *settled, last = self.messages[:messages]
        ended = last.final if messages == len(self.messages) else last.draft
        return [self._head() | {"messages": [*(message.final for message in settled), ended]}]

    def records(self) -> list[Payload]:
        """The whole session line by line: drafts, repeats of the same id, updates, rewinds."""
        records = [self._head()]
        for number, message in enumerate(self.messages, 1):
            records += [message.draft] if message.draft is message.final else [*message]
            if number % 16 == 0:
                known = [message.final for message in self.messages[:number]]
                records.append({"$set": {"lastUpdated": iso_milli(self.at), "messages": known}})
            if number % 50 == 0:
                records.append({"$rewindTo": message.final["id"]})
        return records


class Tokens(NamedTuple):
    """Counters of one Gemini request; `total` is the sum of all but `cached`."""

    input: int
    output: int
    cached: int
    thoughts: int
    tool: int

    @classmethod
    def drawn(cls, rng: random.Random) -> Tokens:
        size = rng.randint(4_000, 120_000)
        return cls(size, rng.randint(1, 400), rng.randint(0, size), rng.randint(0, 900), 0)

    def grown(self, rng: random.Random) -> Tokens:
        output, thoughts = self.output + rng.randint(1, 900), self.thoughts + rng.randint(0, 900)
        return self._replace(output=output, thoughts=thoughts, tool=rng.choice((0, 0, 60)))

    def total(self) -> int:
        return self.input + self.output + self.thoughts + self.tool

    def record(self) -> Payload:
        return self._asdict() | {"total": self.total()}

    def usage(self) -> Usage:
        """As COL-06 maps it: tool tokens are output, thoughts are reasoning."""
        spoken = self.output + self.tool
        return Usage(self.input, self.cached, spoken, self.thoughts, self.total())


class ChatStore:
    """Writes Gemini sessions in the forms in which they are met."""

    def __init__(self, home: Path, written: Written) -> None:
        self._tmp = home / ".gemini/tmp"
        self._written = written

    def save(self, chat: Chat, form: int) -> None:
        """Form 0: `.json`; 1: `.jsonl`; 2: both; 3: copied to the slug; 4: a sub-agent's."""
        hashed, slug = f"{form:x}" * 64, "sample-project"
        name = f"session-{iso(chat.start)[:16].replace(':', '-')}-{chat.id[-8:]}"
        if form == 0:
            self._write(f"{slug}/chats/{name}.json", chat.document(len(chat.messages)))
        elif form == 2:
            self._write(f"{hashed}/chats/{name}.json", chat.document(2 * len(chat.messages) // 3))
        elif form == 3:
            self._write(f"{hashed}/chats/{name}.jsonl", chat.records())
        if form in (1, 2, 3):
            self._write(f"{slug}/chats/{name}.jsonl", chat.records())
        if form == 4:
            self._write(f"{slug}/chats/parent-{chat.id[-4:]}/{chat.id}.jsonl", chat.records())

    def _write(self, name: str, records: list[Payload]) -> None:
        path = self._tmp / name
        content = "".join(compact(record) + "\n" for record in records).encode()
        made(path.parent)
        path.write_bytes(content)
        self._written.add(len(content), len(records), content.count(b'"tokens":'))


def chat(stock: Stock, number: int, start: int, turns: int) -> Chat:
    session = Chat(stock, number, start)
    for _ in range(turns):
        session.ask()
        for _ in range(stock.rng.randint(1, 4)):
            session.answer()
    return session


class Prompt(NamedTuple):
    """Input tokens of one Claude request, as its log keeps them: new ones, written to the cache,
    and read from it.
    """

    fresh: int
    written: int
    read: int

    @classmethod
    def drawn(cls, rng: random.Random) -> Prompt:
        return cls(rng.randint(1, 60), rng.randint(0, 8_000), rng.randint(0, 160_000))

    def record(self, output: int) -> Payload:
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.read,
            "output_tokens": output,
            "service_tier": "standard",
        }

    def usage(self, output: int) -> Usage:
        whole = sum(self)
        return Usage(whole, self.read, output, 0, whole + output)


class Talk:
    """One file of Claude Code in the making: a session, or a sub-agent's part of one."""

    def __init__(self, stock: Stock, number: int, start: int, of: Talk | None = None) -> None:
        self.stock = stock
        self.number = number
        self.session: str = of.session if of else session_id(number)
        self.name = f"agent-{number:08x}" if of else self.session
        self.is_sidechain = of is not None
        self.at = start
        self.records: list[Payload] = []
        self.lines: list[bytes] = []
        self.size = 0

    def fill(self, size: float) -> None:
        """Turns until that many bytes were added; one at least."""
        end = self.size + size
        self.turn()
        while self.size < end:
            self.turn()

    def turn(self) -> None:
        """A prompt, and responses with what their tools brought back."""
        rng, text = self.stock.rng, self.stock.text
        self.put("user", message=said(text.excerpt(rng.randint(40, 900))))
        model = rng.choice(CLAUDE_MODELS)
        for _ in range(rng.randint(1, 6)):
            self.respond(model)
            self.put("user", message=said(tool_result(self._result())))
        if rng.random() < 0.05:
            self.fail()

    def _result(self) -> str:
        """What a tool printed; now and then a log, whose counters are only text."""
        text = self.stock.text.excerpt(int(self.stock.rng.lognormvariate(7.6, 1)))
        quoted = self.stock.rng.random() < 0.05
        return text + compact({"usage": Prompt(3, 0, 9_000).record(80)}) if quoted else text

    def respond(self, model: str) -> None:
        """Two to four lines of one id, each with more output than the one before: the last tells
        what was used, the first when.
        """
        rng = self.stock.rng
        id, prompt = f"{self.number:08x}{len(self.records):08x}", Prompt.drawn(rng)
        outputs = sorted(rng.sample(range(1, 2_500), rng.randint(2, 4)))
        for place, output in enumerate(outputs):
            usage = prompt.record(output)
            text = self.stock.text.excerpt(rng.randint(80, 1_600))
            self.put("assistant", message=reply(id, model, text, usage), requestId=f"req_{id}")
            if place == 0:
                self.stock.truth.add("claude-code", model, self.at, prompt.usage(outputs[-1]))

    def fail(self) -> None:
        """A message that no model wrote."""
        usage = Prompt(0, 0, 0).record(0)
        id = f"{self.number:08x}{len(self.records):08x}"
        self.put("assistant", message=reply(id, SYNTHETIC, "API Error", usage))

    def show(self, size: int) -> None:
        """The user pastes a picture."""
        source = {"type": "base64", "media_type": "image/png", "data": pixels(size)}
        self.put("user", message=said([{"type": "image", "source": source}]))

    def put(self, kind: str, **fields: object) -> None:
        """A record, up to twice the mean pause after the one before."""
        self.at += 1 + int(self.stock.rng.random() * 2 * self.stock.pause)
        head = {"isSidechain": self.is_sidechain, "userType": "external", "cwd": CWD}
        about = {"sessionId": self.session, "version": "2.0.31", "type": kind}
        self.add({**head, **about, **fields, "timestamp": iso_milli(self.at)})

    def add(self, record: Payload) -> None:
        self.records.append(record)
        self.lines.append(compact(record).encode() + b"\n")
        self.size += len(self.lines[-1])

    def save(self, home: Path, written: Written) -> None:
        folder = made(home / f".claude/projects/-home-sample-project-{self.number % 7}")
        (folder / f"{self.name}.jsonl").write_bytes(b"".join(self.lines))
        counters = sum(record["type"] == "assistant" for record in self.records)
        written.add(self.size, len(self.lines), counters)


def said(content: object) -> Payload:
    return {"role": "user", "content": content}


def tool_result(text: str) -> list[Payload]:
    return [{"type": "tool_result", "tool_use_id": "toolu_1", "content": text}]


def reply(id: str, model: str, text: str, usage: Payload) -> Payload:
    content = [{"type": "text", "text": text}]
    head = {"id": f"msg_{id}", "type": "message", "role": "assistant", "model": model}
    return {**head, "content": content, "stop_reason": None, "usage": usage}


def resumed(talk: Talk, number: int) -> Talk:
    """A session that begins with a copy of another's lines, which may end within a response."""
    rng = talk.stock.rng
    other = Talk(talk.stock, number, talk.at + rng.randrange(MINUTE, DAY))
    for record in talk.records[: rng.randint(1, len(talk.records))]:
        other.add(record | {"sessionId": other.session})
    return other


def sidechain(talk: Talk, number: int) -> Talk:
    """A sub-agent's file: first it replays responses of its session, later and under requests of
    its own.
    """
    other = Talk(talk.stock, number, talk.at, of=talk)
    spoken = [record for record in talk.records if record["type"] == "assistant"]
    for record in spoken[talk.stock.rng.randrange(len(spoken)) :][:40]:
        other.at += 20
        own = {"requestId": f"req_{number:08x}{len(other.records):08x}", "isSidechain": True}
        other.add(record | own | {"timestamp": iso_milli(other.at)})
    return other


@dataclass(frozen=True, slots=True)
class Job:
    """One call of this program."""

    name: str
    home: Path
    scale: float
    now: int
    truth: Truth = field(default_factory=Truth)
    written: Written = field(default_factory=Written)

    def stock(self) -> Stock:
        return Stock(STYLES[self.name], random.Random(self.name), self.truth)


def codex(job: Job) -> None:
    for session in rollouts(STYLES[job.name], job.stock(), job.scale):
        session.save(job.home, job.written)


def gemini(job: Job) -> None:
    """All forms in turn, over 90 days, until the size is reached."""
    stock, store = job.stock(), ChatStore(job.home, job.written)
    number = 0
    while job.written.size < STYLES[job.name].size * job.scale:
        start = SPRING + number % 90 * DAY + stock.rng.randrange(DAY)
        store.save(chat(stock, number, start, turns=stock.rng.randint(2, 24)), form=number % 5)
        number += 1


def claude(job: Job) -> None:
    """Sessions over 120 days until the size is reached; one in 120 files holds a picture."""
    style, stock = STYLES[job.name], job.stock()
    unit = style.size * (1 - style.images) / style.files
    session: Talk | None = None
    for number in count():
        if job.written.size >= style.size * job.scale:
            break
        talk = next_talk(session, style, stock, number)
        talk.fill(unit * stock.rng.lognormvariate(-0.4, 0.9))
        if number % 120 == 60:
            talk.show(6_500_000)
        talk.save(job.home, job.written)
        if not talk.is_sidechain:
            session = talk


def next_talk(session: Talk | None, style: Style, stock: Stock, number: int) -> Talk:
    """A new session, or one that goes on from the last, or a sub-agent's part of that."""
    if session is None or stock.rng.random() >= style.children:
        return Talk(stock, number, SPRING + number % 120 * DAY + stock.rng.randrange(DAY))
    return stock.rng.choice((resumed, sidechain))(session, number)


def demo(job: Job) -> None:
    """Two Codex sessions for each of Gemini, over the two weeks that end now."""
    stock, store = job.stock(), ChatStore(job.home, job.written)
    sessions = max(3, round(30 * job.scale))
    for number, start in enumerate(office_hours(stock.rng, sessions, job.now)):
        if number % 3 == 2:
            store.save(chat(stock, number, start, turns=2), form=number % 2)
        else:
            session = root(stock, number, start)
            until = min(start + stock.rng.randrange(3 * HALF_HOUR), job.now - 30 * MINUTE)
            session.fill(until=until)
            session.save(job.home, job.written)


def office_hours(rng: random.Random, sessions: int, now: int) -> Iterator[int]:
    """Starts on the last 14 days between 7 and 19 UTC, none later than 40 minutes before now."""
    for number in range(sessions):
        day = now - now % DAY - (13 - number * 14 // sessions) * DAY
        start = day + rng.randrange(7 * 2 * HALF_HOUR, 19 * 2 * HALF_HOUR)
        yield start if start < now - 40 * MINUTE else now - rng.randrange(40, 90) * MINUTE


CORPORA: dict[str, Callable[[Job], None]] = {
    "codex-1g": codex,
    "codex-dense": codex,
    "codex-one": codex,
    "gemini-50m": gemini,
    "claude-100m": claude,
    "many": codex,
    "demo": demo,
}


def utc(text: str) -> datetime:
    """An ISO time; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write a log corpus and its truth.")
    parser.add_argument("name", choices=CORPORA)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 writes a tenth (default: 1)")
    parser.add_argument("--now", type=utc, default=datetime.now(UTC), help="end of the demo")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    truth = asked.directory / "truth.jsonl"
    if truth.exists():
        raise SystemExit(f"{asked.directory} already holds a corpus: choose another directory")
    job = Job(asked.name, asked.directory, asked.scale, int(asked.now.timestamp() * SECOND))
    CORPORA[job.name](job)
    rows = [compact(row) + "\n" for row in job.truth.rows()]
    truth.write_text("".join(rows), encoding="utf-8")
    print(f"{job.name}: {job.written}; truth: {len(rows):,} rows")


if __name__ == "__main__":
    main()
