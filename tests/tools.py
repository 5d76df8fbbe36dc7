"""Tools that can be told to call vibescore, on a computer to test on.

`Tools` has the settings files that the installed plugins name, and a program in place of the
runtime, which notes how it was called. `Family` tells when everything that a program left running
in the background has ended.
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from support import Computer, Ran

import vibescore_codex
import vibescore_every_code
import vibescore_gemini
from vibescore.model import Environment, NotifyTarget
from vibescore.notify import Done, Entries, State

PLUGINS = {
    "codex": vibescore_codex,
    "every-code": vibescore_every_code,
    "gemini": vibescore_gemini,
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of a computer, and the entries of its home of vibescore."""

    computer: Computer

    @property
    def targets(self) -> dict[str, NotifyTarget]:
        """What the installed plugins declare on this computer."""
        env = Environment(self.computer.variables, self.computer.home)
        return {name: its.vibescore_notify_target(env) for name, its in PLUGINS.items()}

    @property
    def entries(self) -> Entries:
        return Entries(self.computer.own)

    @property
    def runtime(self) -> Path:
        """In place of the program that syncs: it notes every call in the file `calls`."""
        return self.computer.home / "run time" / "vibe'score"

    @property
    def calls(self) -> list[str]:
        """How the runtime was called: its home and its arguments, in turn."""
        return _lines(self.runtime.with_name("calls"))

    def make_runtime(self, body: str = 'echo "$VIBESCORE_HOME|$*" >>"${0%/*}/calls"') -> list[str]:
        self.runtime.parent.mkdir(exist_ok=True)
        return [str(program(self.runtime, body))]

    def config(self, source: str, text: str | None = None) -> Path:
        """The settings file of a tool that is there, with this text if one is given."""
        path = self.targets[source].config
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text.encode())
        return path

    def install(self, *sources: str) -> list[Done]:
        """All entries, or those of some sources."""
        return self.entries.install(self._of(sources), self.make_runtime())

    def remove(self, *sources: str) -> list[Done]:
        return self.entries.remove(self._of(sources))

    def state(self, source: str) -> State:
        [standing] = self.entries.states(self._of([source]))
        return standing.state

    def command(self, source: str) -> list[str]:
        """What our entry calls."""
        return [str(self.entries.handler), f"--source={source}"]

    def _of(self, sources: Sequence[str]) -> dict[str, NotifyTarget]:
        return {name: its for name, its in self.targets.items() if not sources or name in sources}


class Family:
    """A program and all it starts, however detached: everyone holds the end of a pipe."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def run(
        self,
        *command: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
    ) -> Ran:
        """The program, called as tools do, to its own end; others may still be running."""
        done = subprocess.run(
            command,
            env=environment,
            cwd=cwd,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            pass_fds=[self._writing],
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def wait(self) -> None:
        """Until everyone has ended; nobody can be started after that."""
        with suppress(OSError):
            os.close(self._writing)
        assert select.select([self._reading], [], [], 60)[0], "somebody is still running"
        os.close(self._reading)


def program(path: Path, body: str, shell: str = "/bin/sh") -> Path:
    """A shell script that can be run."""
    path.write_text(f"#!{shell}\n{body}\n")
    path.chmod(0o755)
    return path


def noting(path: Path) -> list[str]:
    """A command that notes its arguments in a file, one a line."""
    return ["sh", "-c", f'printf "%s\\n" "$@" >>{shlex.quote(str(path))}', "noting"]


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []
