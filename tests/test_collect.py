"""Properties of the whole line: however the logs come, the sums are those of the truth."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollouts import Truth, append, replace, write
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


def check_nothing_changes(computer: Computer) -> None:
    before = computer.contents()
    summary = computer.collect()
    assert (summary.files_read, summary.changed_rows) == (0, 0)
    assert computer.contents() == before
