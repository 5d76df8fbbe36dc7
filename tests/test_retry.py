"""One process waits for the time when rows may be sent, and starts a sync then (QUE-04).

It is a shell. What it asks for the time and how it sleeps are programs, so the tests put others in
their place: a clock that only moves when somebody sleeps.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from vibescore.retry import LOCK, TICKET, Scheduled, cancel, schedule, scheduled

NOW = 1_000_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose clock and sleep are files: ``date`` shows ``now``, ``sleep`` adds to it, then
    does what ``meanwhile`` says.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    now, slept = tmp_path / "now", tmp_path / "slept"
    now.write_text(f"{NOW}\n")
    meanwhile = tmp_path / "meanwhile"
    meanwhile.write_text("true\n")
    program(tools / "date", f"cat {now}")
    program(
        tools / "sleep",
        f"echo $1 >>{slept}",
        f"read -r now <{now}",
        f"echo $((now + $1)) >{now}",
        f". {meanwhile}",
    )
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    home = tmp_path / "home"
    home.mkdir()
    yield home
    cancel(home)
    wait_for_the_end(home)


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)


def meanwhile(home: Path, command: str) -> None:
    home.with_name("meanwhile").write_text(f"{command}\n")


def wait_for_the_end(home: Path) -> None:
    """Until nobody holds the lock: the operating system says when."""
    with suppress(FileNotFoundError), (home / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def note(home: Path) -> list[str]:
    """A command that notes each time it is started."""
    return ["/bin/sh", "-c", f"cat {home.with_name('now')} >>{home.with_name('started')}"]


def started(home: Path) -> list[int]:
    """What the clock showed whenever the command was started; it has ended by now."""
    wait_for_the_end(home)
    while True:
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
            continue
        break
    path = home.with_name("started")
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.mark.requirement("QUE-04")
def test_at_the_time_and_not_before_the_command_is_started_once(home: Path) -> None:
    schedule(home, NOW + 100.5, note(home))
    assert started(home) == [NOW + 101]
    assert home.with_name("slept").read_text().split() == ["30", "30", "30", "11"]


@pytest.mark.requirement("QUE-04")
def test_a_time_that_has_come_is_not_waited_for(home: Path) -> None:
    schedule(home, NOW - 5, note(home))
    assert started(home) == [NOW]


@pytest.mark.requirement("QUE-04")
def test_another_time_replaces_the_first_and_still_one_waits(home: Path) -> None:
    meanwhile(home, f"echo {NOW + 90} >{home / TICKET}")
    schedule(home, NOW + 7_200, note(home))
    assert started(home) == [NOW + 90]


@pytest.mark.requirement("QUE-04")
def test_a_computer_that_slept_starts_late_and_once(home: Path) -> None:
    meanwhile(home, f"echo {NOW + 9_000} >{home.with_name('now')}")
    schedule(home, NOW + 1_800, note(home))
    assert started(home) == [NOW + 9_000]


@pytest.mark.requirement("QUE-04")
def test_who_waits_ends_when_there_is_nothing_to_retry_any_more(home: Path) -> None:
    meanwhile(home, f"rm {home / TICKET}")
    schedule(home, NOW + 1_800, note(home))
    assert started(home) == []
    assert home.with_name("slept").read_text().split() == ["30"]


@pytest.mark.requirement("QUE-04")
def test_who_waits_ends_when_the_home_is_gone(home: Path) -> None:
    meanwhile(home, f"rm -r {home}")
    schedule(home, NOW + 1_800, note(home))
    os.waitpid(-1, 0)
    assert started(home) == []


@pytest.fixture
def halted(home: Path) -> Iterator[int]:
    """Somebody who waits, and sleeps until let on; the fixture is the process id."""
    gate, ready = home.with_name("gate"), home.with_name("ready")
    os.mkfifo(gate)
    os.mkfifo(ready)
    meanwhile(home, f"echo $PPID >{ready}; read -r _ <{gate}")
    schedule(home, NOW + 1_800, note(home))
    with ready.open() as told:
        yield int(told.read())
    cancel(home)
    with suppress(OSError):
        handle = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        os.write(handle, b"\n" * 99)
        os.close(handle)


@pytest.mark.requirement("QUE-04", "CLI-06")
def test_never_more_than_one_waits(home: Path, halted: int) -> None:
    assert scheduled(home) == Scheduled(NOW + 1_800, is_awaited=True)
    for later in range(5):
        schedule(home, NOW + 2_000 + later, note(home))
    assert scheduled(home) == Scheduled(NOW + 2_004, is_awaited=True)
    assert home.with_name("slept").read_text().split() == ["30"]
    assert Path(f"/proc/{halted}").exists()


@pytest.mark.requirement("QUE-04", "CLI-06")
def test_a_death_of_who_waits_is_seen_and_mended_by_whoever_comes_next(
    home: Path, halted: int
) -> None:
    os.killpg(halted, signal.SIGKILL)
    wait_for_the_end(home)
    assert scheduled(home) == Scheduled(NOW + 1_800, is_awaited=False)
    meanwhile(home, "true")
    schedule(home, NOW + 60, note(home))
    assert started(home) == [NOW + 60]


@pytest.mark.requirement("QUE-04")
def test_the_command_does_not_hold_the_lock_so_it_can_schedule_the_next_retry(home: Path) -> None:
    free = f"flock -n {home / LOCK} true && echo 1 >{home.with_name('started')}"
    schedule(home, NOW, ["/bin/sh", "-c", free])
    assert started(home) == [1]


@pytest.mark.requirement("QUE-04")
def test_a_home_that_cannot_be_written_stops_nobody(home: Path) -> None:
    (home / TICKET).mkdir()
    schedule(home, NOW, note(home))
    assert scheduled(home) is None
    cancel(home)
    (home / TICKET).rmdir()
    schedule(home / "missing", NOW, note(home))
    assert started(home) == []


@pytest.mark.requirement("QUE-04", "CLI-06")
def test_without_a_retry_there_is_none(home: Path) -> None:
    assert scheduled(home) is None
    cancel(home)
    (home / TICKET).write_text("soon\n")
    assert scheduled(home) is None
    assert list(home.iterdir()) == [home / TICKET]
