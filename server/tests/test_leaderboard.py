"""Who used how many tokens: windows, ranks, privacy, snapshots (SRV-14 to SRV-16)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from serving import NOW, SERVICE_TOKEN, Person, Response, Server, row

from vibescore_server.db import is_sqlite
from vibescore_server.models import Usage, User

MOST = 2**63 - 1
SAME = "the-same-computer"
FORBIDDEN = ("@", "user_id", "email")


@pytest.fixture
def server(server: Server) -> Server:
    """A server on which nobody used anything: a board has everybody on it."""
    with server.database() as db:
        for table in ("usage_half_hour", "leaderboard_snapshot", "leaderboard_generation"):
            db.execute_sql(f"DELETE FROM {table}")
    return server


def use(server: Server, tokens: int, hour_start: str = NOW, name: str | None = None) -> Person:
    """A user who used so many tokens, on one computer."""
    person = server.sign_up(name)
    assert person.link(key=SAME).send(row(hour_start, total=tokens)).status == 200
    return person


def refresh(server: Server, **body: str) -> Any:
    answer = server.post("leaderboard-refresh", token=SERVICE_TOKEN, json=body)
    assert answer.status == 200, answer.text
    return answer.json


def totals(answer: Response) -> list[tuple[int, int]]:
    """Ranks and totals of a board."""
    assert answer.status == 200, answer.text
    return [(entry["rank"], int(entry["total_tokens"])) for entry in answer.json["entries"]]


@pytest.fixture(params=("live", "snapshot"))
def settled(request: pytest.FixtureRequest) -> Callable[[Server], None]:
    """Makes what was sent so far readable: there is nothing to do, or there is a snapshot."""
    if request.param == "live":
        return lambda _: None
    return refresh


Settled = Callable[[Server], None]


@pytest.mark.requirement("SRV-14", "SRV-15")
def test_equal_totals_share_a_rank_and_keep_their_order(server: Server, settled: Settled) -> None:
    people = [use(server, tokens) for tokens in (7, 1511, 4001, 1511, 2004)]
    settled(server)

    first = people[0].get("leaderboard")
    assert totals(first) == [(1, 4001), (2, 2004), (3, 1511), (3, 1511), (4, 7)]
    assert first.json["me"] == {"rank": 4, "total_tokens": "7"}
    assert [entry["is_me"] for entry in first.json["entries"]] == [False] * 4 + [True]
    mine = [each.get("leaderboard").json["entries"] for each in (people[1], people[3])]
    places = [[entry["is_me"] for entry in entries].index(True) for entries in mine]
    assert sorted(places) == [2, 3]
    again = people[1].get("leaderboard").json["entries"]
    assert again == mine[0]


@pytest.mark.requirement("SRV-14")
def test_oneself_is_told_outside_the_page_too(server: Server, settled: Settled) -> None:
    people = [use(server, tokens) for tokens in (50, 40, 30, 20, 10)]
    idle = server.sign_up()
    settled(server)

    last = people[-1].get("leaderboard", limit=2)
    assert totals(last) == [(1, 50), (2, 40)]
    assert last.json["me"] == {"rank": 5, "total_tokens": "10"}
    next_page = people[-1].get("leaderboard", limit=2, offset=3)
    assert totals(next_page) == [(4, 20), (5, 10)]
    assert next_page.json["me"] == {"rank": 5, "total_tokens": "10"}
    server.set_clock("2026-11-19T12:00:00Z")
    beyond = server.sign_in(idle).get("leaderboard", offset=1000, period="total")
    assert (beyond.json["from"], beyond.json["entries"]) == ("2026-11-18", [])
    assert beyond.json["me"] == {"rank": None, "total_tokens": "0"}


@pytest.mark.requirement("SRV-14")
def test_who_used_nothing_is_not_on_the_board(server: Server, settled: Settled) -> None:
    retracted = use(server, 12)
    used = use(server, 1)
    retracted.link(key=SAME).send(row(NOW, total=0))
    nothing = use(server, 0)
    settled(server)

    assert totals(used.get("leaderboard")) == [(1, 1)]
    assert retracted.get("leaderboard").json["me"] == {"rank": None, "total_tokens": "0"}
    assert nothing.get("leaderboard").json["me"] == {"rank": None, "total_tokens": "0"}


@pytest.mark.requirement("SRV-14")
@pytest.mark.parametrize(
    "moment, period, first, last",
    [
        ("2026-11-18T00:00:00Z", "day", "2026-11-18", "2026-11-18"),
        ("2026-11-18T23:59:59Z", "day", "2026-11-18", "2026-11-18"),
        ("2026-11-15T00:00:00Z", "week", "2026-11-15", "2026-11-21"),
        ("2026-11-21T23:59:59Z", "week", "2026-11-15", "2026-11-21"),
        ("2026-11-22T00:00:00Z", "week", "2026-11-22", "2026-11-28"),
        ("2028-02-29T12:00:00Z", "month", "2028-02-01", "2028-02-29"),
        ("2026-11-18T12:00:00Z", "total", "2026-11-18", "2026-11-18"),
    ],
)
def test_a_period_is_the_one_of_this_moment_in_utc(
    server: Server, moment: str, period: str, first: str, last: str
) -> None:
    server.set_clock(moment)
    board = server.sign_up().get("leaderboard", period=period).json
    assert (board["period"], board["generated_at"]) == (period, moment)
    assert (board["from"], board["to"]) == (first, last)


@pytest.mark.requirement("SRV-14")
def test_a_half_hour_counts_in_the_days_that_hold_its_start(
    server: Server, settled: Settled
) -> None:
    person = use(server, 1, "2026-11-18T00:00:00Z")
    for tokens, start in (
        (10, "2026-11-17T23:30:00Z"),
        (100, "2026-11-15T00:00:00Z"),
        (1_000, "2026-11-14T23:30:00Z"),
        (10_000, "2026-11-01T00:00:00Z"),
        (100_000, "2026-10-31T23:30:00Z"),
        (1_000_000, "2026-11-18T23:30:00Z"),
        (10_000_000, "2026-11-19T00:00:00Z"),
        (100_000_000, "2026-11-30T23:30:00Z"),
        (1_000_000_000, "2026-12-01T00:00:00Z"),
    ):
        person.link(key=SAME).send(row(start, total=tokens))
    settled(server)

    boards = {p: person.get("leaderboard", period=p) for p in ("day", "week", "month", "total")}
    assert {period: totals(board) for period, board in boards.items()} == {
        "day": [(1, 1_000_001)],
        "week": [(1, 11_000_111)],
        "month": [(1, 111_011_111)],
        "total": [(1, 1_111_111_111)],
    }
    assert boards["total"].json["from"] == "2026-10-31"
    assert boards["total"].json["to"] == "2026-11-18"


@pytest.mark.requirement("SRV-14")
@pytest.mark.parametrize(
    "wrong", [{"period": "year"}, {"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "ten"}]
)
def test_a_bad_parameter_is_named(shared_server: Server, wrong: dict[str, Any]) -> None:
    answer = shared_server.sign_up().get("leaderboard", **wrong)
    assert (answer.status, answer.json["field"]) == (400, next(iter(wrong)))


@pytest.mark.requirement("SRV-14")
def test_never_more_than_a_hundred_entries(server: Server, settled: Settled) -> None:
    person = use(server, 1)
    with server.database() as db:
        crowd(db, 150)
    settled(server)

    assert len(person.get("leaderboard").json["entries"]) == 20
    board = person.get("leaderboard", limit=100)
    assert totals(board)[0::99] == [(1, 1150), (100, 1051)]
    assert len(board.json["entries"]) == 100
    assert board.json["me"] == {"rank": 151, "total_tokens": "1"}


def crowd(db: Any, size: int) -> None:
    """Users who used 1001, 1002 … tokens at NOW, by the database: signing up takes a while."""
    ids = [uuid4() for _ in range(size)]
    users = [
        {"id": each, "email": f"{each}@example.org", "password": "", "role": "user", "name": "N"}
        | {"created_at": 0}
        for each in ids
    ]
    counters = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
    rows = [
        {"user_id": each, "device_id": each, "hour_start": 1_794_999_600, "source": "codex"}
        | {
            "model": "m",
            "updated_at": 0,
            "total_tokens": 1000 + number,
            **dict.fromkeys(counters, 0),
        }
        for number, each in enumerate(ids, 1)
    ]
    with db.atomic():
        for chunk in range(0, size, 1000):
            User.insert_many(users[chunk : chunk + 1000]).execute(db)
            Usage.insert_many(rows[chunk : chunk + 1000]).execute(db)


@pytest.mark.requirement("SRV-10", "SRV-14", "SRV-15")
def test_totals_may_be_larger_than_any_counter(server: Server, settled: Settled) -> None:
    giant, twin, small = use(server, MOST), use(server, MOST), use(server, 10**9)
    use(server, 999_999_999)
    for person in (giant, twin):
        person.link().send(row(total=MOST))
    twin.link().send(row(total=1))
    settled(server)

    for period in ("day", "total"):
        board = small.get("leaderboard", period=period)
        assert totals(board) == [(1, 2 * MOST + 1), (2, 2 * MOST), (3, 10**9), (4, 999_999_999)]
        assert board.json["me"] == {"rank": 3, "total_tokens": "1000000000"}
    assert giant.get("leaderboard").json["me"]["total_tokens"] == "18446744073709551614"


@pytest.mark.requirement("SRV-10")
def test_both_ways_of_adding_give_the_same_board(server: Server, settled: Settled) -> None:
    tokens = [1, 10**9 - 1, 10**9, 10**9 + 1, 5 * 10**17, 5 * 10**17, 2**62]
    people = [use(server, count) for count in tokens]
    settled(server)
    fast = [person.get("leaderboard", limit=7).json for person in people]
    giant = use(server, MOST)
    giant.link().send(row(total=MOST))  # SQLite cannot add these
    settled(server)
    plain = [person.get("leaderboard", limit=7, offset=1).json for person in people]

    for before, after in zip(fast, plain, strict=True):
        below = [entry | {"rank": entry["rank"] - 1} for entry in after["entries"]]
        assert below == before["entries"]
        assert after["me"]["rank"] - 1 == before["me"]["rank"]
        assert after["me"]["total_tokens"] == before["me"]["total_tokens"]


@pytest.mark.requirement("SRV-14", "SRV-16")
def test_names_are_shown_of_those_who_want_it_and_at_once(server: Server, settled: Settled) -> None:
    ada, ben = use(server, 30, name="Ada"), use(server, 20, name="ben@example.org")
    cyn, dan = use(server, 10, name="Cyn"), use(server, 5)
    settled(server)

    def names() -> list[tuple[str, bool]]:
        board = dan.get("leaderboard")
        assert not any(word in board.text for word in FORBIDDEN)
        assert not any(each.id in board.text for each in (ada, ben, cyn, dan))
        assert {entry["avatar_url"] for entry in board.json["entries"]} == {None}
        return [(entry["display_name"], entry["is_public"]) for entry in board.json["entries"]]

    assert names() == [("Anonymous", False)] * 4
    for person in (ada, ben, dan):
        person.post("leaderboard-settings", leaderboard_public=True)
    assert names() == [
        ("Ada", True),
        ("Anonymous", True),
        ("Anonymous", False),
        ("Anonymous", True),
    ]
    ada.post("leaderboard-settings", leaderboard_public=False)
    assert names()[0] == ("Anonymous", False)


@pytest.mark.requirement("SRV-16")
def test_the_choice_of_a_name_is_kept(server: Server) -> None:
    person, other = server.sign_up(), server.sign_up()

    unasked = {"leaderboard_public": False, "updated_at": None}
    assert person.get("leaderboard-settings").json == unasked
    chosen = person.post("leaderboard-settings", leaderboard_public=True).json
    assert chosen == {"leaderboard_public": True, "updated_at": NOW}
    assert person.get("leaderboard-settings").json == chosen
    assert other.get("leaderboard-settings").json == unasked
    server.set_clock("2026-11-18T12:00:05Z")
    hidden = person.post("leaderboard-settings", leaderboard_public=False).json
    assert hidden == {"leaderboard_public": False, "updated_at": "2026-11-18T12:00:05Z"}
    wrong = person.post("leaderboard-settings", leaderboard_public="yes")
    assert (wrong.status, wrong.json["field"]) == (400, "leaderboard_public")


@pytest.mark.requirement("SRV-15")
def test_a_snapshot_stays_until_the_next_refresh_or_the_next_window(server: Server) -> None:
    ada, ben = use(server, 30), use(server, 20)
    done = refresh(server)
    assert done == {
        "success": True,
        "generated_at": NOW,
        "results": [
            {"period": "day", "from": "2026-11-18", "to": "2026-11-18", "inserted": 2},
            {"period": "week", "from": "2026-11-15", "to": "2026-11-21", "inserted": 2},
            {"period": "month", "from": "2026-11-01", "to": "2026-11-30", "inserted": 2},
            {"period": "total", "from": "2026-11-18", "to": "2026-11-18", "inserted": 2},
        ],
    }
    ben.link().send(row(total=100))
    server.set_clock("2026-11-18T13:00:00Z")
    ada = server.sign_in(ada)

    assert totals(ada.get("leaderboard")) == [(1, 30), (2, 20)]
    assert ada.get("leaderboard").json["generated_at"] == NOW
    refresh(server, period="week")
    assert totals(ada.get("leaderboard")) == [(1, 120), (2, 30)]
    assert ada.get("leaderboard").json["generated_at"] == "2026-11-18T13:00:00Z"
    assert totals(ada.get("leaderboard", period="day")) == [(1, 30), (2, 20)]
    server.set_clock("2026-11-19T00:00:00Z")
    ada = server.sign_in(ada)
    assert totals(ada.get("leaderboard", period="day")) == []
    assert totals(ada.get("leaderboard", period="week")) == [(1, 120), (2, 30)]


@pytest.mark.requirement("SRV-15")
def test_an_empty_snapshot_is_a_board(server: Server) -> None:
    person = server.sign_up()
    assert [each["inserted"] for each in refresh(server)["results"]] == [0, 0, 0, 0]
    server.set_clock("2026-11-18T12:00:30Z")
    board = person.get("leaderboard", period="total").json
    assert (board["from"], board["to"], board["generated_at"]) == ("2026-11-18", "2026-11-18", NOW)
    assert (board["entries"], board["me"]) == ([], {"rank": None, "total_tokens": "0"})


@pytest.mark.requirement("SRV-15")
def test_the_service_and_administrators_may_refresh(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    admin, user = server.sign_up(), server.sign_up()

    assert admin.post("leaderboard-refresh").json["success"] is True
    assert user.post("leaderboard-refresh").status == 403
    assert server.post("leaderboard-refresh", json={}).status == 401
    assert user.link().post("leaderboard-refresh").status == 401
    wrong = admin.post("leaderboard-refresh", period="year")
    assert (wrong.status, wrong.json["field"]) == (400, "period")


@pytest.mark.requirement("SRV-15")
def test_a_board_that_cannot_be_refreshed_is_told_and_stays(
    fresh_server: Callable[..., Server],
) -> None:
    server = fresh_server()
    person = use(server, 30)
    refresh(server)
    person.link().send(row(total=12))
    with server.database() as db:
        refuse(db, "month")

    done = refresh(server)
    assert done["success"] is False
    assert done["results"][2] == {"period": "month", "error": "INTERNAL"}
    assert [each["period"] for each in done["results"] if "inserted" in each] == [
        "day",
        "week",
        "total",
    ]
    assert totals(person.get("leaderboard", period="month")) == [(1, 30)]
    assert totals(person.get("leaderboard", period="week")) == [(1, 42)]


def refuse(db: Any, period: str) -> None:
    """Make the database refuse the snapshots of a period."""
    if is_sqlite(db):
        db.execute_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON leaderboard_snapshot "
            f"WHEN new.period = '{period}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    else:
        db.execute_sql(
            "ALTER TABLE leaderboard_snapshot ADD CONSTRAINT refuse "
            f"CHECK (period <> '{period}') NOT VALID"
        )


@pytest.mark.requirement("SRV-15")
def test_readers_never_see_an_empty_or_a_mixed_board(server: Server) -> None:
    """Each refresh finds everybody with the same total, which is another one each time."""
    size = 6_000  # more than a chunk
    with server.database() as db:
        crowd(db, size)
    person = server.sign_up()
    level(server, 1)
    refresh(server, period="week")
    ended, seen = Event(), set()

    def read() -> None:
        while not ended.is_set():
            board = person.get("leaderboard", limit=100, offset=size - 100)
            ranks = totals(board)
            assert len(ranks) == 100
            assert len(set(ranks)) == 1
            seen.add(ranks[0][1])

    with ThreadPoolExecutor(50) as readers:
        reading = [readers.submit(read) for _ in range(50)]
        try:
            for tokens in range(2, 8):
                level(server, tokens)
                assert refresh(server, period="week")["results"][0]["inserted"] == size
        finally:
            ended.set()
        for each in reading:
            each.result()
    assert len(seen) > 1
    with server.database() as db:
        (entries,) = db.execute_sql("SELECT count(*) FROM leaderboard_snapshot").fetchone()
    assert entries == size


def level(server: Server, tokens: int) -> None:
    """Give everybody the same total."""
    with server.database() as db:
        db.execute_sql(f"UPDATE usage_half_hour SET total_tokens = {tokens}")


@pytest.mark.requirement("SRV-15")
def test_what_a_refresh_that_died_left_behind_is_removed(server: Server) -> None:
    person = use(server, 30)
    refresh(server, period="week")
    with server.database() as db:
        db.execute_sql("UPDATE leaderboard_snapshot SET generation = 7 WHERE generation = 1")
        db.execute_sql("UPDATE leaderboard_generation SET generation = 3")

    refresh(server, period="week")
    assert totals(person.get("leaderboard")) == [(1, 30)]
    with server.database() as db:
        rows = db.execute_sql("SELECT generation FROM leaderboard_snapshot").fetchall()
    assert rows == [(4,)]
