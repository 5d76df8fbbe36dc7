"""The store as a file: made when needed, for its owner alone, and left alone when not ours."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rollouts import Rollout, Truth, truth_of
from sites import Site, halted
from support import Computer

from vibescore.errors import StoreError
from vibescore.store import APPLICATION_ID, MIGRATIONS

PAGE = 4096
COMMANDS = ("sync", "status", "report", "export")


@pytest.fixture
def rollouts(computer: Computer) -> list[Rollout]:
    """Logs on the computer that make a store of some pages."""
    rollouts = [
        Rollout(day, f"2026-08-{day:02}T09:00:00").meta().model("gpt-5.1").turns(20)
        for day in range(1, 25)
    ]
    for rollout in rollouts:
        rollout.save(computer.home)
    return rollouts


def sqlite_file(path: Path, *statements: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
    return path


def assert_refused(computer: Computer, command: str, *said: str) -> None:
    """The command fails with a sentence that names the store, and leaves every byte as it is."""
    before = computer.database.read_bytes()
    ran = computer.program(command)
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith(f"vibescore: {computer.database} ")
    assert ran.errors.count("\n") == 1
    for words in said:
        assert words in ran.errors
    assert computer.database.read_bytes() == before
    assert not list(computer.own.glob("*-journal"))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "random bytes": lambda good: random.Random(1).randbytes(len(good)),
    "a text": lambda _: b"# not a database\n",
    "all pages but the first overwritten": lambda good: (
        good[:PAGE] + random.Random(2).randbytes(len(good) - PAGE)
    ),
    "the first page overwritten behind its header": lambda good: (
        good[:100] + random.Random(3).randbytes(PAGE - 100) + good[PAGE:]
    ),
    "cut in half": lambda good: good[: len(good) // 2],
}


@pytest.mark.requirement("QUE-01", "CLI-05")
@pytest.mark.parametrize("command", ["sync", "export"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_store_is_told_and_left_as_it_is(
    damage: Callable[[bytes], bytes], command: str, computer: Computer, rollouts: list[Rollout]
) -> None:
    computer.sync()
    computer.database.write_bytes(damage(computer.database.read_bytes()))
    rollouts[0].turns(1).save(computer.home)
    assert_refused(computer, command, "is damaged", "move it away and run 'vibescore sync'")


@pytest.mark.requirement("QUE-01")
def test_moving_a_damaged_store_away_gives_everything_back_that_logs_still_tell(
    computer: Computer, rollouts: list[Rollout]
) -> None:
    computer.own.mkdir()
    computer.database.write_bytes(random.Random(4).randbytes(9000))
    assert_refused(computer, "sync", "is damaged")
    computer.database.rename(computer.own / "damaged.db")
    computer.sync()
    assert computer.export() == truth_of(*rollouts)


class Overwritten(NamedTuple):
    """A sync of a store with one page overwritten: whether it was refused, whether the store is
    as it was, and what is exported, None when that is refused.
    """

    page: int
    refused: bool
    untouched: bool
    exported: Truth | None


def overwritten(computer: Computer) -> Iterator[Overwritten]:
    """The same new logs collected with each page of the store overwritten in turn."""
    good = computer.database.read_bytes()
    Rollout(99).meta().turns(2).save(computer.home)
    for page in range(len(good) // PAGE):
        kept = PAGE * page + (100 if page == 0 else 0)  # the header says what file it is
        rest = PAGE * (page + 1)
        bad = good[:kept] + random.Random(page).randbytes(rest - kept) + good[rest:]
        computer.database.write_bytes(bad)
        refused = told_damaged(computer)
        untouched = computer.database.read_bytes() == bad
        yield Overwritten(page, refused, untouched, exported(computer))


@pytest.mark.requirement("QUE-01", "COL-10")
def test_with_any_page_overwritten_totals_are_exact_or_refused(
    computer: Computer, rollouts: list[Rollout]
) -> None:
    computer.sync()
    before, after = truth_of(*rollouts), truth_of(*rollouts, Rollout(99).meta().turns(2))
    seen = list(overwritten(computer))
    assert any(each.refused for each in seen)
    for each in seen:
        assert each.exported in ((before, None) if each.refused else (after, None)), each.page


@pytest.mark.requirement("QUE-01", "CLI-05")
def test_a_store_that_was_left_as_it_is_was_left_as_it_is(
    computer: Computer, rollouts: list[Rollout]
) -> None:
    assert rollouts
    computer.sync()
    touched = [each.page for each in overwritten(computer) if each.refused and not each.untouched]
    assert touched == []


def told_damaged(computer: Computer) -> bool:
    """Whether a sync says that the store is damaged; any other failure is one of the test."""
    try:
        computer.sync()
    except StoreError as error:
        if "is damaged" in str(error):
            return True
        raise
    return False


def exported(computer: Computer) -> Truth | None:
    """What is exported, None when that is refused."""
    try:
        return computer.export()
    except StoreError:
        return None


TABLE = "CREATE TABLE note (text)"

FOREIGN = {
    "with a table": (TABLE,),
    "with a table, in WAL mode": ("PRAGMA journal_mode = WAL", TABLE),
    "that counts its versions too": (TABLE, f"PRAGMA user_version = {len(MIGRATIONS)}"),
    "with a larger version than ours": (TABLE, f"PRAGMA user_version = {len(MIGRATIONS) + 6}"),
    "of another application": (TABLE, "PRAGMA application_id = 5"),
    "of another application, still empty": ("PRAGMA application_id = 5",),
    "still empty, but with a version": ("PRAGMA user_version = 1",),
}


@pytest.mark.requirement("QUE-01", "CLI-05")
@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_database_of_another_program_is_told_and_left_as_it_is(
    statements: tuple[str, ...], computer: Computer
) -> None:
    sqlite_file(computer.database, *statements)
    assert_refused(computer, "sync", "is not a vibescore store", "move it away")


@pytest.mark.requirement("QUE-01", "CLI-05")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_of_a_newer_vibescore_is_told_and_left_as_it_is(
    command: str, computer: Computer, rollouts: list[Rollout]
) -> None:
    assert rollouts
    computer.sync()
    sqlite_file(computer.database, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert_refused(computer, command, "newer vibescore", "upgrade vibescore", "nothing was changed")


@pytest.mark.requirement("QUE-01")
@pytest.mark.parametrize("content", [None, b""], ids=["no file", "an empty file"])
def test_a_store_is_made_where_there_is_none(
    content: bytes | None, computer: Computer, rollouts: list[Rollout]
) -> None:
    if content is not None:
        computer.own.mkdir()
        computer.database.write_bytes(content)
    assert computer.export() == {}
    computer.sync()
    assert computer.export() == truth_of(*rollouts)
    assert computer.query("PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert computer.query("PRAGMA application_id") == [(APPLICATION_ID,)]
    assert computer.query("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.requirement("QUE-01", "COL-08")
@pytest.mark.parametrize("statement", range(1, 7))
def test_who_looks_while_the_first_sync_makes_the_store_is_not_told_nonsense(
    statement: int, computer: Computer, rollouts: list[Rollout], monkeypatch: pytest.MonkeyPatch
) -> None:
    computer.own.mkdir()
    computer.database.touch()

    class Overtaken(sqlite3.Connection):
        """A whole sync happens right before one of its statements."""

        statements = 0

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            Overtaken.statements += 1
            if Overtaken.statements == statement and not self.in_transaction:
                assert computer.program("sync", "--offline").code == 0
            return super().execute(sql, *parameters)

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Overtaken))
        assert computer.export() in ({}, truth_of(*rollouts))
    computer.sync()
    assert computer.export() == truth_of(*rollouts)


@pytest.mark.requirement("QUE-01")
@pytest.mark.parametrize("command", ["status", "report", "export", "config", "plugins"])
def test_looking_at_what_is_not_there_makes_nothing(command: str, computer: Computer) -> None:
    assert computer.program(command).code == 0
    assert list(computer.home.iterdir()) == []


@pytest.mark.requirement("QUE-08")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_home_and_files_are_their_owners_alone_at_any_time(
    umask: int, computer: Computer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Rollout(1).meta().turns(2).save(computer.home)
    site = Site(tmp_path_factory.mktemp("site"))
    before = os.umask(umask)
    try:
        with halted(computer, site):
            during = modes(computer)
        computer.sync()
    finally:
        os.umask(before)
    assert {"vibescore.db", "vibescore.db-wal", "vibescore.db-shm", "sync.lock"} <= during.keys()
    assert {*during.values(), *modes(computer).values()} == {0o600}
    assert stat.S_IMODE(computer.own.stat().st_mode) == 0o700


def modes(computer: Computer) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in computer.own.iterdir()}
