"""What is shown to somebody who watches, and to a file or a program that does not."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from contextlib import suppress
from itertools import pairwise
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


REPORTS = ("hourly", "daily", "weekly", "monthly", "models", "sources")
TABLES = [
    ("report",),
    *(("report", name, "--since", "1970-01-01") for name in REPORTS),
    ("prices",),
    ("plugins",),
    ("config",),
    ("status",),  # without a table
]


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


def lines(computer: Computer, *arguments: str, columns: int) -> list[str]:
    """What stands on a terminal of so many columns, without its colours."""
    code, screen = watched(computer, *arguments, COLUMNS=str(columns))
    assert code == 0, screen
    return re.sub(ESCAPE + r"\[[\d;]*m", "", screen).splitlines()


@pytest.fixture
def used(computer: Computer) -> Computer:
    """Millions of tokens of two models, one of them without a price."""
    rollout = Rollout(1).meta().model("gpt-5.1-codex-mini").usage(12_345_678, 2_345_678, 99_999, 7)
    rollout.model("a-model-of-a-very-long-name-that-has-no-price").usage(7_000, 6_000, 500, 400)
    rollout.save(computer.home)
    computer.sync()
    return computer


@pytest.mark.requirement("CLI-11", "CLI-09")
@pytest.mark.parametrize("columns", [60, 80, 100, 130])
@pytest.mark.parametrize("arguments", TABLES[:-1], ids=" ".join)
def test_a_table_fits_its_terminal(
    arguments: tuple[str, ...], columns: int, used: Computer
) -> None:
    shown = lines(used, *arguments, columns=columns)
    assert shown
    assert max(map(len, shown)) <= columns, "\n".join(shown)


@pytest.mark.requirement("CLI-09")
@pytest.mark.parametrize(
    "name, columns", [("hourly", 56), ("daily", 42), ("weekly", 42), ("monthly", 42)]
)
def test_a_narrow_terminal_keeps_period_total_and_cost(
    name: str, columns: int, used: Computer
) -> None:
    report = ("report", name, "--since", "1970-01-01", "--timezone", "UTC")
    _, heading, _, row, *_ = lines(used, *report, columns=columns)
    assert re.split(r" {2,}", heading.strip())[1:] == ["Total", "Est. cost"]
    period, *numbers = re.split(r" {2,}", row.strip())
    assert period.startswith("2026-08")
    assert numbers == ["12,453,177", "≥$2.76"]


@pytest.mark.requirement("CLI-09")
def test_what_a_number_counts_goes_before_the_number_does(used: Computer) -> None:
    """From wide to narrow, columns only disappear, and what stays is never cut."""
    fewer: list[list[str]] = []
    for columns in (200, 130, 100, 75, 60, 40, 20):
        shown = lines(used, "report", "daily", columns=columns)
        fewer.append(re.split(r" {2,}", shown[1].strip()))
        assert "…" not in "".join(shown)
        assert any("12,453,177" in line for line in shown)
    assert fewer[0][:2] == ["Day", "Models"]
    assert fewer[-1] == ["Day", "Total", "Est. cost"]
    assert all(set(less) <= set(more) for more, less in pairwise(fewer))


@pytest.mark.requirement("CLI-09")
def test_a_name_that_is_too_long_is_folded_and_not_cut(used: Computer) -> None:
    shown = lines(used, "report", "models", columns=60)
    column = slice(shown[1].index("Model"), shown[1].index("Total") - 3)
    name = "".join(line[column].strip() for line in shown[3:7])
    assert "a-model-of-a-very-long-name-that-has-no-price" in name
