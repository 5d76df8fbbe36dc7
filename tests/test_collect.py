"""Properties of the whole line: however the logs come, the sums are those of the truth."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from rollouts import Truth, append, archive, compress, replace, write
from stories import Story, Writing, codex_stories, gemini_documents, gemini_stories, in_pieces
from support import Computer


@st.composite
def told(draw: st.DrawFn, stories: st.SearchStrategy[Story]) -> tuple[list[list[Writing]], Truth]:
    story = draw(stories)
    return draw(in_pieces(story)), story.truth


@pytest.mark.requirement("COL-01", "COL-03", "COL-08", "COL-10", "BKF-08")
@settings(max_examples=80)
@given(told(codex_stories()))
def test_codex_sessions_cut_at_any_byte_sum_up_to_their_truth(
    told: tuple[list[list[Writing]], Truth],
) -> None:
    check_pieces(*told)


@pytest.mark.requirement("COL-01", "COL-05", "COL-06", "COL-08", "COL-10")
@settings(max_examples=50)
@given(told(gemini_stories()))
def test_gemini_logs_cut_at_any_byte_sum_up_to_their_truth(
    told: tuple[list[list[Writing]], Truth],
) -> None:
    check_pieces(*told)


def check_pieces(syncs: Iterable[list[Writing]], truth: Truth) -> None:
    with Computer.temporary() as computer:
        for writings in syncs:
            for path, content in writings:
                (computer.home / path).parent.mkdir(parents=True, exist_ok=True)
                append(computer.home / path, content)
            computer.collect()
        assert computer.totals() == truth
        check_nothing_changes(computer)


@pytest.mark.requirement("COL-05", "COL-08", "COL-10")
@settings(max_examples=50)
@given(gemini_documents(), st.data())
def test_a_gemini_chat_rewritten_any_number_of_times_is_counted_as_it_is_last(
    chat: tuple[str, list[bytes], Truth], data: st.DataObject
) -> None:
    name, versions, truth = chat
    with Computer.temporary() as computer:
        path = computer.home / name
        write(path, b"")
        for second, version in enumerate(versions):
            data.draw(st.sampled_from([write, replace]))(path, version)
            os.utime(path, (second, second))
            computer.collect()
        assert computer.totals() == truth
        check_nothing_changes(computer)


@pytest.mark.requirement("COL-03", "COL-10", "BKF-08")
@settings(max_examples=60)
@given(codex_stories(orphans=False), st.data())
def test_files_may_come_in_any_order_and_over_any_number_of_syncs(
    story: Story, data: st.DataObject
) -> None:
    paths = data.draw(st.permutations(sorted(story.files)))
    with Computer.temporary() as computer:
        for place, path in enumerate(data.draw(st.permutations(paths))):
            folder = computer.home / f".codex/sessions/{paths.index(path):02d}"
            write(folder / Path(path).name, story.files[path])
            if data.draw(st.booleans(), label=f"sync behind {place}"):
                computer.collect()
        computer.collect()
        assert computer.totals() == story.truth
        check_nothing_changes(computer)


@pytest.mark.requirement("COL-01", "COL-03", "COL-10")
@settings(max_examples=60)
@given(codex_stories(orphans=False), st.data())
def test_files_may_come_in_parts_and_move_between_syncs(story: Story, data: st.DataObject) -> None:
    """Parts of a fork before those of its parent, archived or compressed at any time."""
    with Computer.temporary() as computer:
        logs = [MovingLog(computer.home, path, its) for path, its in story.files.items()]
        while moving := [log for log in logs if log.steps]:
            log = data.draw(st.sampled_from(moving))
            log.advance(data.draw(st.sampled_from(STEPS)))
            if data.draw(st.booleans()):
                computer.collect()
        computer.collect()
        assert computer.totals() == story.truth
        check_nothing_changes(computer)


STEPS = ("write", "write", "archive", "compress", "replace")


class MovingLog:
    """A log that is written in parts and then moves about."""

    def __init__(self, home: Path, path: str, content: bytes) -> None:
        self._home, self._path, self._rest = home, home / path, content
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.steps = 4

    def advance(self, step: str) -> None:
        """One step in its life; in the last one everything is there."""
        self.steps -= 1
        if step == "write" or not self._path.exists() or not self.steps:
            part = len(self._rest) if not self.steps else len(self._rest) * 2 // 3
            self._unpack()
            append(self._path, self._rest[:part])
            self._rest = self._rest[part:]
        elif step == "archive" and self._path.parent.name != "archived_sessions":
            self._path = archive(self._home, self._path)
        elif step == "compress" and self._path.suffix != ".zst":
            self._path = compress(self._path)
        elif step == "replace":
            replace(self._path, self._path.read_bytes())

    def _unpack(self) -> None:
        if self._path.suffix == ".zst":
            content = zstandard.decompress(self._path.read_bytes())
            self._path.unlink()
            self._path = write(self._path.with_suffix(""), content)


def check_nothing_changes(computer: Computer) -> None:
    before = computer.contents()
    summary = computer.collect()
    assert (summary.files_read, summary.changed_rows) == (0, 0)
    assert computer.contents() == before
