"""The figures of a server under the load of a crowd, which works and syncs round after round. There
is one only if every token has arrived where it belongs.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from corpus import SECOND, iso
from crowd import Crowd, Rows, linked
from figures import MIB, Bench, Figure
from fleet import Fleet, Ran
from hosts import Place, variables
from measure import BenchError, held, spent
from population import COUNTERS
from server_figures import Engine, on_each

from vibescore.embedded import running

DEVICES, OTHERS = 10, 100
"""Computers of one user; users with one computer."""

HISTORY = 50
"""How often more a computer was used before its first sync than between two later ones."""

NICE = 19
"""The computers give way to the server: where there are so many, it has one of its own."""

CROWDED, CROWDED_SHARE = 2, 0.1
"""How many requests at a time a server takes that cannot keep up, and for which part of the time
that is tried.
"""

DONE, PUT_OFF = (200, 201), (429, 503)
SETTINGS: dict[str, object] = {"port": 0, "sign_up": "true", "sign_up_per_hour": 1_000}
"""All others are as they are for everybody."""

STORED = f"""
    SELECT email, device_id, source, model, hour_start, {", ".join(COUNTERS)}
    FROM usage_half_hour JOIN "user" ON "user".id = user_id WHERE total_tokens > 0
"""


@dataclass(frozen=True, slots=True)
class Course:
    """What happened in ``seconds``: the syncs of each round, after each round a sync ``alone``, and
    what the server did. It kept a processor busy for ``cpu`` seconds and held ``memory`` bytes at
    most, both 0 where nobody can say; a request is what its log says of it. In the end it had so
    many ``rows``.
    """

    rounds: Sequence[Sequence[Ran]]
    alone: Sequence[Ran]
    seconds: float
    cpu: float
    memory: int
    requests: Sequence[Mapping[str, Any]]
    rows: int = 0

    @property
    def syncs(self) -> list[Ran]:
        """Those of all rounds."""
        return [*chain.from_iterable(self.rounds)]

    @property
    def ingests(self) -> list[float]:
        """Milliseconds of each at the server."""
        return [each["ms"] for each in self.requests if each["route"].endswith("ingest")]

    @property
    def put_off(self) -> int:
        """Requests that were answered with 429 or 503."""
        return sum(each["status"] in PUT_OFF for each in self.requests)

    def __str__(self) -> str:
        late = sum(ran.code != 0 for ran in self.syncs)
        return (
            f"{len(self.rounds):,} rounds of {len(self.rounds[0]):,} syncs in {self.seconds:.0f} "
            f"seconds; of {len(self.requests):,} requests {self.put_off:,} were answered with 429 "
            f"or 503, and {late:,} syncs left rows to the next for that; in the end all "
            f"{self.rows:,} rows were as the logs tell"
        )


def sync_load(bench: Bench) -> Iterator[Figure]:
    """Load: ten devices of one user and a hundred users sync at the same time."""
    yield from on_each(_sync_load, bench)


def _sync_load(bench: Bench, engine: Engine) -> Iterator[Figure]:
    course = under_load(bench, engine, bench.seconds)
    crowded = under_load(bench, engine, bench.seconds * CROWDED_SHARE, max_in_flight=CROWDED)
    bench.remarks[engine.name] = f"{engine.name}: {course}"
    bench.remarks[f"{engine.name} crowded"] = (
        f"{engine.name}, a server that takes {CROWDED} requests at a time: {crowded}"
    )
    yield from of_syncs(course, engine)
    yield from of_server(course, engine)


def of_syncs(course: Course, engine: Engine) -> Iterator[Figure]:
    what = f"a sync of {len(course.rounds[0])} at a time"
    yield figure(
        f"{what}, median",
        engine,
        "s",
        ours=[median(ran.wall for ran in ended) for ended in course.rounds],
        peer=[ran.wall for ran in course.alone],
        peer_name="alone",
    )
    yield figure(f"{what}, p99", engine, "s", ours=[p99([ran.wall for ran in course.syncs])])


def of_server(course: Course, engine: Engine) -> Iterator[Figure]:
    rate, busy = len(course.requests) / course.seconds, 100 * course.cpu / course.seconds
    what = "an ingest meanwhile, in the server"
    yield figure(f"{what}, median", engine, "ms", ours=[median(course.ingests)])
    yield figure(f"{what}, p99", engine, "ms", ours=[p99(course.ingests)])
    yield figure("requests", engine, "a second", ours=[rate])
    yield figure("the server, CPU", engine, "% of a core", ours=known(busy))
    yield figure("the server, peak memory", engine, "MiB", ours=known(course.memory / MIB))


def figure(what: str, engine: Engine, unit: str, **more: Any) -> Figure:
    return Figure(f"{what}, {engine.name}", unit, part="load", **more)


def known(value: float) -> list[float]:
    """Nothing where it was not to be found out."""
    return [value] if value else []


def p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


def under_load(bench: Bench, engine: Engine, seconds: float, **settings: object) -> Course:
    """A crowd at a server with these settings. Raises BenchError unless all goes well, and what was
    logged on the computers is what the server has in the end, row by row.
    """
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    log = folder / "server.log"
    with ExitStack() as stack:
        place = stack.enter_context(engine.empty(folder))
        server = stack.enter_context(running(variables(place, **SETTINGS, **settings), log))
        fleet = stack.enter_context(Fleet.ready(nice=NICE))
        owners = [0] * DEVICES + list(range(1, 1 + round(OTHERS * bench.scale)))
        crowd = Crowd(fleet, list(linked(server.address, owners, folder)))
        for _ in range(HISTORY):
            crowd.work()
        crowd.settle()
        course = watched(crowd, seconds, server.process.pid, log)
        crowd.settle()
        requests_in(log)
        check(place, crowd.rows)
        return replace(course, rows=len(crowd.rows))


def watched(crowd: Crowd, seconds: float, server: int, log: Path) -> Course:
    """Rounds for so long, and what the process of the server did meanwhile."""
    before, busy, began = len(requests_in(log)), spent(server), time.monotonic()
    rounds, alone = [], []
    while time.monotonic() - began < seconds:
        crowd.work()
        rounds.append(crowd.sync())
        crowd.one.work()
        alone += crowd.one.sync()
    took, cpu = time.monotonic() - began, spent(server) - busy
    return Course(rounds, alone, took, cpu, held(server), requests_in(log)[before:])


def requests_in(log: Path) -> list[dict[str, Any]]:
    """What a server was asked so far. Raises BenchError when it failed."""
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    requests = [told for told in lines if told["event"] == "request"]
    failed = [told for told in requests if told["status"] not in DONE + PUT_OFF]
    failed += [told for told in lines if told["level"] == "error"]
    if failed:
        raise BenchError(f"The server failed: {failed[0]}")
    return requests


def check(place: Place, expected: Rows) -> None:
    """Raises BenchError unless a database has exactly these rows."""
    with place.opened() as db:
        stored = db.execute_sql(STORED).fetchall()
    found = {
        (email, UUID(str(device)), source, model, iso(start * SECOND)): tuple(counters)
        for email, device, source, model, start, *counters in stored
    }
    wrong = {key for key, _ in found.items() ^ expected.items()}
    if wrong:
        key = min(wrong)
        raise BenchError(
            f"{len(wrong):,} rows are wrong, the first {key}: {found.get(key)}, "
            f"expected {expected.get(key)}"
        )


LOAD_FIGURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {"sync-load": sync_load}
