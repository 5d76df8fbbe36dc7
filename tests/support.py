"""A computer to test on: a home directory with logs, and vibescore run in it.

`run`, `sync` and `export` are the real command line in this process; `program` is the installed
program in a process of its own. `collect` is the line behind `sync` with clock and plugins of one's
choice. Nothing of the machine that runs the tests shines through.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from click.testing import CliRunner
from rollouts import Counters, Truth

import vibescore_codex
from vibescore import hookimpl
from vibescore.cli import cli
from vibescore.collect import Summary, collect
from vibescore.model import Environment
from vibescore.plugins import LOADED, Plugin, load_plugins, register
from vibescore.store import Store

PROGRAM = Path(sysconfig.get_path("scripts"), "vibescore")
NAMES = ("VIBESCORE_", "CODEX_", "CODE_HOME", "GEMINI_", "XDG_")
NOW = 1_786_406_400.0  # 2026-08-11T00:00:00Z


class Ran(NamedTuple):
    """What a command left behind: exit code, standard output and standard error."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Computer:
    """A home directory, variables that are set beside HOME and VIBESCORE_HOME, and the program
    that is installed.
    """

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    installed: Path = PROGRAM

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[Computer]:
        """A computer for a single example of hypothesis."""
        with tempfile.TemporaryDirectory(prefix="vibescore-test-") as home:
            yield cls(Path(home))

    @property
    def own(self) -> Path:
        """Where vibescore keeps its files."""
        return self.home / ".vibescore"

    @property
    def database(self) -> Path:
        return self.own / "vibescore.db"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a program started here sees."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(NAMES)}
        return kept | self._own_variables

    @property
    def _own_variables(self) -> dict[str, str]:
        return {"HOME": str(self.home), "VIBESCORE_HOME": str(self.own), **self.variables}

    def run(self, *arguments: str, **variables: str) -> Ran:
        """A command of vibescore in this process; an error of ours is raised as it is."""
        foreign = {name: None for name in os.environ if name.startswith(NAMES)}
        done = CliRunner().invoke(
            cli,
            arguments,
            prog_name="vibescore",
            env={**foreign, **self._own_variables, **variables},
            catch_exceptions=False,
        )
        return Ran(done.exit_code, done.stdout, done.stderr)

    def program(self, *arguments: str, **variables: str) -> Ran:
        """The installed program, in a process of its own."""
        done = subprocess.run(
            [self.installed, *arguments],
            cwd=self.home,
            env=self.environment | variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """The installed program, left running; its output goes nowhere."""
        return subprocess.Popen(
            [self.installed, *arguments],
            env=self.environment | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def sync(self, *options: str) -> Ran:
        """`vibescore sync --offline`, which has to succeed."""
        ran = self.run("sync", "--offline", *options)
        assert ran.code == 0, ran
        return ran

    def export(self, source: str | None = None) -> Truth:
        """The rows of `vibescore export`, in key order; those of one source only, if named."""
        ran = self.run("export")
        assert ran.code == 0, ran
        rows = dict(truth_row(json.loads(line)) for line in ran.output.splitlines())
        return {key: rows[key] for key in sorted(rows) if source in (None, key[0])}

    def collect(
        self,
        plugins: Sequence[Plugin] | None = None,
        *,
        now: float = NOW,
        rebuild: bool = False,
    ) -> Summary:
        """The line behind `sync` at the time `now`; without `plugins`, the installed ones."""
        self.own.mkdir(mode=0o700, exist_ok=True)
        env = Environment(self._own_variables, self.home)
        used = installed_plugins() if plugins is None else plugins
        with self.opened() as store:
            return collect(store, used, env, now=now, rebuild=rebuild)

    def opened(self) -> AbstractContextManager[Store]:
        return Store.open(self.database)

    @staticmethod
    def plugins() -> list[Plugin]:
        """The installed plugins, loaded once."""
        return list(installed_plugins())

    def totals(self, source: str | None = None) -> Truth:
        """The same rows as `export`, straight from the store: for many examples in a short time."""
        with self.opened() as store:
            rows = [(b.source, b.model, b.start, *t.counters) for b, t in store.rows() if t]
        return {
            (its, model, utc(start)): Counters(*counters)
            for its, model, start, *counters in rows
            if source in (None, its)
        }

    def pending(self) -> Truth:
        """Rows that wait to be sent, zeroed ones included."""
        rows = self.query(
            "SELECT source, model, start, input_tokens, cached_input_tokens, output_tokens,"
            " reasoning_output_tokens, total_tokens"
            " FROM published JOIN bucket ON bucket.id = bucket WHERE revision > acked"
        )
        return {(source, model, utc(start)): Counters(*its) for source, model, start, *its in rows}

    def acknowledge(self) -> None:
        """A server has accepted everything that was published."""
        self.query("UPDATE published SET acked = revision")

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, apart from the small facts, which tell the time."""
        names = self.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        tables = [name for (name,) in names if name != "meta"]
        return {name: self.query(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables}

    def forget_cursors(self) -> None:
        """Nothing is known any more of how far each file was read, and of what it then was."""
        self.query(
            "UPDATE file SET inode = '', size = -1, mtime = 0, position = NULL, tail = NULL,"
            " state = NULL"
        )

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database holds, for the few promises that no command shows."""
        with closing(sqlite3.connect(self.database)) as database, database:
            return database.execute(sql, values).fetchall()


@cache
def installed_plugins() -> tuple[Plugin, ...]:
    return tuple(load_plugins())


def made_up(name: str, **hooks: Callable[..., Any]) -> Plugin:
    """A loaded plugin with these hooks, named without `vibescore_`."""
    module = ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, f"vibescore_{hook}", hookimpl(function))
    plugin = register(Plugin(name), module)
    assert plugin.state == LOADED, plugin.problem
    return plugin


def codex(**hooks: Callable[..., Any]) -> Plugin:
    """The installed plugin for Codex with some of its hooks replaced."""
    own: dict[str, Callable[..., Any]] = {
        "discover": vibescore_codex.vibescore_discover,
        "identify": vibescore_codex.vibescore_identify,
        "parse": vibescore_codex.vibescore_parse,
    }
    return made_up("codex", **(own | hooks))


def truth_row(row: dict[str, Any]) -> tuple[tuple[str, str, str], Counters]:
    """A line of the export as a row of the truth."""
    key = (row.pop("source"), row.pop("model"), row.pop("hour_start"))
    return key, Counters(**row)


def utc(start: int) -> str:
    from vibescore.model import iso_utc

    return iso_utc(start)
