"""What a whole process costs: wall time, CPU time and peak memory, measured side by side.

Subjects run in turn (A B B A …), so that whatever else the machine does meets all of them. Timed
runs are left alone; memory comes from warm-up runs of their own, which are watched.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

WATCHED_RUNS = 3
SECONDS_BETWEEN_LOOKS = 0.002
PIECE = 1 << 20

Each = TypeVar("Each")
Result = TypeVar("Result")

PROC = Path("/proc")
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
FILES = re.compile(r"^RssFile:\s+(\d+) kB", re.MULTILINE)
SHARE = re.compile(r"^Pss_Anon:\s+(\d+) kB", re.MULTILINE)


class Cost(NamedTuple):
    """What a run took, in seconds; CPU is user and system time of all its processes."""

    wall: float
    cpu: float


class BenchError(Exception):
    """Something that makes a figure worthless: a program failed, or counted wrong."""


class Subject(Protocol):
    """Something that can be measured."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def cost(self) -> Cost:
        """Run, undisturbed."""

    def peak(self) -> int | None:
        """Run, watched: the largest sum of memory, in bytes; None where nobody can say."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command in a process of its own.

    ``before`` prepares and ``after`` checks every run, with the standard output; neither is
    measured.
    """

    name: str
    command: Sequence[str | Path]
    variables: Mapping[str, str]
    before: Callable[[], object] = lambda: None
    after: Callable[[bytes], object] = lambda _: None

    def cost(self) -> Cost:
        with self._output() as output:
            started = time.perf_counter()
            process = self._start(output)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            self._end(process, output)
        return Cost(wall, usage.ru_utime + usage.ru_stime)

    def peak(self) -> int | None:
        with self._output() as output:
            process = self._start(output)
            most = watch(process)
            self._end(process, output)
        return most or None

    @contextlib.contextmanager
    def _output(self) -> Iterator[int]:
        self.before()
        with tempfile.TemporaryFile() as file:
            yield file.fileno()

    def _start(self, output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command, env=self.variables, stdin=subprocess.DEVNULL, stdout=output
        )

    def _end(self, process: subprocess.Popen[bytes], output: int) -> None:
        if process.returncode:
            raise BenchError(f"{self.name} failed with exit code {process.returncode}")
        self.after(os.pread(output, os.fstat(output).st_size, 0))


@dataclass(frozen=True, slots=True)
class Reading:
    """Reading all bytes of some files once: what no tracker can be faster than on one core.

    It runs in this process: what it takes to start one is not in it.
    """

    files: Sequence[Path]
    name: str = "reading alone"

    def cost(self) -> Cost:
        buffer = bytearray(PIECE)
        started, spent = time.perf_counter(), time.process_time()
        for path in self.files:
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass
        return Cost(time.perf_counter() - started, time.process_time() - spent)

    def peak(self) -> int | None:
        self.cost()
        return None


def watch(process: subprocess.Popen[bytes]) -> int:
    """Waits for the process; returns the most that it and its descendants held at once, in bytes.

    0 where there is no `/proc`.
    """
    most = 0
    while process.poll() is None:
        most = max(most, held(process.pid))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return most


def held(pid: int) -> int:
    """Bytes held by a process tree now, every page counted once.

    Of a single process the kernel knows its own peak. Of several, anonymous pages by their shares:
    one that two of them hold counts half for each. Pages of files (programs, libraries) by the
    process that maps most of them: their shares would be smaller the more other programs run.
    """
    family = list(descendants(pid))
    if len(family) == 1:
        return kilobytes(PROC / f"{pid}/status", PEAK)
    anonymous = sum(kilobytes(PROC / f"{member}/smaps_rollup", SHARE) for member in family)
    return anonymous + max(kilobytes(PROC / f"{member}/status", FILES) for member in family)


def spent(pid: int) -> float:
    """Seconds that a process has kept processors busy so far; 0 where there is no `/proc`."""
    times = read(PROC / f"{pid}/stat").rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for thread in threads(pid):
        for child in read(thread / "children").split():
            yield from descendants(int(child))


def threads(pid: int) -> list[Path]:
    """Its threads; none when the process has just ended."""
    try:
        return list((PROC / f"{pid}/task").iterdir())
    except OSError:
        return []


def kilobytes(path: Path, figure: re.Pattern[str]) -> int:
    found = figure.search(read(path))
    return int(found[1]) * 1024 if found else 0


def read(path: Path) -> str:
    """A file of `/proc`; nothing when the process has just ended."""
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Measured:
    """One subject's series, run by run: seconds, seconds, bytes."""

    name: str
    wall: Sequence[float]
    cpu: Sequence[float]
    memory: Sequence[float]


def in_turn(subjects: Sequence[Subject], *, runs: int) -> list[Measured]:
    """Measure the subjects side by side, after warm-ups."""
    peaks = rounds(subjects, WATCHED_RUNS, lambda subject: subject.peak())
    costs = rounds(subjects, runs, lambda subject: subject.cost())
    return [
        Measured(
            subject.name,
            [cost.wall for cost in its_costs],
            [cost.cpu for cost in its_costs],
            [peak for peak in its_peaks if peak is not None],
        )
        for subject, its_costs, its_peaks in zip(subjects, costs, peaks, strict=True)
    ]


def rounds(
    subjects: Sequence[Each], count: int, measure: Callable[[Each], Result]
) -> list[list[Result]]:
    """The results of each subject. Every other round goes backwards, so that nobody always comes
    behind the same one.
    """
    results: list[list[Result]] = [[] for _ in subjects]
    places = range(len(subjects))
    for number in range(count):
        for place in places[::-1] if number % 2 else places:
            results[place].append(measure(subjects[place]))
    return results
