"""What is shown to somebody who watches, and to a file or a program that does not."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from contextlib import suppress
from typing import NamedTuple

import pytest
from rollouts import Rollout, append
from support import PROGRAM, Computer, Ran

ESCAPE = "\x1b"
FILLER = b'{"timestamp":"2026-08-10T09:20:00.000Z","type":"response_item","payload":{}}\n'


class Watched(NamedTuple):
    """A program on a terminal of 100 columns: exit code, and all that it wrote there."""

    code: int
    screen: str


def watched(computer: Computer, *arguments: str, **variables: str) -> Watched:
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=computer.environment | terminal | variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        screen = b""
        with suppress(OSError):  # how a terminal says that nobody writes any more
            while piece := os.read(ours, 1 << 16):
                screen += piece
        os.close(ours)
    return Watched(program.returncode, screen.decode())


@pytest.fixture
def much(computer: Computer) -> Computer:
    """A computer with 36 MB of logs in three files."""
    for number in (1, 2, 3):
        path = Rollout(number).meta().model("gpt-5.1").turns(2).save(computer.home)
        append(path, FILLER * (12_000_000 // len(FILLER)))
    return computer


@pytest.mark.requirement("CLI-10")
def test_long_work_shows_files_bytes_rate_and_time_left(much: Computer) -> None:
    code, screen = watched(much, "sync", "--offline")
    assert code == 0
    assert re.search(r"[0-3] of 3 files", screen)
    assert re.search(r"\d+\.\d/\d+\.\d MB", screen)
    assert re.search(r"\d+\.\d [MG]B/s", screen)
    assert re.search(r"\d:\d\d:\d\d", screen)
    assert "Read 3 of 3 log files: 6 usage events" in screen


@pytest.mark.requirement("CLI-10")
def test_quiet_work_shows_nothing(much: Computer) -> None:
    assert watched(much, "sync", "--offline", "--quiet") == (0, "")


@pytest.mark.requirement("CLI-10")
def test_work_that_nobody_watches_shows_no_progress(much: Computer) -> None:
    ran = much.program("sync", "--offline")
    assert ran == Ran(0, ran.output, "")
    assert ran.output.startswith("Read 3 of 3 log files")
    assert ran.output.count("\n") == 1


@pytest.mark.requirement("CLI-10")
def test_short_work_shows_no_progress(computer: Computer) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    code, screen = watched(computer, "sync", "--offline")
    assert code == 0
    assert ESCAPE not in screen
    assert screen.startswith("Read 1 of 1 log files")


TABLES = [("report",), ("report", "daily"), ("plugins",), ("config",), ("status",)]


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize("arguments", [*TABLES, ("--help",)], ids=" ".join)
def test_output_that_is_piped_is_plain(arguments: tuple[str, ...], computer: Computer) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    computer.sync()
    ran = computer.program(*arguments, TERM="xterm-256color")
    assert ran.code == 0
    assert ran.output
    assert ESCAPE not in ran.output + ran.errors
    assert not re.search(r" $", ran.output, re.MULTILINE)


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize("arguments", TABLES, ids=" ".join)
def test_no_color_is_respected_on_a_terminal(
    arguments: tuple[str, ...], computer: Computer
) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    computer.sync()
    code, screen = watched(computer, *arguments, NO_COLOR="1")
    assert code == 0
    assert screen
    assert ESCAPE not in screen


@pytest.mark.requirement("CLI-11")
def test_without_no_color_headings_stand_out(computer: Computer) -> None:
    assert ESCAPE in watched(computer, "plugins").screen


@pytest.mark.requirement("CLI-11")
def test_a_table_fits_a_narrow_terminal(computer: Computer) -> None:
    Rollout(1).meta().model("gpt-5.1").turns(2).save(computer.home)
    computer.sync()
    for command in (("report", "daily"), ("plugins",), ("config",)):
        screen = re.sub(ESCAPE + r"\[[\d;]*m", "", watched(computer, *command, COLUMNS="60").screen)
        assert screen
        assert max(map(len, screen.splitlines())) <= 60, screen
