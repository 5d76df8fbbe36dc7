"""Counting again: when a plugin's rules change, when a file changes hands, and on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from rollouts import Rollout, truth_of
from support import Computer, codex
from toy import Record, counted, log, tokens, toy

import vibescore_codex
from vibescore import ParseContext, UsageEvent
from vibescore.ledger import FILES_PER_BATCH
from vibescore.model import Usage


@pytest.mark.requirement("CLI-12")
def test_changed_rules_count_the_files_again_that_are_there(computer: Computer) -> None:
    log(computer, "a", ("e1", 5), ("e2", 7))
    computer.collect([toy()])
    computer.collect([toy(factor=10)])
    assert computer.totals() == counted(12)
    computer.collect([toy(factor=10, rules_version=2)])
    assert computer.totals() == counted(120)
    computer.collect([toy(factor=1, rules_version=3)])
    assert computer.totals() == counted(12)


@pytest.mark.requirement("CLI-12")
def test_what_only_vanished_files_told_stays(computer: Computer) -> None:
    log(computer, "a", ("e1", 5))
    gone = log(computer, "b", ("e2", 7))
    computer.collect([toy()])
    gone.unlink()
    computer.collect([toy(factor=10)], rebuild=True)
    assert computer.totals() == counted(57)
    computer.collect([toy(factor=100, rules_version=2)])
    assert computer.totals() == counted(507)


@pytest.mark.requirement("CLI-12")
def test_new_rules_that_count_nothing_leave_nothing(computer: Computer) -> None:
    log(computer, "a", ("e1", 5))
    computer.collect([toy()])
    computer.acknowledge()
    computer.collect([toy(rules_version=2, factor=0)])
    assert computer.totals() == {}
    assert [row.total_tokens for row in computer.pending().values()] == [0]


@pytest.mark.requirement("CLI-12", "COL-01")
def test_an_event_told_by_two_files_is_counted_once_by_new_rules(computer: Computer) -> None:
    log(computer, "b", ("e1", 5))
    computer.collect([toy()])
    log(computer, "a", ("e1", 5), ("e2", 7))
    for version in (1, 2, 3):
        computer.collect([toy(factor=version, rules_version=version)])
        assert computer.totals() == counted(12 * version)


@pytest.mark.requirement("CLI-12", "COL-09")
def test_a_file_that_cannot_be_counted_again_keeps_its_count(computer: Computer) -> None:
    log(computer, "a", ("e1", 5))
    log(computer, "b", ("e2", 7))
    computer.collect([toy()])
    broken = toy(factor=10, rules_version=2, parse=failing_on("b", factor=10))
    (problem,) = computer.collect([broken]).problems
    assert problem.path.endswith("b.log")
    assert computer.totals() == counted(57)
    computer.collect([toy(factor=10, rules_version=2)])
    assert computer.totals() == counted(120)


@pytest.mark.requirement("CLI-12", "COL-08", "COL-09")
def test_an_event_of_a_file_that_cannot_be_counted_again_is_not_counted_by_another_as_well(
    computer: Computer,
) -> None:
    log(computer, "b", ("e1", 5))
    computer.collect([toy()])
    log(computer, "a", ("e1", 5))
    computer.collect([toy()])
    computer.collect([toy(parse=failing_on("b"))], rebuild=True)
    assert computer.totals() == counted(5)
    computer.collect([toy()])
    assert computer.totals() == counted(5)


def failing_on(key: str, factor: int = 1) -> Callable[..., Any]:
    """Rules that fail on one file."""

    def parse(records: Iterable[Record], context: ParseContext) -> Iterator[UsageEvent]:
        for record in records:
            if context.key == key:
                raise ValueError(record.id)
            yield UsageEvent(record.id, record.at, record.model, tokens(record.tokens * factor))

    return parse


@pytest.mark.requirement("COL-04", "PLG-01")
def test_a_file_belongs_to_the_first_plugin_by_name_that_identifies_it(computer: Computer) -> None:
    log(computer, "a", ("e1", 5), owner="two")
    log(computer, "b", ("e2", 7))
    two = toy("two", mine=lambda head: head.owner == "two")
    computer.collect([toy("one", mine=lambda head: head.owner != "two"), two, toy("zero")])
    assert computer.totals() == counted(7, "one") | counted(5, "two")


@pytest.mark.requirement("COL-04", "CLI-12")
def test_a_file_that_changes_hands_takes_its_tokens_along(computer: Computer) -> None:
    log(computer, "a", ("e1", 5), owner="first")
    log(computer, "b", ("e2", 7))
    computer.collect([toy("second")])
    computer.acknowledge()
    first = toy("first", mine=lambda head: head.owner == "first")
    computer.collect([first, toy("second")])
    assert computer.totals() == counted(5, "first") | counted(7, "second")
    assert {key[0]: row.total_tokens for key, row in computer.pending().items()} == {
        "first": 5,
        "second": 7,
    }
    log(computer, "a", ("e3", 1))
    computer.collect([first, toy("second")])
    assert computer.totals() == counted(6, "first") | counted(7, "second")


@pytest.mark.requirement("COL-09")
def test_without_its_plugin_a_source_keeps_its_totals_and_goes_on_when_it_is_back(
    computer: Computer,
) -> None:
    log(computer, "a", ("e1", 5))
    computer.collect([toy()])
    log(computer, "a", ("e2", 7))
    computer.collect([])
    assert computer.totals() == counted(5)
    computer.collect([toy()])
    assert computer.totals() == counted(12)


@pytest.mark.requirement("CLI-12", "COL-08")
@pytest.mark.parametrize("others", range(FILES_PER_BATCH - 2, FILES_PER_BATCH + 2))
def test_a_rebuild_that_is_interrupted_between_two_copies_counts_nothing_twice(
    others: int, computer: Computer
) -> None:
    log(computer, "z2", ("e", 5))
    computer.collect([toy()])
    log(computer, "z1", ("e", 5))
    for number in range(others):
        log(computer, f"a{number}", (f"e{number}", 1))
    computer.collect([toy()])
    with pytest.raises(KeyboardInterrupt):
        computer.collect([toy(parse=interrupted_at("z2"))], rebuild=True)
    computer.collect([toy()])
    assert computer.totals() == counted(5 + others)


def interrupted_at(key: str) -> Callable[..., Any]:
    def parse(records: Iterable[Record], context: ParseContext) -> Iterator[UsageEvent]:
        if context.key == key:
            raise KeyboardInterrupt
        for record in records:
            yield UsageEvent(record.id, record.at, record.model, tokens(record.tokens))

    return parse


@pytest.mark.requirement("COL-03", "COL-08")
@pytest.mark.parametrize("others", range(FILES_PER_BATCH - 2, FILES_PER_BATCH + 2))
def test_a_sync_interrupted_between_a_parent_and_its_known_fork_counts_the_fork_again_later(
    others: int, computer: Computer
) -> None:
    parent = Rollout(900).meta().model("gpt-5.1").turns(3)
    child = parent.fork(901, "11:00").copy_head(parent, within=timedelta(minutes=1)).turns(1)
    child.save(computer.home)
    computer.collect()
    rollouts = [Rollout(number, "2026-08-09T09:00:00").meta().turns(1) for number in range(others)]
    for rollout in [parent, *rollouts]:
        rollout.save(computer.home)

    def parse(records: Iterable[Any], context: ParseContext) -> Iterable[Usage]:
        if context.key == child.id:
            raise KeyboardInterrupt
        return vibescore_codex.vibescore_parse(records, context)

    with pytest.raises(KeyboardInterrupt):
        computer.collect([codex(parse=parse)])
    computer.collect()
    assert computer.totals() == truth_of(parent, child, *rollouts)
