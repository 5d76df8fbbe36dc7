"""The boards: who used how many tokens in a window of UTC days (SRV-14 to SRV-16).

A board is read from its snapshot, or where there is none, summed for whoever asks. Both ways give
the same rows, and names and privacy are looked up when it is read. Rank and position are the
database's: a window function counts them in the statement that sums.
"""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from peewee import JOIN, SQL, OperationalError, Select, fn

from vibescore_server.db import Step
from vibescore_server.models import (
    LeaderboardEntry,
    LeaderboardGeneration,
    Usage,
    User,
    UserSettings,
)
from vibescore_server.windows import PERIODS, Period, Window, window

Answer = TypeVar("Answer")

CHUNK = 10_000
"""Entries a transaction: about 50 ms of SQLite's only writer."""

STAGED = "staged_board"
USED = Usage.total_tokens > 0
"""Rows that were taken back count nothing."""


class Page(NamedTuple):
    """Which part of a board is wanted, and who asks."""

    me: UUID
    limit: int
    offset: int


class Entry(NamedTuple):
    """A user's place; ``total_tokens`` is a decimal number."""

    position: int
    rank: int
    total_tokens: str
    user_id: UUID
    name: str | None
    is_public: bool


class Board(NamedTuple):
    """A page of a board, and one's own place wherever it is; ``generated_at`` is UTC seconds."""

    window: Window
    generated_at: int
    entries: list[Entry]
    me: Entry | None


class Choice(NamedTuple):
    """Whether a user is shown by name, and since when (UTC seconds) it was chosen so."""

    leaderboard_public: bool
    updated_at: int | None


class Form(NamedTuple):
    """How tokens are summed, in SQL: the sums, their order, and the whole as a decimal number."""

    sums: tuple[str, ...]
    order: tuple[str, ...]
    text: str


FAST = Form(
    ("SUM(total_tokens) AS total",),
    ("total DESC",),
    "CAST(total AS TEXT)",
)
PLAIN = Form(
    (
        "SUM(total_tokens / 1000000000) + SUM(total_tokens % 1000000000) / 1000000000 AS billions",
        "SUM(total_tokens % 1000000000) % 1000000000 AS ones",
    ),
    ("billions DESC", "ones DESC"),
    "CASE billions WHEN 0 THEN CAST(ones AS TEXT) ELSE billions || printf('%09d', ones) END",
)
"""For SQLite, which adds to 64 bits only (SRV-10): billions and ones are summed apart."""


def board(db: Any, period: Period, page: Page, *, now: int) -> Board:
    """A page of the board of the period that holds ``now``."""
    return _snapshot(db, period, page, now) or _either(_live, db, period, page, now)


def _snapshot(db: Any, period: Period, page: Page, now: int) -> Board | None:
    """The board as it was last refreshed: which generation it is and what is in it are read by one
    statement, so a refresh shows all at once.
    """
    entry = LeaderboardEntry
    place = entry.position.between(page.offset + 1, page.offset + page.limit)
    on_page = _shown(period, now, JOIN.LEFT_OUTER, place)
    mine = _shown(period, now, JOIN.INNER, entry.user_id == page.me)
    rows: list[Any] = list((on_page + mine).tuples().bind(db))
    if not rows:
        return None
    first, last, generated_at = rows[0][:3]
    about = Window(date.fromisoformat(first), date.fromisoformat(last))
    return _paged(about, generated_at, [row[3:] for row in rows], page)


def _shown(period: Period, now: int, join: str, which: Any) -> Any:
    """Entries of the visible generation, if it is that of the period that holds ``now``."""
    shown, entry = LeaderboardGeneration, LeaderboardEntry
    generation = (entry.period == shown.period) & (entry.generation == shown.generation)
    asked = (
        shown.select(
            *(shown.from_day, shown.to_day, shown.generated_at),
            *(entry.position, entry.rank, entry.total_tokens),
            *(User.id, User.name, UserSettings.leaderboard_public),
        )
        .join(entry, join, on=generation & which)
        .join(User, JOIN.LEFT_OUTER, on=User.id == entry.user_id)
        .join(UserSettings, JOIN.LEFT_OUTER, on=UserSettings.user_id == User.id)
        .where(shown.period == period)
    )
    if period == "total":
        return asked
    return asked.where(shown.from_day == _window(period, now).first.isoformat())


