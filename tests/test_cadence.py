"""When a sync that a tool asked for may start: one every 20 seconds, one at a time, none lost."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest
from support import NOW, Computer

from vibescore.cadence import last_call, last_start, turn
from vibescore.errors import StoreError

PROCESS = """
import sys
from pathlib import Path
from vibescore.cadence import turn

def sleep(seconds):
    print("sleeps", round(seconds), flush=True)
    if sys.argv[2:]:
        sys.stdin.readline()

with turn(Path(sys.argv[1]), sleep=sleep) as mine:
    print("mine" if mine else "left to another", flush=True)
    if sys.argv[2:]:
        sys.stdin.readline()
"""


class Process:
    """A process that asks for its turn; one that is `held` goes on only when it is let."""

    def __init__(self, home: Path, *held: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(home), *held],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    @property
    def says(self) -> str:
        return _of(self._process.stdout).readline().strip()

    @property
    def is_silent(self) -> bool:
        return not select.select([_of(self._process.stdout)], [], [], 0)[0]

    def go_on(self) -> None:
        print(file=_of(self._process.stdin), flush=True)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> list[str]:
        """All that it had to say yet."""
        return self._process.communicate()[0].split("\n")[:-1]


def _of(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def asking(home: Path, *held: str) -> Iterator[Process]:
    process = Process(home, *held)
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def home(computer: Computer) -> Path:
    computer.own.mkdir()
    return computer.own


def turns(home: Path, *moments: float) -> list[float]:
    """How long each had to wait who asked at one of these moments, in turn."""
    waited: list[float] = []
    for moment in moments:
        with turn(home, clock=lambda now=moment: now, sleep=waited.append) as mine:  # type: ignore[misc]
            assert mine
    return waited


@pytest.mark.requirement("NTF-07")
def test_the_first_starts_at_once_and_the_next_waits_until_the_window_ends(home: Path) -> None:
    assert turns(home, NOW, NOW + 5) == [0, 15]


@pytest.mark.requirement("NTF-07")
def test_a_window_counts_from_the_start_of_the_last_sync(home: Path) -> None:
    assert turns(home, NOW, NOW + 20, NOW + 39.5, NOW + 100) == [0, 0, 0.5, 0]


@pytest.mark.requirement("NTF-07")
def test_a_clock_that_was_set_back_holds_nobody_up(home: Path) -> None:
    assert turns(home, NOW, NOW - 3600, NOW - 3599) == [0, 0, 19]


@pytest.mark.requirement("NTF-07", "CLI-06")
def test_the_start_of_the_last_sync_is_known(home: Path) -> None:
    assert last_start(home) is None
    turns(home, NOW, NOW + 30)
    assert last_start(home) == NOW + 30


@pytest.mark.requirement("CLI-06")
def test_the_last_call_of_a_tool_is_known(home: Path) -> None:
    assert last_call(home, "codex") is None
    stamp = home / "notify" / "codex.called"
    stamp.parent.mkdir()
    stamp.touch()
    os.utime(stamp, (NOW, NOW))
    assert last_call(home, "codex") == NOW


@pytest.mark.requirement("NTF-07")
def test_while_one_waits_others_leave_it_to_that_one(home: Path) -> None:
    with asking(home, "held") as waiting:
        assert waiting.says == "sleeps 0"
        for _ in range(3):
            assert Process(home).end() == ["left to another"]
        waiting.go_on()
        assert waiting.says == "mine"


@pytest.mark.requirement("NTF-07")
def test_who_asks_while_a_sync_runs_starts_when_that_ends(home: Path) -> None:
    with ExitStack() as stack:
        running = stack.enter_context(asking(home, "held"))
        assert running.says == "sleeps 0"
        running.go_on()
        assert running.says == "mine"
        second = stack.enter_context(asking(home))
        assert second.says.startswith("sleeps")
        assert Process(home).end() == ["left to another"]
        assert second.is_silent
        running.go_on()
        running.end()
        assert second.says == "mine"


@pytest.mark.requirement("NTF-07")
@pytest.mark.parametrize("killed_while", ["waiting", "running"])
def test_a_killed_one_blocks_nobody(killed_while: str, home: Path) -> None:
    with asking(home, "held") as victim:
        assert victim.says == "sleeps 0"
        if killed_while == "running":
            victim.go_on()
            assert victim.says == "mine"
        victim.kill()
        assert Process(home).end()[-1] == "mine"


@pytest.mark.requirement("NTF-07")
def test_of_a_crowd_one_waits_and_one_runs(home: Path) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(asking(home, "held")) for _ in range(8)]
        first = [member.says for member in crowd]
        assert sorted(first) == ["left to another"] * 7 + ["sleeps 0"]


@pytest.mark.requirement("NTF-07")
def test_who_waits_says_so_until_it_starts(home: Path) -> None:
    note = home / "notify" / "waiting"
    seen: list[str] = []
    with turn(home, clock=lambda: NOW, sleep=lambda _: seen.append(note.read_text())) as mine:
        assert mine
        assert not note.exists()
    assert seen == [f"{os.getpid()} {NOW:.0f} {NOW + 40:.0f}\n"]


@pytest.mark.requirement("NTF-07")
def test_what_fails_in_a_turn_ends_it(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), turn(home, clock=lambda: NOW):
        raise ZeroDivisionError
    assert Process(home).end()[-1] == "mine"


@pytest.mark.requirement("NTF-04", "NTF-07")
def test_without_a_home_nobody_gets_a_turn(computer: Computer) -> None:
    with pytest.raises(StoreError, match="VIBESCORE_HOME"), turn(computer.own):
        pytest.fail("there is nowhere to sync to")


@pytest.mark.requirement("NTF-07")
def test_waiting_for_a_turn_imports_nothing_that_takes_long() -> None:
    program = "import sys, json; old = set(sys.modules); import vibescore.cadence;"
    program += "print(json.dumps(sorted(set(sys.modules) - old)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    ours = {name for name in json.loads(done.stdout) if name.startswith("vibescore")}
    assert ours == {"vibescore", "vibescore.cadence", "vibescore.errors", "vibescore.lock"}
    heavy = {"click", "msgspec", "pluggy", "pydantic", "tomlkit", "httpx", "sqlite3", "subprocess"}
    assert not heavy & set(json.loads(done.stdout))
