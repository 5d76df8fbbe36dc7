"""A server of vibescore on this computer, as a process of its own: started, and stopped again.

The core knows no server; it starts the installed program and speaks HTTP with it.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vibescore.errors import ConfigError

PROGRAM = "vibescore_server"
HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds to end in order."""


class Embedded(NamedTuple):
    """A server that listens at ``address``."""

    address: str
    process: "subprocess.Popen[str]"

    def wait(self) -> int:
        """Until it ends; answers its exit code."""
        return self.process.wait()


def is_installed() -> bool:
    """Whether there is a server to start."""
    return importlib.util.find_spec(PROGRAM) is not None


@contextmanager
def running(options: Sequence[str], variables: Mapping[str, str], log: Path) -> Iterator[Embedded]:
    """Start a server for as long as the block lasts; what it has to say goes to ``log``.

    Raises ConfigError, with its words, when it does not start.
    """
    command = [sys.executable, "-P", "-m", PROGRAM, "run", "--host", HOST, *options]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Embedded(_greeting(process, log), process)
    finally:
        _stop(process)


def _greeting(process: "subprocess.Popen[str]", log: Path) -> str:
    """The address, which is the last word of the first line that a server says."""
    assert process.stdout
    with process.stdout as said:
        address = (said.readline().split() or [""])[-1]
    if address.startswith("http://"):
        return address
    process.wait()
    words = log.read_text("utf-8").strip().splitlines()
    raise ConfigError(f"the server did not start: {words[-1] if words else 'it says nothing'}")


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
