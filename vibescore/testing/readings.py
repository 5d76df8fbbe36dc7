"""Reading a file through the hooks alone: no store, no joining, so that single events show."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from vibescore import work
from vibescore.accumulate import event_hash
from vibescore.errors import PluginError
from vibescore.jobs import Claim, Job
from vibescore.model import (
    Copy,
    EventId,
    Mark,
    ParseContext,
    RunningTotal,
    Skips,
    TokenTotals,
    Usage,
    UsageEvent,
)
from vibescore.reader import read
from vibescore.testing.watch import explained

UNKEEPABLE = (*work.UNKEEPABLE, msgspec.MsgspecError)
"""What is raised for a state that cannot be kept."""


class Told(NamedTuple):
    """Usage that a plugin told, where: a file below the home, and the record it had taken last,
    counted from 1.
    """

    path: str
    record: int
    usage: Usage

    def __str__(self) -> str:
        return f"{self.path}, decoded record {self.record}"

    @property
    def counted(self) -> UsageEvent | RunningTotal | None:
        """The usage if it counts something."""
        return None if isinstance(self.usage, Copy | Mark) else self.usage


class Reader:
    """One reading of one file. It remembers nothing but the state, as the host does, and knows the
    events met before it.
    """

    def __init__(self, job: Job, claim: Claim, met: set[int]) -> None:
        self.plugin = claim.plugin
        self.records = records_of(job, claim)
        self._met = set(met)
        self.context = ParseContext(
            job.row.key,
            claim.tree,
            claim.tree.reading.state(),
            job.ancestors,
            job.complete,
            self._seen,
            Skips().add,
        )

    def _seen(self, id: EventId) -> bool:
        return event_hash(self.plugin.name, id) in self._met

    def feed(self, record: Struct) -> list[Usage]:
        """What the plugin makes of the next record; raises PluginError."""
        usage = self.plugin.parse([record], self.context)
        self.learn(usage)
        return usage

    def learn(self, usage: list[Usage]) -> set[int]:
        """Events that are known from now on."""
        for item in usage:
            known = self._met.discard if isinstance(item, Copy) else self._met.add
            known(event_hash(self.plugin.name, item.id))
        return self._met


def records_of(job: Job, claim: Claim) -> list[Any]:
    """The records of a file, as the host decodes them."""
    return [
        record for piece in read(job.found.path, claim.tree.reading) for record in piece.records
    ]


def told(jobs: list[Job], home: Path) -> Iterator[list[Told]]:
    """What each file tells when it is read in one go; raises PluginError."""
    met: set[int] = set()
    for job in jobs:
        if job.claim:
            reader = Reader(job, job.claim, met)
            found = [Told(below(job, home), record, usage) for record, usage in _in_one_go(reader)]
            met = reader.learn([each.usage for each in found])
            yield found


def below(job: Job, home: Path) -> str:
    """The file of a job, seen from the home."""
    return Path(job.found.path).relative_to(home).as_posix()


def _in_one_go(reader: Reader) -> Iterator[tuple[int, Usage]]:
    """The usage of a file, each with the number of the record that was taken last."""
    taken = 0

    def counted() -> Iterator[Any]:
        nonlocal taken
        for record in reader.records:
            taken += 1
            yield record

    name, hook = reader.plugin.name, reader.plugin.hooks["vibescore_parse"]
    try:
        for answer in hook(records=counted(), context=reader.context):
            for usage in answer or ():
                check_shape(usage)
                yield taken, usage
    except Exception as error:
        raise PluginError(name, "parse", f"at record {taken}: {explained(error)}") from error


def readers(jobs: list[Job]) -> Iterator[tuple[Job, Callable[[], Reader]]]:
    """Every file, and what makes a new reading of it that knows the events of those before."""
    met: set[int] = set()
    for job in jobs:
        if job.claim:
            new_reader = partial(Reader, job, job.claim, met)
            yield job, new_reader
            known = new_reader()
            for record in known.records:
                known.feed(record)
            met = known.learn([])


def kept(state: Struct) -> Struct:
    """The state as the next sync finds it; raises one of UNKEEPABLE."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state))


def check_shape(usage: Any) -> None:
    """Raise TypeError for usage of which a part has the wrong type."""
    if not isinstance(usage, UsageEvent | RunningTotal | Copy | Mark):
        raise TypeError(f"a {type(usage).__name__} is no UsageEvent, RunningTotal, Copy or Mark")
    if isinstance(usage, Copy | Mark):
        return
    if not isinstance(usage.tokens, TokenTotals):
        raise TypeError(f"the tokens are a {type(usage.tokens).__name__}: make them TokenTotals")
    if any(type(counter) is not int for counter in usage.tokens.counters):
        raise TypeError("a counter is no whole number: make each an int")
    if isinstance(usage.at, bool) or not isinstance(usage.at, int | float):
        raise TypeError(f"the time is a {type(usage.at).__name__}: make it UTC seconds")
    if not isinstance(usage.model, str | None):
        raise TypeError(f"the model is a {type(usage.model).__name__}: give a text or None")
