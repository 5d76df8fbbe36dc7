"""Runs `vibescore` in processes that are ended by force.

A fork server: all modules are imported once, then every order on standard input, one line of JSON
each, becomes a process of its own that runs the command line and dies as ordered. Every answer is
one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from typing import IO, Any, NoReturn, Self

NEEDED = ("vibescore.cli.sync", "vibescore.collect", "vibescore_codex", "vibescore_gemini")
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ends: by ``signal`` after ``seconds``, or by its own hand at a commit.

    ``commit`` counts from 1; it is done when ``committed``, and not yet begun otherwise.
    """

    seconds: float | None = None
    signal: int = signal.SIGKILL
    commit: int | None = None
    committed: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a process: exit status (negative: a signal), duration, standard error."""

    status: int
    seconds: float
    errors: str


class Mortals:
    """The fork server, seen from a test."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers

    @classmethod
    @contextmanager
    def at_hand(cls) -> Iterator[Self]:
        """A running server, which ends with the block."""
        with subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            yield cls(server.stdin, server.stdout)

    def run(
        self, *arguments: str, environment: Mapping[str, str], death: Death | None = None
    ) -> Life:
        """`vibescore` with these arguments in a process of its own, which may have to die."""
        order = {"arguments": arguments, "environment": environment}
        self._orders.write(json.dumps(order | {"death": death and asdict(death)}) + "\n")
        self._orders.flush()
        return Life(**json.loads(self._answers.readline()))


class MortalConnection(sqlite3.Connection):
    """Kills its own process at a commit, be it told or implied."""

    def __init__(self, *arguments: Any, death: Death, **options: Any) -> None:
        self._death, self._commits = death, 0
        super().__init__(*arguments, **options)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if not (sql == "COMMIT" or (not self.in_transaction and sql.startswith(WRITES))):
            return super().execute(sql, *parameters)
        self._commits += 1
        fatal = self._commits == self._death.commit
        if fatal and not self._death.committed:
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = super().execute(sql, *parameters)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor


def serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the program, and not before it runs
    for line in sys.stdin:
        order = json.loads(line)
        death = Death(**(order["death"] or {}))
        with tempfile.TemporaryFile() as errors:
            began = time.perf_counter()
            child = os.fork()
            if not child:
                live(order["arguments"], order["environment"], death, errors.fileno())
            if death.seconds is not None:
                time.sleep(death.seconds)
                os.kill(child, death.signal)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            seconds = time.perf_counter() - began
            errors.seek(0)
            life = Life(status, seconds, errors.read().decode())
        sys.stdout.write(json.dumps(asdict(life)) + "\n")
        sys.stdout.flush()


def live(arguments: list[str], environment: dict[str, str], death: Death, errors: int) -> NoReturn:
    """The program from its entry point to its end."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(errors, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["vibescore", *arguments]
    mortal = partial(MortalConnection, death=death)
    sqlite3.connect = partial(sqlite3.connect, factory=mortal)  # type: ignore[assignment]
    from vibescore.cli import main

    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for module in NEEDED:
        import_module(module)
    serve()
