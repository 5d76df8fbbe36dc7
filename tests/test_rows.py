"""Sources that are SQLite databases: read-only, new rows only, changes in the log seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support import Computer
from toy import counted, database_toy

ALL = "SELECT number, id, tokens FROM usage WHERE number > coalesce(:since, 0) ORDER BY number"


@pytest.fixture
def database(computer: Computer) -> Iterator[sqlite3.Connection]:
    """The tool's own connection, open all the time: what it writes stays in the write-ahead log."""
    path = computer.home / "toy/toy.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE usage (number INTEGER PRIMARY KEY, id TEXT, tokens INTEGER)")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        yield database


def spend(database: sqlite3.Connection, id: str, tokens: int) -> None:
    database.execute("INSERT INTO usage (id, tokens) VALUES (?, ?)", (id, tokens))


def path_of(database: sqlite3.Connection) -> Path:
    return Path(database.execute("PRAGMA database_list").fetchone()[2])


@pytest.mark.requirement("COL-01", "COL-10", "PLG-01")
def test_rows_are_counted_once_and_seen_while_they_are_only_in_the_write_ahead_log(
    computer: Computer, database: sqlite3.Connection
) -> None:
    before = path_of(database).stat()
    for number, total in enumerate((5, 10, 15)):
        spend(database, f"e{number}", 5)
        assert computer.collect([database_toy(ALL)]).events == 1
        assert computer.totals() == counted(total)
    assert path_of(database).stat().st_mtime_ns == before.st_mtime_ns
    assert computer.collect([database_toy(ALL)]).files_read == 0


@pytest.mark.requirement("COL-01")
def test_only_rows_behind_the_last_one_are_asked_for(
    computer: Computer, database: sqlite3.Connection
) -> None:
    spend(database, "e1", 5)
    computer.collect([database_toy(ALL)])
    database.execute("UPDATE usage SET tokens = 99")
    spend(database, "e2", 7)
    computer.collect([database_toy(ALL)])
    assert computer.totals() == counted(12)


@pytest.mark.requirement("COL-08", "COL-10")
def test_a_running_total_counts_its_growth_once_also_after_a_rebuild(
    computer: Computer, database: sqlite3.Connection
) -> None:
    every = database_toy("SELECT number, id, tokens FROM usage ORDER BY number", running=True)
    spend(database, "session", 5)
    for tokens in (5, 20, 20, 45):
        database.execute("UPDATE usage SET tokens = ?", (tokens,))
        computer.collect([every])
        assert computer.totals() == counted(tokens)
    computer.collect([every], rebuild=True)
    computer.forget_cursors()
    computer.collect([every])
    assert computer.totals() == counted(45)


@pytest.mark.requirement("COL-01")
def test_a_database_that_was_replaced_is_read_from_its_beginning_and_counted_once(
    computer: Computer, database: sqlite3.Connection
) -> None:
    spend(database, "e1", 5)
    spend(database, "e2", 5)
    computer.collect([database_toy(ALL)])
    copy = path_of(database).with_name("copy")
    database.execute("DELETE FROM usage WHERE id = 'e1'")
    database.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as other:
        other.execute("UPDATE usage SET number = 1")
        spend(other, "e3", 7)
    database.close()
    copy.replace(computer.home / "toy/toy.db")
    computer.collect([database_toy(ALL)])
    assert computer.totals() == counted(17)


@pytest.mark.requirement("COL-01")
def test_the_database_is_left_as_it_was(computer: Computer, database: sqlite3.Connection) -> None:
    spend(database, "e1", 5)
    path = path_of(database)
    before = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    computer.collect([database_toy("DELETE FROM usage RETURNING number, id, tokens")])
    assert (path.read_bytes(), Path(f"{path}-wal").read_bytes()) == before
    assert computer.totals() == {}


@pytest.mark.requirement("COL-09")
def test_rows_that_do_not_fit_are_counted_and_skipped(
    computer: Computer, database: sqlite3.Connection
) -> None:
    for id, tokens in [("e1", 5), ("e2", "many"), ("e3", None), (None, 1), ("e4", 7)]:
        database.execute("INSERT INTO usage (id, tokens) VALUES (?, ?)", (id, tokens))
    computer.collect([database_toy(ALL)])
    assert computer.totals() == counted(12)
    assert computer.query("SELECT skips FROM file") == [('{"malformed record": 3}',)]


@pytest.mark.requirement("COL-09")
@pytest.mark.parametrize("query", ["SELECT * FROM not_there", ALL])
def test_a_database_that_cannot_be_read_is_a_problem_and_nothing_more(
    query: str, computer: Computer
) -> None:
    path = computer.home / "toy/toy.db"
    path.parent.mkdir()
    path.write_bytes(b"this is no database, however long it may be" * 100)
    (problem,) = computer.collect([database_toy(query)]).problems
    assert "cannot be read" in problem.what
