"""The local store: one SQLite file with cursors, the event ledger, sums and published rows
(QUE-01, QUE-02).

A row of ``file`` is one reading of a file from its start: a cursor, and what it contributed. When
a file is rewritten, its old row loses its path and keeps its sums: those tokens were used, whether
their log exists or not. The event ledger keeps numbers for 30 days, then only the hash of an
event's id (COL-11).
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field
from msgspec.structs import astuple

from vibescore.accumulate import Change, Counted, Known, Standing
from vibescore.discover import Found
from vibescore.errors import StoreError
from vibescore.model import UNKNOWN, Bucket, Slot, TokenTotals
from vibescore.reconcile import raised
from vibescore.survey import Place, survey

APPLICATION_ID = 0x76696265
DAYS_KEPT = 30
UNFINISHED = -1
OUTDATED = ("", 0)
"""Claims and rules of a reading whose file has to be counted again."""
LITTLE_ROOM = 1 << 20
QUICKLY_CHECKED = 8 << 20
BUSY_SECONDS = 10.0
CACHE_KIB = 8 << 10
PAGES_BETWEEN_CHECKPOINTS = 8_000
"""The ledger's keys are hashes: every batch writes all over it, so pages are worth keeping."""

MIGRATIONS = (
    """
    CREATE TABLE file (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, path BLOB UNIQUE,
        key TEXT NOT NULL, parent TEXT, inode TEXT NOT NULL, size INTEGER NOT NULL,
        mtime INTEGER NOT NULL, position, tail BLOB, state BLOB, claims TEXT NOT NULL,
        rules_version INTEGER NOT NULL, skips TEXT NOT NULL
    );
    CREATE INDEX file_key ON file (source, key);
    CREATE INDEX file_parent ON file (source, parent) WHERE parent IS NOT NULL;
    CREATE TABLE bucket (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, start INTEGER NOT NULL, model TEXT NOT NULL,
        UNIQUE (source, start, model)
    );
    CREATE TABLE event (
        id INTEGER PRIMARY KEY, file INTEGER NOT NULL, day INTEGER, bucket INTEGER,
        input_tokens INTEGER, cached_input_tokens INTEGER, output_tokens INTEGER,
        reasoning_output_tokens INTEGER, total_tokens INTEGER
    );
    CREATE TABLE running (
        id INTEGER PRIMARY KEY,
        input_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, reasoning_output_tokens INTEGER NOT NULL,
        total_tokens INTEGER NOT NULL
    );
    CREATE TABLE contribution (
        file INTEGER NOT NULL, bucket INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, reasoning_output_tokens INTEGER NOT NULL,
        total_tokens INTEGER NOT NULL,
        PRIMARY KEY (file, bucket)
    ) WITHOUT ROWID;
    CREATE INDEX contribution_bucket ON contribution (bucket);
    CREATE TABLE published (
        bucket INTEGER PRIMARY KEY,
        input_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, reasoning_output_tokens INTEGER NOT NULL,
        total_tokens INTEGER NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1, acked INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE touched (
        source TEXT NOT NULL, start INTEGER NOT NULL, PRIMARY KEY (source, start)
    ) WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
    """
    ALTER TABLE published ADD COLUMN refused INTEGER;
    ALTER TABLE published ADD COLUMN reason TEXT;
    CREATE INDEX published_pending ON published (bucket) WHERE revision > acked;
    CREATE TABLE floor (
        bucket INTEGER PRIMARY KEY,
        input_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, reasoning_output_tokens INTEGER NOT NULL,
        total_tokens INTEGER NOT NULL
    );
    """,
)
"""Forward-only; the number of those applied is the schema version (``PRAGMA user_version``)."""

COUNTERS = "input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens, total_tokens"
NAMED = (
    "json_each(?) s CROSS JOIN bucket b ON b.source = json_extract(s.value, '$[0]')"
    " AND b.start = json_extract(s.value, '$[1]')"
)
"""The buckets of slots that come as a JSON array of pairs."""
SUMS = ", ".join(f"SUM(c.{name})" for name in COUNTERS.split(", "))
REPLACED = ", ".join(f"{name} = excluded.{name}" for name in COUNTERS.split(", "))
PENDING = "p.revision > p.acked AND p.refused IS NOT p.revision"


class FileRow(Struct):
    """One reading of a file from its start; see ``file`` in the schema.

    ``path`` is None once the file was rewritten or is known to be gone. ``source`` is empty for a
    file that no plugin identified. ``size`` is UNFINISHED until everything was read. ``claims``
    names the plugins that were asked, with their rules.
    """

    id: int
    source: str
    path: str | None
    key: str
    parent: str | None = None
    inode: str = ""
    size: int = UNFINISHED
    mtime: int = 0
    position: Any = None
    tail: bytes | None = None
    state: bytes | None = None
    claims: str = ""
    rules_version: int = 0
    skips: dict[str, int] = {}


FILE_COLUMNS = FileRow.__struct_fields__


class Queued(NamedTuple):
    """A row of the queue: what has to be sent, under which revision."""

    bucket: Bucket
    tokens: TokenTotals
    id: int
    revision: int


class Refused(NamedTuple):
    """A row that the server refused, and why; it waits until its totals change (QUE-06)."""

    bucket: Bucket
    tokens: TokenTotals
    reason: str


class Batch(Struct):
    """What is committed at once: readings, readings to forget or to read again, events, running
    totals, and their sums (QUE-01).
    """

    files: dict[int, FileRow] = {}
    forgotten: list[int] = []
    change: Change = field(default_factory=Change)
    running: dict[int, TokenTotals] = {}
    outdated: set[int] = set()


class Store:
    """An open store. Raises StoreError when it is damaged, foreign, newer than this program, or
    cannot be written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Store"]:
        """The store at ``path``, created and migrated as needed, closed at the end."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreError(
                f"{path} cannot be opened: {error.strerror}. Make it and its folder writable, or "
                "name another one in VIBESCORE_HOME"
            ) from error
        with (
            explained(path),
            closing(sqlite3.connect(path, BUSY_SECONDS, isolation_level=None)) as db,
        ):
            store = cls(path, db)
            store._prepare()
            yield store

    @classmethod
    @contextmanager
    def look(cls, path: Path) -> Iterator["Store | None"]:
        """The store at ``path`` for reading, None when there is none yet; nothing is changed."""
        if not path.exists():
            yield None
            return
        place = f"{path.absolute().as_uri()}?mode=ro"
        with (
            explained(path),
            closing(sqlite3.connect(place, BUSY_SECONDS, isolation_level=None, uri=True)) as db,
        ):
            store = cls(path, db)
            version = store._version()
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
                if 0 < version < len(MIGRATIONS):  # its rows in the form that is asked for
                    db.backup(copy)
                    store = cls(path, copy)
                    store._prepare()
                yield store if version else None

    def _version(self) -> int:
        """The schema version, 0 for a new store; raises StoreError if it is not for us to use."""
        self._db.execute("BEGIN")  # one look: another process may be making the store right now
        version = self._value("PRAGMA user_version")
        owner = self._value("PRAGMA application_id")
        is_new = not (version or owner or self._value("SELECT COUNT(*) FROM sqlite_master"))
        self._db.execute("COMMIT")
        if owner != APPLICATION_ID and not is_new:
            raise StoreError(
                f"{self.path} is not a vibescore store: move it away; nothing was changed"
            )
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{self.path} was written by a newer vibescore (schema {version}, this one knows "
                f"{len(MIGRATIONS)}): upgrade vibescore; nothing was changed"
            )
        return int(version)

    def _prepare(self) -> None:
        """Check whose file it is before anything is written, then bring its schema up to date."""
        version = self._version()
        if version == 0:
            self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}")
        for number in range(version, len(MIGRATIONS)):
            self._migrate(number)

    def _migrate(self, number: int) -> None:
        with self.transaction():
            if self._value("PRAGMA user_version") > number:
                return
            for statement in MIGRATIONS[number].split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {number + 1}")

    def check(self, *, today: int) -> None:
        """Raise StoreError if the store is damaged, before anything is written to it: at every
        sync that has something to write while that costs nothing, else once a day.
        """
        if self.path.stat().st_size > QUICKLY_CHECKED and self.fact("checked on") == today:
            return
        with explained(self.path):
            found = self._value("PRAGMA quick_check(1)")
            if found != "ok":
                raise sqlite3.DatabaseError(found)
        if self.path.stat().st_size > QUICKLY_CHECKED:
            self.keep("checked on", today)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; takes the write lock at once. Raises StoreError when the disk is full
        and the like.
        """
        with explained(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _value(self, query: str, *arguments: Any) -> Any:
        row = self._db.execute(query, arguments).fetchone()
        return row[0] if row else None

    def survey(self, place: Place, signature: str) -> Iterator[tuple[Found, bool]]:
        """The files of a place, and whether each has to be looked at."""
        return survey(self._db, place, signature)

    def file_at(self, path: str) -> FileRow | None:
        """The reading of the file that is at ``path``."""
        return next(self._files("path = ?", os.fsencode(path)), None)

    def readings(self, source: str, key: str) -> list[FileRow]:
        """Every reading of a session, also of files that are gone."""
        return list(self._files("source = ? AND key = ?", source, key))

    def forks(self, source: str, parent: str) -> list[FileRow]:
        """Readings of the files that were forked from a session."""
        return list(self._files("source = ? AND parent = ?", source, parent))

    def first_half_hour(self, reading: int) -> int:
        """The first half-hour that a reading contributed to; -1 when there is none."""
        query = (
            "SELECT MIN(b.start) FROM contribution c JOIN bucket b ON b.id = c.bucket"
            " WHERE c.file = ? AND c.total_tokens > 0"
        )
        first = self._value(query, reading)
        return -1 if first is None else int(first)

    def files(self) -> Iterator[FileRow]:
        """Every reading."""
        return self._files("TRUE")

    def _files(self, where: str, *arguments: Any) -> Iterator[FileRow]:
        query = f"SELECT {', '.join(FILE_COLUMNS)} FROM file WHERE {where}"
        for row in self._db.execute(query, arguments):
            values: dict[str, Any] = dict(zip(FILE_COLUMNS, row, strict=True))
            values["path"] = None if values["path"] is None else os.fsdecode(values["path"])
            values["skips"] = json.loads(values["skips"])
            yield FileRow(**values)

    def last_file_id(self) -> int:
        """The largest id any reading ever had."""
        return self._value("SELECT seq FROM sqlite_sequence WHERE name = 'file'") or 0

    def known(self, ids: Iterable[int]) -> dict[int, Known]:
        """What is known of events; an event of a forgotten reading is not known."""
        rows = self._db.execute(
            "SELECT e.id, e.file, f.path IS NULL, b.source, b.model, b.start, e.input_tokens,"
            " e.cached_input_tokens, e.output_tokens, e.reasoning_output_tokens, e.total_tokens"
            " FROM event e JOIN file f ON f.id = e.file LEFT JOIN bucket b ON b.id = e.bucket"
            " WHERE e.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {row[0]: _known(row) for row in rows}

    def knows_events(self) -> bool:
        """Whether any event was ever met."""
        return bool(self._value("SELECT EXISTS (SELECT 1 FROM event)"))

    def knows_files(self) -> bool:
        """Whether any file was ever read."""
        return bool(self._value("SELECT EXISTS (SELECT 1 FROM file)"))

    def seen(self, event: int) -> bool:
        """Whether the event was met in a reading that still counts."""
        query = "SELECT 1 FROM event e JOIN file f ON f.id = e.file WHERE e.id = ?"
        return self._value(query, event) is not None

    def running(self, event: int) -> TokenTotals | None:
        """The last value of a running total."""
        row = self._db.execute(f"SELECT {COUNTERS} FROM running WHERE id = ?", (event,)).fetchone()
        return TokenTotals(*row) if row else None

    def outdate(self, readings: Iterable[int]) -> None:
        """Mark readings whose files have to be counted again, until that is done."""
        with self.transaction():
            self._outdate(readings)

    def _outdate(self, readings: Iterable[int]) -> None:
        self._db.executemany(
            "UPDATE file SET claims = ?, rules_version = ? WHERE id = ?",
            ((*OUTDATED, reading) for reading in readings),
        )

    def write(self, batch: Batch, *, today: int) -> None:
        """Commit a batch; ``today`` is the day since 1970 from which the events' 30 days run."""
        with self.transaction():
            for file in batch.forgotten:
                self._forget(file)
            self._write_files(batch.files.values())
            self._outdate(batch.outdated)
            self._write_change(batch.change, set(batch.forgotten), today)
            self._db.executemany(
                "INSERT OR REPLACE INTO running VALUES (?, ?, ?, ?, ?, ?)",
                ((event, *tokens.counters) for event, tokens in batch.running.items()),
            )

    def _write_files(self, rows: Iterable[FileRow]) -> None:
        """Oldest readings first: a rewritten file's old row gives up its path before the new one
        takes it.
        """
        columns = len(FILE_COLUMNS)
        replaced = ", ".join(f"{name} = excluded.{name}" for name in FILE_COLUMNS)
        self._db.executemany(
            f"INSERT INTO file ({', '.join(FILE_COLUMNS)}) VALUES ({', '.join('?' * columns)})"
            f" ON CONFLICT (id) DO UPDATE SET {replaced}",
            map(_file_values, sorted(rows, key=lambda row: row.id)),
        )

    def _forget(self, file: int) -> None:
        """Take a reading out of all sums. Its events stay behind without an owner and count as not
        known.
        """
        self._db.execute(
            "INSERT OR IGNORE INTO touched SELECT DISTINCT b.source, b.start"
            " FROM contribution c JOIN bucket b ON b.id = c.bucket WHERE c.file = ?",
            (file,),
        )
        self._db.execute("DELETE FROM contribution WHERE file = ?", (file,))
        self._db.execute("DELETE FROM file WHERE id = ?", (file,))

    def _write_change(self, change: Change, forgotten: set[int], today: int) -> None:
        """Write the ledger's entries and add to the sums of files; those of a forgotten reading are
        gone already.
        """
        ids = self._ids(bucket for _, bucket in change.sums)
        self._write_events(change, ids, today)
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTERS.split(", "))
        self._db.executemany(
            "INSERT INTO contribution VALUES (?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (file, bucket) DO UPDATE SET {added}",
            (
                (file, ids[bucket], *tokens.counters)
                for (file, bucket), tokens in change.sums.items()
                if file not in forgotten
            ),
        )
        slots = {bucket.slot for _, bucket in change.sums}
        self._db.executemany("INSERT OR IGNORE INTO touched VALUES (?, ?)", slots)

    def _write_events(self, change: Change, ids: Mapping[Bucket, int], today: int) -> None:
        """In the order of their ids, in which the table is kept."""
        self._db.executemany(
            "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (event, counted.file, today, ids[counted.bucket], *counted.tokens.counters)
                for event, counted in sorted(change.events.items())
                if counted is not None
            ),
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO event (id, file) VALUES (?, ?)", sorted(change.marks.items())
        )
        gone = ((event,) for event, counted in change.events.items() if counted is None)
        self._db.executemany("DELETE FROM event WHERE id = ?", gone)

    def _ids(self, buckets: Iterable[Bucket]) -> dict[Bucket, int]:
        """The ids of buckets, which are made as needed."""
        wanted = set(buckets)
        self._db.executemany(
            "INSERT OR IGNORE INTO bucket (source, model, start) VALUES (?, ?, ?)", wanted
        )
        query = f"SELECT DISTINCT b.source, b.model, b.start, b.id FROM {NAMED}"
        slots = {bucket.slot for bucket in wanted}
        rows = self._db.execute(query, (json.dumps([*slots]),))
        return {Bucket(*row[:3]): row[3] for row in rows}

    def close_events(self, *, today: int) -> None:
        """Drop the numbers of events written over 30 days ago (COL-11), and rows that hold nothing
        any more.
        """
        with self.transaction():
            self._db.execute(
                "UPDATE event SET day = NULL, bucket = NULL, input_tokens = NULL,"
                " cached_input_tokens = NULL, output_tokens = NULL, reasoning_output_tokens = NULL,"
                " total_tokens = NULL WHERE day < ?",
                (today - DAYS_KEPT,),
            )
            self._db.execute("DELETE FROM event WHERE file NOT IN (SELECT id FROM file)")
            self._db.execute("DELETE FROM contribution WHERE (" + COUNTERS + ") = (0, 0, 0, 0, 0)")
            self._db.execute(
                "DELETE FROM file WHERE path IS NULL AND id NOT IN (SELECT file FROM event)"
                " AND id NOT IN (SELECT file FROM contribution)"
            )

    def touched(self) -> set[Slot]:
        """Slots whose sums changed since they were last reconciled."""
        return {Slot(*row) for row in self._db.execute("SELECT source, start FROM touched")}

    def unknown_slots(self) -> set[Slot]:
        """Slots that hold unknown tokens."""
        query = "SELECT DISTINCT b.source, b.start FROM bucket b WHERE b.model = ?"
        return {Slot(*row) for row in self._db.execute(query, (UNKNOWN,))}

    def half_hours(self, source: str) -> list[int]:
        """The sorted half-hours in which a source used tokens."""
        query = (
            "SELECT b.start FROM bucket b JOIN contribution c ON c.bucket = b.id WHERE b.source = ?"
            " GROUP BY b.start HAVING SUM(c.total_tokens) > 0 UNION"
            " SELECT b.start FROM bucket b JOIN floor f ON f.bucket = b.id WHERE b.source = ?"
            " ORDER BY 1"
        )
        return [row[0] for row in self._db.execute(query, (source, source))]

    def slots(self, slots: Iterable[Slot]) -> dict[Slot, Mapping[str, TokenTotals]]:
        """Sums by model of some slots, raised to what the server once had of them (QUE-11)."""
        wanted = json.dumps([*slots])
        floors = self._by_slot(f"{COUNTERS} FROM {NAMED} JOIN floor f ON f.bucket = b.id", wanted)
        sums = self._by_slot(
            f"{SUMS} FROM {NAMED} JOIN contribution c ON c.bucket = b.id GROUP BY b.id", wanted
        )
        return {
            Slot(*slot): raised(sums.get(slot, {}), floors.get(slot, {}))
            for slot in map(tuple, json.loads(wanted))
        }

    def _by_slot(self, query: str, slots: str) -> dict[tuple[Any, ...], dict[str, TokenTotals]]:
        """Tokens by model and slot; ``slots`` is JSON."""
        found: dict[tuple[Any, ...], dict[str, TokenTotals]] = {}
        rows = self._db.execute(f"SELECT b.source, b.start, b.model, {query}", (slots,))
        for source, start, model, *counters in rows:
            found.setdefault((source, start), {})[model] = TokenTotals(*counters)
        return found

    def published(self, slots: Iterable[Slot]) -> dict[Bucket, TokenTotals]:
        """Published rows of some slots, zeroed ones included."""
        query = (
            f"SELECT b.source, b.model, b.start, {COUNTERS} FROM {NAMED}"
            " JOIN published p ON p.bucket = b.id"
        )
        rows = self._db.execute(query, (json.dumps([*slots]),))
        return {Bucket(*row[:3]): TokenTotals(*row[3:]) for row in rows}

    def publish(self, rows: Mapping[Bucket, TokenTotals]) -> None:
        """Write changed rows under a new revision, and forget which slots were touched; inside a
        transaction.
        """
        ids = self._ids(rows)
        self._db.executemany(
            f"INSERT INTO published (bucket, {COUNTERS}) VALUES (?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (bucket) DO UPDATE SET {REPLACED}, revision = revision + 1",
            ((ids[bucket], *tokens.counters) for bucket, tokens in rows.items()),
        )
        self._db.execute("DELETE FROM touched")

    def rows(self) -> Iterator[tuple[Bucket, TokenTotals]]:
        """Published rows in the order source, model, half-hour; zeroed ones included."""
        query = (
            f"SELECT b.source, b.model, b.start, {COUNTERS}"
            " FROM bucket b JOIN published p ON p.bucket = b.id"
            " ORDER BY b.source, b.model, b.start"
        )
        for row in self._db.execute(query):
            yield Bucket(*row[:3]), TokenTotals(*row[3:])

    def pending(self, most: int = -1) -> Iterator[Queued]:
        """Published rows that wait to be acknowledged, but for refused ones: the queue, oldest
        half-hour first and the rows of a slot together; ``most`` of them, all if it is negative.
        """
        query = (
            f"SELECT b.source, b.model, b.start, p.bucket, p.revision, {COUNTERS}"
            " FROM published p JOIN bucket b ON b.id = p.bucket"
            f" WHERE {PENDING} ORDER BY b.start, b.source, b.model LIMIT ?"
        )
        for source, model, start, id, revision, *counters in self._db.execute(query, (most,)):
            yield Queued(Bucket(source, model, start), TokenTotals(*counters), id, revision)

    def acknowledge(self, rows: Iterable[Queued]) -> None:
        """The server has these rows as they were sent; one that changed meanwhile stays pending
        (QUE-02).
        """
        with self.transaction():
            self._db.executemany(
                "UPDATE published SET acked = MAX(acked, ?) WHERE bucket = ?",
                ((row.revision, row.id) for row in rows),
            )

    def refuse(self, row: Queued, reason: str) -> None:
        """Set a row aside that the server does not take as it was sent (QUE-06)."""
        with self.transaction():
            self._db.execute(
                "UPDATE published SET refused = ?, reason = ? WHERE bucket = ?",
                (row.revision, reason, row.id),
            )

    def refused(self) -> Iterator[Refused]:
        """Rows that were set aside and have not changed since."""
        query = (
            f"SELECT b.source, b.model, b.start, p.reason, {COUNTERS}"
            " FROM published p JOIN bucket b ON b.id = p.bucket"
            " WHERE p.revision > p.acked AND p.refused = p.revision"
            " ORDER BY b.start, b.source, b.model"
        )
        for source, model, start, reason, *counters in self._db.execute(query):
            yield Refused(Bucket(source, model, start), TokenTotals(*counters), reason)

    def readmit(self) -> None:
        """Put refused rows back into the queue."""
        with self.transaction():
            self._db.execute("UPDATE published SET refused = NULL, reason = NULL")

    def seed(self, rows: Mapping[Bucket, TokenTotals]) -> None:
        """The server has exactly these rows of this computer; inside a transaction (QUE-11).

        They are published and acknowledged from now on, anything else is not; their slots have to
        be reconciled, in which they are a floor.
        """
        self._db.execute(
            "UPDATE published SET refused = NULL, reason = NULL, acked = CASE WHEN"
            " (" + COUNTERS + ") = (0, 0, 0, 0, 0) THEN revision ELSE 0 END"
        )
        ids = self._ids(rows)
        values = [(ids[bucket], *tokens.counters) for bucket, tokens in rows.items()]
        self._db.executemany(
            f"INSERT INTO floor VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (bucket) DO UPDATE"
            f" SET {REPLACED} WHERE excluded.total_tokens > floor.total_tokens",
            values,
        )
        self._db.executemany(
            f"INSERT INTO published (bucket, {COUNTERS}, acked) VALUES (?, ?, ?, ?, ?, ?, 1)"
            f" ON CONFLICT (bucket) DO UPDATE SET {REPLACED},"
            " revision = revision + 1, acked = revision + 1",
            values,
        )
        slots = {bucket.slot for bucket in rows}
        self._db.executemany("INSERT OR IGNORE INTO touched VALUES (?, ?)", slots)

    def fact(self, key: str) -> Any:
        """A small JSON value kept under ``key``, or None."""
        text = self._value("SELECT value FROM meta WHERE key = ?", key)
        return None if text is None else json.loads(text)

    def keep(self, key: str, value: Any) -> None:
        """Keep a small JSON value under ``key``."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


def _known(row: tuple[Any, ...]) -> Known:
    _, file, vanished, source, model, start, *counters = row
    if source is None:
        return Known(file, None)
    counted = Counted(file, Bucket(source, model, start), TokenTotals(*counters))
    return Known(file, counted, Standing.VANISHED if vanished else Standing.CURRENT)


def _file_values(row: FileRow) -> list[Any]:
    id, source, path, *others, skips = astuple(row)
    return [id, source, None if path is None else os.fsencode(path), *others, json.dumps(skips)]


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the store at ``path`` into a sentence that names the way out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path} cannot be used: {error}. {_way_out(error, path)}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{path} is damaged ({error}). It was left as it is: move it away and run "
            "'vibescore sync', which counts the logs that still exist again"
        ) from error


def _way_out(error: sqlite3.OperationalError, path: Path) -> str:
    code = error.sqlite_errorcode & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return "Nothing is lost: free some space and run 'vibescore sync' again"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Another program holds it: try again when it has ended"
    return "Check that its folder can be written, then run 'vibescore sync' again"


def _is_full(path: Path) -> bool:
    """Whether the disk has no room for the little that SQLite needs beside the store."""
    import shutil

    return shutil.disk_usage(path.parent).free < LITTLE_ROOM