def _live(db: Any, form: Form, period: Period, page: Page, now: int) -> Board:
    """The board as it is at this moment: one statement for the page and for oneself (SRV-15)."""
    everybody = ranked(form, period, now).alias("ranked")
    place = everybody.c.position.between(page.offset + 1, page.offset + page.limit)
    asked = (
        User.select(
            *(everybody.c.position, everybody.c.rank, everybody.c.total_tokens),
            *(User.id, User.name, UserSettings.leaderboard_public),
        )
        .join(everybody, on=everybody.c.user_id == User.id)
        .join(UserSettings, JOIN.LEFT_OUTER, on=UserSettings.user_id == User.id)
        .where(place | (User.id == page.me))
    )
    rows: list[Any] = list(asked.tuples().bind(db))
    used = Usage.select(fn.MIN(Usage.hour_start)).where(USED)
    first = used.bind(db).scalar() if period == "total" else None
    return _paged(_window(period, now, first), now, rows, page)


def _paged(about: Window, generated_at: int, rows: list[Any], page: Page) -> Board:
    """The board of rows that are the page's or one's own; who is gone has no id."""
    places = sorted({_entry(*row) for row in rows if row[3] is not None})
    on_page = range(page.offset + 1, page.offset + page.limit + 1)
    return Board(
        about,
        generated_at,
        [place for place in places if place.position in on_page],
        next((place for place in places if place.user_id == page.me), None),
    )


def _entry(*row: Any) -> Entry:
    """Whoever never chose is not public."""
    return Entry(*row)._replace(is_public=bool(row[-1]))


def refresh(db: Any, step: Step, period: Period, *, now: int) -> tuple[Window, int]:
    """Make a new snapshot and show it; answers what it is about, and how many users are on it.

    It is staged without a write lock, filled in by short transactions and shown by one statement;
    then the old one goes. What a refresh that died left behind goes first. Two at a time would get
    into each other's way: ``step`` has to see to that.
    """
    about, count = _either(_stage, db, period, now)
    shown = LeaderboardGeneration.select(LeaderboardGeneration.generation)
    old = shown.where(LeaderboardGeneration.period == period).bind(db).scalar() or 0
    _clear(db, step, period, but=old)
    for start in range(1, count + 1, CHUNK):
        step(_fill, period, old + 1, start)
    step(_show, period, old + 1, about, now)
    _clear(db, step, period, but=old + 1)
    return about, count


def _stage(db: Any, form: Form, period: Period, now: int) -> tuple[Window, int]:
    """Put a board into a table that only this connection has."""
    db.execute_sql(f"DROP TABLE IF EXISTS {STAGED}")
    statement, values = ranked(form, period, now).bind(db).sql()
    db.execute_sql(f"CREATE TEMPORARY TABLE {STAGED} AS {statement}", values)
    db.execute_sql(f"CREATE INDEX {STAGED}_position ON {STAGED} (position)")
    count, first = db.execute_sql(f"SELECT count(*), min(first) FROM {STAGED}").fetchone()
    return _window(period, now, first), count


def _fill(db: Any, period: Period, generation: int, start: int) -> None:
    """Take a chunk over from the staged board."""
    columns = "position, user_id, rank, total_tokens"
    mark = db.param
    db.execute_sql(
        f"INSERT INTO leaderboard_snapshot (period, generation, {columns}) "
        f"SELECT {mark}, {mark}, {columns} FROM {STAGED} WHERE position BETWEEN {mark} AND {mark}",
        (period, generation, start, start + CHUNK - 1),
    )


def _show(db: Any, period: Period, generation: int, about: Window, now: int) -> None:
    """From now on this generation is what is read."""
    row = {
        "generation": generation,
        "from_day": about.first.isoformat(),
        "to_day": about.last.isoformat(),
        "generated_at": now,
    }
    shown = LeaderboardGeneration.insert(period=period, **row)
    shown.on_conflict(conflict_target=(LeaderboardGeneration.period,), update=row).execute(db)


