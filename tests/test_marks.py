"""Telling copies that no link announces: marks, and files that are read in the order of their
names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support import Computer, made_up
from toy import Record, counted, log, tokens

from vibescore import Environment, Identity, Lines, Mark, ParseContext, Tree, UsageEvent
from vibescore.plugins import Plugin


def marking(*, in_order: bool = True) -> Plugin:
    """A plugin for logs that repeat each other's lines: an event whose name was met in another
    session is a copy.
    """

    def discover(env: Environment) -> Iterator[Tree]:
        yield Tree(env.home / "toy", "**/*.log", Lines(Record), in_order=in_order)

    def identify(path: Path) -> Identity:
        return Identity(path.stem)

    def parse(records: Iterable[Record], context: ParseContext) -> Iterator[UsageEvent | Mark]:
        for record in records:
            id = (context.key, record.id)
            if context.seen(id) or not context.seen(record.id):
                yield UsageEvent(id, record.at, record.model, tokens(record.tokens))
                yield Mark(record.id)

    return made_up("toy", discover=discover, identify=identify, parse=parse)


@pytest.mark.requirement("COL-04", "COL-10")
def test_a_marked_name_is_seen_in_files_that_are_read_later(computer: Computer) -> None:
    log(computer, "1", ("a", 10), ("b", 20))
    log(computer, "2", ("a", 10), ("c", 5))
    summary = computer.collect([marking()])
    assert computer.totals() == counted(35)
    assert summary.events == 3


@pytest.mark.requirement("COL-04", "COL-08", "COL-10")
def test_a_marked_name_is_seen_in_later_syncs_and_when_files_are_read_again(
    computer: Computer,
) -> None:
    log(computer, "1", ("a", 10), ("b", 20))
    computer.collect([marking()])
    log(computer, "2", ("a", 10), ("c", 5))
    for rebuild in (False, True, True):
        computer.collect([marking()], rebuild=rebuild)
        assert computer.totals() == counted(35)
    computer.forget_cursors()
    computer.collect([marking()])
    assert computer.totals() == counted(35)


@pytest.mark.requirement("COL-04", "COL-11")
def test_a_mark_outlives_the_log_it_was_met_in_and_the_numbers_of_its_event(
    computer: Computer,
) -> None:
    path = log(computer, "1", ("a", 10))
    computer.collect([marking()])
    path.unlink()
    later = 1_786_406_400.0 + 40 * 86_400
    computer.collect([marking()], now=later)
    log(computer, "2", ("a", 10), ("c", 5))
    computer.collect([marking()], now=later)
    assert computer.totals() == counted(15)


@pytest.mark.requirement("COL-04")
def test_files_in_order_are_read_by_name_wherever_they_lie(computer: Computer) -> None:
    seen: list[str] = []

    def parse(context: ParseContext) -> list[UsageEvent]:
        seen.append(context.key)
        return []

    def discover(env: Environment) -> Iterator[Tree]:
        for folder in ("b", "a"):
            yield Tree(env.home / "toy" / folder, "*.log", Lines(Record), in_order=True)

    for name in ("b/1", "a/2", "b/3", "a/4"):
        (computer.home / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        log(computer, name, ("x", 1))
    plugin = made_up(
        "toy", discover=discover, identify=lambda path: Identity(path.stem), parse=parse
    )
    computer.collect([plugin])
    assert seen == ["1", "2", "3", "4"]


@pytest.mark.requirement("PLG-01", "COL-04")
def test_a_plugin_is_told_in_which_of_its_trees_a_file_lies(computer: Computer) -> None:
    trees: list[Tree] = []

    def discover(env: Environment) -> list[Tree]:
        return [Tree(env.home / "toy", f"{name}.log", Lines(Record)) for name in ("1", "2")]

    def identify(path: Path, tree: Tree) -> Identity:
        trees.append(tree)
        return Identity(path.stem)

    def parse(context: ParseContext) -> list[UsageEvent]:
        trees.append(context.tree)
        return []

    for name in ("1", "2"):
        log(computer, name, ("x", 1))
    plugin = made_up("toy", discover=discover, identify=identify, parse=parse)
    computer.collect([plugin])
    assert [tree.pattern for tree in trees] == ["1.log", "2.log"] * 2


@pytest.mark.requirement("PLG-02", "COL-09")
def test_two_trees_with_the_same_files_are_a_mistake_that_is_told(computer: Computer) -> None:
    def discover(env: Environment) -> list[Tree]:
        return [Tree(env.home / "toy", "*.log", Lines(Record)) for _ in range(2)]

    summary = computer.collect([made_up("toy", discover=discover, parse=lambda records: records)])
    (problem,) = summary.problems
    assert "two trees are toy/*.log" in problem.what
