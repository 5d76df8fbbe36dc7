"""A home directory with logs, and the host reading them: what the checks experiment on."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

from vibescore.collect import Summary, collect
from vibescore.jobs import Job, Problem, make_plan
from vibescore.model import Bucket, Environment, TokenTotals
from vibescore.store import Store
from vibescore.testing.watch import Watched

Files = Mapping[str, bytes]
"""What is in a home: paths below it, and contents."""

Totals = dict[Bucket, TokenTotals]

NOW = 4_000_000_000.0
"""Syncs happen at this UTC second, later than any sample, so that none depends on today."""


class Sandbox:
    """A home, and beside it the files of vibescore. The store stays open until ``life`` ends, so
    that what stands in its write-ahead log can be looked at.

    Each change of a file gets a time of its own: real ones may be too close together to be told
    apart.
    """

    def __init__(
        self, folder: Path, plugin: Watched, variables: Mapping[str, str], life: ExitStack
    ) -> None:
        self.home = folder / "home"
        self.own = folder / "vibescore"
        self.plugin = plugin
        self._variables = variables
        self._seconds = count(1_700_000_000)
        for made in (self.home, self.own):
            made.mkdir(parents=True)
        self._store = life.enter_context(Store.open(self.own / "vibescore.db"))

    @property
    def environment(self) -> Environment:
        """What the plugin may know of this computer."""
        return environment(self.home, self._variables)

    def put(self, path: str, content: bytes) -> None:
        """Write a file in place."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self._stamp(target)

    def fill(self, files: Files) -> "Sandbox":
        """Write files in place."""
        for path, content in files.items():
            self.put(path, content)
        return self

    def replace(self, path: str, content: bytes) -> None:
        """Put another file under that name."""
        fresh = self.own / "fresh"
        fresh.write_bytes(content)
        self._stamp(fresh)
        fresh.replace(self.home / path)

    def remove(self, path: str) -> None:
        (self.home / path).unlink()

    def touch(self, path: str) -> None:
        """Let a file look changed."""
        self._stamp(self.home / path)

    def _stamp(self, path: Path) -> None:
        second = next(self._seconds)
        os.utime(path, (second, second))

    def sync(self, *, plugin: Watched | None = None, rebuild: bool = False) -> Summary:
        """`vibescore sync`, with another plugin if one is given."""
        used = [plugin or self.plugin]
        return collect(self._store, used, self.environment, now=NOW, rebuild=rebuild)

    def jobs(self) -> list[Job]:
        """The files that a first sync would read, in its order; those of nobody have no claim."""
        return make_plan(self._store, [self.plugin], self.environment, rebuild=False).jobs

    def totals(self) -> Totals:
        """What `vibescore export` prints."""
        return {bucket: tokens for bucket, tokens in self._store.rows() if tokens}

    def skipped(self) -> dict[str, int]:
        """How many records were left out, by reason."""
        counts: dict[str, int] = {}
        for row in self._store.files():
            for reason, number in row.skips.items():
                counts[reason] = counts.get(reason, 0) + number
        return counts

    def contents(self) -> dict[str, list[Any]]:
        """Every row of every table of the store, but the small facts, which tell the time."""
        names = self._query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'meta'"
        )
        return {name: sorted(self._query(f"SELECT * FROM {name}"), key=repr) for (name,) in names}

    def forget_cursors(self) -> None:
        """Nothing is known any more of how far each file was read."""
        self._query(
            "UPDATE file SET inode = '', size = -1, mtime = 0, position = NULL, tail = NULL,"
            " state = NULL"
        )

    def _query(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.own / "vibescore.db")) as database, database:
            return database.execute(sql).fetchall()

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """All files that vibescore keeps: whatever a command shows or sends comes out of them."""
        for path in sorted(self.own.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


def environment(home: Path, variables: Mapping[str, str]) -> Environment:
    """A home, and variables with it in the place of ``{home}``."""
    filled = {name: text.replace("{home}", str(home)) for name, text in variables.items()}
    return Environment({"HOME": str(home), **filled}, home)


def files_below(folder: Path) -> dict[str, bytes]:
    """The files of a folder; what SQLite keeps in shared memory is none."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


def failures(summary: Summary) -> list[Problem]:
    """What the plugin is to blame for; files that cannot be read are not its fault."""
    return [
        problem
        for problem in summary.problems
        if problem.what.startswith(f"plugin {problem.source} failed")
    ]
