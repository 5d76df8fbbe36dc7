"""What a figure is, and the figures of the tracker with their goals, one function a command."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import NamedTuple

from corpus import CODEX_MODELS, DAY, HALF_HOUR, LINE_HEAD, SPRING, Usage, counter, iso, stamp, tail
from ground import Cache, Corpus
from measure import Measured, Reading, Subject, in_turn
from subjects import Peers, Vibescore

MIB = 2**20
MB = 10**6
GB = 10**9


class Goal(NamedTuple):
    """What has to be reached, and what is aimed at: a ratio, or in another unit what ours may be
    whatever the peer is. ``extra`` is what ours may be more than the ratio, in the figure's unit.
    """

    reach: float
    aim: float | None = None
    sign: str = "≤"
    unit: str = "×"
    extra: float = 0.0

    def __str__(self) -> str:
        words = f"{self.sign} {self.reach:g} {self.unit}"
        words += f" + {self.extra:g} ms" if self.extra else ""
        return words + (f" ({self.aim:g} {self.unit})" if self.aim else "")

    def met_by(self, value: float, goal: float) -> bool:
        return value >= goal if self.sign == "≥" else value <= goal


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: what was measured of ours and of what it is compared with, run by run.

    Without a unit there was nothing to measure yet; a series may be empty.
    """

    what: str
    unit: str = ""
    ours: Sequence[float] = ()
    peer: Sequence[float] = ()
    peer_name: str = ""
    goal: Goal | None = None
    part: str = "tracker"

    @property
    def ratio(self) -> float | None:
        """The median of the ratios, run by run; None when there is nothing to compare."""
        return self._ratio(0.0)

    def _ratio(self, extra: float) -> float | None:
        """The ratio of what is left of ours without ``extra``."""
        if not self.ours or not self.peer or min(*self.ours, *self.peer) <= 0:
            return None
        pairs = zip(self.ours, self.peer, strict=True)
        return median((mine - extra) / its for mine, its in pairs)

    @property
    def reached(self) -> str:
        """Whether the goal is: "yes", "no", or "aim" when that is too; empty if nobody can say."""
        value = self._judged
        if value is None or self.goal is None:
            return ""
        if self.goal.aim and self.goal.met_by(value, self.goal.aim):
            return "aim"
        return "yes" if self.goal.met_by(value, self.goal.reach) else "no"

    @property
    def _judged(self) -> float | None:
        """What the goal speaks of."""
        if self.goal is None or not self.ours:
            return None
        return self._ratio(self.goal.extra) if self.goal.unit == "×" else median(self.ours)


class Quantity(NamedTuple):
    """Something that was measured, in a unit for people."""

    name: str
    unit: str
    series: Callable[[Measured], Sequence[float]]


WALL = Quantity("wall", "s", lambda measured: measured.wall)
BLINK = Quantity("wall", "ms", lambda measured: [1_000 * seconds for seconds in measured.wall])
CPU = Quantity("CPU", "s", lambda measured: measured.cpu)
MEMORY = Quantity("peak memory", "MiB", lambda measured: [at / MIB for at in measured.memory])
PER_BYTE = Quantity("time per byte", "s/GB", lambda measured: measured.wall)


def compared(
    what: str, quantity: Quantity, ours: Measured, peers: Sequence[Measured], goal: Goal | None
) -> Figure:
    """Ours against the peer, if there is one."""
    figure = Figure(f"{what}, {quantity.name}", quantity.unit, quantity.series(ours), goal=goal)
    for peer in peers:
        figure = replace(figure, peer=quantity.series(peer), peer_name=peer.name)
    return figure


@dataclass(slots=True)
class Bench:
    """What the figures are taken with; it remembers which corpora were used, and in ``remarks``
    what there is to say about the server's figures. ``seconds`` is how long a load lasts.
    """

    cache: Cache
    scratch: Path
    peers: Peers
    runs: int
    scale: float
    seconds: float
    corpora: dict[str, Corpus] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def corpus(self, name: str, share: float = 1.0) -> Corpus:
        """A corpus; ``share`` is its size compared with that of its name."""
        corpus = self.cache.corpus(name, self.scale * share)
        self.corpora[corpus.folder.name] = corpus
        return corpus

    def ours(self, corpus: Corpus) -> Vibescore:
        return Vibescore(self.scratch, corpus)

    def in_turn(self, *subjects: Subject) -> list[Measured]:
        return in_turn(subjects, runs=self.runs)


