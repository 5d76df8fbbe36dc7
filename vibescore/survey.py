"""Which files changed since they were read: the part of a sync that needs no plugin.

A sync with nothing new is the usual one, so it loads none: what the plugins declared last time is
kept in the store with all it followed from (`Outlook`), and as long as that holds, comparing the
files with their rows is all there is to do. Hence no import here takes long.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from vibescore.discover import Found, stamped, walk

FILES_AT_ONCE = 500
OUTLOOK = "outlook"
LAST_SYNC = "last sync"
CLOSED_ON = "closed events on"
INTRODUCED, PACE = "introduced to", "pace"


class Place(NamedTuple):
    """Where files are looked for: a real directory and a pattern; of which sources they may be,
    and whether they are databases.
    """

    root: str
    pattern: str
    sources: list[str]
    is_database: bool


Standing = tuple[int, int, str, str, str]
"""How a file stood when it was read last: size, mtime, inode, source and claims."""


class Outlook(NamedTuple):
    """What the last sync saw: the places, who was asked for their files by which rules
    (``signature``), and what all of this followed from.

    ``roots`` are those of the trees as they were declared (links in them may come to lead
    elsewhere), ``variables`` those that plugins asked for, ``modules`` the files of the plugins;
    ``depends`` is a key of what these were and of everything else.
    """

    places: list[Place]
    signature: str
    roots: list[str]
    variables: list[str]
    modules: list[str]
    depends: str


def survey(
    database: sqlite3.Connection, place: Place, signature: str
) -> Iterator[tuple[Found, bool]]:
    """The files of a place, and whether each has to be looked at: it changed, or whose it is has to
    be asked again.
    """
    files = walk(Path(place.root), place.pattern)
    while batch := list(islice(files, FILES_AT_ONCE)):
        paths = [os.fsencode(found.path) for found in batch]
        known = _standings(database, paths)
        for found, path in zip(batch, paths, strict=True):
            now = stamped(found) if place.is_database else found
            yield now, not _is_settled(now, known.get(path), place, signature)


def _is_settled(found: Found, known: Standing | None, place: Place, signature: str) -> bool:
    if known is None:
        return False
    *stood, source, claims = known
    if source and source not in place.sources:
        return True
    return stood == [found.size, found.mtime, found.inode] and claims == signature


def _standings(database: sqlite3.Connection, paths: list[bytes]) -> dict[bytes, Standing]:
    query = (
        "SELECT path, size, mtime, inode, source, claims FROM file"
        f" WHERE path IN ({', '.join('?' * len(paths))})"
    )
    return {row[0]: row[1:] for row in database.execute(query, paths)}


class Waiting(NamedTuple):
    """What waits to be sent: how many rows; to which link the store was introduced, and what is
    remembered of its pace.
    """

    rows: int
    introduced: Any
    pace: Any


def waiting(path: Path) -> Waiting | None:
    """What the store says of the queue; None when it has to be opened to tell."""
    try:
        with closing(_opened(path)) as database:
            rows = database.execute(
                "SELECT COUNT(*) FROM published WHERE revision > acked AND refused IS NOT revision"
            ).fetchone()[0]
            return Waiting(rows, _fact(database, INTRODUCED), _fact(database, PACE))
    except (OSError, sqlite3.Error, ValueError):
        return None


def nothing_new(
    path: Path, depends: Callable[[Outlook], str], *, now: float
) -> dict[str, Any] | None:
    """The last sync, as it would have been now, if a sync would find nothing to do; None when it
    has to see for itself.

    ``depends`` tells the key of an outlook as things are, ``now`` is UTC seconds.
    """
    try:
        with closing(_opened(path)) as database:
            database.execute("BEGIN IMMEDIATE")  # no other sync may write in between
            files = _unchanged(database, depends, today=int(now // 86_400))
            return None if files is None else _renew(database, files, now)
    except (OSError, sqlite3.Error, TypeError, ValueError):
        return None


def _opened(path: Path) -> sqlite3.Connection:
    place = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(place, uri=True, isolation_level=None)


def _unchanged(
    database: sqlite3.Connection, depends: Callable[[Outlook], str], *, today: int
) -> int | None:
    """How many files there are; None when anything changed, or anything is left to do."""
    outlook = read_outlook(_fact(database, OUTLOOK))
    if outlook is None or depends(outlook) != outlook.depends:
        return None
    waits = database.execute("SELECT EXISTS (SELECT 1 FROM touched)").fetchone()[0]
    if waits or _fact(database, CLOSED_ON) != today:
        return None
    files = 0
    for place in outlook.places:
        for _, has_changed in survey(database, place, outlook.signature):
            if has_changed:
                return None
            files += 1
    return files


def read_outlook(kept: Any) -> Outlook | None:
    """An outlook as it was kept, None when there is none. Raises TypeError or ValueError."""
    if kept is None:
        return None
    places, *others = kept
    return Outlook([Place(*place) for place in places], *others)


def _renew(database: sqlite3.Connection, files: int, now: float) -> dict[str, Any]:
    last: dict[str, Any] = _fact(database, LAST_SYNC)
    last |= {"at": now, "files": files, "files_read": 0, "events": 0, "changed_rows": 0}
    database.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(last), LAST_SYNC))
    database.execute("COMMIT")
    return last


def _fact(database: sqlite3.Connection, key: str) -> Any:
    row = database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else json.loads(row[0])


class Asked(Mapping[str, str]):
    """Variables that remember which of them were asked for; ``names`` is None when it was for
    all.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.names: set[str] | None = set()
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        if self.names is not None:
            self.names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        self.names = None
        return iter(self._variables)

    def __len__(self) -> int:
        self.names = None
        return len(self._variables)
