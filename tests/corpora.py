"""Small log trees with their exact truth, one function per case.

A case builds a home below the directory it is given and yields what a sync at that point has to
have found; a case that yields more than once changes the tree in between, as the tools do. The
truth holds rows of the case's own source only.

    for truth in CASES["archive move between two syncs"].build(home):
        sync(home)
        assert exported(home, source) == truth
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import zstandard
from rollouts import (
    CONTEXT_WINDOW,
    Chat,
    Counters,
    Record,
    Rollout,
    Truth,
    append,
    archive,
    backwards,
    compact,
    compress,
    compressed_copy,
    escaped,
    event_msg,
    full,
    lines,
    moment,
    replace,
    session_id,
    spaced,
    truth_of,
    write,
)

Steps = Iterator[Truth]
Build = Callable[[Path], Steps]

GPT_52 = "gpt-5.2-codex"
GPT_51 = "gpt-5.1"
MINI = "gpt-5.1-codex-mini"
PRO = "gemini-3-pro"
FLASH = "gemini-3-flash"


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour: `build` yields the truth after each step."""

    name: str
    source: str
    build: Build


CASES: dict[str, Case] = {}


def case(name: str, source: str = "codex") -> Callable[[Build], Build]:
    """Registers a case under the sentence that names it."""

    def register(build: Build) -> Build:
        if name in CASES:
            raise ValueError(f"two cases are called {name!r}")
        CASES[name] = Case(name, source, build)
        return build

    return register


def opened(number: int, start: str = "2026-08-10T09:14:00", model: str = GPT_52) -> Rollout:
    """A session at its first turn."""
    return Rollout(number, start).meta().model(model)


def saved(home: Path, *rollouts: Rollout) -> Truth:
    """Writes them all and gives their truth."""
    for rollout in rollouts:
        rollout.save(home)
    return truth_of(*rollouts)


@case("several events in one half-hour")
def several_events(home: Path) -> Steps:
    rollout = opened(1).usage(1_200, 1_000, 80, 40).usage(1_500, 1_200, 60, 0)
    yield saved(home, rollout.usage(30, 0, 5, 5, at="09:31"))


@case("unchanged re-sends")
def unchanged_resends(home: Path) -> Steps:
    rollout = opened(1).usage(1_200, 1_000, 80, 40).resend().resend()
    yield saved(home, rollout.usage(900, 0, 20, 0).resend(at="09:40"))


@case("re-send in a later sync than its event")
def resend_in_a_later_sync(home: Path) -> Steps:
    rollout = opened(1).usage(1_200, 1_000, 80, 40)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.resend(at="09:40").usage(900, 0, 20, 0).append_to(path)
    yield truth_of(rollout)


@case("null info")
def null_info(home: Path) -> Steps:
    rollout = opened(1).null().usage(1_200, 1_000, 80, 40).null().resend().null()
    yield saved(home, rollout.usage(900, 0, 20, 0))


def family(**links: object) -> tuple[Rollout, Rollout]:
    """A parent and its fork with a copied head; both go on for themselves."""
    parent = opened(1).null().turns(4)
    child = parent.fork(2, "11:00", **links).copy_head(parent).model(GPT_51).turns(3)
    return parent.turns(2, at="12:00"), child


@case("fork with copied head, parent present")
def fork_parent_present(home: Path) -> Steps:
    yield saved(home, *family())


@case("fork with copied head, parent gone")
def fork_parent_gone(home: Path) -> Steps:
    _, child = family()
    yield saved(home, child)


@case("two forks of one parent")
def two_forks(home: Path) -> Steps:
    parent, child = family()
    sibling = parent.fork(3, "13:00").copy_head(parent).model(GPT_51).turns(2)
    yield saved(home, parent, child, sibling)


def three_generations() -> tuple[Rollout, Rollout, Rollout]:
    parent, child = family()
    return parent, child, child.fork(3, "14:00").copy_head(child).model(MINI).turns(2)


@case("fork of a fork")
def fork_of_a_fork(home: Path) -> Steps:
    yield saved(home, *three_generations())


@case("fork of a fork, root gone")
def fork_of_a_fork_root_gone(home: Path) -> Steps:
    _, child, grandchild = three_generations()
    yield saved(home, child, grandchild)


@case("fork of a fork, middle gone")
def fork_of_a_fork_middle_gone(home: Path) -> Steps:
    parent, _, grandchild = three_generations()
    yield saved(home, parent, grandchild)


@case("youngest generation synced first, then its parent, then the root")
def generations_appear_backwards(home: Path) -> Steps:
    parent, child, grandchild = three_generations()
    grandchild.save(home)
    yield truth_of(grandchild)
    child.save(home)
    yield truth_of(child, grandchild)
    parent.save(home)
    yield truth_of(parent, child, grandchild)


@case("fork that copied only a suffix, parent present")
def suffix_copy(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, lines=slice(-7, None))
    yield saved(home, parent, child.model(GPT_51).turns(2))


@case("fork that copied only a suffix, parent gone")
def suffix_copy_parent_gone(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, lines=slice(-7, None))
    yield saved(home, child.model(GPT_51).turns(2))


@case("fork whose copies keep their original stamps, parent present")
def original_stamps(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=None).model(GPT_51).turns(2)
    yield saved(home, parent, child)


@case("fork whose copies keep their original stamps, parent gone")
def original_stamps_parent_gone(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=None).model(GPT_51).turns(2)
    yield saved(home, child)


@case("fork that took long to copy, parent present")
def slow_copy(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=timedelta(seconds=20))
    yield saved(home, parent, child.model(GPT_51).turns(2))


@case("child sorted before its parent in the directory walk")
def child_sorted_first(home: Path) -> Steps:
    """Local clocks were set back between the two: file names are local, lines are UTC."""
    parent = opened(1, "2026-10-25T00:50:00").turns(4)
    parent.local = moment("2026-10-25T02:50:00")
    child = parent.fork(2, "01:10").copy_head(parent).model(GPT_51).turns(2)
    child.local = moment("2026-10-25T02:10:00")
    yield saved(home, parent, child)


@case("child live, parent archived")
def parent_archived(home: Path) -> Steps:
    parent, child = family()
    archive(home, parent.save(home))
    child.save(home)
    yield truth_of(parent, child)


@case("child live, parent compressed")
def parent_compressed(home: Path) -> Steps:
    parent, child = family()
    compress(parent.save(home))
    child.save(home)
    yield truth_of(parent, child)


@case("child synced in an earlier step than its parent appears")
def child_synced_first(home: Path) -> Steps:
    parent, child = family()
    child.save(home)
    yield truth_of(child)
    parent.save(home)
    yield truth_of(parent, child)


@case("parent deleted before its child appears")
def parent_deleted_first(home: Path) -> Steps:
    parent, child = family()
    path = parent.save(home)
    yield truth_of(parent)
    path.unlink()
    child.save(home)
    yield truth_of(parent, child)


@case("synced in the middle of copying, parent present")
def synced_while_copying(home: Path) -> Steps:
    parent, child = family()
    parent.save(home)
    path = child.save(home)
    write(path, lines(entry.record for entry in child.entries[:8]))
    yield truth_of(parent)
    write(path, child.content())
    yield truth_of(parent, child)


@case("synced in the middle of copying, parent gone")
def synced_while_copying_parent_gone(home: Path) -> Steps:
    _, child = family()
    path = child.save(home)
    write(path, lines(entry.record for entry in child.entries[:8]))
    yield truth_of()
    write(path, child.content())
    yield truth_of(child)


@case("fork grows over several syncs")
def fork_grows(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent).model(GPT_51)
    parent.save(home)
    path = child.save(home)
    yield truth_of(parent)
    for _ in range(3):
        child.turns(1).append_to(path)
        yield truth_of(parent, child)


