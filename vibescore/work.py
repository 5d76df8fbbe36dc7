"""Reading and parsing files: the part of the line that several processes may share.

A session with all its forks is one family, and one unit of work: telling a copied head takes what
was read of the ancestors. What was read reaches the ledger as outcomes, through pipes when the
work is shared.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from vibescore.accumulate import Met, event_hash, is_in_range, meet
from vibescore.discover import COMPRESSED
from vibescore.errors import PluginError
from vibescore.jobs import Claim, Job
from vibescore.model import (
    Copy,
    Document,
    EventId,
    Lines,
    Mark,
    ParseContext,
    Skips,
    Usage,
)
from vibescore.reader import Position, make_buffer, read, tail_hash
from vibescore.store import Store

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

WORTH_SHARING = 64 << 20
MOST_HELPERS = 4
EVENTS_AT_ONCE = 20_000
BYTES_AT_ONCE = 16 << 20
OUT_OF_RANGE = "numbers out of range"

UNKEEPABLE = (AttributeError, OverflowError, RecursionError, TypeError, ValueError)

Family = list[int]


class Outcome(Struct, array_like=True):
    """What a part of a file gave, and the cursor behind it; a file to count again gives one
    outcome only.

    ``job`` is the place of the job in the plan, ``size`` how many bytes were read. The last
    outcome of a file is ``done`` or has a ``problem``.
    """

    job: int
    met: list[Met] = []
    position: Position = None
    state: bytes | None = None
    tail: bytes | None = None
    skips: dict[str, int] = {}
    size: int = 0
    done: bool = False
    problem: str = ""


def work_through(jobs: list[Job], store: Store) -> Generator[Outcome, None, None]:
    """The outcomes of all jobs, those of each file in their order.

    Large work is shared among helper processes where the system can fork them. They start before
    this returns: forking is only safe while the caller has no threads.
    """
    families = _families(jobs)
    size = sum(job.size for job in jobs)
    count = min(len(families), _processors(), MOST_HELPERS) if size >= WORTH_SHARING else 1
    if count == 1 or not hasattr(os, "fork"):
        return _work(jobs, families, store)
    helpers: list[_Helper] = []
    for share in _shares(jobs, families, count):
        helpers.append(_start_helper(jobs, share, store.path, helpers))
    return _receive(helpers)


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _families(jobs: list[Job]) -> list[Family]:
    """Places of the jobs, grouped by the oldest known ancestor of their sessions, parents first;
    those of trees that are read ``in_order`` are one group by source.
    """
    families: dict[tuple[str, str], Family] = {}
    for place, job in enumerate(jobs):
        families.setdefault((job.row.source, _root(job)), []).append(place)
    return list(families.values())


def _root(job: Job) -> str:
    if job.claim and job.claim.tree.in_order:
        return ""
    return job.ancestors[-1] if job.ancestors else job.row.key or job.found.path


def _shares(jobs: list[Job], families: list[Family], count: int) -> list[list[Family]]:
    """Families in ``count`` shares of about the same size: the largest first, each to the smallest
    share.
    """
    sizes = {id(family): sum(jobs[place].size for place in family) for family in families}
    shares: list[list[Family]] = [[] for _ in range(count)]
    loads = [0] * count
    for family in sorted(families, key=lambda family: -sizes[id(family)]):
        least = loads.index(min(loads))
        shares[least].append(family)
        loads[least] += sizes[id(family)]
    return shares


class _Helper(Struct, frozen=True):
    process: ForkProcess
    receiver: Connection


def _start_helper(
    jobs: list[Job], share: list[Family], store: Path, earlier: list[_Helper]
) -> _Helper:
    from multiprocessing import get_context

    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    inherited = [receiver, *(helper.receiver for helper in earlier)]
    arguments = (jobs, share, store, sender, inherited)
    process = context.Process(target=_help, args=arguments, daemon=True)
    process.start()
    sender.close()
    return _Helper(process, receiver)


def _receive(helpers: list[_Helper]) -> Generator[Outcome, None, None]:
    """What the helpers send, until the last of them has ended."""
    from multiprocessing.connection import wait

    decode = msgspec.msgpack.Decoder(Outcome).decode
    busy = [helper.receiver for helper in helpers]
    try:
        while busy:
            ready = wait(busy)
            for receiver in [receiver for receiver in busy if receiver in ready]:
                try:
                    yield decode(receiver.recv_bytes())
                except EOFError:
                    busy.remove(receiver)
    finally:
        for helper in helpers:
            helper.process.terminate()
            helper.process.join()
            helper.receiver.close()


def _help(
    jobs: list[Job],
    families: list[Family],
    store: Path,
    sender: Connection,
    inherited: list[Connection],
) -> None:
    """The life of a helper process: it ends with its work, or when nobody listens any more, which
    it only notices if no helper holds the other end of a pipe.
    """
    for receiver in inherited:
        receiver.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    encode = msgspec.msgpack.Encoder().encode
    with Store.open(store) as own:
        try:
            for outcome in _work(jobs, families, own):
                sender.send_bytes(encode(outcome))
        except BrokenPipeError:
            return


def _work(
    jobs: list[Job], families: Iterable[Family], store: Store
) -> Generator[Outcome, None, None]:
    before = store if store.knows_events() else None
    buffer = make_buffer()
    for family in families:
        memory = _Memory(before, buffer)
        for place in family:
            yield from _read_job(place, jobs[place], memory)


class _Memory:
    """Which events were met: in this family, or in an earlier sync, which ``before`` remembers; and
    the buffer that files are read into.
    """

    def __init__(self, before: Store | None, buffer: bytearray) -> None:
        self.buffer = buffer
        self._before = before
        self._met: set[int] = set()

    def seen(self, source: str, event: EventId) -> bool:
        id = event_hash(source, event)
        return id in self._met or (self._before is not None and self._before.seen(id))

    def learn(self, met: Iterable[Met]) -> None:
        for event in met:
            is_known = event.mark or event.tokens is not None
            (self._met.add if is_known else self._met.discard)(event.id)


def _read_job(place: int, job: Job, memory: _Memory) -> Iterator[Outcome]:
    """The outcomes of a file; after a failure the last one ends behind the last good piece."""
    outcome = Outcome(place, position=job.row.position, state=job.row.state)
    try:
        for part in _parts(place, job, job.claim, memory) if job.claim else ():
            _join(outcome, part)
            if _is_enough(outcome) and not job.forgotten:
                yield _marked(outcome, job)
                outcome = Outcome(place, position=part.position, state=part.state)
        outcome.done = True
    except PluginError as error:
        outcome.problem = str(error)
    except OSError as error:
        outcome.problem = f"cannot be read: {error.strerror or error}"
    yield _marked(outcome, job)


def _marked(outcome: Outcome, job: Job) -> Outcome:
    """With the tail before the cursor, by which the next sync knows that a log goes on behind
    it.
    """
    plain = not job.found.path.endswith(COMPRESSED)
    if job.claim and plain and isinstance(job.claim.tree.reading, Lines):
        outcome.tail = tail_hash(job.found.path, outcome.position)
    return outcome


def _parts(place: int, job: Job, claim: Claim, memory: _Memory) -> Iterator[Outcome]:
    """What each piece of a file gave."""
    row, reading, source = job.row, claim.tree.reading, claim.plugin.name
    state = _state(job, claim)
    seen = partial(memory.seen, source)
    context = ParseContext(
        row.key, claim.tree, state, job.ancestors, job.complete, seen, Skips().add
    )
    for piece in read(job.found.path, reading, row.position, buffer=memory.buffer):
        context.skip = piece.skips.add
        usage = claim.plugin.parse(piece.records, context) if piece.records else []
        try:
            met = [meet(source, item) for item in usage if _is_sound(item, piece.skips)]
            cursor = msgspec.msgpack.encode(state)
        except UNKEEPABLE as error:
            what = f"its answer cannot be kept ({type(error).__name__})"
            raise PluginError(source, "parse", what) from error
        memory.learn(met)
        skips = piece.skips.counts
        yield Outcome(place, met, piece.position, cursor, skips=skips, size=piece.size)


def _state(job: Job, claim: Claim) -> Struct:
    """The state behind the cursor; documents are read as a whole and start anew."""
    reading = claim.tree.reading
    if job.row.state is None or isinstance(reading, Document):
        return reading.state()
    try:
        return msgspec.msgpack.decode(job.row.state, type=reading.state)
    except msgspec.MsgspecError as error:
        what = "its state has another shape than before: its rules_version has to grow"
        raise PluginError(claim.plugin.name, "parse", what) from error


def _is_sound(usage: Usage, skips: Skips) -> bool:
    """Whether a plugin's numbers can be stored; counts those that cannot."""
    if isinstance(usage, (Copy, Mark)) or is_in_range(usage.at, usage.tokens):
        return True
    skips.add(OUT_OF_RANGE)
    return False


def _join(outcome: Outcome, part: Outcome) -> None:
    """Add what the next piece of the same file gave."""
    outcome.met += part.met
    outcome.position, outcome.state = part.position, part.state
    outcome.size += part.size
    for reason, count in part.skips.items():
        outcome.skips[reason] = outcome.skips.get(reason, 0) + count


def _is_enough(outcome: Outcome) -> bool:
    return len(outcome.met) >= EVENTS_AT_ONCE or outcome.size >= BYTES_AT_ONCE
