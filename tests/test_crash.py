"""Syncs that are killed anywhere, over logs that grow: nothing is lost and nothing doubled."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from mortal import Death, Mortals
from rollouts import (
    Chat,
    Rollout,
    Truth,
    append,
    archive,
    compress,
    lines,
    moment,
    replace,
    truth_of,
    write,
)
from support import Computer

LIVES = 9
SYNCS = 60  # of each life, all of them to be killed; those that check it come on top
MODELS = ("gpt-5.2-codex", "gpt-5.1", "gpt-5.1-codex-mini")
CHAT_MODELS = ("gemini-3-pro", "gemini-3-flash", None)
FIRST_DAY = moment("2026-06-01T09:00:00")


class Tools:
    """Codex and Gemini at work in a home, in a way that a seed decides.

    What they write may be half-written at any time; `finish` writes the rest. They delete a log
    only when it was `collected`, because what nobody saw cannot be counted.
    """

    def __init__(self, home: Path, rng: random.Random) -> None:
        self.home, self._rng = home, rng
        self._rollouts: dict[int, Rollout] = {}
        self._live: dict[int, Path] = {}
        self._kept: dict[int, Path] = {}
        self._chats: dict[int, Chat] = {}
        self._rest: dict[Path, bytes] = {}
        self._collected: set[Path] = set()

    @property
    def truth(self) -> Truth:
        return truth_of(*self._rollouts.values(), *self._chats.values())

    def work(self) -> None:
        """One thing that happens in the life of a log."""
        likely: dict[Callable[[], None], int] = {
            self._begin: 3,
            self._go_on: 4,
            self._fork: 3,
            self._archive: 2,
            self._compress: 1,
            self._delete: 1,
            self._chat: 3,
            self._answer: 4,
        }
        (happens,) = self._rng.choices(list(likely), list(likely.values()))
        happens()

    def finish(self) -> None:
        """No file is half-written any more."""
        for path, rest in self._rest.items():
            append(path, rest)
        self._rest.clear()

    def collected(self) -> None:
        """Everything that was written so far was collected."""
        self._collected = {*self._kept.values()}

    def _begin(self) -> None:
        rollout = Rollout(len(self._rollouts) + 1, clock(self._some_time())).meta()
        if self._rng.random() < 0.8:
            rollout.model(self._rng.choice(MODELS))
        self._save(rollout.turns(self._rng.randrange(4)))

    def _fork(self) -> None:
        if self._live:
            self.finish()
            parent = self._rollouts[self._rng.choice(list(self._live))]
            start = parent.now + timedelta(minutes=self._rng.randrange(1, 300))
            child = parent.fork(len(self._rollouts) + 1, clock(start))
            child.copy_head(parent).model(self._rng.choice(MODELS))
            self._save(child.turns(self._rng.randrange(3)))

    def _save(self, rollout: Rollout) -> None:
        self._rollouts[rollout.number] = rollout
        path = rollout.save(self.home)
        self._live[rollout.number] = path
        content = path.read_bytes()
        path.write_bytes(b"")
        self._append(path, content)

    def _go_on(self) -> None:
        if self._live:
            number = self._rng.choice(list(self._live))
            rollout, path = self._rollouts[number], self._live[number]
            if self._rng.random() < 0.3:
                rollout.model(self._rng.choice(MODELS))
            self._append(path, rollout.turns(self._rng.randrange(1, 4)).unsaved())

    def _archive(self) -> None:
        if self._live:
            number = self._rng.choice(list(self._live))
            self.finish()
            self._kept[number] = archive(self.home, self._live.pop(number))

    def _compress(self) -> None:
        plain = [number for number, path in self._kept.items() if path.suffix == ".jsonl"]
        if plain:
            number = self._rng.choice(plain)
            self._kept[number] = compress(self._kept[number])

    def _delete(self) -> None:
        known = [number for number, path in self._kept.items() if path in self._collected]
        if known:
            self._kept.pop(self._rng.choice(known)).unlink()

    def _chat(self) -> None:
        number = 1000 + len(self._chats)
        self._chats[number] = Chat(number, clock(self._some_time())).write("m0")
        self._write_chat(number, self._spend(self._chats[number]))

    def _answer(self) -> None:
        if self._chats:
            number = self._rng.choice(list(self._chats))
            self._write_chat(number, self._spend(self._chats[number]))

    def _spend(self, chat: Chat) -> str:
        """A new response, or more of the last one, whose model may show only then."""
        *_, last = chat.messages
        if last == "m0" or self._rng.random() < 0.6:
            last = f"m{len(chat.messages)}"
        before = chat.messages.get(last, {}).get("tokens", {"input": 100, "output": 5})
        model = chat.messages.get(last, {}).get("model") or self._rng.choice(CHAT_MODELS)
        fresh, output = before["input"] + 10, before["output"] + self._rng.randrange(1, 50)
        chat.answer(last, fresh, fresh // 2, output, output // 3, 0, model=model)
        return last

    def _write_chat(self, number: int, message: str) -> None:
        """Odd chats are documents, rewritten in place or replaced; even ones are lines."""
        chat = self._chats[number]
        path = chat.path(self.home, ending=".json" if number % 2 else ".jsonl")
        if number % 2 == 0 and path.exists():
            self._append(path, lines([chat.messages[message]]))
        elif number % 2 == 0:
            write(path, b"")
            self._append(path, lines(chat.records()))
        elif path.exists() and self._rng.random() < 0.5:
            self._rest.pop(path, None)
            replace(path, chat.document())
        else:
            self._rest.pop(path, None)
            write(path, b"")
            self._append(path, chat.document())

    def _some_time(self) -> datetime:
        return FIRST_DAY + timedelta(minutes=self._rng.randrange(40 * 24 * 60))

    def _append(self, path: Path, content: bytes) -> None:
        """Writes everything, or stops anywhere: in a line, in a word, before the first byte."""
        content = self._rest.pop(path, b"") + content
        cut = self._rng.randrange(len(content)) if self._rng.random() < 0.4 else len(content)
        append(path, content[:cut])
        if cut < len(content):
            self._rest[path] = content[cut:]


def clock(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def some_death(rng: random.Random, usual: float) -> Death:
    """At a commit, or by a signal at any time of a sync that usually takes so many seconds."""
    if rng.random() < 0.5:
        return Death(commit=rng.choice((1, 1, 2, 2, 3, 4)), committed=rng.random() < 0.5)
    ends = rng.choices((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), (8, 1, 1))
    return Death(seconds=rng.uniform(0, 1.1 * usual), signal=ends[0])


@pytest.mark.requirement("COL-08", "QUE-01")
@pytest.mark.parametrize("seed", range(LIVES))
def test_a_sync_killed_anywhere_loses_and_doubles_nothing(seed: int, computer: Computer) -> None:
    rng = random.Random(seed)
    tools = Tools(computer.home, rng)
    for _ in range(150 if seed % 3 == 0 else 5):
        tools.work()
    dead = 0
    with Mortals.at_hand() as mortals:

        def full_sync() -> float:
            tools.finish()
            life = mortals.run("sync", "--offline", environment=computer.environment)
            assert (life.status, life.errors) == (0, "")
            assert computer.export() == tools.truth
            tools.collected()
            return life.seconds

        usual = 0.2
        for _ in range(SYNCS):
            for _ in range(rng.randrange(4)):
                tools.work()
            options = ("--offline", "--rebuild") if rng.random() < 0.15 else ("--offline",)
            death = some_death(rng, usual)
            life = mortals.run("sync", *options, environment=computer.environment, death=death)
            assert life.status in {0, -death.signal} or death.signal == signal.SIGINT, life.errors
            dead += life.status != 0
            if rng.random() < 0.4:
                usual = full_sync()
        full_sync()
    assert dead > SYNCS / 2
    before = computer.contents()
    assert "0 inserted, nothing to upload" in computer.sync().output
    assert computer.contents() == before
    computer.sync("--rebuild")
    assert computer.export() == tools.truth