@case("fork that answers within two seconds, parent present")
def fork_answers_at_once(home: Path) -> Steps:
    """All ancestors are known, so only what they wrote themselves is a copy."""
    parent = opened(1).turns(3)
    child = parent.fork(2, "11:00").copy_head(parent, within=timedelta(milliseconds=300))
    child.model(GPT_51, at="11:00:00.500").usage(700, 100, 20, 10, at="11:00:01.500")
    yield saved(home, parent, child.turns(1))


@case("fork that copied lines of its root which its parent never had")
def fork_copies_root(home: Path) -> Steps:
    parent, child = paginated_family()
    grandchild = child.fork(3, "14:00").copy_head(parent).copy_head(child)
    yield saved(home, parent, child, grandchild.model(MINI).turns(2))


@case("fork whose usage after a reset equals its parent's first")
def fork_repeats_numbers_after_reset(home: Path) -> Steps:
    """Only the leading run is copied; later equal turns are real."""
    parent = equal_turns(opened(1))
    child = parent.fork(2, "11:00").copy_head(parent).model(GPT_51).turns(1)
    yield saved(home, parent, equal_turns(child.restart()))


def fork_telling_totals() -> tuple[Rollout, Rollout]:
    parent = opened(1).totals_only(1_200, 1_000, 80, 40).totals_only(1_500, 900, 60, 0)
    child = parent.fork(2, "11:00").copy_head(parent).model(GPT_51)
    return parent, child.totals_only(700, 100, 20, 10).totals_only(800, 300, 30, 20)


@case("fork whose own turns tell totals only, parent present")
def fork_totals_only(home: Path) -> Steps:
    yield saved(home, *fork_telling_totals())


@case("fork whose own turns tell totals only, parent gone")
def fork_totals_only_parent_gone(home: Path) -> Steps:
    _, child = fork_telling_totals()
    yield saved(home, child)


def paginated_family() -> tuple[Rollout, Rollout]:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00", history_mode="paginated", history_base=parent.id)
    return parent, child.goes_on_from(parent).model(GPT_51).turns(3)


@case("paginated fork, parent present")
def paginated_fork(home: Path) -> Steps:
    yield saved(home, *paginated_family())


@case("paginated fork, parent gone")
def paginated_fork_parent_gone(home: Path) -> Steps:
    _, child = paginated_family()
    yield saved(home, child)


@case("paginated fork that begins with an estimate")
def paginated_fork_estimate(home: Path) -> Steps:
    parent = opened(1).turns(4)
    child = parent.fork(2, "11:00", history_mode="paginated").goes_on_from(parent)
    yield saved(home, parent, child.model(GPT_51).estimate(4_100).turns(2))


def numbered_family(spell: type[int | str], within: timedelta) -> tuple[Rollout, Rollout]:
    """Only ordinals say what is copied: no link but the spawning, no copied first line."""
    parent = Rollout(1).numbered().meta().model(GPT_52).turns(3)
    child = parent.subagent(2, "11:00").copy_head(parent, lines=slice(1, None), within=within)
    return parent, child.begins_own_history(spell)


@case("subagent_history_start_ordinal is a number, parent present")
def history_start_number(home: Path) -> Steps:
    parent, child = numbered_family(int, timedelta(seconds=30))
    yield saved(home, parent, child.model(GPT_51).turns(2))


@case("subagent_history_start_ordinal is a number, parent gone")
def history_start_number_parent_gone(home: Path) -> Steps:
    _, child = numbered_family(int, timedelta(seconds=30))
    yield saved(home, child.model(GPT_51).turns(2))


@case("subagent_history_start_ordinal is a quoted number, parent present")
def history_start_quoted(home: Path) -> Steps:
    parent, child = numbered_family(str, timedelta(seconds=30))
    yield saved(home, parent, child.model(GPT_51).turns(2))


@case("subagent_history_start_ordinal is a quoted number, parent gone")
def history_start_quoted_parent_gone(home: Path) -> Steps:
    _, child = numbered_family(str, timedelta(seconds=30))
    yield saved(home, child.model(GPT_51).turns(2))


@case("subagent_history_start_ordinal, own usage within a second of the start")
def history_start_quick_answer(home: Path) -> Steps:
    _, child = numbered_family(int, timedelta(milliseconds=300))
    child.model(GPT_51, at="11:00:00.500").usage(700, 100, 20, 10, at="11:00:00.900")
    yield saved(home, child.turns(2))


@case("subagent_history_start_ordinal, synced between copied and own lines")
def history_start_over_two_syncs(home: Path) -> Steps:
    _, child = numbered_family(int, timedelta(seconds=30))
    path = child.save(home)
    yield truth_of()
    child.model(GPT_51).turns(2).append_to(path)
    yield truth_of(child)


@case("subagent_history_start_ordinal, own turns tell totals only")
def history_start_totals_only(home: Path) -> Steps:
    parent, child = numbered_family(int, timedelta(seconds=30))
    child.model(GPT_51).totals_only(700, 100, 20, 10).totals_only(800, 300, 30, 20)
    yield saved(home, parent, child)


def spawned_family(copied: slice) -> tuple[Rollout, Rollout]:
    parent = opened(1).turns(3)
    child = parent.subagent(2, "11:00").copy_head(parent, lines=copied)
    return parent, child.model(GPT_51).turns(2)


@case("sub-agent with copied head and second session_meta, parent present")
def subagent_second_meta(home: Path) -> Steps:
    yield saved(home, *spawned_family(slice(None)))


@case("sub-agent with copied head and second session_meta, parent gone")
def subagent_second_meta_parent_gone(home: Path) -> Steps:
    _, child = spawned_family(slice(None))
    yield saved(home, child)


@case("sub-agent with copied head, shown only by a burst, parent present")
def subagent_burst(home: Path) -> Steps:
    yield saved(home, *spawned_family(slice(1, None)))


@case("sub-agent with copied head, shown only by a burst, parent gone")
def subagent_burst_parent_gone(home: Path) -> Steps:
    _, child = spawned_family(slice(1, None))
    yield saved(home, child)


@case("sub-agent with copied head, shown only by a burst, synced before its parent appears")
def subagent_burst_synced_first(home: Path) -> Steps:
    parent, child = spawned_family(slice(1, None))
    child.save(home)
    yield truth_of(child)
    parent.save(home)
    yield truth_of(parent, child)


@case("sub-agent of a fork, both with copied heads")
def subagent_of_a_fork(home: Path) -> Steps:
    parent, child = family()
    agent = child.subagent(3, "14:00").copy_head(child).model(MINI).turns(2)
    yield saved(home, parent, child, agent)


Session = TypeVar("Session", bound=Rollout)


def equal_turns(rollout: Session) -> Session:
    return rollout.usage(9_000, 8_000, 300, 100).usage(9_500, 9_000, 200, 0)


@case("sub-agent that started empty with its parent's numbers")
def subagent_started_empty(home: Path) -> Steps:
    parent = equal_turns(opened(1))
    yield saved(home, parent, equal_turns(parent.subagent(2, "11:00").model(GPT_51)))


@case("siblings that started empty with equal numbers")
def siblings_started_empty(home: Path) -> Steps:
    parent = equal_turns(opened(1))
    agents = [parent.subagent(number, "11:00").model(GPT_51) for number in (2, 3, 4)]
    yield saved(home, parent, *map(equal_turns, agents))


def quick_agent(parent: Rollout) -> Rollout:
    agent = parent.subagent(2, "11:00").model(GPT_51, at="11:00:00.200")
    return agent.usage(9_000, 8_000, 300, 100, at="11:00:01.500").usage(500, 0, 20, 0)


