"""What is counted: the right numbers at the right time, once."""

import json
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from vibescore.errors import PluginError
from vibescore.model import (
    HALF_HOUR,
    Bucket,
    EventId,
    RunningTotal,
    TokenTotals,
    UsageEvent,
    utc_seconds,
)
from vibescore.testing.lab import Lab, difference
from vibescore.testing.readings import Told
from vibescore.testing.sample_contract import SampleContract
from vibescore.testing.sandbox import Totals
from vibescore.testing.verdicts import check_problems, check_whole, fail

FIRST_SECOND = 946_684_800  # 2000-01-01: no model was asked before
SECONDS_PER_DAY = 86_400


class CountingChecks(SampleContract):
    """What is counted: the right numbers at the right time, once."""

    def test_the_rows_are_those_expected(self, lab: Lab) -> None:
        """What was reckoned by hand, row by row (COL-10)."""
        if self.expected is None:
            pytest.skip("no expected rows are given")
        if wrong := difference(_rows(self.expected), lab.whole):
            fail(
                f"The samples count otherwise than {self.expected.name} says: {wrong}",
                "reckon by hand which of the two is right",
            )

    def test_counters_are_in_normal_form(self, untried: Lab) -> None:
        """0 ≤ cached ≤ input, 0 ≤ reasoning ≤ output, total = input + output."""
        if self.reasoning_beside_output:
            pytest.skip("reasoning_beside_output: the tool's own sums are kept")
        for each, usage in _counted(untried):
            if wrong := _out_of_form(usage.tokens):
                fail(
                    f"Usage has {wrong} ({each})",
                    "add what the tool counts beside the input (cache) or the output (reasoning),"
                    " so that cached is a part of input, reasoning one of output, and total their"
                    " sum; reasoning_beside_output = True is for tools whose sums must be kept",
                )

    def test_times_are_utc_seconds(self, untried: Lab) -> None:
        """Neither milliseconds nor seconds since something else."""
        tomorrow = time.time() + SECONDS_PER_DAY
        for each, usage in _counted(untried):
            if not FIRST_SECOND <= usage.at <= tomorrow:
                fail(
                    f"Usage has the time {usage.at!r} ({each}), which is "
                    + ("later than tomorrow" if usage.at > tomorrow else "before the year 2000"),
                    "give UTC seconds: divide milliseconds by 1000, read texts with utc_seconds()",
                )

    def test_no_event_is_swallowed(self, lab: Lab) -> None:
        """Different responses have different ids: of equal ones the host keeps the largest."""
        largest: dict[tuple[str, EventId], UsageEvent] = {}
        for each, usage in _counted(lab):
            before = largest.setdefault((each.path, usage.id), usage)  # type: ignore[arg-type]
            shrunk = usage.tokens.total_tokens < before.tokens.total_tokens
            if isinstance(usage, UsageEvent) and (shrunk or _apart(before, usage)):
                fail(
                    f"An event has the id of another one ({each}): of both only the larger counts",
                    "make the id of what is special to one response: its own id, or session, time"
                    " and counters",
                )
            if isinstance(usage, UsageEvent):
                largest[each.path, usage.id] = usage

    def test_events_are_the_same_when_read_again(self, lab: Lab) -> None:
        """Ids, times, models and counters follow from the log alone (COL-08)."""
        for first, again in zip(lab.told(), lab.told(), strict=True):
            if first != again:
                each = next((one for one in first if one not in again), (first or again)[0])
                fail(
                    f"A second reading tells other usage than the first ({each})",
                    "make ids of what stays the same in the log: no random numbers, no clock, no"
                    " hash(), no counters outside context.state",
                )

    def test_reading_everything_again_counts_nothing_twice(self, lab: Lab) -> None:
        """Cursors can be forgotten, logs recounted (COL-08, CLI-12)."""
        mend = (
            "make ids of what stays the same in the log, and leave repeats to the host: seen() is"
            " only for telling the copied head of a fork"
        )
        check_problems(lab.original, lab.original.sync(rebuild=True), "With sync --rebuild")
        check_whole(lab, lab.original, "With sync --rebuild", mend)
        lab.original.forget_cursors()
        check_problems(lab.original, lab.original.sync(), "When all cursors are forgotten")
        check_whole(lab, lab.original, "When all cursors are forgotten", mend)

    def test_a_second_sync_changes_nothing(self, lab: Lab) -> None:
        """Nothing new: same store (COL-08)."""
        before = lab.original.contents()
        summary = lab.original.sync()
        if summary.files_read or lab.original.contents() != before:
            fail(
                f"A second sync read {summary.files_read} files again and changed the store",
                "let vibescore_discover give the same trees in the same order every time",
            )

    def test_files_may_arrive_in_any_order(self, lab: Lab) -> None:
        """The newest first, one in each sync (BKF-08)."""
        if any(sample.tree.in_order for sample in lab.samples):
            pytest.skip("a tree is read in_order")
        sandbox = lab.sandbox()
        for sample in reversed(lab.samples):
            sandbox.put(sample.path, sample.content)
            check_problems(sandbox, sandbox.sync(), f"When {sample.path} is added")
        check_whole(
            lab,
            sandbox,
            "When the files are read one after the other, the last first",
            "let events of one file not depend on what stands in others; a copied head is told by"
            " Identity.parent and context.ancestors",
        )


def _rows(expected: Path) -> Totals:
    """The rows of a file as `vibescore export` writes them."""
    totals: Totals = {}
    for line in expected.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            row = json.loads(line)
            start = utc_seconds(row.pop("hour_start")) or 0
            bucket = Bucket(row.pop("source"), row.pop("model"), int(start))
            totals[bucket] = TokenTotals(**row)
    return totals


def _counted(lab: Lab) -> Iterator[tuple[Told, UsageEvent | RunningTotal]]:
    """All usage that counts, and where it was told."""
    try:
        files = lab.told()
    except PluginError:
        pytest.skip("the samples cannot be read yet: see test_the_samples_are_read")
    for each in chain.from_iterable(files):
        if each.counted is not None:
            yield each, each.counted


def _out_of_form(tokens: TokenTotals) -> str:
    """What is not as it should be, with the numbers."""
    fresh, cached, output, reasoning, total = tokens.counters
    if not 0 <= cached <= fresh:
        return f"cached_input_tokens {cached} of input_tokens {fresh}"
    if not 0 <= reasoning <= output:
        return f"reasoning_output_tokens {reasoning} of output_tokens {output}"
    if total != fresh + output:
        return f"total_tokens {total}, not input + output = {fresh + output}"
    return ""


def _apart(one: UsageEvent | RunningTotal, other: UsageEvent | RunningTotal) -> bool:
    """Whether two are too far apart in time to be two versions of one event."""
    return abs(one.at - other.at) > HALF_HOUR
