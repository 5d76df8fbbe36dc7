"""The event ledger: however often and in whichever order events are met, each counts once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sums import models, starts, tokens, total

from vibescore.accumulate import Change, Known, Met, Standing, accumulate, growth
from vibescore.model import ZERO, Bucket, TokenTotals

SOURCE = "codex"
FILES = (1, 2, 3)

met = st.builds(Met, st.integers(1, 4), starts, models, tokens)
readings = st.lists(st.tuples(st.sampled_from(FILES), met), max_size=12)
"""Events in the order in which they are met, each with its file."""

normal = st.builds(
    lambda input, output, cached, reasoning: TokenTotals.normal(
        input=input, output=output, cached_input=cached, reasoning_output=reasoning
    ),
    *[st.integers(0, 9)] * 4,
)

Reading = Sequence[tuple[int, Met]]


def count(
    events: Reading, known: dict[int, Known] | None = None, change: Change | None = None
) -> Change:
    """Everything counted in one go, behind `change`."""
    change = Change() if change is None else change
    for file, event in events:
        accumulate(change, known or {}, [event], file=file, source=SOURCE)
    return change


def ledger(changes: Iterable[Change], standing: Standing = Standing.CURRENT) -> dict[int, Known]:
    """What a store holds after these changes, and what became of the files since."""
    known: dict[int, Known] = {}
    for change in changes:
        for id, counted in change.events.items():
            if counted is None:
                known.pop(id, None)
            else:
                known[id] = Known(counted.file, counted, standing)
    return known


def by_bucket(*changes: Change) -> dict[Bucket, TokenTotals]:
    sums: dict[Bucket, TokenTotals] = {}
    for change in changes:
        for (_, bucket), its in change.sums.items():
            sums[bucket] = sums.get(bucket, ZERO) + its
    return {bucket: its for bucket, its in sums.items() if its}


@pytest.mark.requirement("BKF-08", "COL-08", "COL-10")
@given(readings, st.randoms())
def test_sums_do_not_depend_on_the_order_in_which_events_are_met(
    events: Reading, random: Random
) -> None:
    shuffled = random.sample(events, len(events))
    assert by_bucket(count(shuffled)) == by_bucket(count(events))


@pytest.mark.requirement("BKF-08", "COL-08")
@given(readings, st.lists(st.integers(0, 12), max_size=3))
def test_any_partition_into_batches_gives_what_one_batch_gives(
    events: Reading, cuts: list[int]
) -> None:
    changes: list[Change] = []
    for start, end in pairwise([0, *sorted(cuts), len(events)]):
        changes.append(count(events[start:end], ledger(changes)))
    assert by_bucket(*changes) == by_bucket(count(events))
    assert ledger(changes) == ledger([count(events)])


@pytest.mark.requirement("COL-08")
@given(readings)
def test_events_met_twice_count_once(events: Reading) -> None:
    first = count(events)
    assert count(events, ledger([first])) == Change()
    assert count(events, change=count(events)) == first


@pytest.mark.requirement("COL-10")
@given(readings)
def test_the_sums_are_those_of_the_events_kept(events: Reading) -> None:
    change = count(events)
    kept = [counted for counted in change.events.values() if counted]
    assert total(by_bucket(change).values()) == total(counted.tokens for counted in kept)
    assert {counted.file for counted in kept} <= {file for file, _ in events}


@pytest.mark.requirement("COL-10")
@given(readings, st.integers(1, 4))
def test_a_copy_takes_back_what_its_event_counted(events: Reading, id: int) -> None:
    change = count([*events, (1, Met(id))])
    others = count([(file, event) for file, event in events if event.id != id])
    assert by_bucket(change) == by_bucket(others)


@pytest.mark.requirement("COL-11")
@given(readings)
def test_a_closed_event_counts_nothing_when_it_is_met_again(events: Reading) -> None:
    closed = {event.id: Known(file, None) for file, event in events}
    assert count(events, closed) == Change()


@pytest.mark.requirement("COL-01")
@given(readings, st.sampled_from(FILES))
def test_a_file_takes_over_the_events_of_one_that_vanished_without_changing_the_sum(
    events: Reading, heir: int
) -> None:
    before = count(events)
    known = ledger([before], Standing.VANISHED)
    after = count([(heir, event) for _, event in events], known)
    assert by_bucket(before, after) == by_bucket(before)
    assert {its.file for its in ledger([before, after]).values()} <= {heir}


@pytest.mark.requirement("CLI-12")
@given(readings, readings)
def test_what_is_counted_again_replaces_what_outdated_readings_counted(
    old: Reading, new: Reading
) -> None:
    before = count(old)
    new = [(file + len(FILES), event) for file, event in new]
    again = count(new, ledger([before], Standing.OUTDATED))
    met_again = {event.id for _, event in new}
    kept = count([(file, event) for file, event in old if event.id not in met_again])
    assert by_bucket(before, again) == by_bucket(kept, count(new))


@pytest.mark.requirement("COL-10")
@given(st.lists(normal, max_size=6))
def test_a_running_total_that_only_grows_counts_as_its_last_value(steps: list[TokenTotals]) -> None:
    grown, last = ZERO, ZERO
    for step in steps:
        if step.total_tokens:
            grown += growth(last, last + step)
            last += step
    assert grown == last


@pytest.mark.requirement("COL-10")
@given(normal, normal)
def test_what_is_in_normal_form_grows_in_normal_form(one: TokenTotals, other: TokenTotals) -> None:
    low, high = sorted((one, other), key=lambda its: its.total_tokens)
    grown = growth(low, high)
    assert grown.total_tokens == high.total_tokens - low.total_tokens
    assert grown.total_tokens == grown.input_tokens + grown.output_tokens
    assert grown.cached_input_tokens <= grown.input_tokens
    assert grown.reasoning_output_tokens <= grown.output_tokens


@pytest.mark.requirement("COL-10")
@given(tokens, tokens)
def test_a_running_total_that_fell_counts_nothing(one: TokenTotals, other: TokenTotals) -> None:
    low, high = sorted((one, other), key=lambda its: its.total_tokens)
    assert growth(high, low) == ZERO
