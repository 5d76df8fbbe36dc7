"""A command of vibescore that waits for its user: what it tells, and the page that it opens."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from support import Computer, Ran
from tools import program

PATIENCE = 60
"""Seconds after which a command that does nothing is a failure."""


class Waiting(NamedTuple):
    """The installed program while it runs, with a browser (BROWSER) that opens nothing and tells
    the test.
    """

    process: subprocess.Popen[str]
    addresses: int

    @classmethod
    @contextmanager
    def on(cls, computer: Computer, *arguments: str) -> Iterator[Waiting]:
        """Runs until the block ends at the latest."""
        with _browser() as (command, addresses), _running(computer, command, arguments) as process:
            yield cls(process, addresses)

    def opened(self) -> str:
        """The address that the browser was called with."""
        assert select.select([self.addresses], [], [], PATIENCE)[0], "no browser was called"
        return os.read(self.addresses, 1 << 16).decode().rstrip("\n")

    def told(self, pattern: str) -> re.Match[str]:
        """The next line of the output that matches."""
        lines = self.process.stdout or ()
        found = next(filter(None, (re.search(pattern, line) for line in lines)), None)
        assert found, "it ended without saying that"
        return found

    def end(self) -> Ran:
        """To its end; the output is what was not read before."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return Ran(self.process.returncode, output, errors)


@contextmanager
def _running(
    computer: Computer, browser: str, arguments: tuple[str, ...]
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [computer.installed, *arguments],
        env=computer.environment | {"BROWSER": browser},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _browser() -> Iterator[tuple[str, int]]:
    """A value of BROWSER, and where the address can be read that it is called with."""
    with TemporaryDirectory(prefix="vibescore-browser-") as folder:
        pipe = Path(folder, "addresses")
        os.mkfifo(pipe)
        browser = program(Path(folder, "browser"), f'echo "$1" >{shlex.quote(str(pipe))}')
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            yield f"{shlex.quote(str(browser))} %s", reading
        finally:
            os.close(reading)