def _clear(db: Any, step: Step, period: Period, *, but: int) -> None:
    """Remove all other generations of a board."""
    entry = LeaderboardEntry
    for other in (entry.generation < but, entry.generation > but):
        stale = entry.select(fn.MIN(entry.generation)).where(entry.period == period, other)
        while (generation := stale.bind(db).scalar()) is not None:
            step(_remove, period, generation)


def _remove(db: Any, period: Period, generation: int) -> None:
    """Remove the next chunk of a generation."""
    entry = LeaderboardEntry
    of_it = (entry.period == period) & (entry.generation == generation)
    first = entry.select(fn.MIN(entry.position)).where(of_it).bind(db).scalar()
    entry.delete().where(of_it, entry.position < first + CHUNK).execute(db)


def leave(db: Any, user_id: UUID) -> None:
    """Remove a user from every board, also from generations that nobody sees."""
    entry = LeaderboardEntry
    for period in PERIODS:
        for generation in _generations(db, period):
            of_it = (entry.period == period) & (entry.generation == generation)
            entry.delete().where(of_it, entry.user_id == user_id).execute(db)


def _generations(db: Any, period: Period) -> Iterator[int]:
    """The generations of a board that have entries; the key is probed once for each."""
    entry, found = LeaderboardEntry, -1
    first = entry.select(fn.MIN(entry.generation)).where(entry.period == period)
    while (after := first.where(entry.generation > found).bind(db).scalar()) is not None:
        yield (found := after)


def choice(db: Any, user_id: UUID) -> Choice:
    """Whether a user is shown by name; nobody is unasked."""
    chosen = UserSettings.select(UserSettings.leaderboard_public, UserSettings.updated_at)
    row = chosen.where(UserSettings.user_id == user_id).tuples().bind(db).first()
    return Choice(*row) if row else Choice(leaderboard_public=False, updated_at=None)


def choose(db: Any, user_id: UUID, chosen: Choice) -> None:
    """Keep a user's choice (SRV-16)."""
    UserSettings.insert(user_id=user_id, **chosen._asdict()).on_conflict(
        conflict_target=(UserSettings.user_id,), update=chosen._asdict()
    ).execute(db)


def _either(ask: Callable[..., Answer], db: Any, period: Period, *args: Any) -> Answer:
    """What is asked for in the fast form, or in the plain one where the database refuses it."""
    try:
        return ask(db, FAST, period, *args)
    except (OperationalError, sqlite3.OperationalError) as error:
        if "integer overflow" not in str(error):
            raise
        return ask(db, PLAIN, period, *args)


def ranked(form: Form, period: Period, now: int) -> Any:
    """Everybody who used a token in the window: user_id, total_tokens, rank, position, and the
    first half-hour. Equal totals share a rank, and follow each other by user.
    """
    totals = _totals(form, period, now).alias("totals")
    order = [SQL(each) for each in form.order]
    user_id = totals.c.user_id
    return Select(
        [totals],
        [
            user_id,
            SQL(form.text).alias("total_tokens"),
            fn.DENSE_RANK().over(order_by=order).alias("rank"),
            fn.ROW_NUMBER().over(order_by=[*order, user_id]).alias("position"),
            totals.c.first,
        ],
    )


def _totals(form: Form, period: Period, now: int) -> Any:
    """Sums of tokens by user.

    A window of days is looked up user by user, since the key begins with the user: a week of a
    year's rows takes a fifth of the time that all of them take.
    """
    sums = (*map(SQL, form.sums), fn.MIN(Usage.hour_start).alias("first"))
    if period == "total":
        return Usage.select(Usage.user_id, *sums).where(USED).group_by(Usage.user_id)
    about = _window(period, now)
    start, end = _seconds(about.first), _seconds(about.last + timedelta(days=1))
    within = (Usage.hour_start >= start) & (Usage.hour_start < end)
    users = User.select(User.id.alias("user_id"), *sums).join(Usage, on=Usage.user_id == User.id)
    return users.where(USED, within).group_by(User.id)


def _window(period: Period, now: int, first: int | None = None) -> Window:
    """The days of the period that holds ``now``; ``first`` is the first half-hour of all."""
    return window(period, _day(now), None if first is None else _day(first))


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