def first_sync(bench: Bench) -> Iterator[Figure]:
    """First sync of codex-1g: wall, CPU, memory, and the machine's limit."""
    corpus = bench.corpus("codex-1g")
    ours, limit, *peers = bench.in_turn(
        bench.ours(corpus).first_sync(),
        Reading(corpus.files),
        *bench.peers.ccusage("codex", corpus),
    )
    yield compared("first sync of codex-1g", WALL, ours, peers, Goal(1.0, 0.8))
    yield compared("first sync of codex-1g", CPU, ours, peers, Goal(0.8, 0.5))
    yield compared("first sync of codex-1g against the machine", WALL, ours, [limit], Goal(4.0))
    yield compared("first sync of codex-1g", MEMORY, ours, peers, Goal(1.0))


def dense(bench: Bench) -> Iterator[Figure]:
    """First sync of codex-dense: wall and memory."""
    corpus = bench.corpus("codex-dense")
    ours, *peers = bench.in_turn(
        bench.ours(corpus).first_sync(), *bench.peers.ccusage("codex", corpus)
    )
    yield compared("first sync of codex-dense", WALL, ours, peers, Goal(1.3, 1.0))
    yield compared("first sync of codex-dense", MEMORY, ours, peers, Goal(1.0))


def one_file(bench: Bench) -> Iterator[Figure]:
    """First sync of a single file of 1 GB: memory."""
    corpus = bench.corpus("codex-one")
    ours, *peers = bench.in_turn(
        bench.ours(corpus).first_sync(), *bench.peers.ccusage("codex", corpus)
    )
    yield compared("one file of 1 GB", MEMORY, ours, peers, Goal(1.0))


def nothing_new(bench: Bench) -> Iterator[Figure]:
    """A sync of codex-1g that finds nothing new."""
    corpus = bench.corpus("codex-1g")
    ours, *peers = bench.in_turn(bench.ours(corpus).next_sync(), *bench.peers.tokscale(corpus))
    yield compared("nothing new, 500 files", WALL, ours, peers, Goal(1.0, 0.5))


def many(bench: Bench) -> Iterator[Figure]:
    """A sync of 50,000 files that finds nothing new."""
    all_files, few = bench.in_turn(
        bench.ours(bench.corpus("many")).next_sync(),
        replace(bench.ours(bench.corpus("many", 0.01)).next_sync(), name="500 files"),
    )
    yield compared("nothing new, 50,000 files", WALL, all_files, [few], Goal(100))
    yield compared("nothing new, 50,000 files", MEMORY, all_files, [few], Goal(1.15))


