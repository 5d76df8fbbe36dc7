"""The figures of the server and their goals, one function a command: each on every database."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from threading import Thread
from typing import Any

import msgspec
from batches import Shipment, check, prepared, shipments, write
from figures import Bench, Figure, Goal
from hosts import SERVICE_TOKEN, Client, Place, Postgresql, Server, Sqlite, engines, serving
from measure import BenchError, rounds
from population import BUSY, NOW, STEADY, Population, link
from reads import ALL, BOARD, HOT, PAGE, board_asked_by, plan, run, statements

from vibescore_server.db import is_sqlite
from vibescore_server.queries import leaderboard
from vibescore_server.queries.tariff import Tariffs
from vibescore_server.windows import Period

Engine = Sqlite | Postgresql
Act = Callable[[], object]

MS = 1_000
CALLS = 50
"""A round."""

WARM_UP = 6
"""Calls after which the server has read what it keeps, and psycopg has prepared its statements."""

CLIENTS = 4
BATCHES = 20
"""Of each client, a round."""

PAUSE = 0.005  # seconds

P99 = {STEADY: Goal(50, unit="ms"), BUSY: Goal(150, unit="ms")}
PERIODS: tuple[Period, ...] = ("week", "total")


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of single calls, by round."""

    rounds: Sequence[Sequence[float]]

    @property
    def medians(self) -> list[float]:
        return [median(times) for times in self.rounds]

    @property
    def p99(self) -> list[float]:
        """Of all rounds together."""
        return [quantiles((each for times in self.rounds for each in times), n=100)[98]]


def in_turn(acts: Sequence[Act], *, runs: int, calls: int = CALLS) -> list[Timed]:
    """Time the acts round by round, after calls that do not count."""

    def times(act: Act) -> list[float]:
        return [elapsed(act) for _ in range(calls)]

    for act in acts:
        for _ in range(min(calls, WARM_UP)):
            act()
    return [Timed(series) for series in rounds(acts, runs, times)]


def elapsed(act: Act) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * MS


def figure(what: str, engine: Engine, unit: str, **more: Any) -> Figure:
    return Figure(f"{what}, {engine.name}", unit, part="server", **more)


def on_each(measure: Callable[[Bench, Engine], Iterator[Figure]], bench: Bench) -> Iterator[Figure]:
    """The figures of every database that is there."""
    found = engines(bench.cache.folder, os.environ)
    if len(found) < 2:
        bench.remarks["PostgreSQL"] = "No PostgreSQL answers at VIBESCORE_BENCH_POSTGRESQL"
    for engine in found:
        yield from measure(bench, engine)


def populated(bench: Bench, engine: Engine, people: Population) -> Place:
    bench.remarks[people.name] = f"{people.users + 2:,} users, {people.rows:,} rows"
    return engine.populated(people)


def few(bench: Bench) -> Population:
    """1,000 users with a thousand rows each, at scale 1."""
    return Population(1_000, round(1_000 * bench.scale))


def many(bench: Bench) -> Population:
    """100,000 users and ten million rows, at scale 1."""
    return Population(round(100_000 * bench.scale), 100)


def ingest(bench: Bench) -> Iterator[Figure]:
    """Server: rows a second in batches of 500, and /healthz meanwhile."""
    yield from on_each(_ingest, bench)


def _ingest(bench: Bench, engine: Engine) -> Iterator[Figure]:
    lots = shipments(CLIENTS, max(1, round(BATCHES * bench.scale)))
    with ExitStack() as stack:
        place, beside = (stack.enter_context(engine.empty(bench.scratch)) for _ in range(2))
        receiver = Receiver(
            stack.enter_context(serving(place, bench.scratch)),
            stack.enter_context(place.opened()),
        )
        plain = stack.enter_context(beside.opened())
        compared = [next(lots) for _ in range(bench.runs + 1)]
        rates = [(receiver.rate(lot), plain_rate(plain, lot)) for lot in compared][1:]
        felt = [(receiver.felt(next(lots)), receiver.felt_idle()) for _ in range(bench.runs)]
        receiver.check()
        check(plain, *sums(compared))
    yield figure(
        "ingest",
        engine,
        "rows/s",
        ours=[ours for ours, _ in rates],
        peer=[peer for _, peer in rates],
        peer_name="plain driver",
        goal=Goal(0.5, sign="≥"),
    )
    yield figure(
        "/healthz under ingest, p99",
        engine,
        "ms",
        ours=Timed([busy for busy, _ in felt]).p99,
        peer=Timed([idle for _, idle in felt]).p99,
        peer_name="unloaded",
        goal=Goal(50, unit="ms"),
    )


