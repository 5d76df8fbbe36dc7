"""Codex lines that are skipped undecoded: leaving them out never changes what is counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from rollouts import Record, Rollout, compact, spaced, stamp, truth_of
from samples import texts
from stories import spelled
from support import Computer

from vibescore import Environment, Lines, ParseContext, Tree
from vibescore.model import Usage
from vibescore.reader import read

(CODEX,) = (plugin for plugin in Computer.plugins() if plugin.name == "codex")
READINGS = [tree.reading for tree in CODEX.discover(Environment({}, Path("/nowhere")))]
READING, *_ = [reading for reading in READINGS if isinstance(reading, Lines)]
NAIVE = structs.replace(READING, skip=None)

MODEL = {"type": "turn_context", "payload": {"model": "gpt-5.1", "cwd": "/home/u"}}
SETTINGS = {"type": "thread_settings_applied", "thread_settings": {"model": "gpt-5.2"}}
NAMES = ("session_configured", "token_count", "agent_message", "thread_settings_applied", "token_")


def records() -> list[Record]:
    """Records of every type, in both envelopes, without a timestamp."""
    rollout = Rollout(1).meta().null().usage(900, 100, 20, 0).totals_only(950, 900, 30, 5)
    rollout.usage_record(80, 0, 3, 0).estimate(4_100)
    counted = [entry.record for entry in rollout.entries]
    payloads = [record["payload"] for record in (*counted, *texts())]
    enveloped = [
        {"type": "event", "payload": {"id": "3", "event_seq": 41, "msg": payload}}
        for payload in [*payloads, {"type": "session_configured", "model": "gpt-5.5"}]
    ]
    named = [{"type": "event_msg", "payload": {"type": name}} for name in NAMES]
    settings = {"type": "event_msg", "payload": SETTINGS}
    return [*counted * 3, *texts(), *enveloped, *named, MODEL, settings]


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """A log of such records in any order and any spelling, with and without timestamps."""
    random = Random(draw(st.integers(0, 2**32)))
    rollout = Rollout(1)
    lines: list[bytes] = []
    for record in draw(st.lists(st.sampled_from(records()), max_size=12)):
        rollout.now += timedelta(seconds=random.choice((0, 1, 7, 3_000)))
        head: Record = {"timestamp": stamp(rollout.now)}
        if random.random() < 0.2:
            head = random.choice(({}, {"timestamp": None}, {"timestamp": "yesterday"}))
        if random.random() < 0.2:
            head["ordinal"] = len(lines)
        body = {key: its for key, its in record.items() if key not in ("timestamp", "ordinal")}
        spell = random.choice((compact, compact, spaced, lambda it: spelled(it, random).encode()))
        lines.append(spell(head | body))
    return random.choice((b"\n", b"\r\n")).join(lines) + b"\n"


@pytest.mark.requirement("COL-02", "COL-03", "COL-10")
@settings(max_examples=200)
@given(logs(), st.integers(0, 2_000))
def test_whatever_the_spelling_the_same_is_counted_with_and_without_skipping(
    log: bytes, cut: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "rollout-1.jsonl")
        path.write_bytes(log)
        assert list(usage(path, READING)) == list(usage(path, NAIVE))
        later = log.find(b"\n", cut) + 1
        assert list(usage(path, READING, later)) == list(usage(path, NAIVE, later))


def usage(path: Path, reading: Lines, position: int = 0) -> Iterable[Usage]:
    """What the plugin counts in a log from a position on."""
    context = ParseContext(
        key="1",
        tree=Tree(path.parent, path.name, reading),
        state=reading.state(),
        ancestors=(),
        complete=True,
        seen=lambda _: False,
        skip=lambda _: None,
    )
    for piece in read(str(path), reading, position):
        yield from CODEX.parse(piece.records, context)


@pytest.mark.requirement("COL-03", "COL-10")
@pytest.mark.parametrize("timestamp", [None, "yesterday", ""])
@pytest.mark.parametrize(
    "between",
    [
        pytest.param(b"", id="an empty line"),
        pytest.param(b"{", id="a torn line"),
        pytest.param(b'{"timestamp":"2026-08-10T11:00:00Z","type":7}', id="a broken record"),
        pytest.param(
            b'{"timestamp":"yesterday","type":"compacted","payload":{}}', id="a skipped one without"
        ),
    ],
)
def test_usage_without_a_usable_time_takes_that_of_the_skipped_line_before_it(
    timestamp: str | None, between: bytes, computer: Computer
) -> None:
    rollout = Rollout(1).meta().model("gpt-5.1").put(texts()[0], at="10:00").raw(between)
    rollout.usage(900, 100, 20, 0).unstamp(timestamp=timestamp)
    rollout.save(computer.home)
    computer.sync()
    assert computer.export() == truth_of(rollout)


@pytest.mark.requirement("COL-02")
def test_content_as_codex_spells_it_is_not_even_decoded(tmp_path: Path) -> None:
    rollout = Rollout(1)
    for record in texts():
        if record["type"] == "response_item":
            rollout.put(record)
    path = rollout.save_as(tmp_path / rollout.name)
    (piece,) = read(str(path), READING)
    assert piece.records == [READING.record(timestamp=stamp(rollout.now))]
