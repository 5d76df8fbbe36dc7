"""Plugins as an installer leaves them, for programs that run in processes of their own.

A `Site` is a folder for PYTHONPATH with modules and their metadata: importing, entry points and
versions are the real ones. `DIARY` is a made-up tool's plugin without a mistake. `GATE` is one that
stops in the middle of a sync until it is let on, so that a test can do something meanwhile.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rollouts import write
from support import PROGRAM, Computer

DIARY = '''
"""A tool that writes what it used into ~/.diary."""

from msgspec import Struct

from vibescore import Identity, Lines, NoState, TokenTotals, Tree, UsageEvent, hookimpl


class Record(Struct):
    id: str
    at: float
    tokens: int
    model: str | None = "pen"


class State(Struct):
    lines: int = 0


@hookimpl
def vibescore_discover(env):
    return [Tree(env.home / ".diary", "*.jsonl", Lines(Record, State))]


@hookimpl
def vibescore_identify(path, head):
    return Identity(path.stem)


@hookimpl
def vibescore_parse(records, context):
    for record in records:
        context.state.lines += 1
        tokens = TokenTotals(record.tokens, 0, 0, 0, record.tokens)
        yield UsageEvent(record.id, record.at, record.model, tokens)
'''

GATE = '''
"""A tool whose log takes as long to parse as a test likes."""

import os

from msgspec import Struct

from vibescore import Lines, Tree, hookimpl


class Record(Struct):
    pass


@hookimpl
def vibescore_discover(env):
    return [Tree(env.home / ".gate", "*.jsonl", Lines(Record))]


@hookimpl
def vibescore_parse(records, context):
    os.write(int(os.environ["GATE_REACHED"]), b"!")
    os.read(int(os.environ["GATE_OPENED"]), 1)
    return []
'''


@dataclass(frozen=True, slots=True)
class Site:
    """A folder into which plugins are installed."""

    folder: Path

    def install(
        self, name: str, code: str | None, *, distribution: str = "", version: str = "1.0"
    ) -> None:
        """A distribution whose plugin ``name`` is a module of that code (None: there is none)."""
        distribution = distribution or f"vibescore-{name}"
        if code is not None:
            write(self.folder / f"{name}_plugin.py", code.encode())
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        write(info / "METADATA", metadata.encode())
        write(info / "entry_points.txt", f"[vibescore]\n{name} = {name}_plugin\n".encode())

    def on(self, computer: Computer) -> Computer:
        """The same computer with these plugins beside the installed ones."""
        paths = filter(None, (str(self.folder), os.environ.get("PYTHONPATH")))
        ours = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        return replace(computer, variables={**computer.variables, **ours})


class Halted(NamedTuple):
    """A sync that stands still, and the file that takes what it says."""

    process: subprocess.Popen[bytes]
    errors: Path

    def end(self) -> tuple[int, str]:
        """Its exit code and its standard error, when it has ended."""
        return self.process.wait(), self.errors.read_text("utf-8")


@contextmanager
def halted(computer: Computer, site: Site, *options: str) -> Iterator[Halted]:
    """A sync in the middle of its work, the lock in its hand; it goes on when the block ends."""
    site.install("gate", GATE)
    write(computer.home / ".gate" / "one.jsonl", b"{}\n")
    reached, tell = os.pipe()
    opened, hold = os.pipe()
    said = site.folder / "said.txt"
    with (
        said.open("wb") as errors,
        subprocess.Popen(
            [PROGRAM, "sync", "--offline", *options],
            env=site.on(computer).environment
            | {"GATE_REACHED": str(tell), "GATE_OPENED": str(opened)},
            pass_fds=(tell, opened),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        os.close(tell)
        os.close(opened)
        try:
            assert os.read(reached, 1), said.read_text("utf-8")
            yield Halted(process, said)
        finally:
            os.close(hold)
            os.close(reached)