Lot = list[Shipment]
"""What several devices send at the same time."""


class Receiver:
    """A server that takes what is sent, and its database."""

    def __init__(self, server: Server, db: Any) -> None:
        self._server = server
        self._db = db
        self._taken: list[Lot] = []

    def rate(self, lot: Lot) -> float:
        """Rows a second."""
        senders = self._ready(lot)
        return rate(lot, partial(self._send, senders))

    def felt(self, lot: Lot) -> list[float]:
        """Milliseconds that calls of /healthz take while a lot is sent."""
        senders = self._ready(lot)
        load = Thread(target=self._send, args=[senders])
        load.start()
        times = list(self._probed(load.is_alive))
        load.join()
        return times

    def felt_idle(self) -> list[float]:
        """The same while nothing is sent, for a second."""
        end = time.monotonic() + 1
        return list(self._probed(lambda: time.monotonic() < end))

    def check(self) -> None:
        """Raises BenchError unless all that was sent is there once."""
        check(self._db, *sums(self._taken))

    def _ready(self, lot: Lot) -> list[Act]:
        with self._db.atomic():
            link(self._db, [shipment.device for shipment in lot])
        self._taken.append(lot)
        return [self._sender(shipment) for shipment in lot]

    def _sender(self, shipment: Shipment) -> Act:
        client, bodies = self._server.bearer(shipment.device.device_token), shipment.bodies

        def send() -> None:
            for body in bodies:
                client.post("/functions/vibescore-ingest", body)

        return send

    def _send(self, senders: Sequence[Act]) -> None:
        with ThreadPoolExecutor(len(senders)) as threads:
            list(threads.map(lambda send: send(), senders))

    def _probed(self, going_on: Callable[[], bool]) -> Iterator[float]:
        client = self._server.bearer("")
        ask = partial(client.get, "/healthz")
        ask()
        while going_on():
            yield elapsed(ask)
            time.sleep(PAUSE)


def plain_rate(db: Any, lot: Lot) -> float:
    """Rows a second without a server."""
    ready = [prepared(db, shipment) for shipment in lot]

    def act() -> None:
        for batches in ready:
            write(db, batches)

    return rate(lot, act)


def rate(lot: Lot, act: Act) -> float:
    return sum(shipment.size for shipment in lot) / elapsed(act) * MS


def sums(lots: Sequence[Lot]) -> tuple[int, int]:
    """Rows and tokens of all that was sent."""
    sent = [shipment for lot in lots for shipment in lot]
    return sum(each.size for each in sent), sum(each.tokens for each in sent)


def reads(bench: Bench) -> Iterator[Figure]:
    """Server: a year by day, hour and week, against the SQL alone; query plans."""
    yield from on_each(_reads, bench)


def _reads(bench: Bench, engine: Engine) -> Iterator[Figure]:
    people = few(bench)
    place = populated(bench, engine, people)
    with serving(place, bench.scratch) as server, place.opened() as db:
        tariffs = tariffs_of(place)
        for rows in (STEADY, BUSY):
            person = people.with_rows(rows)
            client = server.user(person.id)
            for read in HOT:
                read.check(client.get(read.path), people, person)
                asked = statements(db, read.asked_by(person, tariffs))
                over_http, alone = in_turn(
                    [partial(client.get, read.path), partial(run, db, asked)], runs=bench.runs
                )
                what = f"{read.name}, {rows:,} rows"
                yield figure(
                    what,
                    engine,
                    "ms",
                    ours=over_http.medians,
                    peer=alone.medians,
                    peer_name="SQL alone",
                    goal=Goal(1.5, extra=2.0),
                )
                yield figure(f"{what}, p99", engine, "ms", ours=over_http.p99, goal=P99[rows])
        note_plans(bench, engine, people, db, tariffs)


def tariffs_of(place: Place) -> Tariffs:
    settings = place.settings
    return Tariffs(settings.pricing_source, settings.pricing_model)


