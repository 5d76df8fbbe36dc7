"""Many computers that run vibescore at the same time, each in a process of its own.

These processes are forked from one that has imported what they need. So a round of them costs what
they do and not what Python's start costs, which a hundred computers do not share either. Run as a
program, this file is the one that they are forked from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

NEEDED = (
    "encodings.idna",
    "vibescore.cli.sync",
    "vibescore.collect",
    "vibescore.lock",
    "vibescore.machine",
    "vibescore.retry",
    "vibescore.settings",
    "vibescore.upload",
)
"""What ``vibescore sync`` imports when it is called, beside the plugins and what HTTP takes."""

BROKEN = 70
"""The exit code of a process that did not get as far as vibescore."""

Environment = Mapping[str, str]


class Ran(NamedTuple):
    """What a command left behind, and what it took: seconds from the moment when all began, and
    seconds that it kept processors busy.
    """

    code: int
    output: str
    errors: str
    wall: float
    cpu: float


class Fleet:
    """Computers that do the same at the same time."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers

    @classmethod
    @contextmanager
    def ready(cls, *, nice: int = 0) -> Iterator[Fleet]:
        """One that can be told what to run, until the block and whatever was started have ended;
        all of it gives way to others by so much.
        """
        alive, held = os.pipe()
        with subprocess.Popen(
            [sys.executable, __file__, str(nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[held],
        ) as origin:
            os.close(held)
            assert origin.stdin
            assert origin.stdout
            yield cls(origin.stdin, origin.stdout)
        os.read(alive, 1)  # also what runs in the background holds the other end
        os.close(alive)

    def run(self, environments: Sequence[Environment], *arguments: str) -> list[Ran]:
        """A command of vibescore on every computer, which is its environment; all begin at once."""
        print(json.dumps([environments, arguments]), file=self._orders, flush=True)
        return [Ran(*ran) for ran in json.loads(self._answers.readline())]


def follow_orders() -> None:
    """Run what standard input says, line by line, until it ends."""
    os.nice(int(sys.argv[1]))
    prepare()
    for line in sys.stdin:
        environments, arguments = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(all_at_once(environments, arguments, Path(folder))), flush=True)


def prepare() -> None:
    """Import what every process needs."""
    import httpx

    from vibescore.plugins import load_plugins

    for name in NEEDED:
        import_module(name)
    load_plugins()
    httpx.Client(trust_env=False).close()


def all_at_once(
    environments: Sequence[Environment], arguments: Sequence[str], folder: Path
) -> list[Ran]:
    """Start the processes, let them go, and wait for all of them."""
    gate, opening = os.pipe()
    outputs = [folder / str(number) for number, _ in enumerate(environments)]
    pids = [
        fork(environment, arguments, (gate, opening), output)
        for environment, output in zip(environments, outputs, strict=True)
    ]
    os.close(gate)
    os.close(opening)  # the last one: whoever reads the gate goes on
    began, ended = time.perf_counter(), {}
    for _ in pids:
        pid, status, used = os.wait4(-1, 0)
        wall, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
        ended[pid] = os.waitstatus_to_exitcode(status), wall, cpu
    return [ran(output, *ended[pid]) for output, pid in zip(outputs, pids, strict=True)]


def ran(output: Path, code: int, wall: float, cpu: float) -> Ran:
    said, complained = (output.with_suffix(end).read_text("utf-8") for end in (".out", ".err"))
    return Ran(code, said, complained, wall, cpu)


def fork(
    environment: Environment, arguments: Sequence[str], gate: tuple[int, int], output: Path
) -> int:
    """A process that waits at the gate, and then is the installed program; answers its id."""
    if pid := os.fork():
        return pid
    try:
        be_program(environment, arguments, gate, output)
    finally:
        os._exit(BROKEN)


def be_program(
    environment: Environment, arguments: Sequence[str], gate: tuple[int, int], output: Path
) -> NoReturn:
    from vibescore.cli import program

    os.close(gate[1])
    streams = (Path(os.devnull), output.with_suffix(".out"), output.with_suffix(".err"))
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["vibescore", *arguments]
    os.read(gate[0], 1)
    program()


if __name__ == "__main__":
    follow_orders()
