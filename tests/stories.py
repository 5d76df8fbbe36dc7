"""Logs that hypothesis makes up, with their truth, in the order in which they were written.

A story is a list of writings: this many bytes appended to that file. Within a chapter, files grow
independently of each other; the next chapter begins when all of them have. A fork begins after the
lines that it copied were written, and a parent may be missing altogether.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st
from rollouts import COPYING, Chat, Record, Rollout, Truth, lines, truth_of

Chapter = dict[str, bytes]
"""What is appended to each file, by its path below the home."""

Writing = tuple[str, bytes]

COPYING_TIMES = st.sampled_from([COPYING, timedelta(seconds=20), None])
MODELS = st.sampled_from(["gpt-5.2-codex", "gpt-5.1", "größer-1"])
BROKEN = (b"{", b"[]", b"null", b"", b"\xff\xfe\0", b'{"type":"event_msg","payload":{"type":"tok')


@dataclass(frozen=True, slots=True)
class Story:
    chapters: Sequence[Chapter]
    truth: Truth

    @property
    def files(self) -> Chapter:
        """Every file as it is in the end."""
        whole: Chapter = {}
        for chapter in self.chapters:
            for path, content in chapter.items():
                whole[path] = whole.get(path, b"") + content
        return whole


@st.composite
def codex_stories(draw: st.DrawFn, *, orphans: bool = True) -> Story:
    """Up to three generations of sessions.

    With `orphans` some may be missing; then copied heads are written within two seconds, because
    nothing else tells them from the rest.
    """
    sessions = [_first_session(draw)]
    chapters = [_chapter(sessions)]
    for number in range(2, 2 + draw(st.integers(0, 2))):
        within = COPYING if orphans else draw(COPYING_TIMES)
        sessions.append(_child(draw, draw(st.sampled_from(sessions)), number, within))
        for session in sessions:
            if session is sessions[-1] or draw(st.booleans()):
                _go_on(draw, session)
        chapters.append(_chapter(sessions))
    kept = [it for it in sessions if not orphans or it is sessions[-1] or draw(st.integers(0, 3))]
    paths = {_path(session) for session in kept}
    told = [{path: its for path, its in each.items() if path in paths} for each in chapters]
    return Story([chapter for chapter in told if chapter], truth_of(*kept))


def _first_session(draw: st.DrawFn) -> Rollout:
    rollout = Rollout(1).meta()
    if draw(st.booleans()):
        rollout.model(draw(MODELS))
    _go_on(draw, rollout)
    return rollout


def _child(draw: st.DrawFn, parent: Rollout, number: int, within: timedelta | None) -> Rollout:
    """A fork, or a sub-agent: with a head copied `within` that time, or one that started empty."""
    at = (parent.now + timedelta(hours=1)).replace(tzinfo=None).isoformat()
    kind = draw(st.sampled_from(["fork", "fork", "sub-agent", "burst", "empty"]))
    if kind == "fork":
        return parent.fork(number, at).copy_head(parent, within=within)
    child = parent.subagent(number, at)
    if kind == "sub-agent":
        return child.copy_head(parent, within=within)
    if kind == "burst" and _responses(parent) >= 2:
        return child.copy_head(parent, lines=slice(1, None))
    return child


def _responses(rollout: Rollout) -> int:
    return len(rollout.usages) if rollout.number == 1 else 0


def _go_on(draw: st.DrawFn, rollout: Rollout) -> None:
    for act in draw(st.lists(st.sampled_from(ACTS), max_size=6)):
        act(draw, rollout)


def _respond(draw: st.DrawFn, rollout: Rollout) -> None:
    """A response, most often told by a `token_count`."""
    spent = _spent(draw, rollout)
    match draw(st.sampled_from(["count", "count", "total", "record", "twins", "twins swapped"])):
        case "count":
            rollout.usage(*spent)
        case "total":
            rollout.totals_only(*spent)
        case "record":
            rollout.usage_record(*spent)
        case "twins":
            rollout.twins(*spent, first="count")
        case _:
            rollout.twins(*spent, first="record")


def _reset(draw: st.DrawFn, rollout: Rollout) -> None:
    """The running total starts anew and falls by it."""
    if rollout.total.output_tokens > _unit(rollout) * 9:
        rollout.restart().usage(*_spent(draw, rollout))


def _pause(draw: st.DrawFn, rollout: Rollout) -> None:
    rollout.now += timedelta(minutes=draw(st.integers(1, 90)))


ACTS: Sequence[Callable[[st.DrawFn, Rollout], object]] = (
    _respond,
    _respond,
    _respond,
    _reset,
    _pause,
    lambda _, rollout: rollout.resend(),
    lambda _, rollout: rollout.null(),
    lambda _, rollout: rollout.overflow(),
    lambda draw, rollout: rollout.estimate(draw(st.integers(1, 9_999))),
    lambda draw, rollout: rollout.model(draw(MODELS)),
    lambda draw, rollout: rollout.settings(draw(MODELS)),
    lambda draw, rollout: rollout.say("größer ✓ token_count " * draw(st.integers(0, 40))),
    lambda draw, rollout: rollout.raw(draw(st.sampled_from(BROKEN))),
)


def _spent(draw: st.DrawFn, rollout: Rollout) -> tuple[int, int, int, int]:
    """Numbers that tell sessions apart: equal turns of a fork and its parent look like a copy."""
    fresh, output = draw(st.integers(0, 9_999)), _unit(rollout) * draw(st.integers(1, 9))
    return fresh, draw(st.integers(0, fresh)), output, draw(st.integers(0, output))


def _unit(rollout: Rollout) -> int:
    return int(1_000 ** (rollout.number - 1))


def _chapter(sessions: Iterable[Rollout]) -> Chapter:
    return {_path(session): fresh for session in sessions if (fresh := session.unsaved())}


def _path(session: Rollout) -> str:
    return f".codex/sessions/{session.local:%Y/%m/%d}/{session.name}"


@st.composite
def gemini_stories(draw: st.DrawFn) -> Story:
    """One chat as a line log."""
    chat = Chat(1)
    records = [chat.header()]
    for _ in range(draw(st.integers(1, 8))):
        records += _gemini_records(draw, chat)
    path = f".gemini/tmp/app/chats/{chat.name}.jsonl"
    return Story([{path: lines(records)}], truth_of(chat))


@st.composite
def gemini_documents(draw: st.DrawFn) -> tuple[str, list[bytes], Truth]:
    """The versions of one chat that is rewritten as a whole, and what it cost in the end."""
    chat = Chat(1)
    versions = []
    for _ in range(draw(st.integers(1, 6))):
        if len(chat.messages) > 3 and not draw(st.integers(0, 5)):
            chat.forget(next(iter(chat.messages)))
        for _ in range(draw(st.integers(1, 3))):
            _gemini_records(draw, chat)
        versions.append(chat.document())
    return f".gemini/tmp/app/chats/{chat.name}.json", versions, truth_of(chat)


def _gemini_records(draw: st.DrawFn, chat: Chat) -> list[Record]:
    """One thing that happens in a chat."""
    match draw(st.sampled_from(["answer", "answer", "grow", "grow", "text", "set", "rewind"])):
        case "answer":
            return [_answer(draw, chat, f"m{len(chat.usages)}")]
        case "grow" if chat.usages:
            return [_answer(draw, chat, draw(st.sampled_from(sorted(chat.messages))))]
        case "text":
            name = f"t{len(chat.messages)}"
            return [chat.write(name, content="größer" * 9).messages[name]]
        case "set":
            return [{"$set": {"messages": list(chat.messages.values()), "summary": "…"}}]
        case _:
            return [{"$rewindTo": "m1"}]


def _answer(draw: st.DrawFn, chat: Chat, name: str) -> Record:
    """A new response, or a known one with numbers that grew, and perhaps with its model at last."""
    before = chat.messages.get(name, {})
    tokens = before.get("tokens", {})
    grown = {
        part: tokens.get(part, 0) + draw(st.integers(0, 99)) for part in ("input", "output", "tool")
    }
    spent = (
        grown["input"] + (not tokens),
        tokens.get("cached", 0),
        grown["output"],
        tokens.get("thoughts", 0) + draw(st.integers(0, 9)),
        grown["tool"],
    )
    model = before.get("model") or draw(st.sampled_from(["gemini-3-pro", "gemini-3-flash", None]))
    at = None
    if not before and draw(st.booleans()):
        at = (chat.now + timedelta(minutes=draw(st.integers(1, 45)))).strftime("%Y-%m-%dT%H:%M:%S")
    return chat.answer(name, *spent, model=model, at=at).messages[name]


@st.composite
def in_pieces(draw: st.DrawFn, story: Story) -> list[list[Writing]]:
    """The story cut at any bytes; there is a sync after each list of writings."""
    pieces: list[Writing] = []
    for chapter in story.chapters:
        pieces += draw(_interleaved({path: draw(_cut(its)) for path, its in chapter.items()}))
    syncs: list[list[Writing]] = [[]]
    for piece in pieces:
        syncs[-1].append(piece)
        if draw(st.booleans()):
            syncs.append([])
    return syncs


@st.composite
def _cut(draw: st.DrawFn, content: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=4)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@st.composite
def _interleaved(draw: st.DrawFn, pieces: dict[str, list[bytes]]) -> list[Writing]:
    """In any order, but each file from its beginning to its end."""
    turns = draw(st.permutations([path for path, its in pieces.items() for _ in its]))
    rest = {path: iter(its) for path, its in pieces.items()}
    return [(path, next(rest[path])) for path in turns]


def spelled(value: Any, random: Random) -> str:
    """JSON of a value, spelled as no tool would: any space, any order of keys, letters escaped."""
    if isinstance(value, str):
        return '"' + "".join(_letter(letter, random) for letter in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(_apart(spelled(its, random), random) for its in value) + "]"
    if not isinstance(value, dict):
        return json.dumps(value)
    keys = random.sample(list(value), len(value)) if random.random() < 0.2 else list(value)
    parts = [
        _apart(spelled(key, random), random) + ":" + _apart(spelled(value[key], random), random)
        for key in keys
    ]
    return "{" + ",".join(parts) + "}"


def _letter(letter: str, random: Random) -> str:
    if random.random() < 0.02 and ord(letter) < 0x1_0000:
        return f"\\u{ord(letter):04{random.choice('xX')}}"
    return json.dumps(letter, ensure_ascii=False)[1:-1]


def _apart(text: str, random: Random) -> str:
    """The text with JSON's white space around it now and then; a line stays one line."""
    return text if random.random() < 0.95 else random.choice(" \t") + text + " "