def note_plans(bench: Bench, engine: Engine, people: Population, db: Any, tariffs: Tariffs) -> None:
    """How each read finds its rows. Raises BenchError where it looks at others' rows too."""
    person = people.with_rows(STEADY)
    for read in ALL:
        asked = statements(db, read.asked_by(person, tariffs))
        own = len(people.slots_of(person, read.first, read.last))
        note = plan(db, asked, most=own)
        bench.remarks[f"{read.name} {engine.name}"] = f"{read.name}, {engine.name}: {note}"


def board(bench: Bench) -> Iterator[Figure]:
    """Server: the leaderboard of 100,000 users, read and refreshed."""
    yield from on_each(_board, bench)


def _board(bench: Bench, engine: Engine) -> Iterator[Figure]:
    people = many(bench)
    place = populated(bench, engine, people)
    person = people.with_rows(STEADY)
    with serving(place, bench.scratch) as server, place.opened() as db:
        admin = server.bearer(SERVICE_TOKEN)
        for period in PERIODS:
            refreshed, alone = in_turn(
                [partial(refresh, admin, period, people), partial(grouped, db, period)],
                runs=bench.runs,
                calls=1,
            )
            yield figure(
                f"leaderboard refresh, {period}",
                engine,
                "ms",
                ours=refreshed.medians,
                peer=alone.medians,
                peer_name="query alone",
                goal=Goal(1.5),
            )
        client = server.user(person.id)
        (read,) = in_turn([partial(client.get, BOARD)], runs=bench.runs)
        yield figure("leaderboard, p99", engine, "ms", ours=read.p99, goal=Goal(20, unit="ms"))
        if not is_sqlite(db):
            db.execute_sql("ANALYZE leaderboard_snapshot")  # PostgreSQL itself does it a bit later
        note = plan(db, statements(db, board_asked_by(person)), most=PAGE)
        bench.remarks[f"leaderboard {engine.name}"] = f"leaderboard, {engine.name}: {note}"


def refresh(admin: Client, period: Period, people: Population) -> None:
    """Make a board anew; raises BenchError when not everybody is on that of all time."""
    body = msgspec.json.encode({"period": period})
    (result,) = json.loads(admin.post("/functions/vibescore-leaderboard-refresh", body))["results"]
    if "error" in result or (period == "total" and result["inserted"] != len(people.people)):
        raise BenchError(f"{result} for {len(people.people):,} users")


def grouped(db: Any, period: Period) -> None:
    """The query of a board, to its last row, which stay in the database."""
    sql, values = leaderboard.ranked(leaderboard.FAST, period, NOW).bind(db).sql()
    db.execute_sql(f"SELECT COUNT(*), MAX(position) FROM ({sql}) AS board", values).fetchall()


def growth(bench: Bench) -> Iterator[Figure]:
    """Server: every read among 1,000 users' rows and among 100,000 users' ten times as many."""
    yield from on_each(_growth, bench)


def _growth(bench: Bench, engine: Engine) -> Iterator[Figure]:
    with ExitStack() as stack:
        clients = [
            stack.enter_context(reader(bench, engine, people))
            for people in (few(bench), many(bench))
        ]
        for name, path in [*((read.name, read.path) for read in ALL), ("leaderboard", BOARD)]:
            small, large = in_turn(
                [partial(client.get, path) for client in clients], runs=bench.runs
            )
            yield figure(
                f"{name}, among ten times the rows",
                engine,
                "ms",
                ours=large.medians,
                peer=small.medians,
                peer_name=f"among {few(bench).rows:,}",
                goal=Goal(1.15),
            )


@contextmanager
def reader(bench: Bench, engine: Engine, people: Population) -> Iterator[Client]:
    """The same person's client among these people, the leaderboard fresh."""
    place = populated(bench, engine, people)
    person = people.with_rows(STEADY)
    with serving(place, bench.scratch) as server:
        refresh(server.bearer(SERVICE_TOKEN), "week", people)
        client = server.user(person.id)
        for read in ALL:
            read.check(client.get(read.path), people, person)
        yield client


SERVER_FIGURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "server-ingest": ingest,
    "server-reads": reads,
    "server-leaderboard": board,
    "server-growth": growth,
}