def append(bench: Bench) -> Iterator[Figure]:
    """A sync of codex-1g after one event was appended to one of 500 files."""
    corpus = bench.corpus("codex-1g")
    linked = linked_copy(corpus, bench.scratch / "append")
    ours = bench.ours(linked)
    log = GrowingLog(own_copy(linked.files[len(linked.files) // 2]))
    grown, unchanged = bench.in_turn(
        ours.next_sync(before=lambda: ours.expect(log.grow())),
        replace(bench.ours(corpus).next_sync(), name="nothing new"),
    )
    yield compared("one event appended", WALL, grown, [unchanged], Goal(1.2))


def linked_copy(corpus: Corpus, folder: Path) -> Corpus:
    """The same files under other names: nothing is copied, so nothing may be written to."""
    shutil.copytree(corpus.folder, folder, copy_function=os.link)
    return Corpus(corpus.name, folder)


def own_copy(path: Path) -> Path:
    """The file, apart from all its other names."""
    beside = path.with_suffix(".copy")
    shutil.copy2(path, beside)
    return beside.replace(path)


class GrowingLog:
    """A rollout that goes on, each time in a half-hour of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = last_total(path)
        self._at = SPRING + 200 * DAY

    def grow(self) -> dict[str, str | int]:
        """Appends one response; returns the row it has to give."""
        model, used = CODEX_MODELS[0], Usage(12_000, 9_984, 400, 256, 12_400)
        self._at += HALF_HOUR
        self._total = self._total.plus(used)
        lines = (tail("turn_context", {"model": model}), counter(self._total, used, "null"))
        with self._path.open("ab") as file:
            file.writelines(LINE_HEAD + stamp(self._at) + line for line in lines)
        return {"source": "codex", "model": model, "hour_start": iso(self._at), **used._asdict()}


def last_total(path: Path) -> Usage:
    """The running total at the end of a rollout."""
    marker = b'"payload":{"type":"token_count","info":{'
    line = next(line for line in reversed(path.read_bytes().splitlines()) if marker in line)
    return Usage(**json.loads(line)["payload"]["info"]["total_token_usage"])


def store_size(bench: Bench) -> Iterator[Figure]:
    """The store after codex-dense."""
    corpus = bench.corpus("codex-dense")
    ours = bench.ours(corpus)
    ours.sync_once()
    sizes = ([ours.store_size() / MB], [corpus.size / MB])
    yield Figure("store after codex-dense", "MB", *sizes, peer_name="logs", goal=Goal(0.02))


def notify(bench: Bench) -> Iterator[Figure]:
    """The notify handler, which tools call after each turn."""
    ours = bench.ours(bench.corpus("many", 0.01))
    ours.sync_once()
    handler, bare = bench.in_turn(ours.handler(), ours.bare_python("-I", "-S"))
    yield compared("notify handler", BLINK, handler, [bare], Goal(2.5))


def start_up(bench: Bench) -> Iterator[Figure]:
    """`vibescore --help` and `status`."""
    ours = bench.ours(bench.corpus("codex-1g"))
    ours.sync_once()
    asked_help, status, bare = bench.in_turn(
        ours.program("--help"), ours.program("status"), ours.bare_python()
    )
    yield compared("vibescore --help", WALL, asked_help, [bare], Goal(6))
    yield compared("vibescore status", WALL, status, [bare], Goal(10))


def growth(bench: Bench) -> Iterator[Figure]:
    """First syncs of 100 MB, 1 GB and 4 GB: time per byte, the start of the program apart."""
    corpora = [bench.corpus("codex-1g", share) for share in (0.1, 1.0, 4.0)]
    start, *syncs = bench.in_turn(
        bench.ours(nothing_at_all(bench.scratch)).first_sync(),
        *(bench.ours(corpus).first_sync() for corpus in corpora),
    )
    rates = [per_gigabyte(corpus, sync, start) for corpus, sync in zip(corpora, syncs, strict=True)]
    for smaller, larger in combinations(rates, 2):
        what = f"growth from {smaller.name} to {larger.name}"
        yield compared(what, PER_BYTE, larger, [smaller], Goal(1.15))


def nothing_at_all(scratch: Path) -> Corpus:
    """A corpus without logs."""
    folder = scratch / "no-logs"
    folder.mkdir()
    (folder / "truth.jsonl").touch()
    return Corpus("no-logs", folder)


def per_gigabyte(corpus: Corpus, sync: Measured, start: Measured) -> Measured:
    """Seconds per GB, without those that a sync takes that finds no logs."""
    before = median(start.wall)
    rates = [(wall - before) * GB / corpus.size for wall in sync.wall]
    return replace(sync, name=f"{corpus.size / GB:.2g} GB", wall=rates)


def gemini(bench: Bench) -> Iterator[Figure]:
    """First sync of gemini-50m: without a goal so far."""
    corpus = bench.corpus("gemini-50m")
    ours, limit, *peers = bench.in_turn(
        bench.ours(corpus).first_sync(),
        Reading(corpus.files),
        *bench.peers.ccusage("gemini", corpus),
    )
    yield compared("first sync of gemini-50m", WALL, ours, peers, None)
    yield compared("first sync of gemini-50m against the machine", WALL, ours, [limit], None)
    yield compared("first sync of gemini-50m", MEMORY, ours, peers, None)


def claude(bench: Bench) -> Iterator[Figure]:
    """What a peer counts of claude-100m: there is no plugin of ours yet."""
    corpus = bench.corpus("claude-100m")
    for peer in bench.peers.ccusage("claude", corpus):
        peer.cost()
    yield Figure("first sync of claude-100m, wall")


FIGURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "first-sync": first_sync,
    "dense": dense,
    "one-file": one_file,
    "nothing-new": nothing_new,
    "many": many,
    "append": append,
    "store-size": store_size,
    "notify": notify,
    "start-up": start_up,
    "growth": growth,
    "gemini": gemini,
    "claude": claude,
}
