"""The samples of an author, what they count as a whole, and room for experiments with them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from msgspec.inspect import Type

from vibescore.discover import COMPRESSED
from vibescore.jobs import Claim, Job
from vibescore.model import (
    ZERO,
    Bucket,
    Document,
    Lines,
    Reading,
    Rows,
    RunningTotal,
    TokenTotals,
    Tree,
    iso_utc,
)
from vibescore.testing.fields import declared
from vibescore.testing.readings import Told, below, told
from vibescore.testing.sandbox import Files, Sandbox, Totals
from vibescore.testing.watch import Watched


class Sample(NamedTuple):
    """A file of the samples that the plugin recognised, by its path below the home."""

    path: str
    content: bytes
    job: Job
    claim: Claim

    @property
    def tree(self) -> Tree:
        return self.claim.tree

    @property
    def reading(self) -> Reading:
        return self.tree.reading

    @property
    def kinds(self) -> list[Type]:
        """What its records are decoded as."""
        return declared(self.reading.record, self.tree.head)

    @property
    def is_log(self) -> bool:
        """Whether it has one record a line and is not compressed."""
        return isinstance(self.reading, Lines) and not self.path.endswith(COMPRESSED)


@dataclass(slots=True)
class Lab:
    """Samples in a home, and new homes for experiments."""

    folder: Path
    plugin: Watched
    variables: Mapping[str, str]
    files: Files
    life: ExitStack
    original: Sandbox = field(init=False)
    jobs: list[Job] = field(init=False)
    whole: Totals = field(default_factory=dict)
    in_running_totals: bool = False
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.original = self.sandbox(self.files)
        self.jobs = self.original.jobs()

    def sandbox(self, files: Files | None = None) -> Sandbox:
        """A new computer with these files, or with none."""
        fresh = Sandbox(
            self.folder / f"{next(self._numbers)}", self.plugin, self.variables, self.life
        )
        return fresh.fill(files or {})

    @property
    def samples(self) -> list[Sample]:
        """Recognised files in the order in which the host reads them."""
        paths = {below(job, self.original.home): job for job in self.jobs}
        return [
            Sample(path, self.files[path], job, job.claim)
            for path, job in paths.items()
            if job.claim
        ]

    @property
    def trees(self) -> list[Tree]:
        """The trees in the home."""
        trees = self.plugin.discover(self.original.environment)
        return [tree for tree in trees if tree.root.is_relative_to(self.original.home)]

    @property
    def logs(self) -> list[Sample]:
        """Samples with one record a line."""
        return [sample for sample in self.samples if sample.is_log]

    @property
    def documents(self) -> list[Sample]:
        return [sample for sample in self.samples if isinstance(sample.reading, Document)]

    @property
    def databases(self) -> list[Sample]:
        return [sample for sample in self.samples if isinstance(sample.reading, Rows)]

    def told(self) -> list[list[Told]]:
        """What each file tells, apart from all others; raises PluginError."""
        return list(told(self.jobs, self.original.home))

    def learn(self) -> None:
        """Find out what the samples count as a whole; raises PluginError."""
        usage = [each.usage for file in self.told() for each in file]
        self.in_running_totals = any(isinstance(each, RunningTotal) for each in usage)
        self.whole = self.original.totals()

    def difference(self, found: Totals) -> str:
        """How totals differ from those of the whole; empty when they do not.

        Growth of a running total counts when it is met, so only its sums can be compared.
        """
        if self.in_running_totals:
            return difference(_without_times(self.whole), _without_times(found))
        return difference(self.whole, found)


def difference(wanted: Totals, found: Totals) -> str:
    """The first row that is not as wanted, for a person; empty when there is none."""
    for bucket in sorted(wanted.keys() | found.keys()):
        row, other = wanted.get(bucket, ZERO), found.get(bucket, ZERO)
        if row != other:
            when = f" at {iso_utc(bucket.start)}" if bucket.start else ""
            return f"{bucket.model}{when} has {_differing(row, other)}"
    return ""


def _differing(wanted: TokenTotals, found: TokenTotals) -> str:
    names = TokenTotals.__struct_fields__
    counters = zip(names, wanted.counters, found.counters, strict=True)
    return ", ".join(f"{name} {new} instead of {old}" for name, old, new in counters if new != old)


def _without_times(totals: Totals) -> Totals:
    sums: Totals = {}
    for bucket, tokens in totals.items():
        key = Bucket(bucket.source, bucket.model, 0)
        sums[key] = sums.get(key, ZERO) + tokens
    return sums
