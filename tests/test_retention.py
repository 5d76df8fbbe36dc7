"""Numbers of single events are kept for 30 days, the sums for good (COL-11)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollouts import Chat, Rollout, archive, compress, spaced, truth_of, write
from stories import Story, codex_stories
from support import NOW, Computer

DAY = 86_400
NUMBERS = "SELECT COUNT(*) FROM event WHERE total_tokens IS NOT NULL OR bucket IS NOT NULL"


def numbers(computer: Computer) -> int:
    """How many events there are numbers of."""
    ((count,),) = computer.query(NUMBERS)
    return int(count)


def session(number: int = 1) -> Rollout:
    return Rollout(number).meta().model("gpt-5.1").turns(3)


@pytest.mark.requirement("COL-11")
def test_numbers_of_events_go_when_30_days_have_passed_and_their_sums_stay(
    computer: Computer,
) -> None:
    rollout = session()
    rollout.save(computer.home)
    computer.collect()
    computer.collect(now=NOW + 30 * DAY)
    assert numbers(computer) == 3
    computer.collect(now=NOW + 31 * DAY)
    assert numbers(computer) == 0
    assert computer.query("SELECT COUNT(*) FROM event") == [(3,)]
    assert computer.totals() == truth_of(rollout)


@pytest.mark.requirement("COL-11")
def test_they_are_counted_from_the_day_on_which_they_were_written(computer: Computer) -> None:
    rollout = session()
    path = rollout.save(computer.home)
    computer.collect()
    rollout.turns(2).append_to(path)
    computer.collect(now=NOW + 20 * DAY)
    computer.collect(now=NOW + 40 * DAY)
    assert numbers(computer) == 2
    computer.collect(now=NOW + 51 * DAY)
    assert numbers(computer) == 0
    assert computer.totals() == truth_of(rollout)


@pytest.mark.requirement("COL-11", "COL-08")
def test_closed_events_met_again_count_nothing(computer: Computer) -> None:
    rollout = session()
    path = rollout.save(computer.home)
    computer.collect()
    computer.collect(now=NOW + 31 * DAY)
    computer.forget_cursors()
    computer.collect(now=NOW + 32 * DAY)
    write(path, b"".join(spaced(entry.record) + b"\n" for entry in rollout.entries))
    computer.collect(now=NOW + 33 * DAY)
    archived = archive(computer.home, path)
    computer.collect(now=NOW + 34 * DAY)
    compress(archived)
    computer.collect(now=NOW + 35 * DAY)
    assert numbers(computer) == 0
    assert computer.totals() == truth_of(rollout)


@pytest.mark.requirement("COL-11", "COL-10")
def test_a_session_that_goes_on_after_30_days_is_counted_on(computer: Computer) -> None:
    rollout = session()
    path = rollout.save(computer.home)
    computer.collect()
    computer.collect(now=NOW + 31 * DAY)
    rollout.turns(2).append_to(path)
    computer.collect(now=NOW + 32 * DAY)
    archive(computer.home, path)
    computer.collect(now=NOW + 33 * DAY)
    assert numbers(computer) == 2
    assert computer.totals() == truth_of(rollout)


@pytest.mark.requirement("COL-11", "COL-03")
def test_a_fork_of_closed_events_is_still_known_as_a_copy(computer: Computer) -> None:
    parent = session()
    parent.save(computer.home)
    computer.collect()
    computer.collect(now=NOW + 31 * DAY)
    child = parent.fork(2, "2026-09-11T11:00:00").copy_head(parent, within=None).turns(2)
    child.save(computer.home)
    computer.collect(now=NOW + 32 * DAY)
    assert computer.totals() == truth_of(parent, child)


@pytest.mark.requirement("COL-11", "COL-05")
def test_new_messages_of_a_chat_with_closed_ones_are_counted(computer: Computer) -> None:
    chat = Chat(1).answer("m1", 10, 2, 3, 4, 5)
    path = write(chat.path(computer.home, ending=".json"), chat.document())
    computer.collect()
    computer.collect(now=NOW + 31 * DAY)
    write(path, chat.answer("m2", 20, 2, 3, 4, 5).document())
    computer.collect(now=NOW + 32 * DAY)
    assert numbers(computer) == 1
    assert computer.totals() == truth_of(chat)


@pytest.mark.requirement("COL-11", "CLI-12")
def test_a_rebuild_after_30_days_gives_the_same_and_keeps_what_only_lost_logs_told(
    computer: Computer,
) -> None:
    rollout, lost, moved = session(1), session(2), session(3)
    rollout.save(computer.home)
    lost_path, moved_path = lost.save(computer.home), moved.save(computer.home)
    computer.collect()
    computer.collect(now=NOW + 31 * DAY)
    lost_path.unlink()
    compress(archive(computer.home, moved_path))
    for day in (32, 33, 64, 65):
        computer.collect(now=NOW + day * DAY, rebuild=True)
        assert computer.totals() == truth_of(rollout, lost, moved)
    assert computer.query("SELECT COUNT(*) FROM event WHERE total_tokens IS NULL") != [(0,)]


@pytest.mark.requirement("COL-11", "COL-10")
@settings(max_examples=30)
@given(codex_stories(), st.lists(st.integers(0, 40), min_size=3, max_size=3))
def test_however_many_days_pass_between_syncs_the_sums_are_the_truth(
    story: Story, pauses: list[int]
) -> None:
    with Computer.temporary() as computer:
        day = 0
        for chapter, pause in zip(story.chapters, pauses, strict=False):
            day += pause
            for path, content in chapter.items():
                known = computer.home / path
                write(known, (known.read_bytes() if known.exists() else b"") + content)
            computer.collect(now=NOW + day * DAY)
        assert computer.totals() == story.truth
        computer.collect(now=NOW + (day + 31) * DAY)
        assert numbers(computer) == 0
        computer.collect(now=NOW + (day + 32) * DAY, rebuild=True)
        assert computer.totals() == story.truth
