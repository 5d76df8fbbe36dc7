"""The leaderboard: reading it, refreshing it, and who is on it by name (SRV-14 to SRV-16)."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from vibescore_server.api import Call, Routes
from vibescore_server.auth import AdminCaller, ServiceCaller, UserCaller
from vibescore_server.errors import Conflict
from vibescore_server.jobs import leaderboard as job
from vibescore_server.jobs.leaderboard import Refresh
from vibescore_server.jobs.lease import lease
from vibescore_server.queries import leaderboard
from vibescore_server.queries.leaderboard import Choice, Page
from vibescore_server.routes.words import instant, utc
from vibescore_server.windows import PERIODS, Period

ANONYMOUS = "Anonymous"
FARTHEST = 1_000_000_000
"""Of positions, so that they fit the database's integers."""

routes = Routes("Leaderboard")


class Wanted(Struct):
    """Which part of which board."""

    period: Period = "week"
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0, le=FARTHEST)] = 0


class Entry(Struct):
    """A place. Whoever is not public is anonymous, and so is whoever has an address as a name."""

    rank: int
    is_me: bool
    is_public: bool
    display_name: str
    avatar_url: None
    total_tokens: str


class Me(Struct):
    """One's own place, also outside the page; no rank without tokens."""

    rank: int | None
    total_tokens: str


class Board(Struct, rename={"first": "from", "last": "to"}):
    """A page of the board of a period of UTC days, as it was at ``generated_at``."""

    period: Period
    first: date
    last: date
    generated_at: str
    entries: list[Entry]
    me: Me


class RefreshWanted(Struct):
    """Which board to refresh; none: all of them."""

    period: Period | None = None


class Publicity(Struct):
    """Whether to show oneself by name."""

    leaderboard_public: bool


class LeaderboardSettings(Struct):
    """What a user chose, and when: null while nothing was chosen."""

    leaderboard_public: bool
    updated_at: str | None


@routes.get("/functions/vibescore-leaderboard", summary="Who used how many tokens")
async def read(call: Call, user: UserCaller, query: Wanted) -> Board:
    page = Page(user.id, query.limit, query.offset)
    board = await call.db.read(leaderboard.board, query.period, page, now=call.now)
    return Board(
        query.period,
        board.window.first,
        board.window.last,
        instant(board.generated_at),
        [shown(entry, user) for entry in board.entries],
        Me(board.me.rank, board.me.total_tokens) if board.me else Me(None, "0"),
    )


def shown(entry: leaderboard.Entry, user: UserCaller) -> Entry:
    """A place as everybody may see it."""
    named = entry.is_public and entry.name and "@" not in entry.name
    return Entry(
        entry.rank,
        entry.user_id == user.id,
        entry.is_public,
        entry.name if named and entry.name else ANONYMOUS,
        None,
        entry.total_tokens,
    )


@routes.post(
    "/functions/vibescore-leaderboard-refresh",
    summary="Make the snapshots of the leaderboard anew",
    errors=(Conflict,),
)
async def refresh(
    call: Call,
    caller: ServiceCaller | AdminCaller,  # noqa: ARG001
    body: RefreshWanted,
) -> Refresh:
    periods = (body.period,) if body.period else PERIODS
    async with lease(call.services, "leaderboard") as mine:
        return await job.refresh(mine, periods)


@routes.get("/functions/vibescore-leaderboard-settings", summary="Whether you are on it by name")
async def settings(call: Call, user: UserCaller) -> LeaderboardSettings:
    return _told(await call.db.read(leaderboard.choice, user.id))


@routes.post("/functions/vibescore-leaderboard-settings", summary="Be on it by name, or not")
async def choose(call: Call, user: UserCaller, body: Publicity) -> LeaderboardSettings:
    chosen = Choice(body.leaderboard_public, call.now)
    await call.db.write(leaderboard.choose, user.id, chosen)
    return _told(chosen)


def _told(choice: Choice) -> LeaderboardSettings:
    return LeaderboardSettings(choice.leaderboard_public, utc(choice.updated_at))
