"""Every case of the corpora, step by step: what is exported is exactly what was spent."""

from __future__ import annotations

import corpora_every_code  # noqa: F401  # its cases join the others
import pytest
from corpora import CASES, Case
from rollouts import Truth
from support import Computer

SHOWN = {"codex": ("COL-03",), "every-code": ("COL-04",), "gemini": ("COL-05", "COL-06")}

LOGS_ARE_LOST = {
    "parent deleted before its child appears",
    "truncated and continued at once, from the earlier total",
    "truncated, then the session goes on",
    "truncated to nothing, then begun anew",
    "file deleted between syncs",
    "messages removed from a rewritten document",
    "session file deleted between syncs",
    "Every Code: parent deleted after it was read, before its fork appears",
    "Every Code: truncated, then the session goes on",
    "Every Code: truncated to nothing, then begun anew",
}
"""Cases after which the logs tell less than they told on the way."""

EVERY_CASE = [
    pytest.param(case, id=case.name, marks=pytest.mark.requirement(*SHOWN[case.source]))
    for case in CASES.values()
]
every_case = pytest.mark.parametrize("case", EVERY_CASE)
every_case_whose_logs_remain = pytest.mark.parametrize(
    "case", [param for param in EVERY_CASE if param.id not in LOGS_ARE_LOST]
)


@pytest.mark.requirement("COL-01", "COL-07", "COL-08", "COL-10")
@every_case
def test_each_step_gives_its_truth_and_a_second_sync_changes_nothing(
    case: Case, computer: Computer
) -> None:
    for truth in case.build(computer.home):
        computer.sync()
        assert computer.export(case.source) == truth
        before = computer.contents()
        assert "0 inserted, nothing to upload" in computer.sync().output
        assert computer.contents() == before


@pytest.mark.requirement("CLI-12")
@every_case
def test_a_rebuild_gives_the_truth_again(case: Case, computer: Computer) -> None:
    truth = synced_step_by_step(case, computer)
    computer.sync("--rebuild")
    assert computer.export(case.source) == truth
    computer.sync("--rebuild")
    assert computer.export(case.source) == truth


@pytest.mark.requirement("COL-01", "COL-08")
@every_case
def test_without_its_cursors_a_sync_changes_nothing(case: Case, computer: Computer) -> None:
    truth = synced_step_by_step(case, computer)
    computer.forget_cursors()
    computer.sync()
    assert computer.export(case.source) == truth


@pytest.mark.requirement("COL-10", "BKF-08")
@every_case_whose_logs_remain
def test_the_last_tree_alone_gives_the_last_truth(case: Case, computer: Computer) -> None:
    *_, truth = case.build(computer.home)
    computer.sync()
    assert computer.export(case.source) == truth


def synced_step_by_step(case: Case, computer: Computer) -> Truth:
    """Syncs after each step of the case; gives the last truth."""
    last: Truth = {}
    for truth in case.build(computer.home):
        computer.collect()
        last = truth
    assert computer.totals(case.source) == last
    return last
