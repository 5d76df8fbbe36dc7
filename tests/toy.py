"""A made-up tool and its plugins: just enough to see what the host does with any source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from rollouts import Counters, Truth, append, half_hour, moment
from support import Computer, made_up

from vibescore import (
    Environment,
    Identity,
    Lines,
    Rows,
    RunningTotal,
    TokenTotals,
    Tree,
    UsageEvent,
)
from vibescore.plugins import Plugin

AT = "2026-08-10T09:14:00"


class Record(Struct):
    """A line or a row: so many input tokens, at that UTC second."""

    id: str
    tokens: int
    at: float = moment(AT).timestamp()
    model: str | None = "toy-1"
    owner: str = ""


def toy(
    name: str = "toy",
    *,
    rules_version: int = 1,
    factor: int = 1,
    mine: Callable[[Record], bool] = lambda _: True,
    parse: Callable[..., Any] | None = None,
) -> Plugin:
    """A plugin for line logs in `~/toy`; its rules multiply every number by `factor`."""

    def discover(env: Environment) -> Iterator[Tree]:
        yield Tree(env.home / "toy", "**/*.log", Lines(Record), Record, rules_version)

    def identify(path: Path, head: Record | None) -> Identity | None:
        return Identity(path.stem) if head and mine(head) else None

    def count(records: Iterable[Record]) -> Iterator[UsageEvent]:
        for record in records:
            yield UsageEvent(record.id, record.at, record.model, tokens(record.tokens * factor))

    return made_up(name, discover=discover, identify=identify, parse=parse or count)


def database_toy(query: str, *, running: bool = False) -> Plugin:
    """A plugin for the database `~/toy/toy.db`, with events or with running totals in it."""
    kind = RunningTotal if running else UsageEvent

    def discover(env: Environment) -> Iterator[Tree]:
        yield Tree(env.home / "toy", "toy.db", Rows(query, Row))

    def parse(records: Iterable[Row]) -> Iterator[UsageEvent | RunningTotal]:
        for row in records:
            yield kind(row.id, row.at, row.model, tokens(row.tokens))

    return made_up("toy", discover=discover, parse=parse)


class Row(Record):
    """A row of the database; rows are read in the order of their numbers."""

    number: int = 0


def tokens(count: int) -> TokenTotals:
    return TokenTotals(input_tokens=count, total_tokens=count)


def log(computer: Computer, name: str, *lines: tuple[str, int], owner: str = "") -> Path:
    """Appends to a log of the made-up tool; gives its path."""
    path = computer.home / "toy" / f"{name}.log"
    path.parent.mkdir(exist_ok=True)
    records = [{"id": id, "tokens": count, "owner": owner} for id, count in lines]
    append(path, "".join(json.dumps(record) + "\n" for record in records).encode())
    return path


def counted(count: int, source: str = "toy", at: str = AT) -> Truth:
    """The truth when that many tokens were spent."""
    return {(source, "toy-1", half_hour(moment(at))): Counters(count, 0, 0, 0, count)}
