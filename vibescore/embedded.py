"""A server of vibescore on this computer, as a process of its own: started, and stopped again.

The core knows no server; it starts the installed program, has it do what only who owns the data
may, and speaks HTTP with it.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vibescore.errors import ConfigError

PROGRAM = "vibescore_server"
HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds to end in order."""


class Embedded(NamedTuple):
    """A server that listens at ``address``; ``variables`` hold its settings."""

    address: str
    process: "subprocess.Popen[str]"
    variables: Mapping[str, str]

    def wait(self) -> int:
        """Until it ends; answers its exit code."""
        return self.process.wait()

    def ask(self, *words: str) -> str:
        """What a command of the server's program answers, on the same data. Raises ConfigError,
        with its words, when it fails.
        """
        done = subprocess.run(
            _command(*words),
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigError(f"'vibescore-server {' '.join(words)}' failed: {_last(done.stderr)}")
        return done.stdout


def is_installed() -> bool:
    """Whether there is a server to start."""
    return importlib.util.find_spec(PROGRAM) is not None


@contextmanager
def running(variables: Mapping[str, str], log: Path) -> Iterator[Embedded]:
    """Start a server for as long as the block lasts; what it has to say goes to ``log``.

    Raises ConfigError, with its words, when it does not start.
    """
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            _command("run", "--host", HOST),
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Embedded(_greeting(process, log), process, variables)
    finally:
        _stop(process)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", PROGRAM, *words]


def _greeting(process: "subprocess.Popen[str]", log: Path) -> str:
    """The address, which is the last word of the first line that a server says."""
    assert process.stdout
    with process.stdout as said:
        address = (said.readline().split() or [""])[-1]
    if address.startswith("http://"):
        return address
    process.wait()
    raise ConfigError(f"the server did not start: {_last(log.read_text('utf-8'))}")


def _last(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "it says nothing"


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
