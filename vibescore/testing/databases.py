"""Experiments with SQLite databases: which columns a query reads, and what the others may say."""

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from vibescore.model import Reading, Rows, Tree
from vibescore.testing.mutations import CANARY, NEW, parsed


def queried(path: Path, reading: Reading) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns that a query gives, and its rows from the first on."""
    assert isinstance(reading, Rows)
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute(reading.query, {"since": None})
        return [column[0] for column in cursor.description], cursor.fetchall()


def limited(tree: Tree, count: int) -> Tree:
    """The tree of a database that holds only so many of the rows yet."""
    assert isinstance(tree.reading, Rows)
    bare = tree.reading.query.strip().rstrip(";")
    query = f"SELECT * FROM ({bare}) LIMIT {count}"
    return replace(tree, reading=replace(tree.reading, query=query))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def plant(path: Path, query: str) -> None:
    """Put a canary into every text that the query does not read, and new fields into the JSON
    objects that it does.
    """
    with closing(sqlite3.connect(path)) as database, database:
        read = _columns_read(database, query)
        for table, column in _columns(database):
            with suppress(sqlite3.Error):  # a constraint wants the text as it is
                if (table, column) in read:
                    _add_fields(database, table, column)
                else:
                    _replace_text(database, table, column)


def _columns_read(database: sqlite3.Connection, query: str) -> set[tuple[str, str]]:
    read: set[tuple[str, str]] = set()

    def note(action: int, table: str | None, column: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table and column:
            read.add((table, column))
        return sqlite3.SQLITE_OK

    database.set_authorizer(note)
    database.execute(query, {"since": None}).fetchall()
    database.set_authorizer(None)
    return read


def _columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    return database.execute(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
    ).fetchall()


def _replace_text(database: sqlite3.Connection, table: str, column: str) -> None:
    name = _quoted(column)
    database.execute(
        f"UPDATE {_quoted(table)} SET {name} = ? || rowid WHERE typeof({name}) = 'text'", (CANARY,)
    )


def _add_fields(database: sqlite3.Connection, table: str, column: str) -> None:
    name, its = _quoted(column), _quoted(table)
    texts = f"SELECT rowid, {name} FROM {its} WHERE typeof({name}) = 'text'"
    for row, text in database.execute(texts).fetchall():
        value = parsed(text)
        if isinstance(value, dict):
            said = json.dumps(value | {NEW: CANARY})
            database.execute(f"UPDATE {its} SET {name} = ? WHERE rowid = ?", (said, row))