@case("sub-agent whose single first event comes after 1.5 s, parent present")
def subagent_quick(home: Path) -> Steps:
    parent = equal_turns(opened(1))
    yield saved(home, parent, quick_agent(parent))


@case("sub-agent whose single first event comes after 1.5 s, parent gone")
def subagent_quick_parent_gone(home: Path) -> Steps:
    yield saved(home, quick_agent(equal_turns(opened(1))))


@case("two quick answers in a session without a parent")
def quick_answers(home: Path) -> Steps:
    rollout = Rollout(1).meta().model(GPT_52, at="09:14:00.100")
    rollout.usage(900, 0, 20, 0, at="09:14:00.800").usage(950, 900, 25, 0, at="09:14:01.600")
    yield saved(home, rollout.turns(1))


@case("unrelated sessions with equal numbers")
def unrelated_equal_numbers(home: Path) -> Steps:
    yield saved(home, equal_turns(opened(1)), equal_turns(opened(2)))


@case("archive copy")
def archive_copy(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    rollout.save(home, "archived_sessions")
    yield saved(home, rollout)


@case("archive move between two syncs")
def archive_move(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    archived = archive(home, path)
    yield truth_of(rollout)
    archived.rename(path)
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("archive move with new lines between two syncs")
def archive_move_with_new_lines(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.turns(2).append_to(path)
    archive(home, path)
    yield truth_of(rollout)


@case("copy under a name without a uuid")
def copy_without_uuid(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    write(path.with_name("rollout-copy.jsonl"), rollout.content())
    yield truth_of(rollout)


@case(".zst only")
def zst_only(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    compress(rollout.save(home))
    yield truth_of(rollout)


@case(".zst only, in the archive")
def zst_in_archive(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    compress(archive(home, rollout.save(home)))
    yield truth_of(rollout)


@case(".zst as a stream that does not tell its size")
def zst_stream(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    stream = zstandard.ZstdCompressor().compressobj()
    content = stream.compress(path.read_bytes()) + stream.flush()
    path.with_name(f"{path.name}.zst").write_bytes(content)
    path.unlink()
    yield truth_of(rollout)


@case(".zst of two frames")
def zst_two_frames(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    frames = [zstandard.compress(path.read_bytes())]
    frames.append(zstandard.compress(rollout.turns(2).unsaved()))
    path.with_name(f"{path.name}.zst").write_bytes(b"".join(frames))
    path.unlink()
    yield truth_of(rollout)


@case("plain and .zst both at once")
def plain_and_zst(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    compressed_copy(rollout.save(home))
    yield truth_of(rollout)


@case("plain beside a .zst that is still being written")
def plain_and_half_zst(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    copy = compressed_copy(path)
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])
    yield truth_of(rollout)
    copy.write_bytes(whole)
    path.unlink()
    yield truth_of(rollout)


@case("plain compressed to .zst between syncs")
def compressed_between_syncs(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    compress(path)
    yield truth_of(rollout)


@case("new lines, then compressed to .zst, between syncs")
def compressed_with_new_lines(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.turns(2).append_to(path)
    compress(path)
    yield truth_of(rollout)


@case(".zst decompressed and resumed between syncs")
def decompressed_and_resumed(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    copy = compress(path)
    yield truth_of(rollout)
    rollout.turns(2, at="2026-08-13T08:00:00").save_as(path)
    copy.unlink()
    yield truth_of(rollout)


@case("archived and compressed between syncs")
def archived_and_compressed(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    compress(archive(home, path))
    yield truth_of(rollout)


@case("rewritten in place with the same events between syncs")
def rewritten_in_place(home: Path) -> Steps:
    """A migration adds a field to every line and spells it differently."""
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    migrated = [spaced(entry.record | {"migrated": True}) + b"\n" for entry in rollout.entries]
    write(path, b"".join(migrated))
    yield truth_of(rollout)
    rollout.turns(2).append_to(path)
    yield truth_of(rollout)


@case("replaced by rename with the same content")
def replaced_by_rename(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    replace(path, rollout.content())
    yield truth_of(rollout)
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("truncated, then the session goes on")
def truncated_goes_on(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    kept = path.stat().st_size
    rollout.turns(2).append_to(path)
    yield truth_of(rollout)
    os.truncate(path, kept)
    yield truth_of(rollout)
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("truncated and continued at once, from the earlier total")
def truncated_and_rewound(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    kept, total = path.stat().st_size, rollout.total
    rollout.turns(2).append_to(path)
    yield truth_of(rollout)
    os.truncate(path, kept)
    rollout.restart(total).turns(4).append_to(path)
    yield truth_of(rollout)


@case("truncated to nothing, then begun anew")
def truncated_to_nothing(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    again = opened(1, "2026-08-10T10:20:00").usage(700, 100, 20, 10).usage(800, 300, 30, 20)
    write(path, again.content())
    yield truth_of(rollout, again)


@case("file deleted between syncs")
def file_deleted(home: Path) -> Steps:
    rollout, other = opened(1).turns(3), opened(2).turns(1)
    path = rollout.save(home)
    yield truth_of(rollout)
    path.unlink()
    yield truth_of(rollout)
    other.save(home)
    yield truth_of(rollout, other)


@case("file deleted, later restored")
def file_restored(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    path.unlink()
    yield truth_of(rollout)
    rollout.turns(1).save(home)
    yield truth_of(rollout)


@case("session grows over many syncs")
def grows_over_many_syncs(home: Path) -> Steps:
    rollout = Rollout(1).meta()
    path = rollout.save(home)
    yield truth_of()
    rollout.model(GPT_52).null().append_to(path)
    yield truth_of()
    for step in range(5):
        rollout.turns(1, at=f"{9 + step // 2:02d}:{20 + step}").append_to(path)
        yield truth_of(rollout)


@case("empty file that is filled later")
def empty_file(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    write(path, b"")
    yield truth_of()
    write(path, rollout.content())
    yield truth_of(rollout)


@case("session resumed days later in its old file")
def resumed_days_later(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.model(GPT_51, at="2026-08-19T16:40:00").turns(2).append_to(path)
    yield truth_of(rollout)


@case("torn last line completed later")
def torn_line(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    for keep in (1, 40, 120, -40, -2):
        before = truth_of(rollout)
        line = rollout.usage(900 + keep, 100, 20, 0).unsaved()
        append(path, line[:keep])
        yield before
        append(path, line[keep:])
        yield truth_of(rollout)


def named_limit(payload: Record) -> Record:
    return event_msg(payload | {"rate_limits": {"limit_name": "größer ✓ 字"}})


@case("torn inside a character of several bytes")
def torn_character(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    rollout.wrap = named_limit
    path = rollout.save(home)
    for letter in ("ö", "✓", "字"):
        before = truth_of(rollout)
        line = rollout.usage(900 + ord(letter), 100, 20, 0).unsaved()
        cut = line.index(letter.encode()) + 1
        append(path, line[:cut])
        yield before
        append(path, line[cut:])
        yield truth_of(rollout)


@case("torn inside a character of a text line")
def torn_text(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    before = truth_of(rollout)
    fresh = rollout.say("größer").usage(900, 100, 20, 0).unsaved()
    cut = fresh.index("ö".encode()) + 1
    append(path, fresh[:cut])
    yield before
    append(path, fresh[cut:])
    yield truth_of(rollout)


@case("last line complete but without newline")
def no_final_newline(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    append(path, rollout.usage(900, 100, 20, 0).unsaved()[:-1])
    yield truth_of(rollout)
    append(path, b"\n" + rollout.usage(950, 900, 30, 0).unsaved())
    yield truth_of(rollout)


@case("last line complete but without newline, then only the newline")
def final_newline_comes_alone(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    append(path, rollout.usage(900, 100, 20, 0).unsaved()[:-1])
    yield truth_of(rollout)
    append(path, b"\n")
    yield truth_of(rollout)
    rollout.resend().usage(950, 900, 30, 0).append_to(path)
    yield truth_of(rollout)


@case("total falls, with last")
def reset_with_last(home: Path) -> Steps:
    yield saved(home, opened(1).turns(3).restart().turns(3))


@case("total falls, without last")
def reset_without_last(home: Path) -> Steps:
    rollout = opened(1).totals_only(1_200, 1_000, 80, 40).totals_only(1_500, 900, 60, 0)
    yield saved(home, rollout.restart().totals_only(700, 100, 20, 10).totals_only(80, 30, 3, 0))


@case("total falls in one component only, without last")
def reset_in_one_component(home: Path) -> Steps:
    rollout = opened(1).totals_only(1_200, 1_000, 80, 40)
    yield saved(home, rollout.restart().totals_only(5_000, 500, 300, 90))


@case("equal numbers again after a reset")
def equal_numbers_after_reset(home: Path) -> Steps:
    rollout = equal_turns(equal_turns(opened(1)).restart())
    yield saved(home, equal_turns(rollout.restart()))


@case("equal numbers again after a reset, in a later sync")
def equal_numbers_after_reset_later(home: Path) -> Steps:
    rollout = equal_turns(opened(1))
    path = rollout.save(home)
    yield truth_of(rollout)
    equal_turns(rollout.restart()).append_to(path)
    yield truth_of(rollout)


@case("context overflow replaces the total")
def overflow(home: Path) -> Steps:
    rollout = opened(1).turns(2).overflow().turns(1).overflow().resend()
    yield saved(home, rollout.turns(2))


@case("context overflow above the window: last is all zero")
def overflow_above_window(home: Path) -> Steps:
    yield saved(home, opened(1).usage(400_000, 390_000, 900, 100).overflow().turns(2))


@case("context overflow in a session that tells totals only")
def overflow_totals_only(home: Path) -> Steps:
    rollout = opened(1).totals_only(1_200, 1_000, 80, 40)
    rollout.restart(Counters(total_tokens=CONTEXT_WINDOW))
    info = {"total_token_usage": full(rollout.total)}
    rollout.put(event_msg({"type": "token_count", "info": info, "rate_limits": None}))
    yield saved(home, rollout.totals_only(700, 100, 20, 10))


@case("compaction estimate")
def estimate(home: Path) -> Steps:
    rollout = opened(1).estimate(2_000).turns(2).estimate(4_100).resend()
    yield saved(home, rollout.turns(1).estimate(3_900, at="10:10").estimate(3_800).turns(1))


@case("compaction estimate that raises the total")
def estimate_raises_total(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    rollout.restart(rollout.total.plus(Counters(total_tokens=4_100)))
    yield saved(home, rollout.estimate(4_100).turns(2))


@case("totals only")
def totals_only(home: Path) -> Steps:
    rollout = opened(1).totals_only(1_200, 1_000, 80, 40).resend()
    rollout.totals_only(1_500, 900, 60, 0, last_token_usage=None)
    yield saved(home, rollout.totals_only(700, 100, 20, 10, at="09:45"))


@case("totals only, over two syncs")
def totals_only_over_two_syncs(home: Path) -> Steps:
    rollout = opened(1).totals_only(1_200, 1_000, 80, 40)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.totals_only(1_500, 900, 60, 0).append_to(path)
    yield truth_of(rollout)


def without_total(counters: Counters) -> Record:
    return {key: its for key, its in full(counters).items() if key != "total_tokens"}


def zero_total(counters: Counters) -> Record:
    return full(counters._replace(total_tokens=0))


@case("total_tokens missing")
def total_missing(home: Path) -> Steps:
    rollout = opened(1)
    rollout.shape = without_total
    yield saved(home, rollout.turns(2).totals_only(700, 100, 20, 10).null().turns(1))


@case("total_tokens 0")
def total_zero(home: Path) -> Steps:
    rollout = opened(1)
    rollout.shape = zero_total
    yield saved(home, rollout.turns(2).totals_only(700, 100, 20, 10).null().turns(1))


@case("cached larger than input")
def cached_clamped(home: Path) -> Steps:
    yield saved(home, opened(1).usage(1_000, 2_500, 40, 10).usage(0, 30, 5, 0).turns(1))


@case("model switch by turn_context")
def model_switch(home: Path) -> Steps:
    yield saved(home, opened(1).turns(2).model(GPT_51).turns(2).model(GPT_52).turns(1))


@case("model switch by thread_settings_applied")
def model_switch_by_settings(home: Path) -> Steps:
    yield saved(home, opened(1).turns(2).settings(GPT_51).turns(2).settings(MINI).turns(1))


@case("model switch, synced before the next usage")
def model_switch_over_two_syncs(home: Path) -> Steps:
    rollout = opened(1).turns(2).settings(GPT_51)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.turns(2).append_to(path)
    yield truth_of(rollout)


@case("no model at all")
def no_model(home: Path) -> Steps:
    yield saved(home, Rollout(1).meta().turns(2))


@case("model named after the first usage, in the same half-hour")
def model_named_later(home: Path) -> Steps:
    rollout = Rollout(1).meta().turns(1).model(GPT_52).turns(2)
    yield saved(home, rollout)


@case("model named after the first usage, in the next half-hour")
def model_named_in_next_half_hour(home: Path) -> Steps:
    rollout = Rollout(1).meta().turns(1).usage(80, 0, 9, 0, at="09:31").model(GPT_52, at="09:35")
    yield saved(home, rollout.turns(2))


@case("model named in a later sync of the same half-hour")
def model_named_in_later_sync(home: Path) -> Steps:
    rollout = Rollout(1).meta().turns(2)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.model(GPT_52).turns(1).append_to(path)
    yield truth_of(rollout)


@case("two known models and unknown in one half-hour")
def two_known_models(home: Path) -> Steps:
    rollout = Rollout(1).meta().usage(700, 100, 20, 10)
    rollout.model(GPT_52).usage(900, 0, 20, 0).model(GPT_51).usage(4_000, 0, 50, 0)
    yield saved(home, rollout)


@case("unknown larger than every known model")
def unknown_is_largest(home: Path) -> Steps:
    rollout = Rollout(1).meta().usage(90_000, 100, 20, 10)
    rollout.model(GPT_52).usage(900, 0, 20, 0).model(GPT_51).usage(800, 0, 50, 0)
    yield saved(home, rollout)


@case("two known models with equal totals and unknown")
def equal_models(home: Path) -> Steps:
    rollout = Rollout(1).meta().usage(700, 100, 20, 10)
    rollout.model(GPT_52).usage(900, 0, 100, 0).model(GPT_51).usage(950, 900, 50, 50)
    yield saved(home, rollout)


@case("unknown of one session joins the model of another")
def unknown_joins_other_session(home: Path) -> Steps:
    yield saved(home, Rollout(1).meta().turns(2), opened(2, "2026-08-10T09:25:00").turns(1))


@case("dominant model changes between syncs")
def dominant_model_changes(home: Path) -> Steps:
    rollout = Rollout(1).meta().usage(700, 100, 20, 10).model(GPT_52).usage(900, 0, 20, 0)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.model(GPT_51).usage(4_000, 0, 50, 0).append_to(path)
    yield truth_of(rollout)


def foreign_count() -> Record:
    """The record of a usage that belongs to no session here."""
    return Rollout(9).usage(70_000, 60_000, 5_000, 4_000).entries[-1].record


def tool_output(output: object) -> Record:
    payload = {"type": "function_call_output", "call_id": "call_1", "output": output}
    return {"type": "response_item", "payload": payload}


@case("counter quoted inside tool output")
def quoted_counter(home: Path) -> Steps:
    quoted = compact(foreign_count()).decode()
    rollout = opened(1).turns(1).put(tool_output(quoted)).say(quoted)
    rollout.put(tool_output(json.dumps({"output": f"$ tail -1 x.jsonl\n{quoted}\n"})))
    yield saved(home, rollout.turns(1))


@case("counter as an object inside tool output")
def nested_counter(home: Path) -> Steps:
    foreign = foreign_count()
    rollout = opened(1).turns(1).put(tool_output(foreign)).put(tool_output(foreign["payload"]))
    result = {"type": "mcp_tool_call_end", "result": {"Ok": {"content": [foreign["payload"]]}}}
    yield saved(home, rollout.put(event_msg(result)).turns(1))


@case("unknown record types")
def unknown_record_types(home: Path) -> Steps:
    rollout = opened(1).turns(1).put({"type": "token_forecast", "payload": {"tokens": 12}})
    rollout.put({"type": "compacted", "payload": {"message": "…", "window": [1, 2]}})
    rollout.put(event_msg({"type": "thread_archived"})).put({"type": "event_msg", "payload": None})
    yield saved(home, rollout.turns(1))


EVENT = b'{"timestamp":"2026-08-10T09:15:00.000Z","type":"event_msg","payload":'
BROKEN_LINES = (
    EVENT + b'{"type":"token_count","in',
    EVENT + b'"token_count"}',
    EVENT + b'{"type":"token_count","info":"none"}}',
    EVENT + b'{"type":"token_count","info":{}}}',
    EVENT + b'{"type":"token_count"}}',
    b'"type":"token_count","info":{"last_token_usage":{"input_tokens":5}}}}',
    b"\xff\xfe\x00 not text at all \x80",
    b'"token_count"',
    b"[]",
    b"null",
    b"42",
    b"   \t ",
    b"",
)


@case("broken lines between good ones")
def broken_lines(home: Path) -> Steps:
    rollout = opened(1)
    for line in BROKEN_LINES:
        rollout.usage(900 + len(line), 100, 20, 0).raw(line)
    yield saved(home, rollout.turns(1))


@case("NUL bytes before lines")
def nul_before_lines(home: Path) -> Steps:
    rollout = opened(1).turns(3)
    padded = (bytes(60 * n) + entry.line() + b"\n" for n, entry in enumerate(rollout.entries))
    path = write(rollout.save(home), b"".join(padded))
    yield truth_of(rollout)
    append(path, bytes(4_096))
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("NUL bytes at the end, later followed by a line")
def nul_at_the_end(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    append(path, bytes(512))
    yield truth_of(rollout)
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("NUL bytes within lines")
def nul_within_lines(home: Path) -> Steps:
    """A line with a hole in it is a broken line; those around it are whole."""
    rollout = opened(1).turns(1)
    holed = compact(foreign_count()).replace(b'"info":{"total', bytes(14))
    text = b'{"timestamp":"2026-08-10T09:15:00.000Z","type":"event_msg","pay\0\0\0":{}}'
    yield saved(home, rollout.raw(holed).raw(text).raw(bytes(64)).turns(2))


@case("CRLF line ends")
def crlf(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = write(rollout.save(home), rollout.content(end=b"\r\n"))
    yield truth_of(rollout)
    append(path, rollout.turns(1).unsaved().replace(b"\n", b"\r\n"))
    yield truth_of(rollout)


@case("CRLF torn between its two bytes")
def crlf_torn(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = write(rollout.save(home), rollout.content(end=b"\r\n")[:-1])
    yield truth_of(rollout)
    append(path, b"\n" + rollout.turns(1).unsaved().replace(b"\n", b"\r\n"))
    yield truth_of(rollout)


@case("byte order mark")
def byte_order_mark(home: Path) -> Steps:
    """The first line matters: without it the copied head would not be known as one."""
    parent = opened(1).turns(3)
    child = parent.fork(2, "11:00").copy_head(parent, lines=slice(1, None))
    child.model(GPT_51).turns(2)
    for rollout in (parent, child):
        write(rollout.save(home), b"\xef\xbb\xbf" + rollout.content())
    yield truth_of(parent, child)


@case("JSON with spaces")
def json_with_spaces(home: Path) -> Steps:
    rollout = Rollout(1)
    rollout.spell = spaced
    yield saved(home, rollout.meta().model(GPT_52).turns(2).settings(GPT_51).turns(1))


@case("JSON with spaces and tabs around everything")
def json_with_tabs(home: Path) -> Steps:
    rollout = Rollout(1)
    rollout.spell = lambda record: b" \t" + json.dumps(record, separators=(" ,\t", " : ")).encode()
    yield saved(home, rollout.meta().model(GPT_52).turns(2).settings(GPT_51).turns(1))


@case("other key order")
def other_key_order(home: Path) -> Steps:
    rollout = Rollout(1)
    rollout.spell = backwards
    yield saved(home, rollout.meta().model(GPT_52).turns(2).settings(GPT_51).turns(1))


@case("every letter escaped")
def every_letter_escaped(home: Path) -> Steps:
    rollout = Rollout(1)
    rollout.spell = escaped
    yield saved(home, rollout.meta().model(GPT_52).turns(2).settings(GPT_51).turns(1))


def respelled(plain: bytes, other: bytes) -> Callable[[Record], bytes]:
    return lambda record: compact(record).replace(plain, other)


ESCAPES = (
    respelled(b'"token_count"', rb'"\u0074oken_count"'),
    respelled(b'"token_count"', rb'"token\u005fcount"'),
    respelled(b'"token_count"', rb'"token\u005Fcoun\u0074"'),
    respelled(b'"type"', rb'"\u0074ype"'),
    respelled(b'"payload"', rb'"p\u0061yload"'),
    respelled(b'"event_msg"', rb'"event\u005fmsg"'),
    respelled(b'"timestamp"', rb'"\u0074imestamp"'),
    respelled(b'"info"', rb'"inf\u006f"'),
    respelled(b'"last_token_usage"', rb'"last\u005ftoken\u005fusage"'),
    respelled(b'"total_token_usage"', rb'"\u0074otal_token_usage"'),
    respelled(b"_tokens", rb"\u005ftokens"),
    respelled(b"_token", rb"\u005ftoken"),
)


@case("escaped letters in types and keys")
def escaped_letters(home: Path) -> Steps:
    rollout = opened(1)
    for spell in ESCAPES:
        rollout.spell = spell
        rollout.turns(1)
    yield saved(home, rollout)


@case("escaped letters in turn_context, thread_settings_applied and session_meta")
def escaped_letters_elsewhere(home: Path) -> Steps:
    parent = opened(1).turns(2)
    child = Rollout(2, "2026-08-10T11:00:00")
    child.spell = respelled(b'"session_meta"', rb'"session\u005fmeta"')
    child.meta(forked_from_id=parent.id).copy_head(parent, lines=slice(1, None))
    child.spell = respelled(b'"turn_context"', rb'"\u0074urn_context"')
    child.model(GPT_51).turns(1)
    child.spell = respelled(b'"thread_settings_applied"', rb'"thread\u005fsettings_applied"')
    yield saved(home, parent, child.settings(MINI).turns(1))


@case("a 100 MB line between events")
def huge_line(home: Path) -> Steps:
    rollout = opened(1).turns(1)
    path = rollout.save(home)
    quoted = json.dumps(compact(foreign_count()).decode())[1:-1].encode()
    block = quoted + b"iVBORw0KGgo=" * 87_000
    with path.open("ab") as file:
        file.write(b'{"timestamp":"2026-08-10T09:15:00.000Z","type":"response_item","payload":{')
        file.write(b'"type":"message","role":"user","content":[{"type":"input_text","text":"')
        for _ in range(100):
            file.write(block)
        file.write(b'"}]}}\n')
    rollout.turns(2).append_to(path)
    yield truth_of(rollout)


@case("session across half-hours and midnight")
def across_midnight(home: Path) -> Steps:
    rollout = opened(1, "2026-08-10T22:50:00")
    for at in (
        "22:59:59.999",
        "23:00:00.000",
        "23:29:59.999",
        "23:30:00.000",
        "23:59:59.999",
        "2026-08-11T00:00:00.000",
        "2026-08-11T00:29:59.999",
        "2026-08-11T00:30:00.000",
    ):
        rollout.usage(900, 100, 20, 0, at=at)
    yield saved(home, rollout)


@case("session across a leap day and a new year")
def across_years(home: Path) -> Steps:
    leap = opened(1, "2028-02-28T23:59:00").turns(1).turns(1, at="2028-02-29T12:00:00")
    year = opened(2, "2026-12-31T23:59:00").turns(1).turns(1, at="2027-01-01T00:00:00")
    yield saved(home, leap, year)


@case("missing timestamp")
def missing_timestamp(home: Path) -> Steps:
    rollout = opened(1).usage(900, 100, 20, 0, at="09:29:59.999")
    rollout.usage(950, 900, 30, 0, at="09:31").unstamp()
    yield saved(home, rollout.usage(980, 900, 40, 0, at="09:40").turns(1))


@case("missing timestamp behind a text line")
def missing_timestamp_after_text(home: Path) -> Steps:
    rollout = opened(1).usage(900, 100, 20, 0, at="09:20").say(at="09:31")
    yield saved(home, rollout.usage(950, 900, 30, 0).unstamp())


@case("missing timestamp on the first line of a later sync")
def missing_timestamp_in_later_sync(home: Path) -> Steps:
    rollout = opened(1).usage(900, 100, 20, 0, at="09:20")
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.usage(950, 900, 30, 0).unstamp().append_to(path)
    yield truth_of(rollout)


@case("missing timestamp, none before")
def no_timestamp_before(home: Path) -> Steps:
    rollout = Rollout(1)
    rollout.raw(compact({"type": "session_meta", "payload": {"id": rollout.id}}))
    rollout.raw(compact({"type": "turn_context", "payload": {"model": GPT_51}}))
    rollout.usage(900, 100, 20, 0).unstamp().uncounted()
    yield saved(home, rollout.model(GPT_52, at="09:20").turns(2))


@case("invalid timestamp")
def invalid_timestamp(home: Path) -> Steps:
    rollout = opened(1).usage(900, 100, 20, 0, at="09:29:59.999")
    for number, timestamp in enumerate(("", "yesterday", "2026-13-45T99:00:00.000Z", None)):
        rollout.usage(950 + number, 900, 30, 0, at="09:31").unstamp(timestamp=timestamp)
    yield saved(home, rollout.turns(1, at="09:40"))


@case("token_usage_record behind its token_count")
def record_behind_count(home: Path) -> Steps:
    rollout = opened(1).twins(900, 100, 20, 0, first="count").twins(950, 900, 30, 5, first="count")
    yield saved(home, rollout.resend().twins(80, 0, 3, 0, first="count").resend())


@case("token_usage_record before its token_count")
def record_before_count(home: Path) -> Steps:
    rollout = opened(1).twins(900, 100, 20, 0, first="record")
    rollout.twins(950, 900, 30, 5, first="record").resend()
    yield saved(home, rollout.twins(80, 0, 3, 0, first="record").resend())


@case("token_usage_record synced before its token_count")
def record_in_earlier_sync(home: Path) -> Steps:
    rollout = opened(1).usage_record(900, 100, 20, 0)
    path = rollout.save(home)
    yield truth_of(rollout)
    rollout.resend().usage(950, 900, 30, 5).append_to(path)
    yield truth_of(rollout)


@case("token_usage_record without token_count")
def record_alone(home: Path) -> Steps:
    rollout = opened(1).usage_record(900, 100, 20, 0).usage_record(950, 900, 30, 5)
    yield saved(home, rollout.restart().usage_record(80, 0, 3, 0))


@case("session that changes from token_count to token_usage_record")
def records_from_here_on(home: Path) -> Steps:
    rollout = opened(1).turns(2).twins(950, 900, 30, 5, first="record")
    rollout.twins(80, 0, 3, 0, first="count").usage_record(900, 100, 20, 0)
    yield saved(home, rollout.model(GPT_51).usage_record(700, 100, 20, 0))


@case("fork with a copied head of token_usage_records")
def fork_of_records(home: Path) -> Steps:
    parent = opened(1).usage_record(900, 100, 20, 0).twins(950, 900, 30, 5, first="record")
    child = parent.fork(2, "11:00").copy_head(parent).model(GPT_51)
    yield saved(home, parent, child.usage_record(80, 0, 3, 0).turns(1))


@case("fork with a copied head of token_usage_records, parent gone")
def fork_of_records_parent_gone(home: Path) -> Steps:
    parent = opened(1).usage_record(900, 100, 20, 0).twins(950, 900, 30, 5, first="record")
    child = parent.fork(2, "11:00").copy_head(parent).model(GPT_51)
    yield saved(home, child.usage_record(80, 0, 3, 0).turns(1))


def old_cache_name(counters: Counters) -> Record:
    return {
        "cache_read_input_tokens" if key == "cached_input_tokens" else key: its
        for key, its in full(counters).items()
    }


@case("old form: cache_read_input_tokens")
def old_cache_field(home: Path) -> Steps:
    rollout = opened(1)
    rollout.shape = old_cache_name
    yield saved(home, rollout.turns(2).totals_only(700, 100, 20, 10))


def with_cache_write(counters: Counters) -> Record:
    return full(counters) | {"cache_write_input_tokens": 77}


@case("newer form: cache_write_input_tokens inside input")
def cache_write_field(home: Path) -> Steps:
    rollout = opened(1)
    rollout.shape = with_cache_write
    yield saved(home, rollout.turns(2))


def in_msg(payload: Record) -> Record:
    return event_msg({"id": "7", "msg": payload})


@case("old form: payload.msg.type")
def old_envelope(home: Path) -> Steps:
    rollout = opened(1)
    rollout.wrap = in_msg
    yield saved(home, rollout.null().turns(2).totals_only(700, 100, 20, 10))


def quoted_numbers(counters: Counters) -> Record:
    return {key: str(its) for key, its in full(counters).items()}


@case("old form: numbers as strings")
def numbers_as_strings(home: Path) -> Steps:
    rollout = opened(1)
    rollout.shape = quoted_numbers
    yield saved(home, rollout.turns(2).estimate(4_100).totals_only(700, 100, 20, 10))


@case("file from before September 2025")
def before_envelopes(home: Path) -> Steps:
    old = Rollout(2, "2025-06-01T10:00:00")
    quoted = compact(foreign_count()).decode()
    old.raw(compact({"id": old.id, "timestamp": "2025-06-01T10:00:00.000Z", "instructions": None}))
    old.raw(compact({"record_type": "state"}))
    for role in ("user", "assistant"):
        content = [{"type": "input_text", "text": quoted}]
        old.raw(compact({"type": "message", "role": role, "content": content}))
    yield saved(home, old, opened(1).turns(1))


@case("Codex session resumed in Every Code")
def resumed_in_every_code(home: Path) -> Steps:
    """Its first line says Codex, so Every Code's events are Codex's too; the total starts anew."""
    rollout = opened(1).turns(2).restart()
    rollout.wrap = every_code_event
    yield saved(home, rollout.turns(2).restart().turns(2))


def every_code_event(payload: Record) -> Record:
    info = payload["info"] | {"requested_model": GPT_52}
    message = payload | {"info": info}
    return {"type": "event", "payload": {"id": "3", "event_seq": 41, "msg": message}}


@case("Every Code's file inside Codex's tree")
def every_code_file(home: Path) -> Steps:
    foreign = Rollout(2).meta(originator="code_cli_rs").model(GPT_52).turns(2)
    foreign.save(home)
    yield saved(home, opened(1).turns(1))


@case("every originator of Codex")
def originators(home: Path) -> Steps:
    names = ("codex_cli_rs", "codex_exec", "Codex Desktop", "codex_vscode")
    yield saved(
        home,
        *(
            Rollout(number).meta(originator=name).model(GPT_52).turns(1)
            for number, name in enumerate(names, 1)
        ),
    )


@case("flat file under sessions/")
def flat_file(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    rollout.save(home, "sessions")
    yield truth_of(rollout)


@case("symlinked file")
def symlinked_file(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    for folder in ("sessions/2026/08/11", "archived_sessions"):
        link = home / ".codex" / folder / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    (path.parent / f"rollout-link-{session_id(1)}.jsonl").symlink_to(path)
    yield truth_of(rollout)


@case("symlinked directory")
def symlinked_directory(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    (home / ".codex/sessions/2025").symlink_to(home / ".codex/sessions/2026")
    yield truth_of(rollout)
    rollout.turns(1).append_to(path)
    yield truth_of(rollout)


@case("sessions directory is itself a symlink")
def symlinked_sessions(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    rollout.save_as(home / "disk/sessions/2026/08/10" / rollout.name)
    (home / ".codex").mkdir()
    (home / ".codex/sessions").symlink_to(home / "disk/sessions")
    yield truth_of(rollout)


@case("symlink loop and broken symlink")
def symlink_loop(home: Path) -> Steps:
    rollout = opened(1).turns(2)
    path = rollout.save(home)
    (home / ".codex/sessions/again").symlink_to(home / ".codex/sessions")
    (path.parent / f"rollout-gone-{session_id(3)}.jsonl").symlink_to(home / "nowhere.jsonl")
    yield truth_of(rollout)


@case("files with other names")
def other_names(home: Path) -> Steps:
    other, mine = opened(2).turns(2), opened(1).turns(1)
    folder = home / ".codex/sessions/2026/08/10"
    for name in (f"{other.name}.bak", f"{other.name}~", f".{other.name}.swp", "notes.jsonl"):
        other.save_as(folder / name)
    other.save_as(folder / other.name.replace(".jsonl", ".snapshot.json"))
    other.save_as(home / ".codex/sessions/index/catalog.jsonl")
    other.save_as(home / ".codex/history.jsonl")
    other.save_as(home / ".codex/log" / other.name)
    yield saved(home, mine)


def chat_of_two(number: int = 1) -> Chat:
    """Two responses: 12 + 18 tokens, as in the specification's sample."""
    chat = Chat(number, "2026-03-01T08:04:00").write("m1")
    return chat.answer("m2", 10, 2, 1, 0, 1, at="08:05").answer("m3", 15, 2, 3, 0, 0, at="08:06")


def document_path(home: Path, chat: Chat) -> Path:
    return chat.path(home, ending=".json")


def lines_path(home: Path, chat: Chat) -> Path:
    return chat.path(home, ending=".jsonl")


@case(".json session", "gemini")
def json_session(home: Path) -> Steps:
    chat = chat_of_two().answer("m4", 200, 150, 30, 20, 7, model=FLASH, at="08:31")
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)


@case(".json session with indentation", "gemini")
def json_session_indented(home: Path) -> Steps:
    chat = chat_of_two()
    pretty = json.dumps(json.loads(chat.document()), indent=2)
    write(document_path(home, chat), pretty.encode())
    yield truth_of(chat)


@case(".jsonl session", "gemini")
def jsonl_session(home: Path) -> Steps:
    chat = chat_of_two().answer("m4", 200, 150, 30, 20, 7, model=FLASH, at="08:31")
    write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)


@case(".jsonl with repeated ids: the last one wins", "gemini")
def repeated_ids(home: Path) -> Steps:
    chat = chat_of_two()
    records = chat.records()
    records.append(chat.answer("m3", 15, 2, 9, 4, 0).messages["m3"])
    records.append(chat.answer("m3", 15, 2, 40, 11, 6).messages["m3"])
    records += [chat.messages["m3"], chat.messages["m2"]]
    write(lines_path(home, chat), lines(records))
    yield truth_of(chat)


@case(".jsonl with repeated ids, the model known only at last", "gemini")
def repeated_ids_model_later(home: Path) -> Steps:
    chat = Chat(1).answer("m1", 100, 50, 5, 5, 0, model=None)
    path = write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    append(path, lines([chat.answer("m1", 100, 50, 20, 9, 0, model=PRO).messages["m1"]]))
    yield truth_of(chat)


@case("$set with a whole messages list", "gemini")
def set_messages(home: Path) -> Steps:
    chat = chat_of_two()
    records = chat.records()
    chat.answer("m3", 15, 2, 9, 4, 0).answer("m4", 70, 60, 5, 0, 0, at="08:40")
    records.append({"$set": {"lastUpdated": "2026-03-01T08:40:00.000Z"}})
    records.append({"$set": {"messages": list(chat.messages.values()), "summary": "…"}})
    records.append(chat.answer("m5", 90, 60, 5, 0, 0, at="08:41").messages["m5"])
    write(lines_path(home, chat), lines(records))
    yield truth_of(chat)


@case("$set that leaves messages out", "gemini")
def set_drops_messages(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    chat.forget("m2").answer("m4", 70, 60, 5, 0, 0, at="08:40")
    append(path, lines([{"$set": {"messages": list(chat.messages.values())}}]))
    yield truth_of(chat)


@case("$rewindTo: what was rewound was still paid for", "gemini")
def rewind(home: Path) -> Steps:
    chat = chat_of_two()
    records = [*chat.records(), {"$rewindTo": "m1"}]
    records.append(chat.answer("m4", 70, 60, 5, 0, 0, at="08:40").messages["m4"])
    write(lines_path(home, chat), lines(records))
    yield truth_of(chat)


@case(".json first, then a full .jsonl beside it", "gemini")
def json_then_jsonl(home: Path) -> Steps:
    chat = chat_of_two()
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)
    chat.answer("m3", 15, 2, 9, 4, 0).answer("m4", 70, 60, 5, 0, 0, at="08:40")
    write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)


@case(".jsonl first, then an older .json beside it", "gemini")
def jsonl_then_json(home: Path) -> Steps:
    chat = chat_of_two()
    older = chat.document()
    chat.answer("m3", 15, 2, 9, 4, 0).answer("m4", 70, 60, 5, 0, 0, at="08:40")
    write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    write(document_path(home, chat), older)
    yield truth_of(chat)


@case(".json and .jsonl of one session both at once", "gemini")
def json_and_jsonl(home: Path) -> Steps:
    chat = chat_of_two()
    write(document_path(home, chat), chat.document())
    chat.answer("m3", 15, 2, 9, 4, 0).answer("m4", 70, 60, 5, 0, 0, at="08:40")
    write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)


@case("copy migrated from the hash to the slug directory", "gemini")
def migrated_copy(home: Path) -> Steps:
    chat = chat_of_two()
    write(chat.path(home, project="c0" * 32, ending=".json"), chat.document())
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)


@case("copy migrated between syncs, then going on in the slug directory", "gemini")
def migrated_between_syncs(home: Path) -> Steps:
    chat = chat_of_two()
    write(chat.path(home, project="c0" * 32, ending=".jsonl"), lines(chat.records()))
    yield truth_of(chat)
    path = write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    append(path, lines([chat.answer("m4", 70, 60, 5, 0, 0, at="08:40").messages["m4"]]))
    yield truth_of(chat)


@case("sub-agent folder", "gemini")
def subagent_folder(home: Path) -> Steps:
    chat, agent = chat_of_two(), chat_of_two(2)
    path = write(lines_path(home, chat), lines(chat.records()))
    write(path.parent / chat.id / f"{agent.id}.jsonl", lines(agent.records()))
    yield truth_of(chat, agent)


@case("equal message ids in two sessions", "gemini")
def equal_message_ids(home: Path) -> Steps:
    chat, other = chat_of_two(), chat_of_two(2)
    write(document_path(home, chat), chat.document())
    write(lines_path(home, other), lines(other.records()))
    yield truth_of(chat, other)


@case(".json: tokens arrive later", "gemini")
def tokens_later(home: Path) -> Steps:
    chat = chat_of_two().write("m4", type="gemini", at="08:40", model=PRO)
    path = write(document_path(home, chat), chat.document())
    yield truth_of(chat)
    write(path, chat.answer("m4", 70, 60, 5, 0, 0).document())
    yield truth_of(chat)


@case(".jsonl: tokens arrive later", "gemini")
def tokens_later_in_lines(home: Path) -> Steps:
    chat = chat_of_two().write("m4", type="gemini", at="08:40", model=PRO)
    path = write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    append(path, lines([chat.answer("m4", 70, 60, 5, 0, 0).messages["m4"]]))
    yield truth_of(chat)


@case("tokens null", "gemini")
def tokens_null(home: Path) -> Steps:
    chat = chat_of_two().write("m4", type="gemini", at="08:40", model=PRO, tokens=None)
    write(document_path(home, chat), chat.document())
    other = chat_of_two(2).write("m4", type="gemini", at="08:40", model=PRO, tokens=None)
    write(lines_path(home, other), lines(other.records()))
    yield truth_of(chat, other)


@case("tokens without thoughts and tool", "gemini")
def tokens_optional(home: Path) -> Steps:
    chat = chat_of_two()
    for name in ("thoughts", "tool"):
        del chat.answer("m4", 70, 60, 5, 0, 0, at="08:40").messages["m4"]["tokens"][name]
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)


@case(".json: message rewritten with larger numbers between syncs", "gemini")
def larger_numbers(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(document_path(home, chat), chat.document())
    yield truth_of(chat)
    write(path, chat.answer("m3", 15, 2, 9, 4, 0).document())
    yield truth_of(chat)
    replace(path, chat.answer("m3", 15, 2, 40, 11, 6).document())
    yield truth_of(chat)


@case(".jsonl: message rewritten with larger numbers between syncs", "gemini")
def larger_numbers_in_lines(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(lines_path(home, chat), lines(chat.records()))
    yield truth_of(chat)
    for spoken in (9, 40):
        append(path, lines([chat.answer("m3", 15, 2, spoken, 4, 0).messages["m3"]]))
        yield truth_of(chat)


@case("model missing, null, empty or blank", "gemini")
def model_missing(home: Path) -> Steps:
    chat = Chat(1, "2026-03-01T08:00:00").answer("m1", 10, 2, 1, 0, 1, model=None)
    chat.answer("m2", 20, 2, 1, 0, 1, model="", at="08:31")
    chat.answer("m3", 30, 2, 1, 0, 1, model="   ", at="09:01")
    chat.answer("m4", 40, 2, 1, 0, 1, model=None, at="09:31").write("m4", model=None)
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)


@case("model missing beside known models in one half-hour", "gemini")
def model_missing_beside_known(home: Path) -> Steps:
    chat = Chat(1).answer("m1", 100, 2, 1, 0, 1, model="").answer("m2", 30, 2, 1, 0, 1)
    write(lines_path(home, chat), lines(chat.answer("m3", 50, 0, 9, 0, 0, model=FLASH).records()))
    yield truth_of(chat)


@case("model with spaces around it", "gemini")
def model_with_spaces(home: Path) -> Steps:
    chat = chat_of_two().answer("m4", 70, 60, 5, 0, 0, model="  gemini-3-pro\n")
    write(document_path(home, chat), chat.document())
    yield truth_of(chat)


@case("document half-written, complete later", "gemini")
def half_written(home: Path) -> Steps:
    chat = chat_of_two()
    whole = chat.document()
    path = write(document_path(home, chat), whole[: len(whole) // 2])
    yield truth_of()
    write(path, whole)
    yield truth_of(chat)


@case("known document caught half-written, complete later", "gemini")
def caught_half_written(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(document_path(home, chat), chat.document())
    before = truth_of(chat)
    yield before
    whole = chat.answer("m4", 70, 60, 5, 0, 0, at="08:40").document()
    write(path, whole[:-5])
    yield before
    write(path, whole)
    yield truth_of(chat)


@case("messages removed from a rewritten document", "gemini")
def messages_removed(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(document_path(home, chat), chat.document())
    yield truth_of(chat)
    write(path, chat.forget("m1", "m2").answer("m4", 70, 60, 5, 0, 0, at="08:40").document())
    yield truth_of(chat)


@case("session file deleted between syncs", "gemini")
def session_deleted(home: Path) -> Steps:
    chat, other = chat_of_two(), chat_of_two(2)
    path = write(document_path(home, chat), chat.document())
    write(lines_path(home, other), lines(other.records()))
    yield truth_of(chat, other)
    path.unlink()
    yield truth_of(chat, other)


@case("info and user messages", "gemini")
def other_messages(home: Path) -> Steps:
    chat = chat_of_two().write("m4", type="info").write("m5", type="error").write("m6")
    quoted = lines([chat.messages["m3"]]).decode()
    write(document_path(home, chat.write("m7", content=quoted)), chat.document())
    yield truth_of(chat)


@case("torn .jsonl line completed later", "gemini")
def torn_jsonl_line(home: Path) -> Steps:
    chat = chat_of_two()
    path = write(lines_path(home, chat), lines(chat.records()))
    before = truth_of(chat)
    chat.answer("m4", 70, 60, 5, 0, 0, at="08:40")
    line = lines([chat.write("m4", content="größer").messages["m4"]])
    cut = line.index("ö".encode()) + 1
    append(path, line[:cut])
    yield before
    append(path, line[cut:])
    yield truth_of(chat)


@case("broken .jsonl lines between good ones", "gemini")
def broken_jsonl_lines(home: Path) -> Steps:
    chat = chat_of_two()
    good = lines(chat.records()).splitlines(keepends=True)
    broken = b'{"id":"m9","tokens":{"input":5\n[]\nnull\n\n\0\0\0\n{"$set":7}\n{"id":3}\n'
    write(lines_path(home, chat), broken.join([*good[:1], b"".join(good[1:3]), good[3], b""]))
    yield truth_of(chat)


@case("files that are no sessions", "gemini")
def not_sessions(home: Path) -> Steps:
    chat, other = chat_of_two(), chat_of_two(2)
    project = write(document_path(home, chat), chat.document()).parent.parent
    write(project / "logs.json", other.document())
    write(project / "checkpoint-one.json", other.document())
    write(project / "chats/session-old.json.bak", other.document())
    yield truth_of(chat)
